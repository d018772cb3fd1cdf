//! Dense symmetric algebra on column-major slices: thin, allocation-free calls into `faer`.
//!
//! Every symmetric matrix is stored with its lower triangle valid: element (i, j), i ≥ j, of an
//! n × n matrix is `a[j * n + i]`.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};

/// Scratch memory for the factorisations of matrices up to one size.
pub(crate) struct Scratch(MemBuffer);

impl Scratch {
    pub(crate) fn for_size(n: usize) -> Self {
        let cholesky = llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, faer::Spec::default());
        let inverse = llt::inverse::inverse_scratch::<f64>(n, Par::Seq);
        Self(MemBuffer::new(cholesky.or(inverse)))
    }
}

/// The matrix was not positive definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPositiveDefinite;

/// Lower triangle of AᵀA for a column-major `a` of `rows` × `n`.
pub(crate) fn gram<T: ComplexField>(a: &[T], rows: usize, n: usize, out: &mut [T]) {
    let a = MatRef::from_column_major_slice(&a[..rows * n], rows, n);
    matmul(
        MatMut::from_column_major_slice_mut(&mut out[..n * n], n, n),
        BlockStructure::TriangularLower,
        Accum::Replace,
        a.transpose(),
        BlockStructure::Rectangular,
        a,
        BlockStructure::Rectangular,
        T::one_impl(),
        Par::Seq,
    );
}

/// Aᵀx for a column-major `a` of `rows` × `n`.
pub(crate) fn transposed_times(a: &[f64], rows: usize, n: usize, x: &[f64], out: &mut [f64]) {
    faer::linalg::matmul::matmul(
        MatMut::from_column_major_slice_mut(&mut out[..n], n, 1),
        Accum::Replace,
        MatRef::from_column_major_slice(&a[..rows * n], rows, n).transpose(),
        MatRef::from_column_major_slice(&x[..rows], rows, 1),
        1.0,
        Par::Seq,
    );
}

/// Cholesky factor L of the lower triangle in `a`, in place.
pub(crate) fn cholesky(a: &mut [f64], n: usize, scratch: &mut Scratch) -> Result<(), NotPositiveDefinite> {
    llt::factor::cholesky_in_place(
        MatMut::from_column_major_slice_mut(&mut a[..n * n], n, n),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut scratch.0),
        faer::Spec::default(),
    )
    .map(|_| ())
    .map_err(|_| NotPositiveDefinite)
}

/// Solves L·x = b in place for `columns` right-hand sides of length `n`.
pub(crate) fn solve_lower(l: &[f64], n: usize, b: &mut [f64], columns: usize) {
    solve_lower_triangular_in_place(
        MatRef::from_column_major_slice(&l[..n * n], n, n),
        MatMut::from_column_major_slice_mut(&mut b[..n * columns], n, columns),
        Par::Seq,
    );
}

/// Solves Lᵀ·x = b in place for one right-hand side.
pub(crate) fn solve_lower_transposed(l: &[f64], n: usize, b: &mut [f64]) {
    solve_upper_triangular_in_place(
        MatRef::from_column_major_slice(&l[..n * n], n, n).transpose(),
        MatMut::from_column_major_slice_mut(&mut b[..n], n, 1),
        Par::Seq,
    );
}

/// Lower triangle of (L·Lᵀ)⁻¹.
pub(crate) fn inverse_from_factor(l: &[f64], n: usize, out: &mut [f64], scratch: &mut Scratch) {
    llt::inverse::inverse(
        MatMut::from_column_major_slice_mut(&mut out[..n * n], n, n),
        MatRef::from_column_major_slice(&l[..n * n], n, n),
        Par::Seq,
        MemStack::new(&mut scratch.0),
    );
}

/// Eigenvalues γ of G·x = γ·(L·Lᵀ)·x for the full symmetric matrix `g`, which is overwritten; `None` where they do not
/// converge.
pub(crate) fn eigenvalues_over_factor(g: &mut [f64], l: &[f64], n: usize) -> Option<Vec<f64>> {
    // L⁻¹·G, whose transpose is G·L⁻ᵀ; once more for L⁻¹·G·L⁻ᵀ.
    for _ in 0..2 {
        solve_lower(l, n, g, n);
        for i in 0..n {
            for j in 0..i {
                g.swap(i * n + j, j * n + i);
            }
        }
    }
    MatRef::from_column_major_slice(&g[..n * n], n, n).self_adjoint_eigenvalues(faer::Side::Lower).ok()
}

/// Element (i, j) of a symmetric matrix whose lower triangle is valid.
#[inline]
pub(crate) fn symmetric(a: &[f64], n: usize, i: usize, j: usize) -> f64 {
    if i >= j { a[j * n + i] } else { a[i * n + j] }
}

/// Adds `value` to element (i, j) of the lower triangle (once, also where i ≠ j).
#[inline]
pub(crate) fn add_symmetric(a: &mut [f64], n: usize, i: usize, j: usize, value: f64) {
    if i >= j {
        a[j * n + i] += value;
    } else {
        a[i * n + j] += value;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn factor_solve_and_invert_agree_with_the_definition() {
        let (rows, n) = (7, 4);
        let a: Vec<f64> = (0..rows * n).map(|i| ((i * 37 + 11) % 17) as f64 - 8.0).collect();
        let mut g = vec![0.0; n * n];
        gram(&a, rows, n, &mut g);
        for i in 0..n {
            for j in 0..=i {
                let direct: f64 = (0..rows).map(|r| a[i * rows + r] * a[j * rows + r]).sum();
                assert!((symmetric(&g, n, j, i) - direct).abs() < 1e-12);
            }
        }
        let mut scratch = Scratch::for_size(n);
        let mut l = g.clone();
        cholesky(&mut l, n, &mut scratch).unwrap();
        let mut x = vec![1.0, -2.0, 0.5, 3.0];
        let b = x.clone();
        solve_lower(&l, n, &mut x, 1);
        solve_lower_transposed(&l, n, &mut x);
        for i in 0..n {
            let got: f64 = (0..n).map(|j| symmetric(&g, n, i, j) * x[j]).sum();
            assert!((got - b[i]).abs() < 1e-9);
        }
        let mut inverse = vec![0.0; n * n];
        inverse_from_factor(&l, n, &mut inverse, &mut scratch);
        for i in 0..n {
            for j in 0..n {
                let got: f64 = (0..n).map(|k| symmetric(&g, n, i, k) * symmetric(&inverse, n, k, j)).sum();
                assert!((got - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
        let mut indefinite = vec![1.0, 2.0, 2.0, 1.0];
        assert_eq!(cholesky(&mut indefinite, 2, &mut scratch), Err(NotPositiveDefinite));
    }
}
