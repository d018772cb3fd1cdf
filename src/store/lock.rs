//! One run a folder: locks that the system lets go of however a process ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::disk;
use super::error::{StoreError, cannot_create};

/// Beginning of the names of lock files.
pub(super) const LOCK: &str = "lock";

/// How a lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// With nobody.
    Exclusive,
    /// With others that share.
    Shared,
}

/// What a lock file says while a run of all parts holds it.
const WHOLE_RUN: &str = "whole run";

/// A held lock.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether the disk knows locks at all; network disks may not.
    pub(super) holds: bool,
}

impl Lock {
    /// Says in the file whether its holder is a run of all parts, for those who find it held; nothing hangs on it.
    pub(super) fn say(&self, is_whole_run: bool) {
        let text = if is_whole_run { WHOLE_RUN } else { "" };
        let _ = self.file.set_len(0).and_then(|()| (&self.file).write_all(text.as_bytes()));
    }
}

/// Whether who locked `folder` last said that it is a run of all parts.
pub(super) fn says_whole_run(folder: &Path) -> bool {
    fs::read_to_string(folder.join(LOCK)).is_ok_and(|text| text == WHOLE_RUN)
}

/// Locks the file `name` in `folder`, which is made where it is missing; `Ok(None)` where somebody else holds it.
///
/// # Errors
/// [`StoreError::CannotCreate`]: the folder or the file cannot be made. [`StoreError::Foreign`]: the folder is a link.
pub(super) fn try_lock(folder: &Path, name: &str, sharing: Sharing) -> Result<Option<Lock>, StoreError> {
    let path = folder.join(name);
    if folder.is_symlink() {
        // It could lead out of the output folder.
        return Err(StoreError::Foreign { path: folder.to_owned() });
    }
    // Who finishes takes the folder away with the lock in it: a file that is gone locks nothing, so look again.
    for _ in 0..100 {
        disk::create_dir_all(folder).map_err(cannot_create(folder))?;
        let file = match open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(cannot_create(&path))?,
        };
        let locked = match sharing {
            Sharing::Exclusive => file.try_lock(),
            Sharing::Shared => file.try_lock_shared(),
        };
        let holds = match locked {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) if is_unsupported(&error) => false,
            Err(TryLockError::Error(source)) => return Err(StoreError::CannotCreate { path, source }),
        };
        if is_still(&file, &path) {
            return Ok(Some(Lock { file, holds }));
        }
    }
    Ok(None)
}

/// Locks `folder` against everybody else.
///
/// # Errors
/// [`StoreError::Busy`]: another process is at work there. As [`try_lock`].
pub(super) fn exclusive(folder: &Path) -> Result<Lock, StoreError> {
    try_lock(folder, LOCK, Sharing::Exclusive)?.ok_or_else(|| StoreError::Busy { path: shown(folder) })
}

/// The output folder of a journal's folder.
pub(super) fn shown(folder: &Path) -> PathBuf {
    folder.parent().unwrap_or(folder).to_owned()
}

/// How many processes hold locks in `folder`.
pub(super) fn holders(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let held = |entry: &fs::DirEntry| {
        File::open(entry.path()).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    };
    // Shards share one lock, and each holds one of its own.
    entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(LOCK)).filter(held).count()
}

/// Opens without emptying, so that a holder's file stays as it is.
fn open(path: &Path) -> io::Result<File> {
    match disk::open_or_create(path) {
        // On a disk that is read only, what is there can still be locked against a writer elsewhere.
        Err(_) if path.is_file() => File::open(path),
        opened => opened,
    }
}

/// Whether `path` is still the file that was opened.
fn is_still(file: &File, path: &Path) -> bool {
    let opened = file.try_clone().and_then(same_file::Handle::from_file);
    matches!((opened, same_file::Handle::from_path(path)), (Ok(opened), Ok(there)) if opened == there)
}

fn is_unsupported(error: &io::Error) -> bool {
    // "No locks available": what NFS without a lock daemon says on Linux.
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_or_many_that_share() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("journal");
        let first = exclusive(&folder).unwrap();
        assert!(matches!(exclusive(&folder), Err(StoreError::Busy { path }) if path == dir.path()));
        assert!(try_lock(&folder, LOCK, Sharing::Shared).unwrap().is_none());
        assert_eq!(holders(&folder), 1);
        drop(first);
        let shared = [0, 1].map(|i| {
            let own = format!("{LOCK}-{i}");
            (try_lock(&folder, LOCK, Sharing::Shared).unwrap(), try_lock(&folder, &own, Sharing::Exclusive).unwrap())
        });
        assert!(exclusive(&folder).is_err());
        assert_eq!(holders(&folder), 2);
        drop(shared);
        let alone = exclusive(&folder).unwrap();
        assert!(!says_whole_run(&folder));
        alone.say(true);
        assert!(says_whole_run(&folder));
        drop(alone);
        exclusive(&folder).unwrap().say(false);
        assert!(!says_whole_run(&folder));
        assert_eq!(holders(&folder), 0);
    }

    #[test]
    fn a_lock_on_a_file_that_was_taken_away_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let first = exclusive(dir.path()).unwrap();
        fs::remove_file(dir.path().join(LOCK)).unwrap();
        // The name is free: whoever comes holds a new file, and the first one's is no longer the folder's.
        assert!(exclusive(dir.path()).is_ok());
        drop(first);
    }
}
