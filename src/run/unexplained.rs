//! What a fit lacks: lines that no component has, and what may be offered for them.

use super::job::Job;
use super::measured;
use super::models::Prepared;
use crate::fit::result::Curves;
use crate::fit::strangers::displaced::{displaced, strain};
use crate::fit::strangers::evidence::Weighed;
use crate::fit::strangers::thresholds::{ANONYMOUS_HANDICAP, TALL};
use crate::fit::strangers::{Added, Line, library, search};
use crate::fit::{FitResult, FitState, Model};
use crate::prepare::Spectrum;

/// What a fit lacks.
pub(super) struct Found {
    /// Lines in residual and baseline.
    pub(super) lines: Vec<Line>,
    /// Components that stand in for a line.
    displaced: Vec<Line>,
    /// Lines in residual and baseline of a fit with a stiff baseline, where this one's is flexible.
    pub(super) probed: Vec<Line>,
    /// Chemical shifts (ppm) of added substances that are so tall that the fit may be wrong about them.
    pub(super) tall: Vec<f64>,
    pub(super) n_bins: usize,
    /// LCModel's signal-to-noise ratio: its curves are drawn for the search.
    pub(super) snr_lcmodel: Option<f64>,
}

impl Found {
    pub(super) fn lacks_something(&self) -> bool {
        !(self.lines.is_empty() && self.displaced.is_empty())
    }
}

/// What the first fit of a job lacks.
pub(super) fn find(job: &Job<'_>) -> Option<Found> {
    find_in(job.prepared.as_ref().ok()?, job.spectrum()?, &job.fit.as_ref()?.result)
}

/// What a fit lacks; `None` where it cannot be searched.
pub(super) fn find_in(prepared: &Prepared, spectrum: &Spectrum, fit: &FitResult) -> Option<Found> {
    let Model::Map(map) = prepared.model.as_ref() else { return None };
    if matches!(fit.state, FitState::NoSignal | FitState::Singular) {
        return None;
    }
    let curves = map.curves(&spectrum.fid, fit).at_frequency(spectrum.f0_mhz);
    let names = map.component_names();
    let lines = search(&curves, &names, fit, map.basis_linewidth_hz.unwrap_or(0.0), spectrum.f0_mhz)?;
    let displaced = displaced(map, fit, &curves);
    let tall = tall(&prepared.added, &names, &curves, (fit.shift_hz - curves.shift_hz) / spectrum.f0_mhz);
    let snr_lcmodel = measured::snr_lcmodel(&curves);
    Some(Found { lines, displaced, probed: Vec::new(), tall, n_bins: curves.ppm.len(), snr_lcmodel })
}

/// Where added substances are tall beside the metabolites.
fn tall(added: &[Added], names: &[String], curves: &Curves, beside_ppm: f64) -> Vec<f64> {
    let substances: Vec<String> = added.iter().filter(|a| a.line_ppm().is_none()).map(ToString::to_string).collect();
    let top = |k: usize| {
        let curve = curves.components.get(k)?;
        let (place, height) = curve.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((curves.ppm.get(place)? + beside_ppm, *height))
    };
    let (ours, others): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|&k| substances.contains(&names[k]));
    let tallest = others.iter().filter_map(|&k| top(k)).map(|(_, height)| height).fold(0.0, f64::max);
    ours.iter().filter_map(|&k| top(k)).filter(|(_, height)| *height > TALL * tallest).map(|(ppm, _)| ppm).collect()
}

/// What is offered to a job, each with the evidence that it must gain beyond others: every substance that has one of the
/// lines, and a line without a name at the first of each kind.
pub(super) fn offers(prepared: &Prepared, found: &Found) -> Vec<(Added, f64)> {
    let present = prepared.model.component_names();
    let lines: Vec<Line> = found.lines.iter().chain(&found.displaced).chain(&found.probed).copied().collect();
    let substances = library::candidates(&lines, &present).into_iter().map(|s| (Added::Substance(s), 0.0));
    let unknown = [&found.lines, &found.displaced, &found.probed].into_iter().filter_map(|lines| lines.first());
    let unknown = unknown.map(|line| (Added::line(line.ppm), ANONYMOUS_HANDICAP));
    substances.chain(unknown.filter(|(line, _)| !prepared.added.contains(line))).collect()
}

pub(super) fn weighed<'a>(model: &Model, fit: &'a FitResult) -> Weighed<'a> {
    let strain = match model {
        Model::Map(model) => strain(model, fit),
        Model::Peers(_) | Model::Peaks(_) => 0.0,
    };
    Weighed { fit, strain }
}
