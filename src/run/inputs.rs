//! The inputs of a run.

use std::collections::BTreeMap;
use std::time::Instant;

use super::error::RunError;
use super::options::RunOptions;
use super::tissue;
use crate::corpus::{self, Found, Listing};
use crate::store::provenance::now_utc;

/// The inputs of a run, found before an engine is opened: what is wrong with them ends a run without its noise.
pub struct Inputs {
    pub(super) listing: Listing,
    pub(super) started: Instant,
    pub(super) started_utc: String,
    pub(super) find_wall_s: f64,
}

impl Inputs {
    /// Finds them.
    ///
    /// # Errors
    /// [`RunError`]: nothing is there, or nothing that the options leave in.
    pub fn find(options: &RunOptions) -> Result<Self, RunError> {
        let (started, started_utc) = (Instant::now(), now_utc());
        let mut listing = options.listing()?;
        options.tissue.check()?;
        tissue::resolve(&mut listing.found, &options.tissue);
        Ok(Self { listing, started, started_utc, find_wall_s: started.elapsed().as_secs_f64() })
    }

    /// How many files under INPUT are no row, by what they are.
    pub fn left_out(&self) -> BTreeMap<String, usize> {
        corpus::counts(&self.listing.left_out)
    }

    pub(crate) fn found(&self) -> &[Found] {
        &self.listing.found
    }
}
