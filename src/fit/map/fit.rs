//! Fits and curves of a model: the verbs that every family has.

use num_complex::Complex64;

use super::marginal::refine;
use super::model::Model;
use super::problem::Problem;
use super::report;
use super::solver::solution;
use super::workspace::Workspace;
use crate::fit::family::{Fitter, Limits};
use crate::fit::result::{Curves, FitResult};
use crate::fit::start::ShiftPhase;

impl Model {
    /// Something that fits one FID after the other with the same scratch.
    pub fn fitter(&self) -> Fitter<'_> {
        let mut workspace = Workspace::new(self);
        Box::new(move |fid| fit(self, fid, &mut workspace))
    }

    /// The curves of a fit of `fid`.
    pub fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        report::curves(self, fid, fit)
    }

    /// Names of the components in the order of the amplitudes.
    pub fn component_names(&self) -> Vec<String> {
        self.components.iter().map(|c| c.name.clone()).collect()
    }

    /// What the soft priors between amplitudes say.
    pub fn row_labels(&self) -> Vec<String> {
        self.rows.iter().map(|r| r.label.clone()).collect()
    }

    /// What results may run into.
    pub fn limits(&self) -> Limits {
        let [low, high] = self.settings.window_ppm;
        Limits {
            max_shift_ppm: self.settings.start.max_shift_ppm,
            max_baseline_ed: Some(self.settings.baseline.max_ed_per_ppm * (high - low)),
        }
    }
}

/// Fits one FID with `model`, from its own start values.
pub fn fit(model: &Model, fid: &[Complex64], workspace: &mut Workspace) -> FitResult {
    match Problem::new(model, fid) {
        Ok(problem) => solve(model, &problem, workspace),
        Err(state) => FitResult::without_fit(state),
    }
}

/// Fits one finite FID with `model`, starting at the common shift and phase `start`.
pub fn fit_from(model: &Model, fid: &[Complex64], start: ShiftPhase, workspace: &mut Workspace) -> FitResult {
    match Problem::from_start(model, fid, start) {
        Ok(problem) => solve(model, &problem, workspace),
        Err(state) => FitResult::without_fit(state),
    }
}

fn solve(model: &Model, problem: &Problem, workspace: &mut Workspace) -> FitResult {
    let mut solved = solution(model, problem, workspace);
    refine(model, problem, &mut solved, workspace);
    problem.finish(model, &solved, workspace)
}
