//! The figures of the benchmark for a run, for tests: summed squared error, scale, error over sd.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test support")]

use std::path::Path;

use requant::benchmark::score::score as scored;
use requant::compare::{Column, Truth};
use requant::store::{MetaboliteRow, read_table};

/// What tests ask of a run.
#[derive(Debug)]
pub struct Score {
    pub mean: f64,
    pub median: f64,
    /// Factor between truth and estimate over tCr and tNAA, where it was taken out; else 1.
    pub scale: f64,
    /// Robust root mean square of error over reported sd.
    pub error_over_sd: f64,
}

/// Scores the tables in `run` against the CSV file `truth`; a spectrum without rows counts as all zeros.
pub fn score(truth: &Path, run: &Path, column: Column, align: bool) -> Score {
    let rows: Vec<MetaboliteRow> = read_table(run).unwrap();
    let all = scored(&rows, &Truth::read(truth).unwrap(), column).unwrap();
    let errors = if align { &all.aligned } else { &all.plain };
    Score {
        mean: errors.mean.value,
        median: errors.median.value,
        scale: if align { all.scale } else { 1.0 },
        error_over_sd: errors.error_over_sd_robust,
    }
}
