//! What header extension and sidecars say about edit conditions: `EditCondition` names them in their order, `EditPulse` gives
//! the pulses of each (NIfTI-MRS: `PulseOffset`, BIDS: `FrequencyOffset`, both in ppm).

use serde_json::{Map, Value};

use super::keys::{TEXT_CHARS, first};
use crate::acquisition::{Acquisition, Conditions, Editing, Samples};

/// Chemical shifts that pulses can have (ppm); what lies outside is an offset in Hz.
const PULSES_PPM: (f64, f64) = (0.0, 30.0);
/// More names than any list of transients has.
const MOST_NAMES: usize = 1024;
/// What templates write where there is no editing.
const NOTHING: [&str; 4] = ["n/a", "na", "none", "null"];

/// What is stated of editing.
#[derive(Debug, Default)]
pub(super) struct StatedConditions {
    /// Names in the order of measurement.
    names: Option<Vec<String>>,
    pulses: Option<Value>,
}

impl StatedConditions {
    /// Of the header extension, with the headers of its dimensions, and of sidecars where that says nothing.
    pub(super) fn new(meta: &Map<String, Value>, sidecar: &Map<String, Value>, remarks: &mut Vec<String>) -> Self {
        let of_dimension = |key: &str| {
            let dimension = (5..=7).find(|i| is_edit(meta, *i))?;
            meta.get(&format!("dim_{dimension}_header"))?.get(key)
        };
        let own = of_dimension("EditCondition").or_else(|| meta.get("EditCondition")).and_then(names);
        let beside = sidecar.get("EditCondition").and_then(names);
        if let (Some(own), Some(beside)) = (&own, &beside)
            && !(own.len() == beside.len() && own.iter().zip(beside).all(|(a, b)| a.eq_ignore_ascii_case(b)))
        {
            let (own, beside) = (own.join(", "), beside.join(", "));
            remarks.push(format!("the sidecar's EditCondition is {beside} and the file's {own}: the file's was taken"));
        }
        let pulses = of_dimension("EditPulse").or_else(|| meta.get("EditPulse")).or_else(|| sidecar.get("EditPulse"));
        Self { names: own.or(beside), pulses: pulses.filter(|p| !p.is_null()).cloned() }
    }

    /// Names of `n` conditions along a dimension, numbers where others than `n` are stated; `None` where none are.
    pub(super) fn along(&self, n: usize, remarks: &mut Vec<String>) -> Option<Vec<String>> {
        let names = self.names.as_ref()?;
        let distinct = (1..names.len()).all(|i| !names[..i].contains(&names[i]));
        if names.len() == n && distinct {
            return Some(names.clone());
        }
        let what = if distinct { format!("{} conditions", names.len()) } else { "a condition twice".to_owned() };
        remarks.push(format!("EditCondition names {what}, and the file holds {n}: it was not used"));
        Some((0..n).map(|index| index.to_string()).collect())
    }

    /// Chemical shifts of the pulses of each condition; none at all where they are not known.
    pub(super) fn pulses_ppm(&self, names: &[String], remarks: &mut Vec<String>) -> Vec<Vec<f64>> {
        let unknown = vec![Vec::new(); names.len()];
        let Some(stated) = &self.pulses else { return unknown };
        let is_name = |key: &str, name: &str| key.trim().eq_ignore_ascii_case(name.trim());
        let of = |index: usize, name: &String| match stated {
            Value::Object(all) => all.iter().find(|(key, _)| is_name(key, name)).map(|(_, pulse)| offsets(pulse)),
            Value::Array(all) if all.len() == names.len() => all.get(index).map(offsets),
            _ => None,
        };
        let found: Vec<Option<Vec<f64>>> = names.iter().enumerate().map(|(i, name)| of(i, name)).collect();
        if found.iter().all(Option::is_none) {
            remarks.push("EditPulse says nothing of these conditions by their names: it was not used".to_owned());
            return unknown;
        }
        let pulses: Vec<Vec<f64>> = found.into_iter().map(Option::unwrap_or_default).collect();
        let (low, high) = PULSES_PPM;
        if let Some(offset) = pulses.iter().flatten().find(|offset| !(low..=high).contains(*offset)) {
            remarks.push(format!(
                "EditPulse has an offset of {offset}, which is no chemical shift in ppm: it was not used"
            ));
            return unknown;
        }
        pulses
    }

    /// Conditions of a file without a dimension for them: `EditCondition` names the one that the file holds, or that of each
    /// transient; where it names several, they lie among the transients in an unknown order.
    pub(super) fn sort(&self, mut data: Acquisition) -> Acquisition {
        let Some(names) = self.names.as_deref() else { return data };
        let mut remarks = Vec::new();
        let distinct: Vec<String> =
            names.iter().enumerate().filter(|(i, n)| !names[..*i].contains(n)).map(|(_, n)| n.clone()).collect();
        let of_each = |name: &String| (0..names.len()).filter(|t| &names[*t] == name).collect::<Vec<usize>>();
        let places: Vec<Vec<usize>> = distinct.iter().map(of_each).collect();
        let is_even = places.iter().all(|p| p.len() == places[0].len());
        if let [name] = distinct.as_slice() {
            remarks.push(format!("EditCondition says that the file holds the condition `{name}` alone"));
            data.editing = Some(Editing { pulses_ppm: self.pulses_ppm(&distinct, &mut remarks), ..Editing::default() });
            data.condition_labels = vec![name.to_lowercase()];
        } else if names.len() == data.n_transients()
            && data.n_transients() > 1
            && is_even
            && [2, 4].contains(&distinct.len())
        {
            let pulses_ppm = self.pulses_ppm(&distinct, &mut remarks);
            data = taken_apart(data, places, distinct);
            data.editing = Some(Editing { pulses_ppm, ..Editing::default() });
        } else {
            let n = Some(distinct.len()).filter(|n| [2, 4].contains(n) && names.len() == *n);
            remarks.push(format!(
                "EditCondition names {} conditions, and no dimension of the file is DIM_EDIT: their order is not known",
                distinct.len()
            ));
            data.editing =
                Some(Editing { pulses_ppm: Vec::new(), conditions: Conditions::Mixed(n), ..Editing::default() });
        }
        data.remarks.extend(remarks);
        data
    }
}

/// The same transients, those at `places` of each condition together.
fn taken_apart(data: Acquisition, places: Vec<Vec<usize>>, labels: Vec<String>) -> Acquisition {
    let [voxels, _, _, coils, points] = data.samples.shape();
    let all = data.samples;
    let shape = [voxels, places.len(), places.first().map_or(0, Vec::len), coils, points];
    let samples = Samples::stored_in_parts(shape, move |[voxel, condition, transient, coil], points| {
        let place = places.get(condition).and_then(|p| p.get(transient)).copied().unwrap_or_default();
        all.points([voxel, 0, place, coil], points)
    });
    Acquisition { samples, condition_labels: labels, ..data }
}

/// Whether a dimension says that it runs over edit conditions.
pub(super) fn is_edit(meta: &Map<String, Value>, dimension: usize) -> bool {
    first(meta.get(&format!("dim_{dimension}"))).and_then(Value::as_str) == Some("DIM_EDIT")
}

/// Names as a list, or as one text with something between them (`ON,OFF`).
pub(super) fn names(value: &Value) -> Option<Vec<String>> {
    let cut = |text: &str| text.trim().chars().take(TEXT_CHARS).collect::<String>();
    let name = |value: &Value| match value {
        Value::String(text) => Some(cut(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let names: Vec<String> = match value.get("Value").unwrap_or(value) {
        Value::Array(all) => all.iter().take(MOST_NAMES).map(name).collect::<Option<_>>()?,
        Value::String(text) if NOTHING.contains(&text.trim().to_lowercase().as_str()) => return None,
        Value::String(text) => {
            let between = |c: char| ",;/|".contains(c) || c.is_whitespace();
            text.split(between).map(cut).filter(|name| !name.is_empty()).take(MOST_NAMES).collect()
        }
        _ => return None,
    };
    let is_one = |name: &String| !name.is_empty() && !NOTHING.contains(&name.to_lowercase().as_str());
    let are_named = !names.is_empty() && names.iter().all(is_one);
    are_named.then_some(names)
}

/// Offsets of a pulse: of an object with one of the keys, a number, or lists of them.
fn offsets(pulse: &Value) -> Vec<f64> {
    match pulse {
        Value::Object(keys) => {
            ["PulseOffset", "FrequencyOffset"].iter().find_map(|key| keys.get(*key)).map(offsets).unwrap_or_default()
        }
        Value::Array(all) => all.iter().flat_map(offsets_of_one).collect(),
        one => offsets_of_one(one),
    }
}

/// Not deeper than a list of objects: a file may nest as it likes.
fn offsets_of_one(pulse: &Value) -> Vec<f64> {
    match pulse {
        Value::Object(keys) => {
            let offset = ["PulseOffset", "FrequencyOffset"].iter().find_map(|key| keys.get(*key));
            offset.and_then(Value::as_f64).into_iter().collect()
        }
        one => one.as_f64().into_iter().collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;
    use serde_json::json;

    use super::*;

    fn stated(meta: &Value, sidecar: &Value) -> (StatedConditions, Vec<String>) {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let mut remarks = Vec::new();
        (StatedConditions::new(&map(meta), &map(sidecar), &mut remarks), remarks)
    }

    #[test]
    fn names_as_sites_write_them() {
        let of = |value: Value| names(&value).map(|names| names.join("+"));
        for (value, expected) in [
            (json!(["OFF", "ON"]), Some("OFF+ON")),
            (json!("ON,OFF"), Some("ON+OFF")),
            (json!("on / off"), Some("on+off")),
            (json!({"Value": ["A", "B"], "Description": "x"}), Some("A+B")),
            (json!([1.9, 7.5]), Some("1.9+7.5")),
            (json!("ON"), Some("ON")),
            (json!(""), None),
            (json!("n/a"), None),
            (json!(["None"]), None),
            (json!([null]), None),
            (json!(3), None),
        ] {
            assert_eq!(of(value.clone()).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn pulses_by_name_and_by_order() {
        let ppm = |pulses: Value, names: &[&str]| {
            let (stated, mut remarks) = stated(&json!({}), &json!({ "EditPulse": pulses }));
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            (stated.pulses_ppm(&names, &mut remarks), remarks.len())
        };
        let bids = json!({"OFF": {"FrequencyOffset": 10.0, "PulseDuration": 20}, "ON": {"FrequencyOffset": 4.56}});
        assert_eq!(ppm(bids.clone(), &["on", "Off"]), (vec![vec![4.56], vec![10.0]], 0));
        assert_eq!(ppm(bids, &["A", "B"]), (vec![vec![], vec![]], 1));
        let four = json!({"A": {"PulseOffset": [4.56, 1.9]}, "B": {"PulseOffset": 4.56}, "C": 1.9, "D": null});
        assert_eq!(ppm(four, &["A", "B", "C", "D"]), (vec![vec![4.56, 1.9], vec![4.56], vec![1.9], vec![]], 0));
        assert_eq!(ppm(json!([{"PulseOffset": 1.9}, 7.5]), &["x", "y"]), (vec![vec![1.9], vec![7.5]], 0));
        let hertz = json!({"ON": {"PulseOffset": -338.0}, "OFF": {"PulseOffset": 338.0}});
        assert_eq!(ppm(hertz, &["ON", "OFF"]), (vec![vec![], vec![]], 1));
    }

    #[test]
    fn header_and_sidecar_that_differ_are_told_apart() {
        let header = json!({"dim_6": "DIM_EDIT", "dim_6_header": {"EditCondition": ["ON", "OFF"]}});
        let (both, remarks) = stated(&header, &json!({"EditCondition": ["OFF", "ON"]}));
        assert_eq!((both.names.unwrap().join(","), remarks.len()), ("ON,OFF".to_owned(), 1));
        assert!(stated(&header, &json!({"EditCondition": ["on", "off"]})).1.is_empty());
        let (three, mut remarks) = stated(&json!({}), &json!({"EditCondition": ["ON", "OFF", "ON2"]}));
        assert_eq!(three.along(2, &mut remarks).unwrap(), ["0", "1"]);
        assert!(remarks[0].contains("3 conditions"), "{remarks:?}");
    }

    #[test]
    fn names_of_transients_take_them_apart() {
        let data = || {
            let samples = Array5::from_shape_fn((1, 1, 4, 1, 2), |(_, _, t, _, _)| Complex64::new(t as f64, 0.0));
            Acquisition::from_samples("test", samples)
        };
        let sorted = |value: Value| stated(&json!({}), &json!({ "EditCondition": value })).0.sort(data());
        let each = sorted(json!(["OFF", "ON", "ON", "OFF"]));
        assert_eq!(
            (each.condition_labels.as_slice(), each.n_transients()),
            (["OFF".to_owned(), "ON".to_owned()].as_slice(), 2)
        );
        let first = |c: usize, t: usize| each.samples.at([0, c, t, 0, 0]).re;
        assert_eq!([first(0, 0), first(0, 1), first(1, 0), first(1, 1)], [0.0, 3.0, 1.0, 2.0]);
        let editing = |data: &Acquisition| data.editing.as_ref().map(|editing| editing.conditions);
        assert_eq!(editing(&each), Some(Conditions::Apart));
        let mixed = sorted(json!(["ON", "OFF"]));
        assert_eq!((editing(&mixed), mixed.n_transients()), (Some(Conditions::Mixed(Some(2))), 4));
        assert_eq!(editing(&sorted(json!(["A", "B", "C"]))), Some(Conditions::Mixed(None)));
        assert_eq!(editing(&sorted(json!(["ON", "ON", "ON", "OFF"]))), Some(Conditions::Mixed(None)));
        let alone = sorted(json!("ON"));
        assert_eq!((editing(&alone), alone.condition_labels[0].as_str()), (Some(Conditions::Apart), "on"));
        assert_eq!(editing(&sorted(json!(null))), None);
    }
}
