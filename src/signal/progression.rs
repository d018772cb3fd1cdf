//! Geometric progressions of complex numbers: damped exponentials at equal steps of time.

use num_complex::Complex64;

/// Terms that are worked on side by side: one progression would wait for its own product at every term.
const LANES: usize = 8;

/// Adds `first`·`ratio`ⁿ to sample n of `sum`.
pub(crate) fn add(first: Complex64, ratio: Complex64, sum: &mut [Complex64]) {
    let (mut terms, step) = lanes(first, ratio);
    for samples in sum.chunks_mut(LANES) {
        for (sample, term) in samples.iter_mut().zip(&mut terms) {
            *sample += *term;
            *term = times(*term, step);
        }
    }
}

/// Σₙ `samples`ₙ·`ratio`ⁿ.
pub(crate) fn weighted_sum(samples: &[Complex64], ratio: Complex64) -> Complex64 {
    let (mut terms, step) = lanes(Complex64::ONE, ratio);
    let mut sums = [Complex64::ZERO; LANES];
    for samples in samples.chunks(LANES) {
        for ((sample, term), sum) in samples.iter().zip(&mut terms).zip(&mut sums) {
            *sum += times(*sample, *term);
            *term = times(*term, step);
        }
    }
    sums.iter().sum()
}

/// The first terms, and the ratio of each to the one [`LANES`] later.
fn lanes(first: Complex64, ratio: Complex64) -> ([Complex64; LANES], Complex64) {
    let mut terms = [first; LANES];
    let mut power = Complex64::ONE;
    for term in &mut terms {
        *term *= power;
        power *= ratio;
    }
    (terms, power)
}

/// The product, without the detour for infinities that keeps loops from being vectorised.
#[inline(always)]
fn times(a: Complex64, b: Complex64) -> Complex64 {
    Complex64::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_sums_meet_their_definition_at_every_length() {
        let rate = Complex64::new(-2e-3, 1.7);
        for n in [0, 1, 7, 8, 9, 4096] {
            let first = Complex64::new(0.3, -1.2);
            let exact = |n: usize| (rate * n as f64).exp();
            let mut sum = vec![Complex64::new(1.0, 2.0); n];
            add(first, rate.exp(), &mut sum);
            for (n, value) in sum.iter().enumerate() {
                assert!((value - Complex64::new(1.0, 2.0) - first * exact(n)).norm() < 1e-12, "{n}");
            }
            let samples: Vec<Complex64> = (0..n).map(|n| Complex64::new(n as f64, 1.0)).collect();
            let wanted: Complex64 = samples.iter().enumerate().map(|(n, z)| z * exact(n)).sum();
            assert!((weighted_sum(&samples, rate.exp()) - wanted).norm() <= 1e-12 * (1.0 + wanted.norm()) * n as f64);
        }
    }
}
