//! The truth of a corpus as tables: wide CSV for scorers, long Parquet for R and Python, and what was drawn.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use super::error::SimulateError;
use super::spectrum::Drawn;
use crate::basis::names;

/// Truth of one spectrum.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Id that `requant run` gives the spectrum.
    pub spectrum_id: String,
    /// Concentrations (mmol/kg), in the order of [`super::Corpus::metabolites`].
    pub concentrations: Vec<f64>,
    /// What was drawn.
    pub drawn: Drawn,
}

/// Writes `truth.csv` (one row a spectrum), `truth.parquet` (one row a spectrum and metabolite or sum) and
/// `nuisances.csv` into `folder`; returns the paths of the first and the last.
pub(super) fn write(metabolites: &[String], truths: &[Truth], folder: &Path) -> Result<[PathBuf; 2], SimulateError> {
    let fail = |path: &Path, reason: String| SimulateError::Truth { path: path.to_owned(), reason };
    std::fs::create_dir_all(folder).map_err(|e| fail(folder, e.to_string()))?;
    let wide = folder.join("truth.csv");
    write_wide(metabolites, truths, &wide).map_err(|e| fail(&wide, e.to_string()))?;
    let long = folder.join("truth.parquet");
    write_long(metabolites, truths, &long).map_err(|reason| fail(&long, reason))?;
    let drawn = folder.join("nuisances.csv");
    write_drawn(truths, &drawn).map_err(|e| fail(&drawn, e.to_string()))?;
    Ok([wide, drawn])
}

fn write_wide(metabolites: &[String], truths: &[Truth], path: &Path) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(std::iter::once("id").chain(metabolites.iter().map(String::as_str)))?;
    for truth in truths {
        let values = truth.concentrations.iter().map(|c| format!("{c:.6}"));
        writer.write_record(std::iter::once(truth.spectrum_id.clone()).chain(values))?;
    }
    writer.flush()?;
    Ok(())
}

fn write_long(metabolites: &[String], truths: &[Truth], path: &Path) -> Result<(), String> {
    let sums = names::sums(metabolites);
    let (mut ids, mut members, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for truth in truths {
        let own = metabolites.iter().map(String::as_str).zip(truth.concentrations.iter().copied());
        let added = sums.iter().map(|s| (s.name, s.members.iter().map(|&k| truth.concentrations[k]).sum()));
        for (name, value) in own.chain(added) {
            ids.push(truth.spectrum_id.as_str());
            members.push(name);
            values.push(value);
        }
    }
    let batch = RecordBatch::try_from_iter([
        ("spectrum_id", Arc::new(StringArray::from(ids)) as ArrayRef),
        ("metabolite", Arc::new(StringArray::from(members)) as ArrayRef),
        ("conc_mmol_per_kg", Arc::new(Float64Array::from(values)) as ArrayRef),
    ])
    .map_err(|e| e.to_string())?;
    let file = File::create(path).map_err(|e| e.to_string())?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).map_err(|e| e.to_string())?;
    writer.write(&batch).map_err(|e| e.to_string())?;
    writer.close().map_err(|e| e.to_string())?;
    Ok(())
}

fn write_drawn(truths: &[Truth], path: &Path) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record([
        "spectrum_id",
        "shift_hz",
        "phi0_deg",
        "phi1_deg_per_ppm",
        "lorentz_hz",
        "gauss_hz",
        "snr",
        "noise_sd",
        "lipids_mmol_per_kg",
        "asymmetry",
        "asymmetry_hz",
    ])?;
    for truth in truths {
        let d = &truth.drawn;
        let [asymmetry, off_hz] = d.asymmetry;
        let values = [
            d.shift_hz,
            d.phi0_deg,
            d.phi1_deg_per_ppm,
            d.lorentz_hz,
            d.gauss_hz,
            d.snr,
            d.noise_sd,
            d.lipids,
            asymmetry,
            off_hz,
        ];
        let values = values.iter().map(|v| format!("{v:.6}"));
        writer.write_record(std::iter::once(truth.spectrum_id.clone()).chain(values))?;
    }
    writer.flush()?;
    Ok(())
}
