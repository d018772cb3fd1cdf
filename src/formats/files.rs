//! What readers do with the file system: read within limits, and find the files that belong to one.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::ReadError;
use crate::regular_file;

/// Largest file that is read (bytes): far above any spectroscopy file, far below any memory.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// All of a file.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, ReadError> {
    regular_file::bytes(path, MAX_FILE_BYTES).map_err(|source| ReadError::Io { path: path.to_owned(), source })
}

/// Length of a regular file (bytes); 0 where it cannot be told.
pub(super) fn length_of(path: &Path) -> u64 {
    regular_file::check(path).map_or(0, |file| file.len())
}

/// At most so many bytes of a regular file from `at` on.
pub(super) fn bytes_at(path: &Path, at: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut file = regular_file::open(path, u64::MAX)?;
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file called `name` in the same folder, if there is one. One that cannot be read is there all the same: whoever reads
/// it says so.
pub(super) fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    Some(path.with_file_name(name)).filter(|p| is_there(p))
}

/// Whether the folder has anything of that name, a link that leads nowhere included.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The content of the file called `name` in the same folder; an error that says `what` is missing where there is none.
pub(super) fn bytes_beside(path: &Path, name: &str, what: &'static str) -> Result<Vec<u8>, ReadError> {
    let missing = || ReadError::MissingCompanion { path: path.to_owned(), what, companion: PathBuf::from(name) };
    bytes_of(&beside(path, name).ok_or_else(missing)?)
}

/// The file of the same stem with another extension (lower case), in any usual case of letters; `path` itself where that
/// is its own.
pub(super) fn of_stem(path: &Path, extension: &str) -> Option<PathBuf> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) {
        return Some(path.to_owned());
    }
    [extension.to_owned(), extension.to_ascii_uppercase(), capitalised(extension)]
        .iter()
        .map(|e| path.with_extension(e))
        .find(|p| is_there(p))
}

/// [`of_stem`], or an error that says `what` is missing.
pub(super) fn needed_of_stem(path: &Path, extension: &str, what: &'static str) -> Result<PathBuf, ReadError> {
    of_stem(path, extension.to_ascii_lowercase().as_str()).ok_or_else(|| ReadError::MissingCompanion {
        path: path.to_owned(),
        what,
        companion: PathBuf::from(path.with_extension(extension).file_name().unwrap_or_default()),
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
