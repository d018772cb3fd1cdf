//! Whether a run that is to be resumed was complete already.

use std::path::Path;

use rayon::prelude::*;

use super::contents::content_of;
use super::signature::content_sha256;
use super::{RunError, Tally};
use crate::corpus::Found;
use crate::store::provenance::{Inputs, RunRecord};
use crate::store::reader::check_files;
use crate::store::{Content, Journal, Plan, SpectrumRow, StoreError, read_record, read_table, some_of, tidy};

/// What the rows of the complete dataset in `out` say, if there is one and it is what `plan` would make of `found`; `None`
/// where there is none, or an unfinished run is there.
///
/// # Errors
/// [`RunError`]: it is of another run, its inputs have changed since, or its files are not as they were written.
pub(super) fn look(out: &Path, plan: &Plan, found: &[Found]) -> Result<Option<Tally>, RunError> {
    if Journal::at(out).plan().is_some() {
        return Ok(None);
    }
    let Ok(record) = read_record(out) else { return Ok(None) };
    check_files(out, &record)?;
    let rows: Vec<SpectrumRow> = read_table(out)?;
    if record.signature != plan.signature {
        let paths: Vec<&str> = rows.iter().map(|row| row.source_path.as_str()).collect();
        let differences = plan.differences(&record.settings, &paths);
        return Err(StoreError::OtherPlan { path: out.to_owned(), differences }.into());
    }
    let contents: Vec<Content> = found.par_iter().map(content_of).collect();
    if content_sha256(&contents) != record.inputs.content_sha256 {
        let changed = changed(&contents, &rows, &record);
        return Err(StoreError::OtherInputs { path: out.to_owned(), changed }.into());
    }
    tidy(out);
    let mut tally = Tally::default();
    rows.iter().for_each(|row| tally.add(row));
    Ok(Some(tally))
}

/// What changed since the rows were made, in words.
fn changed(contents: &[Content], rows: &[SpectrumRow], record: &RunRecord) -> String {
    let Inputs { n_files, .. } = record.inputs;
    let mut rows = rows.iter().peekable();
    let mut files = Vec::new();
    for content in contents {
        let mut was = None;
        while let Some(row) = rows.next_if(|row| row.source_path == content.source_path) {
            was = row.inputs_sha256.as_deref();
        }
        if was != Some(content.inputs_sha256.as_str()) {
            files.push(content.source_path.clone());
        }
    }
    if files.is_empty() {
        return format!("what a manifest, participants.tsv or file names say of the {n_files} files");
    }
    some_of(&files)
}
