//! Minus the logarithm of the posterior in `map`'s family, and its gradient: what the chains walk on.
//!
//! Own widths are priors around the common one cut at zero: N(u; W, s) / Φ(W/s). A mode does without the denominator, a
//! posterior does not: with many broad components, whose s is wide, chains would wander off to wider common lines.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use num_complex::Complex64;

use super::columns::PhaseColumns;
use super::forward::Forward;
use super::model::Model;
use super::normal::{Weights, for_each_prior, prior_cost};
use super::pinned::{fixed_parameters, pin};
use super::workspace::Workspace;
use crate::fit::sample::{Draws, Laplace};

/// Draws from the posterior of `data` around the solution `x`; `None` where its Hessian has no Cholesky factor.
pub(crate) fn draws(
    model: &Model,
    data: &[Complex64],
    x: &[f64],
    weights: &Weights,
    workspace: &mut Workspace,
) -> Option<Draws> {
    let m = model.layout.len();
    let Workspace { evaluation, normal, hessian, gradient, .. } = workspace;
    evaluation.columns(model, x, data, PhaseColumns::FromModel);
    normal.assemble_exact(model, x, evaluation);
    normal.penalised(model, x, weights, hessian, gradient);
    pin(model, m, hessian, gradient);
    let bounds = (0..m).map(|i| [model.layout.lower_bound(i), f64::INFINITY]).collect();
    let laplace = Laplace { precision: hessian[..m * m].to_vec(), centre: x, bounds };
    // Draws go over the widths themselves.
    let weights = &Weights { volume: [0.0; 2], ..weights.clone() };
    let mut potential = Potential::new(model, data, weights, x);
    let settings = &model.settings.sampling;
    Draws::new(|x, g| potential.at(x, g), laplace, settings, data, model.layout.n_components)
}

/// The posterior of one spectrum with σ² and λ held where the fit left them.
pub(super) struct Potential<'a> {
    model: &'a Model,
    data: &'a [Complex64],
    weights: &'a Weights,
    /// Parameters that the method fixes, and where; their coordinates are idle unit Gaussians.
    fixed: Vec<(usize, f64)>,
    x: Vec<f64>,
    gradient_x: Vec<f64>,
    forward: Forward,
}

impl<'a> Potential<'a> {
    /// Around the solution `x`.
    pub(super) fn new(model: &'a Model, data: &'a [Complex64], weights: &'a Weights, x: &[f64]) -> Self {
        let layout = &model.layout;
        let m = layout.len();
        Self {
            model,
            data,
            weights,
            fixed: fixed_parameters(model).map(|i| (i, x[i])).collect(),
            x: vec![0.0; m],
            gradient_x: vec![0.0; m],
            forward: Forward::new(model),
        }
    }

    /// Minus the logarithm of the posterior's density at `x`; its gradient into `gradient`.
    pub(super) fn at(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut held = std::mem::take(&mut self.x);
        held.copy_from_slice(x);
        for &(i, value) in &self.fixed {
            held[i] = value;
        }
        let mut value = self.half_objective(&held) + self.cut_widths(&held);
        self.x = held;
        gradient.copy_from_slice(&self.gradient_x);
        for &(i, centre) in &self.fixed {
            gradient[i] = x[i] - centre;
            value += 0.5 * gradient[i].powi(2);
        }
        value
    }

    /// Q/2 at `x`; its gradient into `gradient_x`.
    pub(super) fn half_objective(&mut self, x: &[f64]) -> f64 {
        let (model, inverse_variance) = (self.model, 1.0 / self.weights.variance);
        self.forward.at(model, x, self.data);
        self.forward.gradient(model, x, &mut self.gradient_x);
        for g in &mut self.gradient_x {
            *g *= inverse_variance;
        }
        self.prior_gradient(x);
        0.5 * (self.forward.rss * inverse_variance + prior_cost(model, x, self.weights))
    }

    /// Adds ½·∂/∂θ of the priors and of the baseline's penalty.
    fn prior_gradient(&mut self, x: &[f64]) {
        let model = self.model;
        let g = &mut self.gradient_x;
        for_each_prior(model, x, self.weights, |terms, weight, value| {
            for &(i, w) in terms {
                g[i] += weight * weight * w * value;
            }
        });
        let first = model.layout.baseline();
        let b = &x[first..];
        for row in 0..b.len().saturating_sub(2) {
            let second = self.weights.lambda * (b[row] - 2.0 * b[row + 1] + b[row + 2]);
            g[first + row] += second;
            g[first + row + 1] -= 2.0 * second;
            g[first + row + 2] += second;
        }
    }

    /// Σ ln Φ(W/s) over the components; adds its gradient.
    fn cut_widths(&mut self, x: &[f64]) -> f64 {
        let common = self.model.layout.common_width();
        let mut sum = 0.0;
        for component in &self.model.components {
            let ratio = x[common] / component.width_sd_hz;
            let below = normal_below(ratio);
            sum += below.ln();
            self.gradient_x[common] += normal_density(ratio) / below / component.width_sd_hz;
        }
        sum
    }
}

/// Probability that a standard normal variable lies below `v`; for `v` ≥ 0, as common widths are.
fn normal_below(v: f64) -> f64 {
    0.5 * libm::erfc(-v * FRAC_1_SQRT_2)
}

fn normal_density(v: f64) -> f64 {
    (-0.5 * v * v).exp() / (2.0 * PI).sqrt()
}
