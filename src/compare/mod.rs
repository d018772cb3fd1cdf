//! Runs and methods against the truth ([`truth`]) and against one another ([`mod@agreement`]).

pub mod agreement;
pub mod statistics;
pub mod table;
pub mod truth;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::store::{MetaboliteRow, ReadTableError, read_table};

pub use agreement::{Agreement, Between, agreement};
pub use truth::{Comparison, Score, Truth, against, against_truth};

/// Which result is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Amplitude in the basis set's units.
    Amplitude,
    /// Water-scaled concentration (mmol/kg).
    Concentration,
    /// Ratio to total creatine.
    Ratio,
}

impl Column {
    /// Value and posterior standard deviation of a row; no finite standard deviation where none is known.
    pub fn of(self, row: &MetaboliteRow) -> Option<(f64, f64)> {
        let (amplitude, sd) = (row.amplitude?, row.sd_posterior.unwrap_or(f64::NAN));
        let value = match self {
            Self::Amplitude => return Some((amplitude, sd)),
            Self::Concentration => {
                let sd = row.conc_lcmodel_sd_mmol_per_kg.unwrap_or(f64::NAN);
                return Some((row.conc_lcmodel_mmol_per_kg?, sd));
            }
            Self::Ratio => row.ratio_tcr?,
        };
        // An amplitude at its bound has no ratio to take; the spectrum's own scale is in its neighbours.
        Some((value, if amplitude > 0.0 { sd * value / amplitude } else { f64::NAN }))
    }
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The run's tables cannot be read.
    #[error(transparent)]
    Store(#[from] ReadTableError),
    /// The truth cannot be read.
    #[error("{}: {reason}", path.display())]
    Truth {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No run's folder.
    #[error("{}: no rows of `metabolites` there; give the output folder of `requant run`", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// No spectrum of the run is in the truth.
    #[error(
        "no spectrum of the run is in the truth: its column `id` must hold spectrum ids or parts of their paths (sub-0001); the first of the run is {example}"
    )]
    NothingInCommon {
        /// A spectrum of the run.
        example: String,
    },
}

/// The rows of one run and method.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the run's folder, and of the method where there are several.
    pub label: String,
    /// Its rows.
    pub rows: Vec<MetaboliteRow>,
}

/// The sources in a run's folder: one a method.
///
/// # Errors
/// [`CompareError`]: it is no run's folder.
pub fn sources(folder: &Path) -> Result<Vec<Source>, CompareError> {
    let mut methods: BTreeMap<String, Vec<MetaboliteRow>> = BTreeMap::new();
    for row in read_table::<MetaboliteRow>(folder)? {
        methods.entry(row.method.clone()).or_default().push(row);
    }
    if methods.is_empty() {
        return Err(CompareError::NoRun { path: folder.to_owned() });
    }
    let name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
    let several = methods.len() > 1;
    let label = |method: &str| if several { format!("{name}/{method}") } else { name.clone() };
    Ok(methods.into_iter().map(|(method, rows)| Source { label: label(&method), rows }).collect())
}
