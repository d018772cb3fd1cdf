//! LCModel's start: referencing by correlation with landmarks, phases by the steepness of the real part, and a grid of
//! fits with few components (its STARTV and PHASTA; survey section 1.8).

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::baseline::Baseline;
use super::bounded::Singular;
use super::grid::Grid;
use super::lineshape::Shape;
use super::model::{Model, PHASE_STEPS_DEG};
use super::objective::{Objective, Weights};
use super::parameter::{Parameter, Shared};
use super::problem::{Freedom, Problem};
use super::solver::{Options, Point, evaluate, minimise};

/// Landmarks (ppm): tNAA, tCr, tCho. The later ones go where water seems to distort the correlation.
const LANDMARKS_PPM: [f64; 3] = [2.01, 3.03, 3.22];
const FEWEST_LANDMARKS: usize = 2;
/// Standard deviations (ppm) of the smoothing for the correlation and for the phases (SDSMOO).
const SMOOTHING_PPM: f64 = 0.02;
const PHASE_SMOOTHING_PPM: f64 = 0.03;
/// Local baseline of the power spectrum: this many points on either side, from this many widths on.
const BASELINE_POINTS: i64 = 10;
const BASELINE_WIDTHS: f64 = 1.5;
/// Distance (in widths) of shifts at which fits start, and most of them.
const SHIFT_MESH: f64 = 0.5;
const MOST_SHIFTS: usize = 8;
/// Phases tried for steepness, and its power.
const PHASES_TRIED: [usize; 2] = [36, 21];
const STEEPNESS_POWER: i32 = 6;
const MAX_PHI1_DEG: f64 = 30.0;
/// Starting phases of the fits at each shift.
const PHASES_FITTED: [usize; 2] = [4, 3];
/// Unit of the steps of the common shift, in widths (RSHFMQ), and of the width (RRT2MQ).
const SHIFT_STEP_WIDTHS: f64 = 0.025;
const WIDTH_STEP: f64 = 0.1;
const MAX_ITERATIONS: usize = 20;
const TOLERANCE: f64 = 1e-3;
/// The components of these fits, and who stands in for whom.
const FEW: [&str; 5] = ["NAA", "Cr", "GPC", "Glu", "Ins"];
const STAND_INS: [(&str, &str); 3] = [("GPC", "PCh"), ("GPC", "Cho"), ("PCh", "Cho")];

/// Where the full fit starts.
#[derive(Debug, Clone)]
pub(super) struct Started {
    /// The window, shifted and turned.
    pub(super) data: Vec<Complex64>,
    /// Frequency by which the data lie above the basis set (Hz).
    pub(super) shift_hz: f64,
    /// What the data were turned by (rad, rad/ppm).
    pub(super) turned: [f64; 2],
    /// Width of the lines (FWHM, ppm), and the same with its upper limit.
    pub(super) fwhm_full_ppm: f64,
    pub(super) fwhm_ppm: f64,
    /// Root mean square of the window.
    pub(super) height: f64,
}

/// Limits of [`start`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_shift_ppm: [f64; 2],
    pub(super) fwhm_ppm: f64,
    pub(super) max_fwhm_ppm: f64,
}

/// Start values of `fid`.
pub(super) fn start(model: &Model, fid: &[Complex64], limits: Limits) -> Result<Started, Singular> {
    let grid = &model.start_grid;
    let mut scratch = grid.scratch();
    let spectrum = grid.spectrum(fid, &mut scratch).to_vec();
    let (first, range) = landmarks(grid, fid, limits);
    let mut window = vec![Complex64::default(); grid.n_observed];
    grid.pick(&spectrum, first, &mut window);
    let height = (window.iter().map(|z| z.norm_sqr()).sum::<f64>() / window.len() as f64).sqrt();
    let [phi0_deg, phi1_deg] = steepest(model, fid);

    let mut search = Few::new(model, window, height, limits);
    let mesh = ((SHIFT_MESH * limits.fwhm_ppm / grid.bin_ppm()).round() as i64).max(1);
    let mut covered: Vec<[i64; 2]> = Vec::new();
    let mut best: Option<(f64, i64, Vec<f64>)> = None;
    let mut shift = first;
    for _ in 0..MOST_SHIFTS {
        grid.pick(&spectrum, shift, &mut search.problem.data);
        search.objective.refresh(&search.problem);
        let mut here = (f64::INFINITY, shift);
        let mut phi0 = phi0_deg;
        for _ in 0..PHASES_FITTED[0] {
            for phi1 in first_order_phases(phi1_deg) {
                let Ok(point) = search.fit([phi0, phi1], MAX_ITERATIONS) else { continue };
                if point.linear.sd < here.0 {
                    let at = shift + search.shift_bins(&point.p);
                    here = (point.linear.sd, at);
                    if best.as_ref().is_none_or(|b| point.linear.sd < b.0) {
                        best = Some((point.linear.sd, at, point.p));
                    }
                }
            }
            phi0 = (phi0 + 360.0 / PHASES_FITTED[0] as f64) % 360.0;
        }
        covered.push([here.1.min(shift), here.1.max(shift)]);
        // Next, the shift farthest from what is covered.
        let distance = |l: i64| covered.iter().map(|[a, b]| (a - l).max(l - b)).min().unwrap_or(0);
        let farthest = (range[0]..=range[1]).fold((mesh - 1, None), |m, l| {
            let d = distance(l);
            if d > m.0 { (d, Some(l)) } else { m }
        });
        match farthest.1 {
            Some(next) => shift = next,
            None => break,
        }
    }
    let (_, mut at, mut p) = best.ok_or(Singular)?;
    let mut turned = [0.0; 2];
    let [i0, i1] = [search.problem.layout.phi0(), search.problem.layout.phi1()];
    let mut turn = |search: &mut Few<'_>, p: &mut Vec<f64>| {
        search.problem.rephase(p[i0], p[i1]);
        turned = [turned[0] + p[i0], turned[1] + p[i1]];
        (p[i0], p[i1]) = (0.0, 0.0);
        turned
    };
    grid.pick(&spectrum, at, &mut search.problem.data);
    let now = turn(&mut search, &mut p);
    if at != shift {
        // Once more with shifted and turned data.
        search.problem.layout.parameters[i1].mean = -now[1];
        let shift_place = search.shift_place();
        p[shift_place] = 0.0;
        search.objective.refresh(&search.problem);
        if let Ok(point) = search.fit_from(&p, 2 * MAX_ITERATIONS) {
            p = point.p;
            let moved = search.shift_bins(&p);
            if moved != 0 {
                at += moved;
                p[i0] += now[0];
                p[i1] += now[1];
                grid.pick(&spectrum, at, &mut search.problem.data);
                turned = [0.0; 2];
            }
            search.problem.rephase(p[i0], p[i1]);
            turned = [turned[0] + p[i0], turned[1] + p[i1]];
        }
    }
    let fwhm_full_ppm = fwhm_ppm_from_rate(p[search.width_place()], grid.f0_mhz).max(0.0);
    Ok(Started {
        data: search.problem.data,
        shift_hz: at as f64 * grid.bin_hz(),
        turned,
        fwhm_full_ppm,
        fwhm_ppm: fwhm_full_ppm.min(limits.max_fwhm_ppm),
        height,
    })
}

/// The starting φ1 and two more (°/ppm), 30 apart within ±30.
fn first_order_phases(start: f64) -> [f64; 3] {
    let apart = 2.0 * MAX_PHI1_DEG / (PHASES_FITTED[1] - 1) as f64;
    let next = |phi1: f64| {
        let next = phi1 + apart;
        if next <= MAX_PHI1_DEG {
            next
        } else if next - MAX_PHI1_DEG <= 0.5 * apart {
            MAX_PHI1_DEG
        } else {
            -MAX_PHI1_DEG
        }
    };
    let second = next(start);
    [start, second, next(second)]
}

/// FWHM (ppm) of exp(−g²t²).
pub(super) fn fwhm_ppm_from_rate(g: f64, f0_mhz: f64) -> f64 {
    2.0 * LN_2.sqrt() / PI * g / f0_mhz
}

/// g of exp(−g²t²) with this FWHM (ppm).
fn rate_from_fwhm_ppm(fwhm_ppm: f64, f0_mhz: f64) -> f64 {
    PI * fwhm_ppm * f0_mhz / (2.0 * LN_2.sqrt())
}

fn smoothed(fid: &[Complex64], grid: &Grid, sd_ppm: f64) -> Vec<Complex64> {
    let rate = 2.0 * PI * sd_ppm * grid.f0_mhz * grid.dwell_s;
    fid.iter().enumerate().map(|(n, z)| z * (-0.5 * (rate * n as f64).powi(2)).exp()).collect()
}

/// Shift (bins) of best correlation of the power spectrum with the landmarks, and the range to search around it.
fn landmarks(grid: &Grid, fid: &[Complex64], limits: Limits) -> (i64, [i64; 2]) {
    let mut scratch = grid.scratch();
    let power: Vec<f64> =
        grid.spectrum(&smoothed(fid, grid, SMOOTHING_PPM), &mut scratch).iter().map(|z| z.norm_sqr()).collect();
    let n = power.len() as i64;
    let at = |v: &[f64], k: i64| v[k.rem_euclid(n) as usize];
    let from = ((BASELINE_WIDTHS * limits.fwhm_ppm / grid.bin_ppm()).round() as i64).max(1);
    let flat: Vec<f64> = (0..n)
        .map(|k| {
            let sum: f64 = (from..from + BASELINE_POINTS).map(|d| at(&power, k + d) + at(&power, k - d)).sum();
            (at(&power, k) - sum / (2 * BASELINE_POINTS) as f64).max(0.0)
        })
        .collect();
    let bins = |ppm: f64| (ppm / grid.bin_ppm()).round() as i64;
    let places: Vec<i64> = LANDMARKS_PPM.iter().map(|ppm| bins(crate::acquisition::CARRIER_PPM - ppm)).collect();
    let (lowest, highest) = (bins(-limits.max_shift_ppm[0]), bins(limits.max_shift_ppm[1]));
    let mut used = places.len();
    loop {
        let correlation = |shift: i64| places[..used].iter().map(|p| at(&flat, p + shift)).sum::<f64>();
        let (mut top, mut tallest, mut least) = (lowest, f64::NEG_INFINITY, f64::INFINITY);
        for shift in lowest..=highest {
            let c = correlation(shift);
            least = least.min(c);
            if c >= tallest {
                (tallest, top) = (c, shift);
            }
        }
        if top == lowest && used > FEWEST_LANDMARKS {
            used -= 1;
            continue;
        }
        let half = 0.5 * (tallest - least);
        let reach = grid.n_points as i64 / 2;
        let right = (1..=reach).find(|d| correlation(top + d) - least <= half).unwrap_or(reach);
        let left = (1..=reach).find(|d| correlation(top - d) - least <= half).unwrap_or(reach);
        let apart = (right + left) as f64 * grid.bin_ppm();
        let fwhm = (apart * apart - 8.0 * LN_2 * SMOOTHING_PPM * SMOOTHING_PPM).max(0.0).sqrt();
        let around = bins(0.5 * fwhm);
        return (top, [lowest.max(top - around), highest.min(top + around)]);
    }
}

/// φ0 and φ1 (°, °/ppm) that make the smoothed real part least steep.
fn steepest(model: &Model, fid: &[Complex64]) -> [f64; 2] {
    let grid = &model.start_grid;
    let mut scratch = grid.scratch();
    let mut window = vec![Complex64::default(); grid.n_observed];
    grid.observe(&smoothed(fid, grid, PHASE_SMOOTHING_PPM), &mut scratch, &mut window);
    let pivot = model.settings.phase.pivot_ppm;
    let [n0, n1] = PHASES_TRIED;
    let mut best = (f64::INFINITY, [0.0; 2], 0.0);
    let mut turned = window.clone();
    for j in 0..n1 {
        // LCModel turns the data forwards; the sign is ours further down.
        let phi1 = -MAX_PHI1_DEG + 2.0 * MAX_PHI1_DEG * j as f64 / (n1 - 1) as f64;
        for ((t, z), ppm) in turned.iter_mut().zip(&window).zip(&grid.ppm) {
            *t = z * Complex64::cis((phi1 * (ppm - pivot)).to_radians());
        }
        for i in 0..n0 {
            let phi0 = 180.0 * i as f64 / n0 as f64;
            let (sin, cos) = phi0.to_radians().sin_cos();
            let mut before = turned[0].re * cos - turned[0].im * sin;
            let (mut steepness, mut sum) = (0.0, 0.0);
            for z in &turned[1..] {
                let now = z.re * cos - z.im * sin;
                steepness += (now - before).powi(STEEPNESS_POWER);
                sum += now;
                before = now;
            }
            if steepness <= best.0 {
                best = (steepness, [phi0, phi1], sum);
            }
        }
    }
    let [phi0, phi1] = best.1;
    [-if best.2 < 0.0 { phi0 - 180.0 } else { phi0 }, -phi1]
}

/// Fits with few components, one shift and one Gaussian width.
struct Few<'a> {
    problem: Problem<'a>,
    objective: Objective,
    weights: Weights,
}

impl<'a> Few<'a> {
    fn new(model: &'a Model, window: Vec<Complex64>, height: f64, limits: Limits) -> Self {
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

    /// Group of the members: they are all metabolites.
    fn shift_place(&self) -> usize {
        self.problem.layout.groups[0].shift.unwrap_or_default()
    }

    fn width_place(&self) -> usize {
        self.problem.layout.groups[0].gauss.unwrap_or_default()
    }

    fn shift_bins(&self, p: &[f64]) -> i64 {
        (p[self.shift_place()] / (2.0 * PI) / self.problem.grid.bin_hz()).round() as i64
    }

    fn fit(&mut self, phases_deg: [f64; 2], max_iterations: usize) -> Result<Point, Singular> {
        let mut p = self.problem.layout.start();
        p[self.problem.layout.phi0()] = phases_deg[0].to_radians();
        p[self.problem.layout.phi1()] = phases_deg[1].to_radians();
        self.fit_from(&p, max_iterations)
    }

    fn fit_from(&mut self, p: &[f64], max_iterations: usize) -> Result<Point, Singular> {
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
        let metabolite = |k: &usize| model.components[*k].kind == crate::basis::names::Kind::Metabolite;
        members = (0..model.components.len()).filter(metabolite).collect();
    }
    members
}
