//! What a report is made of: where the solver stands when it stops, and the matrices that errors come from.

use num_complex::Complex64;

use super::model::Model;
use super::normal::Weights;
use super::parameters::Layout;
use crate::fit::linalg::symmetric;
use crate::fit::result::FitState;

/// Where the solver stands when it stops.
pub(crate) struct Solution<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) data: &'a [Complex64],
    pub(crate) weights: &'a Weights,
    pub(crate) noise_variance: f64,
    pub(crate) state: FitState,
    pub(crate) n_iterations: usize,
    pub(crate) objective: f64,
    pub(crate) data_scale: f64,
    pub(crate) start_shift_hz: f64,
}

/// Scratch of a report.
pub(crate) struct ReportScratch {
    pub(super) h: Vec<f64>,
    pub(super) g: Vec<f64>,
    /// Posterior covariance, everything free.
    pub(super) inverse: Vec<f64>,
    /// The system in measured noise, from its last parameter to its first.
    pub(super) turned: Vec<f64>,
    /// Covariance of the amplitudes in measured noise.
    pub(super) noise: Vec<f64>,
}

/// A covariance matrix of which the amplitudes come first.
#[derive(Clone, Copy)]
pub(super) struct Covariance<'a> {
    /// Lower triangle, column by column.
    pub(super) values: &'a [f64],
    pub(super) size: usize,
}

impl Covariance<'_> {
    pub(super) fn between(self, i: usize, j: usize) -> f64 {
        symmetric(self.values, self.size, i, j)
    }
}

impl ReportScratch {
    pub(crate) fn new(model: &Model) -> Self {
        let (m, k_all) = (model.layout.len(), model.layout.n_components);
        Self {
            h: vec![0.0; m * m],
            g: vec![0.0; m],
            inverse: vec![0.0; m * m],
            turned: vec![0.0; m * m],
            noise: vec![0.0; k_all * k_all],
        }
    }

    /// Posterior covariance of all parameters, and that of the amplitudes in noise.
    pub(super) fn covariances(&self, layout: &Layout) -> (Covariance<'_>, Covariance<'_>) {
        let by_posterior = Covariance { values: &self.inverse, size: layout.len() };
        (by_posterior, Covariance { values: &self.noise, size: layout.n_components })
    }
}
