//! One spectrum through a method: start, smoothness, search, report.

use num_complex::Complex64;

use super::baseline::Baseline;
use super::bounded::Singular;
use super::grid::Grid;
use super::lineshape::{Asymmetric, Kernel, Shape};
use super::model::Model;
use super::objective::{Objective, Weights};
use super::parameter::Parameter;
use super::posterior::draws;
use super::problem::{Freedom, Problem};
use super::reference::{self, Limits, Started};
use super::remote::Remote;
use super::report::{Found, summarise};
use super::search::{Event, Search};
use super::settings::{Baseline as Kind, KernelStart, Lineshape, PriorsIn, Start};
use super::smoothness::smoothen;
use super::solver::refine;
use crate::fit::result::{Curves, FitResult, FitState};
use crate::fit::sample::settings::Uncertainty;
use crate::fit::start::shift_and_phase;
use crate::signal::frequency::demodulate;
use crate::signal::noise::noise_sd;
use crate::signal::water_removal::remove_any;

/// The tallest point of the window in internal units.
const DATA_HEIGHT: f64 = 10.0;
/// Unit of the steps of a kernel's points (DFLDMQ).
const KERNEL_STEP: f64 = 0.1;
/// Units of the steps of an asymmetric line's width (Hz) and asymmetry.
const ASYMMETRIC_STEPS: [f64; 2] = [0.5, 0.02];

/// What the problem of one spectrum depends on beside the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Setup {
    pub(super) fwhm_full_ppm: f64,
    pub(super) fwhm_ppm: f64,
    pub(super) height: f64,
    pub(super) turned: [f64; 2],
    /// Density of P-splines (1/ppm) where it is not the method's; 0: it is.
    pub(super) splines_per_ppm: f64,
}

/// Fits `fid`.
pub fn fit(model: &Model, fid: &[Complex64]) -> FitResult {
    fit_told(model, fid, None).0
}

/// Fits `fid` with the evaluations of fit and draws on a device; start and errors are native.
pub fn fit_remotely(model: &Model, fid: &[Complex64], remote: Box<dyn Remote>) -> FitResult {
    fit_told(model, fid, Some(remote)).0
}

/// Fits `fid` and tells what the search did.
pub(super) fn fit_told(model: &Model, fid: &[Complex64], remote: Option<Box<dyn Remote>>) -> (FitResult, Vec<Event>) {
    let fail = |state| (FitResult::without_fit(state), Vec::new());
    if fid.len() != model.grid.n_points || fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
        return fail(FitState::NoSignal);
    }
    let grid = &model.start_grid;
    let mut window = vec![Complex64::default(); grid.n_observed];
    grid.observe(fid, &mut grid.scratch(), &mut window);
    let tallest = window.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let Some(noise) = noise_sd(fid).filter(|_| tallest > 0.0 && tallest.is_finite()) else {
        return fail(FitState::NoSignal);
    };
    let scale = DATA_HEIGHT / tallest;
    let mut scaled: Vec<Complex64> = fid.iter().map(|z| z * scale).collect();
    dry(model, &mut scaled);
    match solve(model, &scaled, noise * scale, scale, remote) {
        Ok(told) => told,
        Err(Singular) => fail(FitState::Singular),
    }
}

/// Takes residual water away where the method's samples must have none.
pub(super) fn dry(model: &Model, fid: &mut [Complex64]) {
    if model.settings.samples.is_some_and(|samples| samples.without_water) {
        // What cannot be described stays, and shows as a misfit.
        remove_any(fid, model.grid.dwell_s, model.grid.f0_mhz);
    }
}

fn solve(
    model: &Model,
    fid: &[Complex64],
    noise: f64,
    data_scale: f64,
    remote: Option<Box<dyn Remote>>,
) -> Result<(FitResult, Vec<Event>), Singular> {
    let started = begin(model, fid)?;
    let mut setup = Setup {
        fwhm_full_ppm: started.fwhm_full_ppm,
        fwhm_ppm: started.fwhm_ppm,
        height: started.height,
        turned: started.turned,
        splines_per_ppm: 0.0,
    };
    let noise_variance = model.grid.row_variance(noise);
    let sigma = match model.settings.priors_in {
        PriorsIn::FitSd => 0.0,
        PriorsIn::NoiseSd => noise_variance.sqrt(),
    };
    let mut weights = Weights { sigma, alpha_baseline: 0.0, alpha_shape: 0.0, lambda: 0.0, soft: Vec::new() };
    let mut data = started.data;
    let shared = smoothen(model, &mut data, &mut setup, &mut weights)?;
    let mut problem = pose(model, &model.grid, data, &setup);
    problem.layout.parameters.iter_mut().zip(shared).for_each(|(parameter, value)| parameter.start = value);
    let mut objective = Objective::new(&problem).on(remote);
    let search = Search::new(&mut problem, &mut objective, weights, setup.turned);
    let (search, solution) = search.run()?;
    let follow_sigma = search.follow_sigma;
    let (weights, events, n_iterations) = (search.weights, search.events, search.n_iterations);
    problem.data = solution.data;
    let remote = objective.replace_remote(None);
    objective.refresh(&problem);
    let mut weights = Weights { alpha_baseline: solution.alpha[0], alpha_shape: solution.alpha[1], ..weights };
    let (point, n_refining) = refine(&problem, &mut objective, &mut weights, solution.point, follow_sigma);
    let n_iterations = n_iterations + n_refining;
    let found = Found {
        setup: Setup { turned: solution.turned, ..setup },
        point,
        weights,
        noise_variance,
        noise,
        data_scale,
        shift_hz: started.shift_hz,
        n_iterations,
    };
    let mut result = summarise(&mut problem, &mut objective, &found)?;
    if model.settings.uncertainty == Uncertainty::Sample
        && let Some(draws) = draws(&problem, &mut objective, &found.weights, &found.point, fid, remote)
    {
        draws.tell(&mut result.amplitudes, model.basis_scale / data_scale);
    }
    Ok((result, events))
}

/// Start values by the method's way.
fn begin(model: &Model, fid: &[Complex64]) -> Result<Started, Singular> {
    match model.settings.start {
        Start::Grid { max_shift_ppm, fwhm_ppm, max_fwhm_ppm } => {
            reference::start(model, fid, Limits { max_shift_ppm, fwhm_ppm, max_fwhm_ppm })
        }
        Start::Correlate { max_shift_ppm } => {
            let grid = &model.grid;
            let max_shift_hz = max_shift_ppm * grid.f0_mhz;
            let start = shift_and_phase(fid, &model.prototype, grid.dwell_s, max_shift_hz);
            let moved = demodulate(fid, start.shift_hz, grid.dwell_s);
            let turn = Complex64::cis(-start.phi0_rad);
            let mut data = vec![Complex64::default(); grid.n_observed];
            grid.observe(&moved, &mut grid.scratch(), &mut data);
            data.iter_mut().for_each(|z| *z *= turn);
            let height = (data.iter().map(|z| z.norm_sqr()).sum::<f64>() / data.len() as f64).sqrt();
            Ok(Started {
                data,
                shift_hz: start.shift_hz,
                turned: [start.phi0_rad, 0.0],
                fwhm_full_ppm: USUAL_FWHM_PPM,
                fwhm_ppm: USUAL_FWHM_PPM,
                height,
            })
        }
    }
}

/// Width of the lines (ppm) where the start does not fit it (LCModel's FWHMST).
const USUAL_FWHM_PPM: f64 = 0.04;

/// The problem of one spectrum on `grid`.
pub(super) fn pose<'a>(model: &'a Model, grid: &'a Grid, data: Vec<Complex64>, setup: &Setup) -> Problem<'a> {
    pose_with(model, grid, data, setup, (0..model.components.len()).collect(), true)
}

/// The problem of one spectrum on `grid` with some of the components, and their own shifts and dampings or without.
pub(super) fn pose_with<'a>(
    model: &'a Model,
    grid: &'a Grid,
    data: Vec<Complex64>,
    setup: &Setup,
    members: Vec<usize>,
    with_own: bool,
) -> Problem<'a> {
    let (shape, shape_parameters) = match model.settings.lineshape {
        Lineshape::None => (Shape::None, Vec::new()),
        Lineshape::Kernel { reach, min_side_points, max_side_points, smoothing_ppm, start, .. } => {
            let bins = setup.fwhm_ppm / model.start_grid.bin_ppm();
            let mut n_side = ((0.5 * bins * reach).round() as usize).max(min_side_points);
            let step = (n_side - 1) / max_side_points + 1;
            n_side = ((n_side as f64 + 0.001) / step as f64).round() as usize;
            // Kernels are counted in bins of the spectrum zero-filled twofold.
            let smoothing_ppm = model.kernel_smoothing_ppm(smoothing_ppm);
            let kernel = Kernel::new(n_side, step, smoothing_ppm, model.start_grid.bin_hz(), &grid.time_s);
            let start = kernel.gaussian(match start {
                KernelStart::Gaussian => bins,
                KernelStart::Delta => 0.0,
            });
            let parameters =
                start.iter().map(|&s| Parameter { start: s, ..Parameter::around(0.0, 0.0, KERNEL_STEP) }).collect();
            (Shape::Kernel(kernel), parameters)
        }
        Lineshape::Asymmetric { start_hz, max_hz, max_asymmetry, asymmetry_sd } => {
            let [width_step, asymmetry_step] = ASYMMETRIC_STEPS;
            let width = Parameter::around(start_hz, 0.0, width_step).within(LEAST_WIDTH_HZ, max_hz);
            let asymmetry = Parameter::around(0.0, asymmetry_sd, asymmetry_step).within(-max_asymmetry, max_asymmetry);
            (Shape::Asymmetric(Asymmetric::new(grid)), vec![width, asymmetry])
        }
    };
    let freedom =
        Freedom { shape, shape_parameters, phases: model.phases(setup.turned), groups: model.groups(), with_own };
    let mut kind = model.settings.baseline;
    if let Kind::PSpline { per_ppm, .. } = &mut kind
        && setup.splines_per_ppm > 0.0
    {
        *per_ppm = setup.splines_per_ppm;
    }
    let baseline = Baseline::new(&kind, grid, setup.fwhm_full_ppm, setup.height, false);
    Problem::new(model, grid, data, members, baseline, freedom)
}

/// Least width of an asymmetric line (FWHM, Hz): the spectrum resolves no narrower one.
const LEAST_WIDTH_HZ: f64 = 0.5;

/// The curves of a fit of `fid`, in the real spectrum whatever the method compares.
pub fn curves(model: &Model, fid: &[Complex64], fit: &FitResult) -> Curves {
    super::report::curves(model, fid, fit)
}
