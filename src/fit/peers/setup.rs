//! One spectrum as a problem at some parameters: what fits, smoothing and reports start from.

use super::baseline::Baseline;
use super::grid::Grid;
use super::lineshape::{Asymmetric, Kernel, Shape};
use super::model::Model;
use super::parameter::Parameter;
use super::problem::{Freedom, Problem};
use super::settings::{Baseline as Kind, KernelStart, Lineshape};
use super::solution::Setup;
use crate::signal::water_removal::{Removal, remove_any};
use num_complex::Complex64;

/// Unit of the steps of a kernel's points (DFLDMQ).
const KERNEL_STEP: f64 = 0.1;
/// Units of the steps of an asymmetric line's width (Hz) and asymmetry.
const ASYMMETRIC_STEPS: [f64; 2] = [0.5, 0.02];
/// The tallest point of the window in internal units.
pub(super) const DATA_HEIGHT: f64 = 10.0;

/// Takes residual water away where the method's samples must have none.
pub(super) fn remove_water(model: &Model, fid: &mut [Complex64]) -> Removal {
    match model.settings.samples {
        Some(samples) if samples.without_water => remove_any(fid, model.grid.dwell_s, model.grid.f0_mhz),
        _ => Removal::NotNeeded,
    }
}

/// Width of the lines (ppm) where the start does not fit it (LCModel's FWHMST).
pub(super) const USUAL_FWHM_PPM: f64 = 0.04;

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
        Lineshape::None {} => (Shape::None, Vec::new()),
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
pub(super) const LEAST_WIDTH_HZ: f64 = 0.5;
