//! Editing of which nothing is said: transients that lack NAA in turn, in blocks or in halves, in a scan that is called by
//! another name.

use num_complex::Complex64;

use super::edit_decision::{DECIDED, Decision, decide, likelihood};
use super::edit_evidence::{Evidence, naa_differs};

/// Fewer transients show no order.
const FEWEST: usize = 4;
/// Transients and circles of conditions that show a rhythm, whatever is left of NAA: a patient who moves once or twice has none.
const MANY: usize = 8;
const MANY_CIRCLES: usize = 4;
/// Least probability of such a rhythm, where nobody states it: hardly any scan is edited and says nothing of it.
const SURE: f64 = 0.9999;
/// One circle is enough where so little of NAA is left, and creatine and choline are the same: the pulse leaves a tenth, with
/// what else lies there up to a fifth; motion and outer volume take creatine along.
const TAKEN_AWAY: f64 = 0.3;

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
    let Decision::Conditions(found) = decide(&evidence, None) else { return false };
    let circle = found.turns.n_conditions * found.turns.block;
    if found.probability >= SURE && n >= MANY && n >= MANY_CIRCLES * circle {
        return true;
    }
    let sides: Vec<bool> = (0..n).map(|t| found.without_naa[found.turns.condition(t)]).collect();
    let taken_away = |[with, without]: [f64; 2]| without <= TAKEN_AWAY * with;
    found.probability >= DECIDED && likelihood(&evidence, &sides).is_some_and(|fit| taken_away(fit.heights))
}

#[cfg(test)]
#[path = "edit_unstated_tests.rs"]
mod tests;
