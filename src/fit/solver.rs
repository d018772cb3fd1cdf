//! Gauss–Newton with Levenberg–Marquardt damping on all parameters of one spectrum, an active set for
//! the bounds, and the baseline's smoothness by evidence inside each step.

use num_complex::Complex64;

use super::linalg::{self, add_symmetric, symmetric};
use super::model::{Evaluation, Model, PhaseColumns};
use super::normal::{DataNormal, Weights, prior_cost};
use super::report::{FitResult, FitState, ReportScratch, Solution, effective_parameters, fixed_parameters, summarise};
use super::settings::Smoothness;
use super::start::{ShiftPhase, demodulate, noise_sd};

/// The largest datum in internal units; a tenth of it is 1, and λ is measured against that.
const DATA_HEIGHT: f64 = 10.0;
/// λ before the first evidence step.
const START_LAMBDA: f64 = 100.0;
/// λ above which the baseline is a straight line for every purpose.
const MAX_LAMBDA: f64 = 1e8;
/// Iterations at which the scales of the soft rows are taken from the current amplitudes.
const REFRESH_ROWS: [usize; 3] = [3, 6, 9];
/// First iteration that uses second derivatives; before, far from the solution, they mislead.
const NEWTON_FROM: usize = 3;
/// First iteration at which σ follows the misfit, and the last.
const VARIANCE_FROM: usize = 3;
const VARIANCE_TO: usize = 40;
/// A step whose predicted fall of Q is below this is the last: it moves the solution by at most
/// √1e-3 = 0.03 standard deviations, and what is left after it is a small part of that.
const PREDICTED_TOLERANCE: f64 = 1e-3;
/// Relative change of λ between the last two steps.
const LAMBDA_TOLERANCE: f64 = 1e-4;
/// Relative change of λ and σ² below which σ² is frozen.
const FREEZE_TOLERANCE: f64 = 0.05;

/// Scratch for fitting spectra with one model; reused from spectrum to spectrum.
pub struct Workspace {
    evaluation: Evaluation,
    normal: DataNormal,
    report: ReportScratch,
    algebra: linalg::Scratch,
    hessian: Vec<f64>,
    gradient: Vec<f64>,
    factor: Vec<f64>,
    rhs: Vec<f64>,
    step: Vec<f64>,
    trial: Vec<f64>,
    held: Vec<Hold>,
    smooth: SmoothScratch,
}

struct SmoothScratch {
    schur: Vec<f64>,
    factor: Vec<f64>,
    differences: Vec<f64>,
    rhs: Vec<f64>,
    solution: Vec<f64>,
    algebra: linalg::Scratch,
}

/// Whether a parameter takes part in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hold {
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
            rhs: vec![0.0; m],
            step: vec![0.0; m],
            trial: vec![0.0; m],
            held: vec![Hold::Free; m],
            smooth: SmoothScratch {
                schur: vec![0.0; nb * nb],
                factor: vec![0.0; nb * nb],
                differences: vec![0.0; nb * nb.saturating_sub(2)],
                rhs: vec![0.0; nb],
                solution: vec![0.0; nb],
                algebra: linalg::Scratch::for_size(nb.max(1)),
            },
        }
    }
}

/// Fits one FID with `model`, from its own start values.
pub fn fit(model: &Model, fid: &[Complex64], workspace: &mut Workspace) -> FitResult {
    if fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
        return FitResult::without_fit(FitState::NoSignal);
    }
    fit_from(model, fid, model.shift_and_phase(fid), workspace)
}

/// Fits one finite FID with `model`, starting at the common shift and phase `start`.
pub fn fit_from(model: &Model, fid: &[Complex64], start: ShiftPhase, workspace: &mut Workspace) -> FitResult {
    let moved = demodulate(fid, start.shift_hz, model.band.dwell_s);
    let mut data = model.band.window_from_fid(&moved);
    let tallest = data.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let Some(noise) = noise_sd(fid).filter(|_| tallest > 0.0 && tallest.is_finite()) else {
        return FitResult::without_fit(FitState::NoSignal);
    };
    let scale = DATA_HEIGHT / tallest;
    for z in &mut data {
        *z *= scale;
    }
    // Variance of a point of the real part of the 2× zero-filled spectrum.
    let noise_variance = model.band.n_points as f64 * (noise * scale).powi(2);

    let mut x = start_parameters(model, start);
    let mut weights =
        Weights { variance: noise_variance, lambda: start_lambda(model), rows: vec![0.0; model.rows.len()] };
    start_amplitudes(model, &data, &mut x, &mut weights, workspace);
    let (state, n_iterations, objective) = iterate(model, &data, &mut x, &mut weights, noise_variance, workspace);
    let solution = Solution {
        x: &x,
        data: &data,
        weights: &weights,
        noise_variance,
        state,
        n_iterations,
        objective,
        data_scale: scale,
        start_shift_hz: start.shift_hz,
    };
    summarise(
        model,
        &solution,
        &mut workspace.evaluation,
        &mut workspace.normal,
        &mut workspace.report,
        &mut workspace.algebra,
    )
}

fn start_lambda(model: &Model) -> f64 {
    match model.settings.baseline.smoothness {
        Smoothness::Evidence => START_LAMBDA,
        Smoothness::Fixed(lambda) => lambda,
    }
}

fn start_parameters(model: &Model, start: ShiftPhase) -> Vec<f64> {
    let layout = &model.layout;
    let mut x = vec![0.0; layout.len()];
    let settings = &model.settings.start;
    for k in 0..layout.n_components {
        x[layout.width(k)] = settings.lorentz_hz;
    }
    x[layout.common_width()] = settings.lorentz_hz;
    x[layout.gauss()] = settings.gauss_hz;
    x[layout.phi0()] = start.phi0_rad;
    x
}

/// Amplitudes and baseline from the linear problem at the start values, negatives left out.
fn start_amplitudes(model: &Model, data: &[Complex64], x: &mut [f64], weights: &mut Weights, ws: &mut Workspace) {
    let layout = &model.layout;
    ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
    ws.normal.assemble(model, &ws.evaluation);
    // At the start the misfit is far above the noise: a σ of a twentieth of the tallest point keeps the
    // baseline from taking up what widths and shifts have not explained yet.
    let start = Weights { variance: weights.variance.max((DATA_HEIGHT / 20.0_f64).powi(2)), ..weights.clone() };
    ws.normal.penalised(model, x, &start, &mut ws.hessian, &mut ws.gradient);
    for i in 0..layout.len() {
        let linear = i < layout.n_components || i >= layout.baseline();
        ws.held[i] = if linear { Hold::Free } else { Hold::By(0.0) };
    }
    if bounded_step(model, x, 0.0, ws).is_ok() {
        for i in 0..layout.len() {
            x[i] += ws.step[i];
        }
    }
    // Small and positive rather than zero: at zero the derivatives for shift and width vanish.
    let largest = x[..layout.n_components].iter().copied().fold(0.0, f64::max);
    for c in &mut x[..layout.n_components] {
        *c = c.max(1e-3 * largest);
    }
    refresh_rows(model, x, weights);
}

fn refresh_rows(model: &Model, x: &[f64], weights: &mut Weights) {
    for (w, row) in weights.rows.iter_mut().zip(&model.rows) {
        *w = row.weight(&x[..model.layout.n_components]);
    }
}

fn iterate(
    model: &Model,
    data: &[Complex64],
    x: &mut [f64],
    weights: &mut Weights,
    noise_variance: f64,
    ws: &mut Workspace,
) -> (FitState, usize, f64) {
    let evidence = model.settings.baseline.smoothness == Smoothness::Evidence && model.layout.n_splines > 2;
    let mut damping = 1e-2;
    let mut frozen = false;
    let mut cost = f64::INFINITY;
    for iteration in 0..model.settings.max_iterations {
        if REFRESH_ROWS.contains(&iteration) {
            refresh_rows(model, x, weights);
        }
        ws.evaluation.columns(model, x, data, PhaseColumns::FromData);
        ws.normal.assemble(model, &ws.evaluation);
        let (variance_before, lambda_before) = (weights.variance, weights.lambda);
        let follow_misfit = !frozen && (VARIANCE_FROM..=VARIANCE_TO).contains(&iteration);
        if (follow_misfit || evidence)
            && update_weights(
                model,
                x,
                weights,
                noise_variance,
                follow_misfit,
                evidence,
                iteration > REFRESH_ROWS[2],
                ws,
            )
            .is_err()
        {
            return (FitState::Singular, iteration, cost);
        }
        let mut accepted = false;
        let mut predicted = 0.0;
        let mut newton = iteration >= NEWTON_FROM;
        for _ in 0..12 {
            ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
            if newton {
                add_bilinear_curvature(model, x, weights.variance, ws);
            }
            hold_bounds(model, x, ws);
            if bounded_step(model, x, damping, ws).is_err() {
                if newton {
                    newton = false;
                    continue;
                }
                damping = (damping * 10.0).max(1e-3);
                if damping > 1e6 {
                    return (FitState::Singular, iteration, cost);
                }
                continue;
            }
            let before = ws.normal.rss / weights.variance + prior_cost(model, x, weights);
            predicted = predicted_fall(model, ws);
            for i in 0..x.len() {
                ws.trial[i] = (x[i] + ws.step[i]).max(model.layout.lower_bound(i));
            }
            let rss = ws.evaluation.residual_sum_of_squares(model, &ws.trial, data);
            let after = rss / weights.variance + prior_cost(model, &ws.trial, weights);
            if after <= before + 1e-9 * before.abs() {
                x.copy_from_slice(&ws.trial);
                cost = after;
                // Nielsen's rule (1999): the closer the fall is to the predicted one, the less damping.
                let gain = if predicted > 0.0 { (before - after) / predicted } else { 1.0 };
                damping = (damping * (1.0 - (2.0 * gain - 1.0).powi(3)).clamp(1.0 / 5.0, 3.0)).max(1e-9);
                accepted = true;
                break;
            }
            if predicted < PREDICTED_TOLERANCE {
                cost = before;
                break;
            }
            damping = (damping * 6.0).max(1e-4);
        }
        let lambda_moved = (weights.lambda / lambda_before).ln().abs();
        let variance_moved = (weights.variance / variance_before).ln().abs();
        let settled = iteration > REFRESH_ROWS[2].min(model.settings.max_iterations / 2);
        if iteration >= VARIANCE_FROM + 2
            && predicted < 1e-2
            && lambda_moved < FREEZE_TOLERANCE
            && variance_moved < FREEZE_TOLERANCE
            && settled
        {
            frozen = true;
        }
        if frozen && predicted < PREDICTED_TOLERANCE && lambda_moved < LAMBDA_TOLERANCE {
            return (FitState::Converged, iteration + 1, cost);
        }
        if !accepted && predicted >= PREDICTED_TOLERANCE {
            // Twelve ever shorter steps all failed: the objective's floor within rounding.
            let state = if predicted < 1e-2 { FitState::Converged } else { FitState::MaxIterations };
            return (state, iteration + 1, cost);
        }
    }
    (FitState::MaxIterations, model.settings.max_iterations, cost)
}

/// Adds what Gauss–Newton leaves out where it matters most: −r·∂²m/∂c_k∂F_k and −r·∂²m/∂c_k∂u_k.
///
/// The model is bilinear in an amplitude and the shape of its component, and for weak components the
/// residual's projection on these derivatives is as large as the terms kept; without them the last
/// digits take dozens of steps. ∂²m/∂c∂F is the column for F over c, so the products are in Jᵀr already.
fn add_bilinear_curvature(model: &Model, x: &[f64], variance: f64, ws: &mut Workspace) {
    let layout = &model.layout;
    let m = layout.len();
    for k in 0..layout.n_components {
        let c = x[layout.amplitude(k)];
        if c > 0.0 {
            for i in [layout.shift(k), layout.width(k)] {
                add_symmetric(&mut ws.hessian, m, i, layout.amplitude(k), -ws.normal.jtr[i] / (c * variance));
            }
        }
    }
}

/// Brings σ² and λ up to date at `x`, on the undamped system.
///
/// σ² moves half-way, on a logarithmic scale, to max(noise, residual per degree of freedom); λ goes to
/// its fixed point by evidence.
fn update_weights(
    model: &Model,
    x: &[f64],
    weights: &mut Weights,
    noise_variance: f64,
    follow_misfit: bool,
    evidence: bool,
    settling: bool,
    ws: &mut Workspace,
) -> Result<(), linalg::NotPositiveDefinite> {
    let m = model.layout.len();
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    hold_bounds(model, x, ws);
    factorise(model, 0.0, ws)?;
    if follow_misfit {
        linalg::inverse_from_factor(&ws.factor, m, &mut ws.hessian, &mut ws.algebra);
        let solution = Solution {
            x,
            data: &[],
            weights,
            noise_variance,
            state: FitState::Converged,
            n_iterations: 0,
            objective: 0.0,
            data_scale: 1.0,
            start_shift_hz: 0.0,
        };
        let effective = effective_parameters(model, &solution, &ws.hessian);
        let freedom = (model.band.n_window() as f64 - effective).max(1.0);
        let target = noise_variance.max(ws.normal.rss / freedom);
        weights.variance = (weights.variance * target).sqrt().max(noise_variance);
    }
    if evidence {
        let before = weights.lambda;
        evidence_step(model, x, &mut weights.lambda, ws)?;
        if settling {
            // λ and the other parameters answer one another; half-way steps end their see-saw.
            weights.lambda = (weights.lambda * before).sqrt();
        }
    }
    Ok(())
}

/// Parameters that the method fixes, and those at a bound with Q falling outwards, take no part.
fn hold_bounds(model: &Model, x: &[f64], ws: &mut Workspace) {
    ws.held.fill(Hold::Free);
    for i in fixed_parameters(model) {
        ws.held[i] = Hold::By(0.0);
    }
    for i in 0..model.layout.baseline() {
        if x[i] <= model.layout.lower_bound(i) && ws.gradient[i] <= 0.0 {
            ws.held[i] = Hold::By(0.0);
        }
    }
}

/// Solves for the step with the bounds kept: parameters that would cross go exactly to their bound and
/// the others adapt.
fn bounded_step(model: &Model, x: &[f64], damping: f64, ws: &mut Workspace) -> Result<(), linalg::NotPositiveDefinite> {
    const MAX_PASSES: usize = 12;
    for _ in 0..MAX_PASSES {
        factorise(model, damping, ws)?;
        ws.step.copy_from_slice(&ws.rhs);
        linalg::solve_lower_transposed(&ws.factor, model.layout.len(), &mut ws.step);
        let mut crossed = false;
        for i in 0..model.layout.baseline() {
            let bound = model.layout.lower_bound(i);
            if ws.held[i] == Hold::Free && x[i] + ws.step[i] < bound {
                ws.held[i] = Hold::By(bound - x[i]);
                crossed = true;
            }
        }
        if !crossed {
            break;
        }
    }
    Ok(())
}

/// Factor of the damped Hessian with held parameters taken out, and the forward-solved right-hand side.
fn factorise(model: &Model, damping: f64, ws: &mut Workspace) -> Result<(), linalg::NotPositiveDefinite> {
    let layout = &model.layout;
    let (m, first) = (layout.len(), layout.baseline());
    ws.factor.copy_from_slice(&ws.hessian);
    ws.rhs.copy_from_slice(&ws.gradient);
    for i in layout.n_components..first {
        ws.factor[i * m + i] *= 1.0 + damping;
    }
    for i in 0..m {
        if let Hold::By(step) = ws.held[i] {
            for j in 0..m {
                if step != 0.0 {
                    ws.rhs[j] -= symmetric(&ws.hessian, m, i, j) * step;
                }
                let (row, column) = if i >= j { (i, j) } else { (j, i) };
                ws.factor[column * m + row] = f64::from(u8::from(i == j));
            }
        }
    }
    for i in 0..m {
        if let Hold::By(step) = ws.held[i] {
            ws.rhs[i] = step;
        }
    }
    linalg::cholesky(&mut ws.factor, m, &mut ws.algebra)?;
    linalg::solve_lower(&ws.factor, m, &mut ws.rhs, 1);
    Ok(())
}

/// Moves λ towards its fixed point by evidence on the linearised problem.
///
/// With everything else eliminated, the trailing block of the factor holds the baseline's own system
/// S = L_bb·L_bbᵀ; only S depends on λ, so a few rounds on it cost little:
/// λ ← (nb − 2 − λ·tr(S⁻¹·D₂ᵀD₂)) / |D₂b|², never so small that the effective dimension passes its limit.
fn evidence_step(
    model: &Model,
    x: &[f64],
    lambda: &mut f64,
    ws: &mut Workspace,
) -> Result<(), linalg::NotPositiveDefinite> {
    const ROUNDS: usize = 4;
    let (m, first, nb) = (model.layout.len(), model.layout.baseline(), model.layout.n_splines);
    let [low, high] = model.settings.window_ppm;
    let max_ed = (model.settings.baseline.max_ed_per_ppm * (high - low)).min(nb as f64);
    let s = &mut ws.smooth;
    // S at the present λ, and S·z for the forward-solved right-hand side z.
    s.schur.fill(0.0);
    s.rhs.fill(0.0);
    for j in 0..nb {
        let column = &ws.factor[(first + j) * m + first..(first + j + 1) * m];
        for i in j..nb {
            s.rhs[i] += column[i] * ws.rhs[first + j];
            for k in j..=i {
                s.schur[k * nb + i] += column[i] * column[k];
            }
        }
    }
    let start = *lambda;
    for _ in 0..ROUNDS {
        let change = *lambda - start;
        for ((f, a), p) in s.factor.iter_mut().zip(&s.schur).zip(&model.baseline.penalty) {
            *f = a + change * p;
        }
        linalg::cholesky(&mut s.factor, nb, &mut s.algebra)?;
        s.differences.copy_from_slice(&model.baseline.differences);
        linalg::solve_lower(&s.factor, nb, &mut s.differences, nb - 2);
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
        let by_evidence = (ed.min(nb as f64) - 2.0).max(1e-3) / roughness;
        let by_limit = *lambda * (ed / max_ed).powi(4);
        let next = by_evidence.max(by_limit).clamp(1e-6, MAX_LAMBDA);
        // Not more than a factor of ten a round: early residuals are not the baseline's.
        let next = next.clamp(*lambda / 10.0, *lambda * 10.0);
        let moved = (next / *lambda).ln().abs();
        *lambda = next;
        if moved < 1e-5 {
            break;
        }
    }
    Ok(())
}

/// Fall of Q that the quadratic model predicts for the step.
fn predicted_fall(model: &Model, ws: &Workspace) -> f64 {
    let m = model.layout.len();
    let mut fall = 0.0;
    for j in 0..m {
        let sj = ws.step[j];
        if sj == 0.0 {
            continue;
        }
        let column = &ws.hessian[j * m..(j + 1) * m];
        let mut hs = 0.5 * column[j] * sj;
        for i in j + 1..m {
            hs += column[i] * ws.step[i];
        }
        // ½·sᵀHs by the lower triangle is Σ_j s_j·(½H_jj s_j + Σ_{i>j} H_ij s_i).
        fall += 2.0 * (ws.gradient[j] * sj - sj * hs);
    }
    fall
}
