//! Which condition of a water reference belongs to a spectrum: one of its echo and repetition time.

use crate::acquisition::{Acquisition, Facts};

/// Relative difference from which echo or repetition times of a water reference are not the measurement's.
pub const TIMES_DIFFER: f64 = 0.02;

/// A condition of a water reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaterCondition {
    /// Its number.
    pub number: usize,
    /// Whether its water is the spectrum's; else coils and phases alone are.
    pub is_right: bool,
}

impl WaterCondition {
    /// The one for a condition of `data`.
    pub fn of(data: &Acquisition, condition: usize, water: &Acquisition) -> Self {
        let right = |number| Self { number, is_right: true };
        let n = water.n_conditions();
        if n <= 1 {
            return right(0);
        }
        let is_alike = n == data.n_conditions();
        let all = || (0..n).map(|number| Times::of_label(water, number));
        if !all().any(|times| times.te_s.or(times.tr_s).is_some()) {
            // Edit pulses leave water alone.
            let is_right = is_alike || water.editing.is_some();
            return Self { number: if is_alike { condition } else { 0 }, is_right };
        }
        let own = facts(data, condition);
        let fitting: Vec<usize> =
            (0..n).zip(all()).filter(|(_, times)| times.fit(&own)).map(|(number, _)| number).collect();
        let has_its_label =
            |number: &usize| water.condition_labels.get(*number) == data.condition_labels.get(condition);
        match fitting.as_slice() {
            [number] => right(*number),
            several => match several.iter().find(|number| has_its_label(number)) {
                Some(number) => right(*number),
                None if is_alike && several.contains(&condition) => right(condition),
                None => Self { number: 0, is_right: false },
            },
        }
    }
}

/// What is known of a condition: where its label states times, these.
pub fn facts(data: &Acquisition, condition: usize) -> Facts {
    let Times { te_s, tr_s } = Times::of_label(data, condition);
    Facts { te_s: te_s.or(data.facts.te_s), tr_s: tr_s.or(data.facts.tr_s), ..data.facts.clone() }
}

/// Times that the label of a condition states (`EchoTime=0.03`).
struct Times {
    te_s: Option<f64>,
    tr_s: Option<f64>,
}

impl Times {
    fn of_label(data: &Acquisition, condition: usize) -> Self {
        let label = data.condition_labels.get(condition).map(String::as_str).unwrap_or_default();
        let stated = |name: &str| {
            let mut parts = label.split(',').filter_map(|part| part.split_once('='));
            let seconds = parts.find(|(key, _)| key.trim() == name)?.1.trim().parse::<f64>().ok()?;
            (seconds.is_finite() && seconds > 0.0).then_some(seconds)
        };
        Self { te_s: stated("EchoTime"), tr_s: stated("RepetitionTime") }
    }

    /// Whether what is stated is what the spectrum has.
    fn fit(&self, own: &Facts) -> bool {
        let is_stated = self.te_s.or(self.tr_s).is_some();
        let fit = |stated: Option<f64>, own: Option<f64>| {
            stated.is_none_or(|stated| own.is_some_and(|own| (stated - own).abs() <= TIMES_DIFFER * own))
        };
        is_stated && fit(self.te_s, own.te_s) && fit(self.tr_s, own.tr_s)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;

    use super::*;
    use crate::acquisition::Editing;

    fn labelled(labels: &[&str], te_s: Option<f64>) -> Acquisition {
        let mut data = Acquisition::from_samples("test", Array5::zeros((1, labels.len(), 1, 1, 2)));
        data.condition_labels = labels.iter().map(|l| (*l).to_owned()).collect();
        data.facts.te_s = te_s;
        data
    }

    #[test]
    fn the_condition_of_the_spectrums_times_is_taken() {
        let of = |data: &Acquisition, condition, labels: &[&str]| {
            let found = WaterCondition::of(data, condition, &labelled(labels, Some(0.03)));
            found.is_right.then_some(found.number)
        };
        let own = labelled(&[""], Some(0.03));
        assert_eq!(of(&own, 0, &["EchoTime=0.06", "EchoTime=0.03"]), Some(1));
        assert_eq!(of(&own, 0, &["EchoTime=0.06", "EchoTime=0.12"]), None);
        assert_eq!(of(&labelled(&[""], None), 0, &["EchoTime=0.06", "EchoTime=0.03"]), None);
        // Each of the data's own.
        let several = labelled(&["EchoTime=0.03", "EchoTime=0.144"], None);
        let water = ["EchoTime=0.144", "EchoTime=0.03"];
        assert_eq!((of(&several, 0, &water), of(&several, 1, &water)), (Some(1), Some(0)));
        // Two of one echo time: nobody says which.
        let both = ["EchoTime=0.03,b=0", "EchoTime=0.03,b=800"];
        assert_eq!(of(&own, 0, &both), None);
        assert_eq!(of(&labelled(&["EchoTime=0.03,b=800"], None), 0, &both), Some(1));
        // Of other conditions nothing is known, but where both files have them alike.
        assert_eq!(of(&own, 0, &["b=0", "b=800"]), None);
        assert_eq!(of(&labelled(&["b=0", "b=800"], None), 1, &["b=0", "b=800"]), Some(1));
        assert_eq!(of(&own, 0, &["anything"]), Some(0));
    }

    #[test]
    fn any_edit_condition_of_water_serves() {
        let mut water = labelled(&["ON", "OFF"], None);
        water.editing = Some(Editing::default());
        let found = WaterCondition::of(&labelled(&["a", "b", "c", "d"], None), 3, &water);
        assert_eq!(found, WaterCondition { number: 0, is_right: true });
    }

    #[test]
    fn times_of_a_condition_are_its_labels() {
        let water = labelled(&["EchoTime=0.06,RepetitionTime=3", "x"], Some(0.03));
        assert_eq!((facts(&water, 0).te_s, facts(&water, 0).tr_s), (Some(0.06), Some(3.0)));
        assert_eq!(facts(&water, 1).te_s, Some(0.03));
    }
}
