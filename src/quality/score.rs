//! A quality score: the error of the major metabolites that a fit's own figures foretell.
//!
//! Standard deviations say what noise and priors leave open. They say nothing of a baseline that took over from a metabolite,
//! a line that the model lacks, or lines of another shape. Such fits differ from sound ones in what [`Diagnostics`] holds, and
//! the score is the sum of few of these figures' logarithms that best told the two apart on spectra with known truth:
//!
//! ```text
//! expected error = exp(intercept + Σ coefficient · ln(figure + floor))
//! ```
//!
//! The coefficients stand in `coefficients.rs`, which `cargo bench --profile dev --bench accuracy -- --calibrate` writes. They
//! belong to the method `map`: calibrate again when its fit has changed.

use super::coefficients::{INTERCEPT, TERMS};
use crate::fit::FitResult;
use crate::fit::diagnostics::Diagnostics;

pub use super::coefficients::FLAG_ABOVE_PERCENT;

/// Largest error that is foretold (%): beyond it nothing is left to be told.
const MOST_PERCENT: f64 = 100.0;

/// Error of the worst of tNAA, tCr, tCho, Glx and Ins that is to be expected (%); `None` where the method has no figures to
/// tell it by.
pub fn expected_error_percent(fit: &FitResult) -> Option<f64> {
    fit.diagnostics.as_ref().map(of_diagnostics)
}

/// Whether that error is one that a study should not take without a look.
pub(super) fn is_doubtful(fit: &FitResult) -> bool {
    expected_error_percent(fit).is_some_and(|percent| percent > FLAG_ABOVE_PERCENT)
}

fn of_diagnostics(diagnostics: &Diagnostics) -> f64 {
    let figures = diagnostics.figures();
    let term = |&(name, floor, coefficient): &(&str, f64, f64)| {
        let value = figures.iter().find(|(figure, _)| *figure == name).map_or(0.0, |(_, value)| *value);
        coefficient * (value + floor).ln()
    };
    let percent = 100.0 * (INTERCEPT + TERMS.iter().map(term).sum::<f64>()).exp();
    // Figures that are no numbers (no metabolite left) are the worst that can be.
    if percent.is_finite() { percent.min(MOST_PERCENT) } else { MOST_PERCENT }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of a sound fit at SNR 40: medians of clean simulated spectra.
    fn sound() -> Diagnostics {
        Diagnostics {
            baseline_ed_per_line: 0.1,
            narrow_baseline: 0.01,
            macromolecules: 0.45,
            residual_peak_sd: 3.0,
            residual_structure: 1.0,
            own_strain_sd: 0.8,
            lorentz_strain_sd: 0.6,
            phi1_strain_sd: 0.5,
            skew_strain_sd: 0.5,
            width_correlation: 0.6,
            confusion: 2.5,
            major_sd: 0.04,
            width_at_bound: false,
        }
    }

    #[test]
    fn every_term_is_a_figure_and_a_sound_fit_is_not_doubtful() {
        for (name, floor, coefficient) in TERMS {
            assert!(sound().figures().iter().any(|(figure, _)| *figure == name), "{name}");
            assert!(floor > 0.0 && coefficient.is_finite());
        }
        let percent = of_diagnostics(&sound());
        assert!(percent < FLAG_ABOVE_PERCENT, "{percent}");
    }

    #[test]
    fn a_baseline_that_is_lines_is_doubtful_and_no_number_is_the_worst() {
        let lines = Diagnostics {
            baseline_ed_per_line: 0.6,
            narrow_baseline: 0.3,
            residual_peak_sd: 8.0,
            residual_structure: 1.6,
            confusion: 8.0,
            major_sd: 0.2,
            ..sound()
        };
        assert!(of_diagnostics(&lines) > FLAG_ABOVE_PERCENT, "{}", of_diagnostics(&lines));
        let nothing = Diagnostics { narrow_baseline: f64::NAN, major_sd: f64::NAN, confusion: f64::NAN, ..sound() };
        assert_eq!(of_diagnostics(&nothing), MOST_PERCENT);
    }
}
