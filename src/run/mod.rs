//! The main job: inputs to tables, straight through.
//!
//! Files are found ([`crate::corpus`]), and then, a chunk at a time, read and prepared ([`mod@load`]),
//! grouped into batches that share a model, fitted by an engine and turned into rows.
//! Whatever fails on the way leaves as a row that says why.

pub mod config;
pub mod interrupt;
pub mod load;
mod merge;
pub(crate) mod models;
pub(crate) mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use rayon::prelude::*;

use self::load::{Failure, Loaded, load};
use self::merge::Tally;
use self::models::{ModelStore, Prepared};
use self::rows::{BasisRef, Origin, settings_hash};
use crate::corpus::{self, FindError, Found, Listing, Water};
use crate::engine::{Batch, Engine, Fitted};
use crate::fit::{FitState, Settings, report};
use crate::formats;
use crate::learn::{self, Learned};
use crate::quantify::WaterScaling;
use crate::store::provenance::{Counts, Named, sha256_file, sha256_hex};
use crate::store::writer::IfExists;
use crate::store::{
    ChunkRecord, ChunkRows, CurveRow, Journal, MetaboliteRow, Plan, ReadTableError, SpectrumRow, Status, StoreError,
};

pub use config::{Config, Gaps};
pub use merge::merge;
pub(crate) use models::read_referenced;

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Files, folders, BIDS datasets, manifests.
    pub inputs: Vec<PathBuf>,
    /// Output folder.
    pub out: PathBuf,
    /// What to do if it exists.
    pub if_exists: IfExists,
    /// Basis set for every spectrum that the manifest names none for; `None`: simulated from each header.
    pub basis: Option<PathBuf>,
    /// Methods; each gives every spectrum a row.
    pub methods: Vec<Settings>,
    /// What was learned from the corpus before; it becomes the prior of the spectra that it was learned for.
    pub learned: Option<Learned>,
    /// Values for files that do not state them.
    pub gaps: Gaps,
    /// Constants of water scaling.
    pub water_scaling: WaterScaling,
    /// Whether to write curves.
    pub curves: bool,
    /// Whether to go on with an unfinished run in `out`.
    pub resume: bool,
    /// Which part of the run to do; `None`: all of it.
    pub shard: Option<Shard>,
}

/// Told how far a run is; implemented by whoever shows it.
pub trait Progress: Sync {
    /// The number of files that will be processed is known.
    fn found(&self, n_files: usize);
    /// Files were finished, of which some rows failed.
    fn advanced(&self, n_files: usize, n_failed: usize);
    /// A pass of learning begins over so many groups of spectra.
    fn learning(&self, _pass: usize, _n_groups: usize) {}
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Rows by status.
    pub counts: crate::store::provenance::Counts,
    /// Rows that failed or were skipped, by code.
    pub reasons: BTreeMap<String, usize>,
    /// Flagged rows, by flag.
    pub flags: BTreeMap<String, usize>,
    /// Notes about the run as a whole.
    pub warnings: Vec<String>,
    /// Files written, `run.json` last.
    pub files: Vec<PathBuf>,
    /// Wall time (s).
    pub wall_s: f64,
    /// The shard that was done, where it was one.
    pub shard: Option<Shard>,
}

/// Why a run as a whole failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to do, or the inputs cannot be listed.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The tables cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The basis set named for the whole run cannot be read.
    #[error("basis set: {0}")]
    Basis(#[from] crate::basis::BasisError),
    /// Finished chunks cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// Somebody asked to stop.
    #[error("stopped; what is done is safe: run the same command with --resume to go on ({})", out.display())]
    Interrupted {
        /// The output folder.
        out: PathBuf,
    },
    /// There is nothing to merge.
    #[error("{}: no unfinished run or shard there; give the --out of the shards", path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// Shards of different runs.
    #[error("{}: a shard of another run than {} (settings, inputs, engine or version differ)", path.display(), first.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// The first one.
        first: PathBuf,
    },
    /// Shards are missing.
    #[error(
        "{missing} of {of} chunks are not done yet: finish their shards (--shard I/N, again with --resume) and merge then"
    )]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        of: usize,
    },
}

impl RunError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Find(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::Interrupted { .. } => 75,
            Self::NoJournal { .. } => 66,
            Self::Basis(_) | Self::Read(_) | Self::OtherRun { .. } | Self::Missing { .. } => 1,
        }
    }
}

/// One of the parts into which a run is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// Parts in all.
    pub count: usize,
}

/// Runs it all, or one shard of it; what an unfinished run has done already is not done again where `options.resume`
/// says so. A shard leaves its chunks for [`merge()`].
pub fn run(options: &RunOptions, engine: &dyn Engine, progress: &dyn Progress) -> Result<Summary, RunError> {
    let started = Instant::now();
    let listing = corpus::find(&options.inputs, &formats::is_spectroscopy)?;
    let models = ModelStore::new(options)?;
    let hashes: Vec<String> = options.methods.iter().map(settings_hash).collect();
    let chunks: Vec<&[Found]> = listing.found.chunks(engine.files_at_once().max(1)).collect();
    let plan = plan(options, &listing, &hashes, &models, chunks.len(), engine);
    let learned = options.learned.as_ref().map(learn::rows).unwrap_or_default();
    let shard = options.shard.map(|s| s.index);
    let journal = Journal::open(&options.out, &plan, learned, options.if_exists, options.resume, shard)?;
    let own = |index: &usize| options.shard.is_none_or(|s| index % s.count == s.index);
    progress.found((0..chunks.len()).filter(own).map(|i| chunks[i].len()).sum());
    let (mut counts, mut tally) = (Counts::default(), Tally::default());
    for index in (0..chunks.len()).filter(own) {
        if interrupt::asked() {
            return Err(RunError::Interrupted { out: options.out.clone() });
        }
        let chunk = chunks[index];
        let signature = chunk_signature(&plan, chunk);
        if journal.record(index).is_some_and(|r| r.signature == signature)
            && let Ok(rows) = journal.rows(index)
        {
            rows.spectra.iter().for_each(|row| count(row, &mut counts, &mut tally));
            progress.advanced(chunk.len(), rows.spectra.iter().filter(|r| r.status == Status::Failed).count());
            continue;
        }
        let mut rows = ChunkRows::default();
        let mut listed = Vec::new();
        for r in process(chunk, options, &hashes, &models, engine) {
            count(&r.spectrum, &mut counts, &mut tally);
            listed.push((r.spectrum.source_path.clone(), r.spectrum.source_sha256.clone().unwrap_or_default()));
            rows.spectra.push(r.spectrum);
            rows.metabolites.extend(r.metabolites);
            rows.curves.extend(r.curve);
        }
        listed.dedup();
        let record = ChunkRecord {
            signature,
            listed,
            bases: models.used(),
            recipes: models.recipes(),
            ratio_rows: models.ratio_rows(),
            notes: engine.notes(),
        };
        let failed = rows.spectra.iter().filter(|r| r.status == Status::Failed).count();
        journal.write(index, &record, rows)?;
        progress.advanced(chunk.len(), failed);
    }
    if options.shard.is_some() {
        return Ok(Summary {
            counts,
            reasons: tally.reasons,
            flags: tally.flags,
            warnings: plan.warnings.iter().cloned().chain(engine.notes()).collect(),
            files: Vec::new(),
            wall_s: started.elapsed().as_secs_f64(),
            shard: options.shard,
        });
    }
    // What was there before may go: the journal was allowed to begin.
    let summary = merge(std::slice::from_ref(&options.out), &options.out, IfExists::Overwrite)?;
    drop(journal);
    Ok(Summary { wall_s: started.elapsed().as_secs_f64(), ..summary })
}

fn count(row: &SpectrumRow, counts: &mut Counts, tally: &mut Tally) {
    counts.spectra += 1;
    match row.status {
        Status::Ok => counts.ok += 1,
        Status::Failed => counts.failed += 1,
        Status::Skipped => counts.skipped += 1,
    }
    tally.add(row);
}

fn plan(
    options: &RunOptions,
    listing: &Listing,
    hashes: &[String],
    models: &ModelStore<'_>,
    n_chunks: usize,
    engine: &dyn Engine,
) -> Plan {
    let config = serde_json::json!({
        "methods": options.methods,
        "gaps": options.gaps,
        "water_scaling": options.water_scaling,
    });
    let mut parts = vec![
        config.to_string(),
        env!("CARGO_PKG_VERSION").to_owned(),
        engine.name().to_owned(),
        format!("{n_chunks} {} {:?}", options.curves, models.used()),
    ];
    parts.extend(options.learned.iter().flat_map(|l| l.groups.iter().map(learn::LearnedGroup::id)));
    parts.extend(listing.found.iter().map(|f| f.source_path.clone()));
    Plan {
        signature: sha256_hex(parts.join("\n").as_bytes()),
        n_chunks,
        n_files: listing.found.len(),
        config,
        methods: options
            .methods
            .iter()
            .zip(hashes)
            .map(|(m, h)| Named { id: m.name.clone(), sha256: h.clone() })
            .collect(),
        warnings: listing.warnings.iter().map(ToString::to_string).collect(),
        engine: engine.name().to_owned(),
        device: engine.device(),
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

struct Rows {
    spectrum: SpectrumRow,
    metabolites: Vec<MetaboliteRow>,
    curve: Option<CurveRow>,
}

impl Rows {
    fn only(spectrum: SpectrumRow) -> Self {
        Self { spectrum, metabolites: Vec::new(), curve: None }
    }
}

/// One spectrum × method on its way to a row.
struct Job<'a> {
    found: &'a Found,
    loaded: &'a Loaded,
    /// Index into `loaded.spectra`.
    index: usize,
    method: usize,
    prepared: Result<Prepared, Failure>,
    fit: Option<Fitted>,
}

/// Reads, fits and tabulates some files; rows come in the order of the files.
fn process(
    chunk: &[Found],
    options: &RunOptions,
    hashes: &[String],
    models: &ModelStore,
    engine: &dyn Engine,
) -> Vec<Rows> {
    let loaded: Vec<Loaded> = chunk
        .par_iter()
        .map(|found| match found.refusal() {
            Some(_) => Loaded::empty(found),
            None => load(found, &options.gaps),
        })
        .collect();
    let plan: Vec<(usize, usize, usize)> = (0..chunk.len())
        .flat_map(|f| (0..loaded[f].spectra.len()).map(move |s| (f, s)))
        .flat_map(|(f, s)| (0..options.methods.len()).map(move |m| (f, s, m)))
        .collect();
    let mut jobs: Vec<Job<'_>> = plan
        .par_iter()
        .map(|&(f, index, method)| {
            let (found, loaded) = (&chunk[f], &loaded[f]);
            let prepared = match &loaded.spectra[index].1 {
                Err(failure) => Err(failure.clone()),
                Ok(spectrum) => models.model(found, &loaded.header, spectrum, method),
            };
            Job { found, loaded, index, method, prepared, fit: None }
        })
        .collect();
    fit_all(&mut jobs, engine);
    jobs.par_iter().map(|job| rows_of(job, options, hashes)).collect()
}

/// Batches of jobs that share a model, fitted side by side.
fn fit_all(jobs: &mut [Job<'_>], engine: &dyn Engine) {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut by_model: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, job) in jobs.iter().enumerate() {
        if let Ok(prepared) = &job.prepared {
            let slot = *by_model.entry(prepared.model_key()).or_insert_with(|| {
                batches.push(Vec::new());
                batches.len() - 1
            });
            batches[slot].push(i);
        }
    }
    let view: &[Job<'_>] = jobs;
    let results: Vec<(usize, Fitted)> = batches
        .par_iter()
        .flat_map_iter(|batch| {
            let fids = batch.iter().filter_map(|&i| view[i].spectrum().map(|s| s.fid.as_slice())).collect();
            let fits = match batch.first().and_then(|&i| view[i].prepared.as_ref().ok()) {
                Some(prepared) => engine.fit(&Batch { model: &prepared.model, fids }),
                None => Vec::new(),
            };
            batch.iter().copied().zip(fits).collect::<Vec<_>>()
        })
        .collect();
    for (i, fit) in results {
        jobs[i].fit = Some(fit);
    }
}

impl<'a> Job<'a> {
    fn spectrum(&self) -> Option<&'a crate::prepare::Spectrum> {
        self.loaded.spectra[self.index].1.as_ref().ok()
    }
}

fn rows_of(job: &Job<'_>, options: &RunOptions, hashes: &[String]) -> Rows {
    let settings = &options.methods[job.method];
    let mut origin = Origin {
        found: job.found,
        header: &job.loaded.header,
        key: &job.loaded.spectra[job.index].0,
        method: &settings.name,
        method_hash: &hashes[job.method],
        warnings: &[],
        learned_id: None,
    };
    if let Some(refusal) = job.found.refusal() {
        let failure = Failure::new(refusal.code, refusal.message);
        let status = if refusal.is_skip { Status::Skipped } else { Status::Failed };
        return Rows::only(origin.failed(&failure, status));
    }
    let prepared = match &job.prepared {
        Ok(prepared) => prepared,
        Err(failure) => return Rows::only(origin.failed(failure, Status::Failed)),
    };
    origin.warnings = &prepared.warnings;
    origin.learned_id = prepared.learned_id.as_deref();
    let (Some(spectrum), Some(Fitted { result: fit, engine })) = (job.spectrum(), &job.fit) else {
        let failure = Failure::new("internal", "the engine returned no result for this spectrum; please report it");
        return Rows::only(origin.failed(&failure, Status::Failed));
    };
    let basis = BasisRef { id: &prepared.basis_id, signal_per_proton: prepared.signal_per_proton };
    let (row, metabolites) = origin.fitted(spectrum, &prepared.model, fit, &basis, engine, &options.water_scaling);
    let fitted = !matches!(fit.state, FitState::NoSignal | FitState::Singular);
    let curve = (options.curves && fitted)
        .then(|| origin.curves(&prepared.model, report::curves(&prepared.model, &spectrum.fid, fit)));
    Rows { spectrum: row, metabolites, curve }
}
