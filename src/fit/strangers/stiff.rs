//! The part of a spectrum that a stiff baseline explains, and how much of a line that is.

use super::thresholds::STIFF_SPLINES_PER_PPM;
use crate::fit::baseline::{Baseline, ORDER};
use crate::fit::linalg::{Scratch, cholesky, inverse_from_factor, symmetric};

/// Keeps the normal matrix positive definite where a spline has hardly a bin of its own.
const RIDGE: f64 = 1e-9;

/// Least squares with few splines.
pub(super) struct Stiff {
    splines: Baseline,
    /// (BᵀB)⁻¹.
    inverse: Vec<f64>,
}

impl Stiff {
    /// For bins at `ppm` (falling); `None` where there are too few of them.
    pub(super) fn new(ppm: &[f64]) -> Option<Self> {
        let splines = Baseline::new(ppm, STIFF_SPLINES_PER_PPM);
        let n = splines.n_splines;
        if n == 0 || ppm.len() < 4 * n {
            return None;
        }
        let mut factor = splines.gram.clone();
        let largest = (0..n).map(|i| factor[i * n + i]).fold(0.0, f64::max);
        (0..n).for_each(|i| factor[i * n + i] += RIDGE * largest);
        let (mut inverse, mut scratch) = (vec![0.0; n * n], Scratch::for_size(n));
        cholesky(&mut factor, n).ok()?;
        inverse_from_factor(&factor, n, &mut inverse, &mut scratch);
        Some(Self { splines, inverse })
    }

    /// `values` without what the splines explain.
    pub(super) fn rest(&self, values: &[f64]) -> Vec<f64> {
        let n = self.splines.n_splines;
        let mut projected = vec![0.0; n];
        self.splines.project(values, &mut projected);
        let coefficients: Vec<f64> =
            (0..n).map(|i| -(0..n).map(|j| symmetric(&self.inverse, n, i, j) * projected[j]).sum::<f64>()).collect();
        let mut rest = values.to_vec();
        self.splines.add_to(&coefficients, &mut rest);
        rest
    }

    /// Sum of squares of a line that begins at bin `first`, without what the splines explain of it.
    pub(super) fn rest_of_line(&self, first: usize, line: impl Iterator<Item = f64>) -> f64 {
        let n = self.splines.n_splines;
        let mut projected = vec![0.0; n];
        let (mut squares, mut last) = (0.0, 0);
        for (p, height) in (first..).zip(line) {
            squares += height * height;
            let spline = self.splines.first[p];
            for (sum, value) in projected[spline..spline + ORDER].iter_mut().zip(self.splines.values[p]) {
                *sum += value * height;
            }
            last = spline + ORDER;
        }
        let begin = self.splines.first.get(first).copied().unwrap_or_default();
        let mut explained = 0.0;
        for i in begin..last {
            for j in begin..last {
                explained += projected[i] * projected[j] * symmetric(&self.inverse, n, i, j);
            }
        }
        squares - explained
    }

    /// The splines one by one.
    pub(super) fn columns(&self) -> Vec<Vec<f64>> {
        let n = self.splines.n_splines;
        let mut columns = vec![vec![0.0; self.splines.first.len()]; n];
        for (p, (&first, values)) in self.splines.first.iter().zip(&self.splines.values).enumerate() {
            for (column, value) in columns[first..first + ORDER].iter_mut().zip(values) {
                column[p] = *value;
            }
        }
        columns
    }
}
