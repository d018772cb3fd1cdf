//! The λ of a P-spline from an effective dimension or from the modified AIC, by ABfit's stages (Wilson 2021): what
//! components share is fitted to part of the window with a stiff baseline; with that, λ is chosen over all of it; then the
//! fit itself frees what each component has for itself.

use std::ops::Range;

use num_complex::Complex64;

use super::bounded::Singular;
use super::lineshape::Shape;
use super::model::Model;
use super::objective::{Objective, Weights};
use super::problem::Problem;
use super::search::{MOST_TURNS, TURNED_RAD};
use super::settings::{Baseline, Smoothness};
use super::setup::pose_with;
use super::solution::Setup;
use super::solver::{Options, minimise};
use crate::fit::linalg;

/// Part of the window (ppm) of the first stage, effective dimension per ppm of its baseline, and its tolerance.
const COARSE_PPM: [f64; 2] = [1.8, 4.0];
const COARSE_ED_PER_PPM: f64 = 1.0;
const COARSE_TOLERANCE: f64 = 1e-4;
/// Part of its height that a component must reach there to be fitted: flanks alone can be of any amplitude, and out of
/// phase they make a baseline.
const SEEN: f64 = 0.05;

/// Range of λ that is searched, relative to the mean diagonal of BᵀB.
const RANGE: [f64; 2] = [1e-8, 1e12];

/// Chooses λ, and the splines' density, where the method has a P-spline; turns `data` by the phase of the first stage.
/// Returns where that ended for the parameters that components share; for other baselines none.
pub(super) fn smoothen(
    model: &Model,
    data: &mut Vec<Complex64>,
    setup: &mut Setup,
    weights: &mut Weights,
) -> Result<Vec<f64>, Singular> {
    let Baseline::PSpline { per_ed, .. } = model.settings.baseline else { return Ok(Vec::new()) };
    let all = (0..model.components.len()).collect();
    let mut whole = pose_with(model, &model.grid, std::mem::take(data), setup, all, false);
    let shared = share(&mut whole, setup, weights)?;
    let mut objective = Objective::new(&whole);
    let dimension = Dimension::new(&whole)?;
    weights.lambda = dimension.choose(&whole, &mut objective, weights, &shared)?;
    *data = whole.data;
    if per_ed > 0.0 {
        let chosen = dimension.of(weights.lambda);
        setup.splines_per_ppm = per_ed * chosen / dimension.range_ppm;
        let again = pose_with(model, &model.grid, Vec::new(), setup, Vec::new(), false);
        weights.lambda = Dimension::new(&again)?.lambda_of(chosen);
    }
    Ok(shared)
}

/// The first stage: phase, shift and width of part of the window with a stiff baseline. Turns the data of `whole` by the
/// phase until none is left.
fn share(whole: &mut Problem<'_>, setup: &mut Setup, weights: &Weights) -> Result<Vec<f64>, Singular> {
    let (model, grid) = (whole.model, whole.grid);
    let (part, first) = grid.part(COARSE_PPM).unwrap_or_else(|| (grid.clone(), 0));
    let seen = first..first + part.n_observed;
    let mut shared = whole.layout.start();
    let members = seen_in(Objective::new(whole).columns(whole, &shared), whole, seen.clone());
    let mut coarse = pose_with(model, &part, whole.data[seen.clone()].to_vec(), setup, members, false);
    if let Shape::Asymmetric(_) = coarse.shape {
        // As yet the line is symmetric.
        coarse.layout.parameters[1].is_fixed = true;
    }
    let mut objective = Objective::new(&coarse);
    let lambda = Dimension::new(&coarse)?.lambda_of_ed_per_ppm(COARSE_ED_PER_PPM);
    let mut stiff = Weights { lambda, ..weights.clone() };
    let options = Options {
        max_iterations: model.settings.solver.max_iterations,
        tolerance: COARSE_TOLERANCE,
        try_undamped: false,
        follow_sigma: weights.sigma == 0.0,
    };
    for _ in 0..MOST_TURNS {
        shared = minimise(&coarse, &mut objective, &mut stiff, &shared, options)?.p;
        let phi0 = std::mem::take(&mut shared[coarse.layout.phi0()]);
        whole.rephase(phi0, 0.0);
        setup.turned[0] += phi0;
        if phi0.abs() < TURNED_RAD {
            break;
        }
        coarse.data.copy_from_slice(&whole.data[seen.clone()]);
        objective.refresh(&coarse);
    }
    Ok(shared)
}

/// Members whose columns reach a part of the window with more than their flanks.
fn seen_in(columns: &[f64], problem: &Problem<'_>, part: Range<usize>) -> Vec<usize> {
    let highest = |values: &[f64]| values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let is_seen = |column: &&[f64]| highest(&column[part.clone()]) > SEEN * highest(column);
    let columns = columns.chunks(problem.grid.n_rows()).take(problem.members.len());
    problem.members.iter().zip(columns).filter(|(_, c)| is_seen(c)).map(|(k, _)| *k).collect()
}

/// What effective dimensions of the splines B with roughness Ω follow from.
struct Dimension {
    /// Eigenvalues of BᵀB over BᵀB + τΩ: 1 where there is no roughness, 0 where there is nothing else.
    smooth: Vec<f64>,
    tau: f64,
    /// Effective dimensions that are counted once: the two parts of complex data have the same.
    parts: f64,
    range_ppm: f64,
    /// Mean diagonal of BᵀB.
    scale: f64,
}

impl Dimension {
    /// Of the problem's baseline.
    fn new(problem: &Problem<'_>) -> Result<Self, Singular> {
        let (n, rows) = (problem.baseline.n, problem.grid.n_rows());
        let mut columns = vec![0.0; n * rows];
        for (j, column) in columns.chunks_mut(rows).enumerate() {
            problem.baseline.column(j, problem.grid, None, column);
        }
        let mut gram = vec![0.0; n * n];
        linalg::gram(&columns, rows, n, &mut gram);
        let full: Vec<f64> = (0..n * n).map(|at| linalg::symmetric(&gram, n, at / n, at % n)).collect();
        let parts = if rows > problem.grid.n_observed { 2.0 } else { 1.0 };
        let ppm = &problem.grid.ppm;
        Self::of_matrices(full, &problem.baseline.roughness, n, parts, ppm[0] - ppm[ppm.len() - 1])
    }

    /// From the full matrices BᵀB and Ω.
    fn of_matrices(
        mut gram: Vec<f64>,
        roughness: &[f64],
        n: usize,
        parts: f64,
        range_ppm: f64,
    ) -> Result<Self, Singular> {
        let mean = |matrix: &[f64]| (0..n).map(|i| matrix[i * n + i]).sum::<f64>() / n as f64;
        let scale = mean(&gram);
        let tau = scale / mean(roughness);
        let mut sum: Vec<f64> = gram.iter().zip(roughness).map(|(g, r)| g + tau * r).collect();
        linalg::cholesky(&mut sum, n).map_err(|_| Singular)?;
        let smooth = linalg::eigenvalues_over_factor(&mut gram, &sum, n).ok_or(Singular)?;
        Ok(Self { smooth: smooth.into_iter().map(|v| v.clamp(0.0, 1.0)).collect(), tau, parts, range_ppm, scale })
    }

    /// tr((BᵀB + λΩ)⁻¹BᵀB), for one part.
    fn of(&self, lambda: f64) -> f64 {
        let rough = lambda / self.tau;
        let part = |v: &f64| if *v > 0.0 { v / (v + rough * (1.0 - v)) } else { 0.0 };
        self.smooth.iter().map(part).sum::<f64>() / self.parts
    }

    /// λ with this effective dimension.
    fn lambda_of(&self, dimension: f64) -> f64 {
        let [mut low, mut high] = RANGE.map(|v| (v * self.scale).ln());
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.of(middle.exp()) > dimension {
                low = middle;
            } else {
                high = middle;
            }
        }
        (0.5 * (low + high)).exp()
    }

    fn lambda_of_ed_per_ppm(&self, per_ppm: f64) -> f64 {
        self.lambda_of(per_ppm * self.range_ppm)
    }

    /// λ as the method's settings ask for it, at the nonlinear parameters `p`.
    fn choose(
        &self,
        problem: &Problem<'_>,
        objective: &mut Objective,
        weights: &Weights,
        p: &[f64],
    ) -> Result<f64, Singular> {
        let Baseline::PSpline { smoothness, .. } = problem.model.settings.baseline else { return Ok(0.0) };
        match smoothness {
            Smoothness::Lambda(lambda) => Ok(lambda),
            Smoothness::EdPerPpm(per_ppm) => Ok(self.lambda_of_ed_per_ppm(per_ppm)),
            Smoothness::Ed(dimension) => Ok(self.lambda_of(dimension)),
            Smoothness::ModifiedAic { m, max_ed_per_ppm, min_ed, steps } => {
                let ends = [self.lambda_of_ed_per_ppm(max_ed_per_ppm), self.lambda_of(min_ed)].map(f64::ln);
                let points = problem.grid.n_rows() as f64;
                let mut best = (f64::INFINITY, ends[0].exp());
                let mut c = Vec::new();
                for step in 0..steps {
                    let part = step as f64 / (steps - 1).max(1) as f64;
                    let lambda = (ends[0] + part * (ends[1] - ends[0])).exp();
                    let tried = Weights { lambda, ..weights.clone() };
                    let linear = objective.linear(problem, p, &tried, &c)?;
                    let aic = linear.residual.ln() + m * 2.0 * self.of(lambda) / points;
                    if aic < best.0 {
                        best = (aic, lambda);
                    }
                    c = linear.c;
                }
                Ok(best.1)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// tr((G + λΩ)⁻¹G) by solving for every column.
    fn trace(gram: &[f64], roughness: &[f64], lambda: f64, n: usize) -> f64 {
        let mut sum: Vec<f64> = gram.iter().zip(roughness).map(|(g, r)| g + lambda * r).collect();
        linalg::cholesky(&mut sum, n).unwrap();
        let column = |j: usize| {
            let mut x = gram[j * n..(j + 1) * n].to_vec();
            linalg::solve_lower(&sum, n, &mut x, 1);
            linalg::solve_lower_transposed(&sum, n, &mut x);
            x[j]
        };
        (0..n).map(column).sum()
    }

    #[test]
    fn effective_dimensions_are_traces_and_end_at_a_straight_line() {
        let n = 24;
        let near = |i: usize, j: usize, values: &[f64]| values.get(i.abs_diff(j)).copied().unwrap_or(0.0);
        // Inner products of cubic B-splines, and second differences squared.
        let gram: Vec<f64> = (0..n * n).map(|at| 3.0 * near(at / n, at % n, &[0.479, 0.236, 0.024, 0.0002])).collect();
        let mut roughness = vec![0.0; n * n];
        for row in 0..n - 2 {
            for (a, va) in [1.0, -2.0, 1.0].into_iter().enumerate() {
                for (b, vb) in [1.0, -2.0, 1.0].into_iter().enumerate() {
                    roughness[(row + a) * n + row + b] += va * vb;
                }
            }
        }
        let dimension = Dimension::of_matrices(gram.clone(), &roughness, n, 1.0, 3.8).unwrap();
        for lambda in [1e-3, 0.1, 1.0, 50.0, 1e4] {
            let expected = trace(&gram, &roughness, lambda, n);
            assert!((dimension.of(lambda) - expected).abs() < 1e-8, "{lambda}: {} {expected}", dimension.of(lambda));
            assert!((dimension.lambda_of(expected) / lambda - 1.0).abs() < 1e-6, "{lambda}");
        }
        assert!((dimension.of(0.0) - n as f64).abs() < 1e-9 && (dimension.of(1e9) - 2.0).abs() < 1e-3);
    }
}
