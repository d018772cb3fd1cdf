//! One step of the solver: the damped normal equations with an active set for the bounds.

use super::constants::{LETTING_GO_PASSES, MAX_PASSES};
use super::model::Model;
use super::pinned::fixed_parameters;
use super::workspace::{Hold, Workspace};
use crate::fit::linalg::{self, add_symmetric, symmetric};

/// Adds what Gauss–Newton leaves out where it matters most: −r·∂²m/∂c_k∂F_k and −r·∂²m/∂c_k∂u_k.
///
/// The model is bilinear in an amplitude and the shape of its component, and for weak components the
/// residual's projection on these derivatives is as large as the terms kept; without them the last
/// digits take dozens of steps. ∂²m/∂c∂F is the column for F over c, so the products are in Jᵀr already.
pub(super) fn add_bilinear_curvature(model: &Model, x: &[f64], variance: f64, ws: &mut Workspace) {
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

/// Parameters that the method fixes take no part, nor do shapes that nothing tells; all others do, at a bound or not.
pub(super) fn hold_fixed(model: &Model, ws: &mut Workspace) {
    ws.held.fill(Hold::Free);
    for i in fixed_parameters(model) {
        ws.held[i] = Hold::By(0.0);
    }
    if ws.holds_shapes {
        ws.held[model.layout.n_components..model.layout.baseline()].fill(Hold::By(0.0));
    }
}

/// Energy of all components together, from the normal equations at `x`.
pub(super) fn components_energy(model: &Model, x: &[f64], ws: &Workspace) -> f64 {
    let (m, k_all) = (model.layout.len(), model.layout.n_components);
    let of = |i: usize| (0..k_all).map(|j| x[j] * symmetric(&ws.normal.jtj, m, i, j)).sum::<f64>();
    (0..k_all).map(|i| x[i] * of(i)).sum()
}

/// Parameters that the method fixes, and those at a bound with Q falling outwards, take no part.
pub(super) fn hold_bounds(model: &Model, x: &[f64], ws: &mut Workspace) {
    hold_fixed(model, ws);
    for i in 0..model.layout.baseline() {
        if x[i] <= model.layout.lower_bound(i) && ws.gradient[i] <= 0.0 {
            ws.held[i] = Hold::By(0.0);
        }
    }
}

/// Solves for the step with the bounds kept: parameters that would cross go exactly to their bound and
/// the others adapt.
///
/// One factor serves: a parameter i that is held at a step t needs a force f with s = s₀ + H⁻¹·e_i·f and s_i = t, all held
/// ones together a small system of the columns of H⁻¹ that belong to them. A force that draws a parameter to its bound,
/// where it would not go any more as others are held, lets go of it: with such a force a step can raise the model's Q.
pub(super) fn bounded_step(
    model: &Model,
    x: &[f64],
    damping: f64,
    ws: &mut Workspace,
) -> Result<(), linalg::NotPositiveDefinite> {
    let (m, first) = (model.layout.len(), model.layout.baseline());
    factorise(model, damping, ws)?;
    ws.step.copy_from_slice(&ws.rhs);
    linalg::solve_lower_transposed(&ws.factor, m, &mut ws.step);
    let free_step = ws.step.clone();
    let (mut crossed, mut columns, mut force): (Vec<usize>, Vec<f64>, Vec<f64>) = Default::default();
    for pass in 1..MAX_PASSES {
        let mut changes = false;
        for k in (0..crossed.len()).rev().filter(|k| pass <= LETTING_GO_PASSES && force[*k] < 0.0) {
            ws.held[crossed.remove(k)] = Hold::Free;
            columns.drain(k * m..(k + 1) * m);
            changes = true;
        }
        for i in 0..first {
            let bound = model.layout.lower_bound(i);
            if ws.held[i] == Hold::Free && x[i] + ws.step[i] < bound {
                ws.held[i] = Hold::By(bound - x[i]);
                crossed.push(i);
                let own = columns.len();
                columns.resize(own + m, 0.0);
                columns[own + i] = 1.0;
                linalg::solve_lower(&ws.factor, m, &mut columns[own..], 1);
                linalg::solve_lower_transposed(&ws.factor, m, &mut columns[own..]);
                changes = true;
            }
        }
        if !changes {
            break;
        }
        force = hold_crossed(&crossed, &columns, &free_step, ws)?;
    }
    Ok(())
}

/// The step with the parameters `crossed` where they are held: `free_step` and the forces, which it returns, that take them
/// there.
fn hold_crossed(
    crossed: &[usize],
    columns: &[f64],
    free_step: &[f64],
    ws: &mut Workspace,
) -> Result<Vec<f64>, linalg::NotPositiveDefinite> {
    let (m, n) = (free_step.len(), crossed.len());
    let mut inner: Vec<f64> = columns.chunks_exact(m).flat_map(|c| crossed.iter().map(|&i| c[i])).collect();
    let target = |i: usize| if let Hold::By(step) = ws.held[i] { step - free_step[i] } else { 0.0 };
    let mut force: Vec<f64> = crossed.iter().map(|&i| target(i)).collect();
    linalg::cholesky(&mut inner, n)?;
    linalg::solve_lower(&inner, n, &mut force, 1);
    linalg::solve_lower_transposed(&inner, n, &mut force);
    ws.step.copy_from_slice(free_step);
    for (column, force) in columns.chunks_exact(m).zip(&force) {
        ws.step.iter_mut().zip(column).for_each(|(s, c)| *s += c * force);
    }
    for &i in crossed {
        if let Hold::By(step) = ws.held[i] {
            ws.step[i] = step;
        }
    }
    Ok(force)
}

/// Factor of the damped Hessian with held parameters taken out, and the forward-solved right-hand side.
pub(super) fn factorise(model: &Model, damping: f64, ws: &mut Workspace) -> Result<(), linalg::NotPositiveDefinite> {
    let layout = &model.layout;
    let (m, first) = (layout.len(), layout.baseline());
    for (column, (factor, hessian)) in ws.factor.chunks_exact_mut(m).zip(ws.hessian.chunks_exact(m)).enumerate() {
        factor[column..].copy_from_slice(&hessian[column..]);
    }
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
    linalg::cholesky(&mut ws.factor, m)?;
    linalg::solve_lower(&ws.factor, m, &mut ws.rhs, 1);
    Ok(())
}

/// Fall of Q that the quadratic model predicts for the step.
pub(super) fn predicted_fall(model: &Model, ws: &Workspace) -> f64 {
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
