//! Another spectrum of the same voxel, drawn over the fitted macromolecules: a metabolite-nulled one shows whether
//! what the fit calls macromolecules is what is there.

use std::ops::RangeInclusive;

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas};
use super::fit_plot::{FAINT_TEXT, FONT_PX, FitPlot, LEFT_PX, Layout, PLOT_WIDTH_PX, TEXT, extent};
use crate::basis::names::Kind;
use crate::compare::statistics::correlation;
use crate::fit::result::Curves;

/// Where macromolecules are compared (ppm): above lies residual water, below lipids from outside the voxel.
pub const OVERLAY_PPM: RangeInclusive<f64> = 0.6..=3.6;

/// Height of the panel (px), and of the lines of text at its top.
pub(super) const OVERLAY_PX: f64 = 220.0;
const HEAD_PX: f64 = 36.0;
const OTHER: RGBColor = RGBColor(70, 70, 70);
const FITTED: RGBColor = RGBColor(213, 94, 0);
const BASELINE: RGBColor = RGBColor(30, 110, 190);
const RULE: RGBColor = RGBColor(190, 190, 190);

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum OverlayError {
    /// Curves of different grids.
    #[error("the overlay has {length} points, the fit {expected}; both must be on the same grid")]
    Length {
        /// Points of the overlay.
        length: usize,
        /// Points of the fit.
        expected: usize,
    },
    /// The fit has no macromolecules, or the overlay no signal.
    #[error("nothing to compare: {what}")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
}

/// A spectrum over the fitted macromolecules, all on the fit's grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// What the spectrum is called in the picture.
    pub label: String,
    /// The spectrum, times `factor`.
    pub spectrum: Vec<f64>,
    /// Fitted macromolecules and lipids, without and with the baseline.
    pub macromolecules: Vec<f64>,
    /// See `macromolecules`.
    pub with_baseline: Vec<f64>,
    /// The one factor on the spectrum: least squares to macromolecules and baseline over [`OVERLAY_PPM`].
    pub factor: f64,
    /// Pearson's correlation over [`OVERLAY_PPM`] with macromolecules and baseline.
    pub correlation: f64,
    /// The same with the macromolecules alone.
    pub correlation_without_baseline: f64,
}

impl Overlay {
    /// Compares `spectrum` (real part, moved and phased as the fitted one was) with the curves of a fit, whose
    /// components are of `kinds`.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn new(label: String, kinds: &[Kind], curves: &Curves, spectrum: &[f64]) -> Result<Self, OverlayError> {
        let expected = curves.ppm.len();
        if spectrum.len() != expected {
            return Err(OverlayError::Length { length: spectrum.len(), expected });
        }
        let mut macromolecules = vec![0.0; expected];
        for (kind, curve) in kinds.iter().zip(&curves.components) {
            if matches!(kind, Kind::Macromolecule | Kind::Lipid) {
                macromolecules.iter_mut().zip(curve).for_each(|(sum, v)| *sum += v);
            }
        }
        let with_baseline: Vec<f64> = macromolecules.iter().zip(&curves.baseline).map(|(m, b)| m + b).collect();
        let pairs = |fitted: &[f64]| -> Vec<(f64, f64)> {
            let points = curves.ppm.iter().zip(spectrum.iter().zip(fitted));
            points.filter(|(ppm, _)| OVERLAY_PPM.contains(ppm)).map(|(_, (s, f))| (*s, *f)).collect()
        };
        let (alone, both) = (pairs(&macromolecules), pairs(&with_baseline));
        if alone.iter().all(|(_, fitted)| *fitted == 0.0) {
            return Err(OverlayError::Nothing {
                what: "the fit has no macromolecules; see the method's `macromolecules`",
            });
        }
        let power: f64 = both.iter().map(|(s, _)| s * s).sum();
        if !(power.is_finite() && power > 0.0) {
            return Err(OverlayError::Nothing { what: "the overlay is zero, or not finite" });
        }
        let factor = both.iter().map(|(s, f)| s * f).sum::<f64>() / power;
        Ok(Self {
            label,
            spectrum: spectrum.iter().map(|s| factor * s).collect(),
            macromolecules,
            with_baseline,
            factor,
            correlation: correlation(&both),
            correlation_without_baseline: correlation(&alone),
        })
    }

    /// The correlations in words.
    pub fn summary(&self) -> String {
        format!(
            "correlation over {:.1}–{:.1} ppm: {:.3} with macromolecules + baseline, {:.3} with macromolecules alone",
            OVERLAY_PPM.start(),
            OVERLAY_PPM.end(),
            self.correlation,
            self.correlation_without_baseline
        )
    }
}

impl FitPlot {
    /// Draws the overlay below `top`; its scale is its own, and said.
    pub(super) fn draw_overlay(&self, canvas: &Canvas<'_>, layout: &Layout, top: f64) -> Result<(), String> {
        let Some(overlay) = &self.overlay else { return Ok(()) };
        let shown = |curve: &[f64]| -> Vec<f64> {
            let points = self.ppm.iter().zip(curve);
            points.filter(|(ppm, _)| OVERLAY_PPM.contains(ppm)).map(|(_, v)| *v).collect()
        };
        let all = [&overlay.spectrum, &overlay.with_baseline, &self.baseline].map(|c| shown(c)).concat();
        let (low, high) = extent(&all).unwrap_or_default();
        let (low, high) = (low.min(0.0), high.max(0.0));
        let (first, last) = (top + HEAD_PX, top + OVERLAY_PX);
        let px_per_signal = 0.94 * (last - first) / (high - low).max(f64::MIN_POSITIVE);
        let zero = last + low * px_per_signal;
        // Beyond the compared range curves may leave the panel: they end there, not in its neighbours.
        let y = |value: f64| {
            let place = zero - value * px_per_signal;
            if (first - 6.0..=last + 6.0).contains(&place) { place } else { f64::NAN }
        };
        let [left, right] = [*OVERLAY_PPM.end(), *OVERLAY_PPM.start()].map(|ppm| layout.x(ppm));
        canvas.line(&[(LEFT_PX, zero), (LEFT_PX + PLOT_WIDTH_PX, zero)], RULE, 0.75)?;
        for end in [left, right] {
            canvas.line(&[(end, first), (end, last)], RULE, 1.0)?;
        }
        let curves = [
            (&overlay.spectrum, OTHER, 1.0, "overlay"),
            (&self.baseline, BASELINE, 1.0, "baseline"),
            (&overlay.with_baseline, FITTED, 1.6, "MM + baseline"),
        ];
        for (i, (curve, colour, width, name)) in curves.into_iter().enumerate() {
            canvas.line(&self.points(layout, |k| y(curve[k])), colour, width)?;
            let (x, place) = (LEFT_PX + PLOT_WIDTH_PX + 8.0, first + 10.0 + 16.0 * i as f64);
            canvas.line(&[(x, place), (x + 12.0, place)], colour, 1.6)?;
            canvas.text(name, (x + 16.0, place), Align::Left, FONT_PX, colour)?;
        }
        let scale = format!("scale ×{:.1}", px_per_signal / layout.px_per_signal);
        canvas.text(&scale, (LEFT_PX + PLOT_WIDTH_PX + 8.0, first + 60.0), Align::Left, 9.0, FAINT_TEXT)?;
        let said = format!("overlay: {} × {:.3}", overlay.label, overlay.factor);
        canvas.text(&said, (LEFT_PX, top + 8.0), Align::Left, FONT_PX, OTHER)?;
        canvas.text(&overlay.summary(), (LEFT_PX, top + 23.0), Align::Left, FONT_PX, TEXT)
    }
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
