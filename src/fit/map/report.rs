//! From the solution of the solver to a [`FitResult`]: errors, sums, quality figures, curves.

use num_complex::Complex64;

use super::columns::PhaseColumns;
use super::diagnostics::{Told, diagnostics};
use super::evaluation::Evaluation;
use super::evidence::evidence;
use super::forward::{Forward, rotate};
use super::model::Model;
use super::noise_covariance::noise_covariance;
use super::normal::{DataNormal, Weights, for_each_prior};
use super::pinned::{fixed_parameters, pin};
use super::report_scratch::{Covariance, ReportScratch, Solution};
use crate::basis::names::{self, Kind};
use crate::fit::evidence::Evidence;
use crate::fit::linalg::{self, symmetric};
use crate::fit::result::{Amplitude, Curves, FitResult, FitState};
use crate::fit::solution::{MapSolution, Solution as Ended};

/// Errors and numbers at the solution.
pub(crate) fn summarise(
    model: &Model,
    solution: &Solution<'_>,
    evaluation: &mut Evaluation,
    normal: &mut DataNormal,
    scratch: &mut ReportScratch,
    algebra: &mut linalg::Scratch,
) -> FitResult {
    let (layout, x) = (&model.layout, solution.x);
    // Phase columns without the data's noise, which would make the errors smaller than they are.
    evaluation.columns(model, x, solution.data, PhaseColumns::FromModel);
    normal.assemble_exact(model, x, evaluation);
    let Ok(posterior) = posterior(model, solution, normal, scratch, algebra) else {
        return FitResult::without_fit(FitState::Singular);
    };
    if noise_covariance(model, solution, normal, scratch, algebra).is_err() {
        return FitResult::without_fit(FitState::Singular);
    }
    let (by_posterior, by_noise) = scratch.covariances(layout);
    let Posterior { free_step, effective_parameters, baseline_ed, evidence } = posterior;

    let unit = model.basis_scale / solution.data_scale;
    let amplitudes = amplitudes(model, x, &free_step, by_posterior, by_noise, unit);
    let degrees_of_freedom = (model.band.n_window() as f64 - effective_parameters).max(1.0);
    let noise_sd_spectrum = solution.noise_variance.sqrt();
    let residual_sd = (normal.rss / degrees_of_freedom).sqrt();
    let height = metabolite_height(model, x, evaluation);
    let lorentz_hz = x[layout.common_width()];
    let gauss_hz = x[layout.gauss()];
    let kernel = &x[layout.kernel_range()];
    let width_over = |basis_hz: f64| model.lineshape.fwhm_hz(lorentz_hz + basis_hz, gauss_hz, kernel);
    let fwhm_hz = width_over(model.basis_linewidth_hz.unwrap_or(0.0));
    let (variance, noise_variance) = (solution.weights.variance, solution.noise_variance);
    let told = Told { x, variance, noise_variance, evaluation, inverse: &scratch.inverse, baseline_ed, fwhm_hz };
    FitResult {
        state: solution.state,
        n_iterations: solution.n_iterations,
        objective: solution.objective,
        noise_unknown: None,
        noise_sd: noise_sd_spectrum / solution.data_scale,
        residual_over_noise: residual_sd / noise_sd_spectrum,
        chi2_reduced: (residual_sd / noise_sd_spectrum).powi(2),
        degrees_of_freedom,
        baseline_ed,
        baseline_lambda: Some(solution.weights.lambda),
        phi0_deg: wrap_degrees(x[layout.phi0()].to_degrees()),
        phi1_deg_per_ppm: x[layout.phi1()].to_degrees(),
        shift_hz: solution.start_shift_hz + x[layout.common_shift()],
        lorentz_hz: Some(lorentz_hz),
        gauss_hz: Some(gauss_hz),
        skew_rad: Some(x[layout.skew()]),
        flatness: Some(x[layout.flatness()]),
        kernel_weights: model.lineshape.told(kernel),
        kernel_spacing_hz: model.lineshape.spacing_hz(),
        fwhm_hz: model.basis_linewidth_hz.map(width_over),
        snr: height / (2.0 * noise_sd_spectrum),
        snr_residual: height / (2.0 * residual_sd),
        amplitudes,
        covariance: covariance(by_noise, layout.n_components, unit),
        posterior_covariance: covariance(by_posterior, layout.n_components, unit),
        diagnostics: Some(diagnostics(model, &told)),
        unmodelled_peaks_ppm: None,
        evidence,
        solution: Ended::Map(MapSolution {
            parameters: x.to_vec(),
            start_shift_hz: solution.start_shift_hz,
            data_scale: solution.data_scale,
        }),
        ..FitResult::without_fit(solution.state)
    }
}

/// What the posterior at the solution says beside its covariance.
struct Posterior {
    /// The way from the solution to the minimum with all bounds released.
    free_step: Vec<f64>,
    effective_parameters: f64,
    baseline_ed: f64,
    evidence: Option<Evidence>,
}

/// Inverts the Hessian at the solution, everything free but what the method fixes, into `scratch.inverse`.
fn posterior(
    model: &Model,
    solution: &Solution<'_>,
    normal: &DataNormal,
    scratch: &mut ReportScratch,
    algebra: &mut linalg::Scratch,
) -> Result<Posterior, linalg::NotPositiveDefinite> {
    let (m, x) = (model.layout.len(), solution.x);
    normal.penalised(model, x, solution.weights, &mut scratch.h, &mut scratch.g);
    pin(model, m, &mut scratch.h, &mut scratch.g);
    linalg::cholesky(&mut scratch.h, m)?;
    linalg::inverse_from_factor(&scratch.h, m, &mut scratch.inverse, algebra);
    let mut free_step = scratch.g.clone();
    linalg::solve_lower(&scratch.h, m, &mut free_step, 1);
    linalg::solve_lower_transposed(&scratch.h, m, &mut free_step);
    Ok(Posterior {
        effective_parameters: effective_parameters(model, x, solution.weights, &scratch.inverse),
        baseline_ed: baseline_ed(model, solution.weights.lambda, &scratch.inverse),
        evidence: if model.wants_evidence { evidence(model, x, &free_step, &scratch.inverse) } else { None },
        free_step,
    })
}

/// Lower triangle of the amplitudes' covariance, in units of the results.
fn covariance(of: Covariance<'_>, n_components: usize, unit: f64) -> Vec<f64> {
    (0..n_components).flat_map(|i| (0..=i).map(move |j| of.between(i, j) * unit * unit)).collect()
}

/// The kernel's weights that rest at zero, where the method has a kernel.
fn resting_kernel<'a>(model: &Model, x: &'a [f64]) -> impl Iterator<Item = usize> + use<'a> {
    let has_kernel = model.settings.priors.kernel_scale > 0.0;
    model.layout.kernel_range().filter(move |&i| has_kernel && x[i] <= 0.0)
}

/// Number of parameters that the data determine: all, less what the priors determine, tr(H⁻¹·P).
pub(crate) fn effective_parameters(model: &Model, x: &[f64], weights: &Weights, inverse: &[f64]) -> f64 {
    let resting: Vec<usize> = resting_kernel(model, x).collect();
    // What rests at its bound is counted below, whatever the system has in its place.
    let from_priors = from_priors(model, x, weights, inverse, |i| resting.contains(&i));
    let first = model.layout.baseline();
    let at_bound = (0..model.layout.n_components).filter(|&k| x[k] <= 0.0).count() + resting.len();
    let pinned = fixed_parameters(model).count();
    let model_part = first as f64 - from_priors - pinned as f64 - at_bound as f64;
    model_part.max(0.0) + baseline_ed(model, weights.lambda, inverse)
}

/// What the priors tell of the parameters, tr(H⁻¹·P) without the baseline, but for those that are `held`.
pub(super) fn from_priors(
    model: &Model,
    x: &[f64],
    weights: &Weights,
    inverse: &[f64],
    held: impl Fn(usize) -> bool,
) -> f64 {
    let m = model.layout.len();
    let mut from_priors = 0.0;
    for_each_prior(model, x, weights, |terms, weight, _| {
        let free = || terms.iter().filter(|(i, _)| !held(*i));
        let pairs = free().flat_map(|a| free().map(move |b| (a, b)));
        let sum: f64 = pairs.map(|(&(i, wi), &(j, wj))| wi * wj * symmetric(inverse, m, i, j)).sum();
        from_priors += weight * weight * sum;
    });
    from_priors
}

/// Effective dimension of the baseline: nb − λ·tr((H⁻¹)_bb·D₂ᵀD₂).
pub(crate) fn baseline_ed(model: &Model, lambda: f64, inverse: &[f64]) -> f64 {
    let (m, first, nb) = (model.layout.len(), model.layout.baseline(), model.layout.n_splines);
    let mut trace = 0.0;
    for j in 0..nb {
        for i in j..nb {
            let p = model.baseline.penalty[j * nb + i];
            if p != 0.0 {
                let twice = if i == j { 1.0 } else { 2.0 };
                trace += twice * p * symmetric(inverse, m, first + i, first + j);
            }
        }
    }
    nb as f64 - lambda * trace
}

fn amplitudes(
    model: &Model,
    x: &[f64],
    free_step: &[f64],
    by_posterior: Covariance<'_>,
    by_noise: Covariance<'_>,
    unit: f64,
) -> Vec<Amplitude> {
    let layout = &model.layout;
    let k_all = layout.n_components;
    let variance = |of: Covariance<'_>, members: &[usize]| -> f64 {
        members.iter().flat_map(|&i| members.iter().map(move |&j| of.between(i, j))).sum::<f64>().max(0.0)
    };
    let entry = |name: &str, kind: Kind, members: &[usize]| Amplitude {
        name: name.to_owned(),
        kind,
        is_sum: members.len() > 1,
        members: if members.len() > 1 { members.to_vec() } else { Vec::new() },
        value: members.iter().map(|&k| x[k]).sum::<f64>() * unit,
        free: members.iter().map(|&k| x[k] + free_step[k]).sum::<f64>() * unit,
        sd_noise: variance(by_noise, members).sqrt() * unit,
        sd_posterior: variance(by_posterior, members).sqrt() * unit,
        at_bound: members.iter().all(|&k| x[k] <= 0.0),
        shift_hz: None,
        lorentz_hz: None,
        sampled: None,
        sd_lcmodel: None,
        prior_pull_sd: None,
        width_prior_pull_sd: None,
    };
    let mut all: Vec<Amplitude> = (0..k_all)
        .map(|k| Amplitude {
            shift_hz: Some(x[layout.shift(k)] - x[layout.common_shift()]),
            lorentz_hz: Some(x[layout.width(k)]),
            ..entry(&model.components[k].name, model.components[k].kind, &[k])
        })
        .collect();
    let present: Vec<String> = model.components.iter().map(|c| c.name.clone()).collect();
    for sum in names::sums(&present) {
        let kind = sum.members.first().map_or(Kind::Metabolite, |&k| model.components[k].kind);
        all.push(Amplitude { is_sum: true, members: sum.members.clone(), ..entry(sum.name, kind, &sum.members) });
    }
    all
}

/// Tallest point of the fitted metabolites without baseline, macromolecules and lipids.
fn metabolite_height(model: &Model, x: &[f64], evaluation: &Evaluation) -> f64 {
    let n = model.band.n_window();
    let mut sum = vec![0.0; n];
    for (k, component) in model.components.iter().enumerate() {
        if component.kind == Kind::Metabolite {
            for (s, v) in sum.iter_mut().zip(&evaluation.exact.values[k * n..(k + 1) * n]) {
                *s += x[k] * v;
            }
        }
    }
    sum.into_iter().fold(0.0, f64::max)
}

fn wrap_degrees(angle: f64) -> f64 {
    (angle + 180.0).rem_euclid(360.0) - 180.0
}

/// The curves of a fit of `fid`.
pub fn curves(model: &Model, fid: &[Complex64], fit: &FitResult) -> Curves {
    let n = model.band.n_window();
    let Ended::Map(MapSolution { parameters: x, start_shift_hz, data_scale }) = &fit.solution else {
        return Curves::default();
    };
    if x.len() != model.layout.len() {
        return Curves::default();
    }
    let moved = crate::signal::frequency::demodulate(fid, *start_shift_hz, model.band.dwell_s);
    let data: Vec<Complex64> = model.band.window_from_fid(&moved).into_iter().map(|z| z * data_scale).collect();
    let mut forward = Forward::new(model);
    forward.at(model, x, &data);
    let back = 1.0 / data_scale;
    let components: Vec<Vec<f64>> = (0..model.components.len())
        .map(|k| forward.component(model, k).iter().map(|z| z.re * x[k] * back).collect())
        .collect();
    let mut baseline = vec![0.0; n];
    model.baseline.add_to(&x[model.layout.baseline()..], &mut baseline);
    for b in &mut baseline {
        *b *= back;
    }
    let fit_curve = (0..n).map(|p| baseline[p] + components.iter().map(|c| c[p]).sum::<f64>()).collect();
    Curves {
        shift_hz: *start_shift_hz,
        phi0_deg: fit.phi0_deg,
        phi1_deg_per_ppm: fit.phi1_deg_per_ppm,
        ppm: model.band.ppm.clone(),
        data: (0..n).map(|p| rotate(model, x, data[p], p).re * back).collect(),
        fit: fit_curve,
        baseline,
        components,
    }
}
