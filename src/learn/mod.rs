//! Learning from the corpus: what the spectra of one protocol (and site) have in common becomes the prior of each.
//!
//! Empirical Bayes over the macromolecule pattern (areas, places, widths and their spread) and the common linewidth.
//! Concentrations are never pooled, and nothing about subjects or groups is seen. A learning pass is separate from
//! fitting: what was learned is a table, used by any later run or shard.

pub mod choose;
mod recipes;
mod training;
mod update;

use std::collections::{BTreeMap, BTreeSet};

pub use self::recipes::learn_recipes;
use self::training::{Reading, TrainingSpectrum, training_spectra};
use crate::corpus::Found;
use crate::engine::{Batch, Engine, Task};
use crate::fit::evidence::Evidence;
use crate::fit::{FitState, Method, Model};
use crate::interrupt;
use crate::learned::{Learned, LearnedGroup, Shared};
use crate::run::load::Header;
use crate::run::models::{ModelStore, Prepared};
use crate::run::{Inputs, Progress, RunError, RunOptions};

/// Which spectra learn from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of one field, sequence and echo time.
    Protocol,
    /// Those of one protocol at one site.
    Site,
}

/// How to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnOptions {
    /// Which spectra learn from one another.
    pub scope: Scope,
    /// Most passes.
    pub max_passes: usize,
    /// Most spectra of one group; more teach little, and these are kept in memory.
    pub max_spectra: usize,
}

impl LearnOptions {
    /// Four passes over up to a hundred spectra of each group.
    pub fn new(scope: Scope) -> Self {
        Self { scope, max_passes: 4, max_spectra: 100 }
    }
}

/// Fewest spectra from which anything is learned.
pub const MIN_SPECTRA: usize = 5;
/// A pass that moves nothing by more than this, in standard errors, is the last.
const SETTLED: f64 = 0.3;

type GroupKey = (String, Option<String>);

/// Learns from the inputs of `options`, for its first method. Pulses that were learned before are used and stay.
///
/// Which spectra take part in a group depends on their names alone, not on their order or on how the corpus is cut.
pub fn learn(
    options: &RunOptions,
    how: &LearnOptions,
    engine: &dyn Engine,
    progress: &dyn Progress,
) -> Result<Learned, RunError> {
    learn_found(options, &Inputs::find(options)?, how, engine, progress)
}

/// [`learn`] from inputs that were found before.
///
/// # Errors
/// As [`learn`].
pub fn learn_found(
    options: &RunOptions,
    inputs: &Inputs,
    how: &LearnOptions,
    engine: &dyn Engine,
    progress: &dyn Progress,
) -> Result<Learned, RunError> {
    let group = |found: &Found, header: &Header| -> Option<GroupKey> {
        Some((header.protocol.label(), found.site.clone().filter(|_| how.scope == Scope::Site)))
    };
    let read = Reading { options, progress, files_at_once: engine.files_at_once().max(1) };
    let groups = training_spectra(inputs.found(), &read, how.max_spectra, &group);
    if interrupt::asked() {
        return Err(RunError::Stopped);
    }
    // The pulses that were learned before.
    let before = Learned { groups: Vec::new(), ..options.learned.clone().unwrap_or_default() };
    let Some(settings) = options.methods.first().and_then(Method::as_map) else { return Ok(before) };
    let textbook = Shared::from_settings(settings);
    let large = groups.iter().filter(|(_, spectra)| spectra.len() >= MIN_SPECTRA);
    let mut learned = Learned { groups: large.map(|(key, _)| not_learned(key, &textbook)).collect(), ..before };
    let mut models = ModelStore::new(options)?;
    let mut open: BTreeSet<usize> = (0..learned.groups.len()).collect();
    for pass in 1..=how.max_passes {
        models.set_learning(learned.clone());
        let of_group = |index: &usize| {
            let group = &learned.groups[*index];
            groups.get(&(group.protocol.clone(), group.site.clone())).map_or(0, BTreeMap::len)
        };
        progress.learning(pass, open.len(), open.iter().map(of_group).sum());
        for index in open.clone() {
            let group = &mut learned.groups[index];
            let key = (group.protocol.clone(), group.site.clone());
            let evidence = evidence(&groups[&key], &models, engine);
            // What it tells is not what all spectra say.
            if interrupt::asked() {
                return Err(RunError::Stopped);
            }
            let step =
                if evidence.len() < MIN_SPECTRA { None } else { update::update(&group.shared, &textbook, &evidence) };
            let Some(step) = step else {
                open.remove(&index);
                continue;
            };
            group.shared = step.shared;
            group.errors = step.errors;
            group.lorentz_error_hz = step.lorentz_error_hz;
            group.n_spectra = step.n_spectra;
            group.n_passes = pass;
            if step.largest_change < SETTLED {
                open.remove(&index);
            }
        }
        if open.is_empty() {
            break;
        }
    }
    learned.groups.retain(|g| g.n_passes > 0);
    Ok(learned)
}

/// A group before the first pass.
fn not_learned((protocol, site): &GroupKey, textbook: &Shared) -> LearnedGroup {
    LearnedGroup {
        protocol: protocol.clone(),
        site: site.clone(),
        shared: textbook.clone(),
        errors: Vec::new(),
        lorentz_error_hz: f64::NAN,
        n_spectra: 0,
        n_passes: 0,
    }
}

/// What each spectrum says, with its frequency (MHz).
fn evidence(
    spectra: &BTreeMap<String, TrainingSpectrum>,
    models: &ModelStore<'_>,
    engine: &dyn Engine,
) -> Vec<(f64, Evidence)> {
    let prepared: Vec<(&TrainingSpectrum, Prepared)> = spectra
        .values()
        .take_while(|_| !interrupt::asked())
        .filter_map(|p| Some((p, models.model(&p.found, &p.header, &p.key, &p.spectrum, 0).ok()?)))
        .collect();
    let tasks = prepared.iter().map(|(p, prepared)| Task { model: prepared.model.as_ref(), fid: &p.spectrum.fid });
    let fits = engine.fit(&Batch { tasks: tasks.collect() });
    let f0_mhz = |prepared: &Prepared| match prepared.model.as_ref() {
        Model::Map(model) => model.band.f0_mhz,
        Model::Peers(_) | Model::Peaks(_) => f64::NAN,
    };
    let told = prepared.iter().zip(fits).filter(|(_, fit)| fit.result.state == FitState::Converged);
    told.filter_map(|((_, prepared), fit)| Some((f0_mhz(prepared), fit.result.evidence?))).collect()
}
