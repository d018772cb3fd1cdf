//! Regula falsi for a multiplier of α_B, α_S or both (RFALSI of LCModel).

use super::super::bounded::Singular;
use super::super::fisher;
use super::super::solver::Point;
use super::{Aim, Bracket, EXPAND, Event, FTest, LEAST_CHANGE, OPEN, SLACK, Search, Vary};

impl Search<'_, '_> {
    /// Searches a multiplier of the α's `from` at which the sum of squares is in the range aimed at; whether it was
    /// found, and the probability there (RFALSI). `rephase`: turns the data and makes a new reference first.
    pub(super) fn regula_falsi(
        &mut self,
        test: &FTest,
        vary: Vary,
        aim: Aim,
        rephase: bool,
        from: [f64; 2],
        bracket: Bracket,
    ) -> Result<(bool, f64), Singular> {
        let [b_min, _, b_max] = self.limits.baseline;
        let [s_min, _, s_max] = self.limits.shape;
        if rephase {
            let part = std::mem::replace(&mut self.part, 1.0);
            self.rephase(part);
            self.set_alpha([b_min, s_min]);
            let reference = self.fit(false)?;
            self.follow_sigma = false;
            self.set_reference(test, aim, &reference);
        }
        let from = [from[0].clamp(b_min, b_max), from[1].clamp(s_min, s_max)];
        let Bracket { mut low, mut high, start: mut alpha } = bracket;
        let (at_most, at_least) =
            (|v: f64, max: f64| v >= (1.0 - SLACK) * max, |v: f64, min: f64| v <= (1.0 + SLACK) * min);
        let mut nearest = f64::INFINITY;
        let mut found = false;
        self.set_alpha(from);
        for attempt in 0..test.max_fits {
            let before = self.alpha();
            let baseline = (from[0] * alpha).clamp(b_min, b_max);
            let shape = (from[1] * alpha).clamp(s_min, s_max);
            match vary {
                Vary::Baseline => self.set_alpha([baseline, from[1]]),
                Vary::Shape => self.set_alpha([from[0], shape]),
                Vary::Both => self.set_alpha([baseline, shape]),
            }
            let now = self.alpha();
            // What the limits left of the multiplier.
            let (by_baseline, by_shape) = (now[0] / from[0], now[1] / from[1]);
            alpha = match vary {
                Vary::Baseline => by_baseline,
                Vary::Shape => by_shape,
                Vary::Both if by_baseline.ln().abs() > by_shape.ln().abs() => by_baseline,
                Vary::Both => by_shape,
            };
            if attempt > 0 {
                let varied = |i: usize| vary == Vary::Both || (i == 0) == (vary == Vary::Baseline);
                let most = [b_max, s_max];
                let least = [b_min, s_min];
                let stuck_high = (0..2).filter(|&i| varied(i)).all(|i| at_most(before[i].min(now[i]), most[i]));
                let stuck_low = (0..2).filter(|&i| varied(i)).all(|i| at_least(before[i].max(now[i]), least[i]));
                if stuck_high {
                    if vary == Vary::Both {
                        found = self.near.as_ref().is_some_and(|n| n.point.linear.sum_of_squares <= self.range[1]);
                    }
                    break;
                }
                if stuck_low {
                    break;
                }
            }
            let Ok(point) = self.fit(!rephase) else {
                alpha *= EXPAND;
                continue;
            };
            let sum = point.linear.sum_of_squares;
            let (extrema, inflections) = self.shape_of(&point.p);
            self.events.push(Event::Fit {
                alpha_baseline: now[0],
                alpha_shape: now[1],
                sum_of_squares: sum,
                n_extrema: extrema,
                n_inflections: inflections,
            });
            if inflections <= 2 && sum <= self.range[1] {
                found = vary == Vary::Shape || (at_most(now[0], b_max) && (vary == Vary::Both || !self.is_kernel()));
            }
            let aimed = 0.5 * (self.range[0] + self.range[1]);
            if (sum - aimed).abs() < nearest || found {
                nearest = (sum - aimed).abs().min(nearest);
                self.keep_near(&point);
            }
            if found {
                break;
            }
            let old = alpha;
            if sum <= self.reference.0.max(low[0]) {
                // A local minimum before: of a neighbour, or of the reference.
                if sum < self.reference.0 {
                    self.set_reference(test, aim, &point);
                }
                low = [sum, alpha];
                alpha =
                    if high[1].is_finite() { (0.5 * (alpha + high[1])).min(alpha * EXPAND) } else { alpha * EXPAND };
            } else if sum >= high[0] {
                alpha = (0.5 * (alpha + low[1])).max(alpha / EXPAND);
            } else if sum > self.range[1] {
                if high[0] - aimed <= aimed - low[0] {
                    // Too far from the low end to go between: back from the high one.
                    let back = high[1] - (high[1] - alpha) * (high[0] - aimed) / (high[0] - sum);
                    alpha = back.max(alpha / EXPAND);
                    if alpha <= low[1] {
                        alpha = 0.5 * (old + low[1]);
                    }
                } else if low[0] < 0.0 {
                    alpha /= EXPAND;
                } else {
                    alpha = low[1] + (alpha - low[1]) * (aimed - low[0]) / (sum - low[0]);
                }
                high = [sum, old];
            } else if sum < self.range[0] {
                if high[0].is_infinite() {
                    let beyond = low[1] + (alpha - low[1]) * (aimed - low[0]) / (sum - low[0]);
                    alpha = if low[0] < 0.0 { alpha * EXPAND } else { beyond.min(EXPAND * alpha) };
                } else if aimed - low[0] <= high[0] - aimed && low[0] > 0.0 {
                    alpha = low[1] + (alpha - low[1]) * (aimed - low[0]) / (sum - low[0]);
                    if alpha >= high[1] {
                        alpha = alpha.min(old * EXPAND);
                        high = OPEN.high;
                    }
                } else {
                    alpha += (high[1] - alpha) * (aimed - sum) / (high[0] - sum);
                }
                low = [sum, old];
            } else {
                break;
            }
            if alpha > old && alpha / old < LEAST_CHANGE {
                high = OPEN.high;
            } else if alpha < old && old / alpha < LEAST_CHANGE {
                low = OPEN.low;
            }
        }
        let near = self.near.as_ref().ok_or(Singular)?;
        let probability = self.probability(near.point.linear.sum_of_squares);
        self.events.push(Event::Ended { probability });
        let [low, high] = self.probabilities(test, aim);
        Ok((found || (0.99 * low..=1.01 * high).contains(&probability), probability))
    }

    fn probabilities(&self, test: &FTest, aim: Aim) -> [f64; 2] {
        match aim {
            Aim::Solution => test.probability,
            Aim::Smoothing => test.smoothing,
        }
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

    pub(super) fn aim(&mut self, test: &FTest, aim: Aim) {
        let (reference, n) = (self.reference.0, self.reference.1 as f64);
        let rest = self.problem.grid.n_rows() as f64 - n;
        self.range = self.probabilities(test, aim).map(|p| reference * (1.0 + fisher::quantile(p, n, rest) * n / rest));
    }
}
