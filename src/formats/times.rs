//! Conditions that were measured with times of their own: spectra of two echo times are two measurements, each with its own.

use crate::acquisition::{Acquisition, Facts, Samples};

/// Times of a condition, where they are not the measurement's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Times {
    /// Echo time (s).
    pub(super) te_s: Option<f64>,
    /// Repetition time (s).
    pub(super) tr_s: Option<f64>,
    /// Mixing time (s).
    pub(super) tm_s: Option<f64>,
}

impl Times {
    /// What they say, and what `facts` say where they are silent.
    fn or(self, facts: &Facts) -> Facts {
        let Self { te_s, tr_s, tm_s } = self;
        let (te_s, tr_s, tm_s) = (te_s.or(facts.te_s), tr_s.or(facts.tr_s), tm_s.or(facts.tm_s));
        Facts { te_s, tr_s, tm_s, ..facts.clone() }
    }

    /// A short name of a measurement: what it differs in from the first (`te144`).
    fn name(self, first: Self, number: usize) -> String {
        let parts = [("te", self.te_s, first.te_s), ("tr", self.tr_s, first.tr_s), ("tm", self.tm_s, first.tm_s)];
        let differs = |(what, own, first): (&str, Option<f64>, Option<f64>)| {
            own.filter(|_| own != first).map(|s| format!("{what}{}", (s * 1e6).round() / 1e3))
        };
        let names: Vec<String> = parts.into_iter().filter_map(differs).collect();
        if names.is_empty() { format!("part{}", number + 1) } else { names.join("_") }
    }
}

/// The conditions of the first times as the measurement, those of others as further ones. `times` has an entry for each
/// condition.
pub(super) fn apart(data: Acquisition, times: &[Times]) -> Acquisition {
    let mut groups: Vec<(Times, Vec<usize>)> = Vec::new();
    for (condition, own) in times.iter().enumerate() {
        match groups.iter_mut().find(|(times, _)| times == own) {
            Some((_, conditions)) => conditions.push(condition),
            None => groups.push((*own, vec![condition])),
        }
    }
    if times.len() != data.n_conditions() || groups.is_empty() {
        return data;
    }
    if let [(times, _)] = groups.as_slice() {
        return Acquisition { facts: times.or(&data.facts), ..data };
    }
    let first_times = groups[0].0;
    let mut all = groups.into_iter().enumerate().map(|(number, (times, conditions))| {
        let name = times.name(first_times, number);
        (name, Acquisition { facts: times.or(&data.facts), ..of_conditions(&data, conditions) })
    });
    let Some((_, mut first)) = all.next() else { return data };
    first.further = all.collect();
    // They are said once.
    first.further.iter_mut().for_each(|(_, further)| further.remarks.clear());
    first
}

/// The same measurement with some of its conditions.
fn of_conditions(data: &Acquisition, conditions: Vec<usize>) -> Acquisition {
    let labels = if let [_] = conditions.as_slice() {
        // Its times are its name.
        vec![String::new()]
    } else {
        conditions.iter().filter_map(|c| data.condition_labels.get(*c).cloned()).collect()
    };
    let mut editing = data.editing.clone();
    if let Some(editing) = &mut editing {
        editing.pulses_ppm = conditions.iter().filter_map(|c| editing.pulses_ppm.get(*c).cloned()).collect();
    }
    let [voxels, _, transients, coils, points] = data.samples.shape();
    let shape = [voxels, conditions.len(), transients, coils, points];
    let all = data.samples.clone();
    let samples = Samples::stored_in_parts(shape, move |[voxel, condition, transient, coil], points| {
        all.points([voxel, conditions.get(condition).copied().unwrap_or_default(), transient, coil], points)
    });
    Acquisition { samples, condition_labels: labels, editing, ..data.clone() }
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;

    use super::*;

    #[test]
    fn conditions_of_other_times_are_measurements_of_their_own() {
        let samples =
            Array5::from_shape_fn((1, 4, 2, 1, 3), |(_, c, t, _, _)| Complex64::new((10 * c + t) as f64, 0.0));
        let mut data = Acquisition::from_samples("test", samples);
        data.condition_labels = ["a", "b", "a", "b"].map(str::to_owned).to_vec();
        data.facts = Facts { te_s: Some(0.03), tr_s: Some(2.0), ..Facts::default() };
        let te = |te_s: f64| Times { te_s: Some(te_s), ..Times::default() };
        let both = apart(data.clone(), &[te(0.03), te(0.03), te(0.144), te(0.144)]);
        assert_eq!((both.facts.te_s, both.n_conditions(), both.further.len()), (Some(0.03), 2, 1));
        let (name, further) = &both.further[0];
        assert_eq!((name.as_str(), further.facts.te_s, further.facts.tr_s), ("te144", Some(0.144), Some(2.0)));
        assert_eq!(
            (further.condition_labels.join(","), further.samples.at([0, 1, 1, 0, 0]).re),
            ("a,b".to_owned(), 31.0)
        );
        // All alike: the measurement's.
        let one = apart(data.clone(), &[te(0.05); 4]);
        assert_eq!((one.facts.te_s, one.n_conditions(), one.further.len()), (Some(0.05), 4, 0));
        let four = apart(data, &[0.02, 0.0205, 0.03, 0.04].map(te));
        let names: Vec<&str> = four.further.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names.join(" "), four.condition_labels.join(",")), ("te20.5 te30 te40".to_owned(), String::new()));
    }
}
