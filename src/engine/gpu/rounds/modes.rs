//! The Demmler–Reinsch modes of the baseline: coefficients in which the data see each mode alike and the penalty
//! each on its own.
//!
//! Splines carry a stiff baseline badly in f32: λ·D₂ᵀD₂ swamps what the data say of its level and slope. In the
//! modes BᵀB is the unit matrix and D₂ᵀD₂ diagonal (Demmler & Reinsch 1975, <https://doi.org/10.1007/BF01437407>),
//! with two exact zeros for level and slope.

use faer::{Mat, Side};
use ndarray::Array2;

use crate::fit::baseline::Baseline;

/// Weight, relative to the mean of BᵀB, that keeps splines which no bin sees finite.
const RIDGE: f64 = 1e-9;
/// Roughness below this part of the largest is none.
const NO_ROUGHNESS: f64 = 1e-12;

/// Modes of a baseline.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    /// Spline coefficients of each mode, `[spline × mode]`.
    pub(super) matrix: Array2<f64>,
    /// |D₂b|² of each mode.
    pub(super) roughness: Vec<f64>,
}

impl Modes {
    pub(super) fn new(baseline: &Baseline) -> Self {
        let nb = baseline.n_splines;
        let full = |lower: &[f64]| Mat::from_fn(nb, nb, |i, j| lower[i.min(j) * nb + i.max(j)]);
        let trace: f64 = (0..nb).map(|i| baseline.gram[i * nb + i]).sum();
        let ridge = RIDGE * trace / nb.max(1) as f64;
        let gram = full(&baseline.gram) + Mat::from_fn(nb, nb, |i, j| if i == j { ridge } else { 0.0 });
        let none = Self { matrix: Array2::eye(nb), roughness: vec![0.0; nb] };
        if nb == 0 {
            return none;
        }
        // BᵀB = C·Cᵀ; the eigenvectors U of C⁻¹·D₂ᵀD₂·C⁻ᵀ give the modes C⁻ᵀ·U. Neither step fails: the ridge
        // makes BᵀB definite, and a symmetric finite matrix has eigenvectors.
        let Ok(cholesky) = gram.llt(Side::Lower) else { return none };
        let mut inner = full(&baseline.penalty);
        let l = cholesky.L();
        l.solve_lower_triangular_in_place(&mut inner);
        let mut inner = inner.transpose().to_owned();
        l.solve_lower_triangular_in_place(&mut inner);
        let Ok(eigen) = inner.self_adjoint_eigen(Side::Lower) else { return none };
        let mut matrix = eigen.U().to_owned();
        l.transpose().solve_upper_triangular_in_place(&mut matrix);
        let values = eigen.S().column_vector();
        let largest = (0..nb).map(|j| values[j]).fold(0.0, f64::max);
        let roughness = (0..nb).map(|j| if values[j] > NO_ROUGHNESS * largest { values[j] } else { 0.0 }).collect();
        Self { matrix: Array2::from_shape_fn((nb, nb), |(i, j)| matrix[(i, j)]), roughness }
    }

    /// Spline coefficients of a baseline given by its modes.
    pub(super) fn coefficients(&self, modes: &[f64]) -> Vec<f64> {
        self.matrix.outer_iter().map(|row| row.iter().zip(modes).map(|(a, b)| a * b).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_see_modes_alike_and_the_penalty_each_on_its_own() {
        let ppm: Vec<f64> = (0..500).map(|p| 4.2 - 4.0 * f64::from(p) / 499.0).collect();
        let baseline = Baseline::new(&ppm, 15.0);
        let (nb, modes) = (baseline.n_splines, Modes::new(&baseline));
        let symmetric = |a: &[f64], i: usize, j: usize| a[i.min(j) * nb + i.max(j)];
        let form = |a: &[f64], p: usize, q: usize| -> f64 {
            (0..nb)
                .flat_map(|i| (0..nb).map(move |j| (i, j)))
                .map(|(i, j)| modes.matrix[(i, p)] * symmetric(a, i, j) * modes.matrix[(j, q)])
                .sum()
        };
        let largest = modes.roughness.iter().copied().fold(0.0, f64::max);
        for p in 0..nb {
            for q in 0..nb {
                let unit = if p == q { 1.0 } else { 0.0 };
                assert!((form(&baseline.gram, p, q) - unit).abs() < 1e-6, "BᵀB of {p}, {q}");
                let rough = form(&baseline.penalty, p, q) - unit * modes.roughness[p];
                assert!(rough.abs() < 1e-9 * largest, "D₂ᵀD₂ of {p}, {q}: {rough}");
            }
        }
        assert_eq!(modes.roughness.iter().filter(|r| **r == 0.0).count(), 2, "level and slope");
    }
}
