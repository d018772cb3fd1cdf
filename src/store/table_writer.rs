//! Writes the parts of one table under temporary names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::error::{StoreError, cannot_create, write_failed};
use super::folder::temporary_path;
use super::provenance::GIT_HASH;
use super::schema::{GIT_HASH_KEY, RUN_ID_KEY, SCHEMA_VERSION, SCHEMA_VERSION_KEY, TABLE_KEY, Table, VERSION_KEY};

/// A part that is complete under its temporary name.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where it lies.
    pub(super) temporary: PathBuf,
    /// Where it belongs.
    pub(super) path: PathBuf,
}

/// Writes one table; takes its temporary files away when dropped.
#[derive(Debug)]
pub(super) struct TableWriter<T: Table> {
    folder: PathBuf,
    rows_per_batch: usize,
    rows_per_part: Option<usize>,
    run_id: Option<String>,
    waiting: Vec<T>,
    rows_in_part: usize,
    open: Option<(ArrowWriter<File>, Part)>,
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

    fn open_part(&mut self) -> Result<(), StoreError> {
        let path = self.folder.join(format!("part-{:05}.parquet", self.parts.len()));
        let temporary = temporary_path(&path);
        let file = File::create(&temporary).map_err(cannot_create(&temporary))?;
        let part = Part { temporary, path };
        self.parts.push(part.clone());
        let writer = ArrowWriter::try_new(file, T::schema(), Some(properties::<T>(self.rows_per_batch)))
            .map_err(write_failed(&part.path))?;
        self.open = Some((writer, part));
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

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        if self.rows_per_part.is_some_and(|most| self.rows_in_part >= most) {
            self.close_part()?;
        }
        if self.open.is_none() {
            self.open_part()?;
        }
        if let Some((writer, part)) = &mut self.open {
            let batch = T::batch(&self.waiting).map_err(write_failed(&part.path))?;
            writer.write(&batch).map_err(write_failed(&part.path))?;
        }
        self.rows_in_part += self.waiting.len();
        self.waiting.clear();
        Ok(())
    }

    fn close_part(&mut self) -> Result<(), StoreError> {
        if let Some((mut writer, part)) = self.open.take() {
            if let Some(run_id) = &self.run_id {
                writer.append_key_value_metadata(KeyValue::new(RUN_ID_KEY.to_owned(), run_id.clone()));
            }
            let file = writer.into_inner().map_err(write_failed(&part.path))?;
            file.sync_all().map_err(write_failed(&part.path))?;
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
            let _ = fs::remove_file(&part.temporary);
        }
    }
}

/// Nothing in these depends on time, machine or number of threads, so equal rows make equal bytes.
fn properties<T: Table>(rows_per_batch: usize) -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut pairs = vec![
        pair(SCHEMA_VERSION_KEY, SCHEMA_VERSION),
        pair(TABLE_KEY, T::NAME),
        pair(VERSION_KEY, env!("CARGO_PKG_VERSION")),
    ];
    pairs.extend(GIT_HASH.map(|hash| pair(GIT_HASH_KEY, hash)));
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("requant ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(16 * rows_per_batch))
        .set_key_value_metadata(Some(pairs))
        .build()
}
