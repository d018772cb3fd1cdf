//! A method of this family as data. Every name carries its unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which family of methods a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// The one of this module.
    Peaks,
}

/// Settings of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Always `peaks`.
    pub family: Family,
    /// Name under which the rows of the tables carry it.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Exponential that all spectra are multiplied with before they are fitted (FWHM, Hz).
    pub line_broadening_hz: f64,
    /// The spectra that are fitted, by the name of their combination (`diff`, `diff_gaba`; [`ONLY`] for that of a file
    /// which holds no other), and how many conditions each adds up.
    pub spectra: BTreeMap<String, u32>,
    /// What is fitted to them.
    pub difference: Target,
    /// What is fitted to another spectrum of the voxel, for ratios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creatine: Option<Target>,
    /// Iterations.
    pub solver: Solver,
}

/// What `spectra` calls the spectrum of a file that holds one.
pub const ONLY: &str = "only";

/// Peaks and background over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the spectrum, for `creatine`: a condition of the same file that stands negative in the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<String>,
    /// Fitted window, lower and upper end (ppm).
    pub window_ppm: [f64; 2],
    /// Largest shift of the spectrum either way (ppm).
    pub max_shift_ppm: f64,
    /// Lines by which shift and phase of the spectrum are found.
    pub reference: Vec<Line>,
    /// How far the peaks' common phase may be from there either way (degrees); 0: it is not fitted. Lorentzians only.
    pub phase_range_deg: f64,
    /// Terms of the background.
    pub background: Vec<Term>,
    /// Chemical shift at which `slope` is zero (ppm).
    pub slope_zero_ppm: f64,
    /// Regions whose squared residuals count less.
    pub down_weighted: Vec<Region>,
    /// Components by name, each with an amplitude of its own.
    pub components: BTreeMap<String, Component>,
}

/// A line that a spectrum is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Chemical shift (ppm).
    pub ppm: f64,
    /// Signal at t = 0, relative to that of the others; negative where it stands upside down.
    pub height: f64,
}

/// A term of the background; δ is the chemical shift (ppm), W the width of the window (ppm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// 1.
    Offset,
    /// (δ − `slope_zero_ppm`)/W.
    Slope,
    /// sin(πδ/4W).
    Sine,
    /// cos(πδ/4W).
    Cosine,
}

/// Part of a window with a weight of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Lower and upper end (ppm).
    pub ppm: [f64; 2],
    /// Weight of squared residuals; 1 elsewhere.
    pub weight: f64,
}

/// One or more peaks with a common meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// What its peaks look like.
    pub shape: Shape,
    /// Protons of a molecule that its peaks stand for.
    pub protons: f64,
    /// Part of these protons' signal that is seen in half of ON − OFF (1 in spectra that are no differences).
    pub editing_efficiency: f64,
    /// Part of the peaks' area that belongs to the molecule.
    pub share: f64,
    /// The peaks.
    pub peaks: Vec<Peak>,
}

/// The function of a peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// exp(−4·ln2·(δ − δ₀)²/FWHM²).
    Gaussian,
    /// 1/(1 + 4(δ − δ₀)²/FWHM²).
    Lorentzian,
}

/// One peak, with area, place and width of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// Place at the start (ppm).
    pub ppm: f64,
    /// How far it may lie from there either way (ppm).
    pub range_ppm: f64,
    /// Width (FWHM, ppm), line broadening included: smallest, start, largest.
    pub fwhm_ppm: [f64; 3],
}

/// Iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solver {
    /// Largest number of iterations.
    pub max_iterations: usize,
    /// Relative decrease of the sum of squares below which a fit has converged.
    pub tolerance: f64,
}

impl Settings {
    /// How many conditions the spectrum called `condition` (`None`: its file holds no other) adds up.
    ///
    /// # Errors
    /// Why the spectrum is none of those that the method fits.
    pub fn conditions(&self, condition: Option<&str>) -> Result<u32, String> {
        self.spectra.get(condition.unwrap_or(ONLY)).copied().ok_or_else(|| {
            let what = condition.map_or_else(
                || format!("the only spectrum of its file; if that is a difference, add `{ONLY} = 2` to [spectra] of a copy"),
                |c| format!("`{c}`"),
            );
            let fitted: Vec<String> = self.spectra.keys().map(|s| format!("`{s}`")).collect();
            format!("{} fits edited difference spectra ({}), and this is {what}", self.name, fitted.join(", "))
        })
    }
}
