//! One spectrum through a method: start, smoothness, search, report.

use num_complex::Complex64;

use super::bounded::Singular;
use super::model::Model;
use super::objective::{Objective, Weights};
use super::posterior::draws;
use super::reference::{self, Limits, Started};
use super::remote::Remote;
use super::report::{Found, summarise};
use super::search::{Event, Search};
use super::settings::{PriorsIn, Start};
use super::setup::{DATA_HEIGHT, USUAL_FWHM_PPM, pose, remove_water};
use super::smoothness::smoothen;
use super::solution::Setup;
use super::solver::refine;
use crate::fit::result::{Curves, FitResult, FitState};
use crate::fit::sample::settings::Uncertainty;
use crate::fit::start::shift_and_phase;
use crate::signal::frequency::demodulate;
use crate::signal::noise::{Noise, WhyUnknown};
use crate::signal::water_removal::Removal;

/// Smallest residual, in units of the usual noise, that stands for an unknown one.
const LEAST_NOISE: f64 = 1e-3;

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
    if !(tallest > 0.0 && tallest.is_finite()) {
        return fail(FitState::NoSignal);
    }
    let scale = DATA_HEIGHT / tallest;
    let mut scaled: Vec<Complex64> = fid.iter().map(|z| z * scale).collect();
    let water = remove_water(model, &mut scaled);
    let told = match Noise::of(fid) {
        Noise::Measured(sd) => solve(model, &scaled, sd * scale, scale, remote),
        Noise::Unknown(why) => solve_without_noise(model, &scaled, why, scale, remote),
    };
    let (mut result, events) = told.unwrap_or_else(|Singular| fail(FitState::Singular));
    result.water_stays = water == Removal::Failed;
    (result, events)
}

/// Where the noise is unknown, the residual takes its place: priors that are weighed against the noise get that of a first
/// fit, and whatever is told in units of the noise is left out.
fn solve_without_noise(
    model: &Model,
    fid: &[Complex64],
    why: WhyUnknown,
    data_scale: f64,
    remote: Option<Box<dyn Remote>>,
) -> Result<(FitResult, Vec<Event>), Singular> {
    // That of a spectrum with SNR 50.
    let assumed = DATA_HEIGHT / (100.0 * (model.grid.n_points as f64).sqrt());
    let noise = match model.settings.priors_in {
        PriorsIn::FitSd => assumed,
        PriorsIn::NoiseSd => {
            let (first, _) = solve(model, fid, assumed, data_scale, None)?;
            assumed * first.residual_over_noise.clamp(LEAST_NOISE, LEAST_NOISE.recip())
        }
    };
    let (mut result, events) = solve(model, fid, noise, data_scale, remote)?;
    result.forget_noise(why);
    Ok((result, events))
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
        draws.write_to(&mut result.amplitudes, model.basis_scale / data_scale);
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

/// The curves of a fit of `fid`, in the real spectrum whatever the method compares.
pub fn curves(model: &Model, fid: &[Complex64], fit: &FitResult) -> Curves {
    super::report::curves(model, fid, fit)
}
