//! The benchmark: methods over sets of spectra with known truth, beside other programs' results, as one report.
//!
//! [`sets`] says what there is, `one_set` runs one, [`mod@score`] and [`robust`] say how results are judged, [`peers`] reads other
//! programs', `states` counts warnings, `rows` makes the table and `html` the report.

mod entry;
mod error;
mod html;
mod one_set;
mod options;
pub mod peers;
mod plots;
pub mod robust;
mod rows;
pub mod score;
pub mod sets;
mod states;

use std::fs;
use std::path::{Path, PathBuf};

use self::error::io;
use crate::engine::Engine;
use crate::fit::Method;
use crate::output_path::{path_inside, safe_name};
use crate::store::IfExists;
use crate::store::{BenchmarkRow, write_table};

pub use entry::{Entry, SetResult, Time};
pub use error::BenchmarkError;
pub use options::{BenchmarkOptions, Watch};
pub use peers::Peer;
pub use rows::rows;
pub use score::{Scored, USUAL};
pub use sets::{Set, Source};
pub use states::States;

/// File that says that a folder is a benchmark's, so that it may be replaced.
const MARKER: &str = ".requant-benchmark";
/// Name of the report in the output folder.
pub const REPORT: &str = "report.html";

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
    let roots: Vec<&Path> = options.data.iter().chain(&options.peers).map(PathBuf::as_path).collect();
    let mut all = Vec::new();
    for data in &options.data {
        all.extend(sets::sets_in(data, &roots)?);
    }
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
    // What cannot be written is said before the work.
    for name in sets.iter().map(|s| s.name.as_str()).chain(options.methods.iter().map(Method::name)) {
        safe_name(name)?;
    }
    claim(options)?;
    let mut results = Vec::with_capacity(sets.len());
    for set in sets {
        results.push(one_set::run_set(set, options, engine, watch)?);
    }
    let rows: Vec<BenchmarkRow> = results.iter().flat_map(rows::rows).collect();
    let path = path_inside(&options.out, &[REPORT])?;
    let report = html::report(&results, options, engine).map_err(BenchmarkError::Draw)?;
    fs::write(&path, report).map_err(io(&path))?;
    let mut files = vec![path];
    files.extend(write_table(&options.out, IfExists::Overwrite, rows)?);
    Ok(Benchmark { sets: results, files })
}

/// Makes the output folder ours: new, empty, or an earlier benchmark's, whose parts go.
fn claim(options: &BenchmarkOptions) -> Result<(), BenchmarkError> {
    let BenchmarkOptions { out, overwrite, .. } = options;
    fs::create_dir_all(out).map_err(io(out))?;
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let reads = options.data.iter().chain(&options.peers);
    if reads.into_iter().any(|read| place(read).starts_with(place(out))) {
        return Err(BenchmarkError::Exists { path: out.to_owned() });
    }
    let marker = out.join(MARKER);
    let taken = fs::read_dir(out).map_err(io(out))?.next().is_some();
    if taken && !(*overwrite && marker.is_file()) {
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
