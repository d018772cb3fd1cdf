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
use crate::fit::map::settings::{Macromolecules, Settings};
use crate::fit::{FitResult, FitState, Method, Model};
use crate::interrupt;
use crate::learned::{Learned, LearnedGroup, Shared};
use crate::quality;
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

/// Flags of spectra from which nothing is learned: noise, and lipids that no pattern has. A fit that is not that of the data is no
/// reason: the pattern that is not known yet may be the cause.
const NOT_LEARNED_FROM: [&str; 2] = ["low_snr", "lipids"];

/// Learns from the inputs of `options`, for the first of its methods that has a pattern. Pulses that were learned before are used and stay.
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
    let Some((method, settings)) = first_with_a_pattern(&options.methods) else {
        progress.noted(
            "nothing can be learned: none of the methods is of the family `map` with macromolecules = \"peaks\" or \"groups\"; \
             add `--method map`",
        );
        return Ok(before);
    };
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
            let (evidence, n_flagged) = evidence(&groups[&key], &models, method, engine);
            if n_flagged > 0 {
                progress.noted(&left_out(&key, n_flagged, groups[&key].len()));
            }
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

/// The first method from whose fits a pattern can be learned, and its number.
fn first_with_a_pattern(methods: &[Method]) -> Option<(usize, &Settings)> {
    let has_pattern = |settings: &Settings| {
        matches!(settings.components.macromolecules, Macromolecules::Peaks | Macromolecules::Groups)
    };
    methods.iter().enumerate().find_map(|(i, method)| Some((i, method.as_map().filter(|s| has_pattern(s))?)))
}

/// Whether a spectrum with these flags teaches nothing.
fn is_left_out(flags: &[&str]) -> bool {
    flags.iter().any(|flag| NOT_LEARNED_FROM.contains(flag))
}

fn left_out((protocol, site): &GroupKey, n_flagged: usize, n_spectra: usize) -> String {
    let site = site.as_ref().map(|site| format!(" · {site}")).unwrap_or_default();
    let flags = NOT_LEARNED_FROM.join(", ");
    format!("learning leaves out {n_flagged} of {n_spectra} spectra of {protocol}{site}: flagged ({flags})")
}

/// What each spectrum says, with its frequency (MHz), and how many are left out for their flags.
fn evidence(
    spectra: &BTreeMap<String, TrainingSpectrum>,
    models: &ModelStore<'_>,
    method: usize,
    engine: &dyn Engine,
) -> (Vec<(f64, Evidence)>, usize) {
    let prepared: Vec<(&TrainingSpectrum, Prepared)> = spectra
        .values()
        .take_while(|_| !interrupt::asked())
        .filter_map(|p| Some((p, models.model(&p.found, &p.header, &p.key, &p.spectrum, method).ok()?)))
        .collect();
    let tasks = prepared.iter().map(|(p, prepared)| Task { model: prepared.model.as_ref(), fid: &p.spectrum.fid });
    let fits = engine.fit(&Batch { tasks: tasks.collect() });
    let f0_mhz = |prepared: &Prepared| match prepared.model.as_ref() {
        Model::Map(model) => model.band.f0_mhz,
        Model::Peers(_) | Model::Peaks(_) => f64::NAN,
    };
    let is_flagged = |p: &TrainingSpectrum, prepared: &Prepared, fit: &FitResult| {
        let model = prepared.model.as_ref();
        let of_fit = quality::flags(fit, model.limits(), p.spectrum.f0_mhz, model.basis_linewidth_hz());
        is_left_out(&of_fit) || is_left_out(&p.spectrum.record.flags)
    };
    let mut n_flagged = 0;
    let converged = prepared.iter().zip(fits).filter(|(_, fit)| fit.result.state == FitState::Converged);
    let told = converged.filter_map(|((p, prepared), fit)| {
        if is_flagged(p, prepared, &fit.result) {
            n_flagged += 1;
            return None;
        }
        Some((f0_mhz(prepared), fit.result.evidence?))
    });
    (told.collect(), n_flagged)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_first_method_with_a_pattern_is_learned_for_wherever_it_stands() {
        let built_in = |name: &str| Method::built_in(name).unwrap().unwrap();
        let bare = Method::from_toml(&Settings::MAP_TOML.replacen("\"peaks\"", "\"none\"", 1)).unwrap();
        let of = |methods: &[Method]| first_with_a_pattern(methods).map(|(i, _)| i);
        assert_eq!(of(&[built_in("lcmodel-fast"), bare.clone(), built_in("map")]), Some(2));
        assert_eq!(of(&[built_in("map")]), Some(0));
        assert_eq!(of(&[built_in("lcmodel-fast"), bare]), None);
    }

    #[test]
    fn nothing_is_learned_from_spectra_that_are_flagged_as_unsound() {
        for flag in ["low_snr", "lipids"] {
            assert!(is_left_out(&["prior_strained", flag]), "{flag}");
        }
        // A pattern that is not the textbook's is what is to be learned.
        assert!(!is_left_out(&["prior_strained", "misfit", "fit_doubtful", "unmodelled_peak", "no_water_reference"]));
    }
}
