//! Gauss–Newton with Levenberg–Marquardt damping on all parameters of one spectrum, an active set for
//! the bounds, and the baseline's smoothness by evidence inside each step.

use num_complex::Complex64;

use super::constants::{
    COST_ROUNDING_F64, DAMPING_RISE_REJECTED, DAMPING_RISE_SINGULAR, EVIDENCE_FROM, FREEZE_FROM, FREEZE_TOLERANCE,
    LAMBDA_TOLERANCE, LAST_REFRESH, LEAST_START_AMPLITUDE, MAX_ATTEMPTS, MAX_DAMPING, MAX_DAMPING_FACTOR, MIN_DAMPING,
    MIN_DAMPING_FACTOR, MIN_DAMPING_REJECTED, MIN_DAMPING_SINGULAR, NEAR_MINIMUM, NEWTON_FROM, PREDICTED_TOLERANCE,
    REFRESH_ROWS, START_DAMPING, VARIANCE_FROM, VARIANCE_TO,
};
use super::evaluation::PhaseColumns;
use super::model::Model;
use super::normal::{Weights, prior_cost};
use super::problem::{Problem, Solved, start_variance};
use super::settings::Smoothness;
use super::smoothness::update_weights;
use super::step::{add_bilinear_curvature, bounded_step, hold_bounds, predicted_fall};
use super::workspace::{Hold, Workspace};
use crate::fit::result::{FitResult, FitState};
use crate::fit::start::ShiftPhase;

/// Fits one FID with `model`, from its own start values.
pub fn fit(model: &Model, fid: &[Complex64], workspace: &mut Workspace) -> FitResult {
    match Problem::new(model, fid) {
        Ok(problem) => solve(model, &problem, workspace),
        Err(state) => FitResult::without_fit(state),
    }
}

/// Fits one finite FID with `model`, starting at the common shift and phase `start`.
pub fn fit_from(model: &Model, fid: &[Complex64], start: ShiftPhase, workspace: &mut Workspace) -> FitResult {
    match Problem::from_start(model, fid, start) {
        Ok(problem) => solve(model, &problem, workspace),
        Err(state) => FitResult::without_fit(state),
    }
}

fn solve(model: &Model, problem: &Problem, workspace: &mut Workspace) -> FitResult {
    let mut x = problem.start_parameters(model);
    let mut weights = problem.start_weights(model);
    start_amplitudes(model, &problem.data, &mut x, &mut weights, workspace);
    let (state, n_iterations, objective) =
        iterate(model, &problem.data, &mut x, &mut weights, problem.noise_variance, workspace);
    problem.finish(model, &Solved { x, weights, state, n_iterations, objective }, workspace)
}

/// Amplitudes and baseline from the linear problem at the start values, negatives left out.
fn start_amplitudes(model: &Model, data: &[Complex64], x: &mut [f64], weights: &mut Weights, ws: &mut Workspace) {
    let layout = &model.layout;
    ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
    ws.normal.assemble(model, &ws.evaluation);
    let start = Weights { variance: start_variance(weights.variance), ..weights.clone() };
    ws.normal.penalised(model, x, &start, &mut ws.hessian, &mut ws.gradient);
    for i in 0..layout.len() {
        let linear = i < layout.n_components || i >= layout.baseline();
        ws.held[i] = if linear { Hold::Free } else { Hold::By(0.0) };
    }
    if bounded_step(model, x, 0.0, ws).is_ok() {
        for i in 0..layout.len() {
            x[i] += ws.step[i];
        }
    }
    // Small and positive rather than zero: at zero the derivatives for shift and width vanish.
    let largest = x[..layout.n_components].iter().copied().fold(0.0, f64::max);
    for c in &mut x[..layout.n_components] {
        *c = c.max(LEAST_START_AMPLITUDE * largest);
    }
    refresh_rows(model, x, weights);
}

fn refresh_rows(model: &Model, x: &[f64], weights: &mut Weights) {
    for (w, row) in weights.rows.iter_mut().zip(&model.rows) {
        *w = row.weight(&x[..model.layout.n_components]);
    }
}

fn iterate(
    model: &Model,
    data: &[Complex64],
    x: &mut [f64],
    weights: &mut Weights,
    noise_variance: f64,
    ws: &mut Workspace,
) -> (FitState, usize, f64) {
    let is_fixed = matches!(model.settings.baseline.smoothness, Smoothness::Fixed(_));
    let follows = !is_fixed && model.layout.n_splines > 2;
    let mut damping = START_DAMPING;
    let mut frozen = false;
    let mut cost = f64::INFINITY;
    for iteration in 0..model.settings.max_iterations {
        if REFRESH_ROWS.contains(&iteration) {
            refresh_rows(model, x, weights);
        }
        ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
        ws.normal.assemble(model, &ws.evaluation);
        let (variance_before, lambda_before) = (weights.variance, weights.lambda);
        let evidence = follows && iteration >= EVIDENCE_FROM;
        let follow_misfit = !frozen && (VARIANCE_FROM..=VARIANCE_TO).contains(&iteration);
        if (follow_misfit || evidence)
            && update_weights(model, x, weights, noise_variance, follow_misfit, evidence, ws).is_err()
        {
            return (FitState::Singular, iteration, cost);
        }
        let mut accepted = false;
        let mut predicted = 0.0;
        let mut newton = iteration >= NEWTON_FROM;
        for _ in 0..MAX_ATTEMPTS {
            ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
            if newton {
                add_bilinear_curvature(model, x, weights.variance, ws);
            }
            hold_bounds(model, x, ws);
            if bounded_step(model, x, damping, ws).is_err() {
                if newton {
                    newton = false;
                    continue;
                }
                damping = (damping * DAMPING_RISE_SINGULAR).max(MIN_DAMPING_SINGULAR);
                if damping > MAX_DAMPING {
                    return (FitState::Singular, iteration, cost);
                }
                continue;
            }
            let before = ws.normal.rss / weights.variance + prior_cost(model, x, weights);
            predicted = predicted_fall(model, ws);
            for i in 0..x.len() {
                ws.trial[i] = (x[i] + ws.step[i]).max(model.layout.lower_bound(i));
            }
            let rss = ws.evaluation.residual_sum_of_squares(model, &ws.trial, data);
            let after = rss / weights.variance + prior_cost(model, &ws.trial, weights);
            if after <= before + COST_ROUNDING_F64 * before.abs() {
                x.copy_from_slice(&ws.trial);
                cost = after;
                // Nielsen's rule (1999): the closer the fall is to the predicted one, the less damping.
                let gain = if predicted > 0.0 { (before - after) / predicted } else { 1.0 };
                let factor = (1.0 - (2.0 * gain - 1.0).powi(3)).clamp(MIN_DAMPING_FACTOR, MAX_DAMPING_FACTOR);
                damping = (damping * factor).max(MIN_DAMPING);
                accepted = true;
                break;
            }
            if predicted < PREDICTED_TOLERANCE {
                cost = before;
                break;
            }
            damping = (damping * DAMPING_RISE_REJECTED).max(MIN_DAMPING_REJECTED);
        }
        let lambda_moved = (weights.lambda / lambda_before).ln().abs();
        let variance_moved = (weights.variance / variance_before).ln().abs();
        let settled = iteration > LAST_REFRESH.min(model.settings.max_iterations / 2);
        if iteration >= FREEZE_FROM
            && predicted < NEAR_MINIMUM
            && lambda_moved < FREEZE_TOLERANCE
            && variance_moved < FREEZE_TOLERANCE
            && settled
        {
            frozen = true;
        }
        if frozen && predicted < PREDICTED_TOLERANCE && lambda_moved < LAMBDA_TOLERANCE {
            return (FitState::Converged, iteration + 1, cost);
        }
        if !accepted && predicted >= PREDICTED_TOLERANCE {
            // Ever shorter steps all failed: the objective's floor within rounding.
            let state = if predicted < NEAR_MINIMUM { FitState::Converged } else { FitState::MaxIterations };
            return (state, iteration + 1, cost);
        }
    }
    (FitState::MaxIterations, model.settings.max_iterations, cost)
}
