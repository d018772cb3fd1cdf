//! One table by itself, as commands write it that make no dataset.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk;
use super::error::{IfExists, StoreError, cannot_create};
use super::folder::MadeFolders;
use super::schema::{Table, carried_by};
use super::table_writer::{Part, TableWriter};

/// Writes `rows` to the table's folder in `dir` and returns the files' paths.
///
/// # Errors
/// [`StoreError`]: there is such a table already and `if_exists` says refuse, or the system does.
pub fn write_table<T: Table>(dir: &Path, if_exists: IfExists, rows: Vec<T>) -> Result<Vec<PathBuf>, StoreError> {
    Ok(write_parts(dir, if_exists, rows)?.into_iter().map(|part| part.path).collect())
}

/// [`write_table`], with what each file holds.
pub(super) fn write_parts<T: Table>(dir: &Path, if_exists: IfExists, rows: Vec<T>) -> Result<Vec<Part>, StoreError> {
    let folder = dir.join(T::NAME);
    let mut made = MadeFolders::default();
    made.create(&folder)?;
    let taken = fs::read_dir(&folder).map_err(cannot_create(&folder))?.next().is_some();
    if taken && if_exists == IfExists::Refuse {
        return Err(StoreError::OutputExists { path: folder });
    }
    let mut table = TableWriter::create(&folder, rows.len().max(1), None)?;
    table.carrying(carried_by(&rows))?;
    table.push_all(rows)?;
    let parts = table.close()?;
    parts.iter().try_for_each(Part::put)?;
    disk::sync_folder(&folder);
    made.keep();
    Ok(parts)
}
