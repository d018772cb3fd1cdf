//! Writes the parts of one table under temporary names.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_schema::DataType;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use super::disk::{self, File};
use super::error::{StoreError, cannot_create, write_failed};
use super::folder::temporary_path;
use super::provenance::{GIT_HASH, TableFile};
use super::row_groups::RowGroups;
use super::schema::{GIT_HASH_KEY, RUN_ID_KEY, SCHEMA_VERSION, SCHEMA_VERSION_KEY, TABLE_KEY, Table, VERSION_KEY};
use crate::hash::hex;

/// A group of rows is held in memory until it is written: no more than this, beside the batch that comes last (bytes).
const ROW_GROUP_BYTES: usize = 16 << 20;

/// A part that is complete under its temporary name.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where it lies.
    pub(super) temporary: PathBuf,
    /// Where it belongs.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) content: TableFile,
}

impl Part {
    /// Puts the part where it belongs.
    pub(super) fn put(&self) -> Result<(), StoreError> {
        disk::rename(&self.temporary, &self.path).map_err(write_failed(&self.path))
    }
}

/// A file that knows the hash and the length of what was written to it.
#[derive(Debug)]
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes one table; takes its temporary files away when dropped.
#[derive(Debug)]
pub(super) struct TableWriter<T: Table> {
    folder: PathBuf,
    rows_per_batch: usize,
    rows_per_part: Option<usize>,
    run_id: Option<String>,
    /// Columns of manifests.
    carried: Vec<String>,
    waiting: Vec<T>,
    rows_in_part: usize,
    open: Option<RowGroups<Hashed>>,
    /// The last one is open while `open` is.
    parts: Vec<Part>,
}

impl<T: Table> TableWriter<T> {
    /// Opens the first part in `folder`. A part holds any number of rows unless `rows_per_part`
    /// (a multiple of `rows_per_batch`) is given.
    pub(super) fn create(
        folder: &Path,
        rows_per_batch: usize,
        rows_per_part: Option<usize>,
    ) -> Result<Self, StoreError> {
        let mut table = Self {
            folder: folder.to_owned(),
            rows_per_batch,
            rows_per_part,
            run_id: None,
            carried: Vec::new(),
            waiting: Vec::new(),
            rows_in_part: 0,
            open: None,
            parts: Vec::new(),
        };
        table.open_part()?;
        Ok(table)
    }

    /// Sets the id of the run that its files will carry.
    pub(super) fn of_run(&mut self, run_id: Option<&str>) {
        self.run_id = run_id.map(str::to_owned);
    }

    /// Sets the columns of manifests that its files have; before the first row.
    pub(super) fn carrying(&mut self, carried: Vec<String>) -> Result<(), StoreError> {
        if !T::CARRIES || carried.is_empty() {
            return Ok(());
        }
        // The part that is open has no such columns yet, and no row.
        self.open = None;
        self.parts.clear();
        self.carried = carried;
        self.open_part()
    }

    fn open_part(&mut self) -> Result<(), StoreError> {
        let name = format!("part-{:05}.parquet", self.parts.len());
        let path = self.folder.join(&name);
        let temporary = temporary_path(&path);
        let file = File::create(&temporary).map_err(cannot_create(&temporary))?;
        let file = Hashed { file, hash: Sha256::new(), bytes: 0 };
        let content = TableFile { file: format!("{}/{name}", T::NAME), ..TableFile::default() };
        self.parts.push(Part { temporary, path: path.clone(), content });
        let most = [16 * self.rows_per_batch, ROW_GROUP_BYTES];
        let writer = RowGroups::new(file, T::schema_with(&self.carried), properties::<T>(), most);
        let writer = writer.map_err(write_failed(&path))?;
        self.open = Some(writer);
        self.rows_in_part = 0;
        Ok(())
    }

    pub(super) fn push(&mut self, row: T) -> Result<(), StoreError> {
        self.waiting.push(row);
        if self.waiting.len() < self.rows_per_batch {
            return Ok(());
        }
        self.write_waiting()
    }

    pub(super) fn push_all(&mut self, rows: Vec<T>) -> Result<(), StoreError> {
        rows.into_iter().try_for_each(|row| self.push(row))
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        if self.rows_per_part.is_some_and(|most| self.rows_in_part >= most) {
            self.close_part()?;
        }
        if self.open.is_none() {
            self.open_part()?;
        }
        if let (Some(writer), Some(part)) = (&mut self.open, self.parts.last_mut()) {
            let batch = T::batch(&self.waiting, &self.carried).map_err(write_failed(&part.path))?;
            writer.write(&batch).map_err(write_failed(&part.path))?;
            part.content.rows += self.waiting.len() as u64;
        }
        self.rows_in_part += self.waiting.len();
        self.waiting.clear();
        Ok(())
    }

    fn close_part(&mut self) -> Result<(), StoreError> {
        if let (Some(writer), Some(part)) = (self.open.take(), self.parts.last_mut()) {
            let run_id = self.run_id.iter().map(|run_id| KeyValue::new(RUN_ID_KEY.to_owned(), run_id.clone()));
            let Hashed { file, hash, bytes } = writer.into_inner(run_id).map_err(write_failed(&part.path))?;
            file.sync().map_err(write_failed(&part.path))?;
            part.content.bytes = bytes;
            part.content.sha256 = hex(&hash.finalize());
        }
        Ok(())
    }

    /// Writes what waits and returns the complete parts, still under their temporary names.
    pub(super) fn close(&mut self) -> Result<Vec<Part>, StoreError> {
        if !self.waiting.is_empty() {
            self.write_waiting()?;
        }
        self.close_part()?;
        Ok(self.parts.clone())
    }
}

impl<T: Table> Drop for TableWriter<T> {
    fn drop(&mut self) {
        self.open = None;
        for part in &self.parts {
            // Gone already where the part was renamed.
            let _ = part.temporary.exists().then(|| disk::remove_file(&part.temporary));
        }
    }
}

/// Nothing in these depends on time, machine or number of threads, so equal rows make equal bytes.
fn properties<T: Table>() -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut pairs = vec![
        pair(SCHEMA_VERSION_KEY, SCHEMA_VERSION),
        pair(TABLE_KEY, T::NAME),
        pair(VERSION_KEY, env!("CARGO_PKG_VERSION")),
    ];
    pairs.extend(GIT_HASH.map(|hash| pair(GIT_HASH_KEY, hash)));
    let mut properties = WriterProperties::builder();
    for path in T::columns().iter().filter_map(|column| path_of_steps(column.name, &column.data_type)) {
        // Neighbours differ by little, and a dictionary of them does not pay.
        properties = properties
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_compression(path, Compression::ZSTD(steps_level()));
    }
    properties
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("requant ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(pairs))
        .build()
}

/// Of steps: a twentieth smaller than by the usual level, at the same cost; levels above save little more.
fn steps_level() -> ZstdLevel {
    ZstdLevel::try_new(3).unwrap_or_default()
}

/// The path in a Parquet file of a column of lists of whole numbers, lists of such lists included.
fn path_of_steps(name: &str, of: &DataType) -> Option<ColumnPath> {
    let mut parts = vec![name.to_owned()];
    let mut of = of;
    while let DataType::List(item) = of {
        parts.extend(["list".to_owned(), item.name().clone()]);
        of = item.data_type();
    }
    (parts.len() > 1 && *of == DataType::Int32).then(|| ColumnPath::new(parts))
}
