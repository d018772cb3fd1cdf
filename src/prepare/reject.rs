//! Transients that motion, a flow of lipid or an arc spoiled: found by how they differ from the others, and left out.
//!
//! Each aligned transient is compared with the median of all, in the band of the metabolites and over the time in which
//! there is signal: its part along the median (amplitude and phase; all of it, and each half by itself), the energy that is left beside it in each part of the
//! band, and its largest jump between two samples. A transient is out where one of these is an outlier among all, so that a third of them may be spoiled:
//! its distance from the median is large in units of the median absolute deviation, and of what noise alone makes of the measure.
//! The median absolute deviation of few values is tiny now and then (Croux & Rousseeuw 1992); few transients are
//! measured by the root mean square of the inner two thirds of them instead.

use std::sync::Arc;

use num_complex::Complex64;
use rayon::prelude::*;
use rustfft::{Fft, FftDirection};

use super::align::{median_fid, without_tail};
use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform as fourier};
use crate::signal::filter::filtered;
use crate::signal::median::upper_median;

/// More than one in so many transients that are left out raise a flag.
pub const REJECTED_ONE_IN: usize = 4;
/// Fewer transients than this tell no outlier from chance.
const FEWEST: usize = 8;
/// Chemical shifts that are compared (ppm): metabolites and lipids, no water.
const BAND_PPM: (f64, f64) = (0.2, 4.2);
/// Parts of the band whose energies are compared one by one: lipid fills one of them.
const PARTS: usize = 8;
/// Amplitudes and phases along the median that are compared.
const ALONG: usize = 6;
/// Distance from the median, in standard deviations of normal noise, beyond which a transient is out.
pub(super) const OUTLIER_SD: f64 = 5.0;
/// Standard deviation of a normal distribution over its median absolute deviation.
const SD_PER_MAD: f64 = 1.4826;
/// Euler's constant γ.
const EULER_GAMMA: f64 = 0.577_215_664_9;
/// Fewer transients than this are measured by the inner two thirds of them.
const MANY: usize = 32;
/// Standard deviation of a normal distribution over the root mean square of its inner two thirds.
const SD_PER_INNER: f64 = 1.0 / 0.524;
/// Least spread of amplitudes and phases that counts as such: differences of a hundredth are no motion.
const LEAST_SPREAD: f64 = 0.01;

/// What is measured of a transient: amplitudes and phases along the median, the largest jump, and energies beside the median.
const MEASURES: usize = ALONG + 1 + PARTS;

/// Which transients to keep: none further than `beyond_sd` from the others; all of them where they are too few to tell.
pub fn kept(transients: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64, beyond_sd: f64) -> Vec<bool> {
    let mut keep = vec![true; transients.len()];
    if transients.len() < FEWEST {
        return keep;
    }
    let Some(median_of) = Median::new(transients, dwell_s, f0_mhz) else { return keep };
    let measures: Vec<[f64; MEASURES]> = transients.par_iter().map(|fid| median_of.measures(fid)).collect();
    let by_noise = median_of.spreads_by_noise(&measures);
    for k in 0..MEASURES {
        let values: Vec<f64> = measures.iter().map(|m| m[k]).collect();
        let centre = upper_median(values.iter().copied());
        let spread = spread(values.iter().map(|v| (v - centre).abs()).collect());
        for (keep, value) in keep.iter_mut().zip(&values) {
            // Amplitude and phase may be off to either side; less noise than usual is no fault.
            let distance = if k < ALONG { (value - centre).abs() } else { value - centre };
            *keep &= distance <= beyond_sd * spread.max(by_noise[k]).max(LEAST_SPREAD);
        }
    }
    keep
}

/// Standard deviation of values by their distances from the median.
pub(super) fn spread(mut distances: Vec<f64>) -> f64 {
    let n = distances.len();
    if n >= MANY {
        return SD_PER_MAD * upper_median(distances.into_iter());
    }
    distances.sort_by(f64::total_cmp);
    distances.truncate(n - n / 3);
    let mean_square = distances.iter().map(|d| d * d).sum::<f64>() / distances.len().max(1) as f64;
    SD_PER_INNER * mean_square.sqrt()
}

/// The median of all transients, with which each is compared.
struct Median {
    dwell_s: f64,
    f0_mhz: f64,
    whole: Vec<Complex64>,
    /// The same in the band, without its tail.
    in_band: Vec<Complex64>,
    /// Samples with signal, and those that hold the first half of its energy.
    used: usize,
    half: usize,
    /// Part of the band of each bin of the transform of `used` samples.
    part_of: Vec<Option<usize>>,
    transform: Arc<dyn Fft<f64>>,
}

impl Median {
    /// `None` where there is nothing in the band.
    fn new(transients: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let whole = median_fid(transients);
        let in_band = without_tail(band(&whole, dwell_s, f0_mhz));
        let energy: f64 = in_band.iter().map(|z| z.norm_sqr()).sum();
        if energy <= 0.0 {
            return None;
        }
        // A phase that jumps on the way shows in the half of the signal's energy that comes later.
        let mut sum = 0.0;
        let half = in_band
            .iter()
            .position(|z| {
                sum += z.norm_sqr();
                sum >= 0.5 * energy
            })
            .map_or(0, |last| last + 1);
        let used = in_band.iter().rposition(|z| z.norm_sqr() > 0.0).map_or(0, |last| last + 1);
        let part_of = (0..used)
            .map(|k| {
                let ppm = ppm_from_hz(signed_bin(k, used) / (used as f64 * dwell_s), f0_mhz);
                let part = (ppm - BAND_PPM.0) / (BAND_PPM.1 - BAND_PPM.0) * PARTS as f64;
                (0.0..PARTS as f64).contains(&part).then_some(part as usize)
            })
            .collect();
        let transform = fourier(used, FftDirection::Forward);
        Some(Self { dwell_s, f0_mhz, whole, in_band, used, half, part_of, transform })
    }

    /// Standard deviations of the measures where transients differ by white noise alone.
    fn spreads_by_noise(&self, measures: &[[f64; MEASURES]]) -> [f64; MEASURES] {
        let mut bins = [0_usize; PARTS];
        self.part_of.iter().flatten().for_each(|part| bins[*part] += 1);
        let beside = measures.iter().map(|m| m[ALONG + 1..].iter().map(|energy| energy.exp()).sum());
        // A bin of the transform of `used` samples has used·2σ², a sample's real part σ².
        let variance =
            upper_median(beside) / (2.0 * self.used.max(1) as f64 * bins.iter().sum::<usize>().max(1) as f64);
        let energy = |from: usize, to: usize| self.in_band[from..to].iter().map(|z| z.norm_sqr()).sum::<f64>();
        let mut spreads = [0.0; MEASURES];
        for (k, (from, to)) in [(0, self.used), (0, self.half), (self.half, self.used)].into_iter().enumerate() {
            let along = (variance / energy(from, to).max(f64::MIN_POSITIVE)).sqrt();
            (spreads[2 * k], spreads[2 * k + 1]) = (along, along);
        }
        // The largest of N exponential values: ln N + γ, and above it by 15 as seldom as a normal value by 5 sd.
        let largest = (self.whole.len().max(2) as f64).ln() + EULER_GAMMA;
        spreads[ALONG] = (1.0 + 15.0 / largest).ln() / 5.0;
        // The logarithm of a sum of K exponential values: its standard deviation is 1/√K.
        spreads[ALONG + 1..].iter_mut().zip(bins).for_each(|(s, bins)| *s = 1.0 / (bins.max(1) as f64).sqrt());
        spreads
    }

    fn measures(&self, fid: &[Complex64]) -> [f64; MEASURES] {
        let (median, used, half) = (&self.in_band, self.used, self.half);
        let cut = band(fid, self.dwell_s, self.f0_mhz);
        let overlap = |from: usize, to: usize| -> Complex64 {
            let sum: Complex64 = median[from..to].iter().zip(&cut[from..to]).map(|(r, x)| r.conj() * x).sum();
            sum / median[from..to].iter().map(|r| r.norm_sqr()).sum::<f64>().max(f64::MIN_POSITIVE)
        };
        let along = overlap(0, used);
        let mut beside: Vec<Complex64> = median[..used].iter().zip(&cut).map(|(r, x)| x - along * r).collect();
        self.transform.process(&mut beside);
        let mut energies = [f64::MIN_POSITIVE; PARTS];
        for (z, part) in beside.iter().zip(&self.part_of) {
            if let Some(part) = part {
                energies[*part] += z.norm_sqr();
            }
        }
        let whole = &self.whole;
        let jump = (1..fid.len()).map(|n| ((fid[n] - whole[n]) - (fid[n - 1] - whole[n - 1])).norm_sqr());
        let mut measures = [0.0; MEASURES];
        for (k, z) in [along, overlap(0, half), overlap(half, used)].into_iter().enumerate() {
            measures[2 * k] = z.re;
            measures[2 * k + 1] = z.im;
        }
        measures[ALONG] = jump.fold(f64::MIN_POSITIVE, f64::max).ln();
        energies.iter().zip(&mut measures[ALONG + 1..]).for_each(|(energy, measure)| *measure = energy.ln());
        measures
    }
}

/// An FID's part in the band.
fn band(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> Vec<Complex64> {
    filtered(fid, dwell_s, f0_mhz, |ppm| f64::from(u8::from((BAND_PPM.0..=BAND_PPM.1).contains(&ppm))))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::acquisition::hz_from_ppm;

    const F0_MHZ: f64 = 123.2;
    const DWELL_S: f64 = 5e-4;
    const POINTS: usize = 1024;

    struct Normal(u64);

    impl Normal {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        }

        fn next(&mut self) -> f64 {
            (-2.0 * self.uniform().ln()).sqrt() * (2.0 * PI * self.uniform()).cos()
        }
    }

    /// (ppm, area, width in Hz) of a brain's main lines and its lipid.
    const LINES: [(f64, f64, f64); 6] =
        [(2.01, 10.0, 5.0), (3.03, 6.0, 5.0), (3.22, 5.0, 5.0), (3.55, 4.0, 8.0), (2.3, 8.0, 20.0), (1.3, 1.5, 15.0)];

    fn brain(lipid: f64) -> Vec<Complex64> {
        (0..POINTS)
            .map(|n| {
                let t = n as f64 * DWELL_S;
                LINES
                    .iter()
                    .map(|&(ppm, area, width)| {
                        let area = if ppm == 1.3 { area * lipid } else { area };
                        Complex64::from_polar(area * (-PI * width * t).exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t)
                    })
                    .sum()
            })
            .collect()
    }

    /// Noise for which the tallest peak of one transient's spectrum is ten of its standard deviations.
    fn noise_sd() -> f64 {
        // A Lorentzian's height is area / (π·width·dwell) in units of samples; noise of a bin: sd·√N.
        let height = 10.0 / (PI * 5.0 * DWELL_S);
        height / 10.0 / (POINTS as f64).sqrt()
    }

    type Fault = Box<dyn Fn(&mut Normal) -> Vec<Complex64>>;

    fn noisy(fid: &[Complex64], normal: &mut Normal) -> Vec<Complex64> {
        with_noise(fid, noise_sd(), normal)
    }

    fn with_noise(fid: &[Complex64], sd: f64, normal: &mut Normal) -> Vec<Complex64> {
        fid.iter().map(|z| z + sd * Complex64::new(normal.next(), normal.next())).collect()
    }

    #[test]
    fn spoiled_transients_are_caught_and_good_ones_stay() {
        let mut normal = Normal(11);
        let clean = brain(1.0);
        let faults: [(&str, Fault); 4] = [
            ("lipid × 10", Box::new(|_| brain(10.0))),
            (
                "phase jump",
                Box::new(|normal| {
                    let at = (normal.uniform() * 0.05 / DWELL_S) as usize;
                    let turn = Complex64::from_polar(1.0, (65.0_f64 + 60.0 * normal.uniform()).to_radians());
                    brain(1.0).iter().enumerate().map(|(n, z)| if n < at { *z } else { z * turn }).collect()
                }),
            ),
            ("amplitude × 0.5", Box::new(|_| brain(1.0).iter().map(|z| 0.5 * z).collect())),
            (
                "spike",
                Box::new(|normal| {
                    let mut fid = brain(1.0);
                    fid[100 + (normal.uniform() * 500.0) as usize] += Complex64::new(15.0 * noise_sd(), 0.0);
                    fid
                }),
            ),
        ];
        let (mut good, mut false_alarms) = (0, 0);
        for (name, spoil) in &faults {
            let (mut bad, mut caught) = (0, 0);
            for _ in 0..12 {
                let mut transients = Vec::new();
                let is_bad: Vec<bool> = (0..64).map(|t| t % 10 == 7).collect();
                for &bad in &is_bad {
                    let fid = if bad { spoil(&mut normal) } else { clean.clone() };
                    transients.push(noisy(&fid, &mut normal));
                }
                for (keep, is_bad) in kept(&transients, DWELL_S, F0_MHZ, OUTLIER_SD).iter().zip(&is_bad) {
                    match is_bad {
                        true => (bad, caught) = (bad + 1, caught + usize::from(!keep)),
                        false => (good, false_alarms) = (good + 1, false_alarms + usize::from(!keep)),
                    }
                }
            }
            assert!(caught as f64 >= 0.95 * bad as f64, "{name}: {caught} of {bad} caught");
        }
        assert!((false_alarms as f64) <= 0.01 * good as f64, "{false_alarms} of {good} good ones left out");
    }

    /// Each of these in one transient of a scan.
    fn motions() -> [(&'static str, Vec<Complex64>); 4] {
        let damped = |z: &Complex64, n: usize| z * (-PI * 20.0 * n as f64 * DWELL_S).exp();
        let clean = brain(1.0);
        let broader = clean.iter().enumerate().map(|(n, z)| damped(z, n)).collect();
        // Half of the volume turned by 150°: what is left is weak and turned.
        let turned = Complex64::new(0.5, 0.0) + Complex64::from_polar(0.5, 150.0_f64.to_radians());
        [
            ("amplitude − 30 %", clean.iter().map(|z| 0.7 * z).collect()),
            ("20 Hz broader", broader),
            ("phases that do not agree", clean.iter().map(|z| turned * z).collect()),
            ("lipid", brain(10.0)),
        ]
    }

    #[test]
    fn noise_alone_costs_few_scans_a_transient_and_motion_is_found_among_few() {
        let clean = brain(1.0);
        for (n, scans) in [(4, 20), (8, 400), (12, 300), (16, 300), (32, 200), (64, 100), (128, 100)] {
            let mut normal = Normal(n as u64);
            let spoilt = (0..scans)
                .filter(|_| {
                    let transients: Vec<_> = (0..n).map(|_| noisy(&clean, &mut normal)).collect();
                    kept(&transients, DWELL_S, F0_MHZ, OUTLIER_SD).contains(&false)
                })
                .count();
            assert!(spoilt as f64 <= 0.01 * f64::from(scans), "{n} transients: {spoilt} of {scans} scans lose one");
            if n < FEWEST {
                continue;
            }
            for (name, motion) in &motions() {
                let found = (0..20).filter(|_| {
                    // The tallest peak of a transient is twenty standard deviations of its noise.
                    let mut half = |fid: &[Complex64]| with_noise(fid, 0.5 * noise_sd(), &mut normal);
                    let mut transients: Vec<_> = (1..n).map(|_| half(&clean)).collect();
                    transients.push(half(motion));
                    kept(&transients, DWELL_S, F0_MHZ, OUTLIER_SD).last() == Some(&false)
                });
                let found = found.count();
                assert!(found >= 19, "{n} transients, {name}: {found} of 20 found");
            }
        }
    }

    #[test]
    fn few_transients_all_stay() {
        let fids = vec![brain(1.0), brain(10.0), brain(1.0)];
        assert_eq!(kept(&fids, DWELL_S, F0_MHZ, OUTLIER_SD), [true; 3]);
        assert!(kept(&[], DWELL_S, F0_MHZ, OUTLIER_SD).is_empty());
        assert_eq!(kept(&vec![vec![Complex64::default(); 64]; 10], DWELL_S, F0_MHZ, OUTLIER_SD), [true; 10]);
    }
}
