//! Which shards of a run are not done: those to which files were dealt that no finished chunk covers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::RunError;
use super::cut::blocks;
use crate::engine::EngineKind;
use crate::store::span::gaps;
use crate::store::{Journal, Plan, Position, Span};

/// Numbers, from 1, of the shards of `n_shards` that are not done, by the journals in `folders`; all of them where none began.
///
/// # Errors
/// [`RunError::NoJournal`]: no folder holds an unfinished run.
pub fn missing_shards(folders: &[PathBuf], n_shards: usize) -> Result<Vec<usize>, RunError> {
    let journals: Vec<(Journal, Plan)> = folders
        .iter()
        .map(|folder| Journal::at(folder))
        .filter_map(|journal| journal.plan().map(|plan| (journal, plan)))
        .collect();
    let Some((_, plan)) = journals.first() else {
        return Err(RunError::NoJournal { path: folders.first().cloned().unwrap_or_default() });
    };
    let spans: Vec<Span> = journals
        .iter()
        .flat_map(|(journal, plan)| {
            let (records, _) = journal.records(&plan.signature);
            records.into_iter().filter(|record| journal.holds(record)).map(|record| record.span).collect::<Vec<_>>()
        })
        .collect();
    let n_files = plan.inputs.len();
    let whole = Span { from: Position::at_file(0), to: Position::at_file(n_files) };
    let open = gaps(&spans, whole);
    let is_gpu = plan.engine == EngineKind::Gpu.as_str();
    let at_once = if is_gpu { EngineKind::Gpu } else { EngineKind::Cpu }.files_at_once();
    let missing: BTreeSet<usize> = blocks(n_files, at_once, Some(n_shards))
        .enumerate()
        .filter(|(_, files)| {
            let block = Span::of_files(files.clone());
            open.iter().any(|gap| gap.from < block.to && gap.to > block.from)
        })
        .map(|(number, _)| number % n_shards + 1)
        .collect();
    Ok(missing.into_iter().collect())
}
