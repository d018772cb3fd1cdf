//! What a run would do, before it is done: files are read and prepared, nothing is fitted.

use rayon::prelude::*;

use super::chunk::{self, Part};
use super::load::{Failure, Header, Loaded};
use super::models::ModelStore;
use super::rows::Origin;
use super::{Progress, RunError, RunOptions, cut};
use crate::corpus::{Found, LeftOut};
use crate::engine::Engine;
use crate::interrupt;
use crate::prepare::Spectrum;
use crate::store::{PlannedRow, SpectrumRow, Status};

/// Status of a file under INPUT that is no row in the tables of a run.
pub const LEFT_OUT: &str = "left_out";

/// One row per spectrum × method, in the order of the run's tables; then one for each file that is left out.
///
/// # Errors
/// [`RunError`]: the inputs cannot be listed, or the basis set named for the whole run cannot be read.
pub fn plan(options: &RunOptions, engine: &dyn Engine, progress: &dyn Progress) -> Result<Vec<PlannedRow>, RunError> {
    cut::check_memory(options)?;
    let listing = options.listing()?;
    let models = ModelStore::new(options)?;
    progress.found(listing.found.len());
    let mut rows = Vec::new();
    for Part { number, span, loaded } in chunk::read_all(&listing.found, options, engine.files_at_once()) {
        let files = &listing.found[span.files()];
        let planned: Vec<Vec<PlannedRow>> = files
            .par_iter()
            .zip(&loaded)
            .map(|(found, loaded)| rows_of(found, loaded, number, options, &models))
            .collect();
        rows.extend(planned.into_iter().flatten());
        if interrupt::asked() {
            return Err(RunError::Stopped);
        }
        progress.advanced(span.to.file - span.from.file);
    }
    rows.extend(listing.left_out.iter().map(left_out));
    Ok(rows)
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
    number: usize,
    options: &RunOptions,
    models: &ModelStore<'_>,
) -> Vec<PlannedRow> {
    let spectra = loaded.spectra.iter();
    spectra
        .flat_map(|(key, spectrum)| options.methods.iter().map(move |method| (key, spectrum, method)))
        .map(|(key, spectrum, method)| {
            let origin = Origin {
                found,
                header: loaded.header_of(key),
                key,
                method: method.name(),
                method_hash: "",
                warnings: &[],
                learned_id: None,
            };
            let chunk = u32::try_from(number).ok();
            let failed = |failure: &Failure, status: Status| PlannedRow {
                status: Some(status.as_str().to_owned()),
                ..row(origin.failed(failure, status, None), chunk)
            };
            if let Some(refusal) = found.refusal() {
                let status = if refusal.is_skip { Status::Skipped } else { Status::Failed };
                return failed(&Failure::new(refusal.code, refusal.message), status);
            }
            let spectrum = match spectrum {
                Ok(spectrum) => spectrum,
                Err(failure) => return failed(failure, Status::Failed),
            };
            match models.planned_basis(found, loaded.header_of(key), key, method) {
                Err(failure) => failed(&failure, Status::Failed),
                Ok(basis) => PlannedRow {
                    batch: Some(format!(
                        "{basis} · {} × {:.1} µs · {}",
                        spectrum.fid.len(),
                        1e6 * spectrum.dwell_s,
                        method.name()
                    )),
                    basis: Some(basis),
                    steps: steps(spectrum, method.name()),
                    missing: missing(spectrum, loaded.header_of(key)),
                    status: Some("ready".to_owned()),
                    ..row(origin.row(), chunk)
                },
            }
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
