//! Why a run as a whole failed; what concerns single spectra becomes rows.

use std::path::PathBuf;

use super::tissue_table::TissueTableError;
use crate::corpus::FindError;
use crate::printable::printable_path;
use crate::quality::gates::GatesError;
use crate::store::{ReadTableError, StoreError};

/// Why a run as a whole failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to do, or the inputs cannot be listed.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The tables cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The basis set named for the whole run cannot be read.
    #[error("basis set: {0}")]
    Basis(#[from] crate::basis::BasisError),
    /// The gates that were asked for do not fit the tables.
    #[error(transparent)]
    Gates(#[from] GatesError),
    /// A table of tissue cannot be used.
    #[error(transparent)]
    Tissue(#[from] TissueTableError),
    /// Finished chunks cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// No spectrum is of the participants and sessions asked for.
    #[error("no spectrum{}{filtered}; labels are those of the file names", of_whom(participants, sessions))]
    NoneTaken {
        /// Labels, separated by commas; empty: of all.
        participants: String,
        /// Labels, separated by commas; empty: of all.
        sessions: String,
        /// What else was asked of them.
        filtered: &'static str,
    },
    /// The tables would lie among what is read.
    #[error(
        "{}: nothing is written there, as {} is read from it; give a new folder",
        printable_path(out),
        printable_path(input)
    )]
    AmongInputs {
        /// The output folder.
        out: PathBuf,
        /// What is read from it.
        input: PathBuf,
    },
    /// Less memory than any run takes.
    #[error(
        "--memory {} MiB is less than a run takes with {threads} threads: give it at least --memory {}MiB, or fewer --threads",
        given_bytes >> 20, least_bytes.div_ceil(1 << 20)
    )]
    Memory {
        /// What it may take.
        given_bytes: u64,
        /// What it takes to do a usual file.
        least_bytes: u64,
        /// Threads that it was to have.
        threads: usize,
    },
    /// There is no folder of segmentations where one was said to be.
    #[error(
        "--tissue {}: there is no such file or folder; give a folder of segmentations, `auto` or `none`",
        printable_path(path)
    )]
    NoTissue {
        /// The folder.
        path: PathBuf,
    },
    /// Somebody asked to stop.
    #[error("stopped; what is done is safe: run the same command with --resume to go on ({})", out.display())]
    Interrupted {
        /// The output folder.
        out: PathBuf,
    },
    /// Somebody asked to stop before there was anything to keep.
    #[error("stopped before anything was saved; run the same command again")]
    Stopped,
    /// There is nothing to merge.
    #[error("{}: no unfinished run or shard there; give the --out of the shards", path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// Shards of different runs.
    #[error("{}: a shard of another run than {}; it differs in {differences}", path.display(), first.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// The first one.
        first: PathBuf,
        /// In which settings, in words.
        differences: String,
    },
    /// Shards over different inputs.
    #[error(
        "{}: this shard saw other inputs than {}: {changed}; do the shards again over one copy of them",
        path.display(), first.display()
    )]
    OtherInputs {
        /// The folder.
        path: PathBuf,
        /// The first one.
        first: PathBuf,
        /// Which inputs, in words.
        changed: String,
    },
    /// Not everything is done.
    #[error(
        "{file} and what follows is not done: {n_files} of {of} files are{}; finish the shards (--shard I/N, again with \
         --resume) and merge then",
        damaged_text(*n_damaged)
    )]
    Missing {
        /// The first file that is missing.
        file: String,
        /// Files that are done.
        n_files: usize,
        /// Of how many.
        of: usize,
        /// Chunks that are there but damaged.
        n_damaged: usize,
    },
    /// What a chunk holds is not what was to be done.
    #[error(
        "chunk {span}: its {n_rows} rows are not those of its {n_files} files; please report this, and --overwrite to begin anew"
    )]
    NotAsPlanned {
        /// Which.
        span: String,
        /// Files that it should have.
        n_files: usize,
        /// Rows that it has.
        n_rows: usize,
    },
    /// An input changed during the run.
    #[error(
        "{path} changed while the run was at work; the same command with --resume does again what saw it before, shards \
         that are then refused --overwrite"
    )]
    Changing {
        /// The input.
        path: String,
    },
}

impl RunError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Find(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::AmongInputs { .. } => 73,
            Self::Interrupted { .. } | Self::Stopped => 75,
            Self::Memory { .. } | Self::Gates(_) => 2,
            Self::Read(e) if e.is_absent() => 66,
            Self::NoJournal { .. } | Self::NoneTaken { .. } | Self::NoTissue { .. } => 66,
            Self::Basis(_)
            | Self::Read(_)
            | Self::Tissue(_)
            | Self::OtherRun { .. }
            | Self::OtherInputs { .. }
            | Self::Missing { .. }
            | Self::NotAsPlanned { .. }
            | Self::Changing { .. } => 1,
        }
    }
}

/// ` of participants 01, 02 and sessions a`.
fn of_whom(participants: &str, sessions: &str) -> String {
    let named = [("participants", participants), ("sessions", sessions)]
        .map(|(what, labels)| if labels.is_empty() { None } else { Some(format!("{what} {labels}")) });
    let named: Vec<String> = named.into_iter().flatten().collect();
    if named.is_empty() { String::new() } else { format!(" of {}", named.join(" and ")) }
}

fn damaged_text(n_damaged: usize) -> String {
    if n_damaged == 0 { String::new() } else { format!(", and {n_damaged} chunks are damaged") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_spectrum_is_told_in_words() {
        let said = |participants: &str, sessions: &str| {
            let (participants, sessions) = (participants.to_owned(), sessions.to_owned());
            RunError::NoneTaken { participants, sessions, filtered: "" }.to_string()
        };
        let end = "; labels are those of the file names";
        assert_eq!(said("01, 02", ""), format!("no spectrum of participants 01, 02{end}"));
        assert_eq!(said("01", "a"), format!("no spectrum of participants 01 and sessions a{end}"));
        assert_eq!(said("", ""), format!("no spectrum{end}"));
    }

    #[test]
    fn too_little_memory_is_told_with_the_threads_that_were_asked_for() {
        let error = RunError::Memory { given_bytes: 100 << 20, least_bytes: (4200 << 20) + 1, threads: 512 };
        let said = error.to_string();
        assert!(said.contains("100 MiB is less than a run takes with 512 threads"), "{said}");
        assert!(said.contains("--memory 4201MiB"), "{said}");
    }
}
