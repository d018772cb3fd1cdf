//! Gauss–Newton with Levenberg–Marquardt damping on all parameters of one spectrum, an active set for
//! the bounds, and the baseline's smoothness by evidence inside each step.

use num_complex::Complex64;

use super::columns::PhaseColumns;
use super::constants::{
    COST_ROUNDING_F64, DAMPING_RISE_REJECTED, DAMPING_RISE_SINGULAR, EVIDENCE_FROM, EXTRAPOLATES_ABOVE,
    EXTRAPOLATES_BELOW, FREEZE_BELOW, FREEZE_FROM, FREEZE_TOLERANCE, IDLE_LAMBDA_TOLERANCE, IDLE_PREDICTED_TOLERANCE,
    KEEPS_EFFECTIVE, KEEPS_METRIC, LAMBDA_TOLERANCE, LAST_REFRESH, LEAST_ENERGY, LEAST_START_AMPLITUDE, MAX_ATTEMPTS,
    MAX_DAMPING, MAX_DAMPING_FACTOR, MIN_DAMPING, MIN_DAMPING_FACTOR, MIN_DAMPING_REJECTED, MIN_DAMPING_SINGULAR,
    MOST_BACK, MOST_FORWARD, NEAR_MINIMUM, NEWTON_FROM, PREDICTED_TOLERANCE, REFRESH_ROWS, START_DAMPING, STEADY_FALL,
    VARIANCE_FROM, VARIANCE_TO,
};
use super::evaluation::Evaluation;
use super::model::Model;
use super::normal::{Weights, kernel_share, prior_cost};
use super::problem::{Problem, Solved, start_variance};
use super::settings::Smoothness;
use super::smoothness::{Misfit, update_weights};
use super::step::{add_bilinear_curvature, bounded_step, components_energy, hold_bounds, predicted_fall};
use super::workspace::{Hold, Workspace};
use crate::fit::linalg::NotPositiveDefinite;
use crate::fit::result::FitState;

/// First iteration that leaves the scales of the soft rows alone.
const FIRST_AFTER_ROWS: usize = LAST_REFRESH + 1;

/// The most probable values of all parameters together.
pub(super) fn solution(model: &Model, problem: &Problem, workspace: &mut Workspace) -> Solved {
    let mut x = problem.start_parameters(model);
    let mut weights = problem.start_weights(model);
    start_amplitudes(model, &problem.data, &mut x, &mut weights, workspace);
    let mut iterations = Iterations::new(model, &problem.data, problem.noise_variance);
    let (state, n_iterations) = iterations.run(0, &mut x, &mut weights, workspace);
    Solved { x, weights, state, n_iterations, objective: iterations.cost, holds_shapes: workspace.holds_shapes }
}

/// Goes on from where a fit has converged, with weights that have changed since: σ² stays.
pub(super) fn go_on(model: &Model, problem: &Problem, solved: &mut Solved, workspace: &mut Workspace) {
    let mut iterations = Iterations::new(model, &problem.data, problem.noise_variance);
    (iterations.frozen, iterations.refreshed) = (true, true);
    workspace.holds_shapes = solved.holds_shapes;
    // Scales that were taken before the minimum was reached leave a trace of the way to it.
    refresh_rows(model, &solved.x, &mut solved.weights);
    let first = FIRST_AFTER_ROWS.min(model.settings.max_iterations.saturating_sub(1));
    let (state, last) = iterations.run(first, &mut solved.x, &mut solved.weights, workspace);
    (solved.state, solved.n_iterations, solved.objective) = (state, last - first, iterations.cost);
}

/// Amplitudes and baseline from the linear problem at the start values, negatives left out.
fn start_amplitudes(model: &Model, data: &[Complex64], x: &mut [f64], weights: &mut Weights, ws: &mut Workspace) {
    let layout = &model.layout;
    ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
    ws.normal.assemble_exact(model, x, &mut ws.evaluation);
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
    ws.holds_shapes = components_energy(model, x, ws) < LEAST_ENERGY * weights.variance;
    if ws.holds_shapes {
        x[layout.kernel_range()].fill(0.0);
    }
    refresh_rows(model, x, weights);
}

/// Brings up to date what depends on where the fit stands: the scales of the soft rows, and the precision of the kernel's
/// prior.
pub(super) fn refresh_rows(model: &Model, x: &[f64], weights: &mut Weights) {
    let noise_sd = weights.variance.sqrt();
    for (w, row) in weights.rows.iter_mut().zip(&model.rows) {
        *w = row.weight(&x[..model.layout.n_components], noise_sd);
    }
    weights.kernel_share = kernel_share(model, x);
}

/// The iterations of one spectrum: what moves beside its parameters and weights.
struct Iterations<'a> {
    model: &'a Model,
    data: &'a [Complex64],
    noise_variance: f64,
    /// Levenberg–Marquardt damping of the next step.
    damping: f64,
    /// Whether σ² has settled and stays.
    frozen: bool,
    /// Whether the scales of the soft rows have been found again since: a fit that ends with those of the way to its
    /// minimum would depend on the way.
    refreshed: bool,
    /// Whether the last step was taken near the minimum, so that it and the next one tell how steps go on.
    has_last: bool,
    /// Objective at the parameters.
    cost: f64,
    /// Whether the model was evaluated at the parameters last.
    evaluated: bool,
    /// Whether JᵀJ is found in double precision: in single precision the system was singular.
    exact: bool,
    /// Whether the fit is so near its minimum that JᵀJ of an iteration before serves: the gradient alone says where the
    /// minimum is.
    keeps_metric: bool,
    /// Fall of the objective that the last step promised.
    predicted: f64,
    /// Parameters that the data determine, as an iteration found them that is not long ago.
    effective: Option<f64>,
}

/// What an iteration's steps came to.
struct Stepped {
    accepted: bool,
    /// Fall of the objective that the last of them promised.
    predicted: f64,
}

/// How far an iteration moved the logarithms of the weights.
struct Moved {
    lambda: f64,
    variance: f64,
}

impl<'a> Iterations<'a> {
    fn new(model: &'a Model, data: &'a [Complex64], noise_variance: f64) -> Self {
        Self {
            model,
            data,
            noise_variance,
            damping: START_DAMPING,
            frozen: false,
            refreshed: false,
            has_last: false,
            cost: f64::INFINITY,
            evaluated: false,
            exact: false,
            keeps_metric: false,
            predicted: f64::INFINITY,
            effective: None,
        }
    }

    /// Iterates to the minimum, counting from `first`; how that ended, and after how many iterations.
    fn run(&mut self, first: usize, x: &mut [f64], weights: &mut Weights, ws: &mut Workspace) -> (FitState, usize) {
        let most = self.model.settings.max_iterations;
        for iteration in first..most {
            let just_frozen = self.frozen && !self.refreshed;
            if REFRESH_ROWS.contains(&iteration) || just_frozen {
                refresh_rows(self.model, x, weights);
                self.refreshed = self.frozen;
            }
            self.linearise(just_frozen, x, ws);
            let (variance_before, lambda_before) = (weights.variance, weights.lambda);
            let misfit = match (just_frozen, self.frozen) {
                (true, _) => Misfit::Take,
                (_, false) if (VARIANCE_FROM..=VARIANCE_TO).contains(&iteration) => Misfit::Follow,
                _ => Misfit::Leave,
            };
            let reweighed = self.reweigh(iteration, misfit, x, weights, ws);
            let Ok(stepped) = reweighed.and_then(|()| self.step(iteration >= NEWTON_FROM, x, weights, ws)) else {
                if self.exact {
                    return (FitState::Singular, iteration);
                }
                // Rounding of single precision can make singular what is nearly so.
                self.exact = true;
                continue;
            };
            let lambda = (weights.lambda / lambda_before).ln().abs();
            let variance = (weights.variance / variance_before).ln().abs();
            let ratio = stepped.predicted / self.predicted;
            let keeps_metric = stepped.accepted && stepped.predicted < KEEPS_METRIC && ratio < STEADY_FALL;
            let by_old_metric = std::mem::replace(&mut self.keeps_metric, keeps_metric);
            self.predicted = stepped.predicted;
            if by_old_metric && !stepped.accepted {
                continue;
            }
            if let Some(state) = self.ended(iteration, &stepped, &Moved { lambda, variance }) {
                return (state, iteration + 1);
            }
        }
        (FitState::MaxIterations, most)
    }

    /// Gradient at `x`, and JᵀJ where that of the iteration before does not serve.
    fn linearise(&mut self, anew: bool, x: &[f64], ws: &mut Workspace) {
        let (model, Evaluation { forward, exact, quick }) = (self.model, &mut ws.evaluation);
        if !self.evaluated {
            forward.at(model, x, self.data);
        }
        if self.keeps_metric && !anew {
            ws.normal.set_gradient(model, x, forward);
        } else if self.exact {
            exact.fill(model, forward, x, PhaseColumns::FromData);
            ws.normal.assemble(model, x, forward, exact);
        } else {
            quick.fill(model, forward, x, PhaseColumns::FromData);
            ws.normal.assemble(model, x, forward, quick);
        }
    }

    /// Brings σ² and λ up to date, each in the iterations that are its own.
    fn reweigh(
        &mut self,
        iteration: usize,
        misfit: Misfit,
        x: &[f64],
        weights: &mut Weights,
        ws: &mut Workspace,
    ) -> Result<(), NotPositiveDefinite> {
        let is_fixed = matches!(self.model.settings.baseline.smoothness, Smoothness::Fixed(_));
        let evidence = !is_fixed && self.model.layout.n_splines > 2 && iteration >= EVIDENCE_FROM;
        if misfit == Misfit::Leave && !evidence {
            return Ok(());
        }
        if misfit == Misfit::Take || iteration.is_multiple_of(KEEPS_EFFECTIVE) {
            self.effective = None;
        }
        update_weights(self.model, x, weights, self.noise_variance, misfit, &mut self.effective, evidence, ws)
    }

    /// Tries steps, each shorter than the one before, until one does not raise the objective. `newton`: with second
    /// derivatives, as long as the system stays positive definite with them.
    fn step(
        &mut self,
        mut newton: bool,
        x: &mut [f64],
        weights: &Weights,
        ws: &mut Workspace,
    ) -> Result<Stepped, NotPositiveDefinite> {
        let model = self.model;
        let mut predicted = 0.0;
        let mut extrapolates = std::mem::take(&mut self.has_last);
        for _ in 0..MAX_ATTEMPTS {
            ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
            if newton {
                add_bilinear_curvature(model, x, weights.variance, ws);
            }
            hold_bounds(model, x, ws);
            if let Err(error) = bounded_step(model, x, self.damping, ws) {
                if newton {
                    newton = false;
                    continue;
                }
                self.damping = (self.damping * DAMPING_RISE_SINGULAR).max(MIN_DAMPING_SINGULAR);
                if self.damping > MAX_DAMPING {
                    return Err(error);
                }
                continue;
            }
            let before = ws.normal.rss / weights.variance + prior_cost(model, x, weights);
            predicted = predicted_fall(model, ws);
            // Without shapes the problem is linear but for its bounds: a step ends at the minimum.
            let extrapolated = extrapolates && !ws.holds_shapes && predicted > EXTRAPOLATES_ABOVE;
            let back = if extrapolated { part_back(ws) } else { 0.0 };
            for i in 0..x.len() {
                let mut step = ws.step[i];
                if back != 0.0 && ws.held[i] == Hold::Free {
                    step -= back * (ws.taken[i] + ws.step[i] - ws.last_step[i]);
                }
                ws.trial[i] = (x[i] + step).max(model.layout.lower_bound(i));
            }
            if back < 0.0 {
                // Steps that creep have more before them than each of them promises.
                predicted *= (1.0 - back).powi(2);
            }
            let rss = ws.evaluation.residual_sum_of_squares(model, &ws.trial, self.data);
            self.evaluated = false;
            let after = rss / weights.variance + prior_cost(model, &ws.trial, weights);
            if after <= before + COST_ROUNDING_F64 * before.abs() {
                for i in 0..x.len() {
                    ws.taken[i] = ws.trial[i] - x[i];
                }
                ws.last_step.copy_from_slice(&ws.step);
                ws.last_gradient.copy_from_slice(&ws.gradient);
                self.has_last = predicted < EXTRAPOLATES_BELOW;
                x.copy_from_slice(&ws.trial);
                self.evaluated = true;
                self.cost = after;
                self.relax(before - after, if back == 0.0 { predicted } else { before - after });
                return Ok(Stepped { accepted: true, predicted });
            }
            if back != 0.0 {
                extrapolates = false;
                continue;
            }
            if predicted < PREDICTED_TOLERANCE {
                self.cost = before;
                break;
            }
            self.damping = (self.damping * DAMPING_RISE_REJECTED).max(MIN_DAMPING_REJECTED);
        }
        Ok(Stepped { accepted: false, predicted })
    }

    /// Nielsen's rule (1999): the closer the fall is to the predicted one, the less damping.
    fn relax(&mut self, fall: f64, predicted: f64) {
        let gain = if predicted > 0.0 { fall / predicted } else { 1.0 };
        let factor = (1.0 - (2.0 * gain - 1.0).powi(3)).clamp(MIN_DAMPING_FACTOR, MAX_DAMPING_FACTOR);
        self.damping = (self.damping * factor).max(MIN_DAMPING);
    }

    /// How the fit ends with this iteration, if it does; freezes σ² first, near the minimum and with settled weights.
    fn ended(&mut self, iteration: usize, stepped: &Stepped, moved: &Moved) -> Option<FitState> {
        let Stepped { accepted, predicted } = *stepped;
        let rows_settled = iteration > LAST_REFRESH.min(self.model.settings.max_iterations / 2);
        if iteration >= FREEZE_FROM
            && predicted < FREEZE_BELOW
            && moved.lambda < FREEZE_TOLERANCE
            && moved.variance < FREEZE_TOLERANCE
            && rows_settled
        {
            self.frozen = true;
        }
        let lambda_rests = moved.lambda < LAMBDA_TOLERANCE
            || (moved.lambda < IDLE_LAMBDA_TOLERANCE && predicted < IDLE_PREDICTED_TOLERANCE);
        if self.refreshed && predicted < PREDICTED_TOLERANCE && lambda_rests {
            return Some(FitState::Converged);
        }
        if accepted || predicted < PREDICTED_TOLERANCE {
            return None;
        }
        // Ever shorter steps all failed: the objective's floor within rounding.
        Some(if predicted < NEAR_MINIMUM { FitState::Converged } else { FitState::MaxIterations })
    }
}

/// Which part of the last step, and of how the step of the normal equations has changed since, the next one takes back:
/// Anderson's extrapolation (1965) from two steps, least squares in the metric of the normal equations.
///
/// Where Q bends κ times as much along some direction as the normal equations say, steps go to and fro (κ > 1) or creep, each
/// 1 − κ of the one before; this takes such a direction to its end at once and leaves the others alone.
fn part_back(ws: &Workspace) -> f64 {
    let (mut along, mut square) = (0.0, 0.0);
    for i in 0..ws.step.len() {
        let change = ws.step[i] - ws.last_step[i];
        along += change * ws.gradient[i];
        square += change * (ws.gradient[i] - ws.last_gradient[i]);
    }
    if square > 0.0 { (along / square).clamp(-MOST_FORWARD, MOST_BACK) } else { 0.0 }
}
