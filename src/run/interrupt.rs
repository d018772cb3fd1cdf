//! Stopping between two chunks.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Asks runs of this process to stop after the chunk that they are at; safe in a signal handler. Whether that was asked
/// before.
pub fn stop() -> bool {
    STOP.swap(true, Ordering::SeqCst)
}

pub(super) fn asked() -> bool {
    STOP.load(Ordering::SeqCst)
}
