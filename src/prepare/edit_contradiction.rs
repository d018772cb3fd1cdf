//! Whether NAA contradicts how transients were sorted into conditions, whoever told the order: a manifest, or the file's labels
//! and counters.

use super::align::{METABOLITE_BAND_PPM, align};
use super::edit_decision::{
    CLEARLY, DECIDED, Decision, Fit, Found, INDEPENDENT, MOST_AGAINST, UNCHANGED_FACTOR, decide, density, likelihood,
    likelihood_of_one, tallest,
};
use super::edit_evidence::Evidence;
use crate::acquisition::Turns;
use crate::signal::median::median;
use num_complex::Complex64;

/// Part of the transients that may stand among those of another condition before spoilt ones are left out, which lipids or
/// motion put there; the last circle of an order may not be whole, too.
const MOST_MIXED: f64 = 0.1;

/// What contradicts a stated order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Contradiction {
    /// The data are sure of another one.
    Other(Found),
    /// NAA's height is that of the other conditions in so many transients of those that tell.
    Mixed {
        /// On the other side than most of their condition.
        against: usize,
        /// That tell.
        of: usize,
    },
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(Found { turns, probability, .. }) => {
                write!(f, "NAA comes and goes as with `{turns}` (probability {probability:.4})")
            }
            Self::Mixed { against, of } => write!(
                f,
                "in {against} of {of} transients NAA is as tall as in the other conditions, as where a transient is missing \
                 on the way"
            ),
        }
    }
}

/// What contradicts the stated order of transients, if anything does.
pub(super) fn contradiction(evidence: &Evidence, stated: Turns) -> Option<Contradiction> {
    let n = evidence.naa.len();
    let of_each = stated.of_each(n);
    // A pulse that leaves NAA alone, as that for glutathione, looks like one condition.
    if let Decision::Conditions(found) = decide(evidence, Some(stated.n_conditions)) {
        let on_smaller_side = |condition: usize| {
            let lacks = |k: &usize| found.without_naa[found.turns.condition(stated.place(condition, *k))];
            let n_without = (0..of_each).filter(lacks).count();
            n_without.min(of_each - n_without)
        };
        let mixed: usize = (0..stated.n_conditions).map(on_smaller_side).sum();
        if mixed as f64 > MOST_MIXED * (of_each * stated.n_conditions) as f64 {
            return Some(Contradiction::Other(found));
        }
    }
    // No hypothesis holds where a transient is missing on the way: what follows stands on the other side.
    let conditions: Vec<usize> = (0..n).map(|t| stated.condition(t)).collect();
    mixed(evidence, &conditions, MOST_MIXED)
}

/// The same of transients that a file keeps apart by conditions, aligned and without water.
pub(super) fn mixed_in_file(conditions: &[Vec<&[Complex64]>], dwell_s: f64, f0_mhz: f64) -> Option<Contradiction> {
    let mut looked_at: Vec<Vec<Complex64>> = conditions.iter().flatten().map(|fid| fid.to_vec()).collect();
    let of: Vec<usize> = conditions.iter().enumerate().flat_map(|(c, fids)| vec![c; fids.len()]).collect();
    align(&mut looked_at, dwell_s, f0_mhz, Some(METABOLITE_BAND_PPM));
    mixed(&Evidence::of_aligned(&looked_at, Vec::new(), dwell_s, f0_mhz)?, &of, MOST_AGAINST)
}

/// Whether transients of one condition have both heights of NAA, with creatine and choline the same. Which condition has
/// which is not asked. `most` is the part that may.
fn mixed(evidence: &Evidence, conditions: &[usize], most: f64) -> Option<Contradiction> {
    let low = lower_cluster(&evidence.naa)?;
    let fit = likelihood(evidence, &low)?;
    // Each transient was free to choose its side.
    let chosen = INDEPENDENT * evidence.naa.len() as f64 * std::f64::consts::LN_2;
    if fit.log - chosen < likelihood_of_one(evidence)? - (1.0 - DECIDED).ln() {
        return None;
    }
    let sides = clear_sides(evidence, &fit);
    let n_conditions = conditions.iter().max().map_or(0, |last| last + 1);
    let (mut against, mut of) = (0, 0);
    for condition in 0..n_conditions {
        let own = || sides.iter().zip(conditions).filter(|(_, c)| **c == condition).filter_map(|(side, _)| *side);
        let (n, n_low) = (own().count(), own().filter(|is_low| *is_low).count());
        against += n_low.min(n - n_low);
        of += n;
    }
    (against as f64 > most * of as f64).then_some(Contradiction::Mixed { against, of })
}

/// Which values belong to the lower of two clusters: those whose squares about two means are least.
fn lower_cluster(values: &[f64]) -> Option<Vec<bool>> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let (n, total): (usize, f64) = (sorted.len(), sorted.iter().sum());
    let mut sum = 0.0;
    let mut best: Option<(f64, f64)> = None;
    for k in 1..n {
        sum += sorted[k - 1];
        // Squares about the means are least where those of the means are largest.
        let between = sum * sum / k as f64 + (total - sum).powi(2) / (n - k) as f64;
        if best.is_none_or(|(most, _)| between > most) {
            best = Some((between, sorted[k - 1]));
        }
    }
    best.map(|(_, last)| values.iter().map(|v| *v <= last).collect())
}

/// Whether each transient clearly has the lower height of NAA, or the higher; `None` where it is neither, or creatine and
/// choline are not as tall as in the others: then motion took NAA along.
fn clear_sides(evidence: &Evidence, fit: &Fit) -> Vec<Option<bool>> {
    let most = tallest(evidence);
    let whole: Vec<f64> = evidence.unchanged.iter().copied().filter(|v| !v.is_nan()).collect();
    let typical = median(&whole).unwrap_or(0.0);
    let log = |v: f64, is_low: bool| density(v, fit.heights[usize::from(is_low)], evidence.naa_sd, most).ln();
    let side = |(naa, unchanged): (&f64, &f64)| {
        let is_same = (1.0 / UNCHANGED_FACTOR..=UNCHANGED_FACTOR).contains(&(unchanged / typical));
        let likelier = log(*naa, true) - log(*naa, false);
        (is_same && likelier.abs() > CLEARLY).then_some(likelier > 0.0)
    };
    evidence.naa.iter().zip(&evidence.unchanged).map(side).collect()
}

#[cfg(test)]
#[path = "edit_contradiction_tests.rs"]
mod tests;
