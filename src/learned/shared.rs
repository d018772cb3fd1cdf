//! What the spectra of one group share: the values that learning moves.

use crate::fit::macromolecules::{PatternPeak, Width, pattern_peaks};
use crate::fit::map::Settings;
use crate::fit::map::settings::{Estimate, Macromolecules};

/// Spread from which learning starts where a method fixes the lineshape to a Voigt line: corpora that are not skewed bring
/// it down.
const LINESHAPE_SD: f64 = 0.3;

fn open(sd: f64) -> f64 {
    if sd > 0.0 { sd } else { LINESHAPE_SD }
}

/// A macromolecule pattern with the spread of spectra around it, and the common Lorentzian width.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The pattern.
    pub peaks: Vec<PatternPeak>,
    /// Spread of the areas of groups (relative).
    pub group_sd: f64,
    /// Spread of the areas of peaks within their group (relative).
    pub peak_sd: f64,
    /// Spread of places (ppm).
    pub shift_sd_ppm: f64,
    /// Spread of extra Lorentzian widths, relative to a peak's own width.
    pub width_sd: f64,
    /// Mean and spread of the common Lorentzian width (FWHM, Hz).
    pub lorentz_prior_hz: [f64; 2],
    /// Spread of the lineshape's skew and flatness around 0.
    pub lineshape_sd: [f64; 2],
}

impl Shared {
    /// Where a method begins.
    pub fn from_settings(settings: &Settings) -> Self {
        let c = &settings.components;
        Self {
            peaks: if c.pattern.is_empty() { pattern_peaks() } else { c.pattern.clone() },
            group_sd: c.pattern_sd,
            peak_sd: c.pattern_peak_sd,
            shift_sd_ppm: c.pattern_shift_sd_ppm,
            width_sd: c.pattern_width_sd,
            lorentz_prior_hz: settings.priors.lorentz_prior_hz,
            // A kernel describes what these would.
            lineshape_sd: [settings.priors.skew_sd, settings.priors.flatness_sd]
                .map(|sd| if settings.priors.kernel_scale > 0.0 { sd } else { open(sd) }),
        }
    }

    /// `settings` with these values as its priors.
    pub fn applied_to(&self, settings: &Settings) -> Settings {
        let mut new = settings.clone();
        new.components.macromolecules = Macromolecules::Peaks;
        new.components.pattern.clone_from(&self.peaks);
        new.components.pattern_sd = self.group_sd;
        new.components.pattern_peak_sd = self.peak_sd;
        new.components.pattern_shift_sd_ppm = self.shift_sd_ppm;
        new.components.pattern_width_sd = self.width_sd;
        new.priors.lorentz_prior_hz = self.lorentz_prior_hz;
        [new.priors.skew_sd, new.priors.flatness_sd] = self.lineshape_sd;
        // What is learned of widths comes from modes: the volume that a marginal estimate counts would be learned, too, again
        // with every pass.
        new.estimate = Estimate::Mode;
        new
    }

    /// Width of peak `k` at the spectrometer frequency `f0_mhz` (Hz).
    pub(crate) fn width_hz(&self, k: usize, f0_mhz: f64) -> f64 {
        Width::HzAt3T(self.peaks[k].width_hz).hz(f0_mhz)
    }

    /// Number of the group of each peak, in the order in which groups first come.
    fn groups(&self) -> Vec<usize> {
        let mut names: Vec<&str> = Vec::new();
        self.peaks
            .iter()
            .map(|p| {
                names.iter().position(|n| *n == p.group).unwrap_or_else(|| {
                    names.push(&p.group);
                    names.len() - 1
                })
            })
            .collect()
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.groups().into_iter().max().map_or(0, |g| g + 1)
    }

    /// Weights of each peak in the mean of group `g`.
    fn group_mean(&self, g: usize) -> Vec<f64> {
        let groups = self.groups();
        let size = groups.iter().filter(|&&other| other == g).count() as f64;
        groups.iter().map(|&own| if own == g { 1.0 / size } else { 0.0 }).collect()
    }

    /// Rows of the prior between groups: the mean of each less the mean of all.
    pub(crate) fn between_groups(&self) -> Vec<Vec<f64>> {
        let means: Vec<Vec<f64>> = (0..self.n_groups()).map(|g| self.group_mean(g)).collect();
        let count = means.len() as f64;
        let all: Vec<f64> = (0..self.peaks.len()).map(|k| means.iter().map(|m| m[k]).sum::<f64>() / count).collect();
        means.iter().map(|m| m.iter().zip(&all).map(|(a, b)| a - b).collect()).collect()
    }

    /// Rows of the prior within groups: each peak less the mean of its group.
    pub(crate) fn within_groups(&self) -> Vec<Vec<f64>> {
        let groups = self.groups();
        (0..self.peaks.len())
            .map(|k| {
                let mut row: Vec<f64> = self.group_mean(groups[k]).iter().map(|w| -w).collect();
                row[k] += 1.0;
                row
            })
            .collect()
    }

    /// The values moved by `step`: relative areas, then places (ppm), then relative widths.
    pub(crate) fn moved(&self, step: &[f64]) -> Self {
        let n = self.peaks.len();
        let mut new = self.clone();
        for (k, peak) in new.peaks.iter_mut().enumerate() {
            peak.area *= 1.0 + step[k];
            peak.ppm += step[n + k];
            peak.width_hz *= 1.0 + step[2 * n + k];
        }
        new
    }

    /// How far the values lie from `other`'s, in the units of [`Shared::moved`].
    pub(crate) fn beyond(&self, other: &Self) -> Vec<f64> {
        let pairs = || self.peaks.iter().zip(&other.peaks);
        let mut all: Vec<f64> = pairs().map(|(a, b)| a.area / b.area - 1.0).collect();
        all.extend(pairs().map(|(a, b)| a.ppm - b.ppm));
        all.extend(pairs().map(|(a, b)| a.width_hz / b.width_hz - 1.0));
        all
    }
}
