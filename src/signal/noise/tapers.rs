//! Orthogonal windows that start and end at zero: a line's tail falls off fast under each, and together they use most samples.

use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::PI;
use std::rc::Rc;

/// Order α of the windows: zeros of this order at both ends, so that tails fall with the power α + 1 of the distance, those of
/// Lorentzian lines as well as those of FIDs that were cut.
const ORDER: f64 = 3.0;
/// Lengths that a thread keeps.
const MOST_KEPT: usize = 12;

/// The first windows for FIDs of one length.
///
/// sin^α(θ)·C_k^(α)(cos θ) with θ = π(t + ½)/n: Gegenbauer's polynomials are orthogonal under sin^2α(θ) dθ (Abramowitz &
/// Stegun 22.2.3). For α = 1 these are the sine tapers of Riedel & Sidorenko 1995.
pub(super) struct Tapers {
    /// Window after window, each with the sum of squares 1.
    pub(super) windows: Vec<Vec<f64>>,
    /// Number of independent numbers over that of the samples, with the first 1, 2 … windows.
    pub(super) efficiency: Vec<f64>,
}

thread_local! {
    static KEPT: RefCell<HashMap<(usize, usize), Rc<Tapers>>> = RefCell::default();
}

/// The first `count` windows for `n` samples.
pub(super) fn tapers(n: usize, count: usize) -> Rc<Tapers> {
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MOST_KEPT && !kept.contains_key(&(n, count)) {
            kept.clear();
        }
        kept.entry((n, count)).or_insert_with(|| Rc::new(Tapers::new(n, count))).clone()
    })
}

impl Tapers {
    fn new(n: usize, count: usize) -> Self {
        let mut windows = vec![Vec::with_capacity(n); count];
        for t in 0..n {
            let (sine, cosine) = (PI * (t as f64 + 0.5) / n as f64).sin_cos();
            // k·C_k = 2(k + α − 1)·x·C_(k−1) − (k + 2α − 2)·C_(k−2) (Abramowitz & Stegun 22.7.3).
            let (mut before, mut value) = (0.0, sine.powf(ORDER));
            for (k, window) in (1_i32..).zip(&mut windows) {
                window.push(value);
                let k = f64::from(k);
                let next = (2.0 * (k + ORDER - 1.0) * cosine * value - (k + 2.0 * ORDER - 2.0) * before) / k;
                (before, value) = (value, next);
            }
        }
        let mut energy = vec![0.0; n];
        let mut efficiency = Vec::with_capacity(count);
        for window in &mut windows {
            let norm = window.iter().map(|w| w * w).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            window.iter_mut().zip(&mut energy).for_each(|(w, e)| {
                *w /= norm;
                *e += *w * *w;
            });
            let (sum, squares) = energy.iter().fold((0.0, 0.0), |(sum, squares), e| (sum + e, squares + e * e));
            efficiency.push(sum * sum / (n as f64 * squares));
        }
        Self { windows, efficiency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_orthogonal_and_together_use_most_samples() {
        let found = Tapers::new(512, 8);
        for (i, a) in found.windows.iter().enumerate() {
            for (j, b) in found.windows.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j}: {product}");
            }
        }
        // One window leaves less than half of the information, eight leave four fifths.
        assert!((found.efficiency[0] - 0.433).abs() < 1e-3 && (found.efficiency[7] - 0.824).abs() < 1e-3);
    }
}
