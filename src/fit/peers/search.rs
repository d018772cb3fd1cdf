//! LCModel's choice of α_B and α_S: a reference solution with the least regularisation, a target for the probability
//! that it is the better one, and searches by regula falsi (its TWOREG, RFALSI; survey section 1.10).

mod falsi;
mod pulled;
mod state;

use num_complex::Complex64;

use super::bounded::Singular;
use super::objective::{Objective, Weights};
use super::parameter::Parameter;
use super::problem::Problem;
use super::settings::{Baseline, Lineshape, PriorsIn, Ratios, Search as SearchSettings, Turns};
use super::solver::Point;

/// Factor by which α_B falls and α_S rises from one trade-off to the next (RDALPB) …
const TRADE: f64 = 2.0;
/// … by which a multiplier is expanded where nothing brackets it (RALINC), and extrapolated at most (XTRPMX) …
const EXPAND: f64 = 2.0;
/// … and below which a change of it says that a bracket is wrong (RALIMN).
const LEAST_CHANGE: f64 = 1.02;
/// Relative slack of the limits.
const SLACK: f64 = 1e-5;
/// Penalty (σ²) of an α_B below the threshold (PNALPB), and the rise of the penalty that ends the trade-off (RPENMX).
const LOW_PENALTY: f64 = 9.0;
const PENALTY_RISE: f64 = 1.00001;
/// Part of a phase that is corrected at once (FREPHA).
const REPHASED_PART: f64 = 0.5;
/// Where data turn with the phases: most turns, and the phase (rad) that is none.
pub(super) const MOST_TURNS: usize = 4;
pub(super) const TURNED_RAD: f64 = 2e-3;
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

/// Which α's a multiplier acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vary {
    Baseline,
    Shape,
    Both,
}

/// Which range of probabilities is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Solution,
    Smoothing,
}

/// A bracket of the multiplier.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    low: [f64; 2],
    high: [f64; 2],
    start: f64,
}

/// Nothing known on either side; a sum of squares just below zero marks that.
const OPEN: Bracket = Bracket { low: [-f64::MIN_POSITIVE, 0.0], high: [f64::INFINITY, f64::INFINITY], start: 1.0 };

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
            SearchSettings::None => None,
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

    fn with_search(&mut self, test: &FTest) -> Result<(), Singular> {
        let least_shape = self.limits.shape[0];
        if self.problem.model.settings.ratios == Ratios::Lcmodel {
            let start = self.best_alpha()[0];
            let (ok, _) = self.regula_falsi(test, Vary::Baseline, Aim::Solution, true, [start, least_shape], OPEN)?;
            if ok {
                self.keep_best();
            }
            if let Some(near) = &self.near {
                self.weights.soft = self.problem.model.frozen_rows(self.problem, &near.point.linear.c);
            }
        }
        let mut stiffest: Option<Solution> = None;
        for round in 0..test.max_rephasings {
            self.phase_pair(test)?;
            let beyond = self.phase_is_beyond(test.max_phase_rad);
            if beyond && round + 1 == test.max_rephasings {
                // No stable phases: keep the ones found last.
                self.rephase(1.0);
                let places = [self.problem.layout.phi0(), self.problem.layout.phi1()];
                let parameters = &mut self.problem.layout.parameters;
                let free = places.map(|i| std::mem::replace(&mut parameters[i], Parameter::fixed(0.0)));
                let found = self.phase_pair(test);
                for (i, parameter) in places.into_iter().zip(free) {
                    self.problem.layout.parameters[i] = parameter;
                }
                found?;
            }
            let best = self.best.as_ref().ok_or(Singular)?;
            if stiffest.as_ref().is_none_or(|s| best.alpha[0] >= s.alpha[0]) {
                stiffest = Some(best.clone());
            }
            if !beyond {
                return Ok(());
            }
            self.part = REPHASED_PART;
        }
        self.best = stiffest;
        Ok(())
    }

    /// α's for the phases as they are (TWORG3).
    fn phase_pair(&mut self, test: &FTest) -> Result<(), Singular> {
        let [least_baseline, _, _] = self.limits.baseline;
        let [least_shape, _, most_shape] = self.limits.shape;
        let start = self.best_alpha()[0];
        let mut lowest_penalty = f64::INFINITY;
        let mut shape_before = (0, 0);
        let (ok, _) = self.regula_falsi(test, Vary::Baseline, Aim::Solution, true, [start, least_shape], OPEN)?;
        if !self.is_kernel() {
            if ok {
                self.keep_best();
            }
            return Ok(());
        }
        for _ in 0..test.max_decreases {
            let [alpha_baseline, alpha_shape] = self.near_alpha();
            let bracket = Bracket { low: [self.reference.0, 0.0], ..OPEN };
            let from = [alpha_baseline / TRADE, alpha_shape * TRADE];
            let (ok, _) = self.regula_falsi(test, Vary::Both, Aim::Solution, false, from, bracket)?;
            let near = self.near.as_ref().ok_or(Singular)?;
            if ok {
                let (extrema, inflections) = self.shape_of(&near.point.p);
                if near.penalty < lowest_penalty {
                    lowest_penalty = near.penalty;
                    shape_before = (extrema, inflections);
                    self.keep_best();
                } else if near.penalty >= PENALTY_RISE * lowest_penalty {
                    break;
                }
                if extrema <= 1 {
                    break;
                }
            }
            let [alpha_baseline, alpha_shape] = self.near_alpha();
            if alpha_baseline <= least_baseline || alpha_shape >= most_shape {
                break;
            }
        }
        if lowest_penalty.is_infinite() {
            self.keep_best();
            shape_before = self.best.as_ref().map_or((0, 0), |b| self.shape_of(&b.point.p));
        }
        let [best_baseline, best_shape] = self.best_alpha();
        if shape_before.1 > 2 && best_baseline > least_baseline && best_shape < most_shape {
            self.smooth_shape(test, shape_before)?;
        }
        Ok(())
    }

    /// A smoother lineshape at the price of a worse fit, and then back to the range (steps 2 and 3).
    fn smooth_shape(&mut self, test: &FTest, shape_before: (usize, usize)) -> Result<(), Singular> {
        let best = self.best.clone().ok_or(Singular)?;
        let [alpha_baseline, alpha_shape] = best.alpha;
        self.aim(test, Aim::Smoothing);
        self.p.clone_from(&best.point.p);
        let bracket = Bracket { low: [best.point.linear.sum_of_squares, 1.0], start: EXPAND, ..OPEN };
        let (ok, probability) =
            self.regula_falsi(test, Vary::Shape, Aim::Smoothing, false, [alpha_baseline, alpha_shape], bracket)?;
        if !ok {
            return Ok(());
        }
        let near = self.near.clone().ok_or(Singular)?;
        let smooth = self.shape_of(&near.point.p).1 <= 2;
        let high = [near.point.linear.sum_of_squares, 1.0];
        let bracket = Bracket { high, start: 1.0 / EXPAND, ..OPEN };
        let from = [alpha_baseline, near.alpha[1]];
        let mut ok = ok;
        if smooth {
            if probability > test.probability[1] {
                self.aim(test, Aim::Solution);
                let bracket = Bracket { low: [self.reference.0, 0.0], ..bracket };
                ok = self.regula_falsi(test, Vary::Both, Aim::Solution, false, from, bracket)?.0;
            }
        } else {
            self.aim(test, Aim::Solution);
            ok = self.regula_falsi(test, Vary::Baseline, Aim::Solution, false, from, bracket)?.0;
        }
        let near = self.near.as_ref().ok_or(Singular)?;
        let (extrema, inflections) = self.shape_of(&near.point.p);
        if ok && (extrema < shape_before.0 || inflections < shape_before.1) {
            self.keep_best();
        }
        Ok(())
    }
}

/// Phase at the window's ends beyond which data are turned where no search is made (LCModel's DEGMAX).
const MAX_PHASE_RAD: f64 = 12.5 * std::f64::consts::PI / 180.0;
