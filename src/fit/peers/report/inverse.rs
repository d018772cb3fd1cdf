//! Inverses of the normal equations at a solution.

use super::super::bounded::Singular;
use crate::fit::linalg::{self, symmetric};

/// Added to the diagonal (relative), one after the other, until the matrix can be factorised.
const RIDGES: [f64; 3] = [0.0, 1e-12, 1e-9];

/// Inverse of a symmetric matrix on some of its indices; zero elsewhere.
pub(super) struct Inverse {
    place: Vec<Option<usize>>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

impl Inverse {
    /// Of the `n` × `n` matrix `h` on `indices`.
    pub(super) fn new(h: &[f64], n: usize, indices: &[usize]) -> Result<Self, Singular> {
        let m = indices.len();
        let scale: Vec<f64> = indices.iter().map(|&i| 1.0 / h[i * n + i].max(f64::MIN_POSITIVE).sqrt()).collect();
        let mut scratch = linalg::Scratch::for_size(m.max(1));
        let mut values = vec![0.0; m * m];
        let factorised = RIDGES.into_iter().find_map(|ridge| {
            let mut sub = vec![0.0; m * m];
            for (a, &i) in indices.iter().enumerate() {
                for (b, &j) in indices.iter().enumerate() {
                    sub[a * m + b] = h[i * n + j] * scale[a] * scale[b];
                }
                sub[a * m + a] += ridge;
            }
            linalg::cholesky(&mut sub, m).ok().map(|()| sub)
        });
        let factor = factorised.ok_or(Singular)?;
        linalg::inverse_from_factor(&factor, m, &mut values, &mut scratch);
        for a in 0..m {
            for b in 0..m {
                values[a * m + b] *= scale[a] * scale[b];
            }
        }
        let mut place = vec![None; n];
        for (a, &i) in indices.iter().enumerate() {
            place[i] = Some(a);
        }
        Ok(Self { place, indices: indices.to_vec(), values })
    }

    /// Element (i, j).
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        match (self.place[i], self.place[j]) {
            (Some(a), Some(b)) => symmetric(&self.values, self.indices.len(), a, b),
            _ => 0.0,
        }
    }

    /// The product with `g`.
    pub(super) fn times(&self, g: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.place.len()];
        let m = self.indices.len();
        for (a, &i) in self.indices.iter().enumerate() {
            out[i] = self.indices.iter().enumerate().map(|(b, &j)| symmetric(&self.values, m, a, b) * g[j]).sum();
        }
        out
    }
}
