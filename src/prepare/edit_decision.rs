//! Which transient belongs to which condition of an edited measurement, told by the data.
//!
//! Hypotheses: transients in turn, two conditions in turn and back (ABBA), or blocks of one condition; two or four conditions;
//! one condition after all. The pulse for GABA (1.9 ppm) takes NAA away. Each hypothesis says which transients lack it; with the
//! two heights of NAA that suit it best, and the noise, it has a likelihood, hence (Bayes) a probability among all.

use std::collections::BTreeMap;

use super::edit_evidence::{Evidence, MOST_LEFT};
use crate::acquisition::Turns;
use crate::signal::median::median;

/// Least probability of what is believed.
pub(super) const DECIDED: f64 = 0.99;
/// Variation of a line's height from transient to transient (motion, scanner), relative.
const JITTER: f64 = 0.08;
/// Probability that a transient is spoilt and says nothing.
const SPOILT: f64 = 0.03;
/// Likelihoods count as of so many independent transients for each one: neighbours share faults (drift, motion).
pub(super) const INDEPENDENT: f64 = 0.5;
/// Prior probability that there is one condition, and the part of the rest that transients in turn have: nearly all sequences
/// measure so.
const PRIOR_ONE: f64 = 0.2;
const PRIOR_IN_TURN: f64 = 0.5;
/// How far the creatine and choline of both groups may lie apart, as a factor, for a change of NAA to be editing's.
pub(super) const UNCHANGED_FACTOR: f64 = 1.5;
/// Blocks that are tried although the last circle of conditions may not be whole.
const USUAL_BLOCKS: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Part of the transients that may lie clearly on the other side than the hypothesis says.
pub(super) const MOST_AGAINST: f64 = 0.05;
/// How much likelier the other side must be for a transient to lie there clearly (natural logarithm).
pub(super) const CLEARLY: f64 = 3.0;

/// Residual water tells the pulse for glutathione where it differs by so many standard errors, so many times as many as
/// between conditions that differ in nothing, and by this factor; no error is less than one in a hundred.
const WATER_TELLS: f64 = 6.0;
const WATER_STANDS_OUT: f64 = 3.0;
const WATER_FACTOR: f64 = 1.2;
const LEAST_ERROR: f64 = 0.01;

/// What the data say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// So the conditions follow one another.
    Conditions(Found),
    /// There is one condition.
    One {
        /// Probability of that.
        probability: f64,
    },
    /// No hypothesis is probable enough.
    CannotTell,
}

/// Conditions that were told by the data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) turns: Turns,
    /// Which conditions lack NAA.
    pub(super) without_naa: Vec<bool>,
    pub(super) probability: f64,
}

/// Which transients lack NAA, if the hypothesis holds.
struct Hypothesis {
    turns: Turns,
    without_naa: Vec<bool>,
    prior: f64,
}

/// Decides for `n_conditions`, or two or four.
pub(super) fn decide(evidence: &Evidence, n_conditions: Option<usize>) -> Decision {
    let n = evidence.naa.len();
    let hypotheses = hypotheses(n, n_conditions);
    let Some(one) = likelihood_of_one(evidence) else { return Decision::CannotTell };
    let mut logs: Vec<f64> = vec![PRIOR_ONE.ln() + one];
    for hypothesis in hypotheses.values() {
        let log = likelihood(evidence, &sides(hypothesis, n)).map_or(f64::NEG_INFINITY, |fit| fit.log);
        logs.push(((1.0 - PRIOR_ONE) * hypothesis.prior).ln() + log);
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    let Some(best) = (0..logs.len()).max_by(|&a, &b| logs[a].total_cmp(&logs[b])) else { return Decision::CannotTell };
    let probability = (logs[best] - most).exp() / total;
    if probability < DECIDED {
        return Decision::CannotTell;
    }
    match best.checked_sub(1).and_then(|i| hypotheses.into_values().nth(i)) {
        None => Decision::One { probability },
        Some(Hypothesis { turns, without_naa, .. }) => {
            let sides: Vec<bool> = (0..n).map(|t| without_naa[turns.condition(t)]).collect();
            if is_contradicted(evidence, &sides) {
                return Decision::CannotTell;
            }
            Decision::Conditions(Found { turns, without_naa, probability })
        }
    }
}

/// Which of four conditions have the pulse for glutathione (4.56 ppm), which takes residual water away as well: half of those
/// with NAA and half of those without. `None` where water does not tell.
pub(super) fn with_glutathione(evidence: &Evidence, turns: Turns, without_naa: &[bool]) -> Option<Vec<bool>> {
    let (with, without): (Vec<usize>, Vec<usize>) = (0..4).partition(|c| !without_naa[*c]);
    // Both ways to take one of each pair; the other one is that of a signal that nothing turns.
    let contrasts = [[(with[0], without[0]), (with[1], without[1])], [(with[0], without[1]), (with[1], without[0])]];
    let told = contrasts.map(|[first, second]| contrast(evidence, turns, first, second));
    let (best, other) = if told[0].abs_t() >= told[1].abs_t() { (0, 1) } else { (1, 0) };
    let is_told = told[best].abs_t() >= WATER_TELLS
        && told[best].abs_t() >= WATER_STANDS_OUT * told[other].abs_t()
        && told[best].mean.abs() >= WATER_FACTOR.ln();
    // Lower water has the pulse.
    let [first, second] = contrasts[best];
    let (c, d) = if told[best].mean < 0.0 { first } else { second };
    is_told.then(|| (0..4).map(|condition| condition == c || condition == d).collect())
}

/// A difference in the logarithm of residual water, with its error.
#[derive(Debug, Clone, Copy)]
struct Contrast {
    mean: f64,
    error: f64,
}

impl Contrast {
    fn abs_t(self) -> f64 {
        (self.mean / self.error).abs()
    }
}

/// How much more residual water the conditions of `first` have than those of `second`, circle by circle.
fn contrast(evidence: &Evidence, turns: Turns, first: (usize, usize), second: (usize, usize)) -> Contrast {
    let n = turns.of_each(evidence.water.len());
    let log = |condition: usize, k: usize| evidence.water[turns.place(condition, k)].ln();
    let all = (0..n).map(|k| 0.5 * (log(first.0, k) + log(first.1, k) - log(second.0, k) - log(second.1, k)));
    let each: Vec<f64> = all.filter(|d| !d.is_nan()).collect();
    let n = each.len();
    let mean = each.iter().sum::<f64>() / n.max(1) as f64;
    let square: f64 = each.iter().map(|d| (d - mean).powi(2)).sum();
    let error = (square / (n.max(2) - 1) as f64 / n.max(1) as f64).sqrt();
    Contrast { mean, error: error.max(LEAST_ERROR) }
}

fn sides(hypothesis: &Hypothesis, n: usize) -> Vec<bool> {
    (0..n).map(|t| hypothesis.without_naa[hypothesis.turns.condition(t)]).collect()
}

/// All that say something different of `n` transients, by what they say; of those that say the same the likeliest stands.
fn hypotheses(n: usize, n_conditions: Option<usize>) -> BTreeMap<Vec<bool>, Hypothesis> {
    let counts: &[usize] = match n_conditions {
        Some(2) => &[2],
        Some(4) => &[4],
        _ => &[2, 4],
    };
    let mut all: BTreeMap<Vec<bool>, Hypothesis> = BTreeMap::new();
    for &n_conditions in counts {
        // Half of the conditions lack NAA.
        let patterns: Vec<Vec<bool>> = (0..1_u32 << n_conditions)
            .filter(|bits| bits.count_ones() as usize * 2 == n_conditions)
            .map(|bits| (0..n_conditions).map(|c| bits >> c & 1 == 1).collect())
            .collect();
        let whole = |block: &usize| n.is_multiple_of(block * n_conditions) || USUAL_BLOCKS.contains(block);
        let blocks: Vec<usize> = (2..=n / n_conditions).filter(whole).collect();
        let in_turn = (n >= n_conditions).then_some((Turns::in_turn(n_conditions), PRIOR_IN_TURN));
        // Four transients tell ABBA from halves and turns. Where four conditions may be, it is one of their orders.
        let abba = (counts == [2] && n >= 4).then_some(Turns::abba(2));
        let n_others = (blocks.len() + abba.iter().count()) as f64;
        let others = blocks.iter().map(|block| Turns::blocks(n_conditions, *block)).chain(abba);
        let others = others.map(|turns| (turns, (1.0 - PRIOR_IN_TURN) / n_others));
        for (turns, prior) in in_turn.into_iter().chain(others) {
            for without_naa in &patterns {
                let prior = prior / (patterns.len() * counts.len()) as f64;
                let new = Hypothesis { turns, without_naa: without_naa.clone(), prior };
                let said = sides(&new, n);
                let is_mixed = said.contains(&true) && said.contains(&false);
                if !is_mixed {
                    continue;
                }
                all.entry(said).and_modify(|known| known.prior += prior).or_insert(new);
            }
        }
    }
    all
}

/// How well two heights of NAA explain the transients.
pub(super) struct Fit {
    pub(super) log: f64,
    /// With NAA, and without.
    pub(super) heights: [f64; 2],
}

pub(super) fn likelihood(evidence: &Evidence, sides: &[bool]) -> Option<Fit> {
    let of = |values: &[f64], side: bool| {
        let own: Vec<f64> =
            values.iter().zip(sides).filter(|(v, s)| **s == side && !v.is_nan()).map(|(v, _)| *v).collect();
        median(&own)
    };
    let (with, without) = (of(&evidence.naa, false)?, of(&evidence.naa, true)?);
    let unchanged = of(&evidence.unchanged, true)? / of(&evidence.unchanged, false)?;
    let is_editing = without <= MOST_LEFT * with && (1.0 / UNCHANGED_FACTOR..=UNCHANGED_FACTOR).contains(&unchanged);
    if !is_editing {
        return None;
    }
    let most = tallest(evidence);
    let sum: f64 = evidence
        .naa
        .iter()
        .zip(sides)
        .map(|(v, side)| density(*v, if *side { without } else { with }, evidence.naa_sd, most).ln())
        .sum();
    Some(Fit { log: INDEPENDENT * sum - (evidence.naa.len() as f64).ln(), heights: [with, without] })
}

pub(super) fn likelihood_of_one(evidence: &Evidence) -> Option<f64> {
    let whole: Vec<f64> = evidence.naa.iter().copied().filter(|v| !v.is_nan()).collect();
    let (height, most) = (median(&whole)?, tallest(evidence));
    let sum: f64 = evidence.naa.iter().map(|v| density(*v, height, evidence.naa_sd, most).ln()).sum();
    Some(INDEPENDENT * sum - 0.5 * (evidence.naa.len() as f64).ln())
}

pub(super) fn tallest(evidence: &Evidence) -> f64 {
    evidence.naa.iter().copied().fold(f64::MIN_POSITIVE, f64::max)
}

/// Density of the magnitude `v` where `height` is the median: normal, as wide as noise and jitter are; or anything.
pub(super) fn density(v: f64, height: f64, sd: f64, most: f64) -> f64 {
    if v.is_nan() {
        return 1.0;
    }
    let width = sd.hypot(JITTER * height);
    let normal = (-0.5 * ((v - height) / width).powi(2)).exp() / (width * (2.0 * std::f64::consts::PI).sqrt());
    (1.0 - SPOILT) * normal + SPOILT / most
}

/// Whether too many transients lie clearly on the other side: then none of the hypotheses is true.
fn is_contradicted(evidence: &Evidence, sides: &[bool]) -> bool {
    let Some(Fit { heights, .. }) = likelihood(evidence, sides) else { return true };
    let most = tallest(evidence);
    let log = |v: f64, side: bool| density(v, heights[usize::from(side)], evidence.naa_sd, most).ln();
    let against = evidence.naa.iter().zip(sides).filter(|(v, side)| log(**v, !**side) > log(**v, **side) + CLEARLY);
    against.count() as f64 > (MOST_AGAINST * sides.len() as f64).max(0.5)
}
