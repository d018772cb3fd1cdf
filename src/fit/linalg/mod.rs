//! Dense symmetric algebra on column-major slices, without allocation: products by `faer`, factors by [`triangular`].
//!
//! Every symmetric matrix is stored with its lower triangle valid: element (i, j), i ≥ j, of an
//! n × n matrix is `a[j * n + i]`.

mod triangular;
mod wide;

use std::ops::Range;

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::prelude::ReborrowMut as _;
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};

pub(crate) use triangular::{
    cholesky, inverse_from_factor, solve_lower, solve_lower_below_diagonal, solve_lower_transposed,
};
pub(crate) use wide::wide;

/// Scratch memory for the inverses of matrices up to one size.
pub(crate) struct Scratch(Vec<f64>);

impl Scratch {
    pub(crate) fn for_size(n: usize) -> Self {
        Self(vec![0.0; n * n])
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

/// AᵀB for column-major `a` and `b` of `rows` rows each, where each group of columns of `a` is zero beyond its own rows:
/// `groups` has the columns and the rows of each, one group after the other.
pub(crate) fn products_in_groups<T: ComplexField>(
    a: &[T],
    b: &[T],
    rows: usize,
    groups: &[(Range<usize>, Range<usize>)],
    out: &mut [T],
) {
    let (n_a, n_b) = (a.len() / rows.max(1), b.len() / rows.max(1));
    let [a, b] = [(a, n_a), (b, n_b)].map(|(m, n)| MatRef::from_column_major_slice(&m[..rows * n], rows, n));
    let mut out = MatMut::from_column_major_slice_mut(&mut out[..n_a * n_b], n_a, n_b);
    for (columns, own) in groups {
        faer::linalg::matmul::matmul(
            out.rb_mut().subrows_mut(columns.start, columns.len()),
            Accum::Replace,
            a.submatrix(own.start, columns.start, own.len(), columns.len()).transpose(),
            b.subrows(own.start, own.len()),
            T::one_impl(),
            Par::Seq,
        );
    }
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
        cholesky(&mut l, n).unwrap();
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
        assert_eq!(cholesky(&mut indefinite, 2), Err(NotPositiveDefinite));
    }
}
