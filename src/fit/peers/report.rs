//! From a solution to a [`FitResult`].

use std::f64::consts::PI;

use num_complex::Complex64;

use super::bounded::Singular;
use super::evaluation::Evaluation;
use super::kernel_shape::fwhm_ppm;
use super::lineshape::Shape;
use super::model::Model;
use super::objective::{Objective, Weights};
use super::problem::Problem;
use super::settings::{Baseline as BaselineKind, Domain};
use super::setup::{Setup, dry, pose};
use super::smoothing::smoothed;
use super::solver::Point;
use crate::acquisition::CARRIER_PPM;
use crate::basis::names::{Kind, sums};
use crate::fit::linalg::{self, symmetric};
use crate::fit::result::{Amplitude, Curves, FitResult, FitState};
use crate::signal::frequency::demodulate;
use crate::signal::linewidth::voigt_fwhm_hz;

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

/// Errors and numbers at a solution.
pub(super) fn summarise(
    problem: &mut Problem<'_>,
    objective: &mut Objective,
    found: &Found,
) -> Result<FitResult, Singular> {
    let model = problem.model;
    let p = &found.point.p;
    let n_members = problem.members.len();
    let linear = objective.linear(problem, p, &found.weights, &found.point.linear.c)?;
    // TARQUIN and Osprey leave their rows out of the errors; LCModel has its own in them.
    let counted = found.weights.soft.iter().filter(|row| row.in_sigma).cloned().collect();
    objective.system(problem, p, &linear, &Weights { soft: counted, ..found.weights.clone() });
    let n = problem.n_linear() + problem.layout.len();
    let moves = |i: usize| match i.checked_sub(problem.n_linear()) {
        None => true,
        Some(j) => {
            let parameter = &problem.layout.parameters[j];
            !parameter.is_fixed && parameter.lower < p[j] && p[j] < parameter.upper
        }
    };
    let h = objective.h[..n * n].to_vec();
    let all: Vec<usize> = (0..n).filter(|&i| moves(i)).collect();
    let positive: Vec<usize> = all.iter().copied().filter(|&i| i >= n_members || linear.c[i] > 0.0).collect();
    let free = Inverse::new(&h, n, &all)?;
    let bound = Inverse::new(&h, n, &positive)?;
    let released = free.times(objective.right_side(n));
    // Measured noise, no rows between amplitudes.
    objective.system(problem, p, &linear, &Weights { soft: Vec::new(), ..found.weights.clone() });
    let noise = Inverse::new(&objective.h[..n * n], n, &all)?;

    let variance = linear.sd * linear.sd;
    let unit = model.basis_scale / found.data_scale;
    let amplitudes =
        Amplitudes { problem, p, c: &linear.c, released: &released, free: &free, bound: &bound, noise: &noise };
    let amplitudes = amplitudes.all(variance, found.noise_variance, unit);
    let covariance = |inverse: &Inverse, variance: f64| -> Vec<f64> {
        (0..n_members).flat_map(|i| (0..=i).map(move |j| inverse.at(i, j) * variance * unit * unit)).collect()
    };
    let posterior_covariance = covariance(&bound, variance);
    let covariance = covariance(&noise, found.noise_variance);
    let first = n_members;
    let weight = found.weights.baseline();
    let nb = problem.baseline.n;
    let rough = |i: usize, j: usize| problem.baseline.roughness.get(i * nb + j).copied().unwrap_or(0.0);
    let trace: f64 = (0..nb)
        .flat_map(|i| (0..nb).map(move |j| (i, j)))
        .filter(|&(i, j)| rough(i, j) != 0.0)
        .map(|(i, j)| rough(i, j) * bound.at(first + i, first + j))
        .sum();

    let rows = problem.grid.n_rows();
    let freedom = rows.saturating_sub(linear.n_parameters).max(1) as f64;
    let residual_sd = (linear.residual / freedom).sqrt();
    let noise_sd_rows = found.noise_variance.sqrt();
    // Whatever the method compares, curves show the real spectrum.
    let spectrum_sd = model.start_grid.row_variance(found.noise).sqrt();
    let layout = &problem.layout;
    let shared = layout.groups.first().copied().unwrap_or_default();
    let at = |place: Option<usize>| place.map_or(0.0, |i| p[i]);
    let f0_mhz = problem.grid.f0_mhz;
    let lorentz_hz = usual_damping(problem, p) / PI;
    // exp(−g²t²): FWHM = 2√ln2/π·g.
    let mut gauss_hz = 2.0 * std::f64::consts::LN_2.sqrt() / PI * at(shared.gauss);
    let mut fwhm_hz = voigt_fwhm_hz(lorentz_hz + model.basis_linewidth_hz, gauss_hz);
    match &problem.shape {
        Shape::None => {}
        Shape::Kernel(kernel) => {
            let point_ppm = kernel.step as f64 * model.start_grid.bin_ppm();
            let kernel_hz = fwhm_ppm(&p[..layout.n_shape], [point_ppm, kernel.smoothing_ppm]) * f0_mhz;
            fwhm_hz = match shared.gauss {
                None => kernel_hz,
                Some(_) => voigt_fwhm_hz(lorentz_hz + model.basis_linewidth_hz, gauss_hz.hypot(kernel_hz)),
            };
        }
        Shape::Asymmetric(_) => {
            gauss_hz = p[0];
            fwhm_hz = voigt_fwhm_hz(lorentz_hz + model.basis_linewidth_hz, gauss_hz);
        }
    }
    let [turned0, turned1] = found.setup.turned;
    let phi1 = turned1 + p[layout.phi1()];
    let phi0 = turned0 + p[layout.phi0()];
    let mut result = FitResult {
        state: if found.point.converged { FitState::Converged } else { FitState::MaxIterations },
        n_iterations: found.n_iterations,
        objective: linear.objective / variance,
        noise_sd: spectrum_sd / found.data_scale,
        residual_over_noise: residual_sd / noise_sd_rows,
        chi2_reduced: (residual_sd / noise_sd_rows).powi(2),
        degrees_of_freedom: freedom,
        baseline_ed: nb as f64 - weight * trace,
        baseline_lambda: Some(weight),
        phi0_deg: degrees(phi0 + phi1 * (CARRIER_PPM - problem.pivot_ppm)),
        phi1_deg_per_ppm: phi1.to_degrees(),
        shift_hz: found.shift_hz + at(shared.shift) / (2.0 * PI),
        lorentz_hz: Some(lorentz_hz),
        gauss_hz: Some(gauss_hz),
        skew_rad: None,
        flatness: None,
        fwhm_hz: Some(fwhm_hz),
        snr: f64::NAN,
        snr_residual: f64::NAN,
        amplitudes,
        covariance,
        posterior_covariance,
        evidence: None,
        parameters: stored(&found.setup, p, &linear.c),
        start_shift_hz: found.shift_hz,
        data_scale: found.data_scale,
    };
    let height = metabolite_height(model, &result);
    result.snr = height / (2.0 * spectrum_sd);
    result.snr_residual = result.snr * noise_sd_rows / residual_sd;
    Ok(result)
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

fn degrees(angle: f64) -> f64 {
    (angle.to_degrees() + 180.0).rem_euclid(360.0) - 180.0
}

/// Inverse of a symmetric matrix on some of its indices; zero elsewhere.
pub(super) struct Inverse {
    place: Vec<Option<usize>>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

impl Inverse {
    fn new(h: &[f64], n: usize, indices: &[usize]) -> Result<Self, Singular> {
        let m = indices.len();
        let scale: Vec<f64> = indices.iter().map(|&i| 1.0 / h[i * n + i].max(f64::MIN_POSITIVE).sqrt()).collect();
        let mut scratch = linalg::Scratch::for_size(m.max(1));
        let mut values = vec![0.0; m * m];
        let factorised = [0.0, 1e-12, 1e-9].into_iter().find_map(|ridge| {
            let mut sub = vec![0.0; m * m];
            for (a, &i) in indices.iter().enumerate() {
                for (b, &j) in indices.iter().enumerate() {
                    sub[a * m + b] = h[i * n + j] * scale[a] * scale[b];
                }
                sub[a * m + a] += ridge;
            }
            linalg::cholesky(&mut sub, m, &mut scratch).ok().map(|()| sub)
        });
        let factor = factorised.ok_or(Singular)?;
        linalg::inverse_from_factor(&factor, m, &mut values, &mut scratch);
        for a in 0..m {
            for b in 0..m {
                values[a * m + b] *= scale[a] * scale[b];
            }
        }
        let mut place = vec![None; n];
        for (a, &i) in indices.iter().enumerate() {
            place[i] = Some(a);
        }
        Ok(Self { place, indices: indices.to_vec(), values })
    }

    /// Element (i, j).
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        match (self.place[i], self.place[j]) {
            (Some(a), Some(b)) => symmetric(&self.values, self.indices.len(), a, b),
            _ => 0.0,
        }
    }

    /// The product with `g`.
    pub(super) fn times(&self, g: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.place.len()];
        let m = self.indices.len();
        for (a, &i) in self.indices.iter().enumerate() {
            out[i] = self.indices.iter().enumerate().map(|(b, &j)| symmetric(&self.values, m, a, b) * g[j]).sum();
        }
        out
    }
}

struct Amplitudes<'a, 'm> {
    problem: &'a Problem<'m>,
    p: &'a [f64],
    c: &'a [f64],
    /// Amplitudes with their bounds released.
    released: &'a [f64],
    free: &'a Inverse,
    bound: &'a Inverse,
    noise: &'a Inverse,
}

impl Amplitudes<'_, '_> {
    fn all(&self, variance: f64, noise_variance: f64, unit: f64) -> Vec<Amplitude> {
        let n = self.problem.members.len();
        let shared = self.problem.layout.groups.clone();
        let sd = |inverse: &Inverse, members: &[usize], variance: f64| {
            let sum: f64 =
                members.iter().flat_map(|&i| members.iter().map(move |&j| (i, j))).map(|(i, j)| inverse.at(i, j)).sum();
            (sum.max(0.0) * variance).sqrt() * unit
        };
        let entry = |name: &str, kind: Kind, members: &[usize]| {
            let at_bound = members.iter().all(|&k| self.c[k] <= 0.0);
            let posterior = if at_bound { self.free } else { self.bound };
            Amplitude {
                name: name.to_owned(),
                kind,
                is_sum: false,
                members: Vec::new(),
                value: members.iter().map(|&k| self.c[k]).sum::<f64>() * unit,
                free: members.iter().map(|&k| self.released[k]).sum::<f64>() * unit,
                sd_noise: sd(self.noise, members, noise_variance),
                sd_posterior: sd(posterior, members, variance),
                at_bound,
                shift_hz: None,
                lorentz_hz: None,
                sampled: None,
            }
        };
        let mut all: Vec<Amplitude> = (0..n)
            .map(|k| {
                let component = self.problem.component(k);
                let (damping, shift) = self.problem.rates(k, self.p);
                let common = shared.get(component.group).and_then(|g| g.shift).map_or(0.0, |i| self.p[i]);
                Amplitude {
                    shift_hz: Some((shift - common) / (2.0 * PI)),
                    lorentz_hz: Some(damping / PI),
                    ..entry(&component.name, component.kind, &[k])
                }
            })
            .collect();
        let names: Vec<String> = all.iter().map(|a| a.name.clone()).collect();
        for sum in sums(&names) {
            let kind = sum.members.first().map_or(Kind::Metabolite, |&k| all[k].kind);
            let total = entry(sum.name, kind, &sum.members);
            all.push(Amplitude { is_sum: true, members: sum.members, ..total });
        }
        all
    }
}

/// What curves are made from, in one vector: setup, nonlinear parameters, linear ones.
fn stored(setup: &Setup, p: &[f64], c: &[f64]) -> Vec<f64> {
    let [phi0, phi1] = setup.turned;
    let head = [setup.fwhm_full_ppm, setup.fwhm_ppm, setup.height, phi0, phi1, setup.splines_per_ppm];
    head.iter().chain(p).chain(c).copied().collect()
}

/// The fit drawn in the real spectrum: its problem there, parameters, and columns.
struct Drawn<'a> {
    problem: Problem<'a>,
    c: Vec<f64>,
    evaluation: Evaluation,
    turned: [f64; 2],
}

impl<'a> Drawn<'a> {
    fn new(model: &'a Model, fit: &FitResult) -> Option<Self> {
        let (head, rest) = fit.parameters.split_at_checked(6)?;
        let &[fwhm_full_ppm, fwhm_ppm, height, phi0, phi1, splines_per_ppm] = head else { return None };
        let turned = [phi0, phi1];
        let setup = Setup { fwhm_full_ppm, fwhm_ppm, height, turned, splines_per_ppm };
        let mut problem = pose(model, &model.start_grid, Vec::new(), &setup);
        let (p, c) = rest.split_at_checked(problem.layout.len())?;
        // A spectrum fitted in parts keeps the real one of its baseline; the imaginary one is not drawn.
        if model.settings.domain == Domain::Time {
            problem.baseline = super::baseline::Baseline::none();
        }
        let n = problem.members.len() + problem.baseline.n;
        let c = c.get(..n)?.to_vec();
        let mut evaluation = Evaluation::new(&problem);
        evaluation.linear_columns(&problem, p);
        Some(Self { problem, c, evaluation, turned })
    }

    fn column(&self, j: usize) -> impl Iterator<Item = f64> {
        let rows = self.problem.grid.n_rows();
        self.evaluation.columns[j * rows..(j + 1) * rows].iter().map(move |v| v * self.c[j])
    }
}

/// Tallest point of the fitted metabolites without baseline, macromolecules and lipids.
fn metabolite_height(model: &Model, fit: &FitResult) -> f64 {
    let Some(drawn) = Drawn::new(model, fit) else { return f64::NAN };
    let mut sum = vec![0.0; drawn.problem.grid.n_rows()];
    for (k, component) in model.components.iter().enumerate() {
        if component.kind == Kind::Metabolite {
            sum.iter_mut().zip(drawn.column(k)).for_each(|(s, v)| *s += v);
        }
    }
    sum.into_iter().fold(0.0, f64::max)
}

/// The curves of a fit of `fid`.
pub(super) fn curves(model: &Model, fid: &[Complex64], fit: &FitResult) -> Curves {
    let Some(drawn) = Drawn::new(model, fit) else { return Curves::default() };
    let grid = &model.start_grid;
    let mut moved = fid.to_vec();
    dry(model, &mut moved);
    let moved = demodulate(&moved, fit.start_shift_hz, grid.dwell_s);
    let mut data = vec![Complex64::default(); grid.n_observed];
    grid.observe(&moved, &mut grid.scratch(), &mut data);
    let [phi0, phi1] = drawn.turned;
    let pivot = drawn.problem.pivot_ppm;
    let turned = data
        .iter()
        .zip(&grid.ppm)
        .map(|(z, ppm)| (z * Complex64::cis(-(phi0 + phi1 * (ppm - pivot)))).re)
        .collect::<Vec<f64>>();
    let back = 1.0 / fit.data_scale;
    let n = drawn.problem.members.len();
    let components: Vec<Vec<f64>> = (0..n).map(|k| drawn.column(k).map(|v| v * back).collect()).collect();
    let mut baseline = vec![0.0; grid.n_observed];
    for j in n..n + drawn.problem.baseline.n {
        baseline.iter_mut().zip(drawn.column(j)).for_each(|(b, v)| *b += v * back);
    }
    if let BaselineKind::SmoothedResidual { smoothing } = model.settings.baseline {
        let left: Vec<f64> =
            turned.iter().enumerate().map(|(i, v)| v - components.iter().map(|c| c[i]).sum::<f64>()).collect();
        let bins = model.start_grid.n_transform as f64 / model.start_grid.n_points as f64;
        baseline = smoothed(&left, smoothing, bins);
    }
    let fit_curve = (0..baseline.len()).map(|i| baseline[i] + components.iter().map(|c| c[i]).sum::<f64>()).collect();
    Curves {
        shift_hz: fit.start_shift_hz,
        phi0_deg: degrees(phi0 + phi1 * (CARRIER_PPM - pivot)),
        phi1_deg_per_ppm: phi1.to_degrees(),
        ppm: grid.ppm.clone(),
        data: turned,
        fit: fit_curve,
        baseline,
        components,
    }
}
