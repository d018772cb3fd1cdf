//! How a journal ends: one file less, and then what is left means nothing and is tidied up.

use std::fs;
use std::io;
use std::path::Path;

use super::disk;
use super::error::{StoreError, cannot_create};
use super::lock::{self, LOCK};

/// Name of the journal's folder; the leading dot keeps dataset readers out.
pub(super) const JOURNAL: &str = ".requant";
/// Name of the plan in it.
pub(super) const PLAN: &str = "plan.json";

/// Takes away what is left of the journal of a finished run in `out`, if nobody is in it.
pub fn tidy(out: &Path) {
    let folder = out.join(JOURNAL);
    if folder.is_dir()
        && !is_begun(&folder)
        && let Ok(_alone) = lock::exclusive(&folder)
    {
        let _ = disk::remove_tree(&folder);
    }
}

/// Whether a run began in a journal's folder and did not end.
pub(super) fn is_begun(folder: &Path) -> bool {
    folder.join(PLAN).is_file()
}

/// Empties a journal's folder but for the locks.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    if is_begun(folder) {
        disk::remove_file(&folder.join(PLAN))?;
        disk::sync_folder(folder);
    }
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_type()?.is_dir() {
            disk::remove_tree(&entry.path())?;
        } else if !entry.file_name().to_string_lossy().starts_with(LOCK) {
            disk::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a folder that means something by the file `key`: that one first.
pub(super) fn remove(folder: &Path, key: &str) -> io::Result<()> {
    let key = folder.join(key);
    if key.exists() {
        disk::remove_file(&key)?;
        disk::sync_folder(folder);
    }
    disk::remove_tree(folder)
}

/// An error where `out` holds anything but the rest of an ended journal.
pub(super) fn refuse_results(out: &Path) -> Result<(), StoreError> {
    if !out.exists() {
        return Ok(());
    }
    let mut entries = fs::read_dir(out).map_err(cannot_create(out))?;
    match entries.any(|entry| entry.map_or(true, |e| e.file_name() != JOURNAL)) {
        true => Err(StoreError::OutputExists { path: out.to_owned() }),
        false => Ok(()),
    }
}
