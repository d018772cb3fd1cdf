//! How macromolecules' lines weaken against one another with echo time, mixing time and repetition time.
//!
//! The pattern of [`super::macromolecules`] comes from nulled scans at short echoes. Its lines have T2 from 17 to 32 ms: of
//! what TE 40 ms shows, 68 ms leave 40 % of the line at 0.9 ppm and 18 % of that at 2.0 ppm. Widths follow the field by themselves ([`super::macromolecules::Width`]).
//!
//! T2 at 9.4 T: Murali-Manohar S et al. Magn Reson Med 2020;84:542. T1 at 9.4 T: Wright AM et al. Magn Reson Med 2022;87:33. Both as their
//! authors' simulation has them, the mean of grey and white matter; there is no list as complete for 3 T. T2 hardly hangs on the
//! field (at 3 T simulations take 26 ms at 0.92 and 14 ms at 2.04 ppm; Landheer K et al. Magn Reson Med 2020;84:2327 measured there); T1 is some
//! 0.25 s at 2.1 T (Behar KL et al. Magn Reson Med 1994;32:294), and matters for mixing times and the shortest repetition times alone.

use super::macromolecules::{PatternPeak, pattern_peaks};

/// A place with its relaxation times.
struct Times {
    ppm: f64,
    t1_s: f64,
    t2_s: f64,
}

const fn times(ppm: f64, t1_s: f64, t2_s: f64) -> Times {
    Times { ppm, t1_s, t2_s }
}

/// By place. Beyond 3.2 ppm nobody has measured them: the last ones hold, which are near the mean of all.
const TIMES: [Times; 10] = [
    times(0.92, 0.287, 0.0310),
    times(1.21, 0.295, 0.0320),
    times(1.39, 0.290, 0.0290),
    times(1.67, 0.239, 0.0175),
    times(2.04, 0.283, 0.0165),
    times(2.26, 0.288, 0.0190),
    times(2.56, 0.392, 0.0195),
    times(2.70, 0.459, 0.0200),
    times(2.99, 0.390, 0.0170),
    times(3.21, 0.417, 0.0230),
];

/// Echo times that the pattern serves as it is (s): those of the scans that such patterns come from. Within this range
/// published patterns differ by more than relaxation makes of them.
const AS_IT_IS_S: (f64, f64) = (0.020, 0.040);
/// Repetition time from which all lines have recovered (s): the slowest to 97 %.
const RECOVERED_S: f64 = 1.5;
/// Steps in which mixing and repetition times tell protocols apart (s); what lies within one changes nothing.
const STEP_S: f64 = 0.005;

/// The times of a measurement that macromolecules' relaxation hangs on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weighting {
    /// Echo time (s).
    pub te_s: Option<f64>,
    /// Mixing time of STEAM (s).
    pub tm_s: Option<f64>,
    /// Repetition time (s).
    pub tr_s: Option<f64>,
}

/// Relaxation times (T1, T2; s) at a place, between its neighbours.
fn times_at(ppm: f64) -> (f64, f64) {
    let [first, .., last] = &TIMES;
    if ppm <= first.ppm {
        return (first.t1_s, first.t2_s);
    }
    let between = TIMES.windows(2).find_map(|pair| match pair {
        [a, b] if ppm <= b.ppm => {
            let part = (ppm - a.ppm) / (b.ppm - a.ppm);
            Some((a.t1_s + part * (b.t1_s - a.t1_s), a.t2_s + part * (b.t2_s - a.t2_s)))
        }
        _ => None,
    });
    between.unwrap_or((last.t1_s, last.t2_s))
}

impl Weighting {
    /// What is left of a line at `ppm`, of what short echoes show of it. Times that nobody knows leave it as it is.
    pub fn left(&self, ppm: f64) -> f64 {
        let known = |time: Option<f64>| time.filter(|s| s.is_finite() && *s > 0.0);
        let (t1_s, t2_s) = times_at(ppm);
        let beyond_s = known(self.te_s).map_or(0.0, |te| te - te.clamp(AS_IT_IS_S.0, AS_IT_IS_S.1));
        let mixed_s = known(self.tm_s).unwrap_or(0.0);
        let recovered = |tr_s: f64| 1.0 - (-tr_s / t1_s).exp();
        let tr_s = known(self.tr_s).unwrap_or(RECOVERED_S).min(RECOVERED_S);
        (-beyond_s / t2_s - mixed_s / t1_s).exp() * recovered(tr_s) / recovered(RECOVERED_S)
    }

    /// The built-in pattern as it is at these times, its whole area as before: how much there is of it the fit finds.
    /// `None` where nothing changes.
    pub fn pattern(&self) -> Option<Vec<PatternPeak>> {
        let mut peaks = pattern_peaks();
        let before: f64 = peaks.iter().map(|peak| peak.area).sum();
        peaks.iter_mut().for_each(|peak| peak.area *= self.left(peak.ppm));
        let after: f64 = peaks.iter().map(|peak| peak.area).sum();
        let is_usable = after > 0.0 && after.is_finite();
        (is_usable && *self != Self::default() && self.changes()).then(|| {
            peaks.iter_mut().for_each(|peak| peak.area *= before / after);
            peaks
        })
    }

    fn changes(&self) -> bool {
        TIMES.iter().any(|times| (self.left(times.ppm) - 1.0).abs() > 1e-9)
    }

    /// The same with mixing and repetition times in steps, so that spectra of one protocol share a model.
    #[must_use]
    pub fn in_steps(self) -> Self {
        let in_steps = |time: Option<f64>| time.map(|s| (s / STEP_S).round() * STEP_S);
        Self { te_s: self.te_s, tm_s: in_steps(self.tm_s), tr_s: in_steps(self.tr_s.map(|s| s.min(RECOVERED_S))) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn at(te_s: f64) -> Weighting {
        Weighting { te_s: Some(te_s), ..Weighting::default() }
    }

    fn area(peaks: &[PatternPeak], name: &str) -> f64 {
        peaks.iter().find(|peak| peak.name == name).unwrap().area
    }

    #[test]
    fn usual_short_echoes_leave_the_pattern_as_it_is() {
        for te_s in [0.020, 0.028, 0.030, 0.035, 0.040] {
            let press = Weighting { tr_s: Some(2.0), ..at(te_s) };
            assert!(press.pattern().is_none() && press.left(0.9) == 1.0, "{te_s}");
        }
        assert!(Weighting::default().pattern().is_none());
        assert!(Weighting { te_s: Some(f64::NAN), tr_s: Some(-1.0), ..Weighting::default() }.pattern().is_none());
    }

    #[test]
    fn long_echoes_keep_what_decays_slowly() {
        let whole: f64 = pattern_peaks().iter().map(|peak| peak.area).sum();
        let long = at(0.068).pattern().unwrap();
        assert!((long.iter().map(|peak| peak.area).sum::<f64>() - whole).abs() < 1e-12);
        // 28 ms beyond the range: exp(−28/31) of the line at 0.9 ppm and exp(−28/16.6) of that at 2.0 ppm.
        let ratio = area(&long, "MM_0.90") / area(&long, "MM_2.01");
        let expected = (0.72 / 0.45) * (-0.028_f64 / 0.031).exp() / (-0.028_f64 / 0.016_581).exp();
        assert!((ratio / expected - 1.0).abs() < 1e-3, "{ratio} {expected}");
        assert!((at(0.068).left(0.90) - 0.405).abs() < 1e-3);
        // Shorter echoes show more of what decays fast, and the longest ones leave numbers.
        assert!(at(0.006).left(2.04) > at(0.006).left(0.92) && at(0.006).left(0.92) > 1.0);
        assert!(at(0.288).pattern().unwrap().iter().all(|peak| peak.area >= 0.0 && peak.area.is_finite()));
    }

    #[test]
    fn mixing_and_short_repetition_times_take_more_of_what_recovers_slowly_or_fast() {
        let steam = Weighting { tm_s: Some(0.060), ..at(0.020) };
        assert!((steam.left(0.92) - (-0.060_f64 / 0.287).exp()).abs() < 1e-12);
        assert!(steam.left(1.67) < steam.left(2.70));
        let fast = Weighting { tr_s: Some(0.5), ..at(0.030) };
        assert!(fast.left(2.70) < fast.left(1.67) && fast.left(1.67) < 1.0);
        let (a, b) = (Weighting { tr_s: Some(2.0), ..at(0.03) }, Weighting { tr_s: Some(2.0004), ..at(0.03) });
        assert_eq!(a.in_steps(), b.in_steps());
    }

    #[test]
    fn times_between_places_lie_between_theirs() {
        assert_eq!(times_at(0.5), (0.287, 0.0310));
        assert_eq!(times_at(3.9), (0.417, 0.0230));
        let (t1, t2) = times_at(1.30);
        assert!((t1 - 0.2925).abs() < 1e-12 && (t2 - 0.0305).abs() < 1e-12, "{t1} {t2}");
    }
}
