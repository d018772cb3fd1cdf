//! The components of a fit and what each is free to do.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::parameter::Parameter;
use super::settings::{GroupBy, Macromolecules, Settings};
use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;
use crate::basis::names::{Kind, kind};
use crate::fit::macromolecules::proton_unit;
use crate::fit::prior::RatioRow;
use crate::fit::usual_ratios::{self, LCMODEL};

/// One component.
#[derive(Debug, Clone)]
pub struct Component {
    /// Canonical name.
    pub name: String,
    /// Metabolite, macromolecule or lipid.
    pub kind: Kind,
    /// Whether it takes the lineshape that components share.
    pub(super) takes_lineshape: bool,
    /// Its group.
    pub(super) group: usize,
    /// Shift of its own (rad/s).
    pub(super) shift: Option<Parameter>,
    /// Damping of its own (1/s).
    pub(super) damping: Option<Parameter>,
}

/// One line of LCModel's simulated components: place (ppm), least FWHM (ppm), protons.
type Line = (f64, f64, f64);

/// A component that LCModel simulates (CHSIMU).
struct Simulated {
    name: &'static str,
    /// Expected FWHM and its standard deviation (ppm).
    width_ppm: [f64; 2],
    /// Standard deviation of its shift (ppm).
    shift_sd_ppm: f64,
    lines: &'static [Line],
}

const fn simulated(name: &'static str, width_ppm: [f64; 2], shift_sd_ppm: f64, lines: &'static [Line]) -> Simulated {
    Simulated { name, width_ppm, shift_sd_ppm, lines }
}

/// LCModel 6.3's list up to 190 MHz.
const LIPIDS: [Simulated; 4] = [
    simulated("Lip13a", [0.2, 0.035], 0.01, &[(1.28, 0.15, 2.0)]),
    simulated("Lip13b", [0.09, 0.035], 0.01, &[(1.28, 0.089, 2.0)]),
    simulated("Lip09", [0.19, 0.035], 0.02, &[(0.89, 0.14, 3.0)]),
    simulated("Lip20", [0.2, 0.025], 0.005, &[(2.04, 0.15, 1.33), (2.25, 0.15, 0.67), (2.8, 0.2, 0.87)]),
];
const MACROMOLECULES: [Simulated; 5] = [
    simulated("MM09", [0.17, 0.015], 0.02, &[(0.91, 0.14, 3.0)]),
    simulated(
        "MM20",
        [0.18, 0.01],
        0.005,
        &[(2.08, 0.15, 1.33), (2.25, 0.2, 0.33), (1.95, 0.15, 0.33), (3.0, 0.2, 0.4)],
    ),
    simulated("MM12", [0.2, 0.02], 0.01, &[(1.21, 0.15, 2.0)]),
    simulated("MM14", [0.2, 0.02], 0.02, &[(1.43, 0.17, 2.0)]),
    simulated("MM17", [0.17, 0.02], 0.03, &[(1.67, 0.15, 2.0)]),
];
/// The line that takes what the CH2 of creatine lacks: place (ppm) and protons; width LCModel's FWHMBA.
const MINUS_CREATINE_CH2: (f64, f64) = (3.93, -2.0);
pub(super) const FWHMBA_PPM: f64 = 0.013;

/// FSL-MRS's default macromolecules: name and lines (ppm, amplitude).
const FSL_MACROMOLECULES: [(&str, &[(f64, f64)]); 5] = [
    ("MM09", &[(0.9, 3.0)]),
    ("MM12", &[(1.2, 2.0)]),
    ("MM14", &[(1.4, 2.0)]),
    ("MM17", &[(1.7, 2.0)]),
    ("MM21", &[(2.08, 1.33), (2.25, 0.33), (1.95, 0.33), (3.0, 0.4)]),
];
/// Their damping γ and Gaussian rate σ in exp(−(γ + σ²t)t) (1/s).
const FSL_RATES: [f64; 2] = [40.0, 30.0];

/// Smallest mean and standard deviation of the damping of simulated components (1/s; MYBASI).
const LEAST_DAMPING: [f64; 2] = [0.5, 0.25];

/// Steps are damped in units of this part of a shift's standard deviation (RSDSMQ) …
const SHIFT_STEP_PART: f64 = 0.125;
/// … and of a damping (RRT2MQ).
const DAMPING_STEP_PART: f64 = 0.1;

/// Components and their FIDs on the grid of the data, in the basis set's units.
pub(super) fn assemble(
    basis: &BasisSet,
    fids: &ndarray::Array2<Complex64>,
    dwell_s: f64,
    f0_mhz: f64,
    settings: &Settings,
) -> (Vec<Component>, Vec<Vec<Complex64>>) {
    let n_points = fids.ncols();
    let rules = Rules { settings, f0_mhz };
    let (mut components, mut out) = (Vec::new(), Vec::new());
    for (name, fid) in basis.metabolites.iter().zip(fids.outer_iter()) {
        if kind(name) == Kind::Reference {
            continue;
        }
        components.push(rules.member(name));
        out.push(fid.to_vec());
    }
    let proton = proton_unit(&basis.metabolites, fids);
    let has = |wanted: Kind| components.iter().any(|c: &Component| c.kind == wanted);
    let (has_macromolecules, has_lipids) = (has(Kind::Macromolecule), has(Kind::Lipid));
    let has_line = components.iter().any(|c| c.name == "-CrCH2");
    let gaussian = |lines: &[Line]| gaussian_fid(lines, dwell_s, f0_mhz, n_points, proton);
    let mut add_simulated = |list: &[Simulated], kind: Kind| {
        for s in list.iter().filter(|s| rules.in_window(s.lines)) {
            components.push(rules.simulated(s, kind));
            out.push(gaussian(s.lines));
        }
    };
    if settings.components.lipids && !has_lipids {
        add_simulated(&LIPIDS, Kind::Lipid);
    }
    match settings.components.macromolecules {
        Macromolecules::Lcmodel if !has_macromolecules => add_simulated(&MACROMOLECULES, Kind::Macromolecule),
        Macromolecules::Fsl if !has_macromolecules => {
            for (name, lines) in FSL_MACROMOLECULES {
                components.push(rules.added(name, Kind::Macromolecule));
                out.push(voigt_fid(lines, dwell_s, f0_mhz, n_points, proton));
            }
        }
        _ => {}
    }
    let (ppm, protons) = MINUS_CREATINE_CH2;
    if settings.components.minus_creatine_ch2 && !has_line && rules.in_window(&[(ppm, FWHMBA_PPM, protons)]) {
        components.push(rules.member("-CrCH2"));
        out.push(gaussian(&[(ppm, FWHMBA_PPM, protons)]));
    }
    (components, out)
}

struct Rules<'a> {
    settings: &'a Settings,
    f0_mhz: f64,
}

impl Rules<'_> {
    fn in_window(&self, lines: &[Line]) -> bool {
        let [low, high] = self.settings.window_ppm;
        lines.iter().any(|(ppm, _, _)| (low..high).contains(ppm))
    }

    fn rad_per_s(&self, ppm: f64) -> f64 {
        2.0 * PI * ppm * self.f0_mhz
    }

    fn group(&self, kind: Kind) -> usize {
        match self.settings.groups.by {
            GroupBy::None | GroupBy::All => 0,
            GroupBy::Kind => usize::from(kind != Kind::Metabolite),
        }
    }

    /// A member of the basis set, or a component that behaves like one.
    fn member(&self, name: &str) -> Component {
        let kind = kind(name);
        let own = &self.settings.own;
        let broad = kind != Kind::Metabolite;
        let or = |value: f64, other: f64| if broad && other > 0.0 { other } else { value };
        let sd_ppm = own.shift_sd_ppm_of.get(name).copied().unwrap_or(own.shift_sd_ppm);
        // One of the two is 0.
        let limit = |ppm: f64, hz: f64| self.rad_per_s(ppm) + 2.0 * PI * hz;
        let max =
            or(limit(own.max_shift_ppm, own.max_shift_hz), limit(own.max_shift_ppm_broad, own.max_shift_hz_broad));
        let shift = (max > 0.0).then(|| {
            let sd = self.rad_per_s(sd_ppm);
            Parameter::around(0.0, sd, SHIFT_STEP_PART * if sd > 0.0 { sd } else { max }).within(-max, max)
        });
        let field = if own.damping_at_mhz > 0.0 { (self.f0_mhz / own.damping_at_mhz).sqrt() } else { 1.0 };
        let [mean, max] = own.damping_per_s;
        let max = or(max, own.max_damping_per_s_broad);
        let damping = (max > 0.0).then(|| {
            let mean = mean * field;
            // Where nothing but bounds holds a damping, they are its unit.
            let by_bounds = own.damping_sd_per_s <= 0.0 && max.is_finite();
            let step = DAMPING_STEP_PART * if by_bounds { max } else { mean.max(1.0) };
            Parameter::around(mean, own.damping_sd_per_s * field, step).within(0.0, max)
        });
        Component { name: name.to_owned(), kind, takes_lineshape: true, group: self.group(kind), shift, damping }
    }

    /// A component that the method adds, with the freedom of a member.
    fn added(&self, name: &str, kind: Kind) -> Component {
        let takes_lineshape = self.settings.components.lineshape_on_added;
        Component { kind, takes_lineshape, ..self.member(name) }
    }

    fn simulated(&self, s: &Simulated, kind: Kind) -> Component {
        let component = self.added(s.name, kind);
        if !self.settings.own.added_as_lcmodel {
            return component;
        }
        // Variances of widths are taken to add up, as LCModel does by default (GAUSS_RT2).
        let least = s.lines.first().map_or(0.0, |l| l.1);
        let damping_of = |width: f64| PI * self.f0_mhz * (width * width - least * least).max(0.0).sqrt();
        let [expected, sd] = s.width_ppm;
        let mean = damping_of(expected).max(LEAST_DAMPING[0]);
        let sd = (damping_of(expected + sd) - mean).max(LEAST_DAMPING[1]);
        let shift_sd = self.rad_per_s(s.shift_sd_ppm);
        Component {
            shift: Some(Parameter::around(0.0, shift_sd, SHIFT_STEP_PART * shift_sd)),
            damping: Some(Parameter::around(mean, sd, DAMPING_STEP_PART * mean).within(0.0, f64::INFINITY)),
            ..component
        }
    }
}

fn gaussian_fid(lines: &[Line], dwell_s: f64, f0_mhz: f64, n_points: usize, proton: f64) -> Vec<Complex64> {
    let sample = |t: f64| {
        let line = |&(ppm, width, protons): &Line| {
            let decay = -(PI * width * f0_mhz * t).powi(2) / (4.0 * LN_2);
            Complex64::cis(2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t) * (protons * proton * decay.exp())
        };
        lines.iter().map(line).sum()
    };
    (0..n_points).map(|n| sample(n as f64 * dwell_s)).collect()
}

fn voigt_fid(lines: &[(f64, f64)], dwell_s: f64, f0_mhz: f64, n_points: usize, proton: f64) -> Vec<Complex64> {
    let [gamma, sigma] = FSL_RATES;
    let sample = |t: f64| {
        let decay = (-(gamma + sigma * sigma * t) * t).exp() * proton;
        lines.iter().map(|&(ppm, a)| Complex64::cis(2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t) * (a * decay)).sum()
    };
    (0..n_points).map(|n| sample(n as f64 * dwell_s)).collect()
}

/// LCModel's ratio rows between these components.
pub(super) fn ratio_rows(components: &[Component], f0_mhz: f64, te_s: Option<f64>) -> Vec<RatioRow> {
    let names: Vec<_> = components.iter().map(|c| Some(c.name.as_str())).collect();
    usual_ratios::ratio_rows(&LCMODEL, &names, (f0_mhz, te_s), 1.0, None)
}
