//! Writes a dataset folder so that what is there is complete, and what was there before stays until
//! the new one is.
//!
//! Every part is written under a temporary name in its folder, synced to disk and renamed by
//! [`DatasetWriter::finish`]; `run.json` comes last and marks a complete dataset. Rows are
//! collected into batches of fixed size, so that the bytes depend on the rows alone and not on how
//! the caller cut them into calls.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::provenance::{Counts, RUN_KIND, RunRecord};
use super::rows::{CurveRow, MetaboliteRow, SpectrumRow, Status};
use super::schema::Table;
use super::table_writer::TableWriter;

/// Name of the run record in the dataset folder.
pub const RUN_FILE: &str = "run.json";

/// Curves are large (a list per metabolite): a row group and a part hold few of them.
const CURVES_PER_BATCH: usize = 64;
const CURVES_PER_PART: usize = 512;
const ROWS_PER_BATCH: usize = 4096;

/// What to do where the output folder holds something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Refuse to write.
    Refuse,
    /// Replace what requant wrote there; other files stay.
    Overwrite,
}

/// Why a dataset cannot be written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder is not empty.
    #[error(
        "{path}: the output folder is not empty; give another --out, or --overwrite to replace what requant wrote there"
    )]
    OutputExists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has something that requant did not write under a name that it needs.
    #[error("{path}: not written by requant, but in the way; move it or give another --out")]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be made.
    #[error("{path}: cannot be created ({source}); check that the path is right and writable")]
    CannotCreate {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed on the way, as on a full disk.
    #[error("{path}: writing failed ({message}); check the space on that disk and run again")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system or the Parquet library said.
        message: String,
    },
}

impl StoreError {
    /// Exit code of the program for this error: 73 where the output cannot be made, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::OutputExists { .. } | Self::Foreign { .. } | Self::CannotCreate { .. } => 73,
            Self::Write { .. } => 1,
        }
    }
}

pub(super) fn cannot_create(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::CannotCreate { path, source }
}

pub(super) fn write_failed<E: ToString>(path: &Path) -> impl FnOnce(E) -> StoreError + use<E> {
    let path = path.to_owned();
    move |e| StoreError::Write {
        path,
        message: e.to_string(),
    }
}

/// Whether a file name is one that the writer gives to a finished part.
pub fn is_part_name(name: &str) -> bool {
    name.strip_prefix("part-")
        .and_then(|rest| rest.strip_suffix(".parquet"))
        .is_some_and(|number| number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a file name is one that the writer gives to an unfinished file. The leading dot keeps
/// dataset readers from opening it.
fn is_temporary_name(name: &str) -> bool {
    let Some(inner) = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_suffix(".tmp"))
    else {
        return false;
    };
    inner.rsplit_once('.').is_some_and(|(file, process)| {
        (is_part_name(file) || file == RUN_FILE) && process.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Temporary name for `file`; the process number keeps two runs apart.
pub(super) fn temporary_path(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// Makes a rename in `folder` survive a power cut. Where folders cannot be opened (Windows) the
/// system has no such call and none is needed.
fn sync_folder(folder: &Path) {
    if let Ok(handle) = File::open(folder) {
        let _ = handle.sync_all();
    }
}

/// Writes one dataset folder.
///
/// Dropped without [`DatasetWriter::finish`], it takes its temporary files away again and leaves an
/// older dataset in the folder as it was.
#[derive(Debug)]
pub struct DatasetWriter {
    dir: PathBuf,
    spectra: TableWriter<SpectrumRow>,
    metabolites: TableWriter<MetaboliteRow>,
    curves: Option<TableWriter<CurveRow>>,
    counts: Counts,
    made: MadeFolders,
}

impl DatasetWriter {
    /// Prepares `dir`, which is made if it does not exist.
    ///
    /// Nothing older is touched before [`DatasetWriter::finish`].
    ///
    /// # Errors
    /// [`StoreError::OutputExists`] if `dir` is not empty and `if_exists` is
    /// [`IfExists::Refuse`]; [`StoreError::Foreign`] if a name that is needed is taken by something
    /// that requant did not write; [`StoreError::CannotCreate`] if the system refuses.
    pub fn create(dir: &Path, if_exists: IfExists) -> Result<Self, StoreError> {
        let mut made = MadeFolders::default();
        made.create(dir)?;
        let is_empty = fs::read_dir(dir)
            .map_err(cannot_create(dir))?
            .next()
            .is_none();
        if !is_empty {
            if if_exists == IfExists::Refuse {
                return Err(StoreError::OutputExists {
                    path: dir.to_owned(),
                });
            }
            older_files(dir)?;
        }
        let spectra_dir = dir.join(SpectrumRow::NAME);
        let metabolites_dir = dir.join(MetaboliteRow::NAME);
        made.create(&spectra_dir)?;
        made.create(&metabolites_dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            spectra: TableWriter::create(&spectra_dir, ROWS_PER_BATCH, None)?,
            metabolites: TableWriter::create(&metabolites_dir, ROWS_PER_BATCH, None)?,
            curves: None,
            counts: Counts::default(),
            made,
        })
    }

    /// Adds a row to `spectra`.
    pub fn spectrum(&mut self, row: SpectrumRow) -> Result<(), StoreError> {
        self.counts.spectra += 1;
        match row.status {
            Status::Ok => self.counts.ok += 1,
            Status::Failed => self.counts.failed += 1,
            Status::Skipped => self.counts.skipped += 1,
        }
        self.spectra.push(row)
    }

    /// Adds a row to `metabolites`.
    pub fn metabolite(&mut self, row: MetaboliteRow) -> Result<(), StoreError> {
        self.counts.metabolites += 1;
        self.metabolites.push(row)
    }

    /// Adds a row to `curves`; the table exists only if there is one.
    pub fn curve(&mut self, row: CurveRow) -> Result<(), StoreError> {
        let curves = match self.curves.take() {
            Some(curves) => curves,
            None => {
                let folder = self.dir.join(CurveRow::NAME);
                self.made.create(&folder)?;
                TableWriter::create(&folder, CURVES_PER_BATCH, Some(CURVES_PER_PART))?
            }
        };
        self.counts.curves += 1;
        self.curves.insert(curves).push(row)
    }

    /// Rows so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Completes the dataset: parts to disk, older ones away, new ones in their place, `run.json`
    /// last. `run.counts` is filled in. Returns the paths of the files, `run.json` last.
    pub fn finish(mut self, mut run: RunRecord) -> Result<Vec<PathBuf>, StoreError> {
        run.counts = self.counts.clone();
        let run_path = self.dir.join(RUN_FILE);
        let mut text = serde_json::to_string_pretty(&run)
            .map_err(write_failed::<serde_json::Error>(&run_path))?;
        text.push('\n');

        let mut parts = self.spectra.close()?;
        parts.append(&mut self.metabolites.close()?);
        if let Some(curves) = &mut self.curves {
            parts.append(&mut curves.close()?);
        }

        for old in older_files(&self.dir)? {
            if !parts.iter().any(|part| part.temporary == old) {
                fs::remove_file(&old).map_err(write_failed(&old))?;
            }
        }
        let mut written = Vec::new();
        for part in &parts {
            fs::rename(&part.temporary, &part.path).map_err(write_failed(&part.path))?;
            written.push(part.path.clone());
        }
        for table in [SpectrumRow::NAME, MetaboliteRow::NAME, CurveRow::NAME] {
            let folder = self.dir.join(table);
            // Succeeds only where an older dataset's folder became empty.
            let _ = fs::remove_dir(&folder);
            sync_folder(&folder);
        }
        self.made.keep();
        write_synced(&run_path, text.as_bytes())?;
        written.push(run_path);
        Ok(written)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_path(path);
    let attempt = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    attempt().map_err(|e: io::Error| {
        let _ = fs::remove_file(&temporary);
        write_failed(path)(e)
    })?;
    if let Some(folder) = path.parent() {
        sync_folder(folder);
    }
    Ok(())
}

/// The files of an older dataset in `dir`, `run.json` first so that a dataset that is being taken
/// apart does not look complete.
///
/// # Errors
/// [`StoreError::Foreign`] if `run.json` is somebody else's, or a table's folder is none, is a link
/// to elsewhere or holds other files, which would become part of the new table.
fn older_files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let foreign = |path: PathBuf| StoreError::Foreign { path };
    let mut files = Vec::new();
    let run_path = dir.join(RUN_FILE);
    if run_path.exists() {
        if !is_run_record(&run_path) {
            return Err(foreign(run_path));
        }
        files.push(run_path);
    }
    for table in [SpectrumRow::NAME, MetaboliteRow::NAME, CurveRow::NAME] {
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
    fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .is_some_and(|value| value.get("kind").and_then(|kind| kind.as_str()) == Some(RUN_KIND))
}

/// Folders that this writer made; those that stay empty go again when it is dropped.
///
/// Last field of [`DatasetWriter`], so that it is dropped after the tables took their files away.
#[derive(Debug, Default)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    /// Makes `dir` and its missing parents.
    fn create(&mut self, dir: &Path) -> Result<(), StoreError> {
        let missing = dir
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .count();
        fs::create_dir_all(dir).map_err(cannot_create(dir))?;
        let ancestors: Vec<PathBuf> = dir.ancestors().take(missing).map(Path::to_owned).collect();
        self.0.extend(ancestors.into_iter().rev());
        Ok(())
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // Fails, as it should, where something lies in the folder.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_are_known() {
        assert!(is_part_name("part-00012.parquet"));
        for other in [
            "part-1.parquet",
            "part-0000a.parquet",
            "data.parquet",
            "part-00000.csv",
        ] {
            assert!(!is_part_name(other), "{other}");
        }
        assert!(is_temporary_name(".part-00000.parquet.4711.tmp"));
        assert!(is_temporary_name(".run.json.4711.tmp"));
        for other in [
            ".notes.tmp",
            "part-00000.parquet.4711.tmp",
            ".part-00000.parquet.x.tmp",
        ] {
            assert!(!is_temporary_name(other), "{other}");
        }
        let path = temporary_path(Path::new("a/part-00000.parquet"));
        assert!(
            path.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(is_temporary_name)
        );
    }
}
