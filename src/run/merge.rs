//! The dataset from the finished chunks of one run or of all its shards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::take;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;

use super::signature::content_sha256;
use super::{RunError, Summary, Tally, gating};
use crate::corpus;
use crate::store::identity::{RATIO_ROWS_KEY, SIMULATED_KEY, run_id};
use crate::store::provenance::{Inputs, Named, listing_sha256};
use crate::store::span::tile;
use crate::store::{
    ChunkRecord, ChunkRows, Content, DatasetWriter, IfExists, Journal, Plan, Position, RunRecord, Span, StoreError,
    Timings, read_record, some_of,
};

/// Writes the dataset to `out` from the journals in `folders`, which together must have every chunk of one run, and ends
/// the journal in `out`.
///
/// # Errors
/// [`RunError`]: chunks are missing or damaged, the journals are of different runs or saw different inputs, somebody is
/// still at work in one of them, or the tables cannot be written.
pub fn merge(folders: &[PathBuf], out: &Path, if_exists: IfExists) -> Result<Summary, RunError> {
    let journals: Vec<Journal> = folders.iter().map(|folder| Journal::take(folder)).collect::<Result<_, _>>()?;
    match folders.iter().position(|folder| is_same(folder, out)) {
        // The journal in `out` keeps others from it. Its shards were allowed to begin there: what is in the way is a
        // dataset that another run made, or one that came after them.
        Some(own) => {
            let is_other =
                |record: RunRecord| journals[own].plan().is_none_or(|plan| plan.signature != record.signature);
            if if_exists == IfExists::Refuse && read_record(out).is_ok_and(is_other) {
                return Err(StoreError::OutputExists { path: out.to_owned() }.into());
            }
            let writer = journals[own].writer()?;
            merge_into(writer, journals, Some(own), None)
        }
        None => merge_into(DatasetWriter::create(out, if_exists)?, journals, None, None),
    }
}

/// Makes the dataset of the chunks of `spans` in the journal's own folder, and ends the journal.
pub(super) fn dataset_of(journal: Journal, spans: &BTreeSet<Span>) -> Result<Summary, RunError> {
    let writer = journal.writer()?;
    merge_into(writer, vec![journal], Some(0), Some(spans))
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || same_file::is_same_file(a, b).unwrap_or(false)
}

/// Merges `journals`, of which chunks only those of `spans` where they are known; the one at `own` ends.
fn merge_into(
    writer: DatasetWriter,
    mut journals: Vec<Journal>,
    own: Option<usize>,
    spans: Option<&BTreeSet<Span>>,
) -> Result<Summary, RunError> {
    let started = Instant::now();
    let plan = shared_plan(&journals)?;
    let mut chunks = chunks(&journals, &plan, spans)?;
    let learned = journals[0].learned(&plan)?;
    let (mut all, mut tally) = (Gathered { timings: plan.timings, ..Gathered::default() }, Tally::default());
    chunks.iter_mut().for_each(|(_, record)| all.take(record));
    let timings = all.timings;
    all.notes.extend(journals.iter().flat_map(|journal| journal.notes().to_vec()));
    let mut record = all.into_record(&plan);
    let warnings = record.warnings.clone();
    let mut writer = writer.of_run(run_id(&[&record], &learned, &record.inputs)).carrying(plan.carried.clone())?;
    writer.learned(learned)?;
    let mut gating = gating::of_config(&plan.config, &plan.carried)?;
    if let Some(gating) = gating.as_mut().filter(|gating| gating.needs_all()) {
        for (journal, chunk) in &chunks {
            gating.collect(&journal.rows(chunk)?);
        }
        gating.settle();
    }
    let read = |(journal, chunk): &(&Journal, ChunkRecord)| -> Result<ChunkRows, RunError> {
        let mut rows = journal.rows(chunk)?;
        check(&plan, chunk, &rows)?;
        if let Some(gating) = &gating {
            gating.judge(&mut rows);
        }
        Ok(rows)
    };
    let mut ahead = None;
    for (i, chunk) in chunks.iter().enumerate() {
        let rows = ahead.take().unwrap_or_else(|| read(chunk))?;
        rows.spectra.iter().for_each(|row| tally.add(row));
        // One is read while another is written, where both together are not large.
        let next = chunks.get(i + 1).filter(|next| is_small(&chunk.1) && is_small(&next.1));
        let (written, read) = rayon::join(|| writer.rows(rows), || next.map(&read));
        written?;
        ahead = read;
    }
    record.timings = Timings { merge_wall_s: started.elapsed().as_secs_f64(), ..timings };
    let files = writer.finish(record)?;
    drop(chunks);
    if let Some(own) = own {
        journals.swap_remove(own).end();
    }
    Ok(Summary { warnings, files, wall_s: started.elapsed().as_secs_f64(), ..Summary::of(tally, None) })
}

/// Whether a chunk's rows are few enough to be held beside another's.
fn is_small(chunk: &ChunkRecord) -> bool {
    /// Of its packed tables; rows take some five times as much.
    const BYTES: u64 = 16 << 20;
    chunk.files.iter().map(|file| file.bytes).sum::<u64>() <= BYTES
}

/// The plan that all `journals` are of.
fn shared_plan(journals: &[Journal]) -> Result<Plan, RunError> {
    let plan_of =
        |journal: &Journal| journal.plan().ok_or_else(|| RunError::NoJournal { path: journal.out().to_owned() });
    let Some((first, others)) = journals.split_first() else {
        return Err(RunError::NoJournal { path: PathBuf::new() });
    };
    let plan = plan_of(first)?;
    for other in others {
        let (theirs, path) = (plan_of(other)?, other.out().to_owned());
        if theirs.signature != plan.signature {
            let differences = plan.differences(&theirs.settings, &theirs.paths());
            return Err(RunError::OtherRun { path, first: first.out().to_owned(), differences });
        }
        let changed = plan.changed_inputs(&theirs);
        if !changed.is_empty() {
            return Err(RunError::OtherInputs { path, first: first.out().to_owned(), changed: some_of(&changed) });
        }
    }
    Ok(plan)
}

/// Chunks of `journals`, and of `spans` where these are known, that together are all of the plan's inputs, in their order.
fn chunks<'a>(
    journals: &'a [Journal],
    plan: &Plan,
    spans: Option<&BTreeSet<Span>>,
) -> Result<Vec<(&'a Journal, ChunkRecord)>, RunError> {
    let mut held: Vec<(&Journal, ChunkRecord)> = Vec::new();
    let mut n_damaged = 0;
    for journal in journals {
        let (mut records, damaged) = journal.records(&plan.signature);
        records.retain(|record| spans.is_none_or(|spans| spans.contains(&record.span)));
        n_damaged += damaged;
        let holds: Vec<bool> = records.par_iter().map(|record| journal.holds(record)).collect();
        n_damaged += holds.iter().filter(|holds| !**holds).count();
        held.extend(records.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(record, _)| (journal, record)));
    }
    let mut seen = Seen::default();
    held.iter().try_for_each(|(journal, record)| seen.add(journal.out(), record))?;
    let mut all: BTreeMap<Span, (&Journal, ChunkRecord)> = BTreeMap::new();
    for (journal, record) in held {
        all.entry(record.span).or_insert((journal, record));
    }
    let spans: Vec<Span> = all.keys().copied().collect();
    let end = Position::at_file(plan.inputs.len());
    match tile(&spans, Position::at_file(0), end) {
        Ok(chain) => Ok(chain.into_iter().filter_map(|span| all.remove(span)).collect()),
        Err(at) => {
            let file = plan.inputs.get(at.file).map(|input| input.source_path.clone()).unwrap_or_default();
            let n_files = spans.iter().map(|span| span.to.file - span.from.file).sum();
            Err(RunError::Missing { file, n_files, of: plan.inputs.len(), n_damaged })
        }
    }
}

/// What the chunks' inputs held. Those of two cuts, of a grid's parts and of two journals may be of the same file, and
/// which of two contents is the right one nobody can say here.
#[derive(Default)]
struct Seen<'a>(HashMap<usize, (&'a Content, &'a Path)>);

impl<'a> Seen<'a> {
    /// # Errors
    /// [`RunError::Changing`], [`RunError::OtherInputs`]: a file was another one for this chunk than for one before.
    fn add(&mut self, out: &'a Path, record: &'a ChunkRecord) -> Result<(), RunError> {
        for (file, content) in record.span.files().zip(&record.contents) {
            let (before, folder) = *self.0.entry(file).or_insert((content, out));
            if before == content {
                continue;
            }
            let path = content.source_path.clone();
            return Err(if folder == out {
                RunError::Changing { path }
            } else {
                RunError::OtherInputs { path: out.to_owned(), first: folder.to_owned(), changed: path }
            });
        }
        Ok(())
    }
}

/// Compares a chunk's rows with the plan: its files in their order, and a row of each spectrum for every method.
fn check(plan: &Plan, chunk: &ChunkRecord, rows: &ChunkRows) -> Result<(), RunError> {
    let planned = plan.inputs.get(chunk.span.files()).unwrap_or_default();
    let mut listed: Vec<&str> = rows.spectra.iter().map(|row| row.source_path.as_str()).collect();
    listed.dedup();
    // A manifest may name a file twice.
    let mut paths: Vec<&str> = planned.iter().map(|input| input.source_path.as_str()).collect();
    paths.dedup();
    let n_methods = plan.methods.len().max(1);
    let by_method = rows.spectra.chunks(n_methods).all(|rows| {
        rows.len() == n_methods
            && rows.iter().zip(&plan.methods).all(|(row, method)| row.method == method.id)
            && rows.iter().all(|row| row.spectrum_id == rows[0].spectrum_id)
    });
    // What is wrong with a grid as a whole is one row, in the chunk that begins it.
    if chunk.span.from.voxel > 0 && rows.spectra.is_empty() && chunk.n_spectra.iter().all(|n| *n == 0) {
        return Ok(());
    }
    let n_spectra: usize = chunk.n_spectra.iter().sum();
    let of_each = chunk.n_spectra.len() == planned.len() && !chunk.n_spectra.contains(&0);
    if by_method && of_each && rows.spectra.len() == n_spectra * n_methods && listed == paths {
        return Ok(());
    }
    Err(RunError::NotAsPlanned { span: chunk.span.to_string(), n_files: planned.len(), n_rows: rows.spectra.len() })
}

/// What the chunks' records say together; a large corpus has thousands of chunks, which repeat what they share.
#[derive(Default)]
struct Gathered {
    contents: Vec<Content>,
    /// By id and hash.
    bases: BTreeMap<(String, String), Named>,
    /// JSON.
    recipes: BTreeSet<String>,
    ratio_rows: BTreeSet<String>,
    notes: BTreeSet<String>,
    timings: Timings,
}

impl Gathered {
    /// Takes out of a record what is of the whole run, so that it is held once.
    fn take(&mut self, record: &mut ChunkRecord) {
        // A chunk of a grid's later voxels goes on with the file of the one before.
        let n_again = usize::from(record.span.from.voxel > 0);
        self.contents.extend(take(&mut record.contents).into_iter().skip(n_again));
        self.bases.extend(take(&mut record.bases).into_iter().map(|b| ((b.id.clone(), b.sha256.clone()), b)));
        self.recipes.extend(take(&mut record.recipes));
        self.ratio_rows.extend(take(&mut record.ratio_rows));
        self.notes.extend(take(&mut record.notes));
        self.timings += record.timings;
    }

    /// The record of the whole run, without its timings.
    fn into_record(self, plan: &Plan) -> RunRecord {
        let hashes = self.contents.iter().map(|c| (c.source_path.as_str(), c.source_sha256.as_deref()));
        let copies = corpus::copies(hashes).map(|copies| copies.to_string());
        let warnings: Vec<String> = plan.warnings.iter().cloned().chain(copies).chain(self.notes).collect();
        let mut config = plan.config.clone();
        if let Some(fields) = config.as_object_mut() {
            fields.insert(RATIO_ROWS_KEY.to_owned(), self.ratio_rows.into_iter().collect());
            fields.insert(
                SIMULATED_KEY.to_owned(),
                self.recipes
                    .iter()
                    .filter_map(|recipe| serde_json::from_str::<serde_json::Value>(recipe).ok())
                    .collect(),
            );
        }
        let listed = self.contents.iter().map(|c| (c.source_path.as_str(), c.source_sha256.as_deref().unwrap_or("")));
        RunRecord {
            signature: plan.signature.clone(),
            settings: plan.settings.clone(),
            config,
            methods: plan.methods.clone(),
            bases: self.bases.into_values().collect(),
            inputs: Inputs {
                n_files: plan.inputs.len(),
                listing_sha256: listing_sha256(listed),
                content_sha256: content_sha256(&self.contents),
                left_out: plan.left_out.clone(),
            },
            device: plan.device.clone(),
            started_utc: Some(plan.started_utc.clone()),
            command_line: plan.command_line.clone(),
            warnings,
            ..RunRecord::new(&plan.engine, rayon::current_num_threads())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_one_file_must_have_seen_it_alike() {
        let [here, there] = ["here", "there"].map(Path::new);
        let record = |files, hashes: &[&str]| ChunkRecord {
            plan: String::new(),
            span: Span::of_files(files),
            contents: hashes
                .iter()
                .map(|hash| Content { all_sha256: (*hash).to_owned(), ..Content::default() })
                .collect(),
            n_spectra: Vec::new(),
            files: Vec::new(),
            bases: Vec::new(),
            recipes: Vec::new(),
            ratio_rows: Vec::new(),
            notes: Vec::new(),
            timings: Timings::default(),
        };
        let first = record(0..2, &["a", "b"]);
        // Another cut, and another journal.
        let (cut, beside) = (record(1..3, &["b", "c"]), record(2..3, &["c"]));
        let (other_here, other_there) = (record(0..1, &["x"]), record(2..3, &["x"]));
        let mut seen = Seen::default();
        assert!(seen.add(here, &first).is_ok());
        assert!(seen.add(here, &cut).is_ok());
        assert!(seen.add(there, &beside).is_ok());
        assert!(matches!(seen.add(here, &other_here), Err(RunError::Changing { .. })));
        assert!(matches!(seen.add(there, &other_there), Err(RunError::OtherInputs { .. })));
    }
}
