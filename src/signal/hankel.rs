//! The leading singular vectors of the Hankel matrix of samples.
//!
//! Lanczos' iteration on H·Hᴴ (Golub and Van Loan, Matrix Computations, 10.1), whose products with a vector are four Fourier
//! transforms. A new vector is made orthogonal to those before it on which rounding has made it lean: the first ones, which
//! span the water that the products drown in. Water's decompositions need some thirty of hundreds of singular vectors: the
//! whole decomposition costs ten times as much and more.

use faer::linalg::matmul::matmul;
use faer::reborrow::{Reborrow, ReborrowMut};
use faer::{Accum, ColMut, ColRef, Mat, MatRef, Par, c64};
use num_complex::Complex64;

use super::hankel_product::{GramProduct, rows};
use super::tridiagonal;

/// Steps for each vector that is wanted before one looks whether they are found; after that one looks at each quarter.
const STEPS_FOR_EACH: usize = 2;
/// A vector is found where what is left of its equation is below this part of its own singular value squared. Vectors of
/// noise, whose values lie close together, decide.
const FOUND: f64 = 1e-4;
/// The whole decomposition is cheaper where more steps than this part of the rows would be needed.
const MOST_STEPS: f64 = 0.75;

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
    (first..=most).step_by(count.div_ceil(4)).find_map(|steps| {
        lanczos.run_to(steps)?;
        lanczos.leading(count)
    })
}

/// What of a vector leans on another one and is less than this part of it stays: T is what it would be without rounding where
/// vectors lean by no more than the root of rounding (Simon, Math Comp 42:115, 1984).
const LITTLE: f64 = 1e-10;
/// Vectors that are found may lean on one another by no more than this.
const UPRIGHT: f64 = 1e-6;
/// Where less than this part of a vector is left, rounding of what went leans on the others, and it goes a second time.
const MOSTLY_GONE: f64 = 0.1;

/// The iteration's state after some steps. Vectors are real columns, all real parts before all imaginary ones: their products
/// are real ones, which cost half.
struct Lanczos {
    product: GramProduct,
    /// The orthonormal vectors; one more than steps.
    vectors: Mat<f64>,
    /// Diagonal of the tridiagonal matrix that H·Hᴴ is in these vectors.
    diagonal: Vec<f64>,
    /// What stands beside it.
    beside: Vec<f64>,
    /// −i times the next vector.
    turned: Vec<f64>,
}

impl Lanczos {
    fn new(samples: &[Complex64], most: usize) -> Self {
        let rows = rows(samples);
        let mut vectors = Mat::zeros(2 * rows, most + 1);
        // A chirp has something of every exponential, and is the same on every machine.
        let size = (rows as f64).sqrt();
        for n in 0..rows {
            let z = Complex64::cis(0.61 * (n * n) as f64) / size;
            (vectors[(n, 0)], vectors[(rows + n, 0)]) = (z.re, z.im);
        }
        Self {
            product: GramProduct::new(samples),
            vectors,
            diagonal: Vec::new(),
            beside: Vec::new(),
            turned: vec![0.0; 2 * rows],
        }
    }

    /// Goes on until `steps` are done; `None` where the vectors span all there is, as without noise.
    fn run_to(&mut self, steps: usize) -> Option<()> {
        for step in self.diagonal.len()..steps {
            let (old, mut rest) = self.vectors.as_mut().split_at_col_mut(step + 1);
            let (old, next) = (old.rb(), slice(rest.rb_mut().col_mut(0))?);
            let last = old.col(step).try_as_col_major()?.as_slice();
            self.product.apply(last, next);
            // What the recurrence knows goes first: without it, the large products would hide the small ones.
            let own = last.iter().zip(&*next).map(|(a, b)| a * b).sum();
            subtract(next, own, last);
            if let Some(beside) = self.beside.last() {
                subtract(next, *beside, old.col(step - 1).try_as_col_major()?.as_slice());
            }
            self.diagonal.push(own);
            let mut size = norm(next);
            loop {
                let before = size;
                take_out(old, next, &mut self.turned);
                size = norm(next);
                let is_something = size.is_finite() && size > f64::EPSILON * self.diagonal[0].abs();
                if !is_something {
                    return None;
                }
                if size >= MOSTLY_GONE * before {
                    break;
                }
            }
            self.beside.push(size);
            next.iter_mut().for_each(|x| *x /= size);
        }
        Some(())
    }

    /// The leading vectors, or `None` where they are not found yet.
    fn leading(&self, count: usize) -> Option<Mat<c64>> {
        let steps = self.diagonal.len();
        let left = self.beside[steps - 1];
        let values = tridiagonal::eigenvalues(&self.diagonal, &self.beside)?;
        let mut inner = Mat::zeros(steps, count);
        // The smallest first: it decides.
        for k in (0..count).rev() {
            let (value, vector) = tridiagonal::eigenvector(&self.diagonal, &self.beside, values[k]);
            let is_found = (left * vector[steps - 1]).abs() <= FOUND * value.abs();
            if !is_found {
                return None;
            }
            slice(inner.col_mut(k))?.copy_from_slice(&vector);
        }
        if !is_orthogonal(inner.as_ref()) {
            return None;
        }
        let mut vectors = Mat::zeros(self.vectors.nrows(), count);
        let old = self.vectors.subcols(0, steps);
        matmul(vectors.as_mut(), Accum::Replace, old, inner.as_ref(), 1.0, Par::Seq);
        let rows = vectors.nrows() / 2;
        Some(Mat::from_fn(rows, count, |n, k| c64::new(vectors[(n, k)], vectors[(rows + n, k)])))
    }
}

/// Whether columns of length one stand upright on one another: eigenvalues that lie too close together may share a vector.
fn is_orthogonal(columns: MatRef<'_, f64>) -> bool {
    let products = columns.transpose() * columns;
    (0..products.ncols()).all(|k| (0..k).all(|j| products[(j, k)].abs() < UPRIGHT))
}

/// Makes `vector` orthogonal to those of `old` on which it leans; `turned` is room for another one.
fn take_out(old: MatRef<'_, f64>, vector: &mut [f64], turned: &mut [f64]) {
    let rows = vector.len() / 2;
    let little = LITTLE * norm(vector);
    // −i times the vector: its products are the imaginary parts.
    let (re, im) = vector.split_at(rows);
    turned[..rows].copy_from_slice(im);
    turned[rows..].iter_mut().zip(re).for_each(|(t, x)| *t = -x);
    let along_re = old.transpose() * ColRef::from_slice(vector);
    let along_im = old.transpose() * ColRef::from_slice(turned);
    // Vectors lean on the first ones, which span what is large.
    let leans = |k: &usize| along_re[*k].abs() > little || along_im[*k].abs() > little;
    let Some(last) = (0..old.ncols()).rev().find(leans) else { return };
    let old = old.subcols(0, last + 1);
    let by_re = old * along_re.subrows(0, last + 1);
    let by_im = old * along_im.subrows(0, last + 1);
    for n in 0..rows {
        vector[n] -= by_re[n] - by_im[rows + n];
        vector[rows + n] -= by_re[rows + n] + by_im[n];
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A column's values; columns of faer's matrices lie in one piece.
fn slice(column: ColMut<'_, f64>) -> Option<&mut [f64]> {
    Some(column.try_as_col_major_mut()?.as_slice_mut())
}

fn subtract(from: &mut [f64], times: f64, what: &[f64]) {
    from.iter_mut().zip(what).for_each(|(a, b)| *a -= b * times);
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

    /// The space of the vectors is what matters: its projector is the whole decomposition's. Without noise there are fewer
    /// vectors than wanted, and the whole decomposition serves.
    #[test]
    fn the_space_is_that_of_the_whole_decomposition() {
        for noise in [0.0, 1e-3, 0.1, 1.0, 10.0, 100.0] {
            let samples = samples(512, noise);
            let (all, values) = all_vectors(&samples).unwrap();
            // H·Hᴴ squares: ten million times below water, noise is rounding, and the whole decomposition serves.
            assert_eq!(by_iteration(&samples, 32).is_some(), noise >= 0.1, "noise {noise}");
            let got = leading_vectors(&samples, 32).unwrap();
            let wanted = all.subcols(0, 32);
            let products = got.adjoint() * &got;
            let leans = |j: usize, k: usize| products[(j, k)].norm() > 1e-6;
            assert!((0..32).all(|k| (0..k).all(|j| !leans(j, k))), "noise {noise}");
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
