//! The λ of a P-spline from an effective dimension or from the modified AIC, by ABfit's stages (Wilson 2021): what
//! components share is fitted to part of the window with a stiff baseline; with that, λ is chosen over all of it; then the
//! fit itself frees what each component has for itself.

use std::ops::Range;

use num_complex::Complex64;

use super::super::linalg;
use super::bounded::Singular;
use super::fit::{Setup, pose_with};
use super::lineshape::Shape;
use super::model::Model;
use super::objective::{Objective, Weights};
use super::problem::Problem;
use super::search::{MOST_TURNS, TURNED_RAD};
use super::settings::{Baseline, Smoothness};
use super::solver::{Options, minimise};

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
    let dimension = Dimension::new(&whole);
    weights.lambda = dimension.choose(&whole, &mut objective, weights, &shared)?;
    *data = whole.data;
    if per_ed > 0.0 {
        let chosen = dimension.of(weights.lambda);
        setup.splines_per_ppm = per_ed * chosen / dimension.range_ppm;
        let again = pose_with(model, &model.grid, Vec::new(), setup, Vec::new(), false);
        weights.lambda = Dimension::new(&again).lambda_of(chosen);
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
    let lambda = Dimension::new(&coarse).lambda_of_ed_per_ppm(COARSE_ED_PER_PPM);
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

/// The splines' own normal matrix, from which effective dimensions follow.
struct Dimension {
    gram: Vec<f64>,
    roughness: Vec<f64>,
    n: usize,
    /// Effective dimensions that are counted once: the two parts of complex data have the same.
    parts: f64,
    range_ppm: f64,
    scale: f64,
}

impl Dimension {
    /// Of the problem's baseline.
    fn new(problem: &Problem<'_>) -> Self {
        let (n, rows) = (problem.baseline.n, problem.grid.n_rows());
        let mut columns = vec![0.0; n * rows];
        for (j, column) in columns.chunks_mut(rows).enumerate() {
            problem.baseline.column(j, problem.grid, None, column);
        }
        let mut gram = vec![0.0; n * n];
        linalg::gram(&columns, rows, n, &mut gram);
        let scale = (0..n).map(|i| gram[i * n + i]).sum::<f64>() / n as f64;
        let ppm = &problem.grid.ppm;
        let parts = if rows > problem.grid.n_observed { 2.0 } else { 1.0 };
        let roughness = problem.baseline.roughness.clone();
        Self { gram, roughness, n, parts, range_ppm: ppm[0] - ppm[ppm.len() - 1], scale }
    }

    /// tr((BᵀB + λΩ)⁻¹BᵀB), for one part.
    fn of(&self, lambda: f64) -> f64 {
        let n = self.n;
        let mut scratch = linalg::Scratch::for_size(n);
        let mut sum: Vec<f64> = self.gram.iter().zip(&self.roughness).map(|(g, r)| g + lambda * r).collect();
        for i in 0..n {
            sum[i * n + i] += 1e-12 * self.scale;
        }
        let mut inverse = vec![0.0; n * n];
        if linalg::cholesky(&mut sum, n, &mut scratch).is_err() {
            return f64::NAN;
        }
        linalg::inverse_from_factor(&sum, n, &mut inverse, &mut scratch);
        let mut trace = 0.0;
        for i in 0..n {
            for j in 0..n {
                trace += linalg::symmetric(&inverse, n, i, j) * linalg::symmetric(&self.gram, n, i, j);
            }
        }
        trace / self.parts
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
