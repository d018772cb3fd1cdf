//! What priors did to a solution: how far they pulled each amplitude, which of them are strained, and errors as LCModel
//! counts them.
//!
//! A solution without some prior rows lies one Gauss–Newton step away. With H' half the Hessian of Q without them and g' what they
//! had added to the falling gradient, which is zero at the solution with them,
//!
//! ```text
//! x' = x − H'⁻¹·g'        pull = (c − c')/s = (H'⁻¹·g')_c / s
//! ```
//!
//! amplitudes and widths kept at their bounds as in every step of the solver, and s the amplitude's `sd_posterior`.

use super::model::Model;
use super::normal::{Weights, for_each_prior};
use super::pinned::fixed_parameters;
use super::report_scratch::Solution;
use super::step::{bounded_step, hold_bounds};
use super::workspace::Workspace;
use crate::fit::linalg::{self, symmetric};
use crate::fit::prior::{RowKind, STRAINED_SD};
use crate::fit::result::{Amplitude, FitResult};

/// Completes `result` at `solution`, whose normal equations and posterior are in the workspace.
pub(super) fn complete(model: &Model, solution: &Solution<'_>, workspace: &mut Workspace, result: &mut FitResult) {
    if result.amplitudes.is_empty() {
        return;
    }
    let unit = model.basis_scale / solution.data_scale;
    result.strained_priors = strained(model, solution);
    let by_rows = moved_without_rows(model, solution, workspace);
    let by_width = moved_without_width(model, solution, workspace);
    let covariance = lcmodel_covariance(model, solution, workspace);
    for (k, amplitude) in result.amplitudes.iter_mut().enumerate() {
        let own = [k];
        let members: &[usize] = if amplitude.is_sum { &amplitude.members } else { &own };
        let pull = |moved: &Option<Vec<f64>>| pull(moved.as_deref()?, members, unit, amplitude);
        let (rows, width) = (pull(&by_rows), pull(&by_width));
        let sd = covariance.as_ref().map(|c| c.sd(members) * unit);
        (amplitude.prior_pull_sd, amplitude.width_prior_pull_sd, amplitude.sd_lcmodel) = (rows, width, sd);
    }
}

/// The pull on the sum of `members`, from how far they move without it.
fn pull(moved: &[f64], members: &[usize], unit: f64, amplitude: &Amplitude) -> Option<f64> {
    let moved: f64 = members.iter().map(|&k| moved[k]).sum();
    // Nothing moved, also where the sd is zero.
    if moved == 0.0 { Some(0.0) } else { Some(-moved * unit / amplitude.sd_posterior).filter(|pull| pull.is_finite()) }
}

/// Steps of all parameters to the solution without usual ratios between amplitudes.
fn moved_without_rows(model: &Model, solution: &Solution<'_>, ws: &mut Workspace) -> Option<Vec<f64>> {
    let weights = solution.weights;
    let rows = model.rows.iter().zip(&weights.rows);
    let rows: Vec<f64> = rows.map(|(row, &w)| if row.kind == RowKind::Usual { 0.0 } else { w }).collect();
    if rows == weights.rows {
        return Some(vec![0.0; model.layout.len()]);
    }
    let without = Weights { rows, ..weights.clone() };
    let with = gradient(model, solution.x, weights, ws);
    ws.normal.penalised(model, solution.x, &without, &mut ws.hessian, &mut ws.gradient);
    moved(model, solution, &with, ws)
}

/// The same without the prior on the common Lorentzian width.
fn moved_without_width(model: &Model, solution: &Solution<'_>, ws: &mut Workspace) -> Option<Vec<f64>> {
    let (m, w) = (model.layout.len(), model.layout.common_width());
    let [mean, sd] = model.settings.priors.lorentz_prior_hz;
    let with = gradient(model, solution.x, solution.weights, ws);
    ws.hessian[w * m + w] -= sd.powi(-2);
    ws.gradient[w] += (solution.x[w] - mean) * sd.powi(-2);
    moved(model, solution, &with, ws)
}

/// The falling gradient with all priors; the system stays in the workspace.
fn gradient(model: &Model, x: &[f64], weights: &Weights, ws: &mut Workspace) -> Vec<f64> {
    ws.normal.penalised(model, x, weights, &mut ws.hessian, &mut ws.gradient);
    ws.gradient[..model.layout.len()].to_vec()
}

/// The step by the system in the workspace, which lacks some priors; `with`: the falling gradient with them. `None` where
/// nothing but they determined some parameter.
fn moved(model: &Model, solution: &Solution<'_>, with: &[f64], ws: &mut Workspace) -> Option<Vec<f64>> {
    let x = solution.x;
    for i in 0..model.layout.len() {
        let is_at_bound = i < model.layout.baseline() && x[i] <= model.layout.lower_bound(i);
        // What is left of the gradient after the last step is no pull.
        if !is_at_bound {
            ws.gradient[i] -= with[i];
        }
    }
    // Without second derivatives: with them a spectrum in a hundred is next to singular, and its steps lead anywhere.
    hold_bounds(model, x, ws);
    bounded_step(model, x, 0.0, ws).ok()?;
    Some(ws.step[..model.layout.len()].to_vec())
}

/// Priors that are off by more than [`STRAINED_SD`] of their own standard deviations, in words.
fn strained(model: &Model, solution: &Solution<'_>) -> Vec<String> {
    let (layout, x, weights) = (&model.layout, solution.x, solution.weights);
    let is_off = |weight: f64, value: f64| (weight * value).abs() > STRAINED_SD;
    let rows = model.rows.iter().zip(&weights.rows);
    let mut all: Vec<String> =
        rows.filter(|(row, w)| is_off(**w, row.value(x))).map(|(row, _)| row.label.clone()).collect();
    let single = [
        (layout.common_width(), "common Lorentzian width"),
        (layout.phi1(), "phi1"),
        (layout.skew(), "skew"),
        (layout.flatness(), "flatness"),
    ];
    let none = Weights { rows: Vec::new(), ..weights.clone() };
    for_each_prior(model, x, &none, |terms, weight, value| {
        let Some(&(i, _)) = terms.first().filter(|_| is_off(weight, value)) else { return };
        if let [_, _] = terms {
            let own = (0..layout.n_components).find_map(|k| match i {
                _ if i == layout.shift(k) => Some(("shift", k)),
                _ if i == layout.width(k) => Some(("width", k)),
                _ => None,
            });
            all.extend(own.map(|(what, k)| format!("own {what} of {}", model.components[k].name)));
        } else {
            all.extend(single.iter().find(|(place, _)| *place == i).map(|(_, name)| (*name).to_owned()));
        }
    });
    all
}

/// Covariance of amplitudes as LCModel takes it, internal units.
struct LcmodelCovariance {
    n: usize,
    values: Vec<f64>,
}

impl LcmodelCovariance {
    /// Standard deviation of a sum.
    fn sd(&self, members: &[usize]) -> f64 {
        let sum: f64 = members.iter().flat_map(|&i| members.iter().map(move |&j| self.values[i * self.n + j])).sum();
        sum.max(0.0).sqrt()
    }
}

/// From the system of the last step, priors and penalties in it, without the amplitudes that are zero, times the variance
/// that the fit leaves: squares of data and priors over rows less parameters (LCModel 6.3: R⁻¹R⁻ᵀ·STDDEV²).
///
/// Amplitudes B at zero leave by conditioning the posterior C: C − C_·B·C_BB⁻¹·C_B·.
fn lcmodel_covariance(model: &Model, solution: &Solution<'_>, ws: &Workspace) -> Option<LcmodelCovariance> {
    let (layout, x, inverse) = (&model.layout, solution.x, &ws.report.inverse);
    let (m, n) = (layout.len(), layout.n_components);
    let zero: Vec<usize> = (0..n).filter(|&k| x[k] <= 0.0).collect();
    let b = zero.len();
    let mut block: Vec<f64> =
        zero.iter().flat_map(|&i| zero.iter().map(move |&j| symmetric(inverse, m, i, j))).collect();
    linalg::cholesky(&mut block, b).ok()?;
    // L⁻¹·C_B·, one component after the other.
    let mut towards: Vec<f64> = (0..n).flat_map(|k| zero.iter().map(move |&i| symmetric(inverse, m, i, k))).collect();
    linalg::solve_lower(&block, b, &mut towards, n);
    let column = |k: usize| &towards[k * b..(k + 1) * b];
    let scale = lcmodel_variance(model, solution, ws) / solution.weights.variance;
    let values = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| {
        let taken: f64 = column(i).iter().zip(column(j)).map(|(a, b)| a * b).sum();
        (symmetric(inverse, m, i, j) - taken) * scale
    });
    Some(LcmodelCovariance { n, values: values.collect() })
}

/// LCModel's STDDEV².
fn lcmodel_variance(model: &Model, solution: &Solution<'_>, ws: &Workspace) -> f64 {
    let layout = &model.layout;
    let mut priors = 0.0;
    for_each_prior(model, solution.x, solution.weights, |_, weight, value| priors += (weight * value).powi(2));
    let squares = ws.normal.rss + solution.weights.variance * priors;
    let zero = solution.x[..layout.n_components].iter().filter(|c| **c <= 0.0).count();
    let parameters = layout.len() - zero - fixed_parameters(model).count();
    let active = solution.weights.rows.iter().filter(|w| **w > 0.0).count();
    let freedom = (model.band.n_window() + active).saturating_sub(parameters).max(1);
    squares / freedom as f64
}
