//! Settings of `map`'s family that parse and yet cannot be used.

use std::collections::BTreeSet;

use super::settings::{ComponentSettings, Macromolecules, Settings, Smoothness};
use crate::basis::names::{Kind, kind};
use crate::fit::sample::settings::{SamplingSettings, Uncertainty};
use crate::fit::settings_error::SettingsError;

/// Fewest chains that can be compared.
const FEWEST_CHAINS: usize = 2;
/// Fewest trajectories of the warm-up: the step is found and the mass matrix rescaled in them, and without them draws are spread a
/// third as wide as the posterior.
const FEWEST_WARMUP: usize = 20;
/// Fewest draws of a chain: with two chains the sd of 100 draws is known to 7 %, if they are independent.
const FEWEST_DRAWS: usize = 50;

/// Chemical shifts of protons in tissue, with room beyond (ppm).
const PROTONS_PPM: [f64; 2] = [-1.0, 11.0];

const MORE_THAN_A_LINE: &str = "over the window more than 2, a straight line's effective dimension";

impl Settings {
    /// Whether a fit can use the settings, read from `text`.
    ///
    /// # Errors
    /// The first setting that it cannot, with its line.
    pub(crate) fn check(&self, text: &str) -> Result<(), SettingsError> {
        let fail = |field, why| Err(SettingsError::at(text, field, why));
        let [low, high] = self.window_ppm;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return fail("window_ppm", "the lower end comes first");
        }
        if self.max_iterations == 0 {
            return fail("max_iterations", "at least 1");
        }
        let (components, priors, baseline) = (&self.components, &self.priors, &self.baseline);
        let above_zero = [
            ("components.pattern_sd", components.pattern_sd),
            ("components.pattern_peak_sd", components.pattern_peak_sd),
            ("components.pattern_width_sd", components.pattern_width_sd),
            ("components.pattern_shift_sd_ppm", components.pattern_shift_sd_ppm),
            ("priors.ratio_sd_factor", priors.ratio_sd_factor),
            ("priors.shift_sd_ppm", priors.shift_sd_ppm),
            ("priors.shift_sd_naa_ppm", priors.shift_sd_naa_ppm),
            ("priors.width_sd_hz", priors.width_sd_hz),
            ("priors.lorentz_prior_hz", priors.lorentz_prior_hz[1]),
            ("priors.phi1_sd_deg_per_ppm", priors.phi1_sd_deg_per_ppm),
            ("priors.kernel_spacing_ppm", priors.kernel_spacing_ppm),
            ("start.max_shift_ppm", self.start.max_shift_ppm),
            ("start.lorentz_hz", self.start.lorentz_hz),
            ("start.gauss_hz", self.start.gauss_hz),
        ];
        if let Some((field, _)) = above_zero.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return fail(field, "a number above 0");
        }
        let not_below = [
            ("components.beside_measured_sd", components.beside_measured_sd),
            ("priors.lorentz_prior_hz", priors.lorentz_prior_hz[0]),
            ("priors.ratio_yield_snr", priors.ratio_yield_snr),
            ("priors.skew_sd", priors.skew_sd),
            ("priors.flatness_sd", priors.flatness_sd),
            ("priors.kernel_scale", priors.kernel_scale),
            ("baseline.splines_per_ppm", baseline.splines_per_ppm),
        ];
        if let Some((field, _)) = not_below.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            return fail(field, "a number of at least 0");
        }
        // A straight line has two dimensions.
        let is_too_stiff = |ed_per_ppm: f64| ed_per_ppm.is_nan() || ed_per_ppm * (high - low) <= 2.0;
        if baseline.splines_per_ppm > 0.0 && is_too_stiff(baseline.max_ed_per_ppm) {
            return fail("baseline.max_ed_per_ppm", MORE_THAN_A_LINE);
        }
        match baseline.smoothness {
            Smoothness::Fixed(lambda) if !(lambda.is_finite() && lambda > 0.0) => {
                return fail("baseline.smoothness", "a fixed weight is above 0");
            }
            Smoothness::EdPerPpm(ed) if is_too_stiff(ed) => return fail("baseline.smoothness", MORE_THAN_A_LINE),
            Smoothness::EdPerPpm(ed) if ed > baseline.splines_per_ppm.min(baseline.max_ed_per_ppm) => {
                let why = "an effective dimension per ppm of at most splines_per_ppm and max_ed_per_ppm";
                return fail("baseline.smoothness", why);
            }
            _ => {}
        }
        let pattern = components.pattern_refused().map(|why| ("components.pattern", why));
        if let Some((field, why)) = pattern.or_else(|| self.sampling.refused(self.uncertainty)) {
            return fail(field, why);
        }
        Ok(())
    }
}

impl ComponentSettings {
    /// Why the method's own macromolecule pattern cannot be used.
    fn pattern_refused(&self) -> Option<&'static str> {
        let [least_ppm, most_ppm] = PROTONS_PPM;
        let names: BTreeSet<&str> = self.pattern.iter().map(|peak| peak.name.as_str()).collect();
        let is_above_zero = |value: f64| value.is_finite() && value > 0.0;
        if self.pattern.is_empty() {
            None
        } else if self.macromolecules != Macromolecules::Peaks {
            Some("is that of `macromolecules = \"peaks\"`, and of no other")
        } else if names.len() < self.pattern.len() {
            Some("two peaks have one name")
        } else if names.iter().any(|name| kind(name) != Kind::Macromolecule) {
            Some("names begin with MM or Mac, so that no peak counts as a metabolite")
        } else if !self.pattern.iter().all(|peak| is_above_zero(peak.width_hz) && is_above_zero(peak.area)) {
            Some("width_hz and area of every peak are finite numbers above 0")
        } else if !self.pattern.iter().all(|peak| (least_ppm..=most_ppm).contains(&peak.ppm)) {
            Some("ppm of every peak is from -1 to 11, where protons are")
        } else {
            None
        }
    }
}

impl SamplingSettings {
    /// The setting that cannot be, and why; `None` where nothing is sampled.
    pub(crate) fn refused(&self, uncertainty: Uncertainty) -> Option<(&'static str, &'static str)> {
        if uncertainty != Uncertainty::Sample {
            None
        } else if self.chains < FEWEST_CHAINS {
            Some(("sampling.chains", "at least 2, so that chains can be compared"))
        } else if self.warmup < FEWEST_WARMUP {
            Some(("sampling.warmup", "at least 20, in which the chains' step is found"))
        } else if self.draws < FEWEST_DRAWS {
            Some(("sampling.draws", "at least 50 of each chain"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::fit::Method;
    use crate::fit::map::settings::Settings;

    #[test]
    fn patterns_that_no_fit_can_use_are_refused() {
        let peak = |name: &str, ppm: f64, width_hz: f64, area: f64| {
            format!("{{ name = \"{name}\", group = \"a\", ppm = {ppm:?}, width_hz = {width_hz:?}, area = {area:?} }}")
        };
        let sound = peak("MM_0.90", 0.9, 20.0, 1.0);
        let method = |peaks: &[&str], macromolecules: &str| {
            let list = format!("[components]\npattern = [{}]", peaks.join(", "));
            let text = Settings::MAP_TOML.replacen("[components]", &list, 1);
            Method::from_toml(&text.replacen("\"peaks\"", &format!("\"{macromolecules}\""), 1))
        };
        method(&[&sound, &peak("MM_2.05", 2.05, 20.0, 1.0)], "peaks").unwrap();
        for (second, macromolecules, words) in [
            (peak("MM_2.05", 2.05, 20.0, 1.0), "groups", "peaks"),
            (peak("MM_0.90", 2.05, 20.0, 1.0), "peaks", "one name"),
            (peak("NAA", 2.05, 20.0, 1.0), "peaks", "metabolite"),
            (peak("MM_2.05", 2.05, -20.0, 1.0), "peaks", "width_hz"),
            (peak("MM_2.05", 2.05, 20.0, -1.0), "peaks", "area"),
            (peak("MM_2.05", 205.0, 20.0, 1.0), "peaks", "-1 to 11"),
            (peak("MM_2.05", f64::NAN, 20.0, 1.0).replace("NaN", "nan"), "peaks", "-1 to 11"),
        ] {
            let message = method(&[&sound, &second], macromolecules).unwrap_err().to_string();
            assert!(message.contains("`components.pattern`") && message.contains(words), "{second}: {message}");
        }
    }

    #[test]
    fn settings_that_no_fit_can_use_are_refused_with_their_line() {
        let map = Settings::MAP_TOML;
        let line = |start: &str| map.lines().position(|l| l.starts_with(start)).unwrap() + 1;
        let sampled = format!("uncertainty = \"sample\"\n{map}\n[sampling]\nwarmup = 20\n");
        for (text, (from, to), field, at) in [
            (map, ("[0.2, 4.2]", "[4.2, 0.2]"), "window_ppm", line("window_ppm")),
            (map, ("max_iterations = 60", "max_iterations = 0"), "max_iterations", line("max_iterations")),
            (map, ("pattern_sd = 0.2", "pattern_sd = 0.0"), "components.pattern_sd", line("pattern_sd")),
            (map, ("[2.0, 2.5]", "[2.0, nan]"), "priors.lorentz_prior_hz", line("lorentz_prior_hz")),
            (map, ("[2.0, 2.5]", "[-2.0, 2.5]"), "priors.lorentz_prior_hz", line("lorentz_prior_hz")),
            (map, ("skew_sd = 0.1", "skew_sd = -0.1"), "priors.skew_sd", line("skew_sd")),
            (map, ("max_ed_per_ppm = 8.0", "max_ed_per_ppm = 0.0"), "baseline.max_ed_per_ppm", line("max_ed_per_ppm")),
            (map, ("\"evidence\"", "{ fixed = -1.0 }"), "baseline.smoothness", line("smoothness")),
            (map, ("gauss_hz = 3.5", "gauss_hz = inf"), "start.gauss_hz", line("gauss_hz")),
            (&sampled, ("warmup = 20", "chains = 1"), "sampling.chains", sampled.lines().count()),
            (&sampled, ("warmup = 20", "draws = 49"), "sampling.draws", sampled.lines().count()),
            (&sampled, ("warmup = 20", "warmup = 19"), "sampling.warmup", sampled.lines().count()),
        ] {
            assert!(text.contains(from), "{from}");
            let message = Method::from_toml(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(message.starts_with(&format!("line {at}: `{field}`")), "{message}");
        }
        Method::from_toml(&sampled).unwrap();
    }
}
