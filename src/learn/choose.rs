//! Which pulses a protocol's spectra speak for: the same spectra fitted with several basis sets, by the mean of χ².
//!
//! Candidates are compared on the spectra that all of them fit. What a fit leaves beyond the noise differs from spectrum to
//! spectrum far more than from candidate to candidate, so that differences within spectra are judged: their mean over their
//! standard error. Spectra of one head have the same anatomy and the same scanner's day: each head counts once. And in vivo
//! χ² holds what no basis set explains, which a wrong set may describe a little better by chance in all heads alike; no
//! standard error tells that. What is gained must therefore be a good part of what is left beyond the noise.
//! Amounts and groups of subjects are not looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::training::{Reading, TrainingSpectrum, training_spectra};
use crate::basis::simulate::Stated;
use crate::basis::simulate::pulses::Vendor;
use crate::corpus::Found;
use crate::engine::Engine;
use crate::fit::FitState;
use crate::interrupt;
use crate::prepare::Spectrum;
use crate::run::job::fitted;
use crate::run::load::Header;
use crate::run::models::{ModelStore, Prepared};
use crate::run::{Inputs, Progress, RunError, RunOptions};

/// Most spectra of a protocol that are fitted unless somebody asks for more.
pub const MOST_SPECTRA: usize = 60;
/// Fewest heads (subjects, or files where nobody names subjects) that say anything.
pub const FEWEST_HEADS: usize = 5;
/// How many standard errors another candidate must be better than what is taken today.
pub const CLEAR_ERRORS: f64 = 3.0;
/// How much it must gain, in parts of what it leaves beyond the noise itself (χ² − 1). Brains fitted with another vendor's
/// pulses than their scanner's gain up to 0.15 of it; ideal pulses lose 0.3 and more against the scanner's.
pub const CLEAR_PART: f64 = 0.25;

/// What spectra are fitted with.
#[derive(Debug, Clone)]
pub enum Candidate {
    /// What a run takes.
    Today,
    /// A vendor's pulses.
    Pulses(Vendor),
    /// A recipe file.
    Recipe(Arc<Stated>),
    /// A basis set.
    Basis(PathBuf),
}

impl Candidate {
    /// Its name for tables.
    pub fn name(&self) -> String {
        match self {
            Self::Today => "today's".to_owned(),
            Self::Pulses(vendor) => vendor.name().to_owned(),
            Self::Recipe(stated) => stated.name.clone(),
            Self::Basis(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// The options of a run that takes it.
    fn options(&self, options: &RunOptions) -> RunOptions {
        let options = options.clone();
        match self {
            Self::Today => options,
            Self::Pulses(_) => RunOptions { basis: None, recipe: None, ..options },
            Self::Recipe(stated) => RunOptions { basis: None, recipe: Some(stated.clone()), ..options },
            Self::Basis(path) => RunOptions { basis: Some(path.clone()), recipe: None, ..options },
        }
    }

    /// A spectrum's file and header as this candidate has them.
    fn stated(&self, one: &TrainingSpectrum) -> (Found, Header) {
        let (mut found, mut header) = (one.found.clone(), one.header.clone());
        if !matches!(self, Self::Today) {
            let overrides = Arc::make_mut(&mut found.overrides);
            (overrides.basis, overrides.recipe) = (None, None);
            header.facts.pulses = match self {
                Self::Pulses(vendor) => Some(vendor.name().to_owned()),
                _ => None,
            };
        }
        (found, header)
    }
}

/// How a candidate fits.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// Its name.
    pub name: String,
    /// Its pulses and first echo, or its basis set.
    pub what: String,
    /// Which vendor's pulses it has, and what first echo (s), where a manifest could state them.
    pub pulses: Option<(Vendor, Option<f64>)>,
    /// Mean of χ² over the spectra that all fit; not a number where it fits none.
    pub chi2: f64,
    /// Mean of its χ² less the best's, and the standard error of that.
    pub beyond: (f64, f64),
    /// Mean of today's χ² less its own, and the standard error of that.
    pub gain: (f64, f64),
    /// Why it fits none.
    pub failure: Option<String>,
}

impl Scored {
    /// What it leaves beyond the noise.
    pub fn unexplained(&self) -> f64 {
        (self.chi2 - 1.0).max(0.0)
    }
}

/// What the spectra of one protocol say.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Field, sequence and echo time ([`crate::basis::check::Protocol::label`]).
    pub protocol: String,
    /// The scanner's maker; `None` where files do not name it.
    pub vendor: Option<String>,
    /// Spectra that all candidates fit.
    pub spectra: usize,
    /// Heads that they are of.
    pub heads: usize,
    /// The candidates; what is taken today first.
    pub candidates: Vec<Scored>,
    /// The best of them.
    pub best: Option<usize>,
}

impl Chosen {
    /// The candidate that is to be taken instead of today's: only one that is better beyond doubt.
    pub fn better(&self) -> Option<&Scored> {
        let best = self.candidates.get(self.best.filter(|best| *best > 0)?)?;
        let (gain, error) = best.gain;
        let is_clear = gain > CLEAR_ERRORS * error && gain > CLEAR_PART * best.unexplained();
        (self.heads >= FEWEST_HEADS && is_clear).then_some(best)
    }
}

/// Fits up to `most` spectra of each protocol with each of `candidates`; what is taken today comes first by itself.
///
/// # Errors
/// [`RunError`]: nothing was found, a basis set cannot be read, or somebody asked to stop.
pub fn choose(
    options: &RunOptions,
    candidates: &[Candidate],
    most: usize,
    engine: &dyn Engine,
    progress: &dyn Progress,
) -> Result<Vec<Chosen>, RunError> {
    choose_found(options, &Inputs::find(options)?, &|_, _| true, (candidates, most), (engine, progress))
}

/// [`choose`] among the spectra that `is_wanted`, from inputs that were found before.
pub(super) fn choose_found(
    options: &RunOptions,
    inputs: &Inputs,
    is_wanted: &dyn Fn(&Found, &Header) -> bool,
    (candidates, most): (&[Candidate], usize),
    (engine, progress): (&dyn Engine, &dyn Progress),
) -> Result<Vec<Chosen>, RunError> {
    let group = |found: &Found, header: &Header| {
        is_wanted(found, header).then(|| (header.protocol.label(), header.facts.vendor.clone()))
    };
    let reading = Reading { options, progress, files_at_once: engine.files_at_once().max(1) };
    let groups = training_spectra(inputs.found(), &reading, most, &group);
    let all: Vec<Candidate> = std::iter::once(Candidate::Today).chain(candidates.iter().cloned()).collect();
    groups
        .into_iter()
        .map(|(group, spectra)| {
            let spectra: Vec<TrainingSpectrum> = spectra.into_values().collect();
            let tried = all.iter().map(|c| tried(c, &spectra, options, engine)).collect::<Result<Vec<_>, _>>()?;
            let heads: Vec<&str> =
                spectra.iter().map(|one| one.found.subject.as_deref().unwrap_or(&one.found.id)).collect();
            Ok(judged(group, tried, &heads))
        })
        .collect()
}

/// A candidate with its χ² of each spectrum.
struct Tried {
    scored: Scored,
    chi2: Vec<Option<f64>>,
    /// The basis set of the first spectrum: candidates with the same one are the same.
    basis: Option<String>,
}

fn tried(
    candidate: &Candidate,
    spectra: &[TrainingSpectrum],
    options: &RunOptions,
    engine: &dyn Engine,
) -> Result<Tried, RunError> {
    let options = candidate.options(options);
    let models = ModelStore::new(&options)?;
    let prepared: Vec<Result<Prepared, _>> = spectra
        .iter()
        .map(|one| {
            let (found, header) = candidate.stated(one);
            models.model(&found, &header, &one.key, &one.spectrum, 0)
        })
        .collect();
    let wanted: Vec<Option<(&Prepared, &Spectrum)>> =
        prepared.iter().zip(spectra).map(|(p, one)| Some((p.as_ref().ok()?, &one.spectrum))).collect();
    let fits = fitted(&wanted, engine);
    if interrupt::asked() {
        return Err(RunError::Stopped);
    }
    let chi2 = fits.iter().map(|fit| {
        let result = &fit.as_ref()?.result;
        Some(result.chi2_reduced).filter(|chi2| result.state == FitState::Converged && chi2.is_finite())
    });
    let first = prepared.iter().find_map(|p| p.as_ref().ok());
    let te1 = first.and_then(|p| p.pulses.te1_s).map(|s| format!(", TE1 {:.2} ms", 1e3 * s)).unwrap_or_default();
    let what = first.map(|p| match &p.pulses.name {
        Some(name) => format!("{name}{te1}"),
        None => p.basis_id.clone(),
    });
    let failure = prepared.iter().find_map(|p| p.as_ref().err()).map(|failure| failure.message.clone());
    let pulses = match candidate {
        Candidate::Pulses(vendor) => Some((*vendor, first.and_then(|p| p.pulses.te1_s))),
        _ => None,
    };
    let scored = Scored {
        name: candidate.name(),
        what: what.unwrap_or_default(),
        pulses,
        failure: failure.filter(|_| first.is_none()),
        ..Scored::default()
    };
    Ok(Tried { scored, chi2: chi2.collect(), basis: first.map(|p| p.basis_sha256.clone()) })
}

/// Candidates beside one another, on the spectra that all fit; those of equal basis sets stand once. `heads` says whose each
/// spectrum is.
fn judged((protocol, vendor): (String, Option<String>), tried: Vec<Tried>, heads: &[&str]) -> Chosen {
    let mut kept: Vec<Tried> = Vec::new();
    for one in tried {
        match kept.iter_mut().find(|k| one.basis.is_some() && k.basis == one.basis) {
            Some(same) if same.scored.pulses.is_none() => {
                same.scored.name = format!("{} ({})", same.scored.name, one.scored.name);
                same.scored.pulses = one.scored.pulses;
            }
            Some(_) => {}
            None => kept.push(one),
        }
    }
    let is_told = |tried: &Tried| tried.chi2.iter().any(Option::is_some);
    let n = if kept.iter().any(is_told) { heads.len() } else { 0 };
    let common: Vec<usize> = (0..n)
        .filter(|s| kept.iter().filter(|t| is_told(t)).all(|t| t.chi2.get(*s).copied().flatten().is_some()))
        .collect();
    let values = |tried: &Tried| -> Vec<(&str, f64)> {
        common.iter().filter_map(|s| Some((*heads.get(*s)?, tried.chi2.get(*s).copied().flatten()?))).collect()
    };
    let all: Vec<Vec<f64>> = kept.iter().map(|tried| of_heads(&values(tried))).collect();
    let means: Vec<f64> = all.iter().map(|v| mean_and_error(v).0).collect();
    let best = (0..means.len()).filter(|k| means[*k].is_finite()).min_by(|a, b| means[*a].total_cmp(&means[*b]));
    let apart = |a: &[f64], b: &[f64]| mean_and_error(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>());
    let of_all = all.iter().map(Vec::len).max().unwrap_or(0);
    let candidates = kept.into_iter().enumerate().map(|(k, tried)| Scored {
        chi2: means[k],
        beyond: best.map_or((f64::NAN, f64::NAN), |best| apart(&all[k], &all[best])),
        gain: apart(&all[0], &all[k]),
        ..tried.scored
    });
    Chosen { protocol, vendor, spectra: common.len(), heads: of_all, candidates: candidates.collect(), best }
}

/// The mean of each head, in the order of their names.
fn of_heads(values: &[(&str, f64)]) -> Vec<f64> {
    let mut heads: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (head, value) in values {
        heads.entry(head).or_default().push(*value);
    }
    heads.values().map(|of_one| mean_and_error(of_one).0).collect()
}

/// Mean and its standard error; not numbers where there are too few values.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
