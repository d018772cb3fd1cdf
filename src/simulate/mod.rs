//! Corpora with known truth: BIDS NIfTI-MRS of several sites with water references, the basis sets they were made
//! with, participants, and the truth as tables.
//!
//! Every subject has its own stream of random numbers, so that the same seed gives the same files whatever the number
//! of threads. Samples are written in f32: machines whose mathematical functions differ in the last bit of f64 give
//! the same bytes but for the odd rounding.

mod check;
mod cohort;
mod corpus;
mod error;
mod lineshape;
mod macromolecules;
mod people;
pub mod recipe;
pub mod spectrum;
pub mod study;
mod truth;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use rayon::prelude::*;

use crate::acquisition::Acquisition;
use crate::basis::write_lcmodel;
use crate::formats::nifti_mrs;
use crate::interrupt;
use crate::output_path::path_inside;

pub use corpus::{Corpus, Subject};
pub use error::SimulateError;
pub use recipe::{Recipe, Site};
pub use spectrum::Simulated;
pub use study::Study;
pub use truth::Truth;

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// BIDS dataset with the spectra: what `requant run` takes.
    pub spectra: PathBuf,
    /// Basis sets, one a protocol.
    pub bases: Vec<PathBuf>,
    /// True concentrations, one row a spectrum.
    pub truth: PathBuf,
    /// What else was drawn for each spectrum.
    pub drawn: PathBuf,
    /// Number of spectra.
    pub n_spectra: usize,
}

/// Writes a corpus into the empty or new folder `out`, which becomes a BIDS dataset.
///
/// # Errors
/// [`SimulateError`]: the folder is not empty, the recipe makes no sense, or a file cannot be written.
pub fn write(out: &Path, recipe: &Recipe) -> Result<Written, SimulateError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| SimulateError::Io { path, source }
    };
    let corpus = Corpus::new(recipe)?;
    fs::create_dir_all(out).map_err(io(out))?;
    if fs::read_dir(out).map_err(io(out))?.next().is_some() {
        return Err(SimulateError::Exists { path: out.to_owned() });
    }
    let bases = write_bases(&corpus, &out.join("basis"))?;
    let truths: Vec<Vec<Truth>> = (0..recipe.subjects)
        .into_par_iter()
        .map(|index| match interrupt::asked() {
            true => Err(SimulateError::Stopped),
            false => write_subject(&corpus, index, out),
        })
        .collect::<Result<_, _>>()?;
    let truths: Vec<Truth> = truths.into_iter().flatten().collect();
    people::write(&corpus, out).map_err(io(&out.join("participants.tsv")))?;
    let path = out.join("dataset_description.json");
    let description = serde_json::json!({
        "Name": "simulated", "BIDSVersion": "1.11.0", "DatasetType": "raw", "License": "CC0",
        "GeneratedBy": [{ "Name": "requant", "Version": env!("CARGO_PKG_VERSION") }],
    });
    fs::write(&path, format!("{description:#}\n")).map_err(io(&path))?;
    // What is no part of a BIDS dataset, for validators.
    let path = out.join(".bidsignore");
    fs::write(&path, "basis\ntruth\ntissue.tsv\n").map_err(io(&path))?;
    let [truth, drawn] = truth::write(&corpus.metabolites, &truths, &out.join("truth"))?;
    Ok(Written { spectra: out.to_owned(), bases, truth, drawn, n_spectra: truths.len() })
}

fn write_bases(corpus: &Corpus, folder: &Path) -> Result<Vec<PathBuf>, SimulateError> {
    fs::create_dir_all(folder).map_err(|source| SimulateError::Io { path: folder.to_owned(), source })?;
    let mut written: Vec<PathBuf> = Vec::new();
    for (site, basis) in corpus.sites.iter().zip(&corpus.bases) {
        let path = path_inside(folder, &[&format!("{}.basis", site.name)])?;
        fs::write(&path, write_lcmodel(basis)).map_err(|source| SimulateError::Io { path: path.clone(), source })?;
        written.push(path);
    }
    Ok(written)
}

fn write_subject(corpus: &Corpus, index: usize, out: &Path) -> Result<Vec<Truth>, SimulateError> {
    let put = |name: &str, data: &Acquisition| {
        let write = |ending: &str, bytes: &[u8]| {
            let path = out.join(format!("{name}.{ending}"));
            fs::write(&path, bytes).map_err(|source| SimulateError::Io { path, source })
        };
        let io = |source| SimulateError::Io { path: out.join(name), source };
        write("nii.gz", &gzipped(&nifti_mrs::encode(data)).map_err(io)?)?;
        // Simulated data state all that BIDS asks for.
        let sidecar = nifti_mrs::bids_sidecar(data, None).unwrap_or_default();
        write("json", format!("{sidecar:#}\n").as_bytes())
    };
    let mut truths = Vec::new();
    for (truth, simulated) in corpus.spectra(index) {
        let parts: Vec<&str> = truth.spectrum_id.split('/').collect();
        let path = path_inside(out, &parts)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| SimulateError::Io { path: folder.to_owned(), source })?;
        }
        put(&truth.spectrum_id, &simulated.data)?;
        if let Some(water) = &simulated.water {
            let name = truth.spectrum_id.strip_suffix("svs").unwrap_or(&truth.spectrum_id);
            put(&format!("{name}mrsref"), water)?;
        }
        truths.push(truth);
    }
    Ok(truths)
}

/// Gzip without name and time, so that equal content gives equal bytes. Noise does not shrink: little effort is as
/// good as much.
fn gzipped(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(1));
    encoder.write_all(bytes)?;
    encoder.finish()
}
