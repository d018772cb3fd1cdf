//! Settings that parse and yet cannot be used.

use crate::fit::settings_error::SettingsError;

use super::settings::{
    Baseline, Domain, GroupBy, KernelSmoothing, Lineshape, PriorsIn, Ratios, Search, Settings, Smoothing, Smoothness,
    Start,
};

/// A field that cannot be as it is, and why.
pub(super) type Fault = Option<(&'static str, &'static str)>;

/// The refusal of `field` unless it `holds`.
pub(super) fn needs(holds: bool, field: &'static str, why: &'static str) -> Fault {
    (!holds).then_some((field, why))
}

impl Settings {
    /// Whether the settings, read from `text`, can go together.
    ///
    /// # Errors
    /// The first setting that cannot, with its line.
    pub(crate) fn check(&self, text: &str) -> Result<(), SettingsError> {
        let [low, high] = self.window_ppm;
        let refusal = self
            .samples_refused()
            .or_else(|| self.sampling.refused(self.uncertainty))
            .or_else(|| self.residual_baseline_refused())
            .or_else(|| self.baseline.refused(high - low))
            .or_else(|| self.numbers_refused())
            .or_else(|| self.own_shifts_refused())
            .or_else(|| self.domain_refused())
            .or_else(|| self.search_refused())
            .or_else(|| self.penalties_refused())
            .or_else(|| self.ratios_refused())
            .or_else(|| self.iterations_refused());
        refusal.map_or(Ok(()), |(field, why)| Err(SettingsError::at(text, field, why)))
    }

    fn samples_refused(&self) -> Fault {
        let [low, high] = self.window_ppm;
        let is_window = low.is_finite() && high.is_finite() && low < high;
        needs(is_window, "window_ppm", "the lower end comes first")
            .or_else(|| {
                let belong = (self.domain == Domain::Time) == self.samples.is_some();
                needs(belong, "domain", "`samples` belongs to the domain `time`, and to no other")
            })
            .or_else(|| {
                let samples = self.samples?;
                let holds = samples.first_s.is_finite()
                    && samples.first_s >= 0.0
                    && samples.last_fraction > 0.0
                    && samples.last_fraction <= 1.0;
                needs(holds, "samples.last_fraction", "0 < last_fraction ≤ 1, and first_s ≥ 0")
            })
    }

    fn residual_baseline_refused(&self) -> Fault {
        let is_time = self.domain == Domain::Time;
        match self.baseline {
            Baseline::None {} => None,
            Baseline::SmoothedResidual { .. } if !is_time => {
                Some(("baseline.kind", "`smoothed-residual` needs the domain `time`, whose fit has no baseline"))
            }
            Baseline::SmoothedResidual {
                smoothing: Smoothing::CosineHalfWidthBins(bins) | Smoothing::GaussianSdBins(bins),
            } => needs(bins > 0.0 && bins.is_finite(), "baseline.smoothing", "a number of bins above 0"),
            _ if is_time => Some((
                "baseline.kind",
                "samples have no baseline: leave early ones out, with `none` or `smoothed-residual`",
            )),
            _ => None,
        }
    }

    fn own_shifts_refused(&self) -> Fault {
        let own = &self.own;
        let limits = [
            ("own.max_shift_hz", own.max_shift_hz, own.max_shift_ppm),
            ("own.max_shift_hz_broad", own.max_shift_hz_broad, own.max_shift_ppm_broad),
        ];
        limits.into_iter().find_map(|(field, hz, ppm)| {
            let holds = hz >= 0.0 && (hz == 0.0 || ppm == 0.0);
            needs(holds, field, "at least 0, and where it is above, the same limit in ppm is 0")
        })
    }

    fn domain_refused(&self) -> Fault {
        let is_real = self.domain == Domain::RealSpectrum;
        let has_kernel = matches!(self.lineshape, Lineshape::Kernel { .. });
        let is_grid = matches!(self.start, Start::Grid { .. });
        let has_knots = matches!(self.baseline, Baseline::Spline { .. });
        needs(is_real || !has_kernel, "lineshape.kind", "a kernel needs the domain `real-spectrum`")
            .or_else(|| {
                let why = "`grid` compares real spectra: `correlate` in other domains";
                needs(is_real || !is_grid, "start.kind", why)
            })
            .or_else(|| {
                let why = "`grid` needs a baseline of kind `spline`, whose knots it spaces: `correlate`";
                needs(has_knots || !is_grid, "start.kind", why)
            })
    }

    fn search_refused(&self) -> Fault {
        let Search::FTest { .. } = self.search else { return None };
        let is_penalised = matches!(self.baseline, Baseline::Spline { penalty: [least, ..], .. } if least > 0.0);
        let why = "`f-test` needs a baseline of kind `spline` with a penalty above 0";
        needs(is_penalised, "search.kind", why).or_else(|| {
            needs(self.priors_in == PriorsIn::FitSd, "search.kind", "`f-test` needs `priors_in = \"fit-sd\"`")
        })
    }

    fn penalties_refused(&self) -> Fault {
        if let Lineshape::Kernel { smoothing_ppm: KernelSmoothing::Ppm(ppm), .. } = self.lineshape
            && (ppm.is_nan() || ppm <= 0.0)
        {
            return Some(("lineshape.smoothing_ppm", "above 0"));
        }
        self.penalties().find_map(|(field, [least, start, most])| {
            let is_ordered = 0.0 <= least && least <= start && start <= most && most.is_finite();
            needs(is_ordered, field, "smallest, start, largest, in that order")
        })
    }

    fn ratios_refused(&self) -> Fault {
        match self.ratios {
            Ratios::None => None,
            Ratios::Lcmodel => {
                let why = "LCModel's rows are counted in the fit's sd: `priors_in = \"fit-sd\"`";
                needs(self.priors_in == PriorsIn::FitSd, "ratios", why)
            }
            Ratios::Tarquin | Ratios::Osprey => {
                let why = "rows that follow the solution go with `search.kind = \"none\"`";
                needs(self.search == Search::None {}, "ratios", why)
            }
        }
    }

    fn iterations_refused(&self) -> Fault {
        let shares = self.groups.by != GroupBy::None || !self.groups.has_any();
        let why = "`none` shares nothing: shift, damping and Gaussian must be 0";
        needs(shares, "groups.by", why).or_else(|| {
            let holds =
                self.solver.max_iterations > 0 && self.solver.tolerance > 0.0 && self.solver.tolerance.is_finite();
            needs(holds, "solver.max_iterations", "at least one iteration, and a tolerance above 0")
        })
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
    fn refused(&self, range_ppm: f64) -> Fault {
        let few = |splines: f64| splines > 0.0 && splines <= MOST_SPLINES;
        match *self {
            Self::None {} | Self::SmoothedResidual { .. } => None,
            Self::Polynomial { order } => needs(order <= HIGHEST_ORDER, "baseline.order", "at most 50"),
            Self::Spline { spacing_ppm, .. } => {
                let why = "above 0, and no more than 1000 splines in the window";
                needs(few(range_ppm / spacing_ppm), "baseline.spacing_ppm", why)
            }
            Self::PSpline { per_ppm, per_ed, smoothness } => {
                let why = "above 0, and no more than 1000 splines in the window";
                needs(few(range_ppm * per_ppm), "baseline.per_ppm", why)
                    .or_else(|| {
                        let why = "0, or 1 to 10: no fewer splines than effective dimensions";
                        needs(per_ed == 0.0 || (1.0..=10.0).contains(&per_ed), "baseline.per_ed", why)
                    })
                    .or_else(|| smoothness.refused(range_ppm))
            }
        }
    }
}

impl Smoothness {
    fn refused(&self, range_ppm: f64) -> Fault {
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
        needs(can, "baseline.smoothness", why)
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
