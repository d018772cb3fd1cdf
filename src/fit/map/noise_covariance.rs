//! What noise alone does to amplitudes: their covariance without the priors that tie them together.

use super::model::Model;
use super::normal::{DataNormal, Weights};
use super::pinned::pin;
use super::report_scratch::{ReportScratch, Solution};
use crate::fit::linalg;

/// Part of itself that is added to the amplitudes' diagonal where no priors hold them. Rounding makes anything, or no positive
/// definite system, of what data do not tell: so its error is some 3·10⁴ times that of one amplitude alone. On 374 spectra (`voigt`,
/// `hard`, `shift`, `skew`, `mm-varied`, the challenge) no error changes by more than 1e-4 of itself from 1e-11 to 1e-8; 1e-7
/// takes up to 1e-3.
const RIDGE: f64 = 1e-9;

/// Covariance of the amplitudes in measured noise, without rows between them, into `scratch.noise` (lower triangle). What the data
/// alone do not tell costs no fit, which priors hold: its error is huge.
///
/// With the amplitudes eliminated last, the end of the Cholesky factor is that of their own system: only this is inverted.
pub(super) fn noise_covariance(
    model: &Model,
    solution: &Solution<'_>,
    normal: &DataNormal,
    scratch: &mut ReportScratch,
    algebra: &mut linalg::Scratch,
) -> Result<(), linalg::NotPositiveDefinite> {
    let (m, k_all) = (model.layout.len(), model.layout.n_components);
    let weights = Weights {
        variance: solution.noise_variance,
        lambda: solution.weights.lambda,
        rows: Vec::new(),
        volume: [0.0; 2],
        kernel_share: solution.weights.kernel_share,
    };
    let ReportScratch { h, g, turned, noise, .. } = scratch;
    normal.penalised(model, solution.x, &weights, h, g);
    pin(model, m, h, g);
    (0..k_all).for_each(|i| h[i * m + i] *= 1.0 + RIDGE);
    turn(h, m, turned);
    linalg::cholesky(turned, m)?;
    let first = m - k_all;
    let own: Vec<f64> = turned.chunks_exact(m).skip(first).flat_map(|column| &column[first..]).copied().collect();
    let mut inverse = vec![0.0; k_all * k_all];
    linalg::inverse_from_factor(&own, k_all, &mut inverse, algebra);
    turn(&inverse, k_all, noise);
    Ok(())
}

/// The lower triangle of a symmetric matrix of size `n`, its rows and columns from the last to the first.
fn turn(from: &[f64], n: usize, to: &mut [f64]) {
    for column in 0..n {
        for row in column..n {
            to[(n - 1 - row) * n + n - 1 - column] = from[column * n + row];
        }
    }
}
