//! How far each process of an unfinished run is, for `requant status` at another terminal: a small file in the journal's
//! folder, which means nothing to the run itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disk;
use super::ending::{JOURNAL, is_begun};
use super::folder::process_token;
use super::sealed;

const PREFIX: &str = "progress-";
/// What is older is of a process that is gone.
const FRESH: Duration = Duration::from_secs(20);

/// How far a process is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Files that it has to do, and those whose rows are safe on disk.
    pub of_files: usize,
    /// Files whose rows are safe on disk.
    pub written: usize,
    /// Files read.
    pub read: usize,
    /// Files fitted, parts of those at work included.
    pub fitted: f64,
    /// Files in a second, over the last minute.
    pub per_s: f64,
    /// Time that the rest takes (s).
    pub left_s: Option<f64>,
}

impl Told {
    /// Writes it beside the plan of the run in `out`; where there is none, or it cannot be written, nothing happens.
    pub fn write(&self, out: &Path) {
        let folder = out.join(JOURNAL);
        if is_begun(&folder) {
            // A look at another terminal is not worth an error.
            let _ = sealed::write(&own(&folder), self);
        }
    }

    /// Takes it away again, before the run ends.
    pub fn forget(out: &Path) {
        let path = own(&out.join(JOURNAL));
        if path.exists() {
            let _ = disk::remove_file(&path);
        }
    }

    /// What the processes at work in `out` told last.
    #[must_use]
    pub fn all(out: &Path) -> Vec<Self> {
        let entries = fs::read_dir(out.join(JOURNAL)).into_iter().flatten().flatten();
        let is_fresh = |path: &Path| {
            let modified = fs::metadata(path).and_then(|m| m.modified()).ok();
            modified.is_some_and(|at| at.elapsed().map_or(true, |age| age < FRESH))
        };
        let own = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
        own.map(|entry| entry.path()).filter(|path| is_fresh(path)).filter_map(|path| sealed::read(&path)).collect()
    }
}

fn own(folder: &Path) -> PathBuf {
    folder.join(format!("{PREFIX}{:016x}.json", process_token()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_while_the_run_is_unfinished() {
        let keep = tempfile::tempdir().unwrap();
        let out = keep.path();
        let told = Told { of_files: 8, written: 2, read: 5, fitted: 3.5, per_s: 0.5, left_s: Some(9.0) };
        // Nothing is made where no run is.
        told.write(out);
        assert!(!out.join(JOURNAL).exists() && Told::all(out).is_empty());
        fs::create_dir(out.join(JOURNAL)).unwrap();
        fs::write(out.join(JOURNAL).join(super::super::ending::PLAN), "").unwrap();
        told.write(out);
        assert_eq!(Told::all(out), [told]);
        Told::forget(out);
        assert!(Told::all(out).is_empty());
    }
}
