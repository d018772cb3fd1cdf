//! One chunk of files: read and prepared, grouped into batches that share a model, fitted, turned into rows.

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

use super::RunOptions;
use super::cut;
use super::job::{Job, fitted};
use super::load::{Failure, Loaded, SpectrumKey, index_in, load_part};
use super::measured;
use super::models::{ModelStore, Prepared};
use super::options::CurvesKept;
use super::rows::{BasisRef, Origin};
use super::strangers;
use crate::corpus::Found;
use crate::engine::{Engine, Fitted};
use crate::fit::FitResult;
use crate::fit::FitState;
use crate::interrupt;
use crate::prepare::Spectrum;
use crate::pulse;
use crate::store::{Content, CurveRow, MetaboliteRow, Span, SpectrumRow, Status, Timings, TransientRow};

/// Fits, roughly, that are prepared and done together: of many methods a few at a time, so that no more models and results
/// are held than a device is kept busy with.
const FITS_AT_ONCE: usize = 1024;

/// A spectrum's rows.
pub(super) struct Rows {
    pub(super) spectrum: SpectrumRow,
    pub(super) metabolites: Vec<MetaboliteRow>,
    pub(super) curve: Option<CurveRow>,
    pub(super) transients: Vec<TransientRow>,
}

impl Rows {
    fn only(spectrum: SpectrumRow) -> Self {
        Self { spectrum, metabolites: Vec::new(), curve: None, transients: Vec::new() }
    }
}

/// Reads and prepares some files, in their order; of one file alone perhaps some `voxels` only. `contents` are what they hold,
/// where that is known.
pub(super) fn read(
    chunk: &[Found],
    voxels: Option<Range<usize>>,
    options: &RunOptions,
    contents: Option<&[Content]>,
) -> Vec<Loaded> {
    // What takes more than the memory there is stands alone.
    let too_large = if let [found] = chunk { cut::refusal(found, options) } else { None };
    if let Some((failure, grid)) = too_large {
        let loaded = Loaded::failed(failure.clone());
        let left = voxels.filter(|voxels| voxels.start > 0);
        return vec![left.map_or(loaded, |voxels| without(Loaded::default(), &failure, grid, voxels))];
    }
    chunk
        .par_iter()
        .enumerate()
        .map(|(i, found)| (found, contents.and_then(|contents| contents.get(i))))
        .map(|(found, content)| match &voxels {
            _ if found.refusal().is_some() => Loaded::empty(found),
            // Nobody makes rows of it.
            _ if interrupt::asked() => Loaded::empty(found),
            Some(voxels) => part(found, voxels.clone(), options, content),
            None => load_part(found, None, &options.gaps, &options.preparation, content),
        })
        .inspect(|_| pulse::file_was_read())
        .collect()
}

/// Some voxels of a grid. What is wrong with the file as a whole is one row, that of the part that begins it; where only
/// this part cannot be read, each of its voxels has a row that says so.
fn part(found: &Found, voxels: Range<usize>, options: &RunOptions, content: Option<&Content>) -> Loaded {
    let of = |voxels| load_part(found, Some(voxels), &options.gaps, &options.preparation, content);
    let mut loaded = of(voxels.clone());
    let Some(failure) = loaded.failure().cloned().filter(|_| voxels.start > 0) else { return loaded };
    let first = of(0..1);
    match first.header.grid.filter(|_| first.failure().is_none()) {
        Some(grid) => without(loaded, &failure, grid, voxels),
        None => {
            loaded.spectra = Vec::new();
            loaded
        }
    }
}

/// These voxels of a grid, each without a spectrum.
fn without(loaded: Loaded, failure: &Failure, grid: [usize; 3], voxels: Range<usize>) -> Loaded {
    let key = |voxel| SpectrumKey { voxel: Some(index_in(grid, voxel)), ..SpectrumKey::default() };
    let end = voxels.end.min(grid.iter().product());
    let spectra = (voxels.start..end).map(|voxel| (key(voxel), Err(failure.clone()))).collect();
    Loaded { spectra, ..loaded }
}

/// A part of `found` as it was [`read`]: which files, and number of its chunk.
pub(crate) struct Part {
    pub(crate) number: usize,
    pub(crate) span: Span,
    pub(crate) loaded: Vec<Loaded>,
}

/// Reads all of `found`, chunk after chunk as memory allows; one is held at a time.
pub(crate) fn read_all<'a>(
    found: &'a [Found],
    options: &'a RunOptions,
    at_once: usize,
) -> impl Iterator<Item = Part> + 'a {
    let chunks =
        cut::blocks(found.len(), at_once, None).flat_map(|files| cut::cut(found, Span::of_files(files), options));
    chunks.enumerate().map(|(number, cut::Chunk { span, .. })| {
        let loaded = read(&found[span.files()], span.voxels(), options, None);
        Part { number, span, loaded }
    })
}

/// A chunk's files as they were [`read`], and what its rows are made with.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) chunk: &'a [Found],
    pub(super) loaded: &'a [Loaded],
    pub(super) options: &'a RunOptions,
    /// SHA-256 of each method's settings.
    pub(super) hashes: &'a [String],
    pub(super) models: &'a ModelStore<'a>,
    pub(super) engine: &'a dyn Engine,
}

/// Fits and tabulates what was [`read`]; rows come in the order of the files, with how long the parts took. Once somebody
/// asked to stop they are no results, and not all of them.
pub(super) fn process(work: &Work<'_>) -> (Vec<Rows>, Timings) {
    let Work { chunk, loaded, options, .. } = *work;
    let mut timings = Timings::default();
    loaded.iter().for_each(|loaded| timings += loaded.timings);
    let spectra: Vec<(usize, usize)> =
        (0..chunk.len()).flat_map(|f| (0..loaded[f].spectra.len()).map(move |s| (f, s))).collect();
    let n_methods = options.methods.len();
    let at_once = (FITS_AT_ONCE / spectra.len().max(1)).max(1);
    let mut groups: Vec<(usize, std::vec::IntoIter<Rows>)> = (0..n_methods)
        .step_by(at_once)
        .map(|first| first..(first + at_once).min(n_methods))
        .map(|methods| {
            let (rows, own) = of_methods(work, &spectra, methods.clone());
            timings += own;
            (methods.len(), rows.into_iter())
        })
        .collect();
    // Each group has its methods' rows of a spectrum side by side: all methods' rows of one, then the next.
    let rows = (0..spectra.len())
        .flat_map(|_| groups.iter_mut().flat_map(|(n, rows)| rows.by_ref().take(*n)).collect::<Vec<_>>())
        .collect();
    (rows, timings)
}

/// Rows, model and fit of one spectrum by every method.
pub(super) fn jobs_and_rows(work: &Work<'_>, index: usize) -> Vec<(Rows, Option<(Prepared, FitResult)>)> {
    let plan: Vec<(usize, usize, usize)> = (0..work.options.methods.len()).map(|method| (0, index, method)).collect();
    let mut jobs = jobs(work, &plan);
    fit_all(&mut jobs, work);
    let of = |job: &Job<'_>| {
        let fit = job.model_of_fit(work.models).ok().zip(job.fit.as_ref());
        let fit = fit.map(|(prepared, fitted)| (prepared.into_owned(), fitted.result.clone()));
        (rows_of(job, work.options, work.hashes, work.models), fit)
    };
    jobs.iter().map(of).collect()
}

/// What is to be fitted: file, spectrum in it, method. Fewer once somebody asked to stop.
fn jobs<'a>(work: &Work<'a>, plan: &[(usize, usize, usize)]) -> Vec<Job<'a>> {
    let Work { chunk, loaded, models, .. } = *work;
    let jobs: Option<Vec<Job<'_>>> = plan
        .par_iter()
        .map(|&(f, index, method)| {
            if interrupt::asked() {
                return None;
            }
            let (found, loaded) = (&chunk[f], &loaded[f]);
            let key = &loaded.spectra[index].0;
            let prepared = match &loaded.spectra[index].1 {
                Err(failure) => Err(failure.clone()),
                Ok(spectrum) => models.model(found, loaded.header_of(key), key, spectrum, method),
            };
            Some(Job { found, loaded, index, method, prepared, added: Vec::new(), fit: None, snr_lcmodel: None })
        })
        .collect();
    jobs.unwrap_or_default()
}

/// Rows of every spectrum × some of the methods.
fn of_methods(work: &Work<'_>, spectra: &[(usize, usize)], methods: Range<usize>) -> (Vec<Rows>, Timings) {
    let Work { options, hashes, models, .. } = *work;
    let (started, mut timings) = (Instant::now(), Timings::default());
    let plan: Vec<(usize, usize, usize)> =
        spectra.iter().flat_map(|&(f, s)| methods.clone().map(move |m| (f, s, m))).collect();
    let mut jobs = jobs(work, &plan);
    timings.models_wall_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    fit_all(&mut jobs, work);
    timings.fit_wall_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let rows = jobs.par_iter().map(|job| rows_of(job, options, hashes, models)).collect();
    timings.rows_wall_s = started.elapsed().as_secs_f64();
    (rows, timings)
}

/// Fits all jobs, and once more those that ask for components their basis set lacks.
fn fit_all(jobs: &mut [Job<'_>], work: &Work<'_>) {
    let wanted: Vec<Option<(&Prepared, &Spectrum)>> =
        jobs.iter().map(|job| Some((job.prepared.as_ref().ok()?, job.spectrum()?))).collect();
    let fits = fitted(&wanted, work.engine);
    jobs.iter_mut().zip(fits).for_each(|(job, fit)| job.fit = fit);
    strangers::look(jobs, work.options, work.models, work.engine);
    jobs.par_iter_mut().for_each(Job::complete);
}

fn rows_of(job: &Job<'_>, options: &RunOptions, hashes: &[String], models: &ModelStore<'_>) -> Rows {
    let method = &options.methods[job.method];
    let mut origin = Origin {
        found: job.found,
        header: job.loaded.header_of(&job.loaded.spectra[job.index].0),
        key: &job.loaded.spectra[job.index].0,
        method: method.name(),
        method_hash: &hashes[job.method],
        warnings: &[],
        basis_flags: &[],
        learned_id: None,
    };
    if let Some(refusal) = job.found.refusal() {
        let failure = Failure::new(refusal.code, refusal.message);
        let status = if refusal.is_skip { Status::Skipped } else { Status::Failed };
        return Rows::only(origin.failed(&failure, status, None));
    }
    // Methods share transients.
    let transients = match job.spectrum() {
        Some(spectrum) if options.transients && job.method == 0 => origin.transients(spectrum),
        _ => Vec::new(),
    };
    let prepared = match job.model_of_fit(models) {
        Ok(prepared) => prepared,
        Err(failure) => {
            let spectrum = origin.failed(&failure, Status::Failed, job.spectrum());
            return Rows { transients, ..Rows::only(spectrum) };
        }
    };
    origin.warnings = &prepared.warnings;
    origin.basis_flags = &prepared.flags;
    origin.learned_id = prepared.learned_id.as_deref();
    let (Some(spectrum), Some(Fitted { result: fit, engine })) = (job.spectrum(), &job.fit) else {
        let failure = Failure::new("internal", "the engine returned no result for this spectrum; please report it");
        return Rows::only(origin.failed(&failure, Status::Failed, job.spectrum()));
    };
    let basis = BasisRef {
        id: &prepared.basis_id,
        signal_per_proton: prepared.signal_per_proton,
        added: &prepared.added,
        pulses: &prepared.pulses,
    };
    let (mut row, metabolites) =
        origin.fitted(spectrum, prepared.model.as_ref(), fit, &basis, engine.as_str(), &options.water_scaling);
    let fitted = !matches!(fit.state, FitState::NoSignal | FitState::Singular);
    let mut curve = None;
    if fitted {
        let curves = || prepared.model.curves(&spectrum.fid, fit).at_frequency(spectrum.f0_mhz);
        let curves = (options.curves != CurvesKept::None || job.snr_lcmodel.is_none()).then(curves);
        row.snr_lcmodel = job.snr_lcmodel.or_else(|| curves.as_ref().map(measured::snr_lcmodel)).flatten();
        let kept = curves.filter(|_| options.curves != CurvesKept::None);
        curve = kept.map(|curves| origin.curves(prepared.model.as_ref(), &curves, options.curves));
    }
    Rows { spectrum: row, metabolites, curve, transients }
}
