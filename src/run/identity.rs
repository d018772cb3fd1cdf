//! The id by which a run's tables are known.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::hash::sha256_hex;
use crate::store::provenance::{Inputs, Named};
use crate::store::reader::{check_files, check_run_id};
use crate::store::{LearnedRow, ReadTableError, RunRecord, read_run, read_table};

/// Key of what the configuration of datasets that were put together has of each, where they differ.
pub(super) const UNITED_OF_KEY: &str = "put_together_of";
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
        every(&|record| vec![as_read(asked(&record.config)).to_string()]),
        every(&|record| named(&record.methods)),
        every(&|record| named(&record.bases)),
        learned.into_iter().collect::<Vec<_>>().join("\n"),
        inputs.listing_sha256.clone(),
    ];
    sha256_hex(parts.join("\n\n").as_bytes())[..16].to_owned()
}

/// A value as it is after it was written and read. A number of seventeen digits may be read as its neighbour, and an id
/// that was made before would not be the one made after.
fn as_read(value: Value) -> Value {
    const MOST: usize = 4;
    let mut value = value;
    for _ in 0..MOST {
        match serde_json::from_str::<Value>(&value.to_string()) {
            Ok(read) if read != value => value = read,
            _ => break,
        }
    }
    value
}

/// The record of the dataset in `dir`, all of whose files are there: the tables are those of the record, and the record is
/// what was written with them. What it says is taken for true by whoever computes from it.
///
/// # Errors
/// [`ReadTableError`]: files are missing or were changed, or the record was.
pub(super) fn read_checked(dir: &Path) -> Result<RunRecord, ReadTableError> {
    let record = read_run(dir)?;
    check_files(dir, &record)?;
    // Other versions made ids of other things, and wrote neither id nor settings at first.
    let is_own = record.requant_version == env!("CARGO_PKG_VERSION");
    if !is_own || record.run_id.is_empty() || record.settings.is_empty() {
        return Ok(record);
    }
    check_run_id(dir, &record)?;
    let found = run_id(&[&record], &read_table::<LearnedRow>(dir)?, &record.inputs);
    if found == record.run_id {
        return Ok(record);
    }
    let (path, said) = (dir.join("run.json"), record.run_id);
    Err(ReadTableError::OtherRecord { path, said, what: "what it holds makes", found })
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
