//! From a solution to a [`FitResult`].

mod amplitudes;
mod drawn;
mod inverse;
mod pull;
mod window;

use std::f64::consts::{LN_2, PI};

use super::bounded::Singular;
use super::kernel_shape::fwhm_ppm;
use super::lineshape::Shape;
use super::objective::{Linear, Objective, Weights};
use super::problem::Problem;
use super::solution::Setup;
use super::solution::Solution;
use super::solver::Point;
use crate::acquisition::CARRIER_PPM;
use crate::basis::names::Kind;
use crate::fit::result::{FitResult, FitState};
use crate::fit::solution::Solution as Ended;
use crate::signal::linewidth::voigt_fwhm_hz;
use amplitudes::Amplitudes;
pub(super) use drawn::curves;
use drawn::{degrees, metabolite_height};
use inverse::Inverse;

/// Where a method stopped.
pub(super) struct Found {
    pub(super) setup: Setup,
    pub(super) point: Point,
    pub(super) weights: Weights,
    pub(super) noise_variance: f64,
    pub(super) noise: f64,
    pub(super) data_scale: f64,
    pub(super) shift_hz: f64,
    pub(super) n_iterations: usize,
}

/// Zero-order phase at the carrier (°) and first-order phase (°/ppm).
fn phases_deg(problem: &Problem<'_>, found: &Found) -> [f64; 2] {
    let (p, [turned0, turned1]) = (&found.point.p, found.setup.turned);
    let (phi0, phi1) = (turned0 + p[problem.layout.phi0()], turned1 + p[problem.layout.phi1()]);
    [degrees(phi0 + phi1 * (CARRIER_PPM - problem.pivot_ppm)), phi1.to_degrees()]
}

/// Errors and numbers at a solution.
pub(super) fn summarise(
    problem: &mut Problem<'_>,
    objective: &mut Objective,
    found: &Found,
) -> Result<FitResult, Singular> {
    let model = problem.model;
    let p = &found.point.p;
    let linear = objective.linear(problem, p, &found.weights, &found.point.linear.c)?;
    let errors = Errors::new(problem, objective, found, &linear)?;
    let Errors { free, bound, noise, released } = &errors;
    let variance = linear.sd * linear.sd;
    let unit = model.basis_scale / found.data_scale;
    let amplitudes = Amplitudes { problem, p, c: &linear.c, released, free, bound, noise };
    let mut amplitudes = amplitudes.all(variance, found.noise_variance, unit);
    pull::tell(problem, objective, (p, &found.weights), &linear, unit, &mut amplitudes)?;
    let n_members = problem.members.len();
    let covariance = |inverse, variance: f64| covariance(inverse, n_members, variance * unit * unit);
    let freedom = problem.grid.n_rows().saturating_sub(linear.n_parameters).max(1) as f64;
    let chi2_reduced = linear.residual / freedom / found.noise_variance;
    let residual_over_noise = window::residual_over_noise(problem, p, &linear, found.noise_variance);
    let residual_over_noise = residual_over_noise.unwrap_or(chi2_reduced.sqrt());
    // Whatever the method compares, curves show the real spectrum.
    let spectrum_sd = model.start_grid.row_variance(found.noise).sqrt();
    let widths = Widths::of(problem, p);
    let [phi0_deg, phi1_deg_per_ppm] = phases_deg(problem, found);
    let shared = problem.layout.groups.first().copied().unwrap_or_default();
    let mut result = FitResult {
        state: if found.point.converged { FitState::Converged } else { FitState::MaxIterations },
        n_iterations: found.n_iterations,
        objective: linear.objective / variance,
        noise_sd: spectrum_sd / found.data_scale,
        residual_over_noise,
        chi2_reduced,
        degrees_of_freedom: freedom,
        baseline_ed: baseline_ed(problem, bound, found.weights.baseline()),
        baseline_lambda: Some(found.weights.baseline()),
        phi0_deg,
        phi1_deg_per_ppm,
        shift_hz: found.shift_hz + shared.shift.map_or(0.0, |i| p[i]) / (2.0 * PI),
        lorentz_hz: Some(widths.lorentz_hz),
        gauss_hz: Some(widths.gauss_hz),
        skew_rad: None,
        flatness: None,
        kernel_weights: Vec::new(),
        kernel_spacing_hz: None,
        fwhm_hz: widths.fwhm_hz,
        snr: f64::NAN,
        snr_residual: f64::NAN,
        amplitudes,
        covariance: covariance(noise, found.noise_variance),
        posterior_covariance: covariance(bound, variance),
        strained_priors: pull::strained(problem, (p, &found.weights), &linear),
        solution: Ended::Peers(Solution {
            setup: found.setup,
            nonlinear: p.to_vec(),
            linear: linear.c.clone(),
            start_shift_hz: found.shift_hz,
            data_scale: found.data_scale,
        }),
        ..FitResult::without_fit(FitState::Converged)
    };
    result.snr = metabolite_height(model, &result) / (2.0 * spectrum_sd);
    result.snr_residual = result.snr / residual_over_noise;
    Ok(result)
}

/// Lower triangle of the members' covariance.
fn covariance(inverse: &Inverse, n_members: usize, variance: f64) -> Vec<f64> {
    (0..n_members).flat_map(|i| (0..=i).map(move |j| inverse.at(i, j) * variance)).collect()
}

/// Inverses of the normal equations at a solution, in units of the fit's and of the noise's variance.
struct Errors {
    /// Everything free but parameters at their bounds.
    free: Inverse,
    /// The same without amplitudes at zero.
    bound: Inverse,
    /// As `free`, without rows between amplitudes: what noise alone makes of it.
    noise: Inverse,
    /// Linear and nonlinear parameters with the bounds of amplitudes released.
    released: Vec<f64>,
}

impl Errors {
    fn new(problem: &Problem<'_>, objective: &mut Objective, found: &Found, linear: &Linear) -> Result<Self, Singular> {
        let p = &found.point.p;
        // TARQUIN and Osprey leave their rows out of the errors; LCModel has its own in them.
        let counted = found.weights.soft.iter().filter(|row| row.in_sigma).cloned().collect();
        objective.system(problem, p, linear, &Weights { soft: counted, ..found.weights.clone() });
        let n = problem.n_linear() + problem.layout.len();
        let moves = |i: usize| match i.checked_sub(problem.n_linear()) {
            None => true,
            Some(j) => {
                let parameter = &problem.layout.parameters[j];
                !parameter.is_fixed && parameter.lower < p[j] && p[j] < parameter.upper
            }
        };
        let h = objective.h[..n * n].to_vec();
        let n_members = problem.members.len();
        let all: Vec<usize> = (0..n).filter(|&i| moves(i)).collect();
        let positive: Vec<usize> = all.iter().copied().filter(|&i| i >= n_members || linear.c[i] > 0.0).collect();
        let free = Inverse::new(&h, n, &all)?;
        let bound = Inverse::new(&h, n, &positive)?;
        let released = free.times(objective.right_side(n));
        // Measured noise, no rows between amplitudes.
        objective.system(problem, p, linear, &Weights { soft: Vec::new(), ..found.weights.clone() });
        let noise = Inverse::new(&objective.h[..n * n], n, &all)?;
        Ok(Self { free, bound, noise, released })
    }
}

/// Effective dimension of the baseline whose roughness counts `weight`.
fn baseline_ed(problem: &Problem<'_>, bound: &Inverse, weight: f64) -> f64 {
    let (first, nb) = (problem.members.len(), problem.baseline.n);
    let rough = |i: usize, j: usize| problem.baseline.roughness.get(i * nb + j).copied().unwrap_or(0.0);
    let trace: f64 = (0..nb)
        .flat_map(|i| (0..nb).map(move |j| (i, j)))
        .filter(|&(i, j)| rough(i, j) != 0.0)
        .map(|(i, j)| rough(i, j) * bound.at(first + i, first + j))
        .sum();
    nb as f64 - weight * trace
}

/// Widths of the lines (FWHM, Hz).
struct Widths {
    lorentz_hz: f64,
    gauss_hz: f64,
    /// Of the whole line, the basis set's own width included; `None` where that is unknown.
    fwhm_hz: Option<f64>,
}

impl Widths {
    fn of(problem: &Problem<'_>, p: &[f64]) -> Self {
        let (model, layout) = (problem.model, &problem.layout);
        let shared = layout.groups.first().copied().unwrap_or_default();
        let lorentz_hz = usual_damping(problem, p) / PI;
        // exp(−g²t²): FWHM = 2√ln2/π·g.
        let gauss_hz = 2.0 * LN_2.sqrt() / PI * shared.gauss.map_or(0.0, |i| p[i]);
        let voigt = |gauss_hz: f64| Some(voigt_fwhm_hz(lorentz_hz + model.basis_linewidth_hz?, gauss_hz));
        match &problem.shape {
            Shape::None => Self { lorentz_hz, gauss_hz, fwhm_hz: voigt(gauss_hz) },
            Shape::Kernel(kernel) => {
                let point_ppm = kernel.step as f64 * model.start_grid.bin_ppm();
                let kernel_ppm = fwhm_ppm(&p[..layout.n_shape], [point_ppm, kernel.smoothing_ppm]);
                let kernel_hz = kernel_ppm * problem.grid.f0_mhz;
                let fwhm_hz = if shared.gauss.is_none() { Some(kernel_hz) } else { voigt(gauss_hz.hypot(kernel_hz)) };
                Self { lorentz_hz, gauss_hz, fwhm_hz }
            }
            Shape::Asymmetric(_) => Self { lorentz_hz, gauss_hz: p[0], fwhm_hz: voigt(p[0]) },
        }
    }
}

/// Median damping of the metabolites (1/s).
fn usual_damping(problem: &Problem<'_>, p: &[f64]) -> f64 {
    let mut all: Vec<f64> = (0..problem.members.len())
        .filter(|&k| problem.component(k).kind == Kind::Metabolite)
        .map(|k| problem.rates(k, p).0)
        .collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}
