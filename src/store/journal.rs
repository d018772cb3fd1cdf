//! Work that is done before a dataset is complete: `.requant/` in the output folder, a folder a chunk.
//!
//! A journal begins with its plan and ends when the plan is removed: each is one act of the file system. A chunk is
//! written under a temporary name, synced and renamed, and its record has the length and the hash of each of its files;
//! what does not hold is no chunk. The dataset is made of the chunks at the end ([`super::DatasetWriter`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::disk;
use super::ending::{JOURNAL, PLAN, remove};
use super::error::{IfExists, StoreError, cannot_create, write_failed};
use super::folder::process_token;
use super::lock::{self, Lock};
use super::plan::{ChunkRecord, ChunkRows, Plan};
use super::provenance::TableFile;
use super::reader::{ReadTableError, read_recorded, read_whole};
use super::rows::{LearnedRow, SpectrumRow};
use super::schema::Table;
use super::sealed;
use super::single::write_parts;
use super::span::Span;
use super::writer::DatasetWriter;

const CHUNK: &str = "chunk.json";
/// Beginning of the names of finished chunks.
const CHUNK_FOLDER: &str = "chunk-";
/// The journal of one output folder.
#[derive(Debug)]
pub struct Journal {
    pub(super) out: PathBuf,
    pub(super) folder: PathBuf,
    /// What the user should know about what was found there.
    notes: Vec<String>,
    /// Held while somebody writes, the shards' own lock first.
    locks: Vec<Lock>,
}

impl Journal {
    /// The journal in `out`, kept from others, to make its dataset. A folder that cannot be written to is read as it is.
    ///
    /// # Errors
    /// [`StoreError::Busy`]: another process writes there.
    pub fn take(out: &Path) -> Result<Self, StoreError> {
        let mut journal = Self::at(out);
        if journal.folder.is_dir() {
            match lock::exclusive(&journal.folder) {
                Ok(lock) => journal.hold(lock),
                Err(StoreError::CannotCreate { .. }) => {
                    journal.note(format!("{}: cannot be locked, was read as it is", out.display()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(journal)
    }

    /// The journal in `out`, for a look.
    pub fn at(out: &Path) -> Self {
        Self { out: out.to_owned(), folder: out.join(JOURNAL), notes: Vec::new(), locks: Vec::new() }
    }

    pub(super) fn hold(&mut self, lock: Lock) {
        if !lock.holds {
            self.note("this disk knows no locks: see to it that no other run writes to this folder".to_owned());
        }
        self.locks.push(lock);
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What the user should know about what was found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The output folder.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// What the run set out to do; `None` where no run is unfinished, or its plan is damaged.
    pub fn plan(&self) -> Option<Plan> {
        sealed::read(&self.folder.join(PLAN))
    }

    fn chunk_folder(&self, span: Span) -> PathBuf {
        self.folder.join(format!("{CHUNK_FOLDER}{span}"))
    }

    /// The records of the finished chunks of the run of that signature, in their order, and how many chunks are there that
    /// have no record that holds.
    pub fn records(&self, signature: &str) -> (Vec<ChunkRecord>, usize) {
        let (mut records, mut n_damaged) = (Vec::new(), 0);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(span) = name.to_str().and_then(|name| name.strip_prefix(CHUNK_FOLDER)) else { continue };
            match sealed::read::<ChunkRecord>(&entry.path().join(CHUNK)) {
                Some(record)
                    if record.plan == signature
                        && record.span.to_string() == span
                        && record.span.from < record.span.to =>
                {
                    records.push(record);
                }
                _ => n_damaged += 1,
            }
        }
        records.sort_by_key(|record| record.span);
        (records, n_damaged)
    }

    /// When a chunk was finished.
    pub fn finished_at(&self, record: &ChunkRecord) -> Option<SystemTime> {
        fs::metadata(self.chunk_folder(record.span).join(CHUNK)).and_then(|m| m.modified()).ok()
    }

    /// How many processes write here now.
    pub fn writers(&self) -> usize {
        lock::holders(&self.folder)
    }

    /// Whether every file of a chunk is what its record says.
    pub fn holds(&self, record: &ChunkRecord) -> bool {
        let folder = self.chunk_folder(record.span);
        record.files.iter().all(|file| read_whole(&folder, file).is_ok())
    }

    /// The rows of `spectra` of a chunk.
    ///
    /// # Errors
    /// [`ReadTableError`]: a file is not what the record says.
    pub fn spectra(&self, record: &ChunkRecord) -> Result<Vec<SpectrumRow>, ReadTableError> {
        read_files(&self.chunk_folder(record.span), &record.files)
    }

    /// The rows of a chunk.
    ///
    /// # Errors
    /// [`ReadTableError`]: a file is not what the record says.
    pub fn rows(&self, record: &ChunkRecord) -> Result<ChunkRows, ReadTableError> {
        let folder = self.chunk_folder(record.span);
        let ((spectra, metabolites), (curves, transients)) = rayon::join(
            || rayon::join(|| read_files(&folder, &record.files), || read_files(&folder, &record.files)),
            || rayon::join(|| read_files(&folder, &record.files), || read_files(&folder, &record.files)),
        );
        Ok(ChunkRows { spectra: spectra?, metabolites: metabolites?, curves: curves?, transients: transients? })
    }

    /// The table `learned` that holds for all chunks.
    ///
    /// # Errors
    /// [`ReadTableError`]: a file is not what the plan says.
    pub fn learned(&self, plan: &Plan) -> Result<Vec<LearnedRow>, ReadTableError> {
        read_files(&self.folder, &plan.learned)
    }

    /// Writes a chunk; what is there under its name goes. `record.files` is filled in.
    ///
    /// # Errors
    /// [`StoreError::Write`]: the system refuses, as on a full disk. Nothing half-written stays.
    pub fn write(&self, mut record: ChunkRecord, rows: ChunkRows) -> Result<(), StoreError> {
        let started = Instant::now();
        let folder = self.chunk_folder(record.span);
        let temporary = self.folder.join(format!("tmp-{}-{}", process_token(), record.span));
        let attempt = || -> Result<(), StoreError> {
            disk::create_dir(&temporary).map_err(cannot_create(&temporary))?;
            let ChunkRows { spectra, metabolites, curves, transients } = rows;
            let ((spectra, metabolites), (curves, transients)) = rayon::join(
                || rayon::join(|| write_parts_of(&temporary, spectra), || write_parts_of(&temporary, metabolites)),
                || rayon::join(|| write_parts_of(&temporary, curves), || write_parts_of(&temporary, transients)),
            );
            record.files = [spectra?, metabolites?, curves?, transients?].concat();
            record.timings.write_wall_s = started.elapsed().as_secs_f64();
            sealed::write(&temporary.join(CHUNK), &record)?;
            if folder.exists() {
                remove(&folder, CHUNK).map_err(write_failed(&folder))?;
            }
            disk::rename(&temporary, &folder).map_err(write_failed(&folder))
        };
        attempt().inspect_err(|_| {
            let _ = disk::remove_tree(&temporary);
        })?;
        disk::sync_folder(&self.folder);
        Ok(())
    }

    /// Takes a chunk out of the journal for good, in one act.
    ///
    /// # Errors
    /// [`StoreError::Write`]: the system refuses.
    pub fn discard(&self, record: &ChunkRecord) -> Result<(), StoreError> {
        let folder = self.chunk_folder(record.span);
        let temporary = self.folder.join(format!("tmp-{}-discarded-{}", process_token(), record.span));
        match disk::rename(&folder, &temporary) {
            // Another shard was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(write_failed(&folder))?,
        }
        disk::sync_folder(&self.folder);
        // What stays of it means nothing, and goes when the run is resumed or ends.
        let _ = disk::remove_tree(&temporary);
        Ok(())
    }

    /// A writer for the dataset in the journal's own output folder. What an earlier run left there may go: the journal was
    /// allowed to begin.
    ///
    /// # Errors
    /// As [`DatasetWriter::create`].
    pub fn writer(&self) -> Result<DatasetWriter, StoreError> {
        DatasetWriter::create_locked(&self.out, IfExists::Overwrite)
    }

    /// Ends the journal: its dataset is complete. From the plan's removal on, what is left means nothing.
    pub fn end(self) {
        // A folder that stays costs space and nothing else; who writes there next tidies up.
        let _ = remove(&self.folder, PLAN);
    }
}

/// Writes a table that has rows.
fn write_parts_of<T: Table>(folder: &Path, rows: Vec<T>) -> Result<Vec<TableFile>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(write_parts(folder, IfExists::Refuse, rows)?.into_iter().map(|part| part.content).collect())
}

/// The rows of one table among `files`.
fn read_files<T: Table>(folder: &Path, files: &[TableFile]) -> Result<Vec<T>, ReadTableError> {
    let mut rows = Vec::new();
    let of_table = |file: &&TableFile| file.file.split('/').next() == Some(T::NAME);
    files.iter().filter(of_table).try_for_each(|file| read_recorded(folder, file, &mut rows))?;
    Ok(rows)
}
