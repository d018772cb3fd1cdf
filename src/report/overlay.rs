//! Another spectrum of the same voxel, drawn over the fitted macromolecules: a metabolite-nulled one shows whether
//! what the fit calls macromolecules is what is there.

use std::ops::RangeInclusive;

use crate::basis::names::Kind;
use crate::compare::statistics::correlation;
use crate::fit::result::Curves;

/// Where macromolecules are compared (ppm): above lies residual water, below lipids from outside the voxel.
pub const OVERLAY_PPM: RangeInclusive<f64> = 0.6..=3.6;

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

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
