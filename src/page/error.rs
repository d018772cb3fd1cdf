//! Why there is no page.

use std::path::PathBuf;

use crate::printable::printable_path;
use crate::store::{ReadTableError, StoreError};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The tables cannot be read.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// The page cannot be written.
    #[error(transparent)]
    Write(#[from] StoreError),
    /// The page cannot be put together.
    #[error("the page could not be made: {0}; please report this")]
    Template(String),
    /// No row is of that subject.
    #[error("no row of a subject `{subject}`{}", named(some))]
    NoSubject {
        /// Without `sub-`.
        subject: String,
        /// Some that are there.
        some: Vec<String>,
    },
    /// Nobody's page is written over.
    #[error("{}: not a page of requant; give another name with --out", printable_path(path))]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl PageError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(e) if !e.is_absent() => 1,
            Self::Read(_) => 66,
            Self::Write(error) => error.exit_code(),
            Self::Foreign { .. } => 73,
            Self::Template(_) => 1,
            Self::NoSubject { .. } => 2,
        }
    }
}

fn named(some: &[String]) -> String {
    if some.is_empty() { ": the run has none".to_owned() } else { format!(": there are {}, …", some.join(", ")) }
}
