//! One spectrum as a run fits it, for whoever wants to see it at once.

use super::RunOptions;
use super::chunk::{self, Work};
use super::error::RunError;
use super::load::Loaded;
use super::models::ModelStore;
use super::rows::settings_hash;
use crate::corpus::Found;
use crate::engine::CpuEngine;
use crate::fit::FitResult;
use crate::run::models::Prepared;
use crate::store::{CurveRow, MetaboliteRow, SpectrumRow};

/// The rows of one spectrum × method.
pub(crate) struct One {
    pub(crate) spectrum: SpectrumRow,
    pub(crate) metabolites: Vec<MetaboliteRow>,
    /// Where it was fitted, and `options` keep curves.
    pub(crate) curve: Option<CurveRow>,
    /// Its model and fit, where there is one.
    pub(crate) fit: Option<(Prepared, FitResult)>,
}

/// Fits spectrum number `index` of a file by each method, all steps of a run included.
///
/// # Errors
/// [`RunError`]: the basis set cannot be used.
pub(crate) fn one(found: &Found, loaded: &Loaded, index: usize, options: &RunOptions) -> Result<Vec<One>, RunError> {
    let models = ModelStore::new(options)?;
    let hashes: Vec<String> = options.methods.iter().map(settings_hash).collect();
    let work = Work {
        chunk: std::slice::from_ref(found),
        loaded: std::slice::from_ref(loaded),
        options,
        hashes: &hashes,
        models: &models,
        engine: &CpuEngine,
    };
    let made = chunk::jobs_and_rows(&work, index);
    let one = |(rows, fit): (chunk::Rows, Option<(Prepared, FitResult)>)| One {
        spectrum: rows.spectrum,
        metabolites: rows.metabolites,
        curve: rows.curve,
        fit,
    };
    Ok(made.into_iter().map(one).collect())
}
