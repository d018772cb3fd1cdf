//! The receiver's digital filter delays the signal; here the delay is taken back.

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

/// The digital filter's delay, taken back.
pub(super) struct Filter {
    delay: f64,
    /// Points that are left.
    pub(super) kept: usize,
    forward: std::sync::Arc<dyn Fft<f64>>,
    backward: std::sync::Arc<dyn Fft<f64>>,
}

impl Filter {
    pub(super) fn new(points: usize, delay: f64) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            delay,
            kept: points - delay.ceil() as usize,
            forward: planner.plan_fft_forward(points),
            backward: planner.plan_fft_inverse(points),
        }
    }

    /// Shifted to begin with the signal; what came before it went round to the end, and is left out.
    pub(super) fn apply(&self, mut row: Vec<Complex64>) -> Vec<Complex64> {
        if self.delay > 0.0 {
            let n = row.len();
            self.forward.process(&mut row);
            for (k, z) in row.iter_mut().enumerate() {
                let signed = if k < n.div_ceil(2) { k as f64 } else { k as f64 - n as f64 };
                *z *=
                    Complex64::from_polar(1.0 / n as f64, 2.0 * std::f64::consts::PI * signed * self.delay / n as f64);
            }
            self.backward.process(&mut row);
        }
        row.truncate(self.kept);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_taken_back_to_the_fraction_of_a_point() {
        // A smooth hump far from both ends, 10.25 points late.
        let n = 256;
        let hump = |t: f64| Complex64::from_polar((-(t / 6.0).powi(2)).exp(), 0.4 * t);
        let late = (0..n).map(|i| hump(i as f64 - 60.0 - 10.25)).collect();
        let back = Filter::new(n, 10.25).apply(late);
        assert_eq!(back.len(), n - 11);
        for (i, z) in back.iter().enumerate() {
            assert!((z - hump(i as f64 - 60.0)).norm() < 1e-9, "{i}: {z}");
        }
    }
}
