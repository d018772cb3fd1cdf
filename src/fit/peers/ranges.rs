//! Numbers of a settings file that no fit can use: not finite, negative, or a start beyond its limit.

use super::check::{Fault, needs};
use super::settings::{Baseline, Lineshape, Search, Settings, Start};
use crate::basis::names::{Kind, canonical, is_listed, kind};

/// Most points on a side of a kernel: no lineshape needs them, and matrices grow with their square.
const MOST_SIDE_POINTS: usize = 1000;

/// What a limit may be.
const LIMIT: &str = "a number of at least 0, or inf: no limit";
/// What a standard deviation may be.
const SPREAD: &str = "a finite number of at least 0; 0: no prior";
/// What a distance or weight may be.
const SIZE: &str = "a finite number of at least 0";
/// What a start and its limit may be.
const START_AND_LIMIT: &str = "start and largest, both at least 0, the start finite and no larger than the other";

fn is_size(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// NaN is no limit.
fn is_limit(value: f64) -> bool {
    value >= 0.0
}

fn is_start_and_limit([start, most]: [f64; 2]) -> bool {
    is_size(start) && start <= most
}

/// The first of `values` that is none of what `can` asks.
fn first<T: Copy>(values: &[(&'static str, T)], can: impl Fn(T) -> bool, why: &'static str) -> Fault {
    values.iter().find_map(|&(field, value)| needs(can(value), field, why))
}

impl Settings {
    /// The first number that no fit can use.
    pub(super) fn numbers_refused(&self) -> Fault {
        let (groups, own, phase) = (&self.groups, &self.own, &self.phase);
        let limits = [
            ("groups.max_shift_ppm", groups.max_shift_ppm),
            ("own.max_shift_ppm", own.max_shift_ppm),
            ("own.max_shift_hz", own.max_shift_hz),
            ("own.max_shift_ppm_broad", own.max_shift_ppm_broad),
            ("own.max_shift_hz_broad", own.max_shift_hz_broad),
            ("own.max_damping_per_s_broad", own.max_damping_per_s_broad),
            ("phase.max_phi0_deg", phase.max_phi0_deg),
            ("phase.max_phi1_deg_per_ppm", phase.max_phi1_deg_per_ppm),
        ];
        let spreads = [
            ("own.shift_sd_ppm", own.shift_sd_ppm),
            ("own.damping_sd_per_s", own.damping_sd_per_s),
            ("phase.phi1_sd_deg_per_ppm", phase.phi1_sd_deg_per_ppm),
        ];
        let starts = [
            ("groups.damping_per_s", groups.damping_per_s),
            ("groups.gauss_per_s", groups.gauss_per_s),
            ("own.damping_per_s", own.damping_per_s),
        ];
        first(&limits, is_limit, LIMIT)
            .or_else(|| first(&spreads, is_size, SPREAD))
            .or_else(|| first(&starts, is_start_and_limit, START_AND_LIMIT))
            .or_else(|| needs(is_size(own.damping_at_mhz), "own.damping_at_mhz", SIZE))
            .or_else(|| needs(phase.pivot_ppm.is_finite(), "phase.pivot_ppm", "a finite number"))
            .or_else(|| self.named_spreads_refused())
            .or_else(|| self.lineshape.number_refused())
            .or_else(|| self.baseline.number_refused())
            .or_else(|| self.start.number_refused())
            .or_else(|| self.search.number_refused())
    }

    /// Components with a spread of their own that are neither in a basis set with these members nor macromolecules or lipids, which
    /// the method may add.
    pub(crate) fn named_beside(&self, members: &[String]) -> Vec<&str> {
        let members: Vec<String> = members.iter().map(|name| canonical(name)).collect();
        let is_beside = |name: &&str| kind(name) == Kind::Metabolite && !members.iter().any(|member| member == name);
        self.own.shift_sd_ppm_of.keys().map(String::as_str).filter(is_beside).collect()
    }

    fn named_spreads_refused(&self) -> Fault {
        let field = "own.shift_sd_ppm_of";
        let why = "a name that no component has: names are LCModel's (NAA, Ins, GPC, MM09, Lip13a …)";
        self.own.shift_sd_ppm_of.iter().find_map(|(name, &sd_ppm)| {
            needs(is_listed(name), field, why).or_else(|| needs(is_size(sd_ppm), field, SPREAD))
        })
    }
}

impl Lineshape {
    fn number_refused(&self) -> Fault {
        match *self {
            Self::None {} => None,
            Self::Kernel { reach, min_side_points, max_side_points, .. } => {
                let holds = (1..=MOST_SIDE_POINTS).contains(&max_side_points);
                needs(reach.is_finite() && reach > 0.0, "lineshape.reach", "a finite number above 0")
                    .or_else(|| needs(holds, "lineshape.max_side_points", "1 to 1000"))
                    .or_else(|| {
                        let holds = (1..=max_side_points).contains(&min_side_points);
                        needs(holds, "lineshape.min_side_points", "at least 1, and at most max_side_points")
                    })
            }
            Self::Asymmetric { start_hz, max_hz, max_asymmetry, asymmetry_sd } => {
                needs(is_start_and_limit([start_hz, max_hz]), "lineshape.start_hz", START_AND_LIMIT)
                    .or_else(|| needs(is_limit(max_asymmetry), "lineshape.max_asymmetry", LIMIT))
                    .or_else(|| needs(is_size(asymmetry_sd), "lineshape.asymmetry_sd", SPREAD))
            }
        }
    }
}

impl Baseline {
    fn number_refused(&self) -> Fault {
        let Self::Spline { spacing_widths, start_spacing_widths, penalised_below, .. } = *self else { return None };
        let sizes = [
            ("baseline.spacing_widths", spacing_widths),
            ("baseline.start_spacing_widths", start_spacing_widths),
            ("baseline.penalised_below", penalised_below),
        ];
        first(&sizes, is_size, SIZE)
    }
}

impl Start {
    fn number_refused(&self) -> Fault {
        let field = "start.max_shift_ppm";
        match *self {
            Self::Correlate { max_shift_ppm } => needs(is_size(max_shift_ppm), field, SIZE),
            Self::Grid { max_shift_ppm, fwhm_ppm, max_fwhm_ppm } => {
                let why = "two finite numbers of at least 0: towards lower and towards higher ppm";
                let is_width = fwhm_ppm > 0.0 && fwhm_ppm <= max_fwhm_ppm && max_fwhm_ppm.is_finite();
                needs(max_shift_ppm.into_iter().all(is_size), field, why)
                    .or_else(|| needs(is_width, "start.fwhm_ppm", "above 0, and at most max_fwhm_ppm, which is finite"))
            }
        }
    }
}

impl Search {
    fn number_refused(&self) -> Fault {
        let Self::FTest { probability, probability_smoothing, max_fits, max_phase_deg, .. } = *self else {
            return None;
        };
        let ranges = [("search.probability", probability), ("search.probability_smoothing", probability_smoothing)];
        let is_range = |[low, high]: [f64; 2]| 0.0 <= low && low <= high && high <= 1.0;
        first(&ranges, is_range, "lower and upper end, from 0 to 1")
            .or_else(|| needs(max_fits > 0, "search.max_fits", "at least 1"))
            .or_else(|| needs(is_limit(max_phase_deg), "search.max_phase_deg", LIMIT))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::fit::Method;

    const LCMODEL: &str = include_str!("../methods/lcmodel.toml");
    const ABFIT: &str = include_str!("../methods/abfit-reg.toml");
    const FSL: &str = include_str!("../methods/fsl.toml");

    #[test]
    fn numbers_that_no_fit_can_use_are_refused_with_their_line() {
        for (text, from, to, field) in [
            (LCMODEL, "shift_sd_ppm = 0.004", "shift_sd_ppm = -0.004", "own.shift_sd_ppm"),
            (LCMODEL, "shift_sd_ppm = 0.004", "shift_sd_ppm = nan", "own.shift_sd_ppm"),
            (LCMODEL, "damping_sd_per_s = 0.4", "damping_sd_per_s = -0.4", "own.damping_sd_per_s"),
            (LCMODEL, "damping_per_s = [2.0, inf]", "damping_per_s = [2.0, 1.0]", "own.damping_per_s"),
            (LCMODEL, "max_shift_ppm = inf", "max_shift_ppm = nan", "own.max_shift_ppm"),
            (LCMODEL, "max_phi0_deg = inf", "max_phi0_deg = -1.0", "phase.max_phi0_deg"),
            (LCMODEL, "phi1_sd_deg_per_ppm = 20.0", "phi1_sd_deg_per_ppm = -20.0", "phase.phi1_sd_deg_per_ppm"),
            (LCMODEL, "pivot_ppm = 4.65", "pivot_ppm = nan", "phase.pivot_ppm"),
            (LCMODEL, "reach = 1.8", "reach = -1.8", "lineshape.reach"),
            (LCMODEL, "max_side_points = 11", "max_side_points = 0", "lineshape.max_side_points"),
            (LCMODEL, "max_side_points = 11", "max_side_points = 4", "lineshape.min_side_points"),
            (LCMODEL, "min_side_points = 5", "min_side_points = 0", "lineshape.min_side_points"),
            (LCMODEL, "max_shift_ppm = [0.1, 0.3]", "max_shift_ppm = [-0.1, -0.3]", "start.max_shift_ppm"),
            (LCMODEL, "\nfwhm_ppm = 0.04", "\nfwhm_ppm = 0.2", "start.fwhm_ppm"),
            (LCMODEL, "spacing_widths = 2.5", "spacing_widths = -2.5", "baseline.spacing_widths"),
            (LCMODEL, "[0.02, 0.08]", "[0.08, 0.02]", "search.probability"),
            (LCMODEL, "\nNAA = 0.002", "\nNNA = 0.002", "own.shift_sd_ppm_of"),
            (LCMODEL, "\nNAA = 0.002", "\nNAA = -0.002", "own.shift_sd_ppm_of"),
            (LCMODEL, "tolerance = 1e-3", "tolerance = inf", "solver.max_iterations"),
            (ABFIT, "asymmetry_sd = 0.1", "asymmetry_sd = -0.1", "lineshape.asymmetry_sd"),
            (ABFIT, "start_hz = 5.0", "start_hz = 20.0", "lineshape.start_hz"),
        ] {
            assert!(text.contains(from), "{from}");
            let message = Method::from_toml(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(message.contains(&format!(": `{field}`:")), "{to}: {message}");
        }
    }

    #[test]
    fn named_components_that_a_basis_set_lacks_are_found() {
        let Method::Peers(settings) = Method::from_toml(LCMODEL).unwrap() else {
            unreachable!("the family of LCModel")
        };
        let members = ["NAA", "NAAG", "mIns"].map(str::to_owned);
        assert_eq!(settings.named_beside(&members), ["Cho"]);
        assert!(settings.named_beside(&["NAA", "NAAG", "choline"].map(str::to_owned)).is_empty());
    }

    #[test]
    fn a_table_without_a_kind_has_no_other_keys() {
        for (text, table) in [(FSL, "lineshape"), (FSL, "search"), (FSL, "baseline")] {
            let start = text.find(&format!("[{table}]")).unwrap();
            let end = text[start + 1..].find("\n[").map_or(text.len(), |end| start + 1 + end);
            let none = |more: &str| format!("{}[{table}]\nkind = \"none\"\n{more}{}", &text[..start], &text[end..]);
            Method::from_toml(&none("")).unwrap();
            let message = Method::from_toml(&none("reach = -5.0\n")).unwrap_err().to_string();
            assert!(message.contains("reach"), "{table}: {message}");
        }
    }
}
