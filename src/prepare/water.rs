//! The amplitude of the water reference at t = 0.

use num_complex::Complex64;

use crate::signal::decay::log_decay_start;

/// Magnitude, relative to the tallest sample, down to which the decay is fitted.
const FITTED_DOWN_TO: f64 = 0.2;
/// Samples at the start that are left out: the first one is attenuated in some exports (0.57 of its
/// true size in every Philips SDAT reference seen), the next ones by the receiver's filter.
const SKIPPED_S: f64 = 0.001;
/// How much taller than the metabolite data a reference must be to be unsuppressed water. Water
/// (2 × 40 mol/kg of protons) stands about a thousand times above a metabolite singlet; residual water
/// in the data lowers the ratio.
pub const TALLER: f64 = 3.0;

/// Water amplitude at t = 0, in the data's units, from the magnitude of the reference: the decay of a
/// Voigt line, ln|w(t)| = a − b·t − c·t², by least squares weighted with |w|² (the inverse variance of
/// the logarithm), extrapolated to 0. `None` when the reference does not decay from a clear maximum.
pub fn amplitude(reference: &[Complex64], dwell_s: f64) -> Option<f64> {
    let skipped = ((SKIPPED_S / dwell_s).ceil() as usize).max(1);
    let magnitude: Vec<f64> = reference.iter().map(|z| z.norm()).collect();
    let tallest = magnitude.iter().skip(skipped).copied().fold(0.0, f64::max);
    if tallest <= 0.0 || !tallest.is_finite() {
        return None;
    }
    let end = magnitude
        .iter()
        .skip(skipped)
        .position(|&m| m < FITTED_DOWN_TO * tallest)
        .map_or(magnitude.len(), |i| i + skipped);
    if end < skipped + 8 {
        return None;
    }
    log_decay_start(&magnitude, skipped, end)
}

/// Whether `reference` is unsuppressed water beside the data `fid`.
pub fn is_water(fid: &[Complex64], reference: &[Complex64], amplitude: f64) -> bool {
    // The first samples apart, for the same reason as above.
    let data = fid.iter().skip(1).take(reference.len()).map(|z| z.norm()).fold(0.0, f64::max);
    amplitude > TALLER * data
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_voigt_decay_is_extrapolated_past_an_attenuated_first_sample() {
        let dwell_s = 5e-4;
        let mut water: Vec<Complex64> = (0..1024)
            .map(|n| {
                let t = n as f64 * dwell_s;
                Complex64::from_polar(700.0 * (-18.0 * t - 90.0 * t * t).exp(), 0.4 + 3.0 * t)
            })
            .collect();
        water[0] *= 0.57;
        assert!((amplitude(&water, dwell_s).unwrap() / 700.0 - 1.0).abs() < 1e-6);
        assert_eq!(amplitude(&vec![Complex64::default(); 1024], dwell_s), None);
    }
}
