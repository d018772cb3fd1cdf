//! The id by which a run's tables are known.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::hash::sha256_hex;
use crate::store::provenance::{Inputs, Named};
use crate::store::{LearnedRow, RunRecord};

/// Key of what merging adds to the configuration: soft rows between amplitudes that held.
pub(super) const RATIO_ROWS_KEY: &str = "ratio_rows";
/// Key of what merging adds to the configuration: recipes of simulated basis sets.
pub(super) const SIMULATED_KEY: &str = "simulated_bases";

/// Hash of everything that decides about the rows of a run, or of the union of the runs of `records`. How a run was cut into
/// chunks, shards or participants does not: equal rows have equal tables.
pub(super) fn run_id(records: &[&RunRecord], learned: &[LearnedRow], inputs: &Inputs) -> String {
    let every = |of: &dyn Fn(&RunRecord) -> Vec<String>| -> String {
        let all: BTreeSet<String> = records.iter().flat_map(|record| of(record)).collect();
        all.into_iter().collect::<Vec<_>>().join("\n")
    };
    let named = |all: &[Named]| all.iter().map(|n| format!("{} {}", n.id, n.sha256)).collect();
    let learned: BTreeSet<&str> = learned.iter().map(|row| row.learned_id.as_str()).collect();
    let parts = [
        every(&|record| vec![record.requant_version.clone()]),
        every(&|record| vec![record.engine.clone()]),
        every(&|record| vec![asked(&record.config).to_string()]),
        every(&|record| named(&record.methods)),
        every(&|record| named(&record.bases)),
        learned.into_iter().collect::<Vec<_>>().join("\n"),
        inputs.listing_sha256.clone(),
    ];
    sha256_hex(parts.join("\n\n").as_bytes())[..16].to_owned()
}

/// The configuration as the user gave it.
pub(super) fn asked(config: &Value) -> Value {
    let added = |key: &str| [RATIO_ROWS_KEY, SIMULATED_KEY].contains(&key);
    match config {
        Value::Object(fields) => {
            let kept: Map<String, Value> =
                fields.iter().filter(|(key, _)| !added(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
            Value::Object(kept)
        }
        other => other.clone(),
    }
}
