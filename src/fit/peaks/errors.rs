//! What the noise of the samples makes of amplitudes.

use num_complex::Complex64;

use super::solver::{Solution, Weighted, inverse};
use super::target::Target;
use crate::fit::linalg::NotPositiveDefinite;
use crate::fit::start::ShiftPhase;

/// Errors at a solution, for white noise of the samples.
///
/// Broadening and zero-filling correlate the points of the window, and weights are not the inverse of anything's variance:
/// the estimate is carried back to the samples, x = Re Σ h_n·e_n, where noise is white.
pub(super) struct Errors {
    /// h of each component's area.
    pub(super) sensitivities: Vec<Vec<Complex64>>,
    /// Expected weighted sum of squares over the variance of a sample's real part.
    pub(super) expected_rss: f64,
}

impl Errors {
    pub(super) fn new(
        target: &Target,
        y: &[f64],
        pose: ShiftPhase,
        solution: &Solution,
    ) -> Result<Self, NotPositiveDefinite> {
        let (rows, n_linear) = (target.n_rows(), target.n_linear());
        let bounds = target.bounds();
        let n = n_linear + bounds.len();
        let weighted = Weighted::new(target, y, &solution.p, &solution.c);
        let h = weighted.gram(n);
        let moves = |i: usize| {
            let Some(j) = i.checked_sub(n_linear) else { return true };
            h[i * n + i] > 0.0 && bounds[j][0] < solution.p[j] && solution.p[j] < bounds[j][1]
        };
        let free: Vec<usize> = (0..n).filter(|&i| moves(i)).collect();
        let m = free.len();
        let inverse = inverse(&h, n, &free)?;
        // Each column as samples.
        let roots: Vec<f64> = target.weights.iter().map(|w| w.sqrt()).collect();
        let columns: Vec<Vec<Complex64>> = free
            .iter()
            .map(|&i| {
                let column = &weighted.jacobian[i * rows..(i + 1) * rows];
                let g: Vec<f64> = column.iter().zip(&roots).map(|(v, root)| v * root).collect();
                target.window.sensitivity(&g, pose)
            })
            .collect();
        let taken: f64 = (0..m * m).map(|k| inverse[k] * product(&columns[k % m], &columns[k / m])).sum();
        let all: f64 = target.weights.iter().sum::<f64>() * target.window.point_variance();
        // The areas are the first of the parameters and always free.
        let sensitivities = (0..target.components.len())
            .map(|component| {
                let own = target.peaks.iter().enumerate().filter(|(_, p)| p.component == component);
                let mut sum = vec![Complex64::default(); target.window.n_points];
                for (k, _) in own {
                    for (j, column) in columns.iter().enumerate() {
                        let weight = inverse[k * m + j];
                        sum.iter_mut().zip(column).for_each(|(s, z)| *s += z * weight);
                    }
                }
                sum
            })
            .collect();
        Ok(Self { sensitivities, expected_rss: all - taken })
    }
}

/// Covariance of two estimates over the variance of a sample's real part.
pub(super) fn product(a: &[Complex64], b: &[Complex64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.re * b.re + a.im * b.im).sum()
}
