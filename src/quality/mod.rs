//! Flags: what a person should look at. They are columns, never deletions.

use crate::fit::family::Limits;
use crate::fit::{FitResult, FitState};

/// tNAA/tCr outside this range does not occur in brain: the fit has gone astray, the spectrum is not
/// brain, or it was not water-suppressed.
const PLAUSIBLE_TNAA_TO_TCR: [f64; 2] = [0.8, 2.5];
/// Residual sd over noise sd above which the model does not describe the data.
const MISFIT: f64 = 2.0;
/// Width (ppm) above which singlets run into one another (Öz et al. 2014: 0.1 ppm).
const BROAD_PPM: f64 = 0.1;
/// SNR below which amplitudes say little.
const LOW_SNR: f64 = 3.0;

/// Flags of one fit, as stable snake_case words in fixed order.
pub fn flags(fit: &FitResult, limits: Limits, f0_mhz: f64) -> Vec<&'static str> {
    let mut flags = Vec::new();
    let mut when = |condition: bool, flag: &'static str| {
        if condition {
            flags.push(flag);
        }
    };
    when(fit.state == FitState::MaxIterations, "not_converged");
    when(fit.residual_over_noise > MISFIT, "misfit");
    when(fit.snr < LOW_SNR, "low_snr");
    when(fit.fwhm_hz.is_some_and(|fwhm_hz| fwhm_hz > BROAD_PPM * f0_mhz), "broad_lines");
    // Within a tenth of the edge of the search: the true shift may lie beyond.
    when(fit.shift_hz.abs() > 0.9 * limits.max_shift_ppm * f0_mhz, "shift_at_limit");
    when(limits.max_baseline_ed.is_some_and(|most| fit.baseline_ed >= 0.95 * most), "baseline_flexible");
    if let (Some(naa), Some(creatine)) = (total(fit, "tNAA", "NAA"), total(fit, "tCr", "Cr")) {
        let ratio = naa / creatine;
        let [low, high] = PLAUSIBLE_TNAA_TO_TCR;
        when(!(low..=high).contains(&ratio), "implausible_tnaa_tcr");
    }
    flags
}

fn total(fit: &FitResult, sum: &str, single: &str) -> Option<f64> {
    fit.amplitude(sum).or_else(|| fit.amplitude(single)).map(|a| a.value)
}
