//! Whether the spectrum asks for a further component.

use super::thresholds::{LEAST_GAIN, LEAST_PART};
use crate::fit::FitResult;

/// A fit, and what else weighs in its favour or against it.
#[derive(Clone, Copy)]
pub struct Weighed<'a> {
    /// The fit.
    pub fit: &'a FitResult,
    /// What its shifts and widths cost by their priors ([`super::displaced::strain`]).
    pub strain: f64,
}

impl Weighed<'_> {
    /// Sum of squares of the residual, in units of the noise.
    fn squares(&self) -> f64 {
        self.fit.chi2_reduced * self.fit.degrees_of_freedom
    }
}

/// What the second of two fits of one spectrum and band of `n_bins` gains over the first, each at its own baseline: by how
/// much χ² and the strain of the priors fall, less ln n for each parameter that the data determine beyond those of the first
/// (Schwarz's criterion; a flexible baseline counts with its effective dimension). −∞ where either is no result.
///
/// χ² counts in units of the noise, or of what the better of both leaves where that is more: what no component can mend asks
/// for none.
pub fn gain(without: Weighed<'_>, with: Weighed<'_>, n_bins: usize) -> f64 {
    let fall = (without.squares() - with.squares()) / unit(without, with) + without.strain - with.strain;
    let price = price(n_bins) * (without.fit.degrees_of_freedom - with.fit.degrees_of_freedom);
    Some(fall - price).filter(|gain| gain.is_finite()).unwrap_or(f64::NEG_INFINITY)
}

/// Whether a gain is enough: above what chance gives, and a good part of all that is wrong with the fit `without`. Where a
/// model fits badly everywhere, any further line gains something, and none belongs there.
pub fn is_enough(gain: f64, without: Weighed<'_>, with: Weighed<'_>, n_bins: usize) -> bool {
    let misfit = (without.squares() - without.fit.degrees_of_freedom).max(0.0) / unit(without, with);
    let curved = (without.fit.baseline_ed - STRAIGHT).max(0.0);
    gain >= LEAST_GAIN && gain >= LEAST_PART * (misfit + price(n_bins) * curved + without.strain)
}

/// Effective dimension of a straight baseline.
const STRAIGHT: f64 = 2.0;

fn unit(without: Weighed<'_>, with: Weighed<'_>) -> f64 {
    without.fit.chi2_reduced.min(with.fit.chi2_reduced).max(1.0)
}

fn price(n_bins: usize) -> f64 {
    (n_bins.max(2) as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::FitState;

    const N_BINS: usize = 500;

    fn fit(chi2_reduced: f64, parameters: f64, baseline_ed: f64) -> FitResult {
        let degrees_of_freedom = N_BINS as f64 - parameters;
        FitResult { chi2_reduced, degrees_of_freedom, baseline_ed, ..FitResult::without_fit(FitState::Converged) }
    }

    fn judged(without: &FitResult, with: &FitResult) -> (f64, bool) {
        let (without, with) = (Weighed { fit: without, strain: 1.0 }, Weighed { fit: with, strain: 1.0 });
        let gain = gain(without, with, N_BINS);
        (gain, is_enough(gain, without, with, N_BINS))
    }

    #[test]
    fn what_explains_the_residual_or_straightens_the_baseline_is_enough() {
        assert!(judged(&fit(1.3, 30.0, 2.0), &fit(1.0, 32.0, 2.0)).1);
        let (gain, is_enough) = judged(&fit(1.05, 60.0, 30.0), &fit(1.0, 32.0, 2.0));
        assert!(is_enough && (gain - 28.0 * 500.0_f64.ln()).abs() < 10.0, "{gain}");
    }

    #[test]
    fn what_gains_little_or_mends_a_small_part_is_not() {
        assert!(!judged(&fit(1.03, 30.0, 2.0), &fit(1.0, 32.0, 2.0)).1);
        // A gain of 40 where the model fits badly everywhere.
        let (gain, is_enough) = judged(&fit(2.0, 60.0, 30.0), &fit(1.85, 60.0, 29.0));
        assert!(gain > LEAST_GAIN && !is_enough, "{gain}");
        assert_eq!(judged(&fit(f64::NAN, 1.0, 2.0), &fit(1.0, 1.0, 2.0)), (f64::NEG_INFINITY, false));
    }

    #[test]
    fn strain_counts() {
        let (before, after) = (fit(1.0, 30.0, 2.0), fit(1.0, 32.0, 2.0));
        let gain = gain(Weighed { fit: &before, strain: 150.0 }, Weighed { fit: &after, strain: 2.0 }, N_BINS);
        assert!((gain - 148.0 + 2.0 * 500.0_f64.ln()).abs() < 5.0, "{gain}");
    }
}
