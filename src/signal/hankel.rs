//! The leading singular vectors of the Hankel matrix of samples.
//!
//! Lanczos' iteration on H·Hᴴ (Golub and Van Loan, Matrix Computations, 10.1), whose products with a vector are four Fourier
//! transforms. A new vector is made orthogonal to all before it where rounding has made it lean on one of them, which a
//! recurrence tells (Simon, Math Comp 42:115, 1984): there T is what it would be without rounding. Water's decompositions need
//! some thirty of hundreds of singular vectors: the whole decomposition costs six times as much and more.

use faer::linalg::matmul::matmul;
use faer::reborrow::{Reborrow, ReborrowMut};
use faer::{Accum, ColMut, Mat, MatRef, Par, Side, c64};
use num_complex::Complex64;
use rustfft::FftDirection;

use super::fft::transform;

/// Steps for each vector that is wanted before one looks whether they are found; after that one looks at each half.
const STEPS_FOR_EACH: usize = 3;
/// A vector is found where what is left of its equation is below this part of its own singular value squared. Vectors of
/// noise, whose values lie close together, decide.
const FOUND: f64 = 1e-4;
/// The whole decomposition is cheaper where more steps than this part of the rows would be needed.
const MOST_STEPS: f64 = 0.75;

/// Half of the samples, rounded down, is the number of the matrix's rows: exponentials are best told apart there.
pub(super) fn rows(samples: &[Complex64]) -> usize {
    samples.len() / 2
}

/// Left singular vectors of the `count` largest singular values, as columns; `None` where the decomposition fails.
pub(super) fn leading_vectors(samples: &[Complex64], count: usize) -> Option<Mat<c64>> {
    by_iteration(samples, count).or_else(|| {
        let (vectors, _) = all_vectors(samples)?;
        Some(vectors.subcols(0, count.min(vectors.ncols())).to_owned())
    })
}

/// All left singular vectors, as columns, and the singular values in descending order.
pub(super) fn all_vectors(samples: &[Complex64]) -> Option<(Mat<c64>, Vec<f64>)> {
    let rows = rows(samples);
    let hankel = Mat::from_fn(rows, samples.len() - rows + 1, |i, j| samples[i + j]);
    let svd = hankel.thin_svd().ok()?;
    let values = svd.S().column_vector().iter().map(|s| s.re).collect();
    Some((svd.U().to_owned(), values))
}

/// `None` where the vectors are not found in as many steps as pay.
fn by_iteration(samples: &[Complex64], count: usize) -> Option<Mat<c64>> {
    let rows = rows(samples);
    let most = (MOST_STEPS * rows as f64) as usize;
    let first = STEPS_FOR_EACH * count;
    if count == 0 || first > most {
        return None;
    }
    let mut lanczos = Lanczos::new(samples, most);
    (first..=most).step_by(count.div_ceil(2)).find_map(|steps| {
        lanczos.run_to(steps)?;
        lanczos.leading(count)
    })
}

/// A vector may lean on another by no more than this: the root of rounding, for which the tridiagonal matrix is right to rounding.
const LEAN: f64 = 1e-8;

/// How far the last two vectors lean on those before them, as the recurrence of their errors tells.
struct Leaning {
    /// The last, and the one before; each on all before itself, and 1 on itself.
    last: Vec<f64>,
    before: Vec<f64>,
    /// Whether the next vector is made orthogonal because the last was: both lean on the same.
    again: bool,
}

impl Leaning {
    /// Of the vector that comes next, whose norm is the last of `beside`; whether it must be made orthogonal.
    fn goes_on(&mut self, diagonal: &[f64], beside: &[f64]) -> bool {
        let (j, norm) = (diagonal.len() - 1, beside[diagonal.len() - 1]);
        let mut next: Vec<f64> = (0..j)
            .map(|k| {
                let above = beside[k] * self.last[k + 1];
                let below = if k > 0 { beside[k - 1] * self.last[k - 1] } else { 0.0 };
                let own = (diagonal[k] - diagonal[j]) * self.last[k];
                let error = above + own + below - beside[j - 1] * self.before[k];
                (error + f64::EPSILON.copysign(error) * (beside[k] + norm)) / norm
            })
            .collect();
        // Neighbours are orthogonal by the recurrence itself.
        next.push(f64::EPSILON * diagonal[j].abs().max(norm) / norm);
        let leans = next.iter().any(|lean| lean.abs() > LEAN);
        let is_made = leans || self.again;
        if is_made {
            next.fill(f64::EPSILON);
        }
        self.again = leans && !self.again;
        next.push(1.0);
        self.before = std::mem::replace(&mut self.last, next);
        is_made
    }
}

/// The iteration's state after some steps.
struct Lanczos {
    product: GramProduct,
    /// The orthonormal vectors, as columns; one more than steps.
    vectors: Mat<c64>,
    /// Diagonal of the tridiagonal matrix that H·Hᴴ is in these vectors.
    diagonal: Vec<f64>,
    /// What stands beside it.
    beside: Vec<f64>,
    /// Products of a vector with those before it.
    along: Mat<c64>,
    leaning: Leaning,
}

impl Lanczos {
    fn new(samples: &[Complex64], most: usize) -> Self {
        let rows = rows(samples);
        let mut vectors = Mat::zeros(rows, most + 1);
        // A chirp has something of every exponential, and is the same on every machine.
        let size = (rows as f64).sqrt();
        for n in 0..rows {
            vectors[(n, 0)] = Complex64::cis(0.61 * (n * n) as f64) / size;
        }
        Self {
            product: GramProduct::new(samples),
            vectors,
            diagonal: Vec::new(),
            beside: Vec::new(),
            along: Mat::zeros(most + 1, 1),
            leaning: Leaning { last: vec![1.0], before: Vec::new(), again: false },
        }
    }

    /// Goes on until `steps` are done; `None` where the vectors span all there is, as without noise.
    fn run_to(&mut self, steps: usize) -> Option<()> {
        for step in self.diagonal.len()..steps {
            let (old, mut rest) = self.vectors.as_mut().split_at_col_mut(step + 1);
            let old = old.rb();
            let mut next = rest.rb_mut().subcols_mut(0, 1);
            self.product.apply(old.col(step).try_as_col_major()?.as_slice(), slice(next.rb_mut().col_mut(0))?);
            // What the recurrence knows goes first: without it, the large products would hide the small ones.
            let own = (old.col(step).adjoint() * next.rb().col(0)).re;
            subtract(slice(next.rb_mut().col_mut(0))?, own, old.col(step).try_as_col_major()?.as_slice());
            if let Some(beside) = self.beside.last() {
                let before = old.col(step - 1).try_as_col_major()?.as_slice();
                subtract(slice(next.rb_mut().col_mut(0))?, *beside, before);
            }
            self.diagonal.push(own);
            self.beside.push(next.rb().col(0).norm_l2());
            if self.leaning.goes_on(&self.diagonal, &self.beside) {
                let mut along = self.along.as_mut().subrows_mut(0, step + 1);
                let one = c64::new(1.0, 0.0);
                matmul(along.rb_mut(), Accum::Replace, old.adjoint(), next.rb(), one, Par::Seq);
                matmul(next.rb_mut(), Accum::Add, old, along.rb(), -one, Par::Seq);
                self.beside[step] = next.rb().col(0).norm_l2();
            }
            let norm = self.beside[step];
            if !(norm.is_finite() && norm > f64::EPSILON * self.diagonal[0].abs()) {
                return None;
            }
            slice(next.col_mut(0))?.iter_mut().for_each(|z| *z /= norm);
        }
        Some(())
    }

    /// The leading vectors, or `None` where they are not found yet.
    fn leading(&self, count: usize) -> Option<Mat<c64>> {
        let steps = self.diagonal.len();
        let mut matrix = Mat::<f64>::zeros(steps, steps);
        for n in 0..steps {
            matrix[(n, n)] = self.diagonal[n];
            if n + 1 < steps {
                matrix[(n + 1, n)] = self.beside[n];
            }
        }
        let eigen = matrix.self_adjoint_eigen(Side::Lower).ok()?;
        let (values, inner) = (eigen.S().column_vector(), eigen.U());
        let left = self.beside[steps - 1];
        let is_found = |k: usize| (left * inner[(steps - 1, k)]).abs() <= FOUND * values[k].abs();
        if !(steps - count..steps).all(is_found) {
            return None;
        }
        // Ascending order of the eigenvalues: the last come first.
        let wanted = Mat::from_fn(steps, count, |n, k| c64::new(inner[(n, steps - 1 - k)], 0.0));
        let mut vectors = Mat::zeros(self.vectors.nrows(), count);
        let old: MatRef<'_, c64> = self.vectors.subcols(0, steps);
        matmul(vectors.as_mut(), Accum::Replace, old, wanted.as_ref(), c64::new(1.0, 0.0), Par::Seq);
        Some(vectors)
    }
}

/// A column's values; columns of faer's matrices lie in one piece.
fn slice(column: ColMut<'_, c64>) -> Option<&mut [c64]> {
    Some(column.try_as_col_major_mut()?.as_slice_mut())
}

fn subtract(from: &mut [c64], times: f64, what: &[c64]) {
    from.iter_mut().zip(what).for_each(|(a, b)| *a -= b * times);
}

/// Products of H·Hᴴ with a vector: both are correlations with the samples.
struct GramProduct {
    columns: usize,
    /// Transform of the samples, over its length.
    samples: Vec<Complex64>,
    padded: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl GramProduct {
    fn new(samples: &[Complex64]) -> Self {
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

    /// `out` = H·Hᴴ·`vector`.
    fn apply(&mut self, vector: &[Complex64], out: &mut [Complex64]) {
        self.padded.fill(Complex64::default());
        self.padded[..vector.len()].copy_from_slice(vector);
        // Σᵢ s(i+j)·conj(v(i)), the conjugate of Hᴴ·v.
        self.correlate();
        self.padded[self.columns..].fill(Complex64::default());
        // Σⱼ s(i+j)·conj(conj(w(j))).
        self.correlate();
        out.copy_from_slice(&self.padded[..out.len()]);
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
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Water, two lines, and noise.
    fn samples(n: usize, noise: f64) -> Vec<Complex64> {
        let mut random = Random::new(7, 0);
        let lines = [(1e4, 0.002, 0.03), (3e3, -0.004, 0.08), (10.0, -0.33, 0.012), (4.0, -0.08, 0.02)];
        (0..n)
            .map(|i| {
                let line = |&(a, f, d): &(f64, f64, f64)| {
                    Complex64::from_polar(a * (-d * i as f64).exp(), std::f64::consts::TAU * f * i as f64)
                };
                lines.iter().map(line).sum::<Complex64>() + noise * Complex64::new(random.normal(), random.normal())
            })
            .collect()
    }

    #[test]
    fn the_product_is_that_of_the_matrix() {
        for n in [41, 64, 100] {
            let samples = samples(n, 1.0);
            let rows = rows(&samples);
            let h = Mat::from_fn(rows, n - rows + 1, |i, j| samples[i + j]);
            let vector: Vec<Complex64> = (0..rows).map(|i| Complex64::cis(0.3 * (i * i) as f64)).collect();
            let column = Mat::from_fn(rows, 1, |i, _| vector[i]);
            let wanted = &h * (h.adjoint() * &column);
            let mut got = vec![Complex64::default(); rows];
            GramProduct::new(&samples).apply(&vector, &mut got);
            for (i, z) in got.iter().enumerate() {
                assert!((z - wanted[(i, 0)]).norm() < 1e-12 * wanted.norm_l2());
            }
        }
    }

    /// The space of the vectors is what matters: its projector is the whole decomposition's. Without noise there are fewer
    /// vectors than wanted, and the whole decomposition serves.
    #[test]
    fn the_space_is_that_of_the_whole_decomposition() {
        for noise in [0.0, 0.1, 10.0] {
            let samples = samples(512, noise);
            let (all, values) = all_vectors(&samples).unwrap();
            assert_eq!(by_iteration(&samples, 32).is_some(), noise > 0.0);
            let got = leading_vectors(&samples, 32).unwrap();
            let wanted = all.subcols(0, 32);
            // sin θ of the two spaces, of vectors that are no rounding.
            let count = values.iter().take(32).filter(|v| **v > 1e-9 * values[0]).count();
            let inside = got.adjoint() * wanted.subcols(0, count);
            for k in 0..count {
                let share = inside.col(k).norm_l2();
                assert!((share - 1.0).abs() < 1e-6, "noise {noise}, vector {k}: {share}");
            }
        }
    }
}
