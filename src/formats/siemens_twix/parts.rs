//! ISTHMUS: PRESS of a short and HERCULES of a longer echo time in one measurement, with water readouts of both between.
//!
//! Water is the first readout of every block. Those of even blocks have the second part's echo time, those of odd blocks the
//! first part's (spec2nii, `smm_svs_herc_hyper`).

use super::circles::Placed;
use super::readouts::Readout;
use super::references::words;
use super::sort::{Scan, Sorted};
use crate::acquisition::Editing;
use crate::formats::loops::Parts;

/// One part.
pub(super) struct Part {
    pub(super) name: String,
    /// Sequence by its canonical name.
    pub(super) sequence: &'static str,
    pub(super) te_s: Option<f64>,
    pub(super) sorted: Sorted,
    /// Echo time of its water, where that is the other part's.
    pub(super) water_te_s: Option<f64>,
}

/// The parts that the measurement holds, the first one first; none without a transient.
pub(super) fn split(scan: &Scan<'_>, parts: &Parts, remarks: &mut Vec<String>) -> Vec<Part> {
    let count = |name: &str| scan.protocol.count(name);
    let (n_water, n_first, n_second) = (count(&parts.n_water), count(&parts.n_first), count(&parts.n_second));
    let every = match (n_water, n_first, n_second) {
        (Some(water), Some(first), Some(second)) if first.saturating_add(second) % water == 0 => {
            first.saturating_add(second) / water + 1
        }
        _ => {
            remarks.push(format!(
                "the header does not tell how many readouts lie between those of water: {} were taken",
                parts.water_every
            ));
            parts.water_every
        }
    };
    let n_first = n_first.unwrap_or(parts.water_every - 1);
    let asked = n_water.zip(n_second).map(|(water, second)| water.saturating_add(n_first).saturating_add(second));
    let placed = Placed::new(&scan.readouts.all, &scan.row.transients, every, asked.as_slice());
    placed.say_missing(remarks);
    let mut waters = [Vec::new(), Vec::new()];
    let (mut transients, mut second): (Vec<Readout>, Vec<(usize, Readout)>) = (Vec::new(), Vec::new());
    for (place, readout) in &placed.readouts {
        let block = place / every;
        match place.checked_sub(block + 1 + n_first) {
            _ if place % every == 0 => waters[1 - block % 2].push(*readout),
            None => transients.push(*readout),
            Some(place) => second.push((place, *readout)),
        }
    }
    let te_s = [parts.te_first.as_str(), "alTE[0]"].map(|name| scan.protocol.number(name).map(|us| us / 1e6));
    if second.is_empty() {
        remarks.push("the measurement ends before its second part".to_owned());
    }
    let unedited = Editing { pulses_ppm: vec![Vec::new()], ..Editing::default() };
    let first = Sorted { editing: Some(unedited), ..Sorted::of_one(transients) };
    let n = scan.row.conditions.as_ref().and_then(|rule| rule.number).unwrap_or(1);
    let second = if second.len() < n { Sorted::default() } else { scan.in_turn(&second, n, remarks) };
    let both = [(first, "PRESS"), (second, "HERCULES")].into_iter().enumerate().map(|(k, (mut sorted, sequence))| {
        let (own, other) = (&waters[k], &waters[1 - k]);
        let of_other = own.is_empty() && !other.is_empty();
        let water = if of_other { other } else { own };
        sorted.water = (!water.is_empty()).then(|| (water.clone(), words(water)));
        let milliseconds = te_s[k].map(|te| format!("{:.0}", 1e3 * te)).unwrap_or_default();
        let name = format!("{}{milliseconds}", parts.names[k]);
        Part { name, sequence, te_s: te_s[k], sorted, water_te_s: if of_other { te_s[1 - k] } else { None } }
    });
    both.filter(|part| part.sorted.conditions.iter().any(|c| !c.is_empty())).collect()
}
