//! What a run came to, and who watches it.

use super::tally::Tally;
use crate::store::SpectrumRow;
use std::path::PathBuf;

/// Told how far a run is; implemented by whoever shows it.
pub trait Progress: Sync {
    /// The number of files that will be processed is known.
    fn found(&self, n_files: usize);
    /// Files were finished.
    fn advanced(&self, n_files: usize);
    /// A row that has no result, and why.
    fn failed(&self, _row: &SpectrumRow) {}
    /// Files that were read are now being fitted, with so many fits.
    fn begun(&self, _n_files: usize, _n_fits: usize) {}
    /// A pass of learning begins over so many groups of spectra, with so many spectra.
    fn learning(&self, _pass: usize, _n_groups: usize, _n_spectra: usize) {}
    /// What learning has to say that its table does not.
    fn noted(&self, _words: &str) {}
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What its rows say.
    pub tally: Tally,
    /// Notes about the run as a whole.
    pub warnings: Vec<String>,
    /// Files written, `run.json` last.
    pub files: Vec<PathBuf>,
    /// Wall time (s).
    pub wall_s: f64,
    /// The shard that was done, where it was one.
    pub shard: Option<Shard>,
    /// Whether a run of before had done it all.
    pub was_complete: bool,
}

impl Summary {
    /// Nothing but counts.
    pub(super) fn of(tally: Tally, shard: Option<Shard>) -> Self {
        Self { tally, warnings: Vec::new(), files: Vec::new(), wall_s: 0.0, shard, was_complete: false }
    }
}

/// One of the parts into which a run is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// Parts in all.
    pub count: usize,
}
