//! Every change that the store makes on a disk: one function each, so that a test can stop a run at any of them.
//!
//! [`fault`] is that test's switch. Without it each function is the system's own.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    fault::change()?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        done => done,
    }
}

/// Makes `path` and what is missing above it.
pub(super) fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    create_dir(path)
}

/// Opens a file for reading and writing as it is; makes an empty one where there is none.
pub(super) fn open_or_create(path: &Path) -> io::Result<fs::File> {
    if !path.exists() {
        fault::change()?;
    }
    fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::change()?;
    fs::rename(from, to)
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    fault::change()?;
    fs::remove_file(path)
}

/// Removes an empty folder.
pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    fault::change()?;
    fs::remove_dir(path)
}

/// Removes a folder with all that is in it, in the order of the names. A link is removed, not followed.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() { remove_tree(&entry.path())? } else { remove_file(&entry.path())? }
    }
    remove_dir(path)
}

/// Makes what was renamed or removed in `folder` survive a power cut. Where folders cannot be opened (Windows) the system
/// has no such call and none is needed.
pub(super) fn sync_folder(folder: &Path) {
    if fault::change().is_ok()
        && let Ok(handle) = fs::File::open(folder)
    {
        let _ = handle.sync_all();
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct File(fs::File);

impl File {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        fault::change()?;
        fs::File::create(path).map(Self)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        fault::change()?;
        self.0.sync_all()
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A process that dies here leaves half of what it was writing.
        if let Err(error) = fault::change() {
            let _ = fault::is_last().then(|| self.0.write_all(&bytes[..bytes.len() / 2]));
            return Err(error);
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Stops the store at a chosen change on the disk. For tests; a program that never asks for it never meets it.
pub mod fault {
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NEVER: u64 = u64::MAX;
    static AT: AtomicU64 = AtomicU64::new(NEVER);
    static ONCE: AtomicU64 = AtomicU64::new(NEVER);
    static COUNT: AtomicU64 = AtomicU64::new(0);

    /// From change number `change` on (from 0) nothing reaches the disk any more, as if the process were killed there.
    /// `None`: no such change. Counting begins anew.
    pub fn stop_at(change: Option<u64>) {
        set(change, None);
    }

    /// Change number `change` fails once, as on a disk that is full for a moment.
    pub fn refuse(change: u64) {
        set(None, Some(change));
    }

    /// Changes so far.
    pub fn count() -> u64 {
        COUNT.load(Ordering::SeqCst)
    }

    fn set(stop: Option<u64>, once: Option<u64>) {
        AT.store(stop.unwrap_or(NEVER), Ordering::SeqCst);
        ONCE.store(once.unwrap_or(NEVER), Ordering::SeqCst);
        COUNT.store(0, Ordering::SeqCst);
    }

    /// Counts a change; an error where it must not happen.
    pub(super) fn change() -> io::Result<()> {
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        if number >= AT.load(Ordering::SeqCst) || number == ONCE.load(Ordering::SeqCst) {
            return Err(io::Error::other("a test stops here"));
        }
        Ok(())
    }

    /// Whether the change that was just refused was the first.
    pub(super) fn is_last() -> bool {
        let refused = COUNT.load(Ordering::SeqCst).saturating_sub(1);
        refused == AT.load(Ordering::SeqCst) || refused == ONCE.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_and_removed_with_what_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        create_dir_all(&dir.path().join("a/b/c")).unwrap();
        fs::write(&outside, "stays").unwrap();
        fs::write(dir.path().join("a/b/file"), "goes").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, dir.path().join("a/link")).unwrap();
        remove_tree(&dir.path().join("a")).unwrap();
        assert!(!dir.path().join("a").exists() && outside.exists());
    }
}
