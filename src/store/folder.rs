//! The dataset folder's file names, what of it is requant's own, and steps that survive a power cut.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::disk::{self, File};
use super::error::{StoreError, cannot_create, write_failed};
use super::provenance::RUN_KIND;
use super::rows::TABLES;
use crate::regular_file;

/// Longest run record that is read (bytes): it has a line or two for each file of a table.
pub(super) const MAX_RECORD_BYTES: u64 = 1 << 30;

/// Name of the run record in the dataset folder.
pub(super) const RUN_FILE: &str = "run.json";

/// Whether a file name is one that the writer gives to a finished part.
pub(super) fn is_part_name(name: &str) -> bool {
    name.strip_prefix("part-")
        .and_then(|rest| rest.strip_suffix(".parquet"))
        .is_some_and(|number| number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a file name is one that the writer gives to an unfinished file. The leading dot keeps
/// dataset readers from opening it.
fn is_temporary_name(name: &str) -> bool {
    let Some(inner) = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp")) else {
        return false;
    };
    inner.rsplit_once('.').is_some_and(|(file, process)| {
        (is_part_name(file) || file == RUN_FILE) && process.bytes().all(|b| b.is_ascii_digit())
    })
}

/// A number that no other process has, on this machine or another that writes to the same disk.
pub(super) fn process_token() -> u64 {
    static TOKEN: OnceLock<u64> = OnceLock::new();
    // The standard library seeds its hashers at random, and it is all the randomness needed here.
    *TOKEN.get_or_init(|| RandomState::new().build_hasher().finish())
}

/// Temporary name for `file`, in the same folder; no other process has the same.
pub(super) fn temporary_path(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}.tmp", process_token()))
}

/// Writes `bytes` to `path` so that it holds either what it held before or all of them.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_path(path);
    let attempt = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync()?;
        disk::rename(&temporary, path)
    };
    attempt().map_err(|e: io::Error| {
        let _ = disk::remove_file(&temporary);
        write_failed(path)(e)
    })?;
    if let Some(folder) = path.parent() {
        disk::sync_folder(folder);
    }
    Ok(())
}

/// The files of an older dataset in `dir`, `run.json` first so that a dataset that is being taken
/// apart does not look complete.
///
/// # Errors
/// [`StoreError::Foreign`] if `run.json` is somebody else's, or a table's folder is none, is a link
/// to elsewhere or holds other files, which would become part of the new table.
pub(super) fn older_files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let foreign = |path: PathBuf| StoreError::Foreign { path };
    let mut files = Vec::new();
    let run_path = dir.join(RUN_FILE);
    if run_path.exists() {
        if !is_run_record(&run_path) {
            return Err(foreign(run_path));
        }
        files.push(run_path);
    }
    // Of a process that was killed while it wrote the record.
    for entry in fs::read_dir(dir).map_err(cannot_create(dir))?.flatten() {
        if entry.file_name().to_str().is_some_and(is_temporary_name) {
            files.push(entry.path());
        }
    }
    for table in TABLES {
        let folder = dir.join(table);
        let Ok(kind) = fs::symlink_metadata(&folder) else {
            continue;
        };
        if !kind.is_dir() {
            return Err(foreign(folder));
        }
        for entry in fs::read_dir(&folder).map_err(cannot_create(&folder))? {
            let entry = entry.map_err(cannot_create(&folder))?;
            let name = entry.file_name();
            match name.to_str() {
                Some(name) if is_part_name(name) || is_temporary_name(name) => {
                    files.push(entry.path());
                }
                _ => return Err(foreign(entry.path())),
            }
        }
    }
    Ok(files)
}

fn is_run_record(path: &Path) -> bool {
    regular_file::bytes(path, MAX_RECORD_BYTES)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .is_some_and(|value| value.get("kind").and_then(|kind| kind.as_str()) == Some(RUN_KIND))
}

/// Folders that this writer made; those that stay empty go again when it is dropped.
///
/// Last field of `DatasetWriter`, so that it is dropped after the tables took their files away.
#[derive(Debug, Default)]
pub(super) struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    /// Makes `dir` and its missing parents.
    pub(super) fn create(&mut self, dir: &Path) -> Result<(), StoreError> {
        let missing = dir.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).count();
        disk::create_dir_all(dir).map_err(cannot_create(dir))?;
        let ancestors: Vec<PathBuf> = dir.ancestors().take(missing).map(Path::to_owned).collect();
        self.0.extend(ancestors.into_iter().rev());
        Ok(())
    }

    /// From here on the folders stay.
    pub(super) fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // Fails, as it should, where something lies in the folder.
            let _ = disk::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_are_known() {
        assert!(is_part_name("part-00012.parquet"));
        for other in ["part-1.parquet", "part-0000a.parquet", "data.parquet", "part-00000.csv"] {
            assert!(!is_part_name(other), "{other}");
        }
        assert!(is_temporary_name(".part-00000.parquet.4711.tmp"));
        assert!(is_temporary_name(".run.json.4711.tmp"));
        for other in [".notes.tmp", "part-00000.parquet.4711.tmp", ".part-00000.parquet.x.tmp"] {
            assert!(!is_temporary_name(other), "{other}");
        }
        let path = temporary_path(Path::new("a/part-00000.parquet"));
        assert!(path.file_name().and_then(|n| n.to_str()).is_some_and(is_temporary_name));
    }
}
