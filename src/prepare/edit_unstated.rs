//! Editing of which nothing is said: transients that lack NAA in turn, in a scan that is called by another name.

use num_complex::Complex64;

use super::edit_decision::{Decision, decide};
use super::edit_evidence::{Evidence, naa_differs};

/// Fewer transients do not show a rhythm.
const FEWEST: usize = 8;
/// Circles of conditions that must be seen: a patient who moves once or twice has no such rhythm.
const FEWEST_CIRCLES: usize = 4;
/// Least probability of what nobody states: hardly any scan is edited and says nothing of it.
const SURE: f64 = 0.9999;

/// Whether some of the transients lack NAA in turn with the others, creatine and choline being the same, as editing for GABA
/// makes it. They are aligned and without water, and stand at `places` of the file, where some are left out.
///
/// Only magnitudes count: neither drift nor cycled phases look so.
pub(super) fn differ_in_turn(aligned: &[Vec<Complex64>], places: Option<&[usize]>, dwell_s: f64, f0_mhz: f64) -> bool {
    if aligned.len() < FEWEST || !naa_differs(aligned, dwell_s, f0_mhz) {
        return false;
    }
    let Some(mut evidence) = Evidence::of_aligned(aligned, Vec::new(), dwell_s, f0_mhz) else { return false };
    if let Some(places) = places {
        let n = places.iter().max().map_or(0, |last| last + 1);
        evidence = evidence.spread(places, n);
    }
    let n = evidence.naa.len();
    match decide(&evidence, None) {
        Decision::Conditions(found) => {
            let circle = found.turns.n_conditions * found.turns.block;
            found.probability >= SURE && n >= FEWEST_CIRCLES * circle
        }
        Decision::One { .. } | Decision::CannotTell => false,
    }
}

#[cfg(test)]
#[path = "edit_unstated_tests.rs"]
mod tests;
