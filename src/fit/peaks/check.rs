//! Settings that parse and yet cannot be used.

use crate::fit::settings_error::SettingsError;

use super::settings::{Component, Settings, Shape, Target};

impl Settings {
    /// Whether the settings, read from `text`, can be used.
    ///
    /// # Errors
    /// The first setting that cannot, with its line.
    pub(crate) fn check(&self, text: &str) -> Result<(), SettingsError> {
        let fail = |field: &str, why| Err(SettingsError::at(text, field, why));
        if !(self.line_broadening_hz.is_finite() && self.line_broadening_hz >= 0.0) {
            return fail("line_broadening_hz", "0 or more");
        }
        if self.spectra.is_empty() {
            return fail("spectra", "at least one spectrum, such as `diff = 2`");
        }
        if let Some((name, _)) = self.spectra.iter().find(|(_, n)| **n == 0) {
            return fail(&format!("spectra.{name}"), "the number of conditions that it adds up, at least 1");
        }
        if self.solver.max_iterations == 0 {
            return fail("solver.max_iterations", "at least 1");
        }
        if !(self.solver.tolerance > 0.0 && self.solver.tolerance < 1.0) {
            return fail("solver.tolerance", "above 0 and below 1");
        }
        if self.difference.spectrum.is_some() {
            return fail("difference.spectrum", "leave it out: [spectra] says what is fitted");
        }
        self.difference.check("difference", text)?;
        if let Some(creatine) = &self.creatine {
            if creatine.spectrum.is_none() {
                return fail("creatine.spectrum", "the name of a condition, such as \"off\"");
            }
            creatine.check("creatine", text)?;
            if let Some(name) = creatine.components.keys().find(|name| self.difference.components.contains_key(*name)) {
                return fail(&format!("creatine.components.{name}"), "the difference has a component of that name");
            }
        }
        Ok(())
    }
}

impl Target {
    fn check(&self, table: &str, text: &str) -> Result<(), SettingsError> {
        let fail = |key: &str, why| Err(SettingsError::at(text, &format!("{table}.{key}"), why));
        let [low, high] = self.window_ppm;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return fail("window_ppm", "the lower end comes first");
        }
        if !(self.max_shift_ppm.is_finite() && self.max_shift_ppm > 0.0) {
            return fail("max_shift_ppm", "above 0");
        }
        if self.reference.iter().all(|line| line.height == 0.0)
            || self.reference.iter().any(|line| !(line.ppm.is_finite() && line.height.is_finite()))
        {
            return fail("reference", "at least one line with a height, and finite numbers");
        }
        if !(self.phase_range_deg >= 0.0 && self.phase_range_deg <= 90.0) {
            return fail("phase_range_deg", "0 (no phase is fitted) to 90");
        }
        if self.phase_range_deg > 0.0 && self.components.values().any(|c| c.shape != Shape::Lorentzian) {
            return fail("phase_range_deg", "0 where a component is no Lorentzian: only theirs is fitted");
        }
        if !self.slope_zero_ppm.is_finite() {
            return fail("slope_zero_ppm", "a chemical shift");
        }
        let twice = |i: usize| self.background[..i].contains(&self.background[i]);
        if (0..self.background.len()).any(twice) {
            return fail("background", "each term once");
        }
        for region in &self.down_weighted {
            let [from, to] = region.ppm;
            if !(from < to && region.weight >= 0.0 && region.weight <= 1.0) {
                return fail("down_weighted", "the lower end comes first, and 0 ≤ weight ≤ 1");
            }
        }
        if self.components.is_empty() {
            return fail("components", "at least one");
        }
        self.components.iter().try_for_each(|(name, component)| {
            let table = format!("{table}.components.{name}");
            component.check(&table, text, self.window_ppm)
        })
    }
}

impl Component {
    fn check(&self, table: &str, text: &str, [low, high]: [f64; 2]) -> Result<(), SettingsError> {
        let fail = |key: &str, why| Err(SettingsError::at(text, &format!("{table}.{key}"), why));
        for (key, value) in
            [("protons", self.protons), ("editing_efficiency", self.editing_efficiency), ("share", self.share)]
        {
            if !(value.is_finite() && value > 0.0) {
                return fail(key, "above 0");
            }
        }
        if self.peaks.is_empty() {
            return fail("peaks", "at least one");
        }
        for peak in &self.peaks {
            let [least, start, most] = peak.fwhm_ppm;
            if !(0.0 < least && least <= start && start <= most && most.is_finite()) {
                return fail("peaks", "fwhm_ppm: smallest, start, largest, in that order and above 0");
            }
            if !(peak.range_ppm >= 0.0 && low <= peak.ppm - peak.range_ppm && peak.ppm + peak.range_ppm <= high) {
                return fail("peaks", "range_ppm: 0 or more, and all of the range within the window");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::fit::Method;

    const GANNET: &str = include_str!("../methods/gannet.toml");

    #[test]
    fn settings_that_cannot_be_are_refused_with_their_line() {
        let line = |start: &str| GANNET.lines().position(|l| l.starts_with(start)).unwrap() + 1;
        let below = |header: &str, key: &str| {
            line(header) + GANNET.lines().skip(line(header)).position(|l| l.starts_with(key)).unwrap() + 1
        };
        let glx = "[difference.components.Glx]";
        let gaba = "[difference.components.\"GABA+\"]";
        let cases = [
            ("[2.79, 4.1]", "[4.1, 2.79]", "difference.window_ppm", line("window_ppm = [2.79")),
            ("hz = 3.0", "hz = -3.0", "line_broadening_hz", line("line_broadening_hz")),
            ("diff = 2", "diff = 0", "spectra.diff", line("diff = 2")),
            (
                "phase_range_deg = 0.0",
                "phase_range_deg = 9.0",
                "difference.phase_range_deg",
                line("phase_range_deg = 0"),
            ),
            (
                "phase_range_deg = 45.0",
                "phase_range_deg = 99.0",
                "creatine.phase_range_deg",
                line("phase_range_deg = 45"),
            ),
            ("weight = 0.001", "weight = 2.0", "difference.down_weighted", line("down_weighted = [{")),
            ("\"sine\", \"cosine\"", "\"sine\", \"sine\"", "difference.background", line("background = [\"slope")),
            ("protons = 1.0", "protons = 0.0", "difference.components.Glx.protons", below(glx, "protons")),
            ("share = 0.45", "share = nan", "difference.components.GABA+.share", below(gaba, "share")),
            (
                "ppm = 3.79, range_ppm = 0.02",
                "ppm = 4.09, range_ppm = 0.02",
                "difference.components.Glx.peaks",
                below(glx, "peaks"),
            ),
            ("[0.1177, 0.1755", "[0.2177, 0.1755", "difference.components.GABA+.peaks", below(gaba, "peaks")),
            ("spectrum = \"off\"\n", "", "creatine.spectrum", line("[creatine]")),
            ("components.tCho]", "components.Glx]", "creatine.components.Glx", line("[creatine.components.tCho]")),
            ("tolerance = 1e-6", "tolerance = 0.0", "solver.tolerance", line("tolerance")),
        ];
        for (old, new, field, line) in cases {
            assert!(GANNET.contains(old), "{old}");
            let message = Method::from_toml(&GANNET.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(message.starts_with(&format!("line {line}: `{field}`")), "{message} (line {line})");
        }
        let message = Method::from_toml(&GANNET.replacen("shape = \"g", "shape = \"p", 1)).unwrap_err().to_string();
        assert!(message.contains("lorentzian") && message.contains("line "), "{message}");
    }

    #[test]
    fn only_differences_are_fitted_and_the_reason_says_so() {
        let Method::Peaks(settings) = Method::from_toml(GANNET).unwrap() else { unreachable!("its family") };
        assert_eq!(settings.conditions(Some("diff")), Ok(2));
        assert_eq!(settings.conditions(Some("diff_gaba")), Ok(4));
        for other in [Some("off"), Some("sum"), Some("diff_gsh"), None] {
            let why = settings.conditions(other).unwrap_err();
            assert!(why.starts_with("gannet fits edited difference spectra (`diff`, `diff_gaba`)"), "{why}");
            let told = other.map_or("`only = 2` to [spectra] of a copy".to_owned(), |name| format!("this is `{name}`"));
            assert!(why.ends_with(&told), "{why}");
        }
    }
}
