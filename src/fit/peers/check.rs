//! Settings that parse and yet cannot be used.

use crate::fit::settings_error::SettingsError;

use super::settings::{
    Baseline, Domain, GroupBy, KernelSmoothing, Lineshape, PriorsIn, Ratios, Search, Settings, Smoothing, Smoothness,
    Start,
};

impl Settings {
    /// Whether the settings, read from `text`, can go together.
    ///
    /// # Errors
    /// The first setting that cannot, with its line.
    pub(crate) fn check(&self, text: &str) -> Result<(), SettingsError> {
        let fail = |field: &'static str, why| Err(SettingsError::at(text, field, why));
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
        if let Some((field, why)) = self.sampling.refused(self.uncertainty) {
            return fail(field, why);
        }
        let is_residual = matches!(self.baseline, Baseline::SmoothedResidual { .. });
        if self.domain == Domain::Time && self.baseline != Baseline::None && !is_residual {
            return fail(
                "baseline.kind",
                "samples have no baseline: leave early ones out, with `none` or `smoothed-residual`",
            );
        }
        if self.domain != Domain::Time && is_residual {
            return fail("baseline.kind", "`smoothed-residual` needs the domain `time`, whose fit has no baseline");
        }
        if let Baseline::SmoothedResidual {
            smoothing: Smoothing::CosineHalfWidthBins(bins) | Smoothing::GaussianSdBins(bins),
        } = self.baseline
            && !(bins > 0.0 && bins.is_finite())
        {
            return fail("baseline.smoothing", "a number of bins above 0");
        }
        if let Some((field, why)) = self.baseline.refused(high - low) {
            return fail(field, why);
        }
        let own = &self.own;
        for (field, hz, ppm) in [
            ("own.max_shift_hz", own.max_shift_hz, own.max_shift_ppm),
            ("own.max_shift_hz_broad", own.max_shift_hz_broad, own.max_shift_ppm_broad),
        ] {
            if hz.is_nan() || hz < 0.0 || (hz > 0.0 && ppm != 0.0) {
                return fail(field, "at least 0, and where it is above, the same limit in ppm is 0");
            }
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
        if let Lineshape::Kernel { smoothing_ppm: KernelSmoothing::Ppm(ppm), .. } = self.lineshape
            && (ppm.is_nan() || ppm <= 0.0)
        {
            return fail("lineshape.smoothing_ppm", "above 0");
        }
        for (field, [least, start, most]) in self.penalties() {
            if !(0.0 <= least && least <= start && start <= most && most.is_finite()) {
                return fail(field, "smallest, start, largest, in that order");
            }
        }
        if self.ratios == Ratios::Lcmodel && self.priors_in != PriorsIn::FitSd {
            return fail("ratios", "LCModel's rows are counted in the fit's sd: `priors_in = \"fit-sd\"`");
        }
        if matches!(self.ratios, Ratios::Tarquin | Ratios::Osprey) && self.search != Search::None {
            return fail("ratios", "rows that follow the solution go with `search.kind = \"none\"`");
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

/// Least effective dimension of a P-spline: a straight line.
const STRAIGHT_LINE: f64 = 2.0;
/// Most splines and the highest order of a polynomial: no baseline needs them, and matrices grow with their square.
const MOST_SPLINES: f64 = 1000.0;
const HIGHEST_ORDER: usize = 50;

impl Baseline {
    /// The first setting that cannot be used over a window of `range_ppm`, and why.
    fn refused(&self, range_ppm: f64) -> Option<(&'static str, &'static str)> {
        let refuse = |unless: bool, field, why| (!unless).then_some((field, why));
        let few = |splines: f64| splines > 0.0 && splines <= MOST_SPLINES;
        match *self {
            Self::None | Self::SmoothedResidual { .. } => None,
            Self::Polynomial { order } => refuse(order <= HIGHEST_ORDER, "baseline.order", "at most 50"),
            Self::Spline { spacing_ppm, .. } => {
                let why = "above 0, and no more than 1000 splines in the window";
                refuse(few(range_ppm / spacing_ppm), "baseline.spacing_ppm", why)
            }
            Self::PSpline { per_ppm, per_ed, smoothness } => {
                let why = "above 0, and no more than 1000 splines in the window";
                refuse(few(range_ppm * per_ppm), "baseline.per_ppm", why)
                    .or_else(|| {
                        let why = "0, or 1 to 10: no fewer splines than effective dimensions";
                        refuse(per_ed == 0.0 || (1.0..=10.0).contains(&per_ed), "baseline.per_ed", why)
                    })
                    .or_else(|| smoothness.refused(range_ppm))
            }
        }
    }
}

impl Smoothness {
    fn refused(&self, range_ppm: f64) -> Option<(&'static str, &'static str)> {
        let (can, why) = match *self {
            Self::Lambda(lambda) => (lambda >= 0.0 && lambda.is_finite(), "a finite λ of at least 0"),
            Self::Ed(dimension) => {
                (dimension > STRAIGHT_LINE, "an effective dimension above 2, which is a straight line's")
            }
            Self::EdPerPpm(per_ppm) => {
                (per_ppm * range_ppm > STRAIGHT_LINE, "an effective dimension above 2, which is a straight line's")
            }
            Self::ModifiedAic { m, max_ed_per_ppm, min_ed, steps } => (
                m >= 0.0
                    && min_ed > STRAIGHT_LINE
                    && max_ed_per_ppm * range_ppm > min_ed
                    && (2..=1000).contains(&steps),
                "2 < min_ed < max_ed_per_ppm × the window, 2 to 1000 steps, and m at least 0",
            ),
        };
        (!can).then_some(("baseline.smoothness", why))
    }
}

impl super::settings::Groups {
    fn has_any(&self) -> bool {
        self.max_shift_ppm > 0.0 || self.damping_per_s[1] > 0.0 || self.gauss_per_s[1] > 0.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::fit::Method;

    const LCMODEL: &str = include_str!("../methods/lcmodel.toml");
    const FSL: &str = include_str!("../methods/fsl.toml");
    const ABFIT: &str = include_str!("../methods/abfit-reg.toml");

    fn refusal(text: &str, change: (&str, &str)) -> String {
        assert!(text.contains(change.0), "{}", change.0);
        Method::from_toml(&text.replacen(change.0, change.1, 1)).unwrap_err().to_string()
    }

    #[test]
    fn built_in_methods_read_and_survive_a_round_trip() {
        for name in Method::built_in_names() {
            let method = Method::built_in(name).unwrap().unwrap();
            assert_eq!(method.name(), name);
            assert_eq!(Method::from_toml(&toml::to_string(&method).unwrap()).unwrap(), method);
        }
        assert!(Method::built_in("nothing").is_none());
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_line() {
        let message = refusal(LCMODEL, ("reach = 1.8", "reech = 1.8"));
        assert!(message.contains("line 15") && message.contains("reech"), "{message}");
        let message = refusal(LCMODEL, ("ratios = \"lcmodel\"", "ratios = \"lcmodl\""));
        assert!(message.contains("line 7") && message.contains("lcmodl"), "{message}");
    }

    #[test]
    fn settings_that_cannot_go_together_are_refused_with_their_line() {
        let line = |text: &str, start: &str| text.lines().position(|l| l.starts_with(start)).unwrap() + 1;
        let cases = [
            (LCMODEL, ("[0.2, 4.0]", "[4.0, 0.2]"), "window_ppm", line(LCMODEL, "window_ppm")),
            (LCMODEL, ("\"fit-sd\"", "\"noise-sd\""), "search.kind", line(LCMODEL, "[search]") + 1),
            (LCMODEL, ("real-spectrum", "complex-spectrum"), "lineshape.kind", line(LCMODEL, "[lineshape]") + 1),
            (
                LCMODEL,
                ("[0.0136, 0.02, 6.72]", "[0.02, 0.0136, 6.72]"),
                "baseline.penalty",
                line(LCMODEL, "penalty = [0.0136"),
            ),
            (
                LCMODEL,
                ("tolerance = 1e-3", "tolerance = 0.0"),
                "solver.max_iterations",
                line(LCMODEL, "max_iterations"),
            ),
            (FSL, ("complex-spectrum", "time"), "domain", line(FSL, "domain")),
            (FSL, ("by = \"kind\"", "by = \"none\""), "groups.by", line(FSL, "by =")),
            (FSL, ("ratios = \"none\"", "ratios = \"lcmodel\""), "ratios", line(FSL, "ratios")),
            (FSL, ("order = 2", "order = 1000"), "baseline.order", line(FSL, "order")),
            (
                LCMODEL,
                ("spacing_ppm = 0.15", "spacing_ppm = 0.0"),
                "baseline.spacing_ppm",
                line(LCMODEL, "spacing_ppm"),
            ),
            (ABFIT, ("per_ppm = 15.0", "per_ppm = nan"), "baseline.per_ppm", line(ABFIT, "per_ppm")),
            (ABFIT, ("per_ed = 2.0", "per_ed = 0.5"), "baseline.per_ed", line(ABFIT, "per_ed")),
            (ABFIT, ("steps = 20", "steps = 1"), "baseline.smoothness", line(ABFIT, "[baseline.smoothness]")),
            (ABFIT, ("min_ed = 2.01", "min_ed = 2.0"), "baseline.smoothness", line(ABFIT, "[baseline.smoothness]")),
            (
                ABFIT,
                ("max_ed_per_ppm = 7.0", "max_ed_per_ppm = 0.5"),
                "baseline.smoothness",
                line(ABFIT, "[baseline.smoothness]"),
            ),
        ];
        for (text, change, field, line) in cases {
            let message = refusal(text, change);
            assert!(
                message.contains(&format!("`{field}`")) && message.starts_with(&format!("line {line}:")),
                "{message}"
            );
        }
    }
}
