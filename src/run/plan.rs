//! What a run would do, before it is done: files are read and prepared, nothing is fitted.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::chunk::{self, Part};
use super::gaps::{self, Cost, Gap};
use super::load::{Failure, Header, Loaded};
use super::models::ModelStore;
use super::rows::Origin;
use super::{Progress, RunError, RunOptions, cut};
use crate::acquisition::Facts;
use crate::corpus::{self, Found, LeftOut, Listing};
use crate::engine::Engine;
use crate::interrupt;
use crate::prepare::Spectrum;
use crate::store::{PlannedRow, SpectrumRow, Status};

/// Status of a file under INPUT that is no row in the tables of a run.
pub const LEFT_OUT: &str = "left_out";

/// What a run would do.
pub struct Planned {
    /// One row per spectrum × method, in the order of the run's tables; then one for each file that is left out.
    pub rows: Vec<PlannedRow>,
    /// What was found.
    pub listing: Listing,
    /// What is known of each file that was found, and what is missing.
    pub files: Vec<PlannedFile>,
}

/// What is known of a file.
#[derive(Debug, Clone, Default)]
pub struct PlannedFile {
    /// What a run takes of its header, of a manifest and of the options.
    pub facts: Facts,
    /// What is missing, each once.
    pub gaps: BTreeSet<Gap>,
    /// Why one of its spectra will not be fitted.
    pub problem: Option<String>,
}

impl PlannedFile {
    /// Takes over what is known of one of the file's spectra.
    fn add(&mut self, facts: &Facts, gaps: Vec<Gap>, problem: Option<String>) {
        self.facts = std::mem::take(&mut self.facts).or(facts.clone());
        self.gaps.extend(gaps);
        self.problem = self.problem.take().or(problem);
    }
}

/// What a run would do with each spectrum, and what is missing.
///
/// # Errors
/// [`RunError`]: the inputs cannot be listed, or the basis set named for the whole run cannot be read.
pub fn plan(options: &RunOptions, engine: &dyn Engine, progress: &dyn Progress) -> Result<Planned, RunError> {
    cut::check_memory(options)?;
    let mut listing = options.listing()?;
    let models = ModelStore::new(options)?;
    progress.found(listing.found.len());
    let mut rows = Vec::new();
    let mut files = vec![PlannedFile::default(); listing.found.len()];
    let mut hashes: Vec<(usize, String)> = Vec::new();
    for Part { number, span, loaded } in chunk::read_all(&listing.found, options, engine.files_at_once()) {
        let planned: Vec<Vec<PlannedRow>> = listing.found[span.files()]
            .par_iter()
            .zip(&loaded)
            .zip(&mut files[span.files()])
            .map(|((found, loaded), file)| rows_of(found, loaded, file, number, options, &models))
            .collect();
        rows.extend(planned.into_iter().flatten());
        hashes
            .extend(span.files().zip(&loaded).filter_map(|(file, loaded)| Some((file, loaded.header.sha256.clone()?))));
        if interrupt::asked() {
            return Err(RunError::Stopped);
        }
        progress.advanced(span.to.file - span.from.file);
    }
    let hashes = hashes.iter().map(|(file, hash)| (listing.found[*file].source_path.as_str(), Some(hash.as_str())));
    let copies = corpus::copies(hashes);
    listing.warnings.extend(copies);
    rows.extend(listing.left_out.iter().map(left_out));
    Ok(Planned { rows, listing, files })
}

/// The row of a file that is none in the tables of a run.
fn left_out(left_out: &LeftOut) -> PlannedRow {
    PlannedRow {
        source_path: left_out.source_path.clone(),
        subject: left_out.subject.clone(),
        session: left_out.session.clone(),
        status: Some(LEFT_OUT.to_owned()),
        error_message: Some(left_out.kind.as_str().to_owned()),
        ..PlannedRow::default()
    }
}

fn rows_of(
    found: &Found,
    loaded: &Loaded,
    file: &mut PlannedFile,
    number: usize,
    options: &RunOptions,
    models: &ModelStore<'_>,
) -> Vec<PlannedRow> {
    let spectra = loaded.spectra.iter();
    spectra
        .flat_map(|(key, spectrum)| options.methods.iter().map(move |method| (key, spectrum, method)))
        .map(|(key, spectrum, method)| {
            let header = loaded.header_of(key);
            let origin = Origin {
                found,
                header,
                key,
                method: method.name(),
                method_hash: "",
                warnings: &[],
                basis_flags: &[],
                learned_id: None,
            };
            let chunk = u32::try_from(number).ok();
            let mut failed = |failure: &Failure, status: Status, more: Vec<Gap>| {
                let gaps: Vec<Gap> = gaps::of_failure(failure, header).into_iter().chain(more).collect();
                let of_fit = gaps.iter().filter(|gap| gap.cost == Cost::Fit).flat_map(|gap| &gap.columns);
                let row = PlannedRow {
                    status: Some(status.as_str().to_owned()),
                    missing: of_fit.map(|column| format!("{column}: no fit")).collect(),
                    to_fill_in: gaps.iter().flat_map(|gap| gap.columns.clone()).collect(),
                    ..row(origin.failed(failure, status, None), chunk)
                };
                file.add(&header.facts, gaps, row.error_message.clone());
                row
            };
            if let Some(refusal) = found.refusal() {
                let status = if refusal.is_skip { Status::Skipped } else { Status::Failed };
                return failed(&Failure::new(refusal.code, refusal.message), status, Vec::new());
            }
            let spectrum = match spectrum {
                Ok(spectrum) => spectrum,
                Err(failure) => return failed(failure, Status::Failed, Vec::new()),
            };
            let gaps = gaps::of_spectrum(spectrum, header);
            let basis = match models.planned_basis(found, header, key, method) {
                Err(failure) => return failed(&failure, Status::Failed, gaps),
                Ok(basis) => basis,
            };
            let row = PlannedRow {
                batch: Some(format!(
                    "{basis} · {} × {:.1} µs · {}",
                    spectrum.fid.len(),
                    1e6 * spectrum.dwell_s,
                    method.name()
                )),
                basis: Some(basis),
                steps: steps(spectrum, method.name()),
                missing: missing(spectrum, header),
                to_fill_in: gaps.iter().flat_map(|gap| gap.columns.clone()).collect(),
                status: Some("ready".to_owned()),
                ..row(origin.row(), chunk)
            };
            file.add(&header.facts, gaps, None);
            row
        })
        .collect()
}

fn row(row: SpectrumRow, chunk: Option<u32>) -> PlannedRow {
    PlannedRow {
        spectrum_id: row.spectrum_id,
        method: row.method,
        source_path: row.source_path,
        water_reference_path: row.water_reference_path,
        subject: row.subject,
        session: row.session,
        site: row.site,
        voi: row.voi,
        subspec: row.subspec,
        vendor: row.vendor,
        sequence: row.sequence,
        f0_mhz: row.f0_mhz,
        te_s: row.te_s,
        tr_s: row.tr_s,
        dwell_s: row.dwell_s,
        n_points: row.n_points,
        n_coils: row.n_coils,
        n_transients: row.n_transients,
        chunk,
        error_code: row.error_code,
        error_message: row.error_message,
        ..PlannedRow::default()
    }
}

fn steps(spectrum: &Spectrum, method: &str) -> Vec<String> {
    let record = &spectrum.record;
    let mut steps = Vec::new();
    if record.n_coils > 1 {
        steps.push(format!("combine {} coils", record.n_coils));
    }
    if record.n_transients > 1 {
        let aligned = if record.offsets.is_some() { "align and average" } else { "average" };
        steps.push(format!("{aligned} {} of {} transients", record.n_kept, record.n_transients));
    }
    if record.eddy_corrected {
        steps.push("correct eddy currents".to_owned());
    }
    steps.push(format!("fit with {method}"));
    steps.push("ratios to tCr".to_owned());
    if record.water_amplitude.is_some() {
        steps.push("water-scaled concentrations".to_owned());
    }
    steps
}

fn missing(spectrum: &Spectrum, header: &Header) -> Vec<String> {
    let mut missing = Vec::new();
    if spectrum.record.water_amplitude.is_none() {
        missing.push("water reference: no concentrations, no eddy-current correction".to_owned());
    }
    if header.facts.tr_s.is_none() {
        missing.push("tr_s: no correction for saturation".to_owned());
    }
    missing
}
