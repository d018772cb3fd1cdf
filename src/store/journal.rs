//! Work that is done before a dataset is complete: `.requant/` in the output folder, a folder a chunk.
//!
//! A chunk is written under a temporary name, synced and renamed, so that what is there is whole whenever the process
//! dies. The dataset is made of the chunks at the end ([`super::DatasetWriter`]).

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::{IfExists, StoreError, cannot_create, write_failed};
use super::folder::{older_files, sync_folder, write_synced};
use super::provenance::Named;
use super::reader::{ReadTableError, read_table};
use super::rows::{CurveRow, LearnedRow, MetaboliteRow, SpectrumRow, TransientRow};
use super::single::write_table;
use super::timings::Timings;

/// Name of the folder; the leading dot keeps dataset readers out.
pub(super) const JOURNAL: &str = ".requant";
const PLAN: &str = "plan.json";
const CHUNK: &str = "chunk.json";
const LOCK: &str = "lock";

/// What a run set out to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Hash of everything that decides about the rows but the inputs' content: settings, inputs' names, version, engine.
    pub signature: String,
    /// Chunks in all.
    pub n_chunks: usize,
    /// Input files in all.
    pub n_files: usize,
    /// Settings, for the run's record.
    pub config: serde_json::Value,
    /// Methods with their hashes.
    pub methods: Vec<Named>,
    /// Notes about the inputs as a whole.
    pub warnings: Vec<String>,
    /// Engine.
    pub engine: String,
    /// Device.
    pub device: String,
    /// When the run began (UTC, RFC 3339).
    pub started_utc: String,
    /// The command that began it.
    pub command_line: Vec<String>,
    /// How long finding the inputs took.
    pub timings: Timings,
}

/// What a finished chunk leaves beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChunkRecord {
    /// Hash of the plan's signature and the content of the chunk's inputs.
    pub signature: String,
    /// Inputs and their hashes.
    pub listed: Vec<(String, String)>,
    /// Basis sets used.
    pub bases: Vec<Named>,
    /// Recipes of simulated basis sets.
    pub recipes: Vec<serde_json::Value>,
    /// Soft rows between amplitudes that held.
    pub ratio_rows: Vec<String>,
    /// What happened on the way.
    pub notes: Vec<String>,
    /// How long its parts took.
    pub timings: Timings,
}

/// The rows of one chunk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChunkRows {
    /// Of `spectra`.
    pub spectra: Vec<SpectrumRow>,
    /// Of `metabolites`.
    pub metabolites: Vec<MetaboliteRow>,
    /// Of `curves`.
    pub curves: Vec<CurveRow>,
    /// Of `transients`.
    pub transients: Vec<TransientRow>,
}

/// The journal of one output folder.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// Held while a run writes; the system lets go of it however the process ends.
    _lock: Option<File>,
}

impl Journal {
    /// Opens or begins the journal in `out` for writing. `shard`: number of the part that this process does; others may
    /// write beside it.
    ///
    /// # Errors
    /// [`StoreError`]: something complete, unfinished or other is there and may not be replaced or continued, or another
    /// process writes there.
    pub fn open(
        out: &Path,
        plan: &Plan,
        learned: Vec<LearnedRow>,
        if_exists: IfExists,
        resume: bool,
        shard: Option<usize>,
    ) -> Result<Self, StoreError> {
        let folder = out.join(JOURNAL);
        if folder.is_dir() {
            // Without a plan, somebody died before it was written, or another shard is just about to write it.
            let same = Self::at(out).plan().is_none_or(|old| old.signature == plan.signature);
            match (if_exists, resume || (shard.is_some() && same)) {
                (_, true) if same => {}
                (_, true) => return Err(StoreError::OtherPlan { path: out.to_owned() }),
                (IfExists::Refuse, false) => return Err(StoreError::Unfinished { path: out.to_owned() }),
                (IfExists::Overwrite, false) => {
                    // Whoever holds it is at work.
                    drop(lock(&folder, shard)?);
                    fs::remove_dir_all(&folder).map_err(cannot_create(&folder))?;
                }
            }
        } else if if_exists == IfExists::Refuse && out.exists() {
            let mut entries = fs::read_dir(out).map_err(cannot_create(out))?;
            if entries.next().is_some() {
                return Err(StoreError::OutputExists { path: out.to_owned() });
            }
        }
        if out.is_dir() {
            // What would be in the way in the end is said before the work.
            older_files(out)?;
        }
        fs::create_dir_all(&folder).map_err(cannot_create(&folder))?;
        let held = lock(&folder, shard)?;
        if Self::at(out).plan().is_none() {
            let path = folder.join(PLAN);
            write_table(&folder, IfExists::Overwrite, learned)?;
            write_synced(&path, &serde_json::to_vec_pretty(plan).map_err(write_failed(&path))?)?;
        }
        Ok(Self { folder, _lock: Some(held) })
    }

    /// The journal in `out`, for reading.
    pub fn at(out: &Path) -> Self {
        Self { folder: out.join(JOURNAL), _lock: None }
    }

    /// What the run set out to do; `None` without a readable plan.
    pub fn plan(&self) -> Option<Plan> {
        serde_json::from_slice(&fs::read(self.folder.join(PLAN)).ok()?).ok()
    }

    fn chunk_folder(&self, index: usize) -> PathBuf {
        self.folder.join(format!("chunk-{index:06}"))
    }

    /// The record of chunk `index`, if it is finished.
    pub fn record(&self, index: usize) -> Option<ChunkRecord> {
        serde_json::from_slice(&fs::read(self.chunk_folder(index).join(CHUNK)).ok()?).ok()
    }

    /// The rows of `spectra` of chunk `index`.
    ///
    /// # Errors
    /// [`ReadTableError`]: its file is damaged.
    pub fn spectra(&self, index: usize) -> Result<Vec<SpectrumRow>, ReadTableError> {
        read_table(&self.chunk_folder(index))
    }

    /// When chunk `index` was finished.
    pub fn finished_at(&self, index: usize) -> Option<SystemTime> {
        fs::metadata(self.chunk_folder(index).join(CHUNK)).and_then(|m| m.modified()).ok()
    }

    /// How many processes write here now.
    pub fn writers(&self) -> usize {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        let locks = entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(LOCK));
        let held = |e: &fs::DirEntry| {
            File::open(e.path()).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
        };
        locks.filter(held).count()
    }

    /// The rows of chunk `index`.
    ///
    /// # Errors
    /// [`ReadTableError`]: its files are damaged.
    pub fn rows(&self, index: usize) -> Result<ChunkRows, ReadTableError> {
        let folder = self.chunk_folder(index);
        Ok(ChunkRows {
            spectra: read_table(&folder)?,
            metabolites: read_table(&folder)?,
            curves: read_table(&folder)?,
            transients: read_table(&folder)?,
        })
    }

    /// The table `learned` that holds for all chunks.
    ///
    /// # Errors
    /// [`ReadTableError`]: its file is damaged.
    pub fn learned(&self) -> Result<Vec<LearnedRow>, ReadTableError> {
        read_table(&self.folder)
    }

    /// Writes chunk `index`, and how long that took; an older one of that number goes.
    ///
    /// # Errors
    /// [`StoreError::Write`]: the system refuses, as on a full disk. Nothing half-written stays.
    pub fn write(&self, index: usize, mut record: ChunkRecord, rows: ChunkRows) -> Result<(), StoreError> {
        let started = Instant::now();
        let (folder, temporary) = (self.chunk_folder(index), self.folder.join(format!("tmp-{index:06}")));
        let attempt = || -> Result<(), StoreError> {
            let _ = fs::remove_dir_all(&temporary);
            fs::create_dir_all(&temporary).map_err(cannot_create(&temporary))?;
            write_table(&temporary, IfExists::Refuse, rows.spectra)?;
            write_table(&temporary, IfExists::Refuse, rows.metabolites)?;
            if !rows.curves.is_empty() {
                write_table(&temporary, IfExists::Refuse, rows.curves)?;
            }
            if !rows.transients.is_empty() {
                write_table(&temporary, IfExists::Refuse, rows.transients)?;
            }
            let path = temporary.join(CHUNK);
            record.timings.write_wall_s = started.elapsed().as_secs_f64();
            write_synced(&path, &serde_json::to_vec(&record).map_err(write_failed(&path))?)?;
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(write_failed(&folder))?;
            }
            fs::rename(&temporary, &folder).map_err(write_failed(&folder))
        };
        attempt().inspect_err(|_| {
            let _ = fs::remove_dir_all(&temporary);
        })?;
        sync_folder(&self.folder);
        Ok(())
    }

    /// Takes the journal away: its dataset is complete.
    pub fn remove(self) {
        // A journal that stays costs space and nothing else.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Locks the part of the journal in `folder` that `shard` writes. On network disks that know no locks there is none.
fn lock(folder: &Path, shard: Option<usize>) -> Result<File, StoreError> {
    let path = folder.join(shard.map_or_else(|| LOCK.to_owned(), |i| format!("{LOCK}-{i}")));
    let file = File::create(&path).map_err(cannot_create(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(file),
        Err(TryLockError::Error(source)) => Err(StoreError::CannotCreate { path, source }),
    }
}

fn is_unsupported(error: &std::io::Error) -> bool {
    // "No locks available": what NFS without a lock daemon says on Linux.
    const ENOLCK: i32 = 37;
    error.kind() == std::io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}
