//! What to compare, and who watches.

use crate::fit::Method;
use crate::learn::Scope;
use crate::quantify::WaterScaling;
use crate::run::Progress;
use std::path::PathBuf;

/// What to run.
#[derive(Debug, Clone)]
pub struct BenchmarkOptions {
    /// Output folder.
    pub out: PathBuf,
    /// Whether an earlier benchmark there may be replaced.
    pub overwrite: bool,
    /// Folders with sets of spectra.
    pub data: Vec<PathBuf>,
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
