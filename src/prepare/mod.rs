//! [`Acquisition`] to [`Spectrum`]: one file a step, each leaves its numbers.

pub mod align;
pub mod average;
pub mod broken;
pub mod coils;
mod coils_of_water;
pub mod condition;
pub mod dynamics;
pub mod eddy;
pub mod edit;
mod edit_combined;
mod edit_contradiction;
mod edit_decision;
mod edit_evidence;
pub mod edit_order;
mod edit_unstated;
pub mod error;
pub mod figures;
mod narrow;
pub mod reject;
pub mod residual_water;
pub mod settings;
mod spectrum;
pub mod water;
mod water_readouts;

use num_complex::Complex64;

use self::condition::Aligned;
use self::dynamics::Part;
use self::settings::Step;
use crate::acquisition::{Acquisition, Origin};
use crate::signal::magnitudes::{METABOLITES_PPM, Magnitudes, WATER_PPM};
use crate::signal::water_removal::{self, Removal};

pub use error::PrepareError;
pub use settings::{CoilMethod, Preparation, Settings};
pub use spectrum::{Record, Spectrum};
pub use water_readouts::UNSUPPRESSED;

/// Height of lipids over NAA's from which they disturb: macromolecules reach a third of it at short echo times.
pub const LIPIDS: f64 = 1.0;

/// A spectrum of a voxel: the label of its condition or combination (`None` where the file holds one), and what came
/// of it.
pub type Labelled = (Option<String>, Result<Spectrum, PrepareError>);

/// Prepares all conditions of one voxel of `data`, with its water reference if there is one; of edited data the
/// differences and the sum as well.
///
/// The reference is averaged in the same way; its condition 0 serves all conditions where it has fewer.
pub fn prepare(data: &Acquisition, water: Option<&Acquisition>, voxel: usize) -> Vec<Labelled> {
    prepare_with(&Preparation::default(), data, water, voxel)
}

/// [`prepare`] by other settings. With [`Preparation::None`] edited data are not combined. Of a time course all parts come,
/// one after the other.
pub fn prepare_with(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
) -> Vec<Labelled> {
    prepare_parts(preparation, data, water, voxel).into_iter().flat_map(|(_, labelled)| labelled).collect()
}

/// What became of each part of a time course, with its number; `None` where all transients are averaged.
pub fn prepare_parts(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
) -> Vec<(Option<usize>, Vec<Labelled>)> {
    let mut conditions: Vec<Result<Aligned<'_>, PrepareError>> =
        (0..data.n_conditions()).map(|condition| Aligned::new(preparation, data, water, voxel, condition)).collect();
    let is_edited = edit::is_edited(data) && preparation != &Preparation::None;
    if is_edited {
        keep_together(&mut conditions);
        flag_mixed(data, &mut conditions);
    }
    let prepared = |part: Option<&Part>| {
        let mut all = match is_edited {
            true => edited(preparation, data, &conditions, part),
            false => apart(preparation, data, &conditions, part),
        };
        // The header's word goes before what the data look like.
        if data.facts.water_suppressed == Some(false) {
            all.iter_mut().filter_map(|(_, spectrum)| spectrum.as_mut().ok()).for_each(flag_unsuppressed);
        }
        all
    };
    let Some(dynamics) = preparation.settings().and_then(|settings| settings.dynamics.as_ref()) else {
        return vec![(None, prepared(None))];
    };
    match dynamics.parts(data) {
        Ok(parts) => parts.iter().map(|part| (Some(part.index), prepared(Some(part)))).collect(),
        Err(error) => vec![(None, vec![(None, Err(error))])],
    }
}

/// Conditions that are analysed apart.
fn apart(
    preparation: &Preparation,
    data: &Acquisition,
    conditions: &[Result<Aligned<'_>, PrepareError>],
    part: Option<&Part>,
) -> Vec<Labelled> {
    let several = conditions.len() > 1;
    // Fits look for `diff` and `off`, however the file writes them.
    let has_combination = data.condition_labels.iter().any(|label| edit::combination_of(label).is_some());
    let finished = conditions.iter().enumerate().map(|(condition, aligned)| {
        let label = data.condition_labels.get(condition).filter(|label| !label.is_empty());
        let label = label.map(|label| match edit::combination_of(label) {
            Some(combination) if !label.to_lowercase().starts_with("diff_") => combination.to_owned(),
            Some(_) => label.to_lowercase(),
            None if has_combination => label.to_lowercase(),
            None => label.clone(),
        });
        let label = label.or_else(|| several.then(|| condition.to_string()));
        let average = aligned.as_ref().map_err(Clone::clone).and_then(|aligned| aligned.average(part));
        (label, average.map(|spectrum| finish(preparation, spectrum)))
    });
    finished.collect()
}

/// Leaves transients that are spoilt in one condition out of all.
fn keep_together(conditions: &mut [Result<Aligned<'_>, PrepareError>]) {
    let cycles = conditions.iter().flatten().map(|a| a.record.kept.len()).min().unwrap_or(0);
    let keep: Vec<bool> = (0..cycles).map(|t| conditions.iter().flatten().all(|a| a.record.kept[t])).collect();
    conditions.iter_mut().flatten().for_each(|aligned| aligned.record.kept.clone_from(&keep));
}

/// Flags all conditions of a single voxel where the file's labels or counters keep transients apart that NAA puts together.
/// An order that a manifest states or that the data told was held against the data before.
fn flag_mixed(data: &Acquisition, conditions: &mut [Result<Aligned<'_>, PrepareError>]) {
    let is_told = data.editing.as_ref().is_some_and(|e| e.origin != Origin::File && e.turns.is_some());
    if is_told || data.n_voxels() > 1 || data.n_transients() < 2 {
        return;
    }
    let Ok((dwell_s, f0_mhz)) = error::check_header(data) else { return };
    let looked_at: Vec<Vec<&[Complex64]>> = conditions.iter().flatten().map(Aligned::looked_at).collect();
    if looked_at.len() == conditions.len() && edit_contradiction::mixed_in_file(&looked_at, dwell_s, f0_mhz).is_some() {
        conditions.iter_mut().flatten().for_each(|aligned| aligned.record.flags.push("edit_order_contradicted"));
    }
}

/// Edited data: conditions are aligned before they are combined.
fn edited(
    preparation: &Preparation,
    data: &Acquisition,
    conditions: &[Result<Aligned<'_>, PrepareError>],
    part: Option<&Part>,
) -> Vec<Labelled> {
    let labels = || data.condition_labels.iter().map(|label| Some(label.to_lowercase()));
    let average = |aligned: &Result<Aligned<'_>, PrepareError>| match aligned {
        Ok(aligned) => aligned.average(part),
        Err(error) => Err(error.clone()),
    };
    let averaged: Result<Vec<Spectrum>, PrepareError> = conditions.iter().map(average).collect();
    let mut spectra = match averaged {
        Ok(spectra) => spectra,
        Err(error) => return labels().map(|label| (label, Err(error.clone()))).collect(),
    };
    let (dwell_s, f0_mhz) = (spectra[0].dwell_s, spectra[0].f0_mhz);
    let mut fids: Vec<Vec<Complex64>> = spectra.iter_mut().map(|s| std::mem::take(&mut s.fid)).collect();
    let aligned = !preparation.has(Step::Align) || edit::align(&mut fids, dwell_s, f0_mhz).is_some();
    let scheme = edit::scheme(data, &fids, dwell_s, f0_mhz);
    let mut record = Record { kept: Vec::new(), offsets: None, motion: None, ..spectra[0].record.clone() };
    record.n_transients = spectra.iter().map(|s| s.record.n_transients).sum();
    record.n_kept = spectra.iter().map(|s| s.record.n_kept).sum();
    record.snr_before = None;
    let have = |flag: &str| spectra.iter().any(|s| s.record.flags.contains(&flag));
    if have("broken_transients") {
        broken::flag_transients(&mut record);
    }
    if have("broken_coils") {
        broken::flag_coils(&mut record);
    }
    if !aligned {
        record.flags.push("subspectra_not_aligned");
    }
    // Two conditions have one difference, four have two.
    if 2 * (scheme.combinations.len() - 1) < spectra.len() {
        record.flags.push("edit_order_unknown");
    }
    // Where the stated order is refuted already, the whole measurement has the flag.
    let is_known = data.flags.contains(&"edit_order_contradicted") || have("edit_order_contradicted");
    if !is_known && edit::is_contradicted(data, &fids, dwell_s, f0_mhz) {
        record.flags.push("edit_order_contradicted");
        spectra.iter_mut().for_each(|s| s.record.flags.push("edit_order_contradicted"));
    }
    let combined = scheme.combinations.iter().map(|c| {
        let fid = edit::combine(&fids, &c.signs);
        let spectrum = Spectrum { fid, dwell_s, f0_mhz, record: record.clone() };
        (Some(c.name.clone()), Ok(finish(preparation, spectrum)))
    });
    let combined: Vec<Labelled> = combined.collect();
    let single = spectra.into_iter().zip(fids).zip(scheme.labels);
    let single =
        single.map(|((spectrum, fid), label)| (Some(label), Ok(finish(preparation, Spectrum { fid, ..spectrum }))));
    single.chain(combined).collect()
}

fn flag_unsuppressed(spectrum: &mut Spectrum) {
    let record = &mut spectrum.record;
    if !record.flags.contains(&"water_not_suppressed") {
        record.flags.push("water_not_suppressed");
    }
}

/// Takes residual water away, and says how good the spectrum is.
fn finish(preparation: &Preparation, mut spectrum: Spectrum) -> Spectrum {
    let Spectrum { fid, dwell_s, f0_mhz, record } = &mut spectrum;
    let water = Magnitudes::new(fid, *dwell_s, *f0_mhz).tallest(WATER_PPM);
    if preparation.has(Step::ResidualWater) {
        match water_removal::remove(fid, *dwell_s, *f0_mhz) {
            Removal::NotNeeded => {}
            Removal::Removed => record.water_removed = true,
            Removal::Failed => record.flags.push("water_removal_failed"),
        }
    }
    let magnitudes = Magnitudes::new(fid, *dwell_s, *f0_mhz);
    record.snr_after = magnitudes.snr();
    record.lipid_index = magnitudes.lipid_index();
    if record.lipid_index.is_some_and(|index| index > LIPIDS) {
        record.flags.push("lipids");
    }
    if water > UNSUPPRESSED * magnitudes.tallest(METABOLITES_PPM) {
        flag_unsuppressed(&mut spectrum);
    }
    spectrum
}

#[cfg(test)]
mod edit_test_scans;
