//! When the host and the device worked: what the overlap hides, and what it does not.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What was worked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The host poses some problems.
    Prepare,
    /// Upload, fits and readback.
    Device,
    /// The host makes errors and covariances of what came back.
    Finish,
}

/// One stretch of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// At what.
    pub work: Work,
    /// Its number among those of its kind in a batch.
    pub number: usize,
    /// Begin, from the engine's start (s).
    pub from_s: f64,
    /// End, from the engine's start (s).
    pub to_s: f64,
}

/// All spans of an engine's life.
#[derive(Debug)]
pub(super) struct Timeline {
    start: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { start: Instant::now(), spans: Mutex::default() }
    }
}

impl Timeline {
    /// Does `job` and writes down how long it took.
    pub(super) fn span<T>(&self, work: Work, number: usize, job: impl FnOnce() -> T) -> T {
        let from_s = self.start.elapsed().as_secs_f64();
        let done = job();
        let span = Span { work, number, from_s, to_s: self.start.elapsed().as_secs_f64() };
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        done
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
