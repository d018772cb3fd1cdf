//! Products of the Hankel matrix of samples with a vector, by Fourier transforms.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::fft::transform;

/// Half of the samples, rounded down, is the number of the matrix's rows: exponentials are best told apart there.
pub(super) fn rows(samples: &[Complex64]) -> usize {
    samples.len() / 2
}

/// Products of H·Hᴴ with a vector: both are correlations with the samples.
pub(super) struct GramProduct {
    columns: usize,
    /// Transform of the samples, over its length.
    samples: Vec<Complex64>,
    padded: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl GramProduct {
    pub(super) fn new(samples: &[Complex64]) -> Self {
        let size = samples.len().next_power_of_two();
        let mut padded = samples.to_vec();
        padded.resize(size, Complex64::default());
        let forward = transform(size, FftDirection::Forward);
        let inverse = transform(size, FftDirection::Inverse);
        let mut scratch =
            vec![Complex64::default(); forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len())];
        forward.process_with_scratch(&mut padded, &mut scratch);
        let samples_of = |z: &Complex64| z / size as f64;
        Self {
            columns: samples.len() - rows(samples) + 1,
            samples: padded.iter().map(samples_of).collect(),
            padded,
            scratch,
        }
    }

    /// `out` = H·Hᴴ·`vector`; of both all real parts come before all imaginary ones.
    pub(super) fn apply(&mut self, vector: &[f64], out: &mut [f64]) {
        let rows = vector.len() / 2;
        self.padded[rows..].fill(Complex64::default());
        let (re, im) = vector.split_at(rows);
        self.padded.iter_mut().zip(re).zip(im).for_each(|((z, re), im)| *z = Complex64::new(*re, *im));
        // Σᵢ s(i+j)·conj(v(i)), the conjugate of Hᴴ·v.
        self.correlate();
        self.padded[self.columns..].fill(Complex64::default());
        // Σⱼ s(i+j)·conj(conj(w(j))).
        self.correlate();
        let (re, im) = out.split_at_mut(rows);
        self.padded.iter().zip(re).zip(im).for_each(|((z, re), im)| (*re, *im) = (z.re, z.im));
    }

    /// Correlates the samples with the conjugate of what is in `padded`.
    fn correlate(&mut self) {
        let size = self.padded.len();
        transform(size, FftDirection::Forward).process_with_scratch(&mut self.padded, &mut self.scratch);
        self.padded.iter_mut().zip(&self.samples).for_each(|(z, s)| *z = z.conj() * s);
        transform(size, FftDirection::Inverse).process_with_scratch(&mut self.padded, &mut self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;
    use crate::random::Random;

    #[test]
    fn the_product_is_that_of_the_matrix() {
        for n in [41, 64, 100] {
            let mut random = Random::new(7, 0);
            let samples: Vec<Complex64> = (0..n).map(|_| Complex64::new(random.normal(), random.normal())).collect();
            let rows = rows(&samples);
            let h = Mat::from_fn(rows, n - rows + 1, |i, j| samples[i + j]);
            let vector: Vec<Complex64> = (0..rows).map(|i| Complex64::cis(0.3 * (i * i) as f64)).collect();
            let column = Mat::from_fn(rows, 1, |i, _| vector[i]);
            let wanted = &h * (h.adjoint() * &column);
            let parts: Vec<f64> = vector.iter().map(|z| z.re).chain(vector.iter().map(|z| z.im)).collect();
            let mut got = vec![0.0; 2 * rows];
            GramProduct::new(&samples).apply(&parts, &mut got);
            for i in 0..rows {
                let got = Complex64::new(got[i], got[rows + i]);
                assert!((got - wanted[(i, 0)]).norm() < 1e-12 * wanted.norm_l2());
            }
        }
    }
}
