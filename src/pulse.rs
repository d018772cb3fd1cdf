//! How far this process is: files read and spectra fitted since it began, for whoever watches it.
//!
//! Counted as they are done, in the middle of what a run does at once: a bar that moved with whole chunks would stand still
//! for minutes. Nothing is decided by these numbers.

use std::sync::atomic::{AtomicU64, Ordering};

static READ: AtomicU64 = AtomicU64::new(0);
static FITTED: AtomicU64 = AtomicU64::new(0);

/// Counts a file that was read and prepared.
pub(crate) fn file_was_read() {
    READ.fetch_add(1, Ordering::Relaxed);
}

/// Counts spectra that were fitted; one that is fitted again counts again.
pub(crate) fn were_fitted(n: usize) {
    FITTED.fetch_add(n as u64, Ordering::Relaxed);
}

/// Files read.
#[must_use]
pub fn read() -> u64 {
    READ.load(Ordering::Relaxed)
}

/// Spectra fitted.
#[must_use]
pub fn fitted() -> u64 {
    FITTED.load(Ordering::Relaxed)
}
