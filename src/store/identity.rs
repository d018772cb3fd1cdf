//! The id by which a run's tables are known.

use std::collections::BTreeSet;
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::folder::RUN_FILE;
use super::provenance::{Inputs, Named};
use super::reader::{MAX_PART_BYTES, check_files, io_error, is_part_of};
use super::rows::TABLES;
use super::schema::RUN_ID_KEY;
use super::{LearnedRow, ReadTableError, RunRecord, read_record, read_table};
use crate::hash::sha256_hex;
use crate::regular_file;

/// Key of what the configuration of datasets that were put together has of each, where they differ.
pub(crate) const UNITED_OF_KEY: &str = "put_together_of";
/// Key of what merging adds to the configuration: soft rows between amplitudes that held.
pub(crate) const RATIO_ROWS_KEY: &str = "ratio_rows";
/// Key of what merging adds to the configuration: recipes of simulated basis sets.
pub(crate) const SIMULATED_KEY: &str = "simulated_bases";

/// Hash of everything that decides about the rows of a run, or of the union of the runs of `records`. How a run was cut into
/// chunks, shards or participants does not: equal rows have equal tables.
pub(crate) fn run_id(records: &[&RunRecord], learned: &[LearnedRow], inputs: &Inputs) -> String {
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

/// The record of the run that wrote the dataset in `dir`, as it was written with its tables: what it says is taken for true
/// by whoever computes from it or tells it.
///
/// # Errors
/// [`ReadTableError`]: it cannot be read, is another run's or was changed.
pub fn read_run(dir: &Path) -> Result<RunRecord, ReadTableError> {
    let record = read_record(dir)?;
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
    let (path, said) = (dir.join(RUN_FILE), record.run_id);
    Err(ReadTableError::OtherRecord { path, said, what: "what it holds makes", found })
}

/// The same, where all files that it lists are as they were written, too.
///
/// # Errors
/// As of [`read_run`], or files are missing or were changed.
pub(crate) fn read_whole_run(dir: &Path) -> Result<RunRecord, ReadTableError> {
    let record = read_record(dir)?;
    check_files(dir, &record)?;
    read_run(dir)
}

/// Checks that the tables in `dir` were written with the record of their run: each names the run that it is of.
///
/// # Errors
/// [`ReadTableError`]: one is of another run, or cannot be read.
fn check_run_id(dir: &Path, record: &RunRecord) -> Result<(), ReadTableError> {
    for listed in record.files.iter().filter(|file| TABLES.iter().any(|table| is_part_of(file, table))) {
        let path = dir.join(&listed.file);
        let file = match regular_file::open(&path, MAX_PART_BYTES) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(ReadTableError::Changed { path }),
            opened => opened.map_err(io_error(&path))?,
        };
        // It was readable when the record listed it.
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| ReadTableError::Changed { path })?;
        let pairs = builder.metadata().file_metadata().key_value_metadata();
        let found = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == RUN_ID_KEY)?.value.clone());
        if let Some(found) = found.filter(|found| *found != record.run_id) {
            let (path, said) = (dir.join(RUN_FILE), record.run_id.clone());
            return Err(ReadTableError::OtherRecord { path, said, what: "its tables say", found });
        }
    }
    Ok(())
}

/// The configuration as the user gave it.
pub(crate) fn asked(config: &Value) -> Value {
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
