//! Where the editing pulses of a file's spectra stand.

use num_complex::Complex64;

use crate::acquisition::Acquisition;
use crate::basis::simulate::edited::{Condition, Edited};
use crate::prepare::edit::{Combination, is_edited, scheme};

/// Samples of nothing: where pulses or labels tell the order of conditions, nobody looks at data.
const NOTHING: usize = 64;

/// The conditions of an edited measurement whose pulses are known.
#[derive(Debug, Clone, PartialEq)]
pub struct EditConditions {
    labels: Vec<String>,
    pulses_ppm: Vec<Vec<f64>>,
    combinations: Vec<Combination>,
}

impl EditConditions {
    /// Of a measurement; `None` where it is not edited or says nothing about its pulses.
    pub(super) fn of(data: &Acquisition) -> Option<Self> {
        let pulses_ppm = data.editing.as_ref()?.pulses_ppm.clone();
        let n = data.n_conditions();
        if pulses_ppm.len() != n || pulses_ppm.iter().all(Vec::is_empty) {
            return None;
        }
        if n == 1 {
            let labels = data.condition_labels.iter().map(|label| label.to_lowercase()).collect();
            return Some(Self { labels, pulses_ppm, combinations: Vec::new() });
        }
        let nothing = vec![vec![Complex64::ZERO; NOTHING]; n];
        let (dwell_s, f0_mhz) = (data.facts.dwell_s?, data.facts.f0_mhz?);
        let scheme = is_edited(data).then(|| scheme(data, &nothing, dwell_s, f0_mhz))?;
        Some(Self { labels: scheme.labels, pulses_ppm, combinations: scheme.combinations })
    }

    /// Those of a condition or combination by its name.
    fn named(&self, name: &str) -> Edited {
        let condition = |(pulses_ppm, sign): (&Vec<f64>, f64)| Condition { sign, pulses_ppm: pulses_ppm.clone() };
        if let Some(index) = self.labels.iter().position(|label| label == name) {
            return self.pulses_ppm.get(index).map_or(Edited::Unknown, |p| Edited::Known(vec![condition((p, 1.0))]));
        }
        let combination = self.combinations.iter().find(|combination| combination.name == name);
        combination.map_or(Edited::Unknown, |combination| {
            let signs = combination.signs.iter().copied();
            Edited::Known(self.pulses_ppm.iter().zip(signs).map(condition).collect())
        })
    }
}

/// What is known of the editing of a spectrum. Without pulses a difference or ON cannot be simulated; OFF and what else
/// stands beside them is as without editing.
pub(super) fn edited(
    conditions: Option<&EditConditions>,
    is_edited: bool,
    (name, is_difference): (&str, bool),
) -> Edited {
    match conditions {
        Some(conditions) if name.is_empty() => {
            conditions.labels.first().map_or(Edited::No, |own| conditions.named(own))
        }
        Some(conditions) => conditions.named(name),
        None if is_difference || is_edited && name == "on" => Edited::Unknown,
        None => Edited::No,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use ndarray::Array5;

    use super::*;
    use crate::acquisition::{Editing, Facts};

    fn data(labels: &[&str], pulses_ppm: Vec<Vec<f64>>) -> Acquisition {
        let samples = Array5::zeros((1, labels.len(), 1, 1, 8));
        Acquisition {
            facts: Facts { dwell_s: Some(5e-4), f0_mhz: Some(123.2), ..Facts::default() },
            condition_labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            editing: Some(Editing { pulses_ppm, ..Editing::default() }),
            ..Acquisition::from_samples("test", samples)
        }
    }

    fn of(data: &Acquisition, condition: &str) -> Vec<(f64, Vec<f64>)> {
        match edited(EditConditions::of(data).as_ref(), true, (condition, condition.starts_with("diff"))) {
            Edited::Known(all) => all.into_iter().map(|c| (c.sign, c.pulses_ppm)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn differences_are_of_conditions_with_their_signs_whatever_their_order() {
        let mega = data(&["1", "2"], vec![vec![7.5], vec![1.9]]);
        assert_eq!(of(&mega, "on"), [(1.0, vec![1.9])]);
        assert_eq!(of(&mega, "diff"), [(-1.0, vec![7.5]), (1.0, vec![1.9])]);
        assert_eq!(of(&mega, "sum"), [(1.0, vec![7.5]), (1.0, vec![1.9])]);
        let hermes = data(&["a", "b", "c", "d"], vec![vec![4.56], vec![7.5], vec![1.9], vec![4.56, 1.9]]);
        let signs: Vec<f64> = of(&hermes, "diff_gaba").iter().map(|(sign, _)| *sign).collect();
        assert_eq!(signs, [-1.0, -1.0, 1.0, 1.0]);
        assert_eq!(of(&hermes, "d"), [(1.0, vec![4.56, 1.9])]);
    }

    #[test]
    fn without_pulses_a_difference_is_unknown_and_off_is_as_without_editing() {
        let silent = data(&["on", "off"], vec![vec![], vec![]]);
        let conditions = EditConditions::of(&silent);
        let of = |name| edited(conditions.as_ref(), true, (name, name == "diff"));
        assert_eq!(
            [of("diff"), of("on"), of("off"), of("sum")],
            [Edited::Unknown, Edited::Unknown, Edited::No, Edited::No]
        );
        assert_eq!(edited(None, false, ("on", false)), Edited::No);
        assert_eq!(edited(None, false, ("b=614", false)), Edited::No);
    }
}
