//! Runs, methods and other programs' results ([`import`]) against the truth ([`truth`]) and against one another
//! ([`mod@agreement`]).

pub mod agreement;
mod ids;
pub mod import;
pub mod statistics;
pub mod table;
pub mod truth;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::store::{MetaboliteRow, ReadTableError, Table, read_table};

pub use agreement::{Agreement, Between, agreement};
pub use ids::share_ids;
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
    /// What is compared, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amplitude => "amplitudes, each in its program's unit",
            Self::Concentration => "concentrations scaled to water",
            Self::Ratio => "ratios to total creatine",
        }
    }

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
    /// Another program's results cannot be read.
    #[error(transparent)]
    Import(#[from] import::ImportError),
    /// No spectrum of the run is in the truth.
    #[error(
        "no spectrum of the run is in the truth: its column `id` must hold spectrum ids or parts of their paths (sub-0001); the first of the run is {example}"
    )]
    NothingInCommon {
        /// A spectrum of the run.
        example: String,
    },
}

/// The rows of one run and method, or of another program.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the run's folder, and of the method where there are several; or of the file or folder of results.
    pub label: String,
    /// Whether the rows are another program's.
    pub is_imported: bool,
    /// Its rows.
    pub rows: Vec<MetaboliteRow>,
}

impl Source {
    /// Whether any row has a value in `column`.
    pub fn has(&self, column: Column) -> bool {
        self.rows.iter().any(|row| column.of(row).is_some())
    }
}

/// The sources at `path`: one a method of a run's folder; or one of another program's result file, or of a folder of them.
///
/// # Errors
/// [`CompareError`]: neither is there.
pub fn sources(path: &Path) -> Result<Vec<Source>, CompareError> {
    let mut methods: BTreeMap<String, Vec<MetaboliteRow>> = BTreeMap::new();
    let is_run = path.join(MetaboliteRow::NAME).is_dir();
    if is_run || !path.exists() {
        for row in read_table::<MetaboliteRow>(path)? {
            methods.entry(row.method.clone()).or_default().push(row);
        }
    } else {
        methods.insert(String::new(), import::rows(path)?);
    }
    let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let several = methods.len() > 1;
    let label = |method: &str| if several { format!("{name}/{method}") } else { name.clone() };
    let source = |(method, rows): (String, _)| Source { label: label(&method), is_imported: !is_run, rows };
    Ok(methods.into_iter().map(source).collect())
}
