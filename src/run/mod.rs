//! The main job: inputs to tables, straight through.
//!
//! Files are found ([`crate::corpus`]), and then, a chunk at a time, read and prepared ([`mod@load`]),
//! grouped into batches that share a model, fitted by an engine and turned into rows.
//! Whatever fails on the way leaves as a row that says why.

pub mod config;
pub mod load;
pub(crate) mod models;
pub(crate) mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use rayon::prelude::*;

use self::load::{Failure, Loaded, load};
use self::models::{ModelStore, Prepared};
use self::rows::{BasisRef, Origin, settings_hash};
use crate::corpus::{self, FindError, Found};
use crate::engine::{Batch, Engine, Fitted};
use crate::fit::{FitState, Settings, report};
use crate::formats;
use crate::learn::{self, Learned};
use crate::quantify::WaterScaling;
use crate::store::provenance::{Inputs, Named, listing_sha256};
use crate::store::writer::IfExists;
use crate::store::{CurveRow, DatasetWriter, MetaboliteRow, RunRecord, SpectrumRow, Status, StoreError};

pub use config::{Config, Gaps};
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
}

impl RunError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Find(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::Basis(_) => 1,
        }
    }
}

/// Runs it all.
pub fn run(options: &RunOptions, engine: &dyn Engine, progress: &dyn Progress) -> Result<Summary, RunError> {
    let started = Instant::now();
    let listing = corpus::find(&options.inputs, &formats::is_spectroscopy)?;
    let models = ModelStore::new(options)?;
    let mut writer = DatasetWriter::create(&options.out, options.if_exists)?;
    progress.found(listing.found.len());
    let hashes: Vec<String> = options.methods.iter().map(settings_hash).collect();
    let (mut reasons, mut flags) = (BTreeMap::new(), BTreeMap::new());
    let mut listed = Vec::new();
    if let Some(learned) = &options.learned {
        writer.learned(learn::rows(learned))?;
    }
    for chunk in listing.found.chunks(engine.files_at_once().max(1)) {
        let rows = process(chunk, options, &hashes, &models, engine);
        let failed = rows.iter().filter(|r| r.spectrum.status == Status::Failed).count();
        for r in rows {
            if let Some(code) = &r.spectrum.error_code {
                *reasons.entry(code.clone()).or_insert(0) += 1;
            }
            for flag in &r.spectrum.flags {
                *flags.entry(flag.clone()).or_insert(0) += 1;
            }
            listed.push((r.spectrum.source_path.clone(), r.spectrum.source_sha256.clone().unwrap_or_default()));
            writer.spectrum(r.spectrum)?;
            for m in r.metabolites {
                writer.metabolite(m)?;
            }
            if let Some(curve) = r.curve {
                writer.curve(curve)?;
            }
        }
        progress.advanced(chunk.len(), failed);
    }
    listed.dedup();
    let warnings: Vec<String> = listing.warnings.iter().map(ToString::to_string).chain(engine.notes()).collect();
    let record = RunRecord {
        config: serde_json::json!({
            "methods": options.methods,
            "gaps": options.gaps,
            "water_scaling": options.water_scaling,
            "ratio_rows": models.ratio_rows(),
            "simulated_bases": models.recipes(),
        }),
        methods: options
            .methods
            .iter()
            .zip(&hashes)
            .map(|(m, h)| Named { id: m.name.clone(), sha256: h.clone() })
            .collect(),
        bases: models.used(),
        inputs: Inputs {
            n_files: listing.found.len(),
            listing_sha256: listing_sha256(listed.iter().map(|(p, h)| (p.as_str(), h.as_str()))),
        },
        device: engine.device(),
        timings_s: BTreeMap::from([("total".into(), started.elapsed().as_secs_f64())]),
        warnings: warnings.clone(),
        ..RunRecord::new(engine.name(), rayon::current_num_threads())
    };
    let counts = writer.counts().clone();
    let files = writer.finish(record)?;
    Ok(Summary { counts, reasons, flags, warnings, files, wall_s: started.elapsed().as_secs_f64() })
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
