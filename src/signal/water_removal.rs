//! What water suppression left, where it towers over everything: fitted by decaying exponentials and taken away.
//!
//! State-space decomposition of the FID's Hankel matrix (HSVD: Barkhuijsen, de Beer and van Ormondt, J Magn Reson 73:553,
//! 1987). The FID is averaged over blocks of samples first: exponentials stay exponentials, the matrix becomes small, and
//! what lies far from water is weak in it. Exponentials in the water's band are subtracted from the FID as it is.

use std::f64::consts::PI;

use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use num_complex::Complex64;

use super::exponentials::{poles, powers};
use super::hankel::leading_vectors;
use super::magnitudes::{METABOLITES_PPM, Magnitudes, WATER_PPM};
use crate::acquisition::hz_from_ppm;

/// Water is taken away where its peak is so many times the tallest of what is fitted; below, the baseline holds its tail,
/// and nothing is gained by a change.
pub const TOWERS: f64 = 3.0;
/// Wide enough for lipids to lie where they are, not folded into the water's band, and for water that is no exponential,
/// whose tail needs several.
const SIZE: Size = Size { band_ppm: 8.0, samples: 512, components: 32 };
/// The same of single transients, whose noise hides more; there water must stand higher, and the reference to which they
/// are aligned is enough below.
const TRANSIENT_SIZE: Size = Size { band_ppm: 4.0, samples: 128, components: 8 };
/// Fewer exponentials, of a short FID, describe no water.
const FEWEST_COMPONENTS: usize = 8;
/// An exponential may grow by no more than rounding and noise make it (per averaged sample).
const MOST_GROWTH: f64 = 1.01;
/// Part of the water's peak that may be left.
const LEFT: f64 = 0.2;

/// Size of a decomposition.
#[derive(Clone, Copy)]
struct Size {
    /// Width of the band that the averaged samples span, at least (ppm).
    band_ppm: f64,
    /// Averaged samples that are looked at.
    samples: usize,
    /// Exponentials, at most.
    components: usize,
}

/// What became of residual water.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It does not tower over what is fitted.
    NotNeeded,
    /// It was taken away.
    Removed,
    /// The exponentials do not describe it; the FID is as it was.
    Failed,
}

/// Takes residual water out of `fid` where it towers over what is fitted.
pub fn remove(fid: &mut [Complex64], dwell_s: f64, f0_mhz: f64) -> Removal {
    remove_with(fid, dwell_s, f0_mhz, SIZE, TOWERS)
}

/// Takes residual water out of `fid` however little there is, as where samples are compared, in which its tail is
/// everywhere and no baseline holds it.
pub fn remove_any(fid: &mut [Complex64], dwell_s: f64, f0_mhz: f64) -> Removal {
    remove_with(fid, dwell_s, f0_mhz, SIZE, 0.0)
}

/// Takes residual water out of a single transient, by a smaller decomposition.
pub(crate) fn remove_from_transient(fid: &mut [Complex64], dwell_s: f64, f0_mhz: f64) -> Removal {
    remove_with(fid, dwell_s, f0_mhz, TRANSIENT_SIZE, TOWERS)
}

/// `towers`: how many times the tallest of what is fitted water must be.
fn remove_with(fid: &mut [Complex64], dwell_s: f64, f0_mhz: f64, size: Size, towers: f64) -> Removal {
    let (water, fitted) = peaks(fid, dwell_s, f0_mhz);
    if water <= towers * fitted {
        return Removal::NotNeeded;
    }
    let Some(model) = water_model(fid, dwell_s, f0_mhz, size) else { return Removal::Failed };
    let rest: Vec<Complex64> = fid.iter().zip(&model).map(|(x, w)| x - w).collect();
    let (left, others) = peaks(&rest, dwell_s, f0_mhz);
    // What is left of water must be small, or as small as the rest; what is fitted must not have become another.
    if !left.is_finite() || left > (LEFT * water).max(2.0 * others) || others > 3.0 * fitted {
        return Removal::Failed;
    }
    fid.copy_from_slice(&rest);
    Removal::Removed
}

/// The tallest points of the magnitude spectrum in the water's band and among the metabolites.
pub(crate) fn peaks(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> (f64, f64) {
    let magnitudes = Magnitudes::new(fid, dwell_s, f0_mhz);
    (magnitudes.tallest(WATER_PPM), magnitudes.tallest(METABOLITES_PPM))
}

/// The exponentials in the water's band, at every sample of `fid`.
fn water_model(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, size: Size) -> Option<Vec<Complex64>> {
    // Centred on water, so that averaging keeps it.
    let centre_hz = hz_from_ppm(0.5 * (WATER_PPM.0 + WATER_PPM.1), f0_mhz);
    let turn = |n: usize| Complex64::from_polar(1.0, -2.0 * PI * centre_hz * n as f64 * dwell_s);
    let block = ((1.0 / (dwell_s * size.band_ppm * f0_mhz)) as usize).max(1);
    let count = (fid.len() / block).min(size.samples);
    let components = size.components.min(count / 4);
    if components < FEWEST_COMPONENTS {
        return None;
    }
    let averaged: Vec<Complex64> = (0..count)
        .map(|m| (m * block..(m + 1) * block).map(|n| fid[n] * turn(n)).sum::<Complex64>() / block as f64)
        .collect();
    let vectors = leading_vectors(&averaged, components)?;
    let poles: Vec<Complex64> =
        poles(vectors.as_ref())?.into_iter().filter(|z| z.norm() <= MOST_GROWTH && z.norm() > 1e-3).collect();
    let powers = powers(&poles, count);
    let right = Mat::from_fn(count, 1, |m, _| averaged[m]);
    let amplitudes = powers.qr().solve_lstsq(&right);
    let half_hz = 0.5 * (WATER_PPM.1 - WATER_PPM.0) * f0_mhz;
    let mut model = vec![Complex64::default(); fid.len()];
    for (k, pole) in poles.iter().enumerate() {
        let step = pole.ln() / block as f64;
        let offset_hz = step.im / (2.0 * PI * dwell_s);
        if offset_hz.abs() > half_hz || !step.re.is_finite() {
            continue;
        }
        // The mean of a block of an exponential is its first sample times a geometric series.
        let one = step.exp();
        let series: Complex64 = (0..block).map(|i| one.powu(i as u32)).sum::<Complex64>() / block as f64;
        let amplitude = amplitudes[(k, 0)] / series;
        let rate = step + Complex64::new(0.0, 2.0 * PI * centre_hz * dwell_s);
        add_exponential(&mut model, amplitude, rate);
    }
    model.iter().all(|z| z.re.is_finite() && z.im.is_finite()).then_some(model)
}

/// Adds an exponential with that rate (per sample). Its value is computed anew at the start of each stretch of samples, so that
/// rounding does not grow.
fn add_exponential(model: &mut [Complex64], amplitude: Complex64, rate: Complex64) {
    const STRETCH: usize = 64;
    let factor = rate.exp();
    for (stretch, samples) in model.chunks_mut(STRETCH).enumerate() {
        let mut value = amplitude * (rate * (stretch * STRETCH) as f64).exp();
        for sample in samples {
            *sample += value;
            value *= factor;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const F0_MHZ: f64 = 123.2;
    const DWELL_S: f64 = 5e-4;
    const POINTS: usize = 2048;

    fn line(ppm: f64, area: f64, lorentz_hz: f64, gauss_hz: f64, phase: f64) -> Vec<Complex64> {
        (0..POINTS)
            .map(|n| {
                let t = n as f64 * DWELL_S;
                let decay = -PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * std::f64::consts::LN_2);
                Complex64::from_polar(area * decay.exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t + phase)
            })
            .collect()
    }

    fn sum(lines: &[Vec<Complex64>]) -> Vec<Complex64> {
        (0..POINTS).map(|n| lines.iter().map(|l| l[n]).sum()).collect()
    }

    fn brain() -> Vec<Complex64> {
        sum(&[
            line(2.01, 10.0, 4.0, 3.0, 0.0),
            line(3.03, 6.0, 4.0, 3.0, 0.0),
            line(3.22, 5.0, 4.0, 3.0, 0.0),
            line(3.92, 4.0, 4.0, 3.0, 0.0),
            line(4.05, 2.0, 6.0, 3.0, 0.0),
        ])
    }

    fn noise(sd: f64, mut seed: u64) -> Vec<Complex64> {
        let mut uniform = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((seed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        (0..POINTS)
            .map(|_| {
                let (r, a) = ((-2.0 * uniform().ln()).sqrt(), 2.0 * PI * uniform());
                Complex64::from_polar(sd * r, a)
            })
            .collect()
    }

    /// Lipids, three times as high as NAA.
    fn lipids() -> [Vec<Complex64>; 2] {
        [line(1.3, 100.0, 15.0, 8.0, 0.0), line(1.45, 40.0, 20.0, 8.0, 0.0)]
    }

    /// Least-squares amplitude of each of the brain's lines and the lipids', over the areas in [`brain`] and [`lipids`].
    fn amplitudes(fid: &[Complex64]) -> Vec<f64> {
        let [first, second] = lipids();
        let lines = [
            line(2.01, 10.0, 4.0, 3.0, 0.0),
            line(3.03, 6.0, 4.0, 3.0, 0.0),
            line(3.22, 5.0, 4.0, 3.0, 0.0),
            line(3.92, 4.0, 4.0, 3.0, 0.0),
            line(4.05, 2.0, 6.0, 3.0, 0.0),
            first,
            second,
        ];
        let matrix = Mat::from_fn(POINTS, lines.len(), |n, k| lines[k][n]);
        let right = Mat::from_fn(POINTS, 1, |n, _| fid[n]);
        let solution = matrix.qr().solve_lstsq(&right);
        (0..lines.len()).map(|k| solution[(k, 0)].re).collect()
    }

    #[test]
    fn water_a_hundred_times_naa_goes_and_amplitudes_stay() {
        // A broad and a narrow part, off resonance and out of phase, partly Gaussian: what shims and suppression leave.
        let water = [line(4.70, 700.0, 3.0, 4.0, 1.0), line(4.62, 300.0, 8.0, 0.0, -2.0)];
        let noise = noise(0.02, 5);
        let [first, second] = lipids();
        for with_lipids in [false, true] {
            let mut parts = vec![brain(), noise.clone()];
            if with_lipids {
                parts.extend([first.clone(), second.clone()]);
            }
            let wanted = amplitudes(&sum(&parts));
            parts.extend(water.clone());
            let mut fid = sum(&parts);
            assert_eq!(remove(&mut fid, DWELL_S, F0_MHZ), Removal::Removed);
            for (got, want) in amplitudes(&fid).iter().zip(&wanted) {
                assert!((got - want).abs() <= 0.01, "lipids {with_lipids}: {got} where {want} is without water");
            }
            let (left, fitted) = peaks(&fid, DWELL_S, F0_MHZ);
            assert!(left < fitted, "{left} {fitted}");
        }
    }

    #[test]
    fn little_water_and_none_stay_as_they_are() {
        for area in [0.0, 20.0] {
            let fid = sum(&[brain(), line(4.66, area, 3.0, 2.0, 0.5), noise(0.05, 9)]);
            let mut same = fid.clone();
            assert_eq!(remove(&mut same, DWELL_S, F0_MHZ), Removal::NotNeeded);
            assert_eq!(same, fid);
        }
    }

    #[test]
    fn little_water_goes_where_any_is_too_much() {
        let without = sum(&[brain(), noise(0.05, 9)]);
        let mut fid = sum(&[without.clone(), line(4.66, 20.0, 3.0, 2.0, 0.5)]);
        assert_eq!(remove_any(&mut fid, DWELL_S, F0_MHZ), Removal::Removed);
        for (got, want) in amplitudes(&fid).iter().zip(amplitudes(&without)) {
            assert!((got - want).abs() <= 0.01, "{got} where {want} is without water");
        }
        assert!(peaks(&fid, DWELL_S, F0_MHZ).0 < 0.1 * peaks(&without, DWELL_S, F0_MHZ).1);
    }

    #[test]
    fn what_is_no_sum_of_decays_is_left_and_said() {
        // Water whose phase wanders during the acquisition.
        let mut fid = sum(&[brain(), line(4.7, 1000.0, 1.0, 1.0, 0.0)]);
        for (n, z) in fid.iter_mut().enumerate() {
            let t = n as f64 * DWELL_S;
            *z *= Complex64::from_polar(1.0, 8.0 * (2.0 * PI * 9.0 * t).sin() + 5.0 * (2.0 * PI * 23.0 * t).sin());
        }
        let before = fid.clone();
        let done = remove(&mut fid, DWELL_S, F0_MHZ);
        assert_ne!(done, Removal::Removed, "{done:?}");
        assert_eq!(fid, before);
        let mut short = before[..32].to_vec();
        assert_ne!(remove(&mut short, DWELL_S, F0_MHZ), Removal::Removed);
    }
}
