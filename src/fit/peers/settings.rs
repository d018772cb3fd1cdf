//! A method of this family as data. Every name carries its unit.

mod baseline;
mod lineshape;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use baseline::is_zero;
pub use baseline::{Baseline, Smoothing, Smoothness};
pub use lineshape::{KernelSmoothing, KernelStart, Lineshape, SmoothingSource};

use crate::fit::sample::settings::{SamplingSettings, Uncertainty};

/// Which family of methods a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// The one of this module.
    Separable,
}

/// Settings of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Always `separable`.
    pub family: Family,
    /// Name under which the rows of the tables carry it.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// How the errors of amplitudes are found.
    #[serde(default)]
    pub uncertainty: Uncertainty,
    /// What is compared.
    pub domain: Domain,
    /// Fitted window, lower and upper end (ppm); in the time domain the window of the start values.
    pub window_ppm: [f64; 2],
    /// The samples that are compared (time domain only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
    /// What the prior rows are counted in.
    pub priors_in: PriorsIn,
    /// Components that the method adds to the basis set.
    pub components: Components,
    /// Lineshape that components share beyond exponentials and Gaussians.
    pub lineshape: Lineshape,
    /// Shifts and widths that components share.
    pub groups: Groups,
    /// Shifts and widths of their own.
    pub own: Own,
    /// Phases.
    pub phase: Phase,
    /// Baseline.
    pub baseline: Baseline,
    /// Soft ratios between amplitudes.
    pub ratios: Ratios,
    /// Whether they hold in edited differences, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ratios_in_differences: bool,
    /// Start values.
    pub start: Start,
    /// How the regularisation is found.
    pub search: Search,
    /// Iterations.
    pub solver: Solver,
    /// Chains, where `uncertainty` asks for them.
    #[serde(default)]
    pub sampling: SamplingSettings,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Real part of the spectrum, zero-filled twofold.
    RealSpectrum,
    /// Real and imaginary part of the spectrum as acquired.
    ComplexSpectrum,
    /// Real and imaginary part of the samples.
    Time,
}

/// The samples that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Time that is left out at the beginning (s).
    pub first_s: f64,
    /// Least number of samples left out.
    pub first_samples: usize,
    /// Part of the acquisition that is compared, from its beginning.
    pub last_fraction: f64,
    /// Whether residual water is taken away (HSVD) even where preparation leaves it because it does not tower over the
    /// metabolites.
    pub without_water: bool,
}

/// What the prior rows are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorsIn {
    /// Standard deviation of the fit, the least so far, frozen after the first reference solution (LCModel).
    FitSd,
    /// Measured noise.
    NoiseSd,
}

/// Macromolecules that are added where the basis set has none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Macromolecules {
    /// LCModel's list (CHSIMU).
    Lcmodel,
    /// FSL-MRS's default peaks.
    Fsl,
    /// None.
    None,
}

/// Components that the method adds to the basis set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Components {
    /// Macromolecules, unless the basis set brings its own (members MM*, Mac*).
    pub macromolecules: Macromolecules,
    /// LCModel's lipids, unless the basis set brings its own (members Lip*).
    pub lipids: bool,
    /// The negative line at 3.93 ppm that takes what the CH2 of creatine lacks.
    pub minus_creatine_ch2: bool,
    /// Whether added macromolecules and lipids take the common lineshape.
    pub lineshape_on_added: bool,
}

/// Which components share shifts and widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupBy {
    /// Nothing is shared.
    None,
    /// All share.
    All,
    /// Metabolites share, and macromolecules with lipids.
    Kind,
}

/// Shifts and widths that components share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// Which.
    pub by: GroupBy,
    /// Largest shift either way (ppm); 0: no shift.
    pub max_shift_ppm: f64,
    /// Exponential damping: start and largest (1/s, FWHM = that/π); both 0: none.
    pub damping_per_s: [f64; 2],
    /// Gaussian rate g of exp(−g²t²): start and largest (1/s, FWHM = 0.53·g); both 0: none.
    pub gauss_per_s: [f64; 2],
}

/// Shifts and dampings that each component has for itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// Largest shift either way (ppm); 0: none.
    pub max_shift_ppm: f64,
    /// The same for methods that limit it in Hz, at every frequency of the spectrometer (Hz); `max_shift_ppm` is 0 then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_shift_hz: f64,
    /// Standard deviation of the shift around zero (ppm); 0: no prior.
    pub shift_sd_ppm: f64,
    /// The same for single components.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shift_sd_ppm_of: BTreeMap<String, f64>,
    /// Damping: start (and mean of the prior) and largest (1/s); both 0: none.
    pub damping_per_s: [f64; 2],
    /// Standard deviation of the damping (1/s); 0: no prior.
    pub damping_sd_per_s: f64,
    /// Frequency at which mean and standard deviation of the damping hold; they grow with the square root of the
    /// frequency (MHz). 0: they hold at every frequency.
    pub damping_at_mhz: f64,
    /// Whether the added macromolecules and lipids have LCModel's priors (CHSIMU) instead of these.
    pub added_as_lcmodel: bool,
    /// Largest shift either way of macromolecules and lipids (ppm), where it is another; 0: the same.
    pub max_shift_ppm_broad: f64,
    /// The same for methods that limit it in Hz (Hz); `max_shift_ppm_broad` is 0 then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_shift_hz_broad: f64,
    /// Largest damping of macromolecules and lipids (1/s), where it is another; 0: the same.
    pub max_damping_per_s_broad: f64,
}

/// Phases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Chemical shift at which the first-order phase is zero (ppm).
    pub pivot_ppm: f64,
    /// Largest change of the zero-order phase after the start (°).
    pub max_phi0_deg: f64,
    /// Largest first-order phase (°/ppm); 0 fixes it at zero.
    pub max_phi1_deg_per_ppm: f64,
    /// Standard deviation of the first-order phase around zero (°/ppm); 0: no prior.
    pub phi1_sd_deg_per_ppm: f64,
    /// What turns with the phases.
    pub turns: Turns,
}

/// What turns with the phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// Components.
    Components,
    /// Components and baseline.
    Model,
    /// The data, so that real parts of a model in phase are compared (ABfit): components turn within a fit, and the data
    /// by what was found, until nothing is left.
    Data,
}

/// Soft ratios between amplitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ratios {
    /// None.
    None,
    /// LCModel's table (CHRATO) in the scale of a preliminary solution.
    Lcmodel,
    /// TARQUIN's: amplitudes are pulled towards ratios of the solution before, and all of them towards zero.
    Tarquin,
    /// Osprey's: pairs are pulled towards their shares of what they come to without the pull.
    Osprey,
}

/// Start values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Start {
    /// LCModel's: shift by correlation with 2.01, 3.03 and 3.22 ppm, phases by the steepness of the real part, then
    /// a grid of fits with few components.
    Grid {
        /// Largest shift towards lower and higher ppm (ppm).
        max_shift_ppm: [f64; 2],
        /// Width of the lines (FWHM, ppm) at the start.
        fwhm_ppm: f64,
        /// Largest width that is handed on (ppm).
        max_fwhm_ppm: f64,
    },
    /// Shift and phase by correlation with tNAA + tCr + tCho of the basis set.
    Correlate {
        /// Largest shift (ppm).
        max_shift_ppm: f64,
    },
}

/// How the regularisation is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Search {
    /// The penalties' start values hold; braces, so that serde refuses other keys in its table.
    None {},
    /// LCModel's: by the probability that the reference solution, least regularised, is better.
    FTest {
        /// Range of that probability for the solution.
        probability: [f64; 2],
        /// Range of it while the lineshape is smoothed.
        probability_smoothing: [f64; 2],
        /// Most changes of the ratio of the penalties.
        max_decreases: usize,
        /// Most fits of one search.
        max_fits: usize,
        /// Most rounds with the data's phase corrected.
        max_rephasings: usize,
        /// Phase at the window's ends beyond which the data are rephased (°).
        max_phase_deg: f64,
    },
}

/// Iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solver {
    /// Largest number of iterations of one fit.
    pub max_iterations: usize,
    /// Relative decrease of the objective below which a fit has converged.
    pub tolerance: f64,
}

impl Settings {
    /// The same for edited differences.
    pub(crate) fn in_differences(mut self) -> Self {
        if !self.ratios_in_differences {
            self.ratios = Ratios::None;
        }
        self
    }
}
