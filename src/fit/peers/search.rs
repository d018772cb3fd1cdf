//! LCModel's choice of α_B and α_S: a reference solution with the least regularisation, a target for the probability
//! that it is the better one, and searches by regula falsi (its TWOREG, RFALSI; survey section 1.10).

mod bracket;
mod falsi;
mod pulled;
mod state;
mod trade;

use num_complex::Complex64;

use super::bounded::Singular;
use super::objective::{Objective, Weights};
use super::problem::Problem;
use super::settings::{Baseline, Lineshape, PriorsIn, Ratios, Search as SearchSettings, Turns};
use super::solver::Point;

/// Factor by which α_B falls and α_S rises from one trade-off to the next (RDALPB).
const TRADE: f64 = 2.0;
/// Penalty (σ²) of an α_B below the threshold (PNALPB).
const LOW_PENALTY: f64 = 9.0;
/// Part of a phase that is corrected at once (FREPHA).
const REPHASED_PART: f64 = 0.5;
/// Where data turn with the phases: most turns, and the phase (rad) that is none.
pub(super) const MOST_TURNS: usize = 4;
pub(super) const TURNED_RAD: f64 = 2e-3;
/// Phase at the window's ends beyond which data are turned where no search is made (LCModel's DEGMAX).
const MAX_PHASE_RAD: f64 = 12.5 * std::f64::consts::PI / 180.0;
/// Iterations of a difficult fit and of one that starts from a neighbour.
const ITERATIONS: [usize; 2] = [40, 30];

/// What a search did, step by step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event {
    /// First full solution, at the start's α's.
    Starting { sum_of_squares: f64 },
    /// Reference solution: its sum of squares, parameters, and the range that is aimed at.
    Reference { sum_of_squares: f64, n_parameters: usize, range: [f64; 2] },
    /// A fit of a search.
    Fit { alpha_baseline: f64, alpha_shape: f64, sum_of_squares: f64, n_extrema: usize, n_inflections: usize },
    /// A search ended with this probability.
    Ended { probability: f64 },
}

/// A solution worth keeping.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    pub(super) point: Point,
    pub(super) alpha: [f64; 2],
    penalty: f64,
    /// The data as they were turned for it.
    pub(super) data: Vec<Complex64>,
    pub(super) turned: [f64; 2],
}

struct Limits {
    baseline: [f64; 3],
    shape: [f64; 3],
    penalised_below: f64,
}

struct FTest {
    probability: [f64; 2],
    smoothing: [f64; 2],
    max_decreases: usize,
    max_fits: usize,
    max_rephasings: usize,
    max_phase_rad: f64,
}

/// A search under way.
pub(super) struct Search<'s, 'm> {
    pub(super) problem: &'s mut Problem<'m>,
    pub(super) objective: &'s mut Objective,
    pub(super) weights: Weights,
    /// What the data were turned by.
    pub(super) turned: [f64; 2],
    pub(super) events: Vec<Event>,
    pub(super) n_fits: usize,
    pub(super) n_iterations: usize,
    limits: Limits,
    test: Option<FTest>,
    /// The nonlinear parameters at which the next fit starts.
    p: Vec<f64>,
    /// Whether σ still follows the fit's standard deviation downwards.
    pub(super) follow_sigma: bool,
    tolerance: f64,
    max_iterations: usize,
    reference: (f64, usize),
    range: [f64; 2],
    /// Part of the best solution's phases by which the data are turned next.
    part: f64,
    /// Best of the last regula falsi.
    near: Option<Solution>,
    /// Best of all.
    best: Option<Solution>,
}

impl<'s, 'm> Search<'s, 'm> {
    pub(super) fn new(
        problem: &'s mut Problem<'m>,
        objective: &'s mut Objective,
        weights: Weights,
        turned: [f64; 2],
    ) -> Self {
        let settings = &problem.model.settings;
        let (baseline, penalised_below) = match settings.baseline {
            Baseline::Spline { penalty, penalised_below, .. } => (penalty, penalised_below),
            _ => ([0.0; 3], 0.0),
        };
        let shape = match settings.lineshape {
            Lineshape::Kernel { penalty, .. } => penalty,
            _ => [0.0; 3],
        };
        let test = match settings.search {
            SearchSettings::None {} => None,
            SearchSettings::FTest {
                probability,
                probability_smoothing,
                max_decreases,
                max_fits,
                max_rephasings,
                max_phase_deg,
            } => Some(FTest {
                probability,
                smoothing: probability_smoothing,
                max_decreases,
                max_fits,
                max_rephasings,
                max_phase_rad: max_phase_deg.to_radians(),
            }),
        };
        let p = problem.layout.start();
        let solver = settings.solver;
        Self {
            problem,
            objective,
            weights: Weights { alpha_baseline: baseline[1], alpha_shape: shape[1], ..weights },
            turned,
            events: Vec::new(),
            n_fits: 0,
            n_iterations: 0,
            limits: Limits { baseline, shape, penalised_below },
            test,
            p,
            follow_sigma: settings.priors_in == PriorsIn::FitSd,
            tolerance: solver.tolerance,
            max_iterations: solver.max_iterations,
            reference: (0.0, 0),
            range: [0.0; 2],
            part: 1.0,
            near: None,
            best: None,
        }
    }

    /// The solution that the method's settings ask for.
    pub(super) fn run(mut self) -> Result<(Self, Solution), Singular> {
        if self.is_pulled() {
            let p = self.p.clone();
            self.follow(&p, &[])?;
        }
        let starting = self.fit(false)?;
        self.events.push(Event::Starting { sum_of_squares: starting.linear.sum_of_squares });
        self.keep_near(&starting);
        self.keep_best();
        match self.test.take() {
            None => self.without_search(&starting)?,
            Some(test) => self.with_search(&test)?,
        }
        let best = self.best.take().ok_or(Singular)?;
        Ok((self, best))
    }

    /// The start's α's hold (LCModel's IMETHD = 1): once more with ratio rows, and with the data turned where their
    /// phase is far off.
    fn without_search(&mut self, starting: &Point) -> Result<(), Singular> {
        if self.problem.model.settings.ratios == Ratios::Lcmodel {
            // Rows that all that follows hangs on come from the minimum, not from somewhere near it.
            let starting = self.refined(starting.clone());
            self.weights.soft = self.problem.model.frozen_rows(self.problem, &starting.linear.c);
            if !self.weights.soft.is_empty() {
                if self.is_kernel() && self.shape_of(&starting.p).1 > 2 {
                    self.weights.alpha_shape *= TRADE * TRADE;
                }
                self.refit()?;
            }
        }
        if self.is_pulled() {
            self.settle(starting)?;
        }
        if self.problem.model.settings.phase.turns == Turns::Data {
            for _ in 0..MOST_TURNS {
                if !self.phase_is_beyond(TURNED_RAD) {
                    break;
                }
                self.rephase(1.0);
                self.refit()?;
            }
        }
        if self.limits.shape[2] > 0.0 {
            for _ in 1..3 {
                if !self.phase_is_beyond(MAX_PHASE_RAD) {
                    break;
                }
                self.rephase(REPHASED_PART);
                self.refit()?;
            }
        }
        Ok(())
    }

    /// Whether rows follow the solution.
    fn is_pulled(&self) -> bool {
        matches!(self.problem.model.settings.ratios, Ratios::Tarquin | Ratios::Osprey)
    }

    fn refit(&mut self) -> Result<(), Singular> {
        let point = self.fit(false)?;
        self.keep_near(&point);
        self.keep_best();
        Ok(())
    }
}
