//! The main job: inputs to tables, straight through.
//!
//! Files are found ([`crate::corpus`]), and then, a chunk at a time ([`mod@cut`]), read and prepared ([`mod@load`]),
//! grouped into batches that share a model, fitted by an engine and turned into rows, which are safe on disk before the
//! next chunk's ([`crate::store::journal`]). While one chunk is fitted the next one is read.
//! Whatever fails on the way leaves as a row that says why.

mod bases;
pub(crate) mod chunk;
mod complete;
mod conditions;
pub mod config;
mod contents;
pub mod cut;
mod error;
pub mod gaps;
mod gating;
pub mod held;
mod inputs;
pub(crate) mod job;
pub mod lacking;
pub mod load;
mod loaded;
mod measured;
mod merge;
mod metabolite_rows;
mod missing;
pub(crate) mod models;
mod need;
#[cfg(feature = "cli")]
pub(crate) mod one;
mod options;
mod other_tissue;
pub mod plan;
pub mod planned_manifest;
mod prepared;
mod read_basis;
pub mod requantify;
pub(crate) mod rows;
mod signature;
mod strangers;
mod summary;
mod tally;
mod thresholds;
pub mod tissue;
mod tissue_options;
mod tissue_table;
mod trials;
mod unexplained;
pub mod union;
mod voxel_tissue;
mod water_match;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::contents::{Seen, Shared};
use self::cut::Chunk;
use self::load::Loaded;
use self::models::ModelStore;
use self::rows::settings_hash;
use crate::corpus::Listing;
use crate::engine::Engine;
use crate::interrupt;
use crate::learned;
use crate::store::span::gaps;
use crate::store::{ChunkRecord, ChunkRows, Journal, Opening, Plan, Position, Span, SpectrumRow, Status};

pub use config::Config;
pub use error::RunError;
pub use gating::{gates_of, judge};
pub use inputs::Inputs;
pub use merge::merge;
pub use missing::missing_shards;
pub use options::{CurvesKept, RunOptions};
pub use summary::{Progress, Shard, Summary};
pub use tally::{Group, Tally, protocol_of};
pub use thresholds::thresholds;
pub use tissue_options::TissueOptions;
pub use tissue_table::{TissueTable, TissueTableError};

/// A run under way.
struct Run<'a> {
    options: &'a RunOptions,
    engine: &'a dyn Engine,
    models: ModelStore<'a>,
    hashes: Vec<String>,
    listing: &'a Listing,
    plan: Plan,
    shared: Shared,
    journal: Journal,
}

/// A chunk that was read.
struct Ready {
    seen: Vec<Seen>,
    loaded: Vec<Loaded>,
}

/// What a process has done, or found done.
struct Done {
    tally: Tally,
    /// Of the chunks that hold: what else lies in the journal saw other inputs or is damaged.
    spans: BTreeSet<Span>,
    /// About what was found of an earlier run.
    notes: Vec<String>,
}

/// Runs it all, or one shard of it; what an unfinished run has done already is not done again where `options.resume`
/// says so. A shard leaves its chunks for [`merge()`].
pub fn run(options: &RunOptions, engine: &dyn Engine, progress: &dyn Progress) -> Result<Summary, RunError> {
    run_found(options, &Inputs::find(options)?, engine, progress)
}

/// [`run`] over inputs that were found before.
///
/// # Errors
/// As [`run`].
pub fn run_found(
    options: &RunOptions,
    inputs: &Inputs,
    engine: &dyn Engine,
    progress: &dyn Progress,
) -> Result<Summary, RunError> {
    cut::check_memory(options)?;
    let Inputs { listing, started, .. } = inputs;
    if let Some(gates) = &options.gates {
        gating::ready(gates, &listing.carried)?;
    }
    let models = ModelStore::new(options)?;
    let hashes: Vec<String> = options.methods.iter().map(settings_hash).collect();
    let shared = Shared::of(&listing.found);
    let plan = signature::plan(options, inputs, &shared, &hashes, &models, engine);
    if options.resume
        && let Some(tally) = complete::look(&options.out, &plan, &listing.found)?
    {
        let wall_s = started.elapsed().as_secs_f64();
        return Ok(Summary { wall_s, was_complete: true, ..Summary::of(tally, options.shard) });
    }
    let learned = options.learned.as_ref().map(learned::rows).unwrap_or_default();
    let how = Opening { if_exists: options.if_exists, resume: options.resume, shard: options.shard.map(|s| s.index) };
    let journal = Journal::open(&options.out, &plan, learned, how)?;
    let run = Run { options, engine, models, hashes, listing, plan, shared, journal };
    let Done { tally, spans, notes } = run.chunks(progress)?;
    if options.shard.is_some() {
        let Run { plan, journal, models, .. } = run;
        let said = notes.into_iter().chain(engine.notes()).chain(models.notes());
        let warnings = plan.warnings.into_iter().chain(journal.notes().to_vec()).chain(said);
        let (warnings, wall_s) = (warnings.collect(), started.elapsed().as_secs_f64());
        return Ok(Summary { wall_s, warnings, ..Summary::of(tally, options.shard) });
    }
    // Models and what is known of the inputs make room for the tables.
    let Run { journal, plan, shared, models, .. } = run;
    drop((plan, shared, models));
    let mut summary = merge::dataset_of(journal, &spans)?;
    summary.warnings.extend(notes);
    Ok(Summary { wall_s: started.elapsed().as_secs_f64(), ..summary })
}

impl Run<'_> {
    /// All chunks of this process's shard, each on disk before the next.
    fn chunks(&self, progress: &dyn Progress) -> Result<Done, RunError> {
        let found = &self.listing.found;
        let own = |&(block, _): &(usize, _)| self.options.shard.is_none_or(|s| block % s.count == s.index);
        let n_shards = self.options.shard.map(|shard| shard.count);
        let blocks = cut::blocks(found.len(), self.engine.files_at_once(), n_shards).enumerate().filter(own);
        let own: Vec<Span> = blocks.map(|(_, files)| Span::of_files(files)).collect();
        let (kept, notes) = self.kept(&own)?;
        // After the chunks of other inputs are gone: a stop in between must not leave them beside a plan of the new ones.
        if self.options.shard.is_none() {
            self.journal.renew(&self.plan)?;
        }
        progress.found(own.iter().map(|span| span.files().len()).sum());
        let mut tally = Tally::default();
        for record in &kept {
            self.journal.spectra(record)?.iter().for_each(|row| tally.add(row));
            progress.advanced(files_ended(record.span));
        }
        let done: Vec<Span> = kept.iter().map(|record| record.span).collect();
        let open = own.into_iter().flat_map(|block| gaps(&done, block));
        let todo: Vec<Chunk> = open.flat_map(|gap| cut::cut(found, gap, self.options)).collect();
        let mut ready = todo.first().map(|first| self.read(first.span));
        for (position, chunk) in todo.iter().enumerate() {
            let stopped = || RunError::Interrupted { out: self.options.out.clone() };
            if interrupt::asked() {
                return Err(stopped());
            }
            let Some(current) = ready.take().transpose()? else { break };
            let (span, next) = (chunk.span, todo.get(position + 1));
            // What does not fit beside what is being fitted is read when that is done.
            let beside = next.filter(|next| chunk.fits_beside(next, self.options));
            let n_fits = current.loaded.iter().map(|loaded| loaded.spectra.iter().filter(|s| s.1.is_ok()).count());
            progress.begun(span.files().len(), n_fits.sum::<usize>() * self.options.methods.len());
            let (rows, ahead) = rayon::join(|| self.finish(span, current), || beside.map(|next| self.read(next.span)));
            for row in rows? {
                if row.status == Status::Failed {
                    progress.failed(&row);
                }
                tally.add(&row);
            }
            progress.advanced(files_ended(span));
            ready = ahead.or_else(|| next.map(|next| self.read(next.span)));
        }
        let spans = kept.iter().map(|record| record.span).chain(todo.iter().map(|chunk| chunk.span)).collect();
        Ok(Done { tally, spans, notes })
    }

    /// What is done of `own` already and holds: every file of it is as it was written, and its inputs have not changed. A
    /// chunk whose inputs changed leaves the journal: cut otherwise, its files would lie there twice.
    fn kept(&self, own: &[Span]) -> Result<(Vec<ChunkRecord>, Vec<String>), RunError> {
        let (records, n_broken) = self.journal.records(&self.plan.signature);
        // Runs of another number of shards dealt otherwise.
        let is_own = |record: &ChunkRecord| own.iter().any(|s| s.from < record.span.to && record.span.from < s.to);
        let own: Vec<ChunkRecord> = records.into_iter().filter(is_own).collect();
        let n_records = own.len();
        let whole: Vec<ChunkRecord> = own.into_par_iter().filter(|record| self.journal.holds(record)).collect();
        // What another shard's chunks are like is that shard's to say.
        let n_broken = if self.options.shard.is_none() { n_broken } else { 0 };
        let n_damaged = n_broken + n_records - whole.len();
        let files = |record: &ChunkRecord| self.listing.found.get(record.span.files());
        let (same, changed): (Vec<ChunkRecord>, Vec<ChunkRecord>) = whole
            .into_par_iter()
            .partition(|r| files(r).is_some_and(|f| f.iter().map(contents::content_of).eq(r.contents.iter().cloned())));
        let n_changed = changed.len();
        changed.iter().try_for_each(|record| self.journal.discard(record))?;
        let mut end = Position::at_file(0);
        let mut kept = Vec::new();
        for record in same {
            // Chunks of two cuts of the same files may overlap: one of them is enough.
            if record.span.from >= end {
                end = record.span.to;
                kept.push(record);
            }
        }
        let note = |n: usize, why: &str| {
            let chunks = if n == 1 { "1 chunk was".to_owned() } else { format!("{n} chunks were") };
            (n > 0).then(|| format!("{chunks} done again: {why}"))
        };
        let damaged = note(n_damaged, "files were not as they had been written");
        let changed = note(n_changed, "inputs had changed");
        Ok((kept, damaged.into_iter().chain(changed).collect()))
    }

    fn read(&self, span: Span) -> Result<Ready, RunError> {
        let files = &self.listing.found[span.files()];
        let (seen, mut loaded) = contents::read_unchanged(files, |contents| {
            let mut loaded = chunk::read(files, span.voxels(), self.options, Some(contents));
            tissue::fill(files, &mut loaded, self.options.tissue.transform);
            loaded
        })?;
        self.shared.hold(files, &seen)?;
        for (loaded, seen) in loaded.iter_mut().zip(&seen) {
            let content = &seen.content;
            loaded.headers_mut().for_each(|header| header.inputs_sha256 = Some(content.inputs_sha256.clone()));
        }
        Ok(Ready { seen, loaded })
    }

    fn finish(&self, span: Span, ready: Ready) -> Result<Vec<SpectrumRow>, RunError> {
        let mut rows = ChunkRows::default();
        let (made, timings) = chunk::process(&chunk::Work {
            chunk: &self.listing.found[span.files()],
            loaded: &ready.loaded,
            options: self.options,
            hashes: &self.hashes,
            models: &self.models,
            engine: self.engine,
        });
        // Asked before or while: what was skipped must not be kept.
        if interrupt::asked() {
            return Err(RunError::Interrupted { out: self.options.out.clone() });
        }
        // The chunk may be the one for which they were read.
        contents::shared_unchanged(&ready.seen)?;
        for r in made {
            rows.spectra.push(r.spectrum);
            rows.metabolites.extend(r.metabolites);
            rows.curves.extend(r.curve);
            rows.transients.extend(r.transients);
        }
        let is_used = |id: &str| rows.spectra.iter().any(|row| row.basis_id.as_deref() == Some(id));
        let record = ChunkRecord {
            plan: self.plan.signature.clone(),
            span,
            contents: ready.seen.into_iter().map(|seen| seen.content).collect(),
            n_spectra: ready.loaded.iter().map(|loaded| loaded.spectra.len()).collect(),
            files: Vec::new(),
            bases: self.models.used().into_iter().filter(|basis| is_used(&basis.id)).collect(),
            recipes: self.models.recipes(),
            ratio_rows: self.models.ratio_rows(),
            notes: self.engine.notes().into_iter().chain(self.models.notes()).collect(),
            timings,
        };
        let spectra = rows.spectra.clone();
        self.journal.write(record, rows)?;
        Ok(spectra)
    }
}

/// Files of which a span has the last spectrum.
fn files_ended(span: Span) -> usize {
    span.to.file - span.from.file
}
