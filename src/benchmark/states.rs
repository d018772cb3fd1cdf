//! How fits ended, what was flagged, and whether wrong amplitudes came with a warning.

use std::collections::{BTreeMap, HashMap};

use crate::compare::{Column, Truth};
use crate::fit::FitState;
use crate::store::{MetaboliteRow, SpectrumRow, Status};

/// Sums whose amplitudes are asked whether they are wrong.
const ASKED: [&str; 5] = ["tNAA", "tCr", "tCho", "Glx", "Ins"];
/// An amplitude that is off by more than this many of its standard deviations is wrong.
const WRONG: f64 = 4.0;

/// Counts over the spectra of one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct States {
    /// Spectra.
    pub spectra: usize,
    /// Those that were not fitted.
    pub failed: usize,
    /// Those that warn: not fitted, not converged, or with a flag of the fit or the preparation.
    pub warned: usize,
    /// Fitted spectra by how they ended.
    pub states: BTreeMap<String, usize>,
    /// Spectra by flag.
    pub flags: BTreeMap<String, usize>,
    /// Amplitudes of tNAA, tCr, tCho, Glx and Ins.
    pub amplitudes: usize,
    /// Those that are off by more than four standard deviations.
    pub wrong: usize,
    /// Wrong ones in spectra that warn.
    pub wrong_with_warning: usize,
}

/// Whether anything warns of each spectrum of `truth`, in its order: of one that is not there, that is the warning.
pub(super) fn flagged(spectra: &[SpectrumRow], truth: &Truth) -> Vec<bool> {
    let mut known: HashMap<&str, bool> = HashMap::new();
    for row in spectra {
        if let Some(id) = truth.id_of(&row.spectrum_id) {
            *known.entry(id).or_insert(false) |= warns(row);
        }
    }
    truth.ids.iter().map(|id| known.get(id.as_str()).copied().unwrap_or(true)).collect()
}

fn warns(row: &SpectrumRow) -> bool {
    let converged = row.state.as_deref() == Some(FitState::Converged.as_str());
    row.status != Status::Ok || !converged || !row.qc_flags.is_empty()
}

/// Counts over the spectra of `truth`; `factor` on amplitudes before they are compared with it.
pub(super) fn of(
    spectra: &[SpectrumRow],
    rows: &[MetaboliteRow],
    truth: &Truth,
    column: Column,
    factor: f64,
) -> States {
    let mut all = States::default();
    let mut warned_of: HashMap<&str, bool> = HashMap::new();
    for row in spectra.iter().filter(|s| truth.id_of(&s.spectrum_id).is_some()) {
        all.spectra += 1;
        all.failed += usize::from(row.status != Status::Ok);
        for flag in &row.qc_flags {
            *all.flags.entry(flag.clone()).or_insert(0) += 1;
        }
        if let Some(state) = row.state.as_ref().filter(|_| row.status == Status::Ok) {
            *all.states.entry(state.clone()).or_insert(0) += 1;
        }
        let warned = warns(row);
        all.warned += usize::from(warned);
        warned_of.insert(&row.spectrum_id, warned);
    }
    for row in rows.iter().filter(|r| ASKED.contains(&r.metabolite.as_str())) {
        let Some(&warned) = warned_of.get(row.spectrum_id.as_str()) else { continue };
        let Some(&value) = truth.of(&row.spectrum_id).and_then(|t| t.get(&row.metabolite)) else { continue };
        let Some((estimate, sd)) = column.of(row) else { continue };
        all.amplitudes += 1;
        if ((factor * estimate - value) / (factor * sd)).abs() > WRONG {
            all.wrong += 1;
            all.wrong_with_warning += usize::from(warned);
        }
    }
    all
}
