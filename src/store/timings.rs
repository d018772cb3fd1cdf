//! How long the parts of a run took.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Seconds that each part of a run took, summed over chunks, and over shards and resumed processes.
///
/// `…_wall_s` is elapsed time; `…_threads_s` is elapsed time summed over the worker threads that did the part. Reading and
/// preparing of a chunk go on beside fitting of the one before, so parts do not add up to the run's duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Finding the inputs and pairing water references.
    pub find_wall_s: f64,
    /// Reading and decoding files.
    pub read_threads_s: f64,
    /// Preparing spectra.
    pub prepare_threads_s: f64,
    /// Simulating basis sets and setting up models.
    pub models_wall_s: f64,
    /// Fitting.
    pub fit_wall_s: f64,
    /// Quantifying and making rows and curves.
    pub rows_wall_s: f64,
    /// Writing finished chunks.
    pub write_wall_s: f64,
    /// Writing the tables from the chunks.
    pub merge_wall_s: f64,
}

impl AddAssign for Timings {
    fn add_assign(&mut self, other: Self) {
        self.find_wall_s += other.find_wall_s;
        self.read_threads_s += other.read_threads_s;
        self.prepare_threads_s += other.prepare_threads_s;
        self.models_wall_s += other.models_wall_s;
        self.fit_wall_s += other.fit_wall_s;
        self.rows_wall_s += other.rows_wall_s;
        self.write_wall_s += other.write_wall_s;
        self.merge_wall_s += other.merge_wall_s;
    }
}
