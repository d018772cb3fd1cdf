//! One file by itself that is either what it was or complete, for what stands beside the tables.

use std::path::Path;

use super::disk;
use super::error::{StoreError, cannot_create, write_failed};
use super::folder::write_synced;

/// Writes `bytes` to `path`, whose folder is made where it is missing. A stop in the middle leaves what was there before.
///
/// # Errors
/// [`StoreError`]: the system refuses.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        disk::create_dir_all(folder).map_err(cannot_create(folder))?;
    }
    write_synced(path, bytes)
}

/// Removes a file that [`replace_file`] wrote, and its folder where nothing else is in it.
///
/// # Errors
/// [`StoreError`]: the system refuses.
pub fn remove_written(path: &Path) -> Result<(), StoreError> {
    disk::remove_file(path).map_err(write_failed(path))?;
    if let Some(folder) = path.parent() {
        // Succeeds only where the folder is empty.
        let _ = disk::remove_dir(folder);
    }
    Ok(())
}
