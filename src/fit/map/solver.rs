//! Gauss–Newton with Levenberg–Marquardt damping on all parameters of one spectrum, an active set for
//! the bounds, and the baseline's smoothness by evidence inside each step.

use num_complex::Complex64;

use super::columns::PhaseColumns;
use super::constants::{
    COST_ROUNDING_F64, DAMPING_RISE_REJECTED, DAMPING_RISE_SINGULAR, EVIDENCE_FROM, EXTRAPOLATES_ABOVE,
    EXTRAPOLATES_BELOW, FREEZE_BELOW, FREEZE_FROM, FREEZE_TOLERANCE, IDLE_LAMBDA_TOLERANCE, IDLE_PREDICTED_TOLERANCE,
    KEEPS_EFFECTIVE, KEEPS_METRIC, LAMBDA_TOLERANCE, LAST_REFRESH, MAX_ATTEMPTS, MAX_DAMPING, MAX_DAMPING_FACTOR,
    MIN_DAMPING, MIN_DAMPING_FACTOR, MIN_DAMPING_REJECTED, MIN_DAMPING_SINGULAR, NEAR_MINIMUM, NEWTON_FROM,
    PREDICTED_TOLERANCE, REFRESH_ROWS, START_DAMPING, STEADY_FALL, VARIANCE_FROM, VARIANCE_TO,
};
use super::evaluation::Evaluation;
use super::extrapolation::{part_back, set_trial};
use super::model::Model;
use super::normal::{Weights, prior_cost};
use super::problem::{Problem, Solved};
use super::settings::Smoothness;
use super::smoothness::{Misfit, Variance, update_weights};
use super::start::{refresh_rows, start_amplitudes};
use super::step::{add_bilinear_curvature, bounded_step, hold_bounds, predicted_fall};
use super::workspace::Workspace;
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
                (self.exact, self.keeps_metric) = (true, false);
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
        let variance = Variance { misfit, noise: self.noise_variance, effective: &mut self.effective };
        update_weights(self.model, x, weights, variance, evidence, ws)
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
            if predicted < -PREDICTED_TOLERANCE {
                // Barely positive definite, with a step that rounding made of nothing: it promises a rise.
                if newton {
                    newton = false;
                    continue;
                } else if !self.exact {
                    return Err(NotPositiveDefinite);
                }
            }
            // As little as rounding leaves is no less than nothing, or a fit would end with it.
            predicted = predicted.abs();
            // Without shapes the problem is linear but for its bounds: a step ends at the minimum.
            let extrapolated = extrapolates && !ws.holds_shapes && predicted > EXTRAPOLATES_ABOVE;
            let back = if extrapolated { part_back(ws) } else { 0.0 };
            set_trial(model, x, back, ws);
            if back < 0.0 {
                // Steps that creep have more before them than each of them promises.
                predicted *= (1.0 - back).powi(2);
            }
            let rss = ws.evaluation.residual_sum_of_squares(model, &ws.trial, self.data);
            self.evaluated = false;
            let after = rss / weights.variance + prior_cost(model, &ws.trial, weights);
            if after <= before + COST_ROUNDING_F64 * before.abs() {
                self.take(after, predicted, x, ws);
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

    /// Takes the trial step, at which the objective is `cost`.
    fn take(&mut self, cost: f64, predicted: f64, x: &mut [f64], ws: &mut Workspace) {
        for i in 0..x.len() {
            ws.taken[i] = ws.trial[i] - x[i];
        }
        ws.last_step.copy_from_slice(&ws.step);
        ws.last_gradient.copy_from_slice(&ws.gradient);
        self.has_last = predicted < EXTRAPOLATES_BELOW;
        x.copy_from_slice(&ws.trial);
        (self.evaluated, self.cost) = (true, cost);
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
