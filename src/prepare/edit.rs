//! Edited data (MEGA, HERMES, HERCULES): conditions aligned to one another, their differences and their sum.
//!
//! A combination adds and subtracts conditions and never halves: with `diff` = ON − OFF, a basis set of ON − OFF has
//! the amplitudes of the conditions, and water scaling holds.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::align::{Offset, detects, register, undo_offset, without_tail};
use super::narrow::Narrow;
use crate::acquisition::{Acquisition, named_editing};
use crate::signal::filter::filtered;
use crate::signal::magnitudes::{METABOLITES_PPM, Magnitudes};

/// Chemical shifts that editing does not change (ppm): choline, and creatine's CH₂.
const UNCHANGED_PPM: [(f64, f64); 2] = [(3.12, 3.35), (3.84, 4.0)];
/// How far conditions may lie apart (Hz): they are measured in turn, and drift together.
pub const MAX_APART_HZ: f64 = 8.0;
/// Part of their energy by which conditions that need no alignment differ.
const ALIKE: f64 = 0.02;
/// Time over which the reference of an alignment rises (s): with a step at its start, lines that differ between
/// conditions would reach into the band by their tails (NAA: 1° and 0.1 Hz), as the sum over a started oscillation is not
/// zero.
const RISE_S: f64 = 0.02;
/// Chemical shifts of what editing pulses turn in brain (ppm); those elsewhere are there for balance.
const TARGETS_PPM: (f64, f64) = (1.0, 5.0);
/// How near to one another two pulses' chemical shifts mean the same target (ppm).
const SAME_TARGET_PPM: f64 = 0.06;
/// Targets by name: the spins that the pulse turns, coupled to those that are seen.
const NAMES: [(f64, &str); 9] = [
    (1.9, "gaba"),
    (4.56, "gsh"),
    (4.1, "lac"),
    (2.67, "asp"),
    (3.89, "asp"),
    (4.38, "naa"),
    (4.61, "naag"),
    (3.67, "etoh"),
    (1.7, "mm"),
];
/// Chemical shifts of NAA's singlet, which pulses for GABA take away (ppm).
const NAA_PPM: (f64, f64) = (1.9, 2.12);
/// A pulse so near to that for GABA takes NAA away: its band reaches there (ppm).
const NAA_TURNED_PPM: f64 = 0.1;
/// Signal-to-noise ratio from which NAA's height says something, and its height over that of the tallest metabolite.
const CLEAR_SNR: f64 = 5.0;
const NAA_IS_THERE: f64 = 0.3;
/// How many times larger NAA must be without the pulse for that to tell ON from OFF.
const NAA_TELLS: f64 = 1.5;

/// Conditions added with signs.
#[derive(Debug, Clone, PartialEq)]
pub struct Combination {
    /// `diff`, `sum`, or `diff_` and the target where there are several.
    pub name: String,
    /// Sign of each condition.
    pub signs: Vec<f64>,
}

/// What is known of the conditions of edited data.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheme {
    /// What each condition is called: `on` and `off` where known, else the file's label.
    pub labels: Vec<String>,
    /// What to combine; only the sum where the order of the conditions is not known.
    pub combinations: Vec<Combination>,
}

/// Whether the conditions are those of spectral editing, to be aligned and combined. Where one is a combination already it
/// has no creatine to be aligned by, and makes no sense in another one: all stay as they are.
pub fn is_edited(data: &Acquisition) -> bool {
    let n = data.n_conditions();
    if data.condition_labels.iter().any(|label| combination_of(label).is_some()) {
        return false;
    }
    let by_name = data.facts.sequence.as_deref().and_then(named_editing).is_some();
    (n == 2 || n == 4) && (data.editing.is_some() || on_first(&data.condition_labels).is_some() || by_name)
}

/// The scheme: from the labels, else from the pulses, else (of two) from where NAA is missing.
pub fn scheme(data: &Acquisition, fids: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Scheme {
    let n = fids.len();
    let mut combinations = Vec::new();
    let mut labels: Vec<String> = data.condition_labels.iter().map(|l| l.to_lowercase()).collect();
    let pulses = data.editing.as_ref().map_or(&[][..], |editing| &editing.pulses_ppm);
    if n == 2 {
        let order = on_first(&data.condition_labels)
            .or_else(|| targets(pulses, n).first().map(|(_, signs)| signs[0] > 0.0))
            .or_else(|| naa_is_missing_in_first(fids, dwell_s, f0_mhz));
        if let Some(on_first) = order {
            let sign = if on_first { 1.0 } else { -1.0 };
            combinations.push(Combination { name: "diff".into(), signs: vec![sign, -sign] });
            labels = if on_first { vec!["on".into(), "off".into()] } else { vec!["off".into(), "on".into()] };
        }
    } else {
        for (ppm, signs) in targets(pulses, n) {
            let target = name_of(ppm).map_or_else(|| format!("{ppm:.2}ppm"), str::to_owned);
            combinations.push(Combination { name: format!("diff_{target}"), signs });
        }
    }
    combinations.push(Combination { name: "sum".into(), signs: vec![1.0; n] });
    Scheme { labels, combinations }
}

/// Which combination of conditions a label says that a spectrum is: `diff` or `sum`.
pub fn combination_of(label: &str) -> Option<&'static str> {
    let label = label.to_lowercase();
    let mut words = label.split(|c: char| !c.is_alphabetic());
    words.find_map(|word| match word {
        "diff" | "dif" | "difference" => Some("diff"),
        "sum" => Some("sum"),
        _ => None,
    })
}

/// Whether the labels of two conditions say that the first is ON.
fn on_first(labels: &[String]) -> Option<bool> {
    let is = |label: &String, word: &str| label.to_lowercase().split(|c: char| !c.is_alphabetic()).any(|w| w == word);
    match labels {
        [a, b] if is(a, "on") && is(b, "off") => Some(true),
        [a, b] if is(a, "off") && is(b, "on") => Some(false),
        _ => None,
    }
}

/// The target that a pulse turns: the nearest.
fn name_of(ppm: f64) -> Option<&'static str> {
    let apart = |(at, _): &&(f64, &str)| (at - ppm).abs();
    let nearest = NAMES.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))?;
    (apart(&nearest) <= SAME_TARGET_PPM).then_some(nearest.1)
}

/// What pulses turn in half of the conditions, with the conditions' signs; a target turned where another one is not
/// gives the same difference and stands once, by the name of the one that has a name.
fn targets(pulses: &[Vec<f64>], n: usize) -> Vec<(f64, Vec<f64>)> {
    let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut all: Vec<f64> = pulses.iter().flatten().copied().collect();
    all.sort_by_key(|ppm| name_of(*ppm).is_none());
    for ppm in all {
        let (low, high) = TARGETS_PPM;
        let has = |offsets: &Vec<f64>| offsets.iter().any(|p| (p - ppm).abs() <= SAME_TARGET_PPM);
        let signs: Vec<f64> = pulses.iter().map(|offsets| if has(offsets) { 1.0 } else { -1.0 }).collect();
        let is_there = |known: &[f64]| {
            let product: f64 = known.iter().zip(&signs).map(|(a, b)| a * b).sum();
            product.abs() == n as f64
        };
        let is_balanced = signs.len() == n && signs.iter().sum::<f64>() == 0.0;
        if (low..high).contains(&ppm) && is_balanced && !found.iter().any(|(_, known)| is_there(known)) {
            found.push((ppm, signs));
        }
    }
    found
}

/// Whether NAA contradicts what labels or pulses say: it is taller under a pulse for GABA, or in what is called ON, or not
/// changed by a pulse that must take it away. `false` where it does not stand clear of the noise.
pub fn is_contradicted(data: &Acquisition, fids: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> bool {
    let magnitudes: Vec<Magnitudes<'_>> = fids.iter().map(|fid| Magnitudes::new(fid, dwell_s, f0_mhz)).collect();
    // A phantom without NAA says nothing.
    let has_naa = |m: &Magnitudes<'_>| m.tallest(NAA_PPM) >= NAA_IS_THERE * m.tallest(METABOLITES_PPM);
    let is_clear = magnitudes.iter().any(|m| has_naa(m) && m.snr().is_none_or(|snr| snr >= CLEAR_SNR));
    let pulses = data.editing.as_ref().map_or(&[][..], |editing| &editing.pulses_ppm);
    let has_pulse =
        |c: usize| pulses.get(c).is_some_and(|all| all.iter().any(|ppm| (ppm - NAMES[0].0).abs() <= NAA_TURNED_PPM));
    let by_pulse: Vec<bool> = (0..fids.len()).map(has_pulse).collect();
    let is_known = by_pulse.contains(&true) && by_pulse.contains(&false);
    let under = match on_first(&data.condition_labels) {
        _ if is_known => by_pulse,
        Some(on_first) => vec![on_first, !on_first],
        None => return false,
    };
    let mean = |side: bool| {
        let own = magnitudes.iter().zip(&under).filter(|(_, u)| **u == side).map(|(m, _)| m.tallest(NAA_PPM));
        let (sum, n) = own.fold((0.0, 0.0), |(sum, n), height| (sum + height, n + 1.0));
        sum / n
    };
    let (on, off) = (mean(true), mean(false));
    is_clear && (on > NAA_TELLS * off || is_known && on * NAA_TELLS > off)
}

fn naa_is_missing_in_first(fids: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<bool> {
    let height = |fid: &Vec<Complex64>| Magnitudes::new(fid, dwell_s, f0_mhz).tallest(NAA_PPM);
    let (first, second) = (height(fids.first()?), height(fids.get(1)?));
    if second > NAA_TELLS * first {
        Some(true)
    } else if first > NAA_TELLS * second {
        Some(false)
    } else {
        None
    }
}

/// Aligns all conditions to the first by what editing does not change, and returns their offsets from it; `None`, and
/// nothing done, where one of them does not stand clear of its noise there, or does not come nearer by it
/// and is not near.
pub fn align(fids: &mut [Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<Vec<Offset>> {
    let unchanged = |ppm: f64| f64::from(u8::from(UNCHANGED_PPM.iter().any(|(l, h)| (*l..=*h).contains(&ppm))));
    let likeness = |fid: &[Complex64]| -> Vec<Complex64> {
        let mut cut = filtered(fid, dwell_s, f0_mhz, unchanged);
        for (n, z) in cut.iter_mut().enumerate() {
            *z *= (0.5 * PI * (n as f64 * dwell_s / RISE_S).min(1.0)).sin().powi(2);
        }
        cut
    };
    let reference = without_tail(likeness(fids.first()?));
    let mut offsets: Vec<Offset> =
        fids.iter().skip(1).map(|fid| register(fid, &reference, dwell_s, MAX_APART_HZ)).collect();
    if !fids.iter().skip(1).zip(&offsets).all(|(fid, offset)| detects(fid, &reference, offset)) {
        return None;
    }
    let n_points = fids.iter().map(Vec::len).min().unwrap_or(0);
    let narrow = Narrow::new(&UNCHANGED_PPM, n_points, dwell_s, f0_mhz);
    for (offset, fid) in offsets.iter_mut().zip(&fids[1..]) {
        *offset = narrow.refine(fid, &fids[0], *offset);
    }
    let mut turned = fids.to_vec();
    turned.iter_mut().skip(1).zip(&offsets).for_each(|(fid, offset)| undo_offset(fid, offset, dwell_s));
    // What does not look like brain may have its nearest likeness elsewhere.
    let left = |fids: &[Vec<Complex64>]| -> f64 { fids[1..].iter().map(|fid| narrow.apart(fid, &fids[0])).sum() };
    let before = left(fids);
    if left(&turned) > before {
        return (before < ALIKE * narrow.energy(&fids[0])).then(|| vec![Offset::default(); offsets.len()]);
    }
    fids.clone_from_slice(&turned);
    Some(offsets)
}

/// The combination of `fids`, as long as the shortest of them.
pub fn combine(fids: &[Vec<Complex64>], signs: &[f64]) -> Vec<Complex64> {
    let n_points = fids.iter().map(Vec::len).min().unwrap_or(0);
    (0..n_points).map(|n| fids.iter().zip(signs).map(|(fid, sign)| fid[n] * sign).sum()).collect()
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
