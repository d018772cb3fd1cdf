//! Which pulses the simulated basis sets of each protocol are to have, as its spectra say.
//!
//! What a header, a manifest or a setting states is not asked: only spectra whose pulses would be assumed take part, and only
//! they get what was learned. The rule is [`super::choose`]'s.

use super::choose::{Candidate, Chosen, MOST_SPECTRA, Scored, choose_found};
use crate::basis::simulate::Timing;
use crate::basis::simulate::pulses::Vendor;
use crate::corpus::Found;
use crate::engine::Engine;
use crate::interrupt;
use crate::learned::{CandidateFit, LearnedRecipe};
use crate::run::load::Header;
use crate::run::{Inputs, Progress, RunError, RunOptions};

/// Learns the pulses of the simulated sets from the inputs of `options`, by its first method.
///
/// Which spectra take part depends on their names alone, not on their order or on how the corpus is cut. Protocols whose usual
/// pulses stay are told as well.
///
/// # Errors
/// [`RunError`]: a basis set cannot be made ready, or somebody asked to stop.
pub fn learn_recipes(
    options: &RunOptions,
    inputs: &Inputs,
    engine: &dyn Engine,
    progress: &dyn Progress,
) -> Result<Vec<LearnedRecipe>, RunError> {
    let is_assumed = |found: &Found, header: &Header| {
        let is_given = options.basis.is_some() || found.overrides.basis.is_some();
        let is_ordered = options.recipe.is_some() || found.overrides.recipe.is_some();
        let timing = Timing::of(&header.facts);
        !is_given && !is_ordered && timing.unknown_pulses.is_none() && !timing.known.is_stated()
    };
    let candidates = Vendor::ALL.map(Candidate::Pulses);
    let usual = RunOptions { learned: None, ..options.clone() };
    let chosen = choose_found(&usual, inputs, &is_assumed, (&candidates, MOST_SPECTRA), (engine, progress))?;
    if interrupt::asked() {
        return Err(RunError::Stopped);
    }
    Ok(chosen.iter().map(learned).collect())
}

fn learned(chosen: &Chosen) -> LearnedRecipe {
    let fit = |one: &Scored| CandidateFit { name: one.name.clone(), chi2: one.chi2, gain: one.gain };
    LearnedRecipe {
        protocol: chosen.protocol.clone(),
        vendor: chosen.vendor.clone(),
        taken: chosen.better().and_then(|better| better.pulses).map(|(vendor, _)| vendor),
        candidates: chosen.candidates.iter().map(fit).collect(),
        n_spectra: chosen.spectra,
        n_heads: chosen.heads,
    }
}
