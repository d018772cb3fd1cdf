//! Fourier transforms: one planner, and which frequency a bin has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rustfft::{Fft, FftDirection, FftNum, FftPlanner};

/// Plans by their length.
type Plans<T> = HashMap<usize, Arc<dyn Fft<T>>>;

thread_local! {
    /// Twiddle factors cost more than a transform: a thread keeps them. Forwards and backwards.
    static PLANS: RefCell<[Plans<f64>; 2]> = RefCell::default();
    /// The same in single precision.
    static PLANS_F32: RefCell<[Plans<f32>; 2]> = RefCell::default();
}

/// The transform of `n` samples.
pub(crate) fn transform(n: usize, direction: FftDirection) -> Arc<dyn Fft<f64>> {
    PLANS.with_borrow_mut(|kept| planned(kept, n, direction))
}

/// The transform of `n` samples in single precision.
pub(crate) fn transform_f32(n: usize, direction: FftDirection) -> Arc<dyn Fft<f32>> {
    PLANS_F32.with_borrow_mut(|kept| planned(kept, n, direction))
}

/// Each length has a planner of its own: one that is kept builds on what it has planned before, so that the last bits of a
/// transform (of 2304 samples after one of 288, say) would depend on what the thread did earlier.
fn planned<T: FftNum>(kept: &mut [Plans<T>; 2], n: usize, direction: FftDirection) -> Arc<dyn Fft<T>> {
    let plans = usize::from(direction == FftDirection::Inverse);
    kept[plans].entry(n).or_insert_with(|| FftPlanner::new().plan_fft(n, direction)).clone()
}

/// The number of bin `k` of `n`, negative for the upper half: times 1/(n·dwell) it is the bin's frequency in Hz.
pub(crate) fn signed_bin(k: usize, n: usize) -> f64 {
    if 2 * k < n { k as f64 } else { k as f64 - n as f64 }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;
    use rustfft::{FftDirection, FftPlanner};

    use super::{signed_bin, transform};

    #[test]
    fn transforms_do_not_depend_on_those_before() {
        // One planner for these lengths gives other last bits (with AVX) for the longer ones than for each alone.
        for n in [288, 1152, 2304] {
            let fid: Vec<Complex64> = (0..n).map(|k| Complex64::cis(0.37 * k as f64)).collect();
            let (mut now, mut alone) = (fid.clone(), fid);
            transform(n, FftDirection::Forward).process(&mut now);
            FftPlanner::new().plan_fft_forward(n).process(&mut alone);
            assert_eq!(now, alone);
        }
    }

    #[test]
    fn the_upper_half_is_negative_for_even_and_odd_lengths() {
        assert_eq!([0, 1, 2, 3].map(|k| signed_bin(k, 4)), [0.0, 1.0, -2.0, -1.0]);
        assert_eq!([0, 1, 2, 3, 4].map(|k| signed_bin(k, 5)), [0.0, 1.0, 2.0, -2.0, -1.0]);
    }
}
