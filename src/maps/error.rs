//! Why a run's grids make no images.

use std::path::PathBuf;

use crate::output_path::OutputPathError;
use crate::store::ReadTableError;

/// Why there are no images.
#[derive(Debug, thiserror::Error)]
pub enum MapsError {
    /// The tables cannot be read.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// No spectrum is one of a grid.
    #[error("{path}: no grid of voxels among its {n} spectra; maps need spectroscopic images")]
    NoGrid {
        /// The dataset.
        path: PathBuf,
        /// Rows of `spectra`.
        n: usize,
    },
    /// None of the grids can be drawn.
    #[error("{path}: none of its grids can be drawn: {}", faults.join("; "))]
    NothingToDraw {
        /// The dataset.
        path: PathBuf,
        /// Why, a text a grid.
        faults: Vec<String>,
    },
    /// A quantity that is none.
    #[error("`{asked}` is no quantity of a map; there are {known}")]
    UnknownQuantity {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// A metabolite that no voxel has.
    #[error("`{asked}` is no metabolite of these results; there are {known}")]
    UnknownMetabolite {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The output folder holds something.
    #[error("{path}: the output folder is not empty; give another --out, or --overwrite to replace maps in it")]
    OutputExists {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder is the dataset's, or holds it.
    #[error("{path}: the results are there; give a folder of its own for the maps")]
    OntoResults {
        /// The folder.
        path: PathBuf,
    },
    /// Something that is no file stands where an image goes.
    #[error("{path}: not a file, but in the way; move it, or give another --out")]
    InTheWay {
        /// What it is.
        path: PathBuf,
    },
    /// A name leads out of the output folder.
    #[error(transparent)]
    Name(#[from] OutputPathError),
    /// The system refuses.
    #[error("{path}: cannot be written ({source}); check that the path is right and that there is space")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl MapsError {
    /// Exit code of the program for this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(e) if e.is_absent() => 66,
            Self::Read(_) | Self::NothingToDraw { .. } => 1,
            Self::UnknownQuantity { .. } | Self::UnknownMetabolite { .. } => 2,
            Self::NoGrid { .. } => 66,
            Self::OutputExists { .. }
            | Self::OntoResults { .. }
            | Self::InTheWay { .. }
            | Self::Name(_)
            | Self::Write { .. } => 73,
        }
    }
}
