//! Reads a dataset folder back.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use thiserror::Error;

use super::folder::{RUN_FILE, is_part_name};
use super::provenance::RunRecord;
use super::schema::Table;

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
    /// `run.json` is not what requant writes.
    #[error("{path}: not a run record of requant ({message})")]
    RunRecord {
        /// The file.
        path: PathBuf,
        /// What the JSON library said.
        message: String,
    },
}

fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> ReadTableError + use<> {
    let path = path.to_owned();
    move |source| ReadTableError::Io { path, source }
}

/// All rows of one table of the dataset in `dir`, in the order in which they were written.
///
/// A column that the files lack takes its default; columns that they have in addition are left.
/// The table's folder may be absent (`curves` mostly is): then there are no rows.
pub fn read_table<T: Table>(dir: &Path) -> Result<Vec<T>, ReadTableError> {
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
    let mut rows = Vec::new();
    for part in parts {
        read_part(&part, &mut rows)?;
    }
    Ok(rows)
}

fn read_part<T: Table>(path: &Path, rows: &mut Vec<T>) -> Result<(), ReadTableError> {
    let damaged = |message: String| ReadTableError::Parquet { path: path.to_owned(), message };
    let file = File::open(path).map_err(io_error(path))?;
    let batches = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| damaged(e.to_string()))?;
    let columns = T::columns();
    for batch in batches {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        let start = rows.len();
        rows.resize(start + batch.num_rows(), T::default());
        for column in &columns {
            if let Some(array) = batch.column_by_name(column.name)
                && !(column.fill)(&mut rows[start..], array.as_ref())
            {
                return Err(ReadTableError::ColumnType { path: path.to_owned(), column: column.name });
            }
        }
    }
    Ok(())
}

/// The record of the run that wrote the dataset in `dir`.
pub fn read_run(dir: &Path) -> Result<RunRecord, ReadTableError> {
    let path = dir.join(RUN_FILE);
    let bytes = fs::read(&path).map_err(io_error(&path))?;
    serde_json::from_slice(&bytes).map_err(|e| ReadTableError::RunRecord { path, message: e.to_string() })
}
