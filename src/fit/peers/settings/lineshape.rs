//! Settings of the lineshape that components share.

use serde::{Deserialize, Serialize};

/// Lineshape that components share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lineshape {
    /// None; braces, so that serde refuses other keys in its table.
    None {},
    /// A free kernel over frequency (LCModel, Osprey): its points on either side of the centre.
    Kernel {
        /// Half-length of the kernel in half widths of the start's lines.
        reach: f64,
        /// Fewest points on a side.
        min_side_points: usize,
        /// Most points on a side; a longer kernel has gaps.
        max_side_points: usize,
        /// FWHM of the Gaussian that it is smoothed with before extrema and inflections are counted.
        smoothing_ppm: KernelSmoothing,
        /// Weight of its second differences (LCModel's α_S): smallest, start, largest; all 0: none.
        penalty: [f64; 3],
        /// What it is at the start.
        #[serde(default, skip_serializing_if = "KernelStart::is_gaussian")]
        start: KernelStart,
    },
    /// Pseudo-Voigt with a width that changes over the line (ABfit).
    Asymmetric {
        /// Width at the start (FWHM, Hz).
        start_hz: f64,
        /// Largest width (FWHM, Hz).
        max_hz: f64,
        /// Largest asymmetry.
        max_asymmetry: f64,
        /// Standard deviation of the asymmetry around zero; 0: no prior.
        asymmetry_sd: f64,
    },
}

/// FWHM of the Gaussian that a free kernel is smoothed with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a width in ppm, or \"basis\"")]
pub enum KernelSmoothing {
    /// This (ppm).
    Ppm(f64),
    /// What something else says.
    Of(SmoothingSource),
}

/// What says how a kernel is smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmoothingSource {
    /// FWHMBA of the basis set, as LCModel has it.
    Basis,
}

/// What a free kernel is at the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelStart {
    /// A Gaussian of the width of the start's lines (LCModel).
    #[default]
    Gaussian,
    /// One at its centre: no broadening (Osprey).
    Delta,
}

impl KernelStart {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_gaussian(&self) -> bool {
        *self == Self::Gaussian
    }
}
