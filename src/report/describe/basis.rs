//! Where the basis sets of a run are from. What a row or the record says of how they were made is told here, and only here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::acquired::ms;
use super::citations::{self as papers, References};
use super::protocol::Protocol;
use super::values::{joined, listed, number, plural};
use crate::store::{RunRecord, SpectrumRow};

/// Key of the configuration under which a run lists the recipes of what it simulated.
const RECIPES_KEY: &str = "simulated_bases";

/// The sets that fitted a protocol, with the beginnings of their hashes, and their components.
pub(super) fn of_protocol(protocol: &Protocol<'_>, record: &RunRecord) -> Option<String> {
    let hash = |id: &str| {
        // Two sets of one name are told by name alone: rows do not say which of them they had.
        let mut known = record.bases.iter().filter(|basis| basis.id == id).map(|basis| &basis.sha256);
        match (known.next(), known.next()) {
            (Some(sha256), None) => format!(" ({})", sha256.chars().take(12).collect::<String>()),
            _ => String::new(),
        }
    };
    let fitted = protocol.spectra.iter().filter(|row| row.basis_id.is_some());
    let sets = listed(fitted.map(|row| row.basis_id.as_ref().map(|id| format!("{id}{}", hash(id)))))?;
    let names: BTreeSet<&str> =
        protocol.metabolites.iter().filter(|row| !row.is_sum).map(|row| &*row.metabolite).collect();
    let names = (!names.is_empty()).then(|| {
        let list = names.iter().copied().collect::<Vec<_>>().join(", ");
        format!("{} fitted: {list}", plural(names.len(), "component", "components"))
    });
    joined([Some(format!("basis set {sets}")), names], "; ")
}

/// A sentence for all sets of a run, those that it simulated with how.
pub(super) fn of_run(protocols: &[Protocol<'_>], record: &RunRecord, references: &mut References) -> Option<String> {
    let rows: Vec<&SpectrumRow> =
        protocols.iter().flat_map(|protocol| &protocol.spectra).copied().filter(|row| row.basis_id.is_some()).collect();
    let ids: BTreeSet<&String> = rows.iter().filter_map(|row| row.basis_id.as_ref()).collect();
    if ids.is_empty() {
        return None;
    }
    let served = format!(
        "{} ({}) served {}",
        plural(ids.len(), "basis set", "basis sets"),
        listed(ids.iter().map(|id| Some(format!("`{id}`")))).unwrap_or_default(),
        plural(rows.len(), "spectrum", "spectra")
    );
    let recipes = record.config.get(RECIPES_KEY).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if recipes.is_empty() {
        return Some(format!("{served}."));
    }
    let systems = references.cite(papers::SPIN_SYSTEMS);
    let made = recipes.iter().filter_map(recipe).collect::<Vec<_>>().join("; ");
    Some(format!(
        "{served}. requant simulated {} for this run by density matrix with ideal pulses, from published spin systems ({systems} and \
         others): {made}.",
        plural(recipes.len(), "basis set", "basis sets")
    ))
}

/// Sequence, times and frequency of what was simulated, and what its file does not say.
fn recipe(recipe: &Value) -> Option<String> {
    let sequence = recipe.get("sequence")?;
    let time = |key: &str, name: &str| {
        let value = ms(sequence.get(key).and_then(Value::as_f64))?;
        Some(format!("{name} {} ms", number(value, 6)))
    };
    let f0 = recipe.get("f0_mhz").and_then(Value::as_f64).map(|f0| format!("at {} MHz", number(f0, 6)));
    let assumed: Vec<&str> =
        recipe.get("assumed").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let assumed = (!assumed.is_empty()).then(|| format!("assumed: {}", assumed.join(", ")));
    let name = sequence.get("sequence").and_then(Value::as_str)?.to_owned();
    joined([Some(name), time("te_s", "TE"), time("te1_s", "TE1"), time("tm_s", "TM"), f0, assumed], ", ")
}
