//! Why a corpus cannot be simulated.

use std::path::PathBuf;

use crate::output_path::OutputPathError;

/// Why a corpus could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The folder is not empty.
    #[error("{}: exists and is not empty; give another --out", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The recipe makes no sense.
    #[error("recipe: {reason}")]
    Recipe {
        /// What is wrong, with the field.
        reason: String,
    },
    /// A name in the recipe makes no file name.
    #[error(transparent)]
    Name(#[from] OutputPathError),
    /// A basis set cannot be simulated.
    #[error(transparent)]
    Basis(#[from] crate::basis::simulate::SimulateError),
    /// Somebody asked to stop.
    #[error("stopped; the corpus is incomplete")]
    Stopped,
    /// The truth cannot be written.
    #[error("{}: cannot be written: {reason}", path.display())]
    Truth {
        /// The table.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl SimulateError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Recipe { .. } | Self::Basis(_) | Self::Name(OutputPathError::Name { .. }) => 2,
            Self::Stopped => 75,
            _ => 73,
        }
    }
}
