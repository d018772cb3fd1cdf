//! Fisher's F distribution.

/// Probability that F of `n1` and `n2` degrees of freedom is at most `f`: the regularised incomplete beta function
/// (Abramowitz & Stegun 26.6.2).
pub(super) fn cdf(f: f64, n1: f64, n2: f64) -> f64 {
    if f <= 0.0 { 0.0 } else { beta(n1 * f / (n1 * f + n2), 0.5 * n1, 0.5 * n2) }
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

/// Regularised incomplete beta function by Lentz's continued fraction (Numerical Recipes, 6.4).
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let floor = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..1000 {
        let m = f64::from(m);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / floor(1.0 + term * d);
            c = floor(1.0 + term / c);
            h *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

/// ln Γ by Lanczos (g = 7, nine terms; to 1e-15).
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = C.iter().enumerate().skip(1).fold(C[0], |s, (i, c)| s + c / (x + i as f64));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
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
