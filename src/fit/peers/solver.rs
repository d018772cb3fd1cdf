//! Iterations to the minimum of an objective: steps with Marquardt's parameter, cut to a few units of each parameter
//! (LCModel's PLINLS; survey section 1.9).

use super::bounded::Singular;
use super::objective::{Linear, Objective, Weights};
use super::problem::Problem;

/// Marquardt's parameter at the start.
const START: f64 = 1.0;
/// Its factors after success and failure, and the least value after a failure.
const SUCCESS: f64 = 0.5;
const FAILURE: f64 = 4.0;
const AFTER_FAILURE: f64 = 0.6;
/// Values above which a system that is still singular is given up, and a fit that no step improves is at its minimum.
const MOST_SINGULAR: f64 = 1e12;
const MOST_FAILED: f64 = 1e14;
/// Largest step of a parameter, in its units.
const LONGEST: f64 = 5.0;
/// Relative increase of the objective that still counts as none, in tolerances: a step that ends above where it began by
/// more than a fit is meant to gain may be half of a cycle.
const NO_INCREASE: f64 = 0.1;
/// Cosine between step and gradient below which a step is not shortened but damped.
const LEAST_COSINE: f64 = 0.01;

/// Relative decrease of the objective at which a converged fit is done, and most iterations to there.
const REFINED: f64 = 1e-8;
const MOST_REFINING: usize = 20;

/// How a fit is iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Options {
    pub(super) max_iterations: usize,
    /// Relative decrease below which it has converged.
    pub(super) tolerance: f64,
    /// Whether steps are tried undamped first.
    pub(super) try_undamped: bool,
    /// Whether σ follows the fit's standard deviation downwards.
    pub(super) follow_sigma: bool,
}

/// Where a fit stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) p: Vec<f64>,
    pub(super) linear: Linear,
    pub(super) n_iterations: usize,
    pub(super) converged: bool,
}

/// Evaluates the objective at `p`; σ follows where it may.
pub(super) fn evaluate(
    problem: &Problem<'_>,
    objective: &mut Objective,
    weights: &mut Weights,
    p: &[f64],
    start: &[f64],
    follow_sigma: bool,
) -> Result<Linear, Singular> {
    let linear = objective.linear(problem, p, weights, start)?;
    if follow_sigma && linear.sd > 0.0 && (weights.sigma == 0.0 || linear.sd < weights.sigma) {
        weights.sigma = linear.sd;
    }
    Ok(linear)
}

/// Minimises from `p`.
pub(super) fn minimise(
    problem: &Problem<'_>,
    objective: &mut Objective,
    weights: &mut Weights,
    p: &[f64],
    options: Options,
) -> Result<Point, Singular> {
    let follow = options.follow_sigma;
    let linear = evaluate(problem, objective, weights, p, &[], follow)?;
    let mut now = Point { p: p.to_vec(), linear, n_iterations: 0, converged: false };
    let mut marquardt = START;
    let mut undamped = Undamped { is_allowed: options.try_undamped, after_success: true, n_bad: 0, n_to_skip: 0 };
    let noise = objective.noise();
    let tolerance = options.tolerance.max(noise);
    while now.n_iterations < options.max_iterations {
        now.n_iterations += 1;
        let tried = undamped.trial(problem, objective, weights, &now, follow);
        let trial = match tried.map_or_else(|| Trial::new(problem, objective, weights, &now, marquardt, follow), Ok) {
            Ok(trial) => trial,
            Err(Singular) => {
                marquardt = (marquardt * FAILURE).max(AFTER_FAILURE);
                undamped.after_success = false;
                if marquardt > MOST_SINGULAR {
                    return Err(Singular);
                }
                continue;
            }
        };
        let before = now.linear.objective;
        let predicted = 1.0 - trial.predicted / before;
        let actual = 1.0 - trial.linear.objective / before;
        undamped.after_success = actual >= -(NO_INCREASE * tolerance).max(noise);
        if undamped.after_success {
            marquardt = (SUCCESS * marquardt).max(f64::EPSILON);
            let done = predicted.abs().max(actual.abs()) <= tolerance
                && actual.abs() < (2.0 * predicted.abs()).max(noise)
                && trial.is_whole();
            now.accept(trial);
            now.converged = done;
            if done {
                break;
            }
            continue;
        }
        if trial.marquardt > 0.0 {
            marquardt *= FAILURE;
        }
        if let Some(shorter) = trial.shortened(problem, objective, weights, &now, follow)? {
            now.accept(shorter);
            continue;
        }
        if trial.marquardt > 0.0 {
            marquardt = marquardt.max(AFTER_FAILURE);
        }
        // A minimum to rounding: no step of any length leads down.
        if marquardt > MOST_FAILED {
            now.converged = true;
            break;
        }
    }
    Ok(now)
}

/// When a step is tried undamped first: after one that led down, and the more of them were bad in a row the more rarely.
struct Undamped {
    is_allowed: bool,
    after_success: bool,
    n_bad: usize,
    n_to_skip: i64,
}

impl Undamped {
    /// An undamped step that leads down.
    fn trial(
        &mut self,
        problem: &Problem<'_>,
        objective: &mut Objective,
        weights: &mut Weights,
        now: &Point,
        follow: bool,
    ) -> Option<Trial> {
        if !(self.is_allowed && self.after_success && self.n_to_skip <= 0) {
            self.n_to_skip -= 1;
            return None;
        }
        let trial = Trial::new(problem, objective, weights, now, 0.0, follow).ok()?;
        if trial.linear.objective >= now.linear.objective {
            self.n_bad += 1;
            self.n_to_skip = self.n_bad as i64;
            return None;
        }
        self.n_bad = 0;
        Some(trial)
    }
}

/// From where the method's tolerance let a fit converge to the minimum itself, and the iterations of that: what is
/// reported shall not hang on the way there, nor on a device's rounding. A tolerance of 1e-3 (LCModel's) leaves some
/// hundredths of a standard deviation.
pub(super) fn refine(
    problem: &Problem<'_>,
    objective: &mut Objective,
    weights: &mut Weights,
    from: Point,
    follow_sigma: bool,
) -> (Point, usize) {
    if !from.converged {
        return (from, 0);
    }
    let options = Options { max_iterations: MOST_REFINING, tolerance: REFINED, try_undamped: true, follow_sigma };
    match minimise(problem, objective, weights, &from.p, options) {
        Ok(to) => (Point { p: to.p, linear: to.linear, ..from }, to.n_iterations),
        Err(Singular) => (from, 0),
    }
}

struct Trial {
    p: Vec<f64>,
    linear: Linear,
    predicted: f64,
    marquardt: f64,
    fraction: f64,
    delta: Vec<f64>,
    gradient: Vec<f64>,
}

impl Trial {
    fn new(
        problem: &Problem<'_>,
        objective: &mut Objective,
        weights: &mut Weights,
        now: &Point,
        marquardt: f64,
        follow: bool,
    ) -> Result<Self, Singular> {
        let step = objective.step(problem, &now.p, &now.linear, weights, marquardt)?;
        let parameters = &problem.layout.parameters;
        let longest = |(d, q): (&f64, &super::parameter::Parameter)| {
            if *d == 0.0 { 1.0 } else { (LONGEST * q.step / d).abs() }
        };
        let fraction = step.delta.iter().zip(parameters).map(longest).fold(1.0, f64::min);
        let p = moved(problem, &now.p, &step.delta, fraction);
        let linear = evaluate(problem, objective, weights, &p, &now.linear.c, follow)?;
        Ok(Self {
            p,
            linear,
            predicted: step.predicted,
            marquardt,
            fraction,
            delta: step.delta,
            gradient: step.gradient,
        })
    }

    /// Whether the step was neither cut nor much damped.
    fn is_whole(&self) -> bool {
        self.marquardt < AFTER_FAILURE && self.fraction >= 1.0
    }

    /// The step cut to where a parabola through slope and both ends has its minimum.
    fn shortened(
        &self,
        problem: &Problem<'_>,
        objective: &mut Objective,
        weights: &mut Weights,
        now: &Point,
        follow: bool,
    ) -> Result<Option<Self>, Singular> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let slope = dot(&self.gradient, &self.delta);
        let lengths = (dot(&self.gradient, &self.gradient) * dot(&self.delta, &self.delta)).sqrt();
        if lengths <= 0.0 || -slope / lengths < LEAST_COSINE {
            return Ok(None);
        }
        let curvature = now.linear.objective - self.linear.objective + slope * self.fraction;
        let fraction = 0.5 * slope * self.fraction * self.fraction / curvature;
        if !(0.0..=1.0).contains(&fraction) || fraction == 0.0 {
            return Ok(None);
        }
        let p = moved(problem, &now.p, &self.delta, fraction);
        let linear = evaluate(problem, objective, weights, &p, &now.linear.c, follow)?;
        if linear.objective >= now.linear.objective {
            return Ok(None);
        }
        let (delta, gradient) = (self.delta.clone(), self.gradient.clone());
        Ok(Some(Self { p, linear, fraction, delta, gradient, ..*self }))
    }
}

impl Point {
    fn accept(&mut self, trial: Trial) {
        self.p = trial.p;
        self.linear = trial.linear;
    }
}

fn moved(problem: &Problem<'_>, p: &[f64], delta: &[f64], fraction: f64) -> Vec<f64> {
    let parameters = &problem.layout.parameters;
    p.iter()
        .zip(delta)
        .zip(parameters)
        .map(|((v, d), q)| if q.is_fixed { *v } else { (v + fraction * d).clamp(q.lower, q.upper) })
        .collect()
}
