//! Settings of the baseline and of its smoothness.

use serde::{Deserialize, Serialize};

/// Baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Baseline {
    /// None; braces, so that serde refuses other keys in its table.
    None {},
    /// None in the fit; the curves show the smoothed spectrum of what the fit of the samples left.
    SmoothedResidual {
        /// How it is smoothed.
        smoothing: Smoothing,
    },
    /// A polynomial over the window, real and imaginary part each where both are compared.
    Polynomial {
        /// Its order.
        order: usize,
    },
    /// Cubic B-splines on LCModel's knots.
    Spline {
        /// Least distance of knots (ppm).
        spacing_ppm: f64,
        /// Least distance of knots in widths of the start's lines.
        spacing_widths: f64,
        /// The same in the start's own fits.
        start_spacing_widths: f64,
        /// Weight of the roughness (LCModel's α_B for these knots): smallest, start, largest; all 0: none.
        penalty: [f64; 3],
        /// Weight below which a solution counts as worse (LCModel's ALPBPN).
        penalised_below: f64,
    },
    /// Cubic B-splines with a penalty on second differences, λ|D₂b|².
    PSpline {
        /// Splines per ppm.
        per_ppm: f64,
        /// Splines for each effective dimension in the fit itself, once that is chosen (ABfit-reg); 0: `per_ppm` there too.
        #[serde(default, skip_serializing_if = "is_zero")]
        per_ed: f64,
        /// How λ is found.
        smoothness: Smoothness,
    },
}

/// How a residual spectrum is smoothed; bins are those of the spectrum as acquired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// The half wave of a cosine that ends this many bins from its centre (TARQUIN).
    CosineHalfWidthBins(f64),
    /// A Gaussian of this standard deviation, cut at two and a half of them (varpro of spant).
    GaussianSdBins(f64),
}

/// How the λ of a P-spline is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothness {
    /// Fixed.
    Lambda(f64),
    /// So that the splines have this effective dimension per ppm.
    EdPerPpm(f64),
    /// So that they have this effective dimension.
    Ed(f64),
    /// Least modified AIC, ln SSE + m·2·ED/n (ABfit).
    ModifiedAic {
        /// Weight of the effective dimension.
        m: f64,
        /// Largest effective dimension per ppm that is tried.
        max_ed_per_ppm: f64,
        /// Smallest effective dimension that is tried.
        min_ed: f64,
        /// Values tried, evenly spaced in log λ.
        steps: usize,
    },
}

/// Zeros that say "not asked for" are not written.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
