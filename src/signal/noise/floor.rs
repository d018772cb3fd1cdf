//! The level of the bins of a spectrum that hold noise alone.

use std::ops::RangeInclusive;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::tapers::tapers;
use crate::signal::fft::{signed_bin, transform};

/// Part of the spectrum's width, around its middle, where the level is looked for first: scanners' filters and spectra that
/// were interpolated have less noise at the edges, and the signals that are fitted do not lie there.
const MIDDLE: f64 = 0.6;
/// Part that no filter reaches.
const CORE: f64 = 0.4;
/// A floor of the core this many times the other one, on which so much of the core agrees, shows that the other is a filter's.
const FILTERED: (f64, f64) = (2.0, 0.25);
/// Standard deviations by which the mean of neighbouring bins may lie above and below the level of the noise.
const ABOVE: f64 = 3.0;
const BELOW: f64 = 4.0;
/// The lowest of a spectrum's means lies about so many standard deviations below the level.
const LOWEST: f64 = 1.5;
/// Margin on both sides of a stretch with signal, in its length. A tail under windows of order 3 falls with the eighth power
/// of the distance: where it sinks into the noise (10 to 60 % of its power), 1.4 times farther it is a fifteenth of that.
const MARGIN: f64 = 0.2;
/// A stretch of a spectrum that is low by chance: at most such a share of it, and how low (in power); that so many times more
/// bins agree on the level above it shows it.
const TRAP: Trap = Trap { share: 0.1, start: 2.0, depth: 8.0, times_more: 4.0 };
/// Windows that keep signals narrow, asked beside many.
const FEW: usize = 2;
/// Rounds to a level, and the relative change at which it is reached.
const MAX_ROUNDS: usize = 12;
const SETTLED: f64 = 1e-3;

/// Sums that run side by side.
const LANES: usize = 8;

struct Trap {
    share: f64,
    start: f64,
    depth: f64,
    times_more: f64,
}

/// A level of noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Floor {
    /// Mean square of a sample: twice the variance of its real part.
    pub(super) power: f64,
    /// Number of independent complex numbers that it is the mean of.
    pub(super) n: f64,
    /// Part of the spectrum that they fill.
    pub(super) share: f64,
}

impl Floor {
    /// Standard deviation per real and imaginary part of a sample.
    pub(super) fn sd(&self) -> f64 {
        (self.power / 2.0).sqrt()
    }

    /// By how many standard deviations it lies above another one.
    pub(super) fn above(&self, other: &Self) -> f64 {
        let tiny = f64::MIN_POSITIVE;
        (self.power.max(tiny) / other.power.max(tiny)).ln() / (1.0 / self.n + 1.0 / other.n).sqrt()
    }
}

/// The level of noise in the spectrum of `fid`, by up to `most` windows: few keep signals narrow, many use more of the
/// samples; what leaves most numbers is taken.
pub(super) fn noise_floor(fid: &[Complex64], most: usize) -> Floor {
    let n = fid.len();
    let windows = tapers(n, most);
    let fft = transform(n, FftDirection::Forward);
    let mut scratch = vec![Complex64::default(); fft.get_inplace_scratch_len()];
    let mut spectrum = vec![Complex64::default(); n];
    let mut sum = vec![0.0; n];
    let mut best = Floor { power: 0.0, n: 0.0, share: 0.0 };
    for (k, (window, efficiency)) in (1..).zip(windows.windows.iter().zip(&windows.efficiency)) {
        spectrum.iter_mut().zip(fid.iter().zip(window)).for_each(|(s, (z, w))| *s = z * w);
        fft.process_with_scratch(&mut spectrum, &mut scratch);
        sum.iter_mut().zip(&spectrum).for_each(|(s, z)| *s += z.norm_sqr());
        if k == most || (k == FEW && most > 4) {
            let power: Vec<f64> = sum.iter().map(|s| s / k as f64).collect();
            let found = Bins::new(&power, k, *efficiency).floor();
            if found.n > best.n {
                best = found;
            }
        }
    }
    best
}

/// The powers of a spectrum's bins, in the transform's order, which is a circle.
struct Bins<'a> {
    power: &'a [f64],
    /// Mean over the neighbours of each.
    means: Vec<f64>,
    /// Relative standard deviation of such a mean over noise.
    sd: f64,
    windows: usize,
    efficiency: f64,
    /// Number of neighbours.
    width: usize,
}

impl<'a> Bins<'a> {
    fn new(power: &'a [f64], windows: usize, efficiency: f64) -> Self {
        let n = power.len();
        let half = (n / 64).clamp(8, 32).min((n - 1) / 2);
        let width = 2 * half + 1;
        let mut sum: f64 = (0..width).map(|i| power[(n + i - half) % n]).sum();
        let mut means = Vec::with_capacity(n);
        let around = |from: usize| power.iter().cycle().skip(from % n);
        for (next, first) in around(half + 1).zip(around(n - half)).take(n) {
            means.push(sum.max(0.0) / width as f64);
            sum += next - first;
        }
        // Windows tell neighbouring bins apart in part: a run of them holds a few numbers more than its own share.
        let independent = width as f64 * efficiency + 0.8 * windows as f64;
        Self { power, means, sd: independent.sqrt().recip(), windows, efficiency, width }
    }

    fn floor(&self) -> Floor {
        let n = self.power.len();
        let mut level = self.level();
        let agrees = self.agreeing(level);
        let signal: Vec<bool> = self.means.iter().map(|m| !agrees.contains(m)).collect();
        let wider = with_margins(&signal, |length| ((MARGIN * length as f64) as usize).min(n / 8));
        let signal = self.if_enough(wider).unwrap_or(signal);
        level = self.mean_without(&signal).unwrap_or(level);
        // Single lines, which a mean over neighbours hides: 1e-4 of noise lies above (χ² with 2·windows degrees of freedom).
        let windows = self.windows as f64;
        let tall = level * (1.0 + 3.68 / windows.sqrt() + 4.55 / windows);
        let lines: Vec<bool> = self.power.iter().map(|p| *p > tall).collect();
        let lines = with_margins(&lines, |_| self.windows / 2 + 2);
        let both = signal.iter().zip(&lines).map(|(a, b)| *a || *b).collect();
        let signal = self.if_enough(both).unwrap_or(signal);
        level = self.mean_without(&signal).unwrap_or(level);
        let free = signal.iter().filter(|signal| !**signal).count() as f64;
        Floor { power: level, n: (free * self.efficiency).max(1.0), share: free / n as f64 }
    }

    /// The level that most bins agree on, from the lowest mean in the middle of the spectrum upwards; from the lowest one in
    /// its core, where the other is a filter's.
    fn level(&self) -> f64 {
        let n = self.power.len();
        let within = |part: f64| move |k: &usize| signed_bin(*k, n).abs() <= part * n as f64 / 2.0;
        let lowest = |part: f64| (0..n).filter(within(part)).min_by(|a, b| self.means[*a].total_cmp(&self.means[*b]));
        let [in_middle, in_core] = [MIDDLE, CORE].map(|part| lowest(part).unwrap_or(0));
        let level = self.untrapped(self.risen(self.means[in_middle]));
        if in_core == in_middle {
            return level;
        }
        let core_level = self.untrapped(self.risen(self.means[in_core]));
        let agrees = self.agreeing(core_level);
        let agreeing = (0..n).filter(within(CORE)).filter(|k| agrees.contains(&self.means[*k])).count();
        let is_filtered = core_level > FILTERED.0 * level && agreeing as f64 > FILTERED.1 * CORE * n as f64;
        if is_filtered { core_level } else { level }
    }

    /// The level that bins agree on when it rises from the `lowest` mean.
    fn risen(&self, lowest: f64) -> f64 {
        let mut level = lowest * (1.0 + LOWEST * self.sd);
        for _ in 0..MAX_ROUNDS {
            let Some(next) = self.mean_agreeing(level) else { break };
            let is_there = (next - level).abs() <= SETTLED * level;
            level = next;
            if is_there {
                break;
            }
        }
        level
    }

    /// Mean power of the bins whose means agree with `level`: without branches, as which ones do is chance, and as sums that
    /// run side by side.
    fn mean_agreeing(&self, level: f64) -> Option<f64> {
        let agrees = self.agreeing(level);
        let (low, high) = (*agrees.start(), *agrees.end());
        let (mut counts, mut sums) = ([0.0; LANES], [0.0; LANES]);
        let mut add = |lane: usize, power: f64, mean: f64| {
            let is_chosen = mean >= low && mean <= high;
            counts[lane] += if is_chosen { 1.0 } else { 0.0 };
            sums[lane] += if is_chosen { power } else { 0.0 };
        };
        let (powers, last_powers) = self.power.as_chunks::<LANES>();
        let (means, last_means) = self.means.as_chunks::<LANES>();
        for (powers, means) in powers.iter().zip(means) {
            (0..LANES).for_each(|lane| add(lane, powers[lane], means[lane]));
        }
        let last = last_powers.iter().zip(last_means).enumerate();
        last.for_each(|(lane, (power, mean))| add(lane, *power, *mean));
        let count: f64 = counts.iter().sum();
        (count > 0.0).then(|| sums.iter().sum::<f64>() / count)
    }

    /// A level that few bins agree on may be a stretch that is low by chance: then many more agree a little higher.
    fn untrapped(&self, level: f64) -> f64 {
        let count = |level: f64| {
            let agrees = self.agreeing(level);
            self.means.iter().filter(|mean| agrees.contains(mean)).count() as f64
        };
        let few = count(level);
        if few > TRAP.share * self.power.len() as f64 {
            return level;
        }
        let higher = self.risen(TRAP.start * level);
        if count(higher) > TRAP.times_more * few && higher < TRAP.depth * level { higher } else { level }
    }

    /// Means that agree with `level`.
    fn agreeing(&self, level: f64) -> RangeInclusive<f64> {
        level * (1.0 - BELOW * self.sd)..=level * (1.0 + ABOVE * self.sd)
    }

    /// `signal` where it leaves enough bins.
    fn if_enough(&self, signal: Vec<bool>) -> Option<Vec<bool>> {
        let left = signal.iter().filter(|signal| !**signal).count();
        (left >= self.width).then_some(signal)
    }

    /// Mean power of the bins without signal.
    fn mean_without(&self, signal: &[bool]) -> Option<f64> {
        let chosen = self.power.iter().zip(signal).filter(|(_, signal)| !**signal);
        let (count, sum) = chosen.fold((0_usize, 0.0), |(count, sum), (p, _)| (count + 1, sum + p));
        (count > 0).then(|| sum / count as f64)
    }
}

/// Marks on a circle, each stretch of them longer on both sides by what `margin` makes of its length.
fn with_margins(marks: &[bool], margin: impl Fn(usize) -> usize) -> Vec<bool> {
    let n = marks.len();
    let mut wider = marks.to_vec();
    // Stretches begin after an unmarked bin.
    let Some(first) = marks.iter().position(|mark| !mark) else { return wider };
    let mut k = 0;
    while k < n {
        let length = (k..n).take_while(|i| marks[(first + i) % n]).count();
        if length > 0 {
            for step in 1..=margin(length).min(n) {
                wider[(first + k + n - step % n) % n] = true;
                wider[(first + k + length - 1 + step) % n] = true;
            }
        }
        k += length.max(1);
    }
    wider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_go_around_the_circle() {
        let marks = |of: &[usize]| (0..12).map(|k| of.contains(&k)).collect::<Vec<bool>>();
        assert_eq!(with_margins(&marks(&[11, 0, 5]), |_| 2), marks(&[9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(with_margins(&marks(&[3, 4, 5, 6]), |length| length / 4), marks(&[2, 3, 4, 5, 6, 7]));
        assert_eq!(with_margins(&marks(&[]), |_| 3), marks(&[]));
        assert_eq!(with_margins(&[true; 5], |_| 3), [true; 5]);
    }
}
