//! Fits of spectra with models that only they may need: with a further component, or with a stiff baseline.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::job::{Job, fitted};
use super::models::{Extra, ModelStore, Prepared};
use super::unexplained::{Found, find_in, offers, weighed};
use crate::engine::{Engine, Fitted};
use crate::fit::strangers::evidence::{self, Weighed};
use crate::fit::strangers::thresholds::FLEXIBLE_PART;
use crate::fit::strangers::{Added, Line};

/// Those who try.
pub(super) struct Trials<'t, 'j> {
    pub(super) jobs: &'t [Job<'j>],
    pub(super) models: &'t ModelStore<'t>,
    pub(super) engine: &'t dyn Engine,
}

/// A further component that a job keeps.
pub(super) struct Offer {
    /// With those before it.
    pub(super) added: Vec<Added>,
    pub(super) fit: Fitted,
    /// What the fit still lacks.
    pub(super) found: Option<Found>,
    gain: f64,
}

/// A fit that is tried.
struct Trial {
    /// Number of the job.
    job: usize,
    extra: Extra,
    /// By how much it must gain beyond others.
    handicap: f64,
    /// What shifts and widths of the fit before cost.
    strain_before: f64,
}

impl Trials<'_, '_> {
    /// Lines that jobs lack, by fits with a stiff baseline of those of `open` that lack something and whose baseline is flexible.
    pub(super) fn probes(&self, found: &[Option<Found>], open: &[usize]) -> Vec<(usize, Vec<Line>)> {
        let probe = |&job: &usize| {
            let (job_of, found) = (&self.jobs[job], found[job].as_ref()?);
            let (prepared, fit) = (job_of.prepared.as_ref().ok()?, job_of.fit.as_ref()?);
            let most = prepared.model.limits().max_baseline_ed?;
            let is_open = found.lacks_something() && fit.result.baseline_ed > FLEXIBLE_PART * most;
            let extra = Extra { added: job_of.added.clone(), stiff: true };
            is_open.then_some(Trial { job, extra, handicap: 0.0, strain_before: 0.0 })
        };
        let trials: Vec<Trial> = open.iter().filter_map(probe).collect();
        self.judged(&trials, |trial, with, fit| {
            Some((trial.job, find_in(with, self.jobs[trial.job].spectrum()?, &fit.result)?.lines))
        })
    }

    /// The best offer to each job of `open` that gains enough by one.
    pub(super) fn offers(&self, found: &[Option<Found>], open: &[usize]) -> BTreeMap<usize, Offer> {
        let of_job = |&job: &usize| {
            let (job_of, found) = (&self.jobs[job], found[job].as_ref()?);
            found.lacks_something().then_some(())?;
            let (prepared, before) = (job_of.model_of_fit(self.models).ok()?, job_of.fit.as_ref()?);
            let strain_before = weighed(&prepared.model, &before.result).strain;
            let with = |component| job_of.added.iter().copied().chain([component]).collect();
            let trial = |(component, handicap)| Trial {
                job,
                extra: Extra { added: with(component), stiff: false },
                handicap,
                strain_before,
            };
            Some(offers(&prepared, found).into_iter().map(trial).collect::<Vec<_>>())
        };
        let trials: Vec<Trial> = open.par_iter().filter_map(of_job).flatten().collect();
        let mut best: BTreeMap<usize, Offer> = BTreeMap::new();
        for (job, offer) in self.judged(&trials, |trial, with, fit| self.offer(trial, with, fit, found)) {
            if best.get(&job).is_none_or(|best| offer.gain > best.gain) {
                best.insert(job, offer);
            }
        }
        best
    }

    /// What a trial offers, if it gains enough.
    fn offer(&self, trial: &Trial, with: &Prepared, fit: Fitted, found: &[Option<Found>]) -> Option<(usize, Offer)> {
        let (job, n_bins) = (&self.jobs[trial.job], found[trial.job].as_ref()?.n_bins);
        let without = Weighed { fit: &job.fit.as_ref()?.result, strain: trial.strain_before };
        let weight = weighed(&with.model, &fit.result);
        let gain = evidence::gain(without, weight, n_bins) - trial.handicap;
        evidence::is_enough(gain, without, weight, n_bins).then_some(())?;
        let found = find_in(with, job.spectrum()?, &fit.result);
        Some((trial.job, Offer { added: trial.extra.added.clone(), fit, found, gain }))
    }

    /// What `judge` makes of the fit of each trial, in their order. As many models as there is memory for exist at a time.
    fn judged<R: Send>(
        &self,
        trials: &[Trial],
        judge: impl Fn(&Trial, &Prepared, Fitted) -> Option<R> + Sync,
    ) -> Vec<R> {
        let n_points = trials.iter().filter_map(|trial| Some(self.jobs[trial.job].spectrum()?.fid.len())).max();
        let at_once = self.models.at_once(n_points.unwrap_or(0));
        let mut judged = Vec::new();
        for some in trials.chunks(at_once) {
            let with = |trial: &Trial| self.jobs[trial.job].model_with(&trial.extra, self.models).ok();
            let prepared: Vec<Option<Prepared>> = some.par_iter().map(with).collect();
            let wanted = some.iter().zip(&prepared);
            let wanted: Vec<_> =
                wanted.map(|(trial, with)| Some((with.as_ref()?, self.jobs[trial.job].spectrum()?))).collect();
            let fits = fitted(&wanted, self.engine);
            let one = |((trial, with), fit): ((&Trial, &Option<Prepared>), _)| judge(trial, with.as_ref()?, fit?);
            judged.par_extend(some.par_iter().zip(&prepared).zip(fits).filter_map(one));
        }
        judged
    }
}
