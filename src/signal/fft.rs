//! Fourier transforms: one planner, and which frequency a bin has.

use std::cell::RefCell;
use std::sync::Arc;

use rustfft::{Fft, FftDirection, FftPlanner};

thread_local! {
    /// Twiddle factors cost more than a transform: a thread keeps them.
    static PLANNER: RefCell<FftPlanner<f64>> = RefCell::new(FftPlanner::new());
}

/// The transform of `n` samples.
pub(crate) fn transform(n: usize, direction: FftDirection) -> Arc<dyn Fft<f64>> {
    PLANNER.with_borrow_mut(|planner| planner.plan_fft(n, direction))
}

/// The number of bin `k` of `n`, negative for the upper half: times 1/(n·dwell) it is the bin's frequency in Hz.
pub(crate) fn signed_bin(k: usize, n: usize) -> f64 {
    if 2 * k < n { k as f64 } else { k as f64 - n as f64 }
}

#[cfg(test)]
mod tests {
    use super::signed_bin;

    #[test]
    fn the_upper_half_is_negative_for_even_and_odd_lengths() {
        assert_eq!([0, 1, 2, 3].map(|k| signed_bin(k, 4)), [0.0, 1.0, -2.0, -1.0]);
        assert_eq!([0, 1, 2, 3, 4].map(|k| signed_bin(k, 5)), [0.0, 1.0, 2.0, -2.0, -1.0]);
    }
}
