//! Writes a dataset folder so that what is there is complete, and what was there before stays until
//! the new one is.
//!
//! Every part is written under a temporary name in its folder, synced to disk and renamed by
//! [`DatasetWriter::finish`]; `run.json` comes last and marks a complete dataset. Rows are
//! collected into batches of fixed size, so that the bytes depend on the rows alone and not on how
//! the caller cut them into calls.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk;
use super::ending::{self, JOURNAL};
use super::error::{IfExists, StoreError, cannot_create, write_failed};
use super::folder::{MadeFolders, RUN_FILE, older_files, write_synced};

use super::lock::{self, Lock};
use super::plan::ChunkRows;
use super::provenance::{Counts, RunRecord};
use super::rows::{CurveRow, LearnedRow, MetaboliteRow, SpectrumRow, TABLES, TransientRow};
use super::schema::Table;
use super::table_writer::TableWriter;

/// Curves are large (a list per metabolite): a row group and a part hold few of them.
const CURVES_PER_BATCH: usize = 64;
const CURVES_PER_PART: usize = 512;
const ROWS_PER_BATCH: usize = 4096;
/// Rows of `spectra`, which carry a covariance, likewise.
const SPECTRA_PER_BATCH: usize = 512;

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
    transients: Option<TableWriter<TransientRow>>,
    learned: Option<TableWriter<LearnedRow>>,
    counts: Counts,
    run_id: Option<String>,
    made: MadeFolders,
    /// Keeps others from writing here; `None` where the caller does that.
    lock: Option<Lock>,
}

impl DatasetWriter {
    /// Prepares `dir`, which is made if it does not exist.
    ///
    /// Nothing older is touched before [`DatasetWriter::finish`].
    ///
    /// # Errors
    /// [`StoreError::OutputExists`] if `dir` is not empty and `if_exists` is
    /// [`IfExists::Refuse`]; [`StoreError::Foreign`] if a name that is needed is taken by something
    /// that requant did not write; [`StoreError::Busy`] if another process writes there;
    /// [`StoreError::CannotCreate`] if the system refuses.
    pub fn create(dir: &Path, if_exists: IfExists) -> Result<Self, StoreError> {
        let mut made = MadeFolders::default();
        let folder = dir.join(JOURNAL);
        made.create(dir)?;
        made.create(&folder)?;
        let lock = lock::exclusive(&folder)?;
        match (ending::is_begun(&folder), if_exists) {
            (true, IfExists::Refuse) => return Err(StoreError::Unfinished { path: dir.to_owned() }),
            (true, IfExists::Overwrite) => ending::clear(&folder).map_err(cannot_create(&folder))?,
            (false, _) => {}
        }
        let writer = Self::prepare(dir, if_exists, made);
        let keep = |mut writer: Self| {
            writer.lock = Some(lock);
            writer
        };
        writer.map(keep).inspect_err(|_| {
            let _ = disk::remove_file(&folder.join(lock::LOCK));
        })
    }

    /// [`DatasetWriter::create`] for a caller who keeps others from `dir`.
    pub(super) fn create_locked(dir: &Path, if_exists: IfExists) -> Result<Self, StoreError> {
        let mut made = MadeFolders::default();
        made.create(dir)?;
        Self::prepare(dir, if_exists, made)
    }

    fn prepare(dir: &Path, if_exists: IfExists, mut made: MadeFolders) -> Result<Self, StoreError> {
        let mut entries = fs::read_dir(dir).map_err(cannot_create(dir))?;
        // The journal of the run whose dataset this is does not count.
        if entries.any(|e| e.is_ok_and(|e| e.file_name() != JOURNAL)) {
            if if_exists == IfExists::Refuse {
                return Err(StoreError::OutputExists { path: dir.to_owned() });
            }
            older_files(dir)?;
        }
        let spectra_dir = dir.join(SpectrumRow::NAME);
        let metabolites_dir = dir.join(MetaboliteRow::NAME);
        made.create(&spectra_dir)?;
        made.create(&metabolites_dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            spectra: TableWriter::create(&spectra_dir, SPECTRA_PER_BATCH, None)?,
            metabolites: TableWriter::create(&metabolites_dir, ROWS_PER_BATCH, None)?,
            curves: None,
            transients: None,
            learned: None,
            counts: Counts::default(),
            run_id: None,
            made,
            lock: None,
        })
    }

    /// The same for the run of that id, which `run.json` and every file of the tables will carry
    /// ([`RunRecord::run_id`]).
    #[must_use]
    pub fn of_run(mut self, run_id: String) -> Self {
        self.spectra.of_run(Some(&run_id));
        self.metabolites.of_run(Some(&run_id));
        self.run_id = Some(run_id);
        self
    }

    /// The same with columns of manifests in `spectra`; before its first row.
    ///
    /// # Errors
    /// [`StoreError::CannotCreate`]: the system refuses.
    pub fn carrying(mut self, carried: Vec<String>) -> Result<Self, StoreError> {
        self.spectra.carrying(carried)?;
        Ok(self)
    }

    /// Adds a row to `spectra`.
    pub fn spectrum(&mut self, row: SpectrumRow) -> Result<(), StoreError> {
        self.counts.add(row.status);
        self.spectra.push(row)
    }

    /// Adds a row to `metabolites`.
    pub fn metabolite(&mut self, row: MetaboliteRow) -> Result<(), StoreError> {
        self.counts.metabolites += 1;
        self.metabolites.push(row)
    }

    /// Adds a row to `curves`; the table exists only if there is one.
    pub fn curve(&mut self, row: CurveRow) -> Result<(), StoreError> {
        self.counts.curves += 1;
        self.curves()?.push(row)
    }

    fn curves(&mut self) -> Result<&mut TableWriter<CurveRow>, StoreError> {
        let curves = match self.curves.take() {
            Some(curves) => curves,
            None => {
                let folder = self.dir.join(CurveRow::NAME);
                self.made.create(&folder)?;
                self.table(&folder, CURVES_PER_BATCH, Some(CURVES_PER_PART))?
            }
        };
        Ok(self.curves.insert(curves))
    }

    /// Adds all rows, each to its table, the tables side by side.
    pub fn rows(&mut self, rows: ChunkRows) -> Result<(), StoreError> {
        let ChunkRows { spectra, metabolites, curves, transients } = rows;
        spectra.iter().for_each(|row| self.counts.add(row.status));
        self.counts.metabolites += metabolites.len() as u64;
        if !curves.is_empty() {
            self.counts.curves += curves.len() as u64;
            self.curves()?;
        }
        if !transients.is_empty() {
            self.counts.transients += transients.len() as u64;
            self.transients()?;
        }
        let tables = (&mut self.spectra, &mut self.metabolites, self.curves.as_mut(), self.transients.as_mut());
        let more = || {
            let written = tables.2.map_or(Ok(()), |table| table.push_all(curves));
            written.and(tables.3.map_or(Ok(()), |table| table.push_all(transients)))
        };
        let (spectra, (metabolites, more)) =
            rayon::join(|| tables.0.push_all(spectra), || rayon::join(|| tables.1.push_all(metabolites), more));
        spectra.and(metabolites).and(more)
    }

    /// Adds a row to `transients`; the table exists only if there is one.
    pub fn transient(&mut self, row: TransientRow) -> Result<(), StoreError> {
        self.counts.transients += 1;
        self.transients()?.push(row)
    }

    fn transients(&mut self) -> Result<&mut TableWriter<TransientRow>, StoreError> {
        let transients = match self.transients.take() {
            Some(transients) => transients,
            None => {
                let folder = self.dir.join(TransientRow::NAME);
                self.made.create(&folder)?;
                self.table(&folder, ROWS_PER_BATCH, None)?
            }
        };
        Ok(self.transients.insert(transients))
    }

    /// Writes the table `learned`, if there is anything in it.
    pub fn learned(&mut self, rows: Vec<LearnedRow>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let folder = self.dir.join(LearnedRow::NAME);
        self.made.create(&folder)?;
        let table = self.table(&folder, ROWS_PER_BATCH, None)?;
        self.learned.insert(table).push_all(rows)
    }

    /// A table that is there only where it has rows.
    fn table<T: Table>(
        &self,
        folder: &Path,
        rows_per_batch: usize,
        rows_per_part: Option<usize>,
    ) -> Result<TableWriter<T>, StoreError> {
        let mut table = TableWriter::create(folder, rows_per_batch, rows_per_part)?;
        table.of_run(self.run_id.as_deref());
        Ok(table)
    }

    /// Rows so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Completes the dataset: parts to disk, older ones away, new ones in their place, `run.json`
    /// last. `run.counts` is filled in. Returns the paths of the files, `run.json` last.
    pub fn finish(mut self, mut run: RunRecord) -> Result<Vec<PathBuf>, StoreError> {
        run.counts = self.counts.clone();
        run.run_id = self.run_id.clone().unwrap_or_default();
        let run_path = self.dir.join(RUN_FILE);
        let mut parts = self.spectra.close()?;
        parts.append(&mut self.metabolites.close()?);
        if let Some(curves) = &mut self.curves {
            parts.append(&mut curves.close()?);
        }
        if let Some(transients) = &mut self.transients {
            parts.append(&mut transients.close()?);
        }
        if let Some(learned) = &mut self.learned {
            parts.append(&mut learned.close()?);
        }

        run.files = parts.iter().map(|part| part.content.clone()).collect();
        let mut text = serde_json::to_string_pretty(&run).map_err(write_failed::<serde_json::Error>(&run_path))?;
        text.push('\n');

        for old in older_files(&self.dir)? {
            if !parts.iter().any(|part| part.temporary == old) {
                disk::remove_file(&old).map_err(write_failed(&old))?;
            }
        }
        disk::sync_folder(&self.dir);
        let mut written = Vec::new();
        for part in &parts {
            part.put()?;
            written.push(part.path.clone());
        }
        for table in TABLES {
            let folder = self.dir.join(table);
            if !folder.is_dir() {
                continue;
            }
            // Succeeds only where an older dataset's folder became empty.
            if disk::remove_dir(&folder).is_err() {
                disk::sync_folder(&folder);
            }
        }
        self.made.keep();
        write_synced(&run_path, text.as_bytes())?;
        written.push(run_path);
        Ok(written)
    }
}

impl Drop for DatasetWriter {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // Only the lock is in it.
            let folder = self.dir.join(JOURNAL);
            let _ = disk::remove_file(&folder.join(lock::LOCK));
            let _ = disk::remove_dir(&folder);
        }
    }
}
