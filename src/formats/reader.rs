//! What a file format has to say about itself: which files are its own, what belongs to them, and how they are read.

use std::cell::OnceCell;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE, READ_TO_LEARN};
use super::files::{self, length_of};
use super::packed;
use crate::acquisition::{Acquisition, Member, SeriesName};

/// Bytes that tell formats apart which do not go by a file's name.
const HEAD_BYTES: u64 = 4096;

/// A file format. Each has a file of its own in this folder and an entry in [`super::READERS`]; nothing else knows of it.
pub trait Reader: Sync {
    /// Its name, for people and for [`Acquisition::format`].
    fn name(&self) -> &'static str;

    /// What users should know about it.
    fn about(&self) -> About;

    /// What the name of a file that is met in a folder says, and what lies beside it. Of several files of one measurement
    /// one is claimed.
    fn claim(&self, probe: &Probe<'_>) -> Claim;

    /// Whether a file that no format claims as its own belongs to one of this format beside it, or holds the same scan
    /// once more.
    fn is_companion(&self, _probe: &Probe<'_>) -> bool {
        false
    }

    /// Whether a file is of this format: by its name, what lies beside it, or its first bytes.
    fn recognises(&self, probe: &Probe<'_>) -> bool;

    /// Whether a file is of this format by its content alone, whatever it is called: by a signature that nothing else has.
    fn is_surely(&self, _probe: &Probe<'_>) -> bool {
        false
    }

    /// The file that a folder stands for, where the format keeps a scan in a folder.
    fn in_folder(&self, _folder: &Path) -> Option<PathBuf> {
        None
    }

    /// Which part of a series of files the file is, where it holds one transient of one spectrum and says so.
    fn member(&self, _path: &Path) -> Option<Member> {
        None
    }

    /// What the scanner calls the series that the file is of, where the header says so.
    fn series_name(&self, _path: &Path) -> Option<SeriesName> {
        None
    }

    /// Whether a file of this format holds a spectrum, or at least a broken one, rather than an image. Reads no more than
    /// it needs to tell.
    fn is_spectroscopy(&self, _path: &Path) -> bool {
        true
    }

    /// The files beside `path` without which what is read from it would be another: only those that are there.
    fn companions(&self, _path: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Reads the file with its companions.
    ///
    /// # Errors
    /// [`ReadError`] if a file cannot be read, a companion is missing, or the content is damaged or not supported.
    fn read(&self, path: &Path) -> Result<Acquisition, ReadError>;

    /// Reads of a grid no more than these voxels, where the file's layout lets a part be read; else all of it.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_voxels(&self, path: &Path, _voxels: Range<usize>) -> Result<Acquisition, ReadError> {
        self.read(path)
    }

    /// What a file holds: from its header, or a bound from its length.
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be looked into.
    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let files = self.companions(path);
        let length = files.iter().map(|file| length_of(file)).fold(length_of(path), u64::saturating_add);
        if length > READ_TO_LEARN {
            return Ok(Extent::at_most(length));
        }
        Ok(Extent::of(&self.read(path)?, length.saturating_mul(HELD_PER_BYTE)))
    }
}

/// How surely the name of a file says that it is of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It is not.
    None,
    /// It may be: anybody's files have such names, and what is inside decides.
    Generic,
    /// It is, unless it holds text: other programs have notes and tables under such names.
    Shared,
    /// It is, or a broken one.
    Own,
}

impl Claim {
    /// Its own if that is so, else not.
    pub fn own_if(is_own: bool) -> Self {
        if is_own { Self::Own } else { Self::None }
    }
}

/// What users should know about a format; `docs/reference/formats.md` is made of it.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Which files and versions are read.
    pub files: &'static str,
    /// Which files belong to them.
    pub companions: &'static str,
    /// What their headers state.
    pub facts: &'static str,
    /// What is not read, or read without a real file at hand.
    pub limits: &'static str,
}

/// A file that is looked at: its name, its neighbours and, once somebody asks for them, its first bytes.
#[derive(Debug)]
pub struct Probe<'a> {
    path: &'a Path,
    /// File name in lower case, without the ending of a packed file.
    name: String,
    head: OnceCell<io::Result<Vec<u8>>>,
}

impl<'a> Probe<'a> {
    /// Looks at the file at `path`; opens nothing.
    pub fn new(path: &'a Path) -> Self {
        let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let name = packed::unpacked_name(&name).to_owned();
        Self { path, name, head: OnceCell::new() }
    }

    /// Where the file lies.
    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// The file's name in lower case; of a packed one that of what is inside.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the name ends in one of these (lower case, with the dot).
    pub fn ends_with(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.name.ends_with(ending))
    }

    /// Whether the name has no extension, or a number in its place.
    pub fn is_bare(&self) -> bool {
        match self.name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension.bytes().all(|b| b.is_ascii_digit()),
            _ => true,
        }
    }

    /// Whether the folder has a file of this name.
    pub fn has_beside(&self, name: &str) -> bool {
        files::beside(self.path, name).is_some()
    }

    /// Whether there is a file of the same stem with this extension (lower case).
    pub fn has_of_stem(&self, extension: &str) -> bool {
        files::of_stem(self.path, extension).is_some()
    }

    /// The first bytes of the file, or of what gzip packed in it; none where it cannot be read.
    pub fn head(&self) -> &[u8] {
        let head = self.head.get_or_init(|| packed::head(self.path, HEAD_BYTES));
        head.as_ref().map(Vec::as_slice).unwrap_or_default()
    }

    /// Some bytes further on, for what the first ones do not tell.
    pub(super) fn bytes_at(&self, at: u64, most: u64) -> Vec<u8> {
        files::bytes_at(self.path, at, most).unwrap_or_default()
    }

    /// Whether it is an archive that is not looked into.
    pub(super) fn is_archive(&self) -> bool {
        packed::is_archive(&self.name, self.is_bare(), self.head())
    }

    /// Why the first bytes cannot be read.
    pub(super) fn fault(&self) -> Option<&io::Error> {
        self.head();
        self.head.get().and_then(|head| head.as_ref().err())
    }

    /// Why no format recognised the file: it cannot be read, or it is of none of the `known` ones.
    pub(super) fn unknown(self, known: String) -> ReadError {
        let path = self.path.to_owned();
        match self.head.into_inner() {
            Some(Err(source)) => ReadError::Io { path, source },
            _ => ReadError::UnknownFormat { path, known },
        }
    }
}
