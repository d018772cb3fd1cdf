//! Reads a dataset folder back.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::{Array, RecordBatch, StringArray};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use thiserror::Error;

use super::folder::{MAX_RECORD_BYTES, RUN_FILE, is_part_name};
use super::provenance::{RunRecord, TableFile};
use super::rows::TABLES;
use super::schema::{CARRIED_PREFIX, Table};
use crate::hash::{sha256_hex, sha256_read};
use crate::regular_file;

/// Largest part of a table that is read (bytes): the writer begins another long before.
pub(super) const MAX_PART_BYTES: u64 = 64 << 30;

/// Rows that [`read_batches`] hands on together: one with curves has some hundred kilobytes.
const ROWS_AT_A_TIME: usize = 128;

/// Why a dataset folder cannot be read.
#[derive(Debug, Error)]
pub enum ReadTableError {
    /// The folder or file is not there or not readable.
    #[error("{path}: {source}; give the folder that `requant run --out` wrote")]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no Parquet file, or damaged.
    #[error("{path}: not a readable Parquet file ({message}); write the dataset again")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the Parquet library said.
        message: String,
    },
    /// A column has another type than this version expects.
    #[error(
        "{path}: column `{column}` has another type than this version of requant writes; read it \
         with the version named in run.json"
    )]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// The file is not as it was written.
    #[error("{path}: not as it was written (a damaged disk, or somebody's change); make the dataset again")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The table does not have the rows that the run wrote.
    #[error(
        "{path}: {there} rows of the table `{table}` are there, and run.json says {written}; make the dataset again"
    )]
    Rows {
        /// The dataset folder.
        path: PathBuf,
        /// Name of the table.
        table: &'static str,
        /// Rows that are there.
        there: u64,
        /// Rows that were written.
        written: u64,
    },
    /// `run.json` was changed, or is another run's.
    #[error(
        "{path}: not the record that was written with these tables: it says that the run is {said}, and {what} {found}; get the \
         `run.json` of these tables back, or make the dataset again"
    )]
    OtherRecord {
        /// The file.
        path: PathBuf,
        /// The record's `run_id`.
        said: String,
        /// Who says otherwise.
        what: &'static str,
        /// Id that this makes.
        found: String,
    },
    /// `run.json` is not what requant writes.
    #[error("{path}: not a run record of requant ({message})")]
    RunRecord {
        /// The file.
        path: PathBuf,
        /// What the JSON library said.
        message: String,
    },
}

impl ReadTableError {
    /// Whether nothing is there: exit code 66 of the commands.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> ReadTableError + use<> {
    let path = path.to_owned();
    move |source| ReadTableError::Io { path, source }
}

/// All rows of one table of the dataset in `dir`, in the order in which they were written.
///
/// A column that the files lack takes its default; columns that they have in addition are left.
/// The table's folder may be absent (`curves` mostly is): then there are no rows.
///
/// # Errors
/// [`ReadTableError`]: a file cannot be read, or is not what a `run.json` beside the table says.
pub fn read_table<T: Table>(dir: &Path) -> Result<Vec<T>, ReadTableError> {
    let mut rows = Vec::new();
    for path in parts_in::<T>(dir)? {
        let file = regular_file::open(&path, MAX_PART_BYTES).map_err(io_error(&path))?;
        decode(&path, file, None, |batch| rows.extend(batch))?;
    }
    check_count::<T>(dir, rows.len() as u64)?;
    Ok(rows)
}

/// Hands the rows of one table of the dataset in `dir` to `take`, some at a time and in the order in which they were
/// written, so that no table has to fit into the memory. Only `columns` are read; all others keep their defaults.
///
/// # Errors
/// As of [`read_table`].
pub fn read_batches<T: Table>(
    dir: &Path,
    columns: &[&str],
    mut take: impl FnMut(Vec<T>),
) -> Result<(), ReadTableError> {
    let mut there = 0;
    for path in parts_in::<T>(dir)? {
        let file = regular_file::open(&path, MAX_PART_BYTES).map_err(io_error(&path))?;
        decode(&path, file, Some(columns), |rows| {
            there += rows.len() as u64;
            take(rows);
        })?;
    }
    check_count::<T>(dir, there)
}

/// Whether a `run.json` beside the table says that there were other rows.
fn check_count<T: Table>(dir: &Path, there: u64) -> Result<(), ReadTableError> {
    match read_record(dir).ok().and_then(|run| run.counts.of_table(T::NAME)) {
        Some(written) if written != there => {
            Err(ReadTableError::Rows { path: dir.to_owned(), table: T::NAME, there, written })
        }
        _ => Ok(()),
    }
}

/// The files of a table, in their order; none where there is no such table. Where a `run.json` is beside them they are
/// those that it lists, and as they were written.
fn parts_in<T: Table>(dir: &Path) -> Result<Vec<PathBuf>, ReadTableError> {
    let parts = parts_there::<T>(dir)?;
    let record = match read_record(dir) {
        // Of versions before the list.
        Ok(record) if record.files.is_empty() => return Ok(parts),
        Ok(record) => record,
        Err(error) if error.is_absent() => return Ok(parts),
        Err(error) => return Err(error),
    };
    let mut listed: Vec<&TableFile> = record.files.iter().filter(|file| is_part_of(file, T::NAME)).collect();
    for path in &parts {
        let at = listed.iter().position(|file| dir.join(&file.file) == *path);
        let is_as_written = at.map(|at| is_as_written(path, listed.swap_remove(at))).transpose()?;
        if is_as_written != Some(true) {
            return Err(ReadTableError::Changed { path: path.clone() });
        }
    }
    match listed.first() {
        Some(missing) => Err(ReadTableError::Changed { path: dir.join(&missing.file) }),
        None => Ok(parts),
    }
}

/// Whether a record names a file of this table. A record leads nowhere but to the tables beside it.
pub(super) fn is_part_of(record: &TableFile, table: &str) -> bool {
    record.file.split_once('/').is_some_and(|(folder, part)| folder == table && is_part_name(part))
}

/// Whether a file has the length and the hash of its record.
fn is_as_written(path: &Path, record: &TableFile) -> Result<bool, ReadTableError> {
    let file = regular_file::open(path, MAX_PART_BYTES).map_err(io_error(path))?;
    let length = file.metadata().map_err(io_error(path))?.len();
    Ok(length == record.bytes && sha256_read(file).map_err(io_error(path))? == record.sha256)
}

/// The files in a table's folder.
fn parts_there<T: Table>(dir: &Path) -> Result<Vec<PathBuf>, ReadTableError> {
    let folder = dir.join(T::NAME);
    if !folder.exists() {
        fs::metadata(dir).map_err(io_error(dir))?;
        return Ok(Vec::new());
    }
    let mut parts = Vec::new();
    for entry in fs::read_dir(&folder).map_err(io_error(&folder))? {
        let entry = entry.map_err(io_error(&folder))?;
        if entry.file_name().to_str().is_some_and(is_part_name) {
            parts.push(entry.path());
        }
    }
    parts.sort();
    Ok(parts)
}

/// Reads the rows of one file, named as in a record, below `dir`: only if it is what the record says.
pub(super) fn read_recorded<T: Table>(dir: &Path, record: &TableFile, rows: &mut Vec<T>) -> Result<(), ReadTableError> {
    let bytes = read_whole(dir, record)?;
    let path = dir.join(&record.file);
    let before = rows.len();
    decode(&path, Bytes::from(bytes), None, |batch| rows.extend(batch))?;
    if (rows.len() - before) as u64 != record.rows {
        return Err(ReadTableError::Changed { path });
    }
    Ok(())
}

/// The bytes of one file below `dir`, if they are those of its record.
pub(super) fn read_whole(dir: &Path, record: &TableFile) -> Result<Vec<u8>, ReadTableError> {
    let path = dir.join(&record.file);
    if !TABLES.iter().any(|table| is_part_of(record, table)) {
        return Err(ReadTableError::Changed { path });
    }
    let bytes = regular_file::bytes(&path, MAX_PART_BYTES).map_err(io_error(&path))?;
    if bytes.len() as u64 != record.bytes || sha256_hex(&bytes) != record.sha256 {
        return Err(ReadTableError::Changed { path });
    }
    Ok(bytes)
}

/// Hands on the rows of one file, of all columns or of those named.
fn decode<T: Table>(
    path: &Path,
    file: impl ChunkReader + 'static,
    only: Option<&[&str]>,
    mut take: impl FnMut(Vec<T>),
) -> Result<(), ReadTableError> {
    let damaged = |message: String| ReadTableError::Parquet { path: path.to_owned(), message };
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(e.to_string()))?;
    if let Some(only) = only {
        let mask = ProjectionMask::columns(builder.parquet_schema(), only.iter().copied());
        builder = builder.with_projection(mask).with_batch_size(ROWS_AT_A_TIME);
    }
    let columns = T::columns();
    for batch in builder.build().map_err(|e| damaged(e.to_string()))? {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        let mut rows = vec![T::default(); batch.num_rows()];
        for column in &columns {
            if let Some(array) = batch.column_by_name(column.name)
                && !(column.fill)(&mut rows, array.as_ref())
            {
                return Err(ReadTableError::ColumnType { path: path.to_owned(), column: column.name });
            }
        }
        if T::CARRIES {
            fill_carried(&batch, &mut rows);
        }
        take(rows);
    }
    Ok(())
}

/// Takes over the columns of manifests.
fn fill_carried<T: Table>(batch: &RecordBatch, rows: &mut [T]) {
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let Some(texts) = array.as_any().downcast_ref::<StringArray>() else { continue };
        if !field.name().starts_with(CARRIED_PREFIX) {
            continue;
        }
        for (row, text) in rows.iter_mut().zip(texts) {
            if let (Some(carried), Some(text)) = (row.carried_mut(), text) {
                carried.insert(field.name().clone(), text.to_owned());
            }
        }
    }
}

/// The record of the run that wrote the dataset in `dir`, whatever somebody made of it since (see [`super::read_run`]).
pub fn read_record(dir: &Path) -> Result<RunRecord, ReadTableError> {
    let path = dir.join(RUN_FILE);
    let bytes = regular_file::bytes(&path, MAX_RECORD_BYTES).map_err(io_error(&path))?;
    serde_json::from_slice(&bytes).map_err(|e| ReadTableError::RunRecord { path, message: e.to_string() })
}

/// Checks that the files of the dataset in `dir` are those that its record lists.
///
/// # Errors
/// [`ReadTableError`]: one is missing or not as it was written.
pub fn check_files(dir: &Path, record: &RunRecord) -> Result<(), ReadTableError> {
    record.files.iter().try_for_each(|file| read_whole(dir, file).map(drop))
}
