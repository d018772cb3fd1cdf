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

use super::columns::PhaseColumns;
use super::component::Origin;
use super::model::Model;
use super::normal::Weights;
use super::pinned::{pin, take_out};
use super::problem::{Problem, Solved};
use super::report::baseline_ed;
use super::settings::Estimate;
use super::solver;
use super::workspace::Workspace;
use crate::fit::linalg::{self, NotPositiveDefinite, symmetric};
use crate::fit::result::FitState;

/// Times that the slope of V is found.
const ROUNDS: usize = 2;
/// Step of the common widths for it (Hz).
const STEP_HZ: f64 = 0.1;
/// Parts of the largest effective dimension of the baseline between which the slope fades to nothing, the mode: so
/// flexible a baseline can be anything, tails of lines too, and no Gaussian describes that.
const STIFF_ENOUGH: f64 = 0.6;
const TOO_FLEXIBLE: f64 = 0.9;

/// Takes a converged fit from the joint mode to the marginal estimate, where the method asks for that.
pub(crate) fn refine(model: &Model, problem: &Problem, solved: &mut Solved, ws: &mut Workspace) {
    if model.settings.estimate != Estimate::Marginal {
        return;
    }
    let mut used = solved.n_iterations;
    for _ in 0..ROUNDS {
        if solved.state != FitState::Converged || solved.holds_shapes {
            break;
        }
        let Ok(Some(volume)) = slope(model, &problem.data, &solved.x, &solved.weights, ws) else { break };
        let mut next = Solved {
            x: solved.x.clone(),
            weights: Weights { volume, ..solved.weights.clone() },
            state: solved.state,
            n_iterations: 0,
            objective: solved.objective,
            holds_shapes: false,
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
    linalg::cholesky(&mut ws.factor, m)?;
    linalg::inverse_from_factor(&ws.factor, m, &mut ws.inverse, &mut ws.algebra);
    let [low, high] = model.settings.window_ppm;
    let most = model.settings.baseline.max_ed_per_ppm * (high - low);
    let flexibility = if layout.n_splines > 0 { baseline_ed(model, weights.lambda, &ws.inverse) / most } else { 0.0 };
    let share = ((TOO_FLEXIBLE - flexibility) / (TOO_FLEXIBLE - STIFF_ENOUGH)).clamp(0.0, 1.0);
    if share == 0.0 {
        return Ok(None);
    }
    // How everything else follows: dx/dW = −H⁻¹·h_W with both common widths and what is at a bound held.
    let couplings = common.map(|i| -> Vec<f64> { (0..m).map(|j| symmetric(&ws.hessian, m, j, i)).collect() });
    let rests = |i: usize| common.contains(&i) || x[i] <= layout.lower_bound(i);
    let resting: Vec<usize> = (0..layout.baseline()).filter(|&i| rests(i)).collect();
    ws.factor.copy_from_slice(&ws.hessian);
    for &i in &resting {
        take_out(i, m, &mut ws.factor, &mut ws.gradient);
    }
    linalg::cholesky(&mut ws.factor, m)?;
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
        *slope = share * 0.5 * (volume(model, data, &there, weights, ws)? - here) / STEP_HZ;
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
    ws.normal.assemble_exact(model, x, &mut ws.evaluation);
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    pin(model, m, &mut ws.hessian, &mut ws.gradient);
    for i in [model.layout.common_width(), model.layout.gauss()] {
        take_out(i, m, &mut ws.hessian, &mut ws.gradient);
    }
    let with_amplitudes = log_determinant(m, ws)?;
    // The pattern's amplitudes have priors of their own.
    let is_flat = |k: &usize| !matches!(model.components[*k].origin, Origin::Pattern { .. });
    let flat: Vec<usize> = (0..model.layout.n_components).filter(is_flat).collect();
    for k in flat {
        take_out(k, m, &mut ws.hessian, &mut ws.gradient);
    }
    Ok(0.5 * (with_amplitudes + log_determinant(m, ws)?))
}

/// ln|H| of the workspace's Hessian.
fn log_determinant(m: usize, ws: &mut Workspace) -> Result<f64, NotPositiveDefinite> {
    ws.inverse.copy_from_slice(&ws.hessian);
    linalg::cholesky(&mut ws.inverse, m)?;
    Ok((0..m).map(|i| 2.0 * ws.inverse[i * m + i].ln()).sum())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]
    use super::*;
    use crate::engine::known_spectra;
    use crate::fit::map::normal::prior_cost;
    use crate::fit::map::settings::Settings;

    fn model(change: impl FnOnce(&mut Settings)) -> (Model, Vec<Complex64>) {
        let (basis, fids) = known_spectra(1);
        let mut settings = Settings::map().unwrap();
        settings.estimate = Estimate::Marginal;
        settings.priors.lorentz_prior_hz = [3.0, 2.0];
        // Weights of the kernel that reach their bound on the way make corners, which no parabola describes.
        settings.priors.kernel_scale = 0.0;
        change(&mut settings);
        let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
        (model, fids[0].clone())
    }

    /// −2 ln p(W | d) up to a constant, from a fit whose prior holds W at `lorentz_hz`: σ², λ and rows as at the estimate.
    fn at_width(model: &Model, problem: &Problem, estimate: &Solved, lorentz_hz: f64) -> f64 {
        let (held, _) = super::tests::model(|s| s.priors.lorentz_prior_hz = [lorentz_hz, 1e-4]);
        let mut ws = Workspace::new(model);
        let mut solved = Solved {
            x: estimate.x.clone(),
            weights: Weights { volume: [0.0, estimate.weights.volume[1]], ..estimate.weights.clone() },
            state: estimate.state,
            n_iterations: 0,
            objective: 0.0,
            holds_shapes: false,
        };
        solver::go_on(&held, problem, &mut solved, &mut ws);
        assert_eq!(solved.state, FitState::Converged);
        let weights = Weights { lambda: estimate.weights.lambda, ..solved.weights };
        let rss = ws.evaluation.residual_sum_of_squares(model, &solved.x, &problem.data);
        let q = rss / weights.variance + prior_cost(model, &solved.x, &weights);
        q + volume(model, &problem.data, &solved.x, &weights, &mut ws).unwrap()
    }

    #[test]
    fn the_estimate_is_at_the_minimum_of_the_marginal_objective() {
        // λ by evidence would move from width to width: fixed, the objective is one function.
        let fixed = |s: &mut Settings| s.baseline.smoothness = crate::fit::map::settings::Smoothness::Fixed(3000.0);
        let (model, fid) = model(fixed);
        let problem = Problem::new(&model, &fid).unwrap();
        let mut ws = Workspace::new(&model);
        let mut solved = solver::solution(&model, &problem, &mut ws);
        let mode = solved.x[model.layout.common_width()];
        refine(&model, &problem, &mut solved, &mut ws);
        let width = solved.x[model.layout.common_width()];
        assert!((width - mode).abs() > 1e-4, "{mode} {width}");
        let values: Vec<f64> = [-0.3, 0.0, 0.3].map(|d| at_width(&model, &problem, &solved, width + d)).to_vec();
        // Where the parabola through three points has its minimum: within a tenth of a hertz.
        let minimum = 0.15 * (values[0] - values[2]) / (values[0] - 2.0 * values[1] + values[2]);
        assert!(minimum.abs() < 0.1, "{minimum} {values:?}");
    }

    #[test]
    fn the_mode_has_no_linear_term() {
        let (model, fid) = model(|s| s.estimate = Estimate::Mode);
        let problem = Problem::new(&model, &fid).unwrap();
        let mut ws = Workspace::new(&model);
        let mut solved = solver::solution(&model, &problem, &mut ws);
        refine(&model, &problem, &mut solved, &mut ws);
        assert_eq!(solved.weights.volume, [0.0; 2]);
    }
}
