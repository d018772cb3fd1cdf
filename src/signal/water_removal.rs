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
use crate::acquisition::{hz_from_ppm, ppm_from_hz};

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
/// Where little water lies, from what is in brain beside it: NAA's CH is at 4.38 ppm, its lines up to 0.06 ppm from there, and
/// they and water up to 0.07 ppm (8 Hz at 3 T) from their places; α-glucose is at 5.22 ppm (ppm).
const LITTLE_WATER_PPM: (f64, f64) = (4.56, 4.85);
/// Beside it nothing lies but tails and noise (ppm).
const BESIDE_WATER_PPM: (f64, f64) = (4.95, 5.18);
/// Heights of little water above what lies beside it: in standard deviations of the noise, whose tallest point among the 50 or so
/// that are independent there is above 4.7 in one of a thousand spectra; and in tallest metabolites, whose tails at 4.5 and at 5 ppm
/// differ by less.
const ABOVE_NOISE: f64 = 5.0;
const ABOVE_TAILS: f64 = 0.1;
/// Water is no broader in a voxel in which metabolites can be told apart (FWHM, ppm): what is broader are macromolecules, the first
/// samples and what the decomposition makes of noise.
const BROADEST_PPM: f64 = 0.3;
/// Least height of an exponential of little water, in standard deviations of the noise.
const LEAST_HEIGHT: f64 = 3.0;
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

/// Takes residual water out of `fid` even where it does not tower, as where samples are compared, in which its tail is
/// everywhere and no baseline holds it. What does not stand above noise and tails stays, and so do exponentials that water does
/// not have: they are metabolites', and whether they count as water would hang on a few Hz of shift.
pub fn remove_any(fid: &mut [Complex64], dwell_s: f64, f0_mhz: f64) -> Removal {
    let magnitudes = Magnitudes::new(fid, dwell_s, f0_mhz);
    let fitted = magnitudes.tallest(METABOLITES_PPM);
    if magnitudes.tallest(WATER_PPM) > TOWERS * fitted {
        return remove(fid, dwell_s, f0_mhz);
    }
    let noise = magnitudes.noise().unwrap_or(0.0);
    let above = magnitudes.tallest(LITTLE_WATER_PPM) - magnitudes.tallest(BESIDE_WATER_PPM);
    if above <= (ABOVE_NOISE * noise).max(ABOVE_TAILS * fitted) {
        return Removal::NotNeeded;
    }
    let (low, high) = LITTLE_WATER_PPM;
    let is_water = |line: &Line| {
        (low..=high).contains(&ppm_from_hz(line.frequency_hz, f0_mhz))
            && line.fwhm_hz <= BROADEST_PPM * f0_mhz
            && magnitudes.height_of(line.size, -PI * line.fwhm_hz * dwell_s) >= LEAST_HEIGHT * noise
    };
    let model = water_model(fid, dwell_s, f0_mhz, SIZE, &is_water);
    take_away(fid, model, dwell_s, f0_mhz)
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
    let model = water_model(fid, dwell_s, f0_mhz, size, &|_| true);
    take_away(fid, model, dwell_s, f0_mhz)
}

/// Takes `model` away, where it describes the water of `fid`.
fn take_away(fid: &mut [Complex64], model: Option<Vec<Complex64>>, dwell_s: f64, f0_mhz: f64) -> Removal {
    let (water, fitted) = peaks(fid, dwell_s, f0_mhz);
    let Some(model) = model else { return Removal::Failed };
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

/// An exponential that was found.
struct Line {
    frequency_hz: f64,
    fwhm_hz: f64,
    /// Of its first sample.
    size: f64,
}

/// The exponentials in the water's band that are water, at every sample of `fid`.
fn water_model(
    fid: &[Complex64],
    dwell_s: f64,
    f0_mhz: f64,
    size: Size,
    is_water: &dyn Fn(&Line) -> bool,
) -> Option<Vec<Complex64>> {
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
        let line =
            Line { frequency_hz: centre_hz + offset_hz, fwhm_hz: -step.re / (PI * dwell_s), size: amplitude.norm() };
        if !is_water(&line) {
            continue;
        }
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
#[path = "water_removal_tests.rs"]
mod tests;
