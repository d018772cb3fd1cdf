//! Which readouts are the water reference, by the header's word; by their strength where no row knows the sequence.

use super::protocol::{AVERAGES, Protocol};
use super::readouts::{COUNTERS, Readout, Readouts};
use crate::formats::loops::Water;

/// Readouts are taken for water by strength where they are so many times stronger than the others.
const WATER_TO_METABOLITES: f64 = 5.0;
/// How references are measured: a protocol's field, and its values.
const MODE: &str = "sSpecPara.lAutoRefScanMode";
/// None.
const OFF: f64 = 1.0;
/// As many as the header says before the transients, and as many after them.
const AROUND: f64 = 2.0;
/// Twice as many: those without pulses of water suppression, then those without any saturation.
const AROUND_TWO_KINDS: f64 = 8.0;
/// How many.
const NUMBER: &str = "sSpecPara.lAutoRefScanNo";

/// Readouts that are the water reference, and which they are in words.
pub(super) struct Found {
    pub(super) water: Vec<Readout>,
    pub(super) words: String,
    /// All others.
    pub(super) rest: Vec<Readout>,
}

/// What the row and the header say; `None` where they name no reference.
pub(super) fn by_header(
    rule: &Water,
    protocol: &Protocol,
    readouts: &Readouts,
    remarks: &mut Vec<String>,
) -> Option<Found> {
    let mode = protocol.number(MODE);
    if let Some(counter) = &rule.zero_of
        && mode != Some(OFF)
        && let Some(found) = zero_of(counter, &readouts.all)
    {
        return Some(found);
    }
    let n = protocol.count(NUMBER)?;
    let side = match mode {
        Some(AROUND) => n,
        Some(AROUND_TWO_KINDS) => n.checked_mul(2)?,
        _ => return None,
    };
    if !rule.around {
        return None;
    }
    let places = sides(side, protocol.count(AVERAGES), readouts, remarks)?;
    let is_reference = |i: usize| i < places.0 || i >= places.1;
    // Of two kinds, the second measures all of the water.
    let is_wanted = |i: usize| side == n || (if i < places.0 { i } else { i - places.1 }) >= n;
    let all = readouts.all.iter().copied().enumerate();
    let water: Vec<Readout> = all.clone().filter(|(i, _)| is_reference(*i) && is_wanted(*i)).map(|(_, r)| r).collect();
    let rest = all.filter(|(i, _)| !is_reference(*i)).map(|(_, r)| r).collect();
    if side > n {
        remarks.push(
            "of two kinds of water reference, those without any saturation were taken; those for eddy currents were left out"
                .to_owned(),
        );
    }
    let words = words(&water);
    (!water.is_empty()).then_some(Found { water, words, rest })
}

/// Readouts where a counter is zero, in a file where it is not always.
fn zero_of(counter: &str, all: &[Readout]) -> Option<Found> {
    let index = COUNTERS.iter().position(|(name, _)| *name == counter)?;
    let (water, rest): (Vec<Readout>, Vec<Readout>) = all.iter().partition(|r| r.counters[index] == 0);
    let words = format!("{} 0: {}", COUNTERS[index].1, words(&water));
    (!water.is_empty() && !rest.is_empty()).then_some(Found { water, words, rest })
}

/// Where transients begin and end between `side` references before them and as many after; the count of readouts tells
/// whether all are there.
fn sides(
    side: usize,
    averages: Option<usize>,
    readouts: &Readouts,
    remarks: &mut Vec<String>,
) -> Option<(usize, usize)> {
    let total = readouts.all.len();
    let (first, behind) = readouts.all.split_at_checked(side)?;
    let (ahead, last) = readouts.all.split_at_checked(total.checked_sub(side)?)?;
    let is_strong = |part: &[Readout], others: &[Readout]| {
        readouts.strength(part) > WATER_TO_METABOLITES * readouts.strength(others)
    };
    let between = total.saturating_sub(2 * side);
    let mut say = |what: &str| remarks.push(format!("the header names {side} water references on either side; {what}"));
    match averages {
        // Conditions of editing count together.
        Some(averages) if between > 0 && between.is_multiple_of(averages) => Some((side, total - side)),
        None if between > 0 => {
            say("how many transients lie between them it does not say");
            Some((side, total - side))
        }
        Some(averages) if total == averages + side && is_strong(last, ahead) && !is_strong(first, behind) => {
            say("by their number there is one side, by its strength the last");
            Some((0, total - side))
        }
        Some(averages) if total == averages + side => {
            say("by the number of readouts those after the transients are missing");
            Some((side, total))
        }
        Some(averages) if total != averages && total > side && total < averages + 2 * side => {
            say("the measurement was ended early");
            Some((side, (side + averages).min(total)))
        }
        _ if total > side && is_strong(first, behind) => {
            say("the number of readouts does not fit, their strength does: the first were taken");
            Some((side, total))
        }
        _ => {
            say("the number of readouts does not fit, nor their strength: none was taken");
            None
        }
    }
}

/// Of two groups of readouts that a counter without a known meaning tells apart: which is water, by its strength.
pub(super) fn by_strength(groups: &[Vec<Readout>], readouts: &Readouts) -> Option<(usize, f64)> {
    let [first, second] = groups else { return None };
    let ratio = readouts.strength(first) / readouts.strength(second);
    match ratio {
        _ if ratio > WATER_TO_METABOLITES => Some((0, ratio)),
        _ if 1.0 / ratio > WATER_TO_METABOLITES => Some((1, 1.0 / ratio)),
        _ => None,
    }
}

/// `readouts 1 to 2, 11 to 12`.
pub(super) fn words(readouts: &[Readout]) -> String {
    /// More ranges than these are not spelt out.
    const RANGES: usize = 4;
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for Readout { number, .. } in readouts {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == *number => *end = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let text = |(a, b): &(usize, usize)| if a == b { a.to_string() } else { format!("{a} to {b}") };
    if ranges.len() > RANGES {
        return format!("{} readouts from {} on", readouts.len(), ranges[0].0);
    }
    let ranges: Vec<String> = ranges.iter().map(text).collect();
    format!("{} {}", if readouts.len() == 1 { "readout" } else { "readouts" }, ranges.join(", "))
}
