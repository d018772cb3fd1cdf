//! The native twin of each stage of the device, one at a time and on given inputs: what the tests of stage parity compare.

use num_complex::Complex64;

use super::columns::{PhaseColumns, n_columns};
use super::constants::{REFRESH_ROWS, VARIANCE_FROM, VARIANCE_TO};
use super::model::Model;
use super::normal::{Weights, prior_cost};
use super::smoothness::{Misfit, Variance, update_weights};
use super::start::refresh_rows;
use super::step::{add_bilinear_curvature, bounded_step, hold_bounds, predicted_fall};
use super::workspace::{Hold, Workspace};
use crate::fit::linalg;

/// A fit of one spectrum at the beginning of an iteration.
pub(crate) struct Twin<'a> {
    model: &'a Model,
    data: &'a [Complex64],
    /// Parameters.
    pub(crate) x: Vec<f64>,
    /// Weights of the objective.
    pub(crate) weights: Weights,
    workspace: Workspace,
}

/// A step that a twin proposes.
pub(crate) struct Proposed {
    /// Parameters after it.
    pub(crate) trial: Vec<f64>,
    /// Fall of Q that the quadratic model predicts.
    pub(crate) predicted: f64,
    /// Standard deviation of each parameter in the system that the step solves; of a held one, with all others held too.
    pub(crate) sd: Vec<f64>,
}

impl<'a> Twin<'a> {
    /// Evaluates `model` at `x` for `data` (the fitted bins).
    pub(crate) fn new(model: &'a Model, data: &'a [Complex64], x: Vec<f64>, weights: Weights) -> Self {
        let mut workspace = Workspace::new(model);
        workspace.evaluation.columns(model, &x, data, PhaseColumns::FromData);
        workspace.normal.assemble_exact(model, &x, &mut workspace.evaluation);
        Self { model, data, x, weights, workspace }
    }

    /// Columns of the Jacobian and the residual, `[column × bin]`.
    pub(crate) fn columns(&self) -> &[f64] {
        self.workspace.evaluation.exact_columns()
    }

    /// Products of all columns, `[column × column]`, valid where the second is at or behind the first.
    pub(crate) fn products(&self) -> Vec<f64> {
        let n = n_columns(self.model);
        let mut out = vec![0.0; n * n];
        linalg::gram(self.columns(), self.model.band.n_window(), n, &mut out);
        out
    }

    /// Products of every column with every spline, `[column × spline]`.
    pub(crate) fn projections(&self) -> Vec<f64> {
        let (n_window, n_splines) = (self.model.band.n_window(), self.model.layout.n_splines);
        let mut out = vec![0.0; n_columns(self.model) * n_splines];
        for (column, own) in self.columns().chunks(n_window).zip(out.chunks_mut(n_splines.max(1))) {
            self.model.baseline.project(column, own);
        }
        out
    }

    /// The residual's sum of squares.
    pub(crate) fn residual_sum_of_squares(&self) -> f64 {
        self.workspace.normal.rss
    }

    /// The weights as the stage `weights` brings them up to date at `iteration`; `None` where the system is singular.
    pub(crate) fn updated(&mut self, iteration: usize, noise_variance: f64, evidence: bool) -> Option<Weights> {
        let follows_misfit = (VARIANCE_FROM..=VARIANCE_TO).contains(&iteration);
        let misfit = if follows_misfit { Misfit::Follow } else { Misfit::Leave };
        let mut weights = self.weights.clone();
        if REFRESH_ROWS.contains(&iteration) {
            refresh_rows(self.model, &self.x, &mut weights);
        }
        if follows_misfit || evidence {
            let (model, x, workspace) = (self.model, &self.x, &mut self.workspace);
            let variance = Variance { misfit, noise: noise_variance, effective: &mut None };
            update_weights(model, x, &mut weights, variance, evidence, workspace).ok()?;
        }
        Some(weights)
    }

    /// The step at `damping`; `None` where the system is singular.
    pub(crate) fn step(&mut self, damping: f64, newton: bool) -> Option<Proposed> {
        let (model, ws) = (self.model, &mut self.workspace);
        let m = model.layout.len();
        ws.normal.penalised(model, &self.x, &self.weights, &mut ws.hessian, &mut ws.gradient);
        if newton {
            add_bilinear_curvature(model, &self.x, self.weights.variance, ws);
        }
        hold_bounds(model, &self.x, ws);
        bounded_step(model, &self.x, damping, ws).ok()?;
        let predicted = predicted_fall(model, ws);
        linalg::inverse_from_factor(&ws.factor, m, &mut ws.inverse, &mut ws.algebra);
        let sd = |i: usize| match ws.held[i] {
            Hold::Free => ws.inverse[i * m + i].sqrt(),
            Hold::By(_) => ws.hessian[i * m + i].sqrt().recip(),
        };
        let moved = self.x.iter().zip(&ws.step).enumerate();
        Some(Proposed {
            trial: moved.map(|(i, (x, step))| (x + step).max(model.layout.lower_bound(i))).collect(),
            predicted,
            sd: (0..m).map(sd).collect(),
        })
    }

    /// The residual's sum of squares at `trial`, less that at x.
    pub(crate) fn change(&mut self, trial: &[f64]) -> f64 {
        let evaluation = &mut self.workspace.evaluation;
        evaluation.residual_sum_of_squares(self.model, trial, self.data) - self.workspace.normal.rss
    }

    /// The priors' part of Q at `x`.
    pub(crate) fn prior_cost(&self, x: &[f64]) -> f64 {
        prior_cost(self.model, x, &self.weights)
    }
}
