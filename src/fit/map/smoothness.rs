//! The weights of the objective: σ² from noise and misfit, the baseline's λ by evidence.

use super::constants::{
    EVIDENCE_ROUNDS, EVIDENCE_TOLERANCE, MAX_LAMBDA, MAX_LAMBDA_CHANGE, MAX_STEADY_RATIO, MIN_CURVED_DIMENSION,
    MIN_LAMBDA, MIN_STEADY_RATIO,
};
use super::model::Model;
use super::normal::Weights;
use super::report::{baseline_ed, from_priors};
use super::settings::Smoothness;
use super::step::{factorise, hold_bounds, hold_fixed};
use super::workspace::{Hold, Workspace};
use crate::fit::linalg::{self, symmetric, wide};

/// How σ² goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It stays.
    Leave,
    /// It moves half-way, on a logarithmic scale.
    Follow,
    /// It goes all the way, and stays from then on: what it is at the end does not hang on how the fit came there.
    Take,
}

/// What σ² hangs on beside the residual.
pub(super) struct Variance<'a> {
    pub(super) misfit: Misfit,
    /// Variance of the noise, which σ² is never below.
    pub(super) noise: f64,
    /// Number of parameters that the data determine; where it is not known, it is found and told.
    pub(super) effective: &'a mut Option<f64>,
}

impl Variance<'_> {
    /// Moves σ² as `misfit` says, where `effective` parameters leave the residual `rss`.
    fn follow(&self, model: &Model, weights: &mut Weights, effective: f64, rss: f64) {
        let freedom = (model.band.n_window() as f64 - effective).max(1.0);
        let target = self.noise.max(rss / freedom);
        weights.variance = match self.misfit {
            Misfit::Leave => weights.variance,
            Misfit::Take => target,
            Misfit::Follow => (weights.variance * target).sqrt().max(self.noise),
        };
    }
}

/// Brings σ² and λ up to date at `x`, on the undamped system.
///
/// σ² moves to max(noise, residual per degree of freedom) as `variance` says; λ goes to its fixed point by evidence.
pub(super) fn update_weights(
    model: &Model,
    x: &[f64],
    weights: &mut Weights,
    variance: Variance<'_>,
    evidence: bool,
    ws: &mut Workspace,
) -> Result<(), linalg::NotPositiveDefinite> {
    if let (false, Some(known)) = (evidence, *variance.effective) {
        variance.follow(model, weights, known, ws.normal.rss);
        return Ok(());
    }
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    hold_bounds(model, x, ws);
    factorise(model, 0.0, ws)?;
    if variance.misfit != Misfit::Leave {
        let known = variance.effective.unwrap_or_else(|| determined(model, x, weights, ws));
        *variance.effective = Some(known);
        variance.follow(model, weights, known, ws.normal.rss);
    }
    if evidence {
        if let Smoothness::EdPerPpm(_) = model.settings.baseline.smoothness {
            // The dimension that the tables tell, everything free: it does not jump as amplitudes come to zero and go.
            ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
            hold_fixed(model, ws);
            factorise(model, 0.0, ws)?;
        }
        evidence_step(model, x, &mut weights.lambda, ws)?;
    }
    Ok(())
}

/// Number of parameters that the data determine, from the factor of the undamped system; what is held does not count: it has
/// no variance, and what priors say of it tells nothing of the others.
fn determined(model: &Model, x: &[f64], weights: &Weights, ws: &mut Workspace) -> f64 {
    let (m, first) = (model.layout.len(), model.layout.baseline());
    linalg::inverse_from_factor(&ws.factor, m, &mut ws.hessian, &mut ws.algebra);
    let is_held = |i: usize| ws.held[i] != Hold::Free;
    let n_free = (0..first).filter(|&i| !is_held(i)).count() as f64;
    let model_part = n_free - from_priors(model, x, weights, &ws.hessian, is_held);
    model_part.max(0.0) + baseline_ed(model, weights.lambda, &ws.hessian)
}

/// Moves λ towards its fixed point by evidence on the linearised problem.
///
/// With everything else eliminated, the trailing block of the factor holds the baseline's own system
/// S = L_bb·L_bbᵀ; only S depends on λ, so a few rounds on it cost little:
/// λ ← (nb − 2 − λ·tr(S⁻¹·D₂ᵀD₂)) / |D₂b|², never so small that the effective dimension passes its limit; or, where the
/// method fixes the effective dimension, to where it is that.
/// Near a straight baseline these rounds creep; the last but one is extrapolated ([`extrapolated`]).
fn evidence_step(
    model: &Model,
    x: &[f64],
    lambda: &mut f64,
    ws: &mut Workspace,
) -> Result<(), linalg::NotPositiveDefinite> {
    let (first, nb) = (model.layout.baseline(), model.layout.n_splines);
    let [low, high] = model.settings.window_ppm;
    let max_ed = (model.settings.baseline.max_ed_per_ppm * (high - low)).min(nb as f64);
    set_schur(model, ws);
    let s = &mut ws.smooth;
    let start = *lambda;
    let mut before = start;
    for round in 0..EVIDENCE_ROUNDS {
        let change = *lambda - start;
        for ((f, a), p) in s.factor.iter_mut().zip(&s.schur).zip(&model.baseline.penalty) {
            *f = a + change * p;
        }
        linalg::cholesky(&mut s.factor, nb)?;
        s.differences.copy_from_slice(&model.baseline.differences);
        linalg::solve_lower_below_diagonal(&s.factor, nb, &mut s.differences, nb - 2);
        let trace: f64 = s.differences.iter().map(|v| v * v).sum();
        s.solution.copy_from_slice(&s.rhs);
        for j in 0..nb {
            for i in 0..nb {
                s.solution[i] -= change * symmetric(&model.baseline.penalty, nb, i, j) * x[first + j];
            }
        }
        linalg::solve_lower(&s.factor, nb, &mut s.solution, 1);
        linalg::solve_lower_transposed(&s.factor, nb, &mut s.solution);
        for (b, now) in s.solution.iter_mut().zip(&x[first..]) {
            *b += now;
        }
        let roughness = model.baseline.roughness(&s.solution).max(f64::MIN_POSITIVE);
        let ed = nb as f64 - *lambda * trace;
        let by_evidence = (ed.min(nb as f64) - 2.0).max(MIN_CURVED_DIMENSION) / roughness;
        // The effective dimension goes with λ^(−1/4) (cubic splines, second differences).
        let by_dimension = |wanted: f64| *lambda * (ed / wanted).powi(4);
        let next = match model.settings.baseline.smoothness {
            Smoothness::EdPerPpm(per_ppm) => by_dimension(per_ppm * (high - low)),
            Smoothness::Evidence | Smoothness::Fixed(_) => by_evidence.max(by_dimension(max_ed)),
        };
        let next = next.clamp(MIN_LAMBDA, MAX_LAMBDA);
        // Not more than a factor of ten a round: early residuals are not the baseline's.
        let next = next.clamp(*lambda / MAX_LAMBDA_CHANGE, *lambda * MAX_LAMBDA_CHANGE);
        let moved = (next / *lambda).ln().abs();
        let reached = if round + 2 == EVIDENCE_ROUNDS { extrapolated(before, *lambda, next) } else { next };
        before = *lambda;
        *lambda = reached;
        if moved < EVIDENCE_TOLERANCE {
            break;
        }
    }
    Ok(())
}

/// S at the present λ, and S·z for the forward-solved right-hand side z, from the factor of the whole system.
fn set_schur(model: &Model, ws: &mut Workspace) {
    let (m, first, nb) = (model.layout.len(), model.layout.baseline(), model.layout.n_splines);
    let s = &mut ws.smooth;
    let (factor, forward, schur, rhs) = (&ws.factor, &ws.rhs, &mut s.schur, &mut s.rhs);
    schur.fill(0.0);
    rhs.fill(0.0);
    wide(
        #[inline(always)]
        || {
            for j in 0..nb {
                let column = &factor[(first + j) * m + first..][..nb];
                for i in j..nb {
                    rhs[i] += column[i] * forward[first + j];
                }
                for k in j..nb {
                    let (own, below) = (column[k], &column[k..]);
                    let out = &mut schur[k * nb + k..(k + 1) * nb];
                    for i in 0..out.len() {
                        out[i] += below[i] * own;
                    }
                }
            }
        },
    );
}

/// Where three successive values of a linearly converging iteration lead, on a logarithmic scale (Aitken's Δ² process); at
/// most a factor of ten away, and the last value itself where they do not converge steadily.
fn extrapolated(first: f64, second: f64, third: f64) -> f64 {
    let (step, next_step) = ((second / first).ln(), (third / second).ln());
    let ratio = next_step / step;
    if !(MIN_STEADY_RATIO..=MAX_STEADY_RATIO).contains(&ratio) {
        return third;
    }
    let rest = next_step * ratio / (1.0 - ratio);
    third * rest.clamp(-MAX_LAMBDA_CHANGE.ln(), MAX_LAMBDA_CHANGE.ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_iteration_is_extrapolated_to_its_end() {
        // ln λ = 3 + 2·0.6ᵏ ends at 3.
        let at = |k: i32| (3.0 + 2.0 * 0.6_f64.powi(k)).exp();
        assert!((extrapolated(at(0), at(1), at(2)) / 3.0_f64.exp() - 1.0).abs() < 1e-12);
        // Oscillating, diverging and resting ones are left alone.
        for (a, b, c) in [(1.0, 2.0, 1.5), (1.0, 2.0, 8.0), (2.0, 2.0, 2.0)] {
            assert_eq!(extrapolated(a, b, c), c);
        }
        // A ratio next to one leads far; no farther than a factor of ten.
        let end = extrapolated(1.0, 10.0, 10.0_f64.powf(1.97));
        assert!((end / 10.0_f64.powf(2.97) - 1.0).abs() < 1e-12, "{end}");
    }
}
