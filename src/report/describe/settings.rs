//! Settings of a run that are not the defaults.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fit::Method;
use crate::prepare::Preparation;
use crate::quality::gates::Gates;
use crate::quantify::WaterScaling;
use crate::store::RunRecord;
use crate::store::provenance::{DIFFERS, GIT_HASH, UNITED_KEY};

/// One setting that is not the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which, by its dotted path.
    pub setting: String,
    /// Its value in the run.
    pub value: String,
    /// What it is where nobody asks for anything else.
    pub default: String,
}

/// Settings of a method that say nothing about the fit.
const NAMES: [&str; 2] = ["name", "description"];
/// Key of what `requant quantify` says of the run whose tables it took.
const QUANTIFIED_FROM_KEY: &str = "quantified_from";
/// Words for what a setting does not have.
const NONE: &str = "none";

/// All settings of a run that are not the defaults of this version, and what must be known to believe that.
pub(super) fn differences(record: &RunRecord) -> (Vec<Difference>, Vec<String>) {
    let config = |key: &str| record.config.get(key).cloned().unwrap_or(Value::Null);
    let mut notes = Vec::new();
    let mut found = match config("prepare") {
        Value::String(word) => vec![difference("prepare", word, "the usual steps".to_owned())],
        prepare => recorded("prepare", &prepare, &json(&Preparation::default()), &mut notes),
    };
    let methods = config("methods");
    for method in methods.as_array().into_iter().flatten() {
        found.extend(of_method(method, record, &mut notes));
    }
    if !methods.is_array() {
        notes.push("run.json has no `methods`: nobody knows how they were set".to_owned());
    }
    if let Ok(built_in) = WaterScaling::lcmodel() {
        found.extend(recorded("water_scaling", &config("water_scaling"), &json(&built_in), &mut notes));
    }
    found.extend(between("gaps", &config("gaps"), &Value::Null));
    if let Some(from) = record.config.get(QUANTIFIED_FROM_KEY) {
        found.extend(between("gaps (quantify)", from.get("gaps").unwrap_or(&Value::Null), &Value::Null));
        let table = from.get("tissue").filter(|tissue| !tissue.is_null());
        found.extend(table.map(|tissue| difference("--tissue (quantify)", text(&tissue["file"]), NONE.to_owned())));
    }
    match gates(record) {
        Asked::Not => {}
        Asked::Gates(gates) => found.push(difference("--gates", gates.name, NONE.to_owned())),
        Asked::Unreadable => found.push(difference("--gates", UNREADABLE.to_owned(), NONE.to_owned())),
    }
    found.extend(of_run(record));
    if preparation(record).is_none() && !config("prepare").is_null() {
        notes.push(
            "run.json has a `prepare` that this version cannot read: the paragraph leaves out its steps".to_owned(),
        );
    }
    notes.extend(of_several(record));
    notes.extend(other_version(record));
    (found, notes)
}

/// What stands for settings that another version wrote and this one does not know.
const UNREADABLE: &str = "some that this version cannot read";

/// The gates that a run asked for.
pub(super) enum Asked {
    /// None.
    Not,
    Gates(Gates),
    /// Some that another version wrote.
    Unreadable,
}

pub(super) fn gates(record: &RunRecord) -> Asked {
    let Some(written) = record.config.get("gates").filter(|gates| !gates.is_null()) else { return Asked::Not };
    serde_json::from_value(written.clone()).map_or(Asked::Unreadable, Asked::Gates)
}

/// How a run prepared its spectra; `None` where it does not say so, or not as this version says it.
pub(super) fn preparation(record: &RunRecord) -> Option<Preparation> {
    serde_json::from_value(record.config.get("prepare")?.clone()).ok()
}

/// A note where the results are of several runs: their record has the configuration of one.
fn of_several(record: &RunRecord) -> Option<String> {
    (record.settings.is_empty() || record.settings.contains_key(UNITED_KEY)).then(|| {
        "the results were put together from several runs, or by an older version: settings and constants are those of the first run"
            .to_owned()
    })
}

/// A note where the run was made by another build: its defaults may have been others.
fn other_version(record: &RunRecord) -> Option<String> {
    let own = build_of_this();
    let (fitted, again) = builds(record);
    let other = [Some(fitted), again].into_iter().flatten().find(|build| *build != own)?;
    Some(format!("the run was made by {other}, and settings are compared with the defaults of {own}"))
}

/// The build that fitted, and the one that computed concentrations again from its tables.
pub(super) fn builds(record: &RunRecord) -> (String, Option<String>) {
    let own = build(&record.requant_version, record.git_hash.as_deref());
    let Some(from) = record.config.get(QUANTIFIED_FROM_KEY) else { return (own, None) };
    let version = from.get("requant_version").and_then(Value::as_str).unwrap_or("of an unknown version");
    (build(version, from.get("git_hash").and_then(Value::as_str)), Some(own))
}

/// A build in words.
fn build(version: &str, git_hash: Option<&str>) -> String {
    let commit = git_hash.map(|hash| format!(" (commit {})", hash.chars().take(12).collect::<String>()));
    format!("requant {version}{}", commit.unwrap_or_default())
}

fn build_of_this() -> String {
    build(env!("CARGO_PKG_VERSION"), GIT_HASH)
}

/// What options of a run leave in its plan, which is no configuration.
fn of_run(record: &RunRecord) -> Vec<Difference> {
    let mut found = Vec::new();
    // Datasets that were put together: their record has the values of one.
    for (name, _) in record.settings.iter().filter(|(_, value)| *value == DIFFERS) {
        found.push(difference(name, DIFFERS.to_owned(), "the same in all".to_owned()));
    }
    if let Some(said) = record.settings.get("--tissue").filter(|said| *said != DIFFERS) {
        let (search, transform) = said.split_once(' ').unwrap_or((said, ""));
        if search != "auto" {
            found.push(difference("--tissue", search.to_owned(), "auto".to_owned()));
        }
        let default = format!("{:?}", crate::tissue::Transform::default());
        if !transform.is_empty() && transform != default {
            found.push(difference("--tissue-transform", transform.to_lowercase(), default.to_lowercase()));
        }
    }
    if record.settings.get("what was learned").is_some_and(|said| said != DIFFERS) {
        found.push(difference("--learned", "values learned from the corpus".to_owned(), NONE.to_owned()));
    }
    found
}

/// A method beside the built-in one that it is, or was made of.
fn of_method(method: &Value, record: &RunRecord, notes: &mut Vec<String>) -> Vec<Difference> {
    let name = text(&method["name"]);
    let varied = record.varied();
    let made_of = varied.iter().find(|one| one.method == name).map(|one| one.base.clone());
    let known = made_of.unwrap_or_else(|| name.clone());
    let of = |base: &str| built_in(base).map(|base| between(&format!("method {name}"), &plain(method), &plain(&base)));
    if let Some(found) = of(&known) {
        return found;
    }
    // A method of somebody's own: told by what it is nearest to.
    let nearest = Method::built_in_names().filter_map(|base| of(base).map(|found| (base, found)));
    let Some((base, found)) = nearest.min_by_key(|(_, found)| found.len()) else { return Vec::new() };
    notes.push(format!(
        "method `{name}` is not built in; its settings are compared with those of `{base}`, the nearest"
    ));
    found
}

fn built_in(name: &str) -> Option<Value> {
    Method::built_in(name)?.ok().map(|method| json(&method))
}

fn plain(method: &Value) -> Value {
    let mut method = method.clone();
    if let Some(fields) = method.as_object_mut() {
        fields.retain(|key, _| !NAMES.contains(&key.as_str()));
    }
    method
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn difference(setting: &str, value: String, default: String) -> Difference {
    Difference { setting: setting.to_owned(), value, default }
}

/// The same of a table that every run records; a note where this one did not.
fn recorded(key: &str, value: &Value, default: &Value, notes: &mut Vec<String>) -> Vec<Difference> {
    if value.is_null() {
        notes.push(format!("run.json has no `{key}`: nobody knows whether it was the default"));
        return Vec::new();
    }
    between(key, value, default)
}

/// Where two trees of settings differ; what is left out and what is null are one. A whole branch that a run lacks, because its
/// version had none or it was put out, is one difference.
fn between(place: &str, value: &Value, default: &Value) -> Vec<Difference> {
    if let (Value::Object(ours), Value::Object(theirs)) = (value, default) {
        let keys: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let of = |fields: &serde_json::Map<String, Value>, key: &str| fields.get(key).cloned().unwrap_or(Value::Null);
        return keys
            .into_iter()
            .flat_map(|key| between(&format!("{place}.{key}"), &of(ours, key), &of(theirs, key)))
            .collect();
    }
    if let (Value::Null, Value::Object(_)) = (value, default) {
        let mut theirs = BTreeMap::new();
        leaves(place, default, &mut theirs);
        let n = super::values::plural(theirs.len(), "setting", "settings");
        return if theirs.is_empty() { Vec::new() } else { vec![difference(place, NONE.to_owned(), n)] };
    }
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    leaves(place, value, &mut ours);
    leaves(place, default, &mut theirs);
    let keys: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let of = |leaves: &BTreeMap<String, String>, key: &str| leaves.get(key).cloned().unwrap_or_else(|| NONE.to_owned());
    keys.into_iter()
        .map(|key| difference(key, of(&ours, key), of(&theirs, key)))
        .filter(|one| one.value != one.default)
        .collect()
}

/// The settings of a tree by their dotted paths.
fn leaves(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves(&format!("{path}.{key}"), value, into);
            }
        }
        value => {
            into.insert(path.to_owned(), text(value));
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => NONE.to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
