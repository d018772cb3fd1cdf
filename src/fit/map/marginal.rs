//! The marginal estimate: common widths at the mode of their marginal posterior, not of the joint one.
//!
//! For given common widths (W, G) everything else has a conditional posterior, and how wide that is depends on them: the
//! broader the lines, the less the data say about shifts, widths and amplitudes. A joint mode ignores that and comes out
//! too narrow, and with it all amplitudes too low. With everything else integrated out by Laplace's approximation (Tierney
//! & Kadane 1986; the same term makes restricted likelihood unbiased),
//!
//! ```text
//! −2 ln p(W, G | d) = Q(W, G) + V(W, G),   V = ln|H|
//! ```
//!
//! with Q at its minimum for given widths and H half its Hessian there, common widths left out. V changes slowly, so that it
//! enters as a linear term: its slope is found at the joint mode, the solver goes on from there, and that twice.
//!
//! **The amplitudes' share.** ln|H| with all amplitudes counts their priors as flat. Flat in what? In amplitudes c the volume
//! of c grows with W, in c/√W, which is what the data measure independently of W (Cox & Reid 1987: parameters orthogonal to
//! the one of interest), it does not, and that is ln|H| with the amplitudes held. Either is a choice. Over spectra with
//! known truth the first is some percent too high and the second as much too low (benches/ACCURACY.md), so V is their mean:
//! a prior that is flat in c/W^¼.

use num_complex::Complex64;

use super::component::Origin;
use super::evaluation::PhaseColumns;
use super::model::Model;
use super::normal::Weights;
use super::problem::{Problem, Solved};
use super::report::{baseline_ed, pin};
use super::settings::Estimate;
use super::solver;
use super::workspace::Workspace;
use crate::fit::linalg::{self, NotPositiveDefinite, symmetric};
use crate::fit::result::FitState;

/// Times that the slope of V is found.
const ROUNDS: usize = 2;
/// Step of the common widths for it (Hz).
const STEP_HZ: f64 = 0.1;
/// Part of the largest effective dimension of the baseline from which the mode is kept: such a baseline can be anything,
/// tails of lines too, and no Gaussian describes that.
const TOO_FLEXIBLE: f64 = 0.75;

/// Takes a converged fit from the joint mode to the marginal estimate, where the method asks for that.
pub(crate) fn refine(model: &Model, problem: &Problem, solved: &mut Solved, ws: &mut Workspace) {
    if model.settings.estimate != Estimate::Marginal {
        return;
    }
    let mut used = solved.n_iterations;
    for _ in 0..ROUNDS {
        if solved.state != FitState::Converged {
            break;
        }
        let Ok(Some(volume)) = slope(model, &problem.data, &solved.x, &solved.weights, ws) else { break };
        let mut next = Solved {
            x: solved.x.clone(),
            weights: Weights { volume, ..solved.weights.clone() },
            state: solved.state,
            n_iterations: 0,
            objective: solved.objective,
        };
        solver::go_on(model, problem, &mut next, ws);
        used += next.n_iterations;
        // A way that does not end says less than the mode where it began.
        if next.state != FitState::Converged {
            break;
        }
        *solved = next;
    }
    solved.n_iterations = used;
}

/// Half the derivatives of V for (W, G), everything else following; `None` where the baseline is too flexible.
fn slope(
    model: &Model,
    data: &[Complex64],
    x: &[f64],
    weights: &Weights,
    ws: &mut Workspace,
) -> Result<Option<[f64; 2]>, NotPositiveDefinite> {
    let (layout, m) = (&model.layout, model.layout.len());
    let common = [layout.common_width(), layout.gauss()];
    let here = volume(model, data, x, weights, ws)?;
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    pin(model, m, &mut ws.hessian, &mut ws.gradient);
    ws.factor.copy_from_slice(&ws.hessian);
    linalg::cholesky(&mut ws.factor, m, &mut ws.algebra)?;
    linalg::inverse_from_factor(&ws.factor, m, &mut ws.inverse, &mut ws.algebra);
    let [low, high] = model.settings.window_ppm;
    let most = model.settings.baseline.max_ed_per_ppm * (high - low);
    if model.layout.n_splines > 0 && baseline_ed(model, weights.lambda, &ws.inverse) > TOO_FLEXIBLE * most {
        return Ok(None);
    }
    // How everything else follows: dx/dW = −H⁻¹·h_W with both common widths and what is at a bound held.
    let couplings = common.map(|i| -> Vec<f64> { (0..m).map(|j| symmetric(&ws.hessian, m, j, i)).collect() });
    let rests = |i: usize| common.contains(&i) || x[i] <= layout.lower_bound(i);
    let resting: Vec<usize> = (0..layout.baseline()).filter(|&i| rests(i)).collect();
    ws.factor.copy_from_slice(&ws.hessian);
    hold(m, &resting, &mut ws.factor);
    linalg::cholesky(&mut ws.factor, m, &mut ws.algebra)?;
    let mut slope = [0.0; 2];
    for ((slope, mut tangent), i) in slope.iter_mut().zip(couplings).zip(common) {
        for t in &mut tangent {
            *t = -*t;
        }
        for &j in &resting {
            tangent[j] = 0.0;
        }
        linalg::solve_lower(&ws.factor, m, &mut tangent, 1);
        linalg::solve_lower_transposed(&ws.factor, m, &mut tangent);
        tangent[i] = 1.0;
        let moved = x.iter().zip(&tangent).enumerate();
        let there: Vec<f64> = moved.map(|(j, (x, t))| (x + STEP_HZ * t).max(layout.lower_bound(j))).collect();
        *slope = 0.5 * (volume(model, data, &there, weights, ws)? - here) / STEP_HZ;
    }
    Ok(slope.iter().all(|s| s.is_finite()).then_some(slope))
}

/// V at `x`.
fn volume(
    model: &Model,
    data: &[Complex64],
    x: &[f64],
    weights: &Weights,
    ws: &mut Workspace,
) -> Result<f64, NotPositiveDefinite> {
    let m = model.layout.len();
    ws.evaluation.columns(model, x, data, PhaseColumns::FromModel);
    ws.normal.assemble(model, &ws.evaluation);
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    pin(model, m, &mut ws.hessian, &mut ws.gradient);
    hold(m, &[model.layout.common_width(), model.layout.gauss()], &mut ws.hessian);
    let with_amplitudes = log_determinant(m, ws)?;
    // The pattern's amplitudes have priors of their own.
    let is_flat = |k: &usize| !matches!(model.components[*k].origin, Origin::Pattern { .. });
    let flat: Vec<usize> = (0..model.layout.n_components).filter(is_flat).collect();
    hold(m, &flat, &mut ws.hessian);
    Ok(0.5 * (with_amplitudes + log_determinant(m, ws)?))
}

/// ln|H| of the workspace's Hessian.
fn log_determinant(m: usize, ws: &mut Workspace) -> Result<f64, NotPositiveDefinite> {
    ws.inverse.copy_from_slice(&ws.hessian);
    linalg::cholesky(&mut ws.inverse, m, &mut ws.algebra)?;
    Ok((0..m).map(|i| 2.0 * ws.inverse[i * m + i].ln()).sum())
}

/// Takes `parameters` out of a system.
fn hold(m: usize, parameters: &[usize], h: &mut [f64]) {
    for &i in parameters {
        for j in 0..m {
            let (row, column) = if i >= j { (i, j) } else { (j, i) };
            h[column * m + row] = f64::from(u8::from(i == j));
        }
    }
}
