//! Loops with the processor's wide registers, chosen when the program runs.

use pulp::{Arch, Simd, WithSimd};

/// Runs `work`, compiled for AVX2 where the processor has it. Mark the closure `#[inline(always)]`, and what it calls: a
/// function of its own would be compiled for the least processor.
#[inline]
pub(crate) fn wide<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Inlined(work))
}

/// A closure that is called by `call_mut`: `call_once`, which pulp calls by itself, is not inlined.
struct Inlined<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Inlined<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}
