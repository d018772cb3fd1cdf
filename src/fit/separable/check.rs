//! Settings that parse and yet cannot be used.

use super::settings::{Baseline, Domain, GroupBy, Lineshape, PriorsIn, Ratios, Search, Settings, Start};

/// Settings that contradict one another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{field}`: {why}")]
pub struct SettingsError {
    /// Line of the file, from 1.
    pub line: usize,
    /// The setting that has to change, as `table.key`.
    pub field: &'static str,
    /// What is wrong with it, and what would be right.
    pub why: &'static str,
}

impl Settings {
    /// Whether the settings, read from `text`, can go together.
    ///
    /// # Errors
    /// The first setting that cannot, with its line.
    pub(crate) fn check(&self, text: &str) -> Result<(), SettingsError> {
        let fail = |field: &'static str, why| Err(SettingsError { line: line_of(text, field), field, why });
        let [low, high] = self.window_ppm;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return fail("window_ppm", "the lower end comes first");
        }
        if (self.domain == Domain::Time) != self.samples.is_some() {
            return fail("domain", "`samples` belongs to the domain `time`, and to no other");
        }
        if let Some(samples) = self.samples
            && !(samples.first_s >= 0.0 && samples.last_fraction > 0.0 && samples.last_fraction <= 1.0)
        {
            return fail("samples.last_fraction", "0 < last_fraction ≤ 1, and first_s ≥ 0");
        }
        if self.domain == Domain::Time && self.baseline != Baseline::None {
            return fail("baseline.kind", "samples have no baseline: leave early ones out instead");
        }
        if self.domain == Domain::Time && self.phase.max_phi1_deg_per_ppm != 0.0 {
            return fail("phase.max_phi1_deg_per_ppm", "samples have no first-order phase here: 0");
        }
        if self.domain != Domain::RealSpectrum && matches!(self.lineshape, Lineshape::Kernel { .. }) {
            return fail("lineshape.kind", "a kernel needs the domain `real-spectrum`");
        }
        if self.domain != Domain::RealSpectrum && matches!(self.start, Start::Grid { .. }) {
            return fail("start.kind", "`grid` compares real spectra: `correlate` in other domains");
        }
        if matches!(self.start, Start::Grid { .. }) && !matches!(self.baseline, Baseline::Spline { .. }) {
            return fail("start.kind", "`grid` needs a baseline of kind `spline`, whose knots it spaces: `correlate`");
        }
        if matches!(self.search, Search::FTest { .. }) {
            match self.baseline {
                Baseline::Spline { penalty: [least, ..], .. } if least > 0.0 => {}
                _ => return fail("search.kind", "`f-test` needs a baseline of kind `spline` with a penalty above 0"),
            }
            if self.priors_in != PriorsIn::FitSd {
                return fail("search.kind", "`f-test` needs `priors_in = \"fit-sd\"`");
            }
        }
        for (field, [least, start, most]) in self.penalties() {
            if !(0.0 <= least && least <= start && start <= most && most.is_finite()) {
                return fail(field, "smallest, start, largest, in that order");
            }
        }
        if self.ratios == Ratios::Lcmodel && self.priors_in != PriorsIn::FitSd {
            return fail("ratios", "LCModel's rows are counted in the fit's sd: `priors_in = \"fit-sd\"`");
        }
        if self.groups.by == GroupBy::None && self.groups.has_any() {
            return fail("groups.by", "`none` shares nothing: shift, damping and Gaussian must be 0");
        }
        if self.solver.max_iterations == 0 || self.solver.tolerance <= 0.0 {
            return fail("solver.max_iterations", "at least one iteration, and a tolerance above 0");
        }
        Ok(())
    }

    fn penalties(&self) -> impl Iterator<Item = (&'static str, [f64; 3])> {
        let baseline = match self.baseline {
            Baseline::Spline { penalty, .. } => Some(("baseline.penalty", penalty)),
            _ => None,
        };
        let shape = match self.lineshape {
            Lineshape::Kernel { penalty, .. } => Some(("lineshape.penalty", penalty)),
            _ => None,
        };
        baseline.into_iter().chain(shape)
    }
}

impl super::settings::Groups {
    fn has_any(&self) -> bool {
        self.max_shift_ppm > 0.0 || self.damping_per_s[1] > 0.0 || self.gauss_per_s[1] > 0.0
    }
}

/// The line on which `table.key` (or a key outside tables) stands; its table's where the key is not there; 1 else.
fn line_of(text: &str, field: &str) -> usize {
    let (table, key) = field.split_once('.').unwrap_or(("", field));
    let (mut now, mut header) = ("", 1);
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            now = name.trim_end_matches(']');
            if now == table {
                header = number + 1;
            }
        } else if now == table && line.split('=').next().is_some_and(|k| k.trim() == key) {
            return number + 1;
        }
    }
    header
}
