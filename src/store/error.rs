//! Why a dataset cannot be written, and what to do if one is there already.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What to do where the output folder holds something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Refuse to write.
    Refuse,
    /// Replace what requant wrote there; other files stay.
    Overwrite,
}

/// Why a dataset cannot be written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder is not empty.
    #[error(
        "{path}: the output folder is not empty; give another --out, or --overwrite to replace what requant wrote there"
    )]
    OutputExists {
        /// The folder.
        path: PathBuf,
    },
    /// An unfinished run is there.
    #[error("{path}: an unfinished run is there; --resume to go on with it, --overwrite to begin anew")]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// What is to be resumed was another run.
    #[error(
        "{path}: the run there is another; it differs in {differences}; run it as it was, or --overwrite to begin anew"
    )]
    OtherPlan {
        /// The folder.
        path: PathBuf,
        /// In which settings it differs, in words.
        differences: String,
    },
    /// Inputs changed since, and rows of before must not stand beside rows of now.
    #[error("{path}: inputs changed since the run there saw them: {changed}; --overwrite to begin anew")]
    OtherInputs {
        /// The folder.
        path: PathBuf,
        /// Which, in words.
        changed: String,
    },
    /// Another process writes there.
    #[error("{path}: another run is writing there; wait for it, or give another --out")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has something that requant did not write under a name that it needs.
    #[error("{path}: not written by requant, but in the way; move it or give another --out")]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be made.
    #[error("{path}: cannot be created ({source}); check that the path is right and writable")]
    CannotCreate {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed on the way, as on a full disk.
    #[error("{path}: writing failed ({message}); check the space on that disk and run again")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system or the Parquet library said.
        message: String,
    },
}

impl StoreError {
    /// Exit code of the program for this error: 73 where the output cannot be made, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::OutputExists { .. }
            | Self::Unfinished { .. }
            | Self::OtherPlan { .. }
            | Self::OtherInputs { .. }
            | Self::Busy { .. }
            | Self::Foreign { .. }
            | Self::CannotCreate { .. } => 73,
            Self::Write { .. } => 1,
        }
    }
}

/// The first few of a list, for a message.
pub fn some_of(names: &[String]) -> String {
    const MOST: usize = 5;
    let shown = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

pub(super) fn cannot_create(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::CannotCreate { path, source }
}

pub(super) fn write_failed<E: ToString>(path: &Path) -> impl FnOnce(E) -> StoreError + use<E> {
    let path = path.to_owned();
    move |e| StoreError::Write { path, message: e.to_string() }
}
