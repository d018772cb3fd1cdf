//! Flags: what a person should look at. They are columns, never deletions.

mod coefficients;
pub mod concentrations;
pub mod definitions;
pub mod gates;
pub mod glossary;
pub mod score;

use crate::fit::family::Limits;
use crate::fit::{FitResult, FitState};
use crate::signal::linewidth::voigt_fwhm_hz;

/// tNAA/tCr outside this range does not occur in brain: the fit has gone astray, the spectrum is not
/// brain, or it was not water-suppressed.
const PLAUSIBLE_TNAA_TO_TCR: [f64; 2] = [0.8, 2.5];
/// Residual sd over noise sd above which the model does not describe the data.
const MISFIT: f64 = 2.0;
/// Width (ppm) above which singlets run into one another (Öz et al. 2014: 0.1 ppm).
const BROAD_PPM: f64 = 0.1;
/// SNR below which amplitudes say little.
const LOW_SNR: f64 = 3.0;
/// Part of the largest shift that is searched beyond which the true shift may lie outside.
const SHIFT_NEAR_LIMIT: f64 = 0.9;
/// Width (Hz) that a fit adds to the basis set's lines below which it would rather make them narrower: no spectrum of tissue
/// is so narrow, and the methods' smallest width of the common line is 0.5 Hz.
const LITTLE_ADDED_HZ: f64 = 0.7;
/// Amplitudes by which chains are judged: the sums that every study takes. Small metabolites lie against their bound, where chains
/// mix slowly, and their own columns tell.
const JUDGED: [&str; 5] = ["tNAA", "tCr", "tCho", "Glx", "Ins"];
/// R̂ above which chains have not mixed, and effective draws below which their quantiles are not known. Vehtari et al. 2021 ask 1.01
/// and 100 a chain for final figures. Chains of the default length (800 draws in all) do not reach that in sound spectra; 1.05 is
/// what they reach, and leaves the spread of the draws wrong by up to 5 %. From 50 draws the mean is known to a seventh of the
/// standard deviation, and that to a tenth.
const MOST_RHAT: f64 = 1.05;
const FEWEST_EFFECTIVE_DRAWS: f64 = 50.0;
/// Part of the largest effective dimension from which the baseline is at its limit.
const BASELINE_NEAR_LIMIT: f64 = 0.95;

/// The flags that a fit can raise, as the tables write them.
pub(crate) mod flag {
    pub(super) const NOT_CONVERGED: &str = "not_converged";
    pub(super) const NOISE_UNKNOWN: &str = "noise_unknown";
    pub(super) const WATER_REMOVAL_FAILED: &str = "water_removal_failed";
    pub(super) const MISFIT: &str = "misfit";
    pub(super) const LOW_SNR: &str = "low_snr";
    pub(super) const BROAD_LINES: &str = "broad_lines";
    pub(super) const SHIFT_AT_LIMIT: &str = "shift_at_limit";
    pub(super) const BASELINE_FLEXIBLE: &str = "baseline_flexible";
    pub(super) const BASIS_LINES_BROAD: &str = "basis_lines_broad";
    pub(super) const PRIOR_STRAINED: &str = "prior_strained";
    pub(super) const FIT_DOUBTFUL: &str = "fit_doubtful";
    pub(super) const IMPLAUSIBLE_TNAA_TCR: &str = "implausible_tnaa_tcr";
    pub(super) const NOT_MIXED: &str = "not_mixed";
    pub(super) const UNMODELLED_PEAK: &str = "unmodelled_peak";
    pub(crate) const IMPLAUSIBLE_CONCENTRATION: &str = "implausible_concentration";
}

/// Flags of one fit, as stable snake_case words in fixed order.
///
/// `basis_fwhm_hz` is the width of the basis set's own lines.
pub fn flags(fit: &FitResult, limits: Limits, f0_mhz: f64, basis_fwhm_hz: Option<f64>) -> Vec<&'static str> {
    let mut flags = Vec::new();
    let mut raise_if = |condition: bool, flag: &'static str| {
        if condition {
            flags.push(flag);
        }
    };
    raise_if(fit.state == FitState::MaxIterations, flag::NOT_CONVERGED);
    raise_if(fit.noise_unknown.is_some(), flag::NOISE_UNKNOWN);
    raise_if(fit.water_stays, flag::WATER_REMOVAL_FAILED);
    raise_if(fit.residual_over_noise > MISFIT, flag::MISFIT);
    raise_if(fit.snr < LOW_SNR, flag::LOW_SNR);
    raise_if(fit.fwhm_hz.is_some_and(|fwhm_hz| fwhm_hz > BROAD_PPM * f0_mhz), flag::BROAD_LINES);
    raise_if(fit.shift_hz.abs() > SHIFT_NEAR_LIMIT * limits.max_shift_ppm * f0_mhz, flag::SHIFT_AT_LIMIT);
    // What the limit says by itself is little: a method that tells more has its score.
    raise_if(
        fit.diagnostics.is_none()
            && limits.max_baseline_ed.is_some_and(|most| fit.baseline_ed >= BASELINE_NEAR_LIMIT * most),
        flag::BASELINE_FLEXIBLE,
    );
    raise_if(adds_nothing(fit, basis_fwhm_hz), flag::BASIS_LINES_BROAD);
    raise_if(!fit.strained_priors.is_empty(), flag::PRIOR_STRAINED);
    raise_if(score::is_doubtful(fit), flag::FIT_DOUBTFUL);
    raise_if(has_not_mixed(fit), flag::NOT_MIXED);
    raise_if(fit.unmodelled_peaks_ppm.as_ref().is_some_and(|peaks| !peaks.is_empty()), flag::UNMODELLED_PEAK);
    if let (Some(naa), Some(creatine)) = (total(fit, "tNAA", "NAA"), total(fit, "tCr", "Cr")) {
        let ratio = naa / creatine;
        let [low, high] = PLAUSIBLE_TNAA_TO_TCR;
        raise_if(!(low..=high).contains(&ratio), flag::IMPLAUSIBLE_TNAA_TCR);
    }
    flags
}

/// Whether the fit is at the least that it can add to the lines of the basis set.
fn adds_nothing(fit: &FitResult, basis_fwhm_hz: Option<f64>) -> bool {
    let added = fit.lorentz_hz.zip(fit.gauss_hz).map(|(lorentz_hz, gauss_hz)| voigt_fwhm_hz(lorentz_hz, gauss_hz));
    added.is_some_and(|added_hz| added_hz < LITTLE_ADDED_HZ && basis_fwhm_hz.is_none_or(|own_hz| own_hz > added_hz))
}

/// Whether the chains of a major metabolite disagree, or are too short. Chains that never moved have an infinite R̂.
fn has_not_mixed(fit: &FitResult) -> bool {
    let sampled = JUDGED.iter().filter_map(|name| fit.amplitude(name)?.sampled.as_ref());
    sampled.into_iter().any(|s| !(s.rhat <= MOST_RHAT && s.effective_draws >= FEWEST_EFFECTIVE_DRAWS))
}

fn total(fit: &FitResult, sum: &str, single: &str) -> Option<f64> {
    fit.amplitude(sum).or_else(|| fit.amplitude(single)).map(|a| a.value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::basis::names::Kind;
    use crate::fit::result::Amplitude;
    use crate::fit::sample::Marginal;

    #[test]
    fn chains_of_majors_that_disagree_or_are_short_are_flagged() {
        let fit = |name: &str, rhat: f64, effective_draws: f64| {
            let sampled = Marginal { mean: 1.0, sd: 0.1, quantiles: [1.0; 7], rhat, effective_draws };
            let amplitude = Amplitude {
                name: name.to_owned(),
                kind: Kind::Metabolite,
                is_sum: true,
                members: Vec::new(),
                value: 1.0,
                free: 1.0,
                sd_noise: 0.1,
                sd_posterior: 0.1,
                sd_lcmodel: None,
                prior_pull_sd: None,
                width_prior_pull_sd: None,
                at_bound: false,
                shift_hz: None,
                lorentz_hz: None,
                sampled: Some(sampled),
            };
            FitResult { amplitudes: vec![amplitude], ..FitResult::without_fit(FitState::Converged) }
        };
        let limits = Limits { max_shift_ppm: 0.5, max_baseline_ed: None };
        let is_flagged = |fit: &FitResult| flags(fit, limits, 123.2, None).contains(&flag::NOT_MIXED);
        assert!(!is_flagged(&fit("tNAA", 1.04, 60.0)));
        for (rhat, effective_draws) in [(1.06, 400.0), (1.01, 49.0), (f64::INFINITY, 0.0), (f64::NAN, 400.0)] {
            assert!(is_flagged(&fit("tNAA", rhat, effective_draws)), "{rhat} {effective_draws}");
        }
        // Small metabolites tell it in their own columns.
        assert!(!is_flagged(&fit("GABA", 1.3, 10.0)));
    }

    #[test]
    fn a_fit_that_adds_nothing_to_broad_lines_is_flagged() {
        let fit = |lorentz_hz: f64, gauss_hz: f64| FitResult {
            lorentz_hz: Some(lorentz_hz),
            gauss_hz: Some(gauss_hz),
            ..FitResult::without_fit(FitState::Converged)
        };
        assert!(adds_nothing(&fit(0.0, 0.5), Some(6.0)));
        assert!(adds_nothing(&fit(0.0, 0.5), None));
        assert!(!adds_nothing(&fit(1.0, 3.0), Some(6.0)));
        assert!(!adds_nothing(&fit(0.0, 0.5), Some(0.3)));
        let peaks = FitResult { lorentz_hz: None, ..fit(0.0, 0.5) };
        assert!(!adds_nothing(&peaks, None));
    }
}
