//! Scratch memory of a fit, allocated once for a model and reused from spectrum to spectrum.

use super::evaluation::Evaluation;
use super::model::Model;
use super::normal::DataNormal;
use super::report_scratch::ReportScratch;
use crate::fit::linalg;

/// Scratch for fitting spectra with one model; reused from spectrum to spectrum.
pub struct Workspace {
    pub(super) evaluation: Evaluation,
    pub(super) normal: DataNormal,
    pub(super) report: ReportScratch,
    pub(super) algebra: linalg::Scratch,
    pub(super) hessian: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) factor: Vec<f64>,
    pub(super) inverse: Vec<f64>,
    pub(super) rhs: Vec<f64>,
    pub(super) step: Vec<f64>,
    pub(super) trial: Vec<f64>,
    /// The last step that was taken.
    pub(super) taken: Vec<f64>,
    /// The step that the normal equations gave there, and the gradient.
    pub(super) last_step: Vec<f64>,
    pub(super) last_gradient: Vec<f64>,
    pub(super) held: Vec<Hold>,
    /// Whether shifts, widths, phases and lineshape stay at their start: there is no signal to tell them.
    pub(super) holds_shapes: bool,
    pub(super) smooth: SmoothScratch,
}

pub(super) struct SmoothScratch {
    pub(super) schur: Vec<f64>,
    pub(super) factor: Vec<f64>,
    pub(super) differences: Vec<f64>,
    pub(super) rhs: Vec<f64>,
    pub(super) solution: Vec<f64>,
}

/// Whether a parameter takes part in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Hold {
    Free,
    /// Moves by exactly this much (0 for fixed parameters and those at a bound).
    By(f64),
}

impl Workspace {
    /// Scratch for `model`.
    pub fn new(model: &Model) -> Self {
        let (m, nb) = (model.layout.len(), model.layout.n_splines);
        Self {
            evaluation: Evaluation::new(model),
            normal: DataNormal::new(model),
            report: ReportScratch::new(model),
            algebra: linalg::Scratch::for_size(m),
            hessian: vec![0.0; m * m],
            gradient: vec![0.0; m],
            factor: vec![0.0; m * m],
            inverse: vec![0.0; m * m],
            rhs: vec![0.0; m],
            step: vec![0.0; m],
            trial: vec![0.0; m],
            taken: vec![0.0; m],
            last_step: vec![0.0; m],
            last_gradient: vec![0.0; m],
            held: vec![Hold::Free; m],
            holds_shapes: false,
            smooth: SmoothScratch {
                schur: vec![0.0; nb * nb],
                factor: vec![0.0; nb * nb],
                differences: vec![0.0; nb * nb.saturating_sub(2)],
                rhs: vec![0.0; nb],
                solution: vec![0.0; nb],
            },
        }
    }
}
