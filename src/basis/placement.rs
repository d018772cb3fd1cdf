//! Where the singlets of a basis set lie as a whole: mirrored, stretched or moved, and back to where they belong.
//!
//! A wrong frequency in a header stretches the axis around its carrier, a wrong sign convention mirrors it there, a wrong
//! reference moves it. All three leave each singlet at `carrier + offset + scale · (place − carrier)`, with one scale and one
//! offset for all, which three singlets tell.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::BasisSet;
use super::names::{Kind, kind};
use crate::acquisition::{CARRIER_PPM, ppm_from_hz};
use crate::signal::exponentials::exponentials;
use crate::signal::fft::{signed_bin, transform};

/// Second singlets of creatine (ppm; Govindaraju et al. 2000, as those of [`super::names::SINGLETS`]).
const SECOND_PPM: [(&str, f64); 3] = [("Cr", 3.913), ("PCr", 3.930), ("tCr", 3.913)];
/// Peaks of a member that may be its singlet: reference lines that some programs add may stand higher.
const MOST_PEAKS: usize = 4;
/// Part of the tallest peak below which a peak is none.
const LOWEST_PEAK: f64 = 0.25;
/// Peaks are farther apart than this (ppm).
const APART_PPM: f64 = 0.05;
/// Singlets so near to one line agree on it (ppm). Those of ten sets of five programs do to 0.004, but for one at 0.009.
const AGREE_PPM: f64 = 0.012;
/// Two singlets that are to tell a scale lie so far apart (ppm).
const LEVER_PPM: f64 = 0.8;
/// Scales that are looked for: beyond, nobody would call it a wrong field.
const SCALES: std::ops::RangeInclusive<f64> = 0.3..=3.2;
/// A scale so near to one is one: singlets of good sets scatter by as much.
const SAME_SCALE: f64 = 0.006;
/// Singlets that must agree, and their part of all.
const FEWEST: usize = 3;
const MOST_OF_THEM: f64 = 0.75;
/// Signal on the wrong side of the carrier over that on the right one from which a set without singlets is mirrored.
const MIRRORED: f64 = 4.0;
/// Signal in the last over that in the first quarter of FIDs from which they run backwards.
const BACKWARDS: f64 = 2.0;
/// Phase that all singlets share from which it is taken off, and how far they may differ (rad).
const PHASE_RAD: f64 = 0.26;
const PHASES_AGREE_RAD: f64 = 0.17;
/// Common offset that is left to [`BasisSet::referenced`] (ppm).
const NEAR_PPM: f64 = 0.15;
/// Couplings of the doublets of lactate and alanine (Hz), and where they lie (ppm; Govindaraju et al. 2000).
const DOUBLETS: [(&str, f64, f64); 2] = [("Lac", 1.314, 6.933), ("Ala", 1.467, 7.234)];

/// How the axis of a basis set differs from what its singlets say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Factor around the carrier; below 0 where the set is mirrored.
    pub scale: f64,
    /// What is added to each chemical shift (ppm).
    pub offset_ppm: f64,
}

/// A singlet, and the peaks that may be it (ppm).
struct Candidate {
    ppm: f64,
    peaks: Vec<f64>,
    /// Whether there must be a peak: a molecule's second singlet may have gone into a member of its own.
    is_first: bool,
}

impl Placement {
    const AS_STATED: Self = Self { scale: 1.0, offset_ppm: 0.0 };

    fn of(&self, ppm: f64) -> f64 {
        CARRIER_PPM + self.offset_ppm + self.scale * (ppm - CARRIER_PPM)
    }

    /// The line through two singlets.
    fn through((place, peak): (f64, f64), (other_place, other_peak): (f64, f64)) -> Self {
        let scale = (peak - other_peak) / (place - other_place);
        Self { scale, offset_ppm: peak - CARRIER_PPM - scale * (place - CARRIER_PPM) }
    }

    /// The pairs of place and peak that agree with this line.
    fn agreeing(&self, candidates: &[Candidate]) -> Vec<(f64, f64, bool)> {
        let tolerance = AGREE_PPM * self.scale.abs().max(1.0);
        let near = |c: &Candidate| {
            let expected = self.of(c.ppm);
            let nearest =
                c.peaks.iter().copied().min_by(|a, b| (a - expected).abs().total_cmp(&(b - expected).abs()))?;
            ((nearest - expected).abs() < tolerance).then_some((c.ppm, nearest, c.is_first))
        };
        candidates.iter().filter_map(near).collect()
    }

    /// Least squares through pairs of place and peak.
    fn fitted(pairs: &[(f64, f64, bool)]) -> Option<Self> {
        let n = pairs.len() as f64;
        let mean = |of: fn(&(f64, f64, bool)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (place, peak) = (mean(|p| p.0), mean(|p| p.1));
        let square: f64 = pairs.iter().map(|p| (p.0 - place).powi(2)).sum();
        let product: f64 = pairs.iter().map(|p| (p.0 - place) * (p.1 - peak)).sum();
        (square > 0.0).then(|| {
            let scale = product / square;
            Self { scale, offset_ppm: peak - CARRIER_PPM - scale * (place - CARRIER_PPM) }
        })
    }
}

impl BasisSet {
    /// The one scale and offset on which the singlets agree; `None` where they are too few or do not.
    pub fn placement(&self) -> Option<Placement> {
        let candidates = self.candidates();
        let n_first = candidates.iter().filter(|c| c.is_first).count();
        let mut best: Option<(usize, bool, Placement)> = None;
        let mut consider = |line: Placement| {
            let agreeing = line.agreeing(&candidates);
            let n = agreeing.len();
            let firsts = agreeing.iter().filter(|(_, _, is_first)| *is_first).count();
            let enough = n >= FEWEST && firsts as f64 >= MOST_OF_THEM * n_first as f64;
            let as_stated = line.scale > 0.0;
            if enough && best.as_ref().is_none_or(|(most, stated, _)| (n, as_stated) > (*most, *stated)) {
                let refined = Placement::fitted(&agreeing).filter(|_| spread(&agreeing) >= LEVER_PPM);
                best = refined.map(|line| (n, as_stated, line)).or(best);
            }
        };
        consider(Placement::AS_STATED);
        for (i, one) in candidates.iter().enumerate() {
            for other in candidates.iter().skip(i + 1).filter(|c| (c.ppm - one.ppm).abs() >= LEVER_PPM) {
                for (&peak, &other_peak) in one.peaks.iter().flat_map(|p| other.peaks.iter().map(move |q| (p, q))) {
                    let line = Placement::through((one.ppm, peak), (other.ppm, other_peak));
                    if SCALES.contains(&line.scale.abs()) {
                        consider(line);
                    }
                }
            }
        }
        best.map(|(_, _, line)| line)
    }

    /// This set with its singlets where they belong, and remarks that say what was done: FIDs that run backwards turned
    /// round, mirrored ones conjugated, the frequency (or, where couplings say so, the dwell time) put right, a common phase
    /// taken off. A set whose singlets agree with its header stays as it is.
    #[must_use]
    pub fn placed(self) -> Self {
        self.forwards().unmirrored_and_unstretched().in_phase()
    }

    fn candidates(&self) -> Vec<Candidate> {
        let strong = self.strong_references();
        let each = strong.into_iter().flat_map(|(row, singlet)| {
            let peaks = self.tallest_peaks(row);
            let second = SECOND_PPM.iter().find(|(name, _)| *name == singlet.metabolite);
            let second = second.map(|(_, ppm)| Candidate { ppm: *ppm, peaks: peaks.clone(), is_first: false });
            std::iter::once(Candidate { ppm: singlet.ppm, peaks, is_first: true }).chain(second)
        });
        each.collect()
    }

    /// Chemical shifts of the tallest peaks of a member (ppm).
    fn tallest_peaks(&self, row: usize) -> Vec<f64> {
        let points = self.magnitudes(&[row], 4);
        let n = points.len();
        let height = |k: usize| points[k % n].1;
        let mut tops: Vec<usize> =
            (0..n).filter(|&k| height(k) > height(k + n - 1) && height(k) >= height(k + 1)).collect();
        tops.sort_by(|a, b| height(*b).total_cmp(&height(*a)));
        let mut found: Vec<f64> = Vec::new();
        for k in tops.iter().take_while(|k| height(**k) >= LOWEST_PEAK * tops.first().map_or(0.0, |t| height(*t))) {
            let ppm = points[*k].0;
            if found.iter().all(|other| (other - ppm).abs() > APART_PPM) {
                // From the tallest point to the top between points.
                found.push(self.peak_ppm(row, ppm, 0.5 * APART_PPM).unwrap_or(ppm));
            }
            if found.len() == MOST_PEAKS {
                break;
            }
        }
        found
    }

    /// Chemical shift and magnitude of each point of the spectrum of some members, zero-filled.
    fn magnitudes(&self, rows: &[usize], zero_fill: usize) -> Vec<(f64, f64)> {
        let n = zero_fill * self.fids.ncols().next_power_of_two();
        let mut sum = vec![0.0; n];
        for &row in rows {
            let mut spectrum: Vec<Complex64> = self.fids.row(row).to_vec();
            spectrum.resize(n, Complex64::default());
            transform(n, FftDirection::Forward).process(&mut spectrum);
            sum.iter_mut().zip(&spectrum).for_each(|(total, z)| *total += z.norm_sqr());
        }
        let ppm = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * self.dwell_s), self.f0_mhz);
        sum.into_iter().enumerate().map(|(k, power)| (ppm(k), power.sqrt())).collect()
    }

    /// FIDs that grow towards their end turned round: spectra were stored from their other end, or conjugated.
    fn forwards(mut self) -> Self {
        let n = self.fids.ncols();
        let power = |from: usize, to: usize| -> f64 {
            self.fids.rows().into_iter().map(|f| f.iter().take(to).skip(from).map(|z| z.norm_sqr()).sum::<f64>()).sum()
        };
        let (first, last) = (power(1, 1 + n / 4), power(n - n / 4, n));
        if n < 8 || last <= BACKWARDS * first {
            return self;
        }
        // Turned round in a transform, the first sample stays where it is; turned round as a list, it is the last one.
        let stays = self.fids.rows().into_iter().map(|f| f[0].norm_sqr()).sum::<f64>() > 0.05 * power(n - 1, n);
        for mut fid in self.fids.rows_mut() {
            let old = fid.to_vec();
            let start = if stays { n } else { n - 1 };
            fid.iter_mut().enumerate().for_each(|(k, z)| *z = old[(start - k) % n]);
        }
        self.remarks.push("FIDs grew towards their end: turned round".to_owned());
        self
    }

    fn conjugated(mut self) -> Self {
        self.fids.iter_mut().for_each(|z| *z = z.conj());
        self
    }

    fn unmirrored_and_unstretched(self) -> Self {
        let Some(Placement { scale, offset_ppm }) = self.placement() else {
            if !self.has_mirrored_signal() {
                return self;
            }
            let mut set = self.conjugated();
            set.remarks.push("mirrored at 4.65 ppm, as its signal says: conjugated".to_owned());
            return set;
        };
        let is_mirrored = scale < 0.0;
        let (mut set, offset_ppm) = if is_mirrored { (self.conjugated(), -offset_ppm) } else { (self, offset_ppm) };
        if is_mirrored {
            set.remarks.push("mirrored at 4.65 ppm, as its singlets say: conjugated".to_owned());
        }
        let scale = scale.abs();
        let is_stretched = (scale - 1.0).abs() > SAME_SCALE;
        let left_ppm = if is_stretched { offset_ppm / scale } else { offset_ppm };
        if is_stretched {
            set = set.unstretched(scale);
        }
        if left_ppm.abs() > NEAR_PPM {
            set = set.shifted_ppm(-left_ppm);
            set.remarks.push(format!("moved by {:+.3} ppm: its singlets lay off by {left_ppm:+.3} ppm", -left_ppm));
        }
        set
    }

    /// The frequency put right, or the dwell time where the couplings are stretched as the shifts are.
    fn unstretched(mut self, scale: f64) -> Self {
        let percent = 100.0 * (scale - 1.0);
        let from_dwell = self.coupling_scale(scale).is_some_and(|s| (s - scale).abs() < (s - 1.0).abs());
        let what = if from_dwell {
            let stated = self.dwell_s;
            self.dwell_s *= scale;
            format!("dwell time {:.6} ms cannot be right: taken as {:.6} ms", 1e3 * stated, 1e3 * self.dwell_s)
        } else {
            let stated = self.f0_mhz;
            self.f0_mhz *= scale;
            self.linewidth_hz = self.linewidth_hz.map(|hz| hz * scale);
            format!("frequency {stated:.3} MHz cannot be right: taken as {:.3} MHz", self.f0_mhz)
        };
        self.remarks
            .push(format!("{what}, as its singlets lie {percent:+.2} % farther from 4.65 ppm than they belong"));
        self
    }

    /// By how much the couplings of lactate or alanine are larger than they should be, where the shifts are stretched by
    /// `scale`.
    fn coupling_scale(&self, scale: f64) -> Option<f64> {
        DOUBLETS.iter().find_map(|&(name, ppm, coupling_hz)| {
            let row = self.position(name)?;
            let centre_hz = -scale * (ppm - CARRIER_PPM) * self.f0_mhz;
            let fid = self.fids.row(row).to_vec();
            let mut lines = exponentials(&fid, self.dwell_s, centre_hz, 4.0 * self.f0_mhz);
            lines.retain(|e| (e.frequency_hz - centre_hz).abs() < 2.5 * coupling_hz);
            lines.sort_by(|a, b| b.amplitude.norm().total_cmp(&a.amplitude.norm()));
            let apart_hz = (lines.first()?.frequency_hz - lines.get(1)?.frequency_hz).abs();
            Some(apart_hz / coupling_hz).filter(|s| (0.5..2.0).contains(s))
        })
    }

    /// Whether nearly all signal of the metabolites lies where none should be: beyond the carrier.
    fn has_mirrored_signal(&self) -> bool {
        let rows: Vec<usize> =
            (0..self.metabolites.len()).filter(|&k| kind(&self.metabolites[k]) == Kind::Metabolite).collect();
        if rows.is_empty() {
            return false;
        }
        let points = self.magnitudes(&rows, 1);
        let power = |from: f64, to: f64| -> f64 {
            points.iter().filter(|(ppm, _)| (from..to).contains(ppm)).map(|(_, m)| m * m).sum()
        };
        power(CARRIER_PPM + 0.4, CARRIER_PPM + 4.2) > MIRRORED * power(CARRIER_PPM - 4.2, CARRIER_PPM - 0.4)
    }

    /// A phase that the singlets of three members share taken off: baseline and macromolecules of a fit are in phase.
    fn in_phase(mut self) -> Self {
        let strong = self.strong_references();
        let phases: Vec<f64> = strong.iter().filter_map(|(row, s)| self.singlet_phase_rad(*row, s.ppm)).collect();
        let mean: Complex64 = phases.iter().map(|phase| Complex64::from_polar(1.0, *phase)).sum();
        let differ = |phase: &f64| Complex64::from_polar(1.0, phase - mean.arg()).arg().abs() > PHASES_AGREE_RAD;
        if phases.len() < FEWEST || mean.arg().abs() < PHASE_RAD || phases.iter().any(differ) {
            return self;
        }
        let turn = Complex64::from_polar(1.0, -mean.arg());
        self.fids.iter_mut().for_each(|z| *z *= turn);
        self.remarks.push(format!("turned by {:+.0}°: all singlets had a common phase", -mean.arg().to_degrees()));
        self
    }
}

/// How far the places of pairs lie apart (ppm).
fn spread(pairs: &[(f64, f64, bool)]) -> f64 {
    let least = pairs.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    pairs.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max) - least
}
