//! Which pieces the page holds itself, and which lie in files beside it.

use std::collections::BTreeSet;

use super::details::Detail;
use super::spectra::Spectra;
use crate::store::Status;

/// What the page holds of pieces (bytes before base64): with the rest of it well below 15 MB.
const MOST_BYTES: usize = 4 << 20;
/// Pieces of one file beside the page: some 200 kB, so that a click waits for no more.
const PER_FILE: usize = 32;

/// How pieces are shared out.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Rows whose piece is in the page.
    pub(super) inside: BTreeSet<usize>,
    /// Rows of each file beside it.
    pub(super) files: Vec<Vec<usize>>,
}

/// First what failed, then what is flagged, then all others; within each evenly over the rows, until the page is full.
pub(super) fn deal(spectra: &Spectra, details: &[Detail]) -> Shared {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let rank = |row: usize| {
        let of = &spectra.rows[row].row;
        match (of.status, of.qc_flags.is_empty()) {
            (Status::Ok, true) => 2,
            (Status::Ok, false) => 1,
            _ => 0,
        }
    };
    let mut order: Vec<usize> = (0..details.len()).collect();
    // Multiples of the golden ratio are spread evenly wherever one stops.
    let spread = |row: usize| (row as f64 * GOLDEN).fract();
    order.sort_by(|a, b| rank(*a).cmp(&rank(*b)).then(spread(*a).total_cmp(&spread(*b))));
    let mut left = MOST_BYTES;
    let mut shared = Shared::default();
    for row in order {
        let Some(rest) = left.checked_sub(details[row].bytes.len()) else { break };
        left = rest;
        shared.inside.insert(row);
    }
    let outside: Vec<usize> = (0..details.len()).filter(|row| !shared.inside.contains(row)).collect();
    shared.files = outside.chunks(PER_FILE).map(<[usize]>::to_vec).collect();
    shared
}
