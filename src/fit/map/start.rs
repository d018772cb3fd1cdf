//! Where the iterations of a spectrum begin, and what is found again on their way.

use num_complex::Complex64;

use super::columns::PhaseColumns;
use super::constants::{LEAST_ENERGY, LEAST_START_AMPLITUDE, START_RIDGE};
use super::evaluation::Evaluation;
use super::model::Model;
use super::normal::{Weights, kernel_share};
use super::problem::start_variance;
use super::step::{bounded_step, components_energy};
use super::workspace::{Hold, Workspace};

/// Amplitudes and baseline from the linear problem at the start values, negatives left out.
pub(super) fn start_amplitudes(
    model: &Model,
    data: &[Complex64],
    x: &mut [f64],
    weights: &mut Weights,
    ws: &mut Workspace,
) {
    let layout = &model.layout;
    // Single precision is enough for where to begin.
    let Evaluation { forward, quick, .. } = &mut ws.evaluation;
    forward.at(model, x, data);
    quick.fill(model, forward, x, PhaseColumns::FromData);
    ws.normal.assemble(model, x, forward, quick);
    let start = Weights { variance: start_variance(weights.variance), ..weights.clone() };
    ws.normal.penalised(model, x, &start, &mut ws.hessian, &mut ws.gradient);
    for i in 0..layout.len() {
        let linear = i < layout.n_components || i >= layout.baseline();
        ws.held[i] = if linear { Hold::Free } else { Hold::By(0.0) };
    }
    let solved = bounded_step(model, x, 0.0, ws).is_ok() || {
        // Without soft rows nothing tells components of one spectrum apart: they share it, or the fit would begin without any
        // amplitude and count as one without signal, whose shapes stay where they start.
        let m = layout.len();
        (0..layout.n_components).for_each(|k| ws.hessian[k * m + k] *= 1.0 + START_RIDGE);
        bounded_step(model, x, 0.0, ws).is_ok()
    };
    if solved {
        for i in 0..layout.len() {
            x[i] += ws.step[i];
        }
    }
    // Small and positive rather than zero: at zero the derivatives for shift and width vanish.
    let largest = x[..layout.n_components].iter().copied().fold(0.0, f64::max);
    for c in &mut x[..layout.n_components] {
        *c = c.max(LEAST_START_AMPLITUDE * largest);
    }
    ws.holds_shapes = components_energy(model, x, ws) < LEAST_ENERGY * weights.variance;
    if ws.holds_shapes {
        x[layout.kernel_range()].fill(0.0);
    }
    refresh_rows(model, x, weights);
}

/// Brings up to date what depends on where the fit stands: the scales of the soft rows, and the precision of the kernel's
/// prior.
pub(super) fn refresh_rows(model: &Model, x: &[f64], weights: &mut Weights) {
    let noise_sd = weights.variance.sqrt();
    for (w, row) in weights.rows.iter_mut().zip(&model.rows) {
        *w = row.weight(&x[..model.layout.n_components], noise_sd);
    }
    weights.kernel_share = kernel_share(model, x);
}
