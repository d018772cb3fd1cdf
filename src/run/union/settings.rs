//! What several runs were asked to do: what all share, and where they differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::requantify::FROM_KEY;
use crate::store::RunRecord;
use crate::store::identity::{UNITED_OF_KEY, asked};
use crate::store::provenance::{DIFFERS, UNITED_KEY};

/// Settings that every run has of its own, or that are told in other words.
const OF_EACH: [&str; 4] = ["build", "columns", "inputs", UNITED_KEY];
/// Settings that are hashes of what the configuration has in full.
const IN_CONFIG: [&str; 6] =
    ["engine", "gates", "missing values", "order of the methods", "preparation", "water scaling"];
/// Keys of the configuration that are told in other words.
const TOLD: [&str; 3] = ["methods", "varied", UNITED_OF_KEY];
/// What of [`FROM_KEY`] differs between runs that were asked the same.
const OF_SOURCE: [&str; 4] = ["run_id", "started_utc", "requant_version", "git_hash"];

/// Settings of the union: what all have in common, and [`DIFFERS`] for the rest.
pub(super) fn united(records: &[RunRecord]) -> BTreeMap<String, String> {
    let mut united: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in records.iter().flat_map(|record| &record.settings) {
        if !["build", "inputs"].contains(&name.as_str()) {
            united.insert(name.clone(), value.clone());
        }
    }
    united.extend(differing(records).into_iter().map(|name| (name, DIFFERS.to_owned())));
    if records.len() > 1 {
        united.insert(UNITED_KEY.to_owned(), records.len().to_string());
    }
    united
}

/// Settings in which the runs of `records` differ.
pub(super) fn differing(records: &[RunRecord]) -> BTreeSet<String> {
    let mut found = differ(records.iter().map(|record| config(&record.config)));
    found.retain(|key| !TOLD.contains(&key.as_str()));
    // Older versions wrote none.
    let settings = records.iter().filter(|record| !record.settings.is_empty()).map(options);
    found.extend(differ(settings.clone()));
    found.extend(settings.flatten().filter(|(_, value)| value == DIFFERS).map(|(name, _)| name));
    // Simulated sets are named after their protocol, whatever pulses they were made with.
    found.extend(basis_names(records).into_iter().map(|id| format!("basis set {id}")));
    found
}

/// What was asked by options, and is not in the configuration.
fn options(record: &RunRecord) -> BTreeMap<String, String> {
    let is_told = |name: &str| OF_EACH.contains(&name) || IN_CONFIG.contains(&name) || name.starts_with("method ");
    record.settings.iter().filter(|(name, _)| !is_told(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn config(config: &Value) -> BTreeMap<String, Value> {
    let Value::Object(mut fields) = asked(config) else { return BTreeMap::new() };
    if let Some(from) = fields.get_mut(FROM_KEY).and_then(Value::as_object_mut) {
        from.retain(|key, _| !OF_SOURCE.contains(&key.as_str()));
    }
    fields.into_iter().collect()
}

/// Keys that do not have the same value everywhere.
fn differ<V: PartialEq>(all: impl Iterator<Item = BTreeMap<String, V>> + Clone) -> BTreeSet<String> {
    let Some(first) = all.clone().next() else { return BTreeSet::new() };
    let keys: BTreeSet<String> = all.clone().flat_map(BTreeMap::into_keys).collect();
    keys.into_iter().filter(|key| all.clone().any(|one| one.get(key) != first.get(key))).collect()
}

/// Names under which one run had other basis sets than another.
fn basis_names(records: &[RunRecord]) -> BTreeSet<String> {
    let hashes_of = |record: &RunRecord| {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for basis in &record.bases {
            all.entry(basis.id.clone()).or_default().insert(basis.sha256.clone());
        }
        all
    };
    let (mut first, mut found) = (BTreeMap::new(), BTreeSet::new());
    for (id, hashes) in records.iter().flat_map(hashes_of) {
        if first.entry(id.clone()).or_insert_with(|| hashes.clone()) != &hashes {
            found.insert(id);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::provenance::Named;

    fn record(settings: &[(&str, &str)], config: Value, basis_sha256: &str) -> RunRecord {
        let named = Named { id: "set".to_owned(), sha256: basis_sha256.to_owned() };
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        RunRecord { settings, config, bases: vec![named], ..RunRecord::new("cpu", 1) }
    }

    #[test]
    fn what_was_asked_differently_is_named_and_what_each_run_has_is_not() {
        let names = |records: &[RunRecord]| differing(records).into_iter().collect::<Vec<_>>().join(", ");
        let config = |water: f64, from: &str| {
            json!({"prepare": "none", "water_scaling": water, "ratio_rows": [from],
                   FROM_KEY: {"run_id": from, "tissue": null}})
        };
        let one = record(&[("inputs", "1"), ("--tissue", "auto Qform"), ("columns", "2")], config(1.0, "a"), "1");
        let same = record(&[("inputs", "2"), ("--tissue", "auto Qform"), ("columns", "2")], config(1.0, "b"), "1");
        assert_eq!(names(&[one.clone(), same.clone()]), "");
        let shared = united(&[one.clone(), same]);
        assert_eq!(
            shared.into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "),
            format!("--tissue=auto Qform columns=2 {UNITED_KEY}=2")
        );
        let other = record(
            &[("--tissue", "none Qform"), ("what was learned", "x"), ("method map", "y")],
            config(1.5, "c"),
            "2",
        );
        let told = "--tissue, basis set set, water_scaling, what was learned";
        assert_eq!(names(&[one.clone(), other.clone()]), told);
        // A union is put together with another dataset.
        let both = RunRecord { settings: united(&[one.clone(), other]), ..one.clone() };
        assert_eq!(names(&[both.clone(), both]), told);
        // Older versions wrote none.
        assert_eq!(names(&[record(&[], config(1.0, "d"), "1"), one]), "");
    }
}
