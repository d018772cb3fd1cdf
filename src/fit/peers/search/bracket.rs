//! The bracket of a regula falsi: what is known of the sum of squares on either side of the range that is aimed at, and
//! where to try next (the second half of LCModel's RFALSI).
//!
//! The sum of squares S rises with the multiplier m of the regularisation, but for local minima of the fits and a
//! reference that is none. RFALSI therefore goes to where a straight line between two fits meets the middle of the range,
//! and falls back on fixed factors wherever such a line has no ends to trust.

/// Factor by which a multiplier is expanded where nothing brackets it (RALINC), and extrapolated at most (XTRPMX) …
pub(super) const EXPAND: f64 = 2.0;
/// … and the one below which a change of it says that a bracket is wrong (RALIMN).
const LEAST_CHANGE: f64 = 1.02;

/// A fit: its sum of squares, and the multiplier that gave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct End {
    pub(super) sum_of_squares: f64,
    pub(super) multiplier: f64,
}

/// The fits next to the range that is aimed at, one below and one above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bracket {
    pub(super) low: End,
    pub(super) high: End,
}

/// Nothing known on either side; a sum of squares just below zero marks that.
pub(super) const OPEN: Bracket = Bracket {
    low: End { sum_of_squares: -f64::MIN_POSITIVE, multiplier: 0.0 },
    high: End { sum_of_squares: f64::INFINITY, multiplier: f64::INFINITY },
};

impl Bracket {
    /// The multiplier to try after the fit `at`, which becomes an end; `None` where its sum of squares is in `range`.
    /// `reference` is the sum of squares of the reference solution.
    pub(super) fn next(&mut self, at: End, reference: f64, range: [f64; 2]) -> Option<f64> {
        let aimed = middle(range);
        let sum = at.sum_of_squares;
        let next = if sum <= reference.max(self.low.sum_of_squares) {
            self.below_all(at)
        } else if sum >= self.high.sum_of_squares {
            self.above_all(at)
        } else if sum > range[1] {
            self.back(at, aimed)
        } else if sum < range[0] {
            self.onwards(at, aimed)
        } else {
            return None;
        };
        self.distrust(at.multiplier, next);
        Some(next)
    }

    /// S is no larger than what lies below it: a local minimum, of the low end's fit or of the reference. The fit is the
    /// new low end, and the next one lies halfway to the high end.
    fn below_all(&mut self, at: End) -> f64 {
        self.low = at;
        let expanded = at.multiplier * EXPAND;
        let is_open = !self.high.multiplier.is_finite();
        if is_open { expanded } else { (0.5 * (at.multiplier + self.high.multiplier)).min(expanded) }
    }

    /// S is larger than what lies above it: a local minimum of this fit. Neither end moves, and the next fit lies halfway to
    /// the low end.
    fn above_all(&self, at: End) -> f64 {
        (0.5 * (at.multiplier + self.low.multiplier)).max(at.multiplier / EXPAND)
    }

    /// S is above the range: back, along the line through whichever end is nearer to the middle of the range. The fit is
    /// the new high end.
    fn back(&mut self, at: End, aimed: f64) -> f64 {
        let Self { low, high } = *self;
        self.high = at;
        let nearer_high = high.sum_of_squares - aimed <= aimed - low.sum_of_squares;
        if nearer_high {
            let back = high.multiplier
                - (high.multiplier - at.multiplier) * (high.sum_of_squares - aimed)
                    / (high.sum_of_squares - at.sum_of_squares);
            let back = back.max(at.multiplier / EXPAND);
            // A line that leads past the low end is none to follow.
            if back <= low.multiplier { 0.5 * (at.multiplier + low.multiplier) } else { back }
        } else if low.sum_of_squares < 0.0 {
            at.multiplier / EXPAND
        } else {
            through(low, at, aimed)
        }
    }

    /// S is below the range: onwards, likewise; extrapolated where there is no high end yet. The fit is the new low end.
    fn onwards(&mut self, at: End, aimed: f64) -> f64 {
        let Self { low, high } = *self;
        self.low = at;
        let expanded = at.multiplier * EXPAND;
        if high.sum_of_squares.is_infinite() {
            return if low.sum_of_squares < 0.0 { expanded } else { through(low, at, aimed).min(expanded) };
        }
        let nearer_low = aimed - low.sum_of_squares <= high.sum_of_squares - aimed && low.sum_of_squares > 0.0;
        if !nearer_low {
            return at.multiplier
                + (high.multiplier - at.multiplier) * (aimed - at.sum_of_squares)
                    / (high.sum_of_squares - at.sum_of_squares);
        }
        let beyond = through(low, at, aimed);
        if beyond < high.multiplier {
            return beyond;
        }
        // The line leads past the high end: that one was a local minimum's.
        self.high = OPEN.high;
        beyond.min(expanded)
    }

    /// A multiplier that hardly moves says that the end ahead of it is wrong: that end is opened again.
    fn distrust(&mut self, from: f64, to: f64) {
        if to > from && to / from < LEAST_CHANGE {
            self.high = OPEN.high;
        } else if to < from && from / to < LEAST_CHANGE {
            self.low = OPEN.low;
        }
    }
}

/// Middle of a range.
pub(super) fn middle([low, high]: [f64; 2]) -> f64 {
    0.5 * (low + high)
}

/// Multiplier at which the line from the fit `low` through the fit `at` meets the sum of squares `aimed`.
fn through(low: End, at: End, aimed: f64) -> f64 {
    low.multiplier
        + (at.multiplier - low.multiplier) * (aimed - low.sum_of_squares) / (at.sum_of_squares - low.sum_of_squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: [f64; 2] = [1.2, 1.3];

    fn end(multiplier: f64, sum_of_squares: f64) -> End {
        End { sum_of_squares, multiplier }
    }

    #[test]
    fn nothing_known_expands_and_a_straight_line_is_met_at_once() {
        let mut bracket = OPEN;
        // The first fit, above the reference and below the range: no line yet.
        assert_eq!(bracket.next(end(1.0, 1.1), 1.0, RANGE), Some(EXPAND));
        // The second one, above it, with S = 1 + m/10 from there on: the line leads to S = 1.25.
        let next = bracket.next(end(4.0, 1.4), 1.0, RANGE);
        assert!(next.is_some_and(|m| (m - 2.5).abs() < 1e-12), "{next:?}");
        assert_eq!(bracket, Bracket { low: end(1.0, 1.1), high: end(4.0, 1.4) });
        assert_eq!(bracket.next(end(2.5, 1.25), 1.0, RANGE), None);
    }

    #[test]
    fn extrapolation_ends_at_the_factor() {
        let mut bracket = Bracket { low: end(1.0, 1.1), ..OPEN };
        assert_eq!(bracket.next(end(2.0, 1.1001), 1.0, RANGE), Some(4.0));
    }

    #[test]
    fn local_minima_go_halfway_to_the_other_end() {
        let known = Bracket { low: end(1.0, 1.1), high: end(3.0, 1.5) };
        let (mut below, mut above) = (known, known);
        assert_eq!(below.next(end(2.0, 1.05), 1.0, RANGE), Some(2.5));
        assert_eq!(below.low, end(2.0, 1.05));
        assert_eq!(above.next(end(2.0, 1.6), 1.0, RANGE), Some(1.5));
        assert_eq!(above, known);
    }

    #[test]
    fn an_end_that_holds_a_multiplier_fast_is_opened() {
        let mut bracket = Bracket { low: end(1.0, 1.1), high: end(2.02, 1.3001) };
        let next = bracket.next(end(2.0, 1.15), 1.0, RANGE);
        assert!(next.is_some_and(|m| m > 2.0 && m < 2.0 * LEAST_CHANGE), "{next:?}");
        assert_eq!(bracket.high, OPEN.high);
    }
}
