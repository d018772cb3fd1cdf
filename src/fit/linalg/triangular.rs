//! Factors of symmetric matrices, and what is solved with them, for the hundred and fifty parameters of a fit.
//!
//! Four columns at a time, from which two others are taken off while they are in the registers: faer's routines, made for
//! larger matrices, take 1.7 times as long at this size, and four times for a single right-hand side.

use std::ops::Range;

use super::wide::wide;
use super::{NotPositiveDefinite, Scratch};

/// Columns that are changed at once, by two columns each time: more would need more registers than there are.
const TILE: usize = 4;
/// Sums that a product is added up in.
const SUMS: usize = 8;

/// Cholesky factor L of the lower triangle in `a`, in place.
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> Result<(), NotPositiveDefinite> {
    wide(
        #[inline(always)]
        || factor(a, n),
    )
}

/// Solves L·x = b in place for `columns` right-hand sides of length `n`.
pub(crate) fn solve_lower(l: &[f64], n: usize, b: &mut [f64], columns: usize) {
    wide(
        #[inline(always)]
        || solve_columns(l, n, 0, &mut b[..n * columns]),
    );
}

/// Solves Lᵀ·x = b in place for one right-hand side.
pub(crate) fn solve_lower_transposed(l: &[f64], n: usize, b: &mut [f64]) {
    wide(
        #[inline(always)]
        || {
            for k in (0..n).rev() {
                let column = &l[k * n..(k + 1) * n];
                b[k] = (b[k] - product(&column[k + 1..], &b[k + 1..n])) / column[k];
            }
        },
    );
}

/// Lower triangle of (L·Lᵀ)⁻¹; what is above it has no meaning.
pub(crate) fn inverse_from_factor(l: &[f64], n: usize, out: &mut [f64], scratch: &mut Scratch) {
    wide(
        #[inline(always)]
        || invert(l, n, &mut out[..n * n], &mut scratch.0[..n * n]),
    );
}

/// Columns in tiles: what all before have of a tile is taken off it, then the tile itself is factorised.
#[inline(always)]
fn factor(a: &mut [f64], n: usize) -> Result<(), NotPositiveDefinite> {
    for start in (0..n).step_by(TILE) {
        let width = TILE.min(n - start);
        let (before, rest) = a.split_at_mut(start * n);
        let tile = &mut rest[..width * n];
        for pair in before.chunks_exact(2 * n) {
            let (left, right) = pair.split_at(n);
            let factors = array(|t| if t < width { [left[start + t], right[start + t]] } else { [0.0; 2] });
            subtract_pair(tile, n, start..n, left, right, &factors);
        }
        for j in 0..width {
            let (done, rest) = tile.split_at_mut(j * n);
            let own = &mut rest[..n];
            for column in done.chunks_exact(n) {
                subtract(&mut own[start + j..], &column[start + j..], column[start + j]);
            }
            let pivot = own[start + j];
            // Not a number is not positive either.
            if !(pivot > 0.0 && pivot.is_finite()) {
                return Err(NotPositiveDefinite);
            }
            let root = pivot.sqrt();
            own[start + j..].iter_mut().for_each(|v| *v /= root);
            own[start + j] = root;
        }
    }
    Ok(())
}

/// Solves L·X = B in place, in tiles of right-hand sides that are zero before row `first`.
#[inline(always)]
fn solve_columns(l: &[f64], n: usize, first: usize, b: &mut [f64]) {
    for tile in b.chunks_mut((TILE * n).max(1)) {
        let width = tile.len() / n;
        for k in (first..n).step_by(2) {
            let left = &l[k * n..(k + 1) * n];
            if k + 1 == n {
                tile.chunks_exact_mut(n).for_each(|b| b[k] /= left[k]);
                break;
            }
            let right = &l[(k + 1) * n..(k + 2) * n];
            for b in tile.chunks_exact_mut(n) {
                b[k] /= left[k];
                b[k + 1] = (b[k + 1] - left[k + 1] * b[k]) / right[k + 1];
            }
            let factors = array(|t| if t < width { [tile[t * n + k], tile[t * n + k + 1]] } else { [0.0; 2] });
            subtract_pair(tile, n, k + 2..n, left, right, &factors);
        }
    }
}

/// U = L⁻ᵀ, column by column from those before it, then U·Uᵀ.
#[inline(always)]
fn invert(l: &[f64], n: usize, out: &mut [f64], upper: &mut [f64]) {
    upper.fill(0.0);
    for start in (0..n).step_by(TILE) {
        let width = TILE.min(n - start);
        let (before, rest) = upper.split_at_mut(start * n);
        let tile = &mut rest[..width * n];
        for (pair, columns) in before.chunks_exact(2 * n).enumerate() {
            let (k, (left, right)) = (2 * pair, columns.split_at(n));
            let factors =
                array(|t| if t < width { [l[k * n + start + t], l[(k + 1) * n + start + t]] } else { [0.0; 2] });
            subtract_pair(tile, n, 0..k + 2, left, right, &factors);
        }
        for t in 0..width {
            let j = start + t;
            let (done, rest) = tile.split_at_mut(t * n);
            let own = &mut rest[..=j];
            own[j] = 1.0;
            for (k, column) in (start..).zip(done.chunks_exact(n)) {
                subtract(&mut own[..=k], &column[..=k], l[k * n + j]);
            }
            let diagonal = l[j * n + j];
            own.iter_mut().for_each(|v| *v /= diagonal);
        }
    }
    out.fill(0.0);
    for (tile, columns) in out.chunks_mut((TILE * n).max(1)).enumerate() {
        let (start, width) = (tile * TILE, columns.len() / n);
        let mut pairs = upper[start * n..].chunks_exact(2 * n);
        for (pair, both) in pairs.by_ref().enumerate() {
            let (k, (left, right)) = (start + 2 * pair, both.split_at(n));
            let factors = array(|t| if t < width { [-left[start + t], -right[start + t]] } else { [0.0; 2] });
            subtract_pair(columns, n, start..k + 2, left, right, &factors);
        }
        let last = pairs.remainder();
        if !last.is_empty() {
            for (t, column) in columns.chunks_exact_mut(n).enumerate() {
                subtract(&mut column[start..], &last[start..], -last[start + t]);
            }
        }
    }
}

#[inline(always)]
fn array(of: impl FnMut(usize) -> [f64; 2]) -> [[f64; 2]; TILE] {
    std::array::from_fn(of)
}

/// Takes two columns off each column of a tile, each times its factor, in these rows.
#[inline(always)]
fn subtract_pair(
    tile: &mut [f64],
    n: usize,
    rows: Range<usize>,
    left: &[f64],
    right: &[f64],
    factors: &[[f64; 2]; TILE],
) {
    let count = rows.len();
    let (left, right) = (&left[rows.clone()][..count], &right[rows.clone()][..count]);
    if tile.len() < TILE * n {
        for (column, [f, g]) in tile.chunks_exact_mut(n).zip(factors) {
            let column = &mut column[rows.clone()][..count];
            for i in 0..count {
                column[i] -= left[i] * f + right[i] * g;
            }
        }
        return;
    }
    let (a, rest) = tile.split_at_mut(n);
    let (b, rest) = rest.split_at_mut(n);
    let (c, d) = rest.split_at_mut(n);
    let (a, b) = (&mut a[rows.clone()][..count], &mut b[rows.clone()][..count]);
    let (c, d) = (&mut c[rows.clone()][..count], &mut d[rows][..count]);
    for i in 0..count {
        a[i] -= left[i] * factors[0][0] + right[i] * factors[0][1];
        b[i] -= left[i] * factors[1][0] + right[i] * factors[1][1];
        c[i] -= left[i] * factors[2][0] + right[i] * factors[2][1];
        d[i] -= left[i] * factors[3][0] + right[i] * factors[3][1];
    }
}

#[inline(always)]
fn subtract(from: &mut [f64], column: &[f64], factor: f64) {
    from.iter_mut().zip(column).for_each(|(a, b)| *a -= b * factor);
}

/// Σ aᵢ·bᵢ, in several sums.
#[inline(always)]
fn product(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len();
    let b = &b[..n];
    let mut sums = [0.0; SUMS];
    let whole = n - n % SUMS;
    let mut i = 0;
    while i < whole {
        let (p, q) = (&a[i..i + SUMS], &b[i..i + SUMS]);
        for k in 0..SUMS {
            sums[k] += p[k] * q[k];
        }
        i += SUMS;
    }
    let mut sum = 0.0;
    for i in whole..n {
        sum += a[i] * b[i];
    }
    total(&sums) + sum
}

#[inline(always)]
fn total(sums: &[f64; SUMS]) -> f64 {
    (sums[0] + sums[4]) + (sums[1] + sums[5]) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit::linalg::symmetric;
    use crate::random::Random;

    /// A positive definite matrix, its lower triangle valid, what is above it not.
    fn matrix(n: usize) -> Vec<f64> {
        let mut random = Random::new(n as u64, 0);
        let a: Vec<f64> = (0..2 * n * n).map(|_| random.normal()).collect();
        let product = |i: usize, j: usize| (0..2 * n).map(|k| a[i * 2 * n + k] * a[j * 2 * n + k]).sum();
        (0..n * n).map(|at| if at % n >= at / n { product(at % n, at / n) } else { f64::NAN }).collect()
    }

    /// Every size up to where all parts of the tiles have had their turn, and one of a fit.
    #[test]
    fn factors_solutions_and_inverses_of_every_size_meet_their_definitions() {
        for n in (0..34).chain([145]) {
            let a = matrix(n);
            let mut l = a.clone();
            cholesky(&mut l, n).unwrap();
            let scale = 1e-12 * n as f64;
            for i in 0..n {
                for j in 0..=i {
                    let got: f64 = (0..=j).map(|k| l[k * n + i] * l[k * n + j]).sum();
                    assert!((got - a[j * n + i]).abs() < scale, "factor of {n}: {i}, {j}");
                }
            }
            for columns in [1, 3, 4, 6] {
                let wanted: Vec<f64> = (0..n * columns).map(|i| (i as f64).sin()).collect();
                let mut x = wanted.clone();
                solve_lower(&l, n, &mut x, columns);
                for (b, x) in wanted.chunks_exact(n.max(1)).zip(x.chunks_exact(n.max(1))) {
                    for i in 0..n {
                        let got: f64 = (0..=i).map(|k| l[k * n + i] * x[k]).sum();
                        assert!((got - b[i]).abs() < scale, "{columns} right-hand sides of {n}");
                    }
                }
            }
            let wanted: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
            let mut x = wanted.clone();
            solve_lower_transposed(&l, n, &mut x);
            for i in 0..n {
                let got: f64 = (i..n).map(|k| l[i * n + k] * x[k]).sum();
                assert!((got - wanted[i]).abs() < scale, "transposed of {n}");
            }
            let mut inverse = vec![f64::NAN; n * n];
            inverse_from_factor(&l, n, &mut inverse, &mut Scratch::for_size(n));
            for i in 0..n {
                for j in 0..n {
                    let got: f64 = (0..n).map(|k| symmetric(&a, n, i, k) * symmetric(&inverse, n, k, j)).sum();
                    assert!((got - f64::from(u8::from(i == j))).abs() < 1e-9, "inverse of {n}: {i}, {j}: {got}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for n in [1, 4, 5, 9] {
            for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                let mut a = matrix(n);
                a[n * n - 1] = bad;
                assert_eq!(cholesky(&mut a, n), Err(NotPositiveDefinite), "{n}, {bad}");
            }
        }
    }
}
