//! The fits that the start is made of: few components, one shift and one Gaussian width.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::super::baseline::Baseline;
use super::super::bounded::Singular;
use super::super::lineshape::Shape;
use super::super::model::{Model, PHASE_STEPS_DEG};
use super::super::objective::{Objective, Weights};
use super::super::parameter::{Parameter, Shared};
use super::super::problem::{Freedom, Problem};
use super::super::solver::{Options, Point, evaluate, minimise};
use super::landmarks::Limits;
use crate::basis::names::Kind;

/// Unit of the steps of the common shift, in widths (RSHFMQ), and of the width (RRT2MQ).
const SHIFT_STEP_WIDTHS: f64 = 0.025;
const WIDTH_STEP: f64 = 0.1;
/// Relative decrease at which these fits have converged.
const TOLERANCE: f64 = 1e-3;
/// The components of these fits, and who stands in for whom.
const FEW: [&str; 5] = ["NAA", "Cr", "GPC", "Glu", "Ins"];
const STAND_INS: [(&str, &str); 3] = [("GPC", "PCh"), ("GPC", "Cho"), ("PCh", "Cho")];

/// FWHM (ppm) of exp(−g²t²).
pub(in super::super) fn fwhm_ppm_from_rate(g: f64, f0_mhz: f64) -> f64 {
    2.0 * LN_2.sqrt() / PI * g / f0_mhz
}

/// g of exp(−g²t²) with this FWHM (ppm).
fn rate_from_fwhm_ppm(fwhm_ppm: f64, f0_mhz: f64) -> f64 {
    PI * fwhm_ppm * f0_mhz / (2.0 * LN_2.sqrt())
}

/// Fits with few components, one shift and one Gaussian width.
pub(super) struct Few<'a> {
    pub(super) problem: Problem<'a>,
    pub(super) objective: Objective,
    weights: Weights,
}

impl<'a> Few<'a> {
    pub(super) fn new(model: &'a Model, window: Vec<Complex64>, height: f64, limits: Limits) -> Self {
        let grid = &model.start_grid;
        let g = rate_from_fwhm_ppm(limits.fwhm_ppm, grid.f0_mhz);
        let shift_step = 2.0 * PI * grid.f0_mhz * SHIFT_STEP_WIDTHS * limits.fwhm_ppm;
        let shared = Shared {
            shift: Some(Parameter::around(0.0, 0.0, shift_step)),
            damping: None,
            gauss: Some(Parameter::around(g, 0.0, WIDTH_STEP * g).within(0.0, f64::INFINITY)),
        };
        let [step0, step1] = PHASE_STEPS_DEG.map(f64::to_radians);
        let sd = model.settings.phase.phi1_sd_deg_per_ppm.to_radians();
        let phases = [Parameter::around(0.0, 0.0, step0), Parameter::around(0.0, sd, step1)];
        let baseline = Baseline::new(&model.settings.baseline, grid, limits.fwhm_ppm, height, true);
        let n_groups = 1 + model.components.iter().map(|c| c.group).max().unwrap_or(0);
        let freedom = Freedom {
            shape: Shape::None,
            shape_parameters: Vec::new(),
            phases,
            groups: vec![shared; n_groups],
            with_own: false,
        };
        let problem = Problem::new(model, grid, window, few(model), baseline, freedom);
        let objective = Objective::new(&problem);
        let weights = Weights { sigma: 0.0, alpha_baseline: 0.0, alpha_shape: 0.0, lambda: 0.0, soft: Vec::new() };
        Self { problem, objective, weights }
    }

    /// Parameter of the common shift. Members are all metabolites, which are the first group.
    pub(super) fn shift_place(&self) -> usize {
        self.problem.layout.groups[0].shift.unwrap_or_default()
    }

    /// Parameter of the common Gaussian width.
    pub(super) fn width_place(&self) -> usize {
        self.problem.layout.groups[0].gauss.unwrap_or_default()
    }

    /// Shift of a solution (bins).
    pub(super) fn shift_bins(&self, p: &[f64]) -> i64 {
        (p[self.shift_place()] / (2.0 * PI) / self.problem.grid.bin_hz()).round() as i64
    }

    /// Fits from the start values and these phases (°, °/ppm).
    pub(super) fn fit(&mut self, phases_deg: [f64; 2], max_iterations: usize) -> Result<Point, Singular> {
        let mut p = self.problem.layout.start();
        p[self.problem.layout.phi0()] = phases_deg[0].to_radians();
        p[self.problem.layout.phi1()] = phases_deg[1].to_radians();
        self.fit_from(&p, max_iterations)
    }

    pub(super) fn fit_from(&mut self, p: &[f64], max_iterations: usize) -> Result<Point, Singular> {
        if self.weights.sigma == 0.0 {
            evaluate(&self.problem, &mut self.objective, &mut self.weights, p, &[], true)?;
        }
        let options = Options { max_iterations, tolerance: TOLERANCE, try_undamped: false, follow_sigma: true };
        minimise(&self.problem, &mut self.objective, &mut self.weights, p, options)
    }
}

/// The model's components that take part in the start: the first of the basis set that is, or stands in for, each of
/// the few; all metabolites where none of them is there.
fn few(model: &Model) -> Vec<usize> {
    let mut filled = [false; FEW.len()];
    let mut members = Vec::new();
    let stands_in = |a: &str, b: &str| STAND_INS.iter().any(|&(x, y)| (x, y) == (a, b) || (y, x) == (a, b));
    for (k, component) in model.components.iter().enumerate() {
        let name = component.name.as_str();
        let slot = (0..FEW.len()).find(|&j| !filled[j] && (FEW[j] == name || stands_in(FEW[j], name)));
        if let Some(j) = slot {
            filled[j] = true;
            members.push(k);
        }
    }
    if members.is_empty() {
        let metabolite = |k: &usize| model.components[*k].kind == Kind::Metabolite;
        members = (0..model.components.len()).filter(metabolite).collect();
    }
    members
}
