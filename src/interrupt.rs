//! Whether somebody asked this process to stop.
//!
//! Whoever does something long looks at it between two steps, and gives back less than it was asked for. That is never
//! taken for a result: once asked, the answer stays, so who calls looks as well before it keeps anything.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Asks everything that runs in this process to stop; safe in a signal handler. Whether that was asked before.
pub fn stop() -> bool {
    STOP.swap(true, Ordering::SeqCst)
}

/// Whether to stop.
pub fn asked() -> bool {
    STOP.load(Ordering::SeqCst)
}
