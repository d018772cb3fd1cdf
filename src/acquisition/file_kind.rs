//! What a file is that is met in a folder, and what the search asks about files.

use std::path::{Path, PathBuf};

/// What a file is that is met in a folder: readers tell, and the search counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A spectrum, or what must be one by its name and cannot be read: a row.
    Spectrum,
    /// It belongs to a spectrum beside it and is read with it, or holds the same scan once more.
    Companion,
    /// An image, or anything else that a scanner or its converter stores in a format that spectra have as well.
    Image,
    /// A packed archive, in which spectra may be: a row that says so.
    Archive,
    /// Without content, and by its name as likely anything else as a spectrum.
    Empty,
    /// It cannot be opened, for this reason, and is by its name as likely anything else as a spectrum.
    Unreadable(String),
    /// Anything else: notes, tables, programs.
    Other,
}

/// Which part of a series of files a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Equal for files that may be transients of one measurement: which series it is, and what the headers state.
    pub series: String,
    /// Its number in the series.
    pub instance: u32,
}

/// What a scanner calls the series that a file is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesName {
    /// Which examination it belongs to.
    pub session: String,
    /// Its name; used for pairing, and never kept.
    pub name: String,
    /// Its number in the examination.
    pub number: Option<u32>,
}

/// What the search asks about files; the readers answer.
pub trait Look: Sync {
    /// What a file is that is met in a folder.
    fn kind_of(&self, path: &Path) -> FileKind;

    /// The file that a folder stands for, where it is a scan of a format that keeps its scans in folders.
    fn in_folder(&self, _folder: &Path) -> Option<PathBuf> {
        None
    }

    /// Which part of a series the file is, where it holds one transient and says so.
    fn member(&self, _path: &Path) -> Option<Member> {
        None
    }

    /// What the scanner calls the series of a file.
    fn series_name(&self, _path: &Path) -> Option<SeriesName> {
        None
    }

    /// How far a file is from what the scanner measured: of one scan in two formats that with the lower number is taken.
    fn rank(&self, _path: &Path) -> usize {
        0
    }

    /// Whether two files hold one scan, by their headers and samples; reads both.
    fn is_one_scan(&self, _one: &Path, _other: &Path) -> bool {
        false
    }
}

/// Only what files are.
impl<F: Fn(&Path) -> FileKind + Sync> Look for F {
    fn kind_of(&self, path: &Path) -> FileKind {
        self(path)
    }
}
