//! What readers do with the file system: read within limits, and find the files that belong to one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::packed;

/// Largest file that is read (bytes): far above any spectroscopy file, far below any memory.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// All of a file, unpacked where gzip packed it.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, ReadError> {
    packed::bytes(path, MAX_FILE_BYTES).map_err(|source| ReadError::Io { path: path.to_owned(), source })
}

/// Length of a regular file, of a packed one of what is inside (bytes); 0 where it cannot be told: then nothing of it is kept
/// in memory either.
pub(super) fn length_of(path: &Path) -> u64 {
    packed::length(path, MAX_FILE_BYTES).unwrap_or(0)
}

/// At most so many bytes of a regular file, or of what is packed in it, from `at` on.
pub(super) fn bytes_at(path: &Path, at: u64, most: u64) -> io::Result<Vec<u8>> {
    packed::bytes_at(path, at, most)
}

/// The file called `name` in the same folder, or the same packed, if there is one. One that cannot be read is there all the
/// same: whoever reads it says so.
pub(super) fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    [path.with_file_name(name), path.with_file_name(format!("{name}.gz"))].into_iter().find(|p| is_there(p))
}

/// The file with the samples (the first of these names) in a folder of a scan, which has a file with parameters as well.
pub(super) fn in_folder(folder: &Path, samples: &[&str], parameters: &str) -> Option<PathBuf> {
    let file = samples.iter().find_map(|name| beside(&folder.join(name), name))?;
    beside(&file, parameters).map(|_| file)
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

/// The file of the same stem with another extension (lower case), in any case of letters, packed or not; `path` itself
/// where that is its own. Of several the one whose ending is written like its own.
pub(super) fn of_stem(path: &Path, extension: &str) -> Option<PathBuf> {
    let plain = without_packing(path);
    if plain.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) {
        return Some(path.to_owned());
    }
    let usual = spellings(&plain, extension);
    let packed = |e: &String| plain.with_extension(format!("{e}.gz"));
    let mut named = usual.iter().map(|e| plain.with_extension(e)).chain(usual.iter().map(packed));
    named.find(|p| is_there(p)).or_else(|| in_any_case(&plain.with_extension(extension)))
}

/// A file that [`of_stem`] might have taken as well as `taken`: another spelling of the ending, other content, and no file
/// with an ending of `path`'s kind that it belongs to.
pub(super) fn rival_of_stem(path: &Path, extension: &str, taken: &Path) -> Option<PathBuf> {
    let plain = without_packing(path);
    let own = plain.extension()?.to_str()?.to_ascii_lowercase();
    let pairs = spellings(&plain, extension).into_iter().zip(spellings(&plain, &own));
    let alone = pairs.filter(|(_, own)| plain.with_extension(own) == plain || !is_there(&plain.with_extension(own)));
    let mut others = alone.map(|(other, _)| plain.with_extension(other)).filter(|p| p != taken && is_there(p));
    // Where systems do not tell letters apart, all spellings are one file.
    let differs = |other: &PathBuf| matches!((bytes_of(taken), bytes_of(other)), (Ok(a), Ok(b)) if a != b);
    others.find(differs)
}

/// The usual spellings of an ending, first the one of `path`'s own ending.
fn spellings(path: &Path, extension: &str) -> [String; 3] {
    let mut usual = [extension.to_owned(), extension.to_ascii_uppercase(), capitalised(extension)];
    let own = path.extension().unwrap_or_default().to_string_lossy();
    if own.len() > 1 && own == own.to_ascii_uppercase() {
        usual.swap(0, 1);
    } else if own.starts_with(|c: char| c.is_ascii_uppercase()) {
        usual.swap(0, 2);
    }
    usual
}

/// `path` without the ending that says it is packed.
fn without_packing(path: &Path) -> PathBuf {
    let is_packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let stem = path.file_stem().filter(|_| is_packed);
    stem.map_or_else(|| path.to_owned(), |stem| path.with_file_name(stem))
}

/// The one file of the folder whose name is that of `path` but for the case of letters: sites copy through systems that
/// change it.
fn in_any_case(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_it = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().to_lowercase() == name;
    let mut same =
        fs::read_dir(folder).ok()?.flatten().filter(is_it).map(|entry| path.with_file_name(entry.file_name()));
    let one = same.next();
    if same.next().is_some() { None } else { one }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn of_two_spellings_the_own_one_is_taken_and_a_rival_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        ["a.SDAT", "a.SPAR"].into_iter().for_each(|name| write(name, "x"));
        let taken = |name: &str| of_stem(&path(name), "spar").unwrap();
        let rival = |name: &str| rival_of_stem(&path(name), "spar", &taken(name));
        assert_eq!((taken("a.SDAT"), rival("a.SDAT")), (path("a.SPAR"), None));
        write("a.spar", "x");
        if fs::read_dir(folder.path()).unwrap().count() == 2 {
            // The system does not tell letters apart.
            return;
        }
        assert_eq!((taken("a.SDAT"), rival("a.SDAT")), (path("a.SPAR"), None), "a copy is none");
        write("a.spar", "y");
        assert_eq!((taken("a.SDAT"), rival("a.SDAT")), (path("a.SPAR"), Some(path("a.spar"))));
        // A pair of its own.
        write("a.sdat", "y");
        assert_eq!((taken("a.SDAT"), rival("a.SDAT")), (path("a.SPAR"), None));
        assert_eq!((taken("a.sdat"), rival("a.sdat")), (path("a.spar"), None));
    }
}
