//! Components that left their place to stand in for a line that the model lacks.
//!
//! A stranger beside a peak need not show in residual and baseline: of two components at one place (free and
//! phosphorylated choline, say) one may move over to it, against the prior of its shift.

use super::search::Line;
use super::thresholds::{LEAST_DISPLACED_SD, LEAST_HEIGHT};
use crate::basis::names::Kind;
use crate::fit::map::Model;
use crate::fit::map::component::Component;
use crate::fit::result::{Amplitude, Curves, FitResult};

/// Where metabolites stand that are farther from their place than their priors allow: the tallest points of their curves,
/// the farthest first; `significance` counts standard deviations of the prior.
pub fn displaced(model: &Model, fit: &FitResult, curves: &Curves) -> Vec<Line> {
    let height = |curve: &[f64]| curve.iter().copied().fold(0.0, f64::max);
    let metabolites = || {
        let all = model.components.iter().zip(&fit.amplitudes).zip(&curves.components);
        all.filter(|((component, _), _)| component.kind == Kind::Metabolite)
    };
    let tallest = metabolites().map(|(_, curve)| height(curve)).fold(0.0, f64::max);
    let beside_ppm = (fit.shift_hz - curves.shift_hz) / model.band.f0_mhz;
    let mut lines: Vec<Line> = metabolites()
        .filter_map(|((component, amplitude), curve)| {
            let sd = amplitude.shift_hz.filter(|_| !amplitude.at_bound)?.abs() / component.shift_sd_hz;
            let (place, top) = curve.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
            let counts = sd > LEAST_DISPLACED_SD && *top > LEAST_HEIGHT * tallest;
            counts.then(|| Some(Line { ppm: curves.ppm.get(place)? + beside_ppm, height: *top, significance: sd }))?
        })
        .collect();
    lines.sort_by(|a, b| b.significance.total_cmp(&a.significance));
    lines
}

/// What the shifts and widths of the components cost by their priors, in units of the objective.
pub fn strain(model: &Model, fit: &FitResult) -> f64 {
    let common_hz = fit.lorentz_hz.unwrap_or(0.0);
    let of_one = |component: &Component, amplitude: &Amplitude| {
        let shift = amplitude.shift_hz.unwrap_or(0.0) / component.shift_sd_hz;
        let width = (amplitude.lorentz_hz.unwrap_or(common_hz) - common_hz) / component.width_sd_hz;
        shift * shift + width * width
    };
    let all = model.components.iter().zip(&fit.amplitudes).map(|(component, amplitude)| of_one(component, amplitude));
    Some(all.sum::<f64>()).filter(|sum| sum.is_finite()).unwrap_or(0.0)
}
