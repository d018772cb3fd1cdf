//! A fit drawn in the real spectrum, whatever the method compares.

use num_complex::Complex64;

use super::super::baseline::Baseline;
use super::super::evaluation::Evaluation;
use super::super::model::Model;
use super::super::problem::Problem;
use super::super::settings::{Baseline as BaselineKind, Domain};
use super::super::setup::{pose, remove_water};
use super::super::smoothing::smoothed;
use super::super::solution::Solution;
use crate::acquisition::CARRIER_PPM;
use crate::basis::names::Kind;
use crate::fit::result::{Curves, FitResult};
use crate::fit::solution::Solution as Ended;
use crate::signal::frequency::demodulate;

/// The fit drawn in the real spectrum: its problem there, parameters, and columns.
struct Drawn<'a> {
    problem: Problem<'a>,
    c: Vec<f64>,
    evaluation: Evaluation,
    solution: &'a Solution,
}

impl<'a> Drawn<'a> {
    /// `None` where the spectrum was not fitted, or by another model.
    fn new(model: &'a Model, fit: &'a FitResult) -> Option<Self> {
        let Ended::Peers(solution) = &fit.solution else { return None };
        let mut problem = pose(model, &model.start_grid, Vec::new(), &solution.setup);
        if solution.nonlinear.len() != problem.layout.len() {
            return None;
        }
        // A spectrum fitted in parts keeps the real one of its baseline; the imaginary one is not drawn.
        if model.settings.domain == Domain::Time {
            problem.baseline = Baseline::none();
        }
        let n = problem.members.len() + problem.baseline.n;
        let c = solution.linear.get(..n)?.to_vec();
        let mut evaluation = Evaluation::new(&problem);
        evaluation.linear_columns(&problem, &solution.nonlinear);
        Some(Self { problem, c, evaluation, solution })
    }

    fn column(&self, j: usize) -> impl Iterator<Item = f64> {
        let rows = self.problem.grid.n_rows();
        self.evaluation.columns[j * rows..(j + 1) * rows].iter().map(move |v| v * self.c[j])
    }
}

/// Tallest point of the fitted metabolites without baseline, macromolecules and lipids.
pub(super) fn metabolite_height(model: &Model, fit: &FitResult) -> f64 {
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
pub(in super::super) fn curves(model: &Model, fid: &[Complex64], fit: &FitResult) -> Curves {
    let Some(drawn) = Drawn::new(model, fit) else { return Curves::default() };
    let grid = &model.start_grid;
    let mut moved = fid.to_vec();
    remove_water(model, &mut moved);
    let moved = demodulate(&moved, drawn.solution.start_shift_hz, grid.dwell_s);
    let mut data = vec![Complex64::default(); grid.n_observed];
    grid.observe(&moved, &mut grid.scratch(), &mut data);
    let [phi0, phi1] = drawn.solution.setup.turned;
    let pivot = drawn.problem.pivot_ppm;
    let turned = data
        .iter()
        .zip(&grid.ppm)
        .map(|(z, ppm)| (z * Complex64::cis(-(phi0 + phi1 * (ppm - pivot)))).re)
        .collect::<Vec<f64>>();
    let back = 1.0 / drawn.solution.data_scale;
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
        shift_hz: drawn.solution.start_shift_hz,
        phi0_deg: degrees(phi0 + phi1 * (CARRIER_PPM - pivot)),
        phi1_deg_per_ppm: phi1.to_degrees(),
        ppm: grid.ppm.clone(),
        data: turned,
        fit: fit_curve,
        baseline,
        components,
    }
}

/// An angle (rad) in degrees, between −180 and 180.
pub(super) fn degrees(angle: f64) -> f64 {
    (angle.to_degrees() + 180.0).rem_euclid(360.0) - 180.0
}
