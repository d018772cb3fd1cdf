//! What is asked for.

use std::path::PathBuf;

use crate::quality::gates::Gates;

/// Gates where neither the caller nor the run names any: those that ask for the error alone.
pub const DEFAULT_GATES: &str = "robust";
/// Smallest number of rows of which statistics are shown, unless told otherwise.
pub const DEFAULT_MIN_N: usize = 5;

/// A form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tabs between columns, `n/a` where a value is missing, as BIDS has it.
    Tsv,
    /// Commas between columns, nothing where a value is missing.
    Csv,
    /// One workbook.
    Xlsx,
    /// Parquet.
    Parquet,
}

/// How rows stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A row a measurement and method, a column a metabolite and quantity.
    Wide,
    /// A row a measurement, method and metabolite.
    Long,
    /// A file a quantity, as Osprey writes them.
    Osprey,
}

/// Whose rows are looked at, and what is joined to them.
#[derive(Debug, Clone)]
pub struct StudyOptions {
    /// List of participants.
    pub participants: Option<PathBuf>,
    /// Tables to be joined.
    pub join: Vec<PathBuf>,
    /// Column with the group; `None`: `group`, if there is one.
    pub group: Option<String>,
    /// Gates; `None`: the run's own, else [`DEFAULT_GATES`].
    pub gates: Option<Gates>,
    /// The method whose rows are taken; `None`: all.
    pub method: Option<String>,
    /// Smallest number of rows of which statistics are shown.
    pub min_n: usize,
}

impl Default for StudyOptions {
    fn default() -> Self {
        Self { participants: None, join: Vec::new(), group: None, gates: None, method: None, min_n: DEFAULT_MIN_N }
    }
}

/// What to export.
#[derive(Debug, Clone)]
pub struct Options {
    /// The dataset of a finished run.
    pub results: PathBuf,
    /// Folder for the files.
    pub out: PathBuf,
    /// Whether an earlier export there may be replaced.
    pub overwrite: bool,
    /// Rows and what is joined.
    pub study: StudyOptions,
    /// Forms of files.
    pub formats: Vec<Format>,
    /// How rows stand.
    pub layouts: Vec<Layout>,
}
