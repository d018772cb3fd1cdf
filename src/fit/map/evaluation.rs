//! The model evaluated for one spectrum: the point it stands at, and the columns of its Jacobian there.

use num_complex::Complex64;

use super::columns::{Columns, PhaseColumns};
use super::forward::Forward;
use super::model::Model;

/// Scratch and results of an evaluation of the model; reused from spectrum to spectrum.
pub struct Evaluation {
    /// The model where it was evaluated last.
    pub(crate) forward: Forward,
    /// The columns for what is reported.
    pub(crate) exact: Columns<f64>,
    /// The columns for steps.
    pub(crate) quick: Columns<f32>,
}

impl Evaluation {
    /// Scratch for `model`.
    pub fn new(model: &Model) -> Self {
        Self { forward: Forward::new(model), exact: Columns::new(model), quick: Columns::new(model) }
    }

    /// Fills the exact columns at the parameters `x` for the spectrum `data` (fitted bins).
    pub fn columns(&mut self, model: &Model, x: &[f64], data: &[Complex64], phase: PhaseColumns) {
        self.forward.at(model, x, data);
        self.exact.fill(model, &self.forward, x, phase);
    }

    /// The exact columns, `[bin]` one after the other, the residual last.
    pub fn exact_columns(&self) -> &[f64] {
        &self.exact.values
    }

    /// The columns of the same point that steps are made with.
    pub fn quick_columns(&mut self, model: &Model, x: &[f64], data: &[Complex64], phase: PhaseColumns) -> &[f32] {
        self.forward.at(model, x, data);
        self.quick.fill(model, &self.forward, x, phase);
        &self.quick.values
    }

    /// The residual where the model was evaluated last.
    pub fn residual(&self) -> &[f64] {
        &self.forward.residual
    }

    /// Sum of squared residuals at `x`: one transform, for trial steps. The columns are not touched.
    pub fn residual_sum_of_squares(&mut self, model: &Model, x: &[f64], data: &[Complex64]) -> f64 {
        self.forward.at(model, x, data);
        self.forward.rss
    }
}
