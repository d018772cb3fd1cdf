//! Factors of symmetric matrices, and what is solved with them, for the hundred and fifty parameters of a fit.
//!
//! Four columns at a time, two registers of rows of them while all columns before are gone through: faer's routines are made
//! for larger matrices.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::wide::wide;
use super::{NotPositiveDefinite, Scratch};

/// Columns that are changed at once: with two registers of rows, the sums that AVX2 holds beside what they are made of.
const TILE: usize = 4;
/// Sums that a product is added up in.
const SUMS: usize = 8;

/// Cholesky factor L of the lower triangle in `a`, in place.
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> Result<(), NotPositiveDefinite> {
    struct Factor<'a>(&'a mut [f64], usize);
    impl WithSimd for Factor<'_> {
        type Output = Result<(), NotPositiveDefinite>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            factor(simd, self.0, self.1)
        }
    }
    Arch::new().dispatch(Factor(a, n))
}

/// Solves L·x = b in place for `columns` right-hand sides of length `n`.
pub(crate) fn solve_lower(l: &[f64], n: usize, b: &mut [f64], columns: usize) {
    Arch::new().dispatch(Solve { l, n, b: &mut b[..n * columns], below_diagonal: false });
}

/// The same where column j of the right-hand sides is zero before row j.
pub(crate) fn solve_lower_below_diagonal(l: &[f64], n: usize, b: &mut [f64], columns: usize) {
    Arch::new().dispatch(Solve { l, n, b: &mut b[..n * columns], below_diagonal: true });
}

struct Solve<'a> {
    l: &'a [f64],
    n: usize,
    b: &'a mut [f64],
    below_diagonal: bool,
}

impl WithSimd for Solve<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut solved = Vec::with_capacity(self.n);
        for (tile, b) in self.b.chunks_mut((TILE * self.n).max(1)).enumerate() {
            let first = if self.below_diagonal { TILE * tile } else { 0 };
            solve_tile(simd, self.l, self.n, first, &mut solved, b);
        }
    }
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
    struct Invert<'a>(&'a [f64], usize, &'a mut [f64], &'a mut [f64]);
    impl WithSimd for Invert<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            invert(simd, self.0, self.1, self.2, self.3);
        }
    }
    Arch::new().dispatch(Invert(l, n, &mut out[..n * n], &mut scratch.0[..n * n]));
}

/// Columns in tiles: what all before have of a tile is taken off it, then the tile itself is factorised.
#[inline(always)]
fn factor<S: Simd>(simd: S, a: &mut [f64], n: usize) -> Result<(), NotPositiveDefinite> {
    let mut packed = Vec::with_capacity(n);
    for start in (0..n).step_by(TILE) {
        let width = TILE.min(n - start);
        let (before, rest) = a.split_at_mut(start * n);
        let tile = &mut rest[..width * n];
        pack(before, n, start, 1.0, &mut packed);
        subtract_products(simd, before, n, whole_registers::<S>(start, n)..n, Count::All, &packed, tile);
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
            scale(&mut own[start + j..], root.recip());
            own[start + j] = root;
        }
    }
    Ok(())
}

/// Solves L·X = B in place for up to a tile of right-hand sides that are zero before row `first`.
#[inline(always)]
fn solve_tile<S: Simd>(simd: S, l: &[f64], n: usize, first: usize, solved: &mut Vec<[f64; TILE]>, b: &mut [f64]) {
    if b.len() < TILE * n {
        for b in b.chunks_exact_mut(n) {
            for k in first..n {
                let column = &l[k * n..(k + 1) * n];
                b[k] /= column[k];
                let x = b[k];
                subtract(&mut b[k + 1..], &column[k + 1..], x);
            }
        }
        return;
    }
    solved.clear();
    let mut row = first;
    while row < n {
        let end = (row + 2 * S::F64_LANES).min(n);
        subtract_products(simd, &l[first * n..], n, row..end, Count::All, solved, b);
        for k in row..end {
            let column = &l[k * n..k * n + end];
            let by = column[k].recip();
            let mut x = [0.0; TILE];
            for (x, b) in x.iter_mut().zip(b.chunks_exact_mut(n)) {
                *x = b[k] * by;
                b[k] = *x;
                for i in k + 1..end {
                    b[i] -= column[i] * *x;
                }
            }
            solved.push(x);
        }
        row = end;
    }
}

/// U = L⁻ᵀ, column by column from those before it, then U·Uᵀ.
#[inline(always)]
fn invert<S: Simd>(simd: S, l: &[f64], n: usize, out: &mut [f64], upper: &mut [f64]) {
    upper.fill(0.0);
    let mut packed = Vec::with_capacity(n);
    for start in (0..n).step_by(TILE) {
        let width = TILE.min(n - start);
        let (before, rest) = upper.split_at_mut(start * n);
        let tile = &mut rest[..width * n];
        pack(&l[..start * n], n, start, 1.0, &mut packed);
        subtract_products(simd, before, n, 0..start, Count::FromRow, &packed, tile);
        for t in 0..width {
            let j = start + t;
            let (done, rest) = tile.split_at_mut(t * n);
            let own = &mut rest[..=j];
            own[j] = 1.0;
            for (k, column) in (start..).zip(done.chunks_exact(n)) {
                subtract(&mut own[..=k], &column[..=k], l[k * n + j]);
            }
            scale(own, l[j * n + j].recip());
        }
    }
    out.fill(0.0);
    for (tile, columns) in out.chunks_mut((TILE * n).max(1)).enumerate() {
        let start = tile * TILE;
        pack(upper, n, start, -1.0, &mut packed);
        subtract_products(simd, upper, n, whole_registers::<S>(start, n)..n, Count::FromRow, &packed, columns);
    }
}

/// The rows from `start` on of each column of `a`, one tile of them, times `sign`: what its columns are multiplied by.
#[inline(always)]
fn pack(a: &[f64], n: usize, start: usize, sign: f64, packed: &mut Vec<[f64; TILE]>) {
    packed.clear();
    for column in a.chunks_exact(n) {
        let mut own = [0.0; TILE];
        own.iter_mut().zip(&column[start..]).for_each(|(own, v)| *own = sign * v);
        packed.push(own);
    }
}

/// The last row up to `start` from which registers are full down to row `n`: what lies above `start` has no meaning.
#[inline(always)]
fn whole_registers<S: Simd>(start: usize, n: usize) -> usize {
    n.checked_sub((n - start).next_multiple_of(2 * S::F64_LANES)).unwrap_or(start)
}

/// Which columns count for a block of rows.
#[derive(Clone, Copy)]
enum Count {
    All,
    /// Those from the number of its first row on: the others are zero there.
    FromRow,
}

/// Takes Σ_k a_k·factors\[k\]\[t\] over the columns that count off column t of a tile, in these rows.
#[inline(always)]
fn subtract_products<S: Simd>(
    simd: S,
    a: &[f64],
    n: usize,
    rows: Range<usize>,
    count: Count,
    factors: &[[f64; TILE]],
    tile: &mut [f64],
) {
    let mut row = rows.start;
    while row < rows.end {
        let first = if let Count::FromRow = count { row } else { 0 };
        let (a, factors) = (&a[first * n..], &factors[first..]);
        if row + 2 * S::F64_LANES <= rows.end {
            subtract_two(simd, a, n, row, factors, tile);
            row += 2 * S::F64_LANES;
        } else {
            let end = (row + S::F64_LANES).min(rows.end);
            subtract_some(simd, a, n, row..end, factors, tile);
            row = end;
        }
    }
}

/// The same for two registers of rows from `row` on.
#[inline(always)]
fn subtract_two<S: Simd>(simd: S, a: &[f64], n: usize, row: usize, factors: &[[f64; TILE]], tile: &mut [f64]) {
    let rows = row..row + 2 * S::F64_LANES;
    let mut sums = [[simd.splat_f64s(0.0); 2]; TILE];
    for (column, factors) in a.chunks_exact(n).zip(factors) {
        let (column, _) = S::as_simd_f64s(&column[rows.clone()]);
        let (upper, lower) = (column[0], column[1]);
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f64s(*factor);
            sums[0] = simd.mul_add_f64s(upper, factor, sums[0]);
            sums[1] = simd.mul_add_f64s(lower, factor, sums[1]);
        }
    }
    for (sums, column) in sums.iter().zip(tile.chunks_exact_mut(n)) {
        let (column, _) = S::as_mut_simd_f64s(&mut column[rows.clone()]);
        for (value, sum) in column.iter_mut().zip(sums) {
            *value = simd.sub_f64s(*value, *sum);
        }
    }
}

/// The same for no more rows than a register has.
#[inline(always)]
fn subtract_some<S: Simd>(simd: S, a: &[f64], n: usize, rows: Range<usize>, factors: &[[f64; TILE]], tile: &mut [f64]) {
    let mut sums = [simd.splat_f64s(0.0); TILE];
    for (column, factors) in a.chunks_exact(n).zip(factors) {
        let column = simd.partial_load_f64s(&column[rows.clone()]);
        for (sum, factor) in sums.iter_mut().zip(factors) {
            *sum = simd.mul_add_f64s(column, simd.splat_f64s(*factor), *sum);
        }
    }
    for (sum, column) in sums.iter().zip(tile.chunks_exact_mut(n)) {
        let column = &mut column[rows.clone()];
        let value = simd.partial_load_f64s(column);
        simd.partial_store_f64s(column, simd.sub_f64s(value, *sum));
    }
}

#[inline(always)]
fn subtract(from: &mut [f64], column: &[f64], factor: f64) {
    from.iter_mut().zip(column).for_each(|(a, b)| *a -= b * factor);
}

#[inline(always)]
fn scale(values: &mut [f64], factor: f64) {
    values.iter_mut().for_each(|v| *v *= factor);
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
            let columns = n.saturating_sub(2);
            let below = |at: usize| if at % n < at / n { 0.0 } else { (at as f64).sin() };
            let mut x: Vec<f64> = (0..n * columns).map(below).collect();
            let mut wanted = x.clone();
            solve_lower(&l, n, &mut wanted, columns);
            solve_lower_below_diagonal(&l, n, &mut x, columns);
            assert!(x.iter().zip(&wanted).all(|(x, wanted)| (x - wanted).abs() < scale), "below the diagonal of {n}");
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
