//! Gauss–Newton with Levenberg–Marquardt damping on all parameters of one spectrum, an active set for
//! the bounds, and the baseline's smoothness by evidence inside each step.

use num_complex::Complex64;

use super::evaluation::PhaseColumns;
use super::model::Model;
use super::normal::{Weights, prior_cost};
use super::report::{Solution, summarise};
use super::result::{FitResult, FitState};
use super::settings::Smoothness;
use super::smoothness::update_weights;
use super::start::{ShiftPhase, demodulate, noise_sd};
use super::step::{add_bilinear_curvature, bounded_step, hold_bounds, predicted_fall};
use super::workspace::{Hold, Workspace};

/// The largest datum in internal units; a tenth of it is 1, and λ is measured against that.
const DATA_HEIGHT: f64 = 10.0;
/// λ before the first evidence step.
const START_LAMBDA: f64 = 100.0;
/// Iterations at which the scales of the soft rows are taken from the current amplitudes.
const REFRESH_ROWS: [usize; 3] = [3, 6, 9];
/// First iteration that uses second derivatives; before, far from the solution, they mislead.
const NEWTON_FROM: usize = 3;
/// First iteration at which σ follows the misfit, and the last.
const VARIANCE_FROM: usize = 3;
const VARIANCE_TO: usize = 40;
/// A step whose predicted fall of Q is below this is the last: it moves the solution by at most
/// √1e-3 = 0.03 standard deviations, and what is left after it is a small part of that.
const PREDICTED_TOLERANCE: f64 = 1e-3;
/// Relative change of λ between the last two steps.
const LAMBDA_TOLERANCE: f64 = 1e-4;
/// Relative change of λ and σ² below which σ² is frozen.
const FREEZE_TOLERANCE: f64 = 0.05;

/// Fits one FID with `model`, from its own start values.
pub fn fit(model: &Model, fid: &[Complex64], workspace: &mut Workspace) -> FitResult {
    if fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
        return FitResult::without_fit(FitState::NoSignal);
    }
    fit_from(model, fid, model.shift_and_phase(fid), workspace)
}

/// Fits one finite FID with `model`, starting at the common shift and phase `start`.
pub fn fit_from(model: &Model, fid: &[Complex64], start: ShiftPhase, workspace: &mut Workspace) -> FitResult {
    let moved = demodulate(fid, start.shift_hz, model.band.dwell_s);
    let mut data = model.band.window_from_fid(&moved);
    let tallest = data.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let Some(noise) = noise_sd(fid).filter(|_| tallest > 0.0 && tallest.is_finite()) else {
        return FitResult::without_fit(FitState::NoSignal);
    };
    let scale = DATA_HEIGHT / tallest;
    for z in &mut data {
        *z *= scale;
    }
    // Variance of a point of the real part of the 2× zero-filled spectrum.
    let noise_variance = model.band.n_points as f64 * (noise * scale).powi(2);

    let mut x = start_parameters(model, start);
    let mut weights =
        Weights { variance: noise_variance, lambda: start_lambda(model), rows: vec![0.0; model.rows.len()] };
    start_amplitudes(model, &data, &mut x, &mut weights, workspace);
    let (state, n_iterations, objective) = iterate(model, &data, &mut x, &mut weights, noise_variance, workspace);
    let solution = Solution {
        x: &x,
        data: &data,
        weights: &weights,
        noise_variance,
        state,
        n_iterations,
        objective,
        data_scale: scale,
        start_shift_hz: start.shift_hz,
    };
    summarise(
        model,
        &solution,
        &mut workspace.evaluation,
        &mut workspace.normal,
        &mut workspace.report,
        &mut workspace.algebra,
    )
}

fn start_lambda(model: &Model) -> f64 {
    match model.settings.baseline.smoothness {
        Smoothness::Evidence => START_LAMBDA,
        Smoothness::Fixed(lambda) => lambda,
    }
}

fn start_parameters(model: &Model, start: ShiftPhase) -> Vec<f64> {
    let layout = &model.layout;
    let mut x = vec![0.0; layout.len()];
    let settings = &model.settings.start;
    for k in 0..layout.n_components {
        x[layout.width(k)] = settings.lorentz_hz;
    }
    x[layout.common_width()] = settings.lorentz_hz;
    x[layout.gauss()] = settings.gauss_hz;
    x[layout.phi0()] = start.phi0_rad;
    x
}

/// Amplitudes and baseline from the linear problem at the start values, negatives left out.
fn start_amplitudes(model: &Model, data: &[Complex64], x: &mut [f64], weights: &mut Weights, ws: &mut Workspace) {
    let layout = &model.layout;
    ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
    ws.normal.assemble(model, &ws.evaluation);
    // At the start the misfit is far above the noise: a σ of a twentieth of the tallest point keeps the
    // baseline from taking up what widths and shifts have not explained yet.
    let start = Weights { variance: weights.variance.max((DATA_HEIGHT / 20.0_f64).powi(2)), ..weights.clone() };
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
        *c = c.max(1e-3 * largest);
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
    let evidence = model.settings.baseline.smoothness == Smoothness::Evidence && model.layout.n_splines > 2;
    let mut damping = 1e-2;
    let mut frozen = false;
    let mut cost = f64::INFINITY;
    for iteration in 0..model.settings.max_iterations {
        if REFRESH_ROWS.contains(&iteration) {
            refresh_rows(model, x, weights);
        }
        ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
        ws.normal.assemble(model, &ws.evaluation);
        let (variance_before, lambda_before) = (weights.variance, weights.lambda);
        let follow_misfit = !frozen && (VARIANCE_FROM..=VARIANCE_TO).contains(&iteration);
        if (follow_misfit || evidence)
            && update_weights(
                model,
                x,
                weights,
                noise_variance,
                follow_misfit,
                evidence,
                iteration > REFRESH_ROWS[2],
                ws,
            )
            .is_err()
        {
            return (FitState::Singular, iteration, cost);
        }
        let mut accepted = false;
        let mut predicted = 0.0;
        let mut newton = iteration >= NEWTON_FROM;
        for _ in 0..12 {
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
                damping = (damping * 10.0).max(1e-3);
                if damping > 1e6 {
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
            if after <= before + 1e-9 * before.abs() {
                x.copy_from_slice(&ws.trial);
                cost = after;
                // Nielsen's rule (1999): the closer the fall is to the predicted one, the less damping.
                let gain = if predicted > 0.0 { (before - after) / predicted } else { 1.0 };
                damping = (damping * (1.0 - (2.0 * gain - 1.0).powi(3)).clamp(1.0 / 5.0, 3.0)).max(1e-9);
                accepted = true;
                break;
            }
            if predicted < PREDICTED_TOLERANCE {
                cost = before;
                break;
            }
            damping = (damping * 6.0).max(1e-4);
        }
        let lambda_moved = (weights.lambda / lambda_before).ln().abs();
        let variance_moved = (weights.variance / variance_before).ln().abs();
        let settled = iteration > REFRESH_ROWS[2].min(model.settings.max_iterations / 2);
        if iteration >= VARIANCE_FROM + 2
            && predicted < 1e-2
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
            // Twelve ever shorter steps all failed: the objective's floor within rounding.
            let state = if predicted < 1e-2 { FitState::Converged } else { FitState::MaxIterations };
            return (state, iteration + 1, cost);
        }
    }
    (FitState::MaxIterations, model.settings.max_iterations, cost)
}
