//! The main job: inputs to tables, straight through.
//!
//! Files are found ([`crate::corpus`]), and then, a chunk at a time ([`mod@cut`]), read and prepared ([`mod@load`]),
//! grouped into batches that share a model, fitted by an engine and turned into rows, which are safe on disk before the
//! next chunk's ([`crate::store::journal`]). While one chunk is fitted the next one is read.
//! Whatever fails on the way leaves as a row that says why.

mod bases;
mod chunk;
pub mod config;
pub mod cut;
mod error;
mod identity;
mod inputs;
pub mod interrupt;
pub mod load;
mod merge;
pub(crate) mod models;
mod options;
pub mod plan;
pub(crate) mod rows;
mod summary;
mod tally;
pub mod union;

use std::ops::Range;

use rayon::prelude::*;

use self::load::Loaded;
use self::models::ModelStore;
use self::rows::settings_hash;
use crate::corpus::{Found, Listing, Water};
use crate::engine::Engine;
use crate::hash::{sha256_file, sha256_hex};
use crate::learned::{self, LearnedGroup};
use crate::store::IfExists;
use crate::store::provenance::{Named, VARIED_KEY, command_line};
use crate::store::{
    ChunkRecord, ChunkRows, Journal, Plan, SCHEMA_VERSION, SpectrumRow, Status, Timings, read_run, read_table,
};

pub use config::Config;
pub use error::RunError;
pub use inputs::Inputs;
pub use merge::merge;
pub use options::RunOptions;
pub use summary::{Progress, Shard, Summary};
pub use tally::{Group, Tally};

/// A run under way.
struct Run<'a> {
    options: &'a RunOptions,
    engine: &'a dyn Engine,
    models: ModelStore<'a>,
    hashes: Vec<String>,
    listing: &'a Listing,
    plan: Plan,
    journal: Journal,
}

/// A chunk that was looked at.
enum Ready {
    /// An earlier run has done it.
    Done(Vec<SpectrumRow>),
    /// It is to be fitted.
    Read { signature: String, loaded: Vec<Loaded> },
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
    let Inputs { listing, started, started_utc, find_wall_s } = inputs;
    let models = ModelStore::new(options)?;
    let hashes: Vec<String> = options.methods.iter().map(settings_hash).collect();
    let chunks = options.cut(&listing.found, engine);
    let plan = Plan {
        started_utc: started_utc.clone(),
        timings: Timings { find_wall_s: *find_wall_s, ..Timings::default() },
        ..journal_plan(options, listing, &hashes, &models, &chunks, engine)
    };
    if options.resume
        && let Ok(record) = read_run(&options.out)
        && record.signature == plan.signature
        && Journal::at(&options.out).plan().is_none()
    {
        let mut tally = Tally::default();
        read_table::<SpectrumRow>(&options.out)?.iter().for_each(|row| tally.add(row));
        let warnings = vec!["the run was complete already; --overwrite instead of --resume to do it again".to_owned()];
        let wall_s = started.elapsed().as_secs_f64();
        return Ok(Summary { tally, warnings, files: Vec::new(), wall_s, shard: options.shard });
    }
    let learned = options.learned.as_ref().map(learned::rows).unwrap_or_default();
    let shard = options.shard.map(|s| s.index);
    let journal = Journal::open(&options.out, &plan, learned, options.if_exists, options.resume, shard)?;
    let run = Run { options, engine, models, hashes, listing, plan, journal };
    let tally = run.chunks(&chunks, progress)?;
    if options.shard.is_some() {
        let warnings = run.plan.warnings.iter().cloned().chain(engine.notes()).collect();
        let wall_s = started.elapsed().as_secs_f64();
        return Ok(Summary { tally, warnings, files: Vec::new(), wall_s, shard: options.shard });
    }
    // What was there before may go: the journal was allowed to begin.
    let summary = merge(std::slice::from_ref(&options.out), &options.out, IfExists::Overwrite)?;
    Ok(Summary { wall_s: started.elapsed().as_secs_f64(), ..summary })
}

impl Run<'_> {
    /// All chunks of this process's shard, each on disk before the next.
    fn chunks(&self, chunks: &[Range<usize>], progress: &dyn Progress) -> Result<Tally, RunError> {
        let own = |index: &usize| self.options.shard.is_none_or(|s| index % s.count == s.index);
        let todo: Vec<usize> = (0..chunks.len()).filter(own).collect();
        progress.found(todo.iter().map(|&i| chunks[i].len()).sum());
        let files = |index: usize| &self.listing.found[chunks[index].clone()];
        let mut tally = Tally::default();
        let mut ready = todo.first().map(|&first| self.look_at(first, files(first)));
        for (position, &index) in todo.iter().enumerate() {
            if interrupt::asked() {
                return Err(RunError::Interrupted { out: self.options.out.clone() });
            }
            let Some(current) = ready.take() else { break };
            let next = todo.get(position + 1).copied();
            let (rows, ahead) = rayon::join(
                || self.finish(index, files(index), current),
                || next.map(|next| self.look_at(next, files(next))),
            );
            for row in rows? {
                if row.status == Status::Failed {
                    progress.failed(&row);
                }
                tally.add(&row);
            }
            progress.advanced(files(index).len());
            ready = ahead;
        }
        Ok(tally)
    }

    fn look_at(&self, index: usize, files: &[Found]) -> Ready {
        let signature = chunk_signature(&self.plan, files);
        if self.journal.record(index).is_some_and(|r| r.signature == signature)
            && let Ok(rows) = self.journal.rows(index)
        {
            return Ready::Done(rows.spectra);
        }
        Ready::Read { signature, loaded: chunk::read(files, self.options) }
    }

    fn finish(&self, index: usize, files: &[Found], ready: Ready) -> Result<Vec<SpectrumRow>, RunError> {
        let (signature, loaded) = match ready {
            Ready::Done(rows) => return Ok(rows),
            Ready::Read { signature, loaded } => (signature, loaded),
        };
        let mut rows = ChunkRows::default();
        let mut listed = Vec::new();
        let (made, timings) = chunk::process(&chunk::Work {
            chunk: files,
            loaded: &loaded,
            options: self.options,
            hashes: &self.hashes,
            models: &self.models,
            engine: self.engine,
        });
        for r in made {
            listed.push((r.spectrum.source_path.clone(), r.spectrum.source_sha256.clone().unwrap_or_default()));
            rows.spectra.push(r.spectrum);
            rows.metabolites.extend(r.metabolites);
            rows.curves.extend(r.curve);
            rows.transients.extend(r.transients);
        }
        listed.dedup();
        let record = ChunkRecord {
            signature,
            listed,
            bases: self.models.used(),
            recipes: self.models.recipes(),
            ratio_rows: self.models.ratio_rows(),
            notes: self.engine.notes(),
            timings,
        };
        let spectra = rows.spectra.clone();
        self.journal.write(index, record, rows)?;
        Ok(spectra)
    }
}

fn journal_plan(
    options: &RunOptions,
    listing: &Listing,
    hashes: &[String],
    models: &ModelStore<'_>,
    chunks: &[Range<usize>],
    engine: &dyn Engine,
) -> Plan {
    let mut config = serde_json::json!({
        "methods": options.methods,
        "gaps": options.gaps,
        "prepare": options.preparation,
        "water_scaling": options.water_scaling,
    });
    if let (false, Some(fields)) = (options.varied.is_empty(), config.as_object_mut()) {
        fields.insert(VARIED_KEY.to_owned(), serde_json::json!(options.varied));
    }
    let mut parts = vec![
        config.to_string(),
        env!("CARGO_PKG_VERSION").to_owned(),
        SCHEMA_VERSION.to_owned(),
        engine.kind().as_str().to_owned(),
        format!("{chunks:?} {} {} {:?}", options.curves, options.transients, models.used()),
    ];
    parts.extend(options.learned.iter().flat_map(|l| l.groups.iter().map(LearnedGroup::id)));
    parts.extend(listing.found.iter().map(|f| f.source_path.clone()));
    Plan {
        signature: sha256_hex(parts.join("\n").as_bytes()),
        n_chunks: chunks.len(),
        n_files: listing.found.len(),
        config,
        methods: options
            .methods
            .iter()
            .zip(hashes)
            .map(|(m, h)| Named { id: m.name().to_owned(), sha256: h.clone() })
            .collect(),
        warnings: listing.warnings.iter().map(ToString::to_string).collect(),
        engine: engine.kind().as_str().to_owned(),
        device: engine.device(),
        started_utc: String::new(),
        command_line: command_line(),
        timings: Timings::default(),
    }
}

/// Hash of everything that decides about a chunk's rows, the content of its inputs included: what changed is done again.
fn chunk_signature(plan: &Plan, chunk: &[Found]) -> String {
    let content = |path: &std::path::Path| sha256_file(path).unwrap_or_else(|_| "unreadable".to_owned());
    let files: Vec<String> = chunk
        .par_iter()
        .map(|found| {
            let water = match &found.water {
                Water::Paired(path) => content(path),
                other => format!("{other:?}"),
            };
            let basis = found.overrides.basis.as_deref().filter(|p| p.is_file()).map(content);
            format!("{} {} {water} {basis:?} {:?}", found.source_path, content(&found.path), found.overrides)
        })
        .collect();
    sha256_hex(format!("{}\n{}", plan.signature, files.join("\n")).as_bytes())
}
