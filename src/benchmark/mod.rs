//! The benchmark: methods over sets of spectra with known truth, beside other programs' results, as one report.
//!
//! [`sets`] says what there is, `one_set` runs one, [`mod@score`] says how results are judged, [`peers`] reads other
//! programs', `states` counts warnings, `rows` makes the table and `html` the report.

mod error;
mod html;
mod one_set;
pub mod peers;
mod plots;
mod rows;
pub mod score;
pub mod sets;
mod states;

use std::fs;
use std::path::{Path, PathBuf};

use self::error::io;
use crate::compare::Comparison;
use crate::compare::agreement::Figure;
use crate::engine::Engine;
use crate::fit::Method;
use crate::learn::Scope;
use crate::quantify::WaterScaling;
use crate::run::Progress;
use crate::store::writer::IfExists;
use crate::store::{BenchmarkRow, write_table};

pub use error::BenchmarkError;
pub use peers::Peer;
pub use rows::rows;
pub use score::{Scored, USUAL};
pub use sets::{Set, Source};
pub use states::States;

/// File that says that a folder is a benchmark's, so that it may be replaced.
const MARKER: &str = ".requant-benchmark";
/// Name of the report in the output folder.
pub const REPORT: &str = "report.html";

/// What to run.
#[derive(Debug, Clone)]
pub struct BenchmarkOptions {
    /// Output folder.
    pub out: PathBuf,
    /// Whether an earlier benchmark there may be replaced.
    pub overwrite: bool,
    /// Folder with sets of spectra.
    pub data: Option<PathBuf>,
    /// Folder with other programs' results.
    pub peers: Option<PathBuf>,
    /// Methods.
    pub methods: Vec<Method>,
    /// Whether each method runs once more, having learned from the set's own spectra.
    pub learn: Option<Scope>,
    /// Names of the sets; empty: all.
    pub only: Vec<String>,
    /// Spectra of each condition of a simulated family, and of a set in the data folder at most; `None`: the recipe's
    /// number, all.
    pub spectra: Option<usize>,
    /// Constants of water scaling of sets that have none of their own.
    pub water_scaling: WaterScaling,
    /// Memory to stay below, roughly (bytes).
    pub memory_bytes: u64,
}

/// Told how far a benchmark is.
pub trait Watch: Progress {
    /// A method begins on a set.
    fn begins(&self, set: &str, method: &str);
}

/// How long a method took.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// Processor time a spectrum, all threads (ms); `None` where the system does not say.
    pub cpu_ms: Option<f64>,
    /// Wall time a spectrum (ms).
    pub wall_ms: f64,
}

/// One program or method on one set, or on one condition of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name of the condition; `None` over the whole set.
    pub condition: Option<String>,
    /// Method, or name of the other program.
    pub method: String,
    /// Whether it is another program's.
    pub is_peer: bool,
    /// The figures.
    pub scored: Scored,
    /// The figures of `requant compare`.
    pub comparison: Option<Comparison>,
    /// Warnings; only of our own.
    pub states: Option<States>,
    /// Only of our own, over the whole set.
    pub time: Option<Time>,
    /// Mean summed squared error over the best peer's (both aligned).
    pub to_best_peer: Option<Figure>,
}

impl Entry {
    /// The errors by which the entry is shown: with the common factor taken out where units differ.
    pub fn errors(&self, set: &Set) -> &score::Errors {
        if set.same_unit { &self.scored.plain } else { &self.scored.aligned }
    }
}

/// All that ran on one set.
#[derive(Debug, Clone)]
pub struct SetResult {
    /// The set.
    pub set: Set,
    /// Its conditions, in order; empty where there is one.
    pub conditions: Vec<String>,
    /// Our methods first, then peers; the whole set first, then its conditions.
    pub entries: Vec<Entry>,
}

impl SetResult {
    /// Entries over the whole set.
    pub fn whole(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.condition.is_none())
    }

    /// Entries of one condition.
    pub fn of(&self, condition: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |e| e.condition.as_deref() == Some(condition))
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// The results, set by set.
    pub sets: Vec<SetResult>,
    /// Files written: the report, the table's parts.
    pub files: Vec<PathBuf>,
}

/// The sets that the options name, in order.
///
/// # Errors
/// [`BenchmarkError::NoData`], [`BenchmarkError::Incomplete`], [`BenchmarkError::UnknownSet`].
pub fn chosen(options: &BenchmarkOptions) -> Result<Vec<Set>, BenchmarkError> {
    let mut all = match &options.data {
        Some(data) => sets::sets_in(data)?,
        None => Vec::new(),
    };
    all.extend(sets::own_sets());
    if let Some(name) = options.only.iter().find(|name| !all.iter().any(|s| s.name == **name)) {
        let known = all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(BenchmarkError::UnknownSet { name: name.clone(), known });
    }
    all.retain(|s| options.only.is_empty() || options.only.contains(&s.name));
    Ok(all)
}

/// Runs the benchmark and writes `report.html` and the table `benchmark` to the output folder; spectra that were
/// simulated and runs stay in its `sets/` and `runs/`.
///
/// # Errors
/// [`BenchmarkError`]. A spectrum that cannot be fitted is none: it counts as all zeros.
pub fn benchmark(
    options: &BenchmarkOptions,
    engine: &dyn Engine,
    watch: &dyn Watch,
) -> Result<Benchmark, BenchmarkError> {
    let sets = chosen(options)?;
    if let Some(path) = options.peers.as_ref().filter(|p| !p.is_dir()) {
        return Err(BenchmarkError::NoPeers { path: path.clone() });
    }
    claim(&options.out, options.overwrite)?;
    let mut results = Vec::with_capacity(sets.len());
    for set in sets {
        results.push(one_set::run_set(set, options, engine, watch)?);
    }
    let rows: Vec<BenchmarkRow> = results.iter().flat_map(rows::rows).collect();
    let path = options.out.join(REPORT);
    let report = html::report(&results, options, engine).map_err(BenchmarkError::Draw)?;
    fs::write(&path, report).map_err(io(&path))?;
    let mut files = vec![path];
    files.extend(write_table(&options.out, IfExists::Overwrite, rows)?);
    Ok(Benchmark { sets: results, files })
}

/// Makes the output folder ours: new, empty, or an earlier benchmark's, whose parts go.
fn claim(out: &Path, overwrite: bool) -> Result<(), BenchmarkError> {
    fs::create_dir_all(out).map_err(io(out))?;
    let marker = out.join(MARKER);
    let taken = fs::read_dir(out).map_err(io(out))?.next().is_some();
    if taken && !(overwrite && marker.is_file()) {
        return Err(BenchmarkError::Exists { path: out.to_owned() });
    }
    for part in ["sets", "runs", "benchmark"] {
        let path = out.join(part);
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(io(&path))?;
        }
    }
    fs::write(&marker, "The folders benchmark, runs and sets are replaced by `requant benchmark --overwrite`.\n")
        .map_err(io(&marker))
}
