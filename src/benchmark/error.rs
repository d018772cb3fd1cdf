//! Why there is no benchmark.

use std::path::{Path, PathBuf};

use crate::compare::CompareError;
use crate::output_path::OutputPathError;
use crate::run::RunError;
use crate::simulate::SimulateError;
use crate::store::{ReadTableError, StoreError};

/// Why there is no benchmark.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The data folder is not there, or holds no set.
    #[error(
        "{}: no sets there; a data folder has benchmark/NAME/ with truth.csv, or challenge2016/; without --data the simulated families run alone",
        path.display()
    )]
    NoData {
        /// The folder.
        path: PathBuf,
    },
    /// A set in the data folder lacks a file.
    #[error("set {set}: {} is missing; add it or move the set elsewhere", missing.display())]
    Incomplete {
        /// The set.
        set: String,
        /// What it lacks.
        missing: PathBuf,
    },
    /// No set of that name.
    #[error("no set `{name}`; there are: {known}")]
    UnknownSet {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// Other programs' results are not there.
    #[error("{}: no such folder; it must hold benchmark/SET_PROGRAM.csv", path.display())]
    NoPeers {
        /// The folder.
        path: PathBuf,
    },
    /// A file of another program's results.
    #[error("{}: {reason}", path.display())]
    Peer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two estimates of the same thing.
    #[error("two rows for {metabolite} of {id}: a truth must name its spectra so that each is one")]
    Twice {
        /// The spectrum.
        id: String,
        /// Metabolite or sum.
        metabolite: String,
    },
    /// The challenge's constants do not read.
    #[error("constants of the challenge: {reason}")]
    Constants {
        /// What is wrong.
        reason: String,
    },
    /// The output folder is somebody else's or may not be replaced.
    #[error("{}: exists and is not empty; give another --out, or --overwrite for an earlier benchmark", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written or taken away.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The name of a set or a method makes no file name.
    #[error(transparent)]
    Name(#[from] OutputPathError),
    /// A family cannot be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A set cannot be fitted.
    #[error("set {set}: {source}")]
    Run {
        /// The set.
        set: String,
        /// Why.
        source: RunError,
    },
    /// A truth cannot be read.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// Tables cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// The table cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report cannot be drawn.
    #[error("report: {0}")]
    Draw(String),
}

impl BenchmarkError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoData { .. } | Self::Incomplete { .. } | Self::UnknownSet { .. } | Self::NoPeers { .. } => 2,
            Self::Name(OutputPathError::Name { .. }) => 2,
            Self::Exists { .. } | Self::Io { .. } | Self::Name(_) => 73,
            Self::Run { source, .. } => source.exit_code(),
            Self::Simulate(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            _ => 1,
        }
    }
}

pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BenchmarkError + use<> {
    let path = path.to_owned();
    move |source| BenchmarkError::Io { path, source }
}
