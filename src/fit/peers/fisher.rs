//! Fisher's F distribution.

use statrs::function::beta::checked_beta_reg;

/// Probability that F of `n1` and `n2` degrees of freedom is at most `f`: the regularised incomplete beta function
/// (Abramowitz & Stegun 26.6.2); NaN where there is no such distribution.
pub(super) fn cdf(f: f64, n1: f64, n2: f64) -> f64 {
    if f <= 0.0 {
        return 0.0;
    }
    let x = n1 * f / (n1 * f + n2);
    checked_beta_reg(0.5 * n1, 0.5 * n2, x).unwrap_or(f64::NAN)
}

/// The `f` at which [`cdf`] is `probability`.
pub(super) fn quantile(probability: f64, n1: f64, n2: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while cdf(high, n1, n2) < probability && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if cdf(middle, n1, n2) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabulated_quantiles_come_back() {
        // Abramowitz & Stegun, table 26.9.
        for (p, n1, n2, f) in
            [(0.95, 1.0, 10.0, 4.96), (0.95, 8.0, 20.0, 2.45), (0.99, 5.0, 5.0, 10.97), (0.5, 10.0, 10.0, 1.0)]
        {
            assert!((quantile(p, n1, n2) / f - 1.0).abs() < 2e-3, "{p} {n1} {n2} {}", quantile(p, n1, n2));
            assert!((cdf(quantile(p, n1, n2), n1, n2) - p).abs() < 1e-12);
        }
    }

    #[test]
    fn ratios_of_sums_of_squares_are_those_that_lcmodel_prints() {
        // Its own test: 498 points, 113 parameters, probabilities .02 and .08 (LCModel's Newton stops 5e-4 off).
        let ratio = |p: f64| 1.0 + quantile(p, 113.0, 385.0) * 113.0 / 385.0;
        assert!((ratio(0.02) - 1.21202).abs() < 5e-5, "{}", ratio(0.02));
        assert!((ratio(0.08) - 1.23515).abs() < 5e-5, "{}", ratio(0.08));
    }
}
