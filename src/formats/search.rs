//! What the search for spectra asks about files, answered by the readers.

use std::path::{Path, PathBuf};

use super::{Probe, READERS, in_folder, kind_of, read, reader_of, same_scan};
use crate::acquisition::{FileKind, Look, Member, SeriesName};

/// The readers, as the search asks them.
#[derive(Debug, Clone, Copy)]
pub struct Search;

impl Look for Search {
    fn kind_of(&self, path: &Path) -> FileKind {
        kind_of(path)
    }

    fn in_folder(&self, folder: &Path) -> Option<PathBuf> {
        in_folder(folder)
    }

    fn member(&self, path: &Path) -> Option<Member> {
        let probe = Probe::new(path);
        READERS.into_iter().find(|reader| reader.is_surely(&probe))?.member(path)
    }

    fn series_name(&self, path: &Path) -> Option<SeriesName> {
        let probe = Probe::new(path);
        READERS.into_iter().find(|reader| reader.is_surely(&probe))?.series_name(path)
    }

    fn rank(&self, path: &Path) -> usize {
        let Ok(reader) = reader_of(path) else { return usize::MAX };
        same_scan::rank(reader.name(), read(path).ok().as_ref())
    }

    fn is_one_scan(&self, one: &Path, other: &Path) -> bool {
        match (read(one), read(other)) {
            (Ok(one), Ok(other)) => same_scan::is_one_scan(&one, &other),
            // What cannot be read is no proof.
            _ => false,
        }
    }
}
