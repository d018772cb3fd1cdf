//! Why a run as a whole failed; what concerns single spectra becomes rows.

use std::path::PathBuf;

use crate::corpus::FindError;
use crate::store::{ReadTableError, StoreError};

/// Why a run as a whole failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to do, or the inputs cannot be listed.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The tables cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The basis set named for the whole run cannot be read.
    #[error("basis set: {0}")]
    Basis(#[from] crate::basis::BasisError),
    /// Finished chunks cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// No spectrum is of the participants and sessions asked for.
    #[error("no spectrum of participants [{participants}], sessions [{sessions}]; labels are those of the file names")]
    NoneTaken {
        /// Labels, separated by commas.
        participants: String,
        /// Labels, separated by commas.
        sessions: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; what is done is safe: run the same command with --resume to go on ({})", out.display())]
    Interrupted {
        /// The output folder.
        out: PathBuf,
    },
    /// There is nothing to merge.
    #[error("{}: no unfinished run or shard there; give the --out of the shards", path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// Shards of different runs.
    #[error("{}: a shard of another run than {} (settings, inputs, engine or version differ)", path.display(), first.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// The first one.
        first: PathBuf,
    },
    /// Shards are missing.
    #[error(
        "{missing} of {of} chunks are not done yet: finish their shards (--shard I/N, again with --resume) and merge then"
    )]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        of: usize,
    },
}

impl RunError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Find(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::Interrupted { .. } => 75,
            Self::NoJournal { .. } | Self::NoneTaken { .. } => 66,
            Self::Basis(_) | Self::Read(_) | Self::OtherRun { .. } | Self::Missing { .. } => 1,
        }
    }
}
