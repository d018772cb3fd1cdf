//! Why a file could not be read, whatever its format.

use std::error::Error;
use std::path::{Path, PathBuf};

/// Why a file could not be read. Says what, where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file, or one that belongs to it, cannot be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{}: is empty; copy or export it again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No known format.
    #[error("{}: not in a format that is read ({known})", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Names of the formats that are read.
        known: String,
    },
    /// An archive.
    #[error("{}: is a packed archive, which is not looked into; unpack it beside where it lies", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
    },
    /// A folder that is no scan of a format that keeps its scans in folders.
    #[error(
        "{}: it is a folder without a scan of its own (Varian: fid with procpar; Bruker: fid or rawdata.job0 with method); \
         name the file or the scan's folder", path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Files of one series that cannot be put together.
    #[error("{}: with {n} other files it is one series of single transients, but {reason}", path.display())]
    Series {
        /// The first of them.
        path: PathBuf,
        /// How many more there are.
        n: usize,
        /// Why they do not belong together.
        reason: String,
    },
    /// A second file that the format needs is missing.
    #[error("{}: its {what} is missing; put {} beside it", path.display(), companion.display())]
    MissingCompanion {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
        /// The name it should have.
        companion: PathBuf,
    },
    /// The format's own decoder refused the content.
    #[error("{}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Stable code of what is wrong with it.
        code: &'static str,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ReadError {
    /// What a decoder said about the content of the file at `path`.
    pub(super) fn content(path: &Path, code: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Content { path: path.to_owned(), code, source: Box::new(source) }
    }

    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "unreadable_file",
            Self::Empty { .. } => "empty_file",
            Self::UnknownFormat { .. } => "unknown_format",
            Self::Archive { .. } => "packed_archive",
            Self::Folder { .. } => "unreadable_file",
            Self::Series { .. } => "bad_series",
            Self::MissingCompanion { .. } => "missing_companion",
            Self::Content { code, .. } => code,
        }
    }

    /// Whether the file is something else altogether (an image, a segmentation), not a broken spectrum.
    pub fn is_not_spectroscopy(&self) -> bool {
        self.code() == "not_spectroscopy"
    }
}
