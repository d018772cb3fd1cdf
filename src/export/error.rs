//! Why results cannot be exported.

use std::path::PathBuf;

use thiserror::Error;

use crate::output_path::OutputPathError;
use crate::quality::gates::GatesError;
use crate::store::ReadTableError;

/// Why results cannot be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The tables cannot be read.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// The gates do not fit the tables.
    #[error(transparent)]
    Gates(#[from] GatesError),
    /// There is nothing to export.
    #[error("{}: the table `spectra` has no rows", path.display())]
    Nothing {
        /// The dataset.
        path: PathBuf,
    },
    /// Rows are of other methods.
    #[error("no row of the method `{asked}`; the results have {there}")]
    Method {
        /// What was asked for.
        asked: String,
        /// What there is.
        there: String,
    },
    /// The group is nowhere.
    #[error("no column `{asked}` in any joined file or manifest; there are {there}")]
    Group {
        /// What was asked for.
        asked: String,
        /// What there is.
        there: String,
    },
    /// A file to be joined cannot be read.
    #[error("{}: {message}", path.display())]
    Join {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what to do.
        message: String,
    },
    /// Something else lies where the files belong.
    #[error("{}: the output folder is not empty; give another --out, or --overwrite to replace an earlier export", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is not one of an export.
    #[error("{}: --overwrite replaces an earlier export, and this folder has none (no export.json); give another --out", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A name leads elsewhere.
    #[error(transparent)]
    Path(#[from] OutputPathError),
    /// A file cannot be written.
    #[error("{}: cannot be written: {message}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system or the library said.
        message: String,
    },
}

impl ExportError {
    /// Exit code of the program: 73 where the output cannot be made, 66 where there are no results, 1 where they are not as they were written, 2 for what was asked wrongly.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(error) if !error.is_absent() => 1,
            Self::Read(_) | Self::Nothing { .. } => 66,
            Self::Gates(_) | Self::Method { .. } | Self::Group { .. } => 2,
            Self::Join { .. } => 1,
            Self::Exists { .. } | Self::Foreign { .. } | Self::Path(_) | Self::Write { .. } => 73,
        }
    }
}
