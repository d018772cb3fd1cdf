//! Trade-offs between the baseline's regularisation and the lineshape's (TWOREG and TWORG3 of LCModel).

use super::super::bounded::Singular;
use super::super::parameter::Parameter;
use super::super::settings::Ratios;
use super::bracket::{Bracket, EXPAND, End, OPEN};
use super::falsi::{Aim, Falsi, Vary};
use super::{FTest, REPHASED_PART, Search, Solution, TRADE};

/// Rise of the penalty that ends the trade-off (RPENMX).
const PENALTY_RISE: f64 = 1.00001;

/// The search after the data's phases have changed: α_B alone, from a new reference.
fn new_phase(from: [f64; 2]) -> Falsi {
    Falsi { vary: Vary::Baseline, aim: Aim::Solution, rephase: true, from, bracket: OPEN, start: 1.0 }
}

impl Search<'_, '_> {
    /// α_B and α_S by the probability that the reference solution is the better one, for phases that stay (TWOREG).
    pub(super) fn with_search(&mut self, test: &FTest) -> Result<(), Singular> {
        let least_shape = self.limits.shape[0];
        if self.problem.model.settings.ratios == Ratios::Lcmodel {
            let start = self.best_alpha()[0];
            let (ok, _) = self.regula_falsi(test, new_phase([start, least_shape]))?;
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
                let phases = [self.problem.layout.phi0(), self.problem.layout.phi1()];
                let parameters = &mut self.problem.layout.parameters;
                let free = phases.map(|i| std::mem::replace(&mut parameters[i], Parameter::fixed(0.0)));
                let found = self.phase_pair(test);
                for (i, parameter) in phases.into_iter().zip(free) {
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
        let (ok, _) = self.regula_falsi(test, new_phase([start, least_shape]))?;
        if !self.is_kernel() {
            if ok {
                self.keep_best();
            }
            return Ok(());
        }
        for _ in 0..test.max_decreases {
            let [alpha_baseline, alpha_shape] = self.near_alpha();
            let traded = Falsi {
                vary: Vary::Both,
                aim: Aim::Solution,
                rephase: false,
                from: [alpha_baseline / TRADE, alpha_shape * TRADE],
                bracket: Bracket { low: self.at_reference(), ..OPEN },
                start: 1.0,
            };
            let (ok, _) = self.regula_falsi(test, traded)?;
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

    /// The reference solution as the low end of a bracket.
    fn at_reference(&self) -> End {
        End { sum_of_squares: self.reference.0, multiplier: 0.0 }
    }

    /// A smoother lineshape at the price of a worse fit, and then back to the range (steps 2 and 3). `shape_before`: extrema
    /// and inflections of the best lineshape so far.
    fn smooth_shape(&mut self, test: &FTest, shape_before: (usize, usize)) -> Result<(), Singular> {
        let best = self.best.clone().ok_or(Singular)?;
        let [alpha_baseline, _] = best.alpha;
        self.aim(test, Aim::Smoothing);
        self.p.clone_from(&best.point.p);
        let low = End { sum_of_squares: best.point.linear.sum_of_squares, multiplier: 1.0 };
        let smoother = Falsi {
            vary: Vary::Shape,
            aim: Aim::Smoothing,
            rephase: false,
            from: best.alpha,
            bracket: Bracket { low, ..OPEN },
            start: EXPAND,
        };
        let (mut ok, probability) = self.regula_falsi(test, smoother)?;
        if !ok {
            return Ok(());
        }
        let near = self.near.clone().ok_or(Singular)?;
        let is_smooth = self.shape_of(&near.point.p).1 <= 2;
        let high = End { sum_of_squares: near.point.linear.sum_of_squares, multiplier: 1.0 };
        let low = if is_smooth { self.at_reference() } else { OPEN.low };
        let back = Falsi {
            vary: if is_smooth { Vary::Both } else { Vary::Baseline },
            aim: Aim::Solution,
            rephase: false,
            from: [alpha_baseline, near.alpha[1]],
            bracket: Bracket { low, high },
            start: 1.0 / EXPAND,
        };
        // A smooth lineshape may be in the range already.
        if !is_smooth || probability > test.probability[1] {
            self.aim(test, Aim::Solution);
            ok = self.regula_falsi(test, back)?.0;
        }
        let near = self.near.as_ref().ok_or(Singular)?;
        let (extrema, inflections) = self.shape_of(&near.point.p);
        if ok && (extrema < shape_before.0 || inflections < shape_before.1) {
            self.keep_best();
        }
        Ok(())
    }
}
