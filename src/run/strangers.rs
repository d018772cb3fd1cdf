//! Spectra that ask for components their basis set lacks: looked for, offered, and kept where the evidence says so.

use rayon::prelude::*;

use super::RunOptions;
use super::job::Job;
use super::models::ModelStore;
use super::trials::Trials;
use super::unexplained::{Found, find};
use crate::engine::Engine;
use crate::fit::strangers::thresholds::MOST_ADDED;

/// Looks at every fit, and fits again those that lack something, as often as it helps.
pub(super) fn look(jobs: &mut [Job<'_>], options: &RunOptions, models: &ModelStore<'_>, engine: &dyn Engine) {
    let mut found: Vec<Option<Found>> = jobs.par_iter().map(find).collect();
    let mut open: Vec<usize> = (0..jobs.len()).filter(|&i| takes_offers(&jobs[i], options)).collect();
    for _ in 0..MOST_ADDED {
        let trials = Trials { jobs, models, engine };
        for (i, lines) in trials.probes(&found, &open) {
            if let Some(found) = &mut found[i] {
                found.probed = lines;
            }
        }
        let kept = trials.offers(&found, &open);
        if kept.is_empty() {
            break;
        }
        open = kept.keys().copied().collect();
        for (i, offer) in kept {
            jobs[i].added = offer.added;
            jobs[i].fit = Some(offer.fit);
            found[i] = offer.found;
        }
    }
    for (job, found) in jobs.iter_mut().zip(found) {
        let (Some(fit), Some(found)) = (&mut job.fit, found) else { continue };
        job.snr_lcmodel = Some(found.snr_lcmodel);
        let unknown = job.added.iter().filter_map(|added| added.line_ppm());
        let peaks = unknown.chain(found.tall).chain(found.lines.iter().map(|line| line.ppm)).collect();
        fit.result.unmodelled_peaks_ppm = Some(peaks);
    }
}

/// Whether a job's method wants further components. What editing leaves of a substance nobody simulates.
fn takes_offers(job: &Job<'_>, options: &RunOptions) -> bool {
    let asks = options.methods[job.method].as_map().is_some_and(|settings| settings.components.strangers);
    asks && job.loaded.header_of(job.key()).n_conditions.is_none()
}
