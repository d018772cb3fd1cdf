//! A method as data: every setting of a fit, with its unit in the name.

use serde::{Deserialize, Serialize};

use crate::fit::macromolecules::PatternPeak;
use crate::fit::sample::settings::{SamplingSettings, Uncertainty};

/// Settings of one method; [`Settings::map`] reads the built-in one, users copy and change it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name under which the rows of the tables carry it.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Fitted window, lower and upper end (ppm).
    pub window_ppm: [f64; 2],
    /// Largest number of Gauss–Newton iterations.
    pub max_iterations: usize,
    /// Which values are reported.
    #[serde(default)]
    pub estimate: Estimate,
    /// How the errors of amplitudes are found.
    #[serde(default)]
    pub uncertainty: Uncertainty,
    /// Components that the method adds to the basis set.
    pub components: ComponentSettings,
    /// Priors of shifts, widths, phase and amplitude ratios.
    pub priors: PriorSettings,
    /// Baseline.
    pub baseline: BaselineSettings,
    /// Start values.
    pub start: StartSettings,
    /// Chains, where `uncertainty` asks for them.
    #[serde(default)]
    pub sampling: SamplingSettings,
}

/// What is reported of widths and all that hangs on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Estimate {
    /// The most probable values of all parameters together. Widths come out too narrow, and amplitudes too low.
    #[default]
    Mode,
    /// The common widths at the mode of their marginal posterior, everything else integrated out (Laplace's
    /// approximation), and all other parameters at their most probable values for these widths.
    Marginal,
}

/// Which macromolecules are added where the basis set has none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Macromolecules {
    /// The complete 3 T pattern in five groups.
    Groups,
    /// The pattern, every peak free around it: the built-in one, or the method's own.
    Peaks,
    /// LCModel's list (0.9–2.1 ppm only).
    Lcmodel,
    /// None.
    None,
}

/// Components that the method adds to the basis set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentSettings {
    /// Macromolecules, unless the basis set brings its own (members MM*, Mac*).
    pub macromolecules: Macromolecules,
    /// LCModel's lipids, unless the basis set brings its own (members Lip*).
    pub lipids: bool,
    /// Beside a single measured pattern (`Mac*`), which is rigid: LCModel's macromolecules with a
    /// prior towards zero of this standard deviation, relative to total creatine (0: none).
    pub beside_measured_sd: f64,
    /// Softness of the common scale of macromolecule groups (relative standard deviation).
    pub pattern_sd: f64,
    /// Softness of the peaks' areas within their group (relative standard deviation; `peaks` only).
    pub pattern_peak_sd: f64,
    /// Standard deviation of the extra Lorentzian width of pattern macromolecules, relative to their
    /// own width.
    pub pattern_width_sd: f64,
    /// Standard deviation of the shift of pattern macromolecules (ppm).
    pub pattern_shift_sd_ppm: f64,
    /// The pattern of `peaks`, where it is not the built-in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pattern: Vec<PatternPeak>,
    /// Whether a spectrum with lines that no component has is offered further components
    /// ([`crate::fit::strangers`]).
    #[serde(default = "offered")]
    pub strangers: bool,
}

fn offered() -> bool {
    true
}

/// Which soft ratio rows hold between amplitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RatioPriors {
    /// LCModel's table (CHRATO).
    Lcmodel,
    /// LCModel's table and what it lacks: PE, Asc, Gly, and how creatine and choline divide into their forms.
    Usual,
    /// None.
    None,
}

/// Priors; each is a Gaussian of the given standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorSettings {
    /// Soft ratios between amplitudes.
    pub ratios: RatioPriors,
    /// Standard deviations of the ratios between metabolites, in those of LCModel's table.
    #[serde(default = "as_in_the_table")]
    pub ratio_sd_factor: f64,
    /// SNR at which these standard deviations are doubled: they are 1 + (SNR/this)⁴ times as wide, so that low noise does
    /// not leave a metabolite where it is usual. 0: they stay.
    #[serde(default)]
    pub ratio_yield_snr: f64,
    /// Whether the ratios hold in edited differences, too, where the table was not made for them.
    #[serde(default)]
    pub ratios_in_differences: bool,
    /// A metabolite's own shift around the common one (ppm).
    pub shift_sd_ppm: f64,
    /// The same for NAA and NAAG, whose singlets lie beside one another (ppm).
    pub shift_sd_naa_ppm: f64,
    /// A metabolite's own Lorentzian width around the common one (FWHM, Hz).
    pub width_sd_hz: f64,
    /// Common Lorentzian width beyond the basis set's: mean and standard deviation (FWHM, Hz). What
    /// transverse relaxation alone makes of it; shim belongs to the Gaussian width.
    pub lorentz_prior_hz: [f64; 2],
    /// First-order phase around zero (°/ppm).
    pub phi1_sd_deg_per_ppm: f64,
    /// Cubic phase of the common lineshape at t = 0.1 s (rad); 0 fixes it at zero.
    pub skew_sd: f64,
    /// Quartic damping of the common lineshape at t = 0.1 s; 0 fixes it at zero.
    pub flatness_sd: f64,
    /// Scale of the Cauchy prior of the weights of the lineshape's kernel (`kernel_share` in `normal.rs`), each 0 or
    /// above; 0 leaves the kernel out.
    #[serde(default)]
    pub kernel_scale: f64,
    /// Distance between the frequencies of the kernel, three on each side (ppm).
    #[serde(default = "kernel_spacing_ppm")]
    pub kernel_spacing_ppm: f64,
}

/// 3 Hz at 3 T: lines of the usual 5 to 8 Hz overlap.
fn kernel_spacing_ppm() -> f64 {
    0.0235
}

fn as_in_the_table() -> f64 {
    1.0
}

/// How the smoothness of the baseline is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothness {
    /// By evidence (REML), never more flexible than `max_ed_per_ppm`.
    Evidence,
    /// So that the baseline has this effective dimension per ppm, whatever the spectrum says; on the processor only.
    EdPerPpm(f64),
    /// Fixed at this weight.
    Fixed(f64),
}

/// Baseline of cubic B-splines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSettings {
    /// Splines per ppm; 0 leaves the baseline out.
    pub splines_per_ppm: f64,
    /// How smooth.
    pub smoothness: Smoothness,
    /// Largest effective dimension per ppm.
    pub max_ed_per_ppm: f64,
}

/// Start values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartSettings {
    /// Largest common shift that is searched (ppm).
    pub max_shift_ppm: f64,
    /// Common Lorentzian width (FWHM, Hz).
    pub lorentz_hz: f64,
    /// Common Gaussian width (FWHM, Hz).
    pub gauss_hz: f64,
}

impl Settings {
    /// The text of the built-in method `map`.
    pub const MAP_TOML: &'static str = include_str!("../methods/map.toml");

    /// The same for edited differences.
    pub(crate) fn in_differences(mut self) -> Self {
        if !self.priors.ratios_in_differences {
            self.priors.ratios = RatioPriors::None;
        }
        self
    }

    /// The built-in method `map`.
    pub fn map() -> Result<Self, toml::de::Error> {
        toml::from_str(Self::MAP_TOML)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_built_in_method_reads_and_survives_a_round_trip() {
        let map = Settings::map().unwrap();
        assert_eq!(map.name, "map");
        let text = toml::to_string(&map).unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), map);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let text = Settings::MAP_TOML.replace("max_iterations", "max_iteration");
        let message = toml::from_str::<Settings>(&text).unwrap_err().to_string();
        assert!(message.contains("unknown field `max_iteration`"), "{message}");
    }
}
