//! Regula falsi for a multiplier of α_B, α_S or both (RFALSI of LCModel).
//!
//! Each attempt multiplies the α's, cut to their limits ([`Search::multiply`]); ends where the limits leave nothing to
//! multiply ([`Search::stuck`]); fits; keeps the fit nearest to the range that is aimed at ([`Search::judge`]); and asks the
//! bracket for the next multiplier ([`Bracket::next`]).

use super::super::bounded::Singular;
use super::super::fisher;
use super::super::solver::Point;
use super::bracket::{Bracket, EXPAND, End, middle};
use super::{Event, FTest, Search};

/// Relative slack of the α's limits.
const SLACK: f64 = 1e-5;
/// A search that ends without a fit to its liking still succeeds where the probability misses its range by no more.
const MISSES_BY: f64 = 0.01;

/// Which α's a multiplier acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vary {
    Baseline,
    Shape,
    Both,
}

/// Which range of probabilities is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Solution,
    Smoothing,
}

/// A search to make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Falsi {
    pub(super) vary: Vary,
    pub(super) aim: Aim,
    /// Whether the data are phased and a new reference is made first.
    pub(super) rephase: bool,
    /// α's that are multiplied.
    pub(super) from: [f64; 2],
    pub(super) bracket: Bracket,
    /// Multiplier that is tried first.
    pub(super) start: f64,
}

impl Vary {
    /// Whether α number `i` (α_B, α_S) is multiplied.
    fn includes(self, i: usize) -> bool {
        self == Self::Both || (i == 0) == (self == Self::Baseline)
    }
}

impl Search<'_, '_> {
    /// Searches a multiplier of the α's at which the sum of squares is in the range aimed at; whether it was found, and the
    /// probability there.
    pub(super) fn regula_falsi(&mut self, test: &FTest, mut falsi: Falsi) -> Result<(bool, f64), Singular> {
        if falsi.rephase {
            self.new_reference(test, falsi.aim)?;
        }
        for (i, from) in falsi.from.iter_mut().enumerate() {
            let [min, max] = self.limits_of(i);
            *from = from.clamp(min, max);
        }
        let mut multiplier = falsi.start;
        let mut nearest = f64::INFINITY;
        let mut found = false;
        self.set_alpha(falsi.from);
        for attempt in 0..test.max_fits {
            let before = self.alpha();
            multiplier = self.multiply(&falsi, multiplier);
            if attempt > 0
                && let Some(is_solution) = self.stuck(falsi.vary, before)
            {
                found = is_solution;
                break;
            }
            let Ok(point) = self.fit(!falsi.rephase) else {
                multiplier *= EXPAND;
                continue;
            };
            found = self.judge(falsi.vary, &point, &mut nearest);
            if found {
                break;
            }
            let sum_of_squares = point.linear.sum_of_squares;
            if sum_of_squares < self.reference.0 {
                // The reference was a local minimum: this fit is the better one.
                self.set_reference(test, falsi.aim, &point);
            }
            match falsi.bracket.next(End { sum_of_squares, multiplier }, self.reference.0, self.range) {
                Some(next) => multiplier = next,
                None => break,
            }
        }
        let near = self.near.as_ref().ok_or(Singular)?;
        let probability = self.probability(near.point.linear.sum_of_squares);
        self.events.push(Event::Ended { probability });
        let [low, high] = probabilities(test, falsi.aim);
        let is_near = ((1.0 - MISSES_BY) * low..=(1.0 + MISSES_BY) * high).contains(&probability);
        Ok((found || is_near, probability))
    }

    /// Phases the data and makes a reference solution, least regularised, in them.
    fn new_reference(&mut self, test: &FTest, aim: Aim) -> Result<(), Singular> {
        let part = std::mem::replace(&mut self.part, 1.0);
        self.rephase(part);
        self.set_alpha([self.limits.baseline[0], self.limits.shape[0]]);
        let reference = self.fit(false)?;
        self.follow_sigma = false;
        self.set_reference(test, aim, &reference);
        Ok(())
    }

    /// Smallest and largest α number `i` (α_B, α_S).
    fn limits_of(&self, i: usize) -> [f64; 2] {
        let [min, _, max] = if i == 0 { self.limits.baseline } else { self.limits.shape };
        [min, max]
    }

    /// Sets the α's to `multiplier` times those of the start, as far as their limits allow; the multiplier that these leave,
    /// where both α's are multiplied that of the α which moves farther.
    fn multiply(&mut self, falsi: &Falsi, multiplier: f64) -> f64 {
        let from = falsi.from;
        let mut now = from;
        for i in (0..2).filter(|&i| falsi.vary.includes(i)) {
            let [min, max] = self.limits_of(i);
            now[i] = (from[i] * multiplier).clamp(min, max);
        }
        self.set_alpha(now);
        let (by_baseline, by_shape) = (now[0] / from[0], now[1] / from[1]);
        match falsi.vary {
            Vary::Baseline => by_baseline,
            Vary::Shape => by_shape,
            Vary::Both if by_baseline.ln().abs() > by_shape.ln().abs() => by_baseline,
            Vary::Both => by_shape,
        }
    }

    /// Where all α's that are multiplied stand at the same limits as `before`, more attempts would find nothing else: whether
    /// what is there counts as found. `None` where there is room.
    fn stuck(&self, vary: Vary, before: [f64; 2]) -> Option<bool> {
        let now = self.alpha();
        let all = |holds: &dyn Fn(usize) -> bool| (0..2).filter(|&i| vary.includes(i)).all(holds);
        if all(&|i| at_max(before[i].min(now[i]), self.limits_of(i)[1])) {
            // Stiffest of all: good enough where both were multiplied, if the fit is no worse than the range allows.
            let is_allowed = self.near.as_ref().is_some_and(|n| n.point.linear.sum_of_squares <= self.range[1]);
            return Some(vary == Vary::Both && is_allowed);
        }
        all(&|i| at_min(before[i].max(now[i]), self.limits_of(i)[0])).then_some(false)
    }

    /// Notes the fit `point`, and keeps it where it is the nearest to the range so far or a solution. It is a solution where
    /// its lineshape is smooth and its sum of squares no worse than the range allows, and α_B has room left above it.
    fn judge(&mut self, vary: Vary, point: &Point, nearest: &mut f64) -> bool {
        let sum_of_squares = point.linear.sum_of_squares;
        let [alpha_baseline, alpha_shape] = self.alpha();
        let (n_extrema, n_inflections) = self.shape_of(&point.p);
        self.events.push(Event::Fit { alpha_baseline, alpha_shape, sum_of_squares, n_extrema, n_inflections });
        let is_solution = n_inflections <= 2
            && sum_of_squares <= self.range[1]
            && match vary {
                Vary::Shape => true,
                Vary::Both => at_max(alpha_baseline, self.limits.baseline[2]),
                Vary::Baseline => at_max(alpha_baseline, self.limits.baseline[2]) && !self.is_kernel(),
            };
        let distance = (sum_of_squares - middle(self.range)).abs();
        if distance < *nearest || is_solution {
            *nearest = distance.min(*nearest);
            self.keep_near(point);
        }
        is_solution
    }

    /// Probability that the reference is better than a solution with this sum of squares.
    fn probability(&self, sum_of_squares: f64) -> f64 {
        let (reference, n) = (self.reference.0, self.reference.1 as f64);
        let rest = self.problem.grid.n_rows() as f64 - n;
        fisher::cdf((sum_of_squares - reference).max(0.0) / reference * rest / n, n, rest)
    }

    fn set_reference(&mut self, test: &FTest, aim: Aim, point: &Point) {
        self.reference = (point.linear.sum_of_squares, point.linear.n_parameters);
        self.aim(test, aim);
        let (sum_of_squares, n_parameters) = self.reference;
        self.events.push(Event::Reference { sum_of_squares, n_parameters, range: self.range });
    }

    /// Sets the range of sums of squares that has the probabilities aimed at.
    pub(super) fn aim(&mut self, test: &FTest, aim: Aim) {
        let (reference, n) = (self.reference.0, self.reference.1 as f64);
        let rest = self.problem.grid.n_rows() as f64 - n;
        self.range = probabilities(test, aim).map(|p| reference * (1.0 + fisher::quantile(p, n, rest) * n / rest));
    }
}

fn probabilities(test: &FTest, aim: Aim) -> [f64; 2] {
    match aim {
        Aim::Solution => test.probability,
        Aim::Smoothing => test.smoothing,
    }
}

/// Whether an α is at its upper limit.
fn at_max(value: f64, max: f64) -> bool {
    value >= (1.0 - SLACK) * max
}

/// Whether an α is at its lower limit.
fn at_min(value: f64, min: f64) -> bool {
    value <= (1.0 + SLACK) * min
}
