//! Runs, methods and other programs' results ([`import`]) against the truth ([`truth`]) and against one another
//! ([`mod@agreement`]).

pub mod agreement;
pub mod differences;
pub mod factors;
pub mod figure;
mod ids;
pub mod import;
pub mod matrix;
mod measures;
pub mod scans;
pub mod statistics;
pub mod table;
mod true_values;
pub mod truth;
pub mod variance;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::printable::{LABEL_CHARS, printable};
use crate::store::provenance::VariedMethod;
use crate::store::{MetaboliteRow, ReadTableError, RunRecord, SpectrumRow, Table, read_run, read_table};

pub use agreement::{Agreement, Between, agreement};
pub use differences::{Differences, differences};
pub use factors::{Factor, factors};
pub use ids::share_ids;
pub use matrix::{Matrix, matrices};
pub use measures::{MEASURES, Measure, Role};
pub use true_values::Truth;
pub use truth::{Comparison, Score, against, against_truth};
pub use variance::{Variance, variance};

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

    /// Its unit on an axis.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Amplitude => "amplitude",
            Self::Concentration => "mmol/kg",
            Self::Ratio => "/tCr",
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
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Name of the run's folder, and of the method where there are several; or of the file or folder of results.
    pub label: String,
    /// Name of the run's folder, or of the file or folder of results.
    pub run: String,
    /// Whether the rows are another program's.
    pub is_imported: bool,
    /// Its rows.
    pub rows: Vec<MetaboliteRow>,
    /// What was measured of each spectrum, by its id: a value for each of [`MEASURES`], NaN where there is none.
    pub measured: HashMap<String, Vec<f64>>,
    /// Hashes of the files that the spectra are of, by the spectra's ids; none of other programs'.
    pub source_sha256: HashMap<String, String>,
    /// How its method came out of another.
    pub varied: Option<VariedMethod>,
}

impl Source {
    /// Whether any row has a value in `column`.
    pub fn has(&self, column: Column) -> bool {
        self.rows.iter().any(|row| column.of(row).is_some())
    }
}

/// Sources against one another.
#[derive(Debug, Clone, Default)]
pub struct Versus {
    /// Values side by side, metabolite by metabolite.
    pub matrices: Vec<Matrix>,
    /// What the sources differ in.
    pub factors: Vec<Factor>,
    /// Agreement of each metabolite.
    pub agreements: Vec<Agreement>,
    /// Whose variance it is.
    pub variances: Vec<Variance>,
    /// What else differs, and what disagreement goes along with.
    pub differences: Differences,
}

/// Compares sources with one another; there must be two.
pub fn versus(sources: &[Source], column: Column) -> Versus {
    let (matrices, factors) = (matrices(sources, column), factors(sources));
    Versus {
        agreements: agreement(&matrices),
        variances: variance(&matrices, &factors),
        differences: differences(sources, &matrices, &factors),
        matrices,
        factors,
    }
}

/// The sources at `path`: one a method of a run's folder; or one of another program's result file, or of a folder of them.
///
/// # Errors
/// [`CompareError`]: neither is there.
pub fn sources(path: &Path) -> Result<Vec<Source>, CompareError> {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let name = printable(&name, LABEL_CHARS);
    let is_run = path.join(MetaboliteRow::NAME).is_dir();
    if path.exists() && !is_run {
        let (run, rows) = (name.clone(), import::rows(path)?);
        return Ok(vec![Source { label: name, run, is_imported: true, rows, ..Source::default() }]);
    }
    let mut methods: BTreeMap<String, Source> = BTreeMap::new();
    for row in read_table::<MetaboliteRow>(path)? {
        methods.entry(row.method.clone()).or_default().rows.push(row);
    }
    for row in read_table::<SpectrumRow>(path)? {
        if let Some(source) = methods.get_mut(&row.method) {
            let measured = measures::measured(&row);
            source.source_sha256.extend(row.source_sha256.map(|hash| (row.spectrum_id.clone(), hash)));
            source.measured.insert(row.spectrum_id, measured);
        }
    }
    // A folder of tables alone, without the record, can be compared as well; only nobody knows what was varied, and in
    // which order methods were given.
    let record = match read_run(path) {
        Ok(record) => Some(record),
        Err(error) if error.is_absent() => None,
        Err(error) => return Err(error.into()),
    };
    let mut varied = record.as_ref().map(RunRecord::varied).unwrap_or_default();
    let place = |method: &str| record.as_ref().and_then(|r| r.methods.iter().position(|m| m.id == method));
    let several = methods.len() > 1;
    let finished = |(method, mut source): (String, Source)| {
        source.label = if several { format!("{name}/{method}") } else { name.clone() };
        source.run.clone_from(&name);
        source.varied = varied.iter().position(|v| v.method == method).map(|at| varied.swap_remove(at));
        for row in &source.rows {
            if let Some(measured) = source.measured.get_mut(&row.spectrum_id) {
                measures::add(row, measured);
            }
        }
        source
    };
    let mut methods: Vec<(String, Source)> = methods.into_iter().collect();
    methods.sort_by_key(|(method, _)| place(method));
    Ok(methods.into_iter().map(finished).collect())
}
