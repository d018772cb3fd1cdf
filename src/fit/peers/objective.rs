//! The objective and one step of it.
//!
//! The objective is always evaluated with amplitudes and baseline solved for (partially non-negative least squares);
//! a step comes from one Gauss–Newton system over linear and nonlinear parameters together, with Marquardt rows
//! (LCModel's SOLVE; survey section 1.9).

use super::bounded::{Bounded, Singular};
use super::normal::Normal;
use super::problem::{Problem, SoftRow};
use super::remote::Remote;

/// Relative change of the objective that a device's rounding makes.
const DEVICE_NOISE: f64 = 2e-6;

/// Weights of everything that is not data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// What priors and LCModel's penalties are counted in; 0: not known yet, they do not count.
    pub(super) sigma: f64,
    /// LCModel's weight of the baseline's roughness (α_B).
    pub(super) alpha_baseline: f64,
    /// LCModel's weight of the kernel's roughness (α_S).
    pub(super) alpha_shape: f64,
    /// Weight of the baseline's roughness that is not counted in σ.
    pub(super) lambda: f64,
    /// Rows between amplitudes.
    pub(super) soft: Vec<SoftRow>,
}

impl Weights {
    /// Weight of the baseline's roughness.
    pub(super) fn baseline(&self) -> f64 {
        (self.sigma * self.alpha_baseline).powi(2) + self.lambda
    }

    /// Weight of the kernel's roughness.
    pub(super) fn kernel(&self) -> f64 {
        (self.sigma * self.alpha_shape).powi(2)
    }

    /// Weight of a row between amplitudes.
    pub(super) fn soft_weight(&self, row: &SoftRow) -> f64 {
        (row.weight * if row.in_sigma { self.sigma } else { 1.0 }).powi(2)
    }
}

/// The linear parameters at some nonlinear ones, and what the objective is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Linear {
    /// Amplitudes, then the baseline's coefficients.
    pub(super) c: Vec<f64>,
    /// Everything.
    pub(super) objective: f64,
    /// Data and priors, without the penalties on roughness.
    pub(super) sum_of_squares: f64,
    /// Data alone.
    pub(super) residual: f64,
    /// Parameters: amplitudes that are not zero, baseline, free nonlinear ones.
    pub(super) n_parameters: usize,
    /// √(sum_of_squares / (rows − parameters)).
    pub(super) sd: f64,
}

/// A step of the nonlinear parameters.
pub(super) struct Step {
    pub(super) delta: Vec<f64>,
    /// The objective that the linearised model promises, Marquardt rows left out.
    pub(super) predicted: f64,
    /// Slope of the objective along each parameter.
    pub(super) gradient: Vec<f64>,
}

/// Scratch for one problem.
pub(super) struct Objective {
    normal: Normal,
    pub(super) h: Vec<f64>,
    g: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Amplitudes, baseline and steps of the nonlinear parameters of the last [`Self::step`].
    pub(super) x: Vec<f64>,
    bounded: Bounded,
}

impl Objective {
    pub(super) fn new(problem: &Problem<'_>) -> Self {
        let n = problem.n_linear() + problem.layout.len();
        Self {
            normal: Normal::new(problem),
            h: vec![0.0; n * n],
            g: vec![0.0; n],
            lower: vec![0.0; n],
            upper: vec![0.0; n],
            x: vec![0.0; n],
            bounded: Bounded::for_size(n),
        }
    }

    /// The same with a device to evaluate, or with none.
    #[must_use]
    pub(super) fn on(self, remote: Option<Box<dyn Remote>>) -> Self {
        Self { normal: self.normal.on(remote), ..self }
    }

    /// Evaluates on `remote` from now on, or natively; returns what evaluated until now.
    pub(super) fn replace_remote(&mut self, remote: Option<Box<dyn Remote>>) -> Option<Box<dyn Remote>> {
        self.normal.replace_remote(remote)
    }

    /// Relative change of the objective that rounding alone can make.
    pub(super) fn noise(&self) -> f64 {
        if self.normal.is_remote() { DEVICE_NOISE } else { 0.0 }
    }

    /// Native columns of amplitudes and baseline at `p`.
    pub(super) fn columns(&mut self, problem: &Problem<'_>, p: &[f64]) -> &[f64] {
        self.normal.columns(problem, p)
    }

    /// Takes the problem's data anew, after they were turned.
    pub(super) fn refresh(&mut self, problem: &Problem<'_>) {
        self.normal.refresh(problem);
    }

    /// Right side of the last [`Self::system`].
    pub(super) fn right_side(&self, n: usize) -> &[f64] {
        &self.g[..n]
    }

    /// Amplitudes and baseline at `p`; `start` tells which amplitudes are zero, to begin with.
    pub(super) fn linear(
        &mut self,
        problem: &Problem<'_>,
        p: &[f64],
        weights: &Weights,
        start: &[f64],
    ) -> Result<Linear, Singular> {
        let n = problem.n_linear();
        let members = problem.members.len();
        let mut c = if start.len() == n { start.to_vec() } else { vec![0.0; n] };
        let (h, g) = self.normal.linear(problem, p, &c);
        self.h[..n * n].copy_from_slice(h);
        self.g[..n].copy_from_slice(g);
        self.add_linear_rows(problem, weights, n);
        self.lower[..n].fill(f64::NEG_INFINITY);
        self.lower[..members].fill(0.0);
        self.upper[..n].fill(f64::INFINITY);
        self.bounded.minimise(&self.h[..n * n], &self.g[..n], &self.lower[..n], &self.upper[..n], &mut c)?;

        let residual = self.normal.residual(&c);
        let soft: f64 = weights
            .soft
            .iter()
            .map(|row| {
                weights.soft_weight(row) * (row.terms.iter().map(|&(k, w)| w * c[k]).sum::<f64>() - row.target).powi(2)
            })
            .sum();
        let sum_of_squares = residual + soft + self.priors(problem, p, weights);
        let rough = weights.baseline() * problem.baseline.penalty(&c[members..]);
        let objective = sum_of_squares + rough + kernel_penalty(problem, p, weights);
        let zero = c[..members].iter().filter(|v| **v == 0.0).count();
        let n_parameters = n - zero + problem.layout.n_free();
        let n_soft = weights.soft.iter().filter(|row| weights.sigma > 0.0 || !row.in_sigma).count();
        let freedom = (problem.grid.n_rows() + n_soft).saturating_sub(n_parameters).max(1);
        let sd = (sum_of_squares / freedom as f64).sqrt();
        Ok(Linear { c, objective, sum_of_squares, residual, n_parameters, sd })
    }

    /// The Gauss–Newton step from `p` and its `linear` parameters.
    pub(super) fn step(
        &mut self,
        problem: &Problem<'_>,
        p: &[f64],
        linear: &Linear,
        weights: &Weights,
        marquardt: f64,
    ) -> Result<Step, Singular> {
        let (n, k) = (problem.n_linear(), problem.layout.len());
        let all = n + k;
        let constant = self.system(problem, p, linear, weights);
        let (members, parameters) = (problem.members.len(), &problem.layout.parameters);
        let gradient: Vec<f64> = (0..k)
            .map(|i| {
                let column = &self.h[(n + i) * all..(n + i) * all + n];
                -2.0 * (self.g[n + i] - column.iter().zip(&linear.c).map(|(a, b)| a * b).sum::<f64>())
            })
            .collect();
        let marquardt_of = |i: usize| marquardt * (weights.sigma.max(linear.sd * 1e-6) / parameters[i].step).powi(2);
        for (i, parameter) in parameters.iter().enumerate() {
            self.h[(n + i) * all + n + i] += marquardt_of(i);
            let free = !parameter.is_fixed;
            self.lower[n + i] = if free { (parameter.lower - p[i]).min(0.0) } else { 0.0 };
            self.upper[n + i] = if free { (parameter.upper - p[i]).max(0.0) } else { 0.0 };
        }
        self.lower[..n].fill(f64::NEG_INFINITY);
        self.lower[..members].fill(0.0);
        self.upper[..n].fill(f64::INFINITY);
        self.x[..n].copy_from_slice(&linear.c);
        self.x[n..all].fill(0.0);
        let (h, g) = (&self.h[..all * all], &self.g[..all]);
        self.bounded.minimise(h, g, &self.lower[..all], &self.upper[..all], &mut self.x[..all])?;
        let x = &self.x[..all];
        let mut value = constant;
        for i in 0..all {
            let column = &h[i * all..(i + 1) * all];
            value += x[i] * (column.iter().zip(x).map(|(a, b)| a * b).sum::<f64>() - 2.0 * g[i]);
        }
        for i in 0..k {
            value -= marquardt_of(i) * x[n + i] * x[n + i];
        }
        Ok(Step { delta: x[n..].to_vec(), predicted: value, gradient })
    }

    /// The normal equations over all parameters, nonlinear ones as steps from `p`, into `h` and `g`; returns what the
    /// objective is at zero.
    pub(super) fn system(&mut self, problem: &Problem<'_>, p: &[f64], linear: &Linear, weights: &Weights) -> f64 {
        let (n, k) = (problem.n_linear(), problem.layout.len());
        let all = n + k;
        let (h, g, data_squares) = self.normal.all(problem, p, &linear.c);
        self.h[..all * all].copy_from_slice(h);
        self.g[..all].copy_from_slice(g);
        self.add_linear_rows(problem, weights, all);
        let variance = weights.sigma * weights.sigma;
        for (i, parameter) in problem.layout.parameters.iter().enumerate() {
            let weight = variance / (parameter.sd * parameter.sd);
            self.h[(n + i) * all + n + i] += weight;
            self.g[n + i] -= weight * (p[i] - parameter.mean);
        }
        let weight = weights.kernel();
        for (row, target) in &problem.kernel_rows {
            let short = target - row.iter().zip(p).map(|(a, b)| a * b).sum::<f64>();
            for (i, a) in row.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                self.g[n + i] += weight * a * short;
                for (j, b) in row.iter().enumerate() {
                    self.h[(n + i) * all + n + j] += weight * a * b;
                }
            }
        }
        let targets: f64 = weights.soft.iter().map(|r| weights.soft_weight(r) * r.target * r.target).sum();
        data_squares + targets + self.priors(problem, p, weights) + kernel_penalty(problem, p, weights)
    }

    /// Priors of the nonlinear parameters.
    fn priors(&self, problem: &Problem<'_>, p: &[f64], weights: &Weights) -> f64 {
        let sum: f64 = problem.layout.parameters.iter().zip(p).map(|(q, &v)| q.deviation(v).powi(2)).sum();
        weights.sigma * weights.sigma * sum
    }

    /// Soft rows and the baseline's roughness, into a system of `n` parameters.
    fn add_linear_rows(&mut self, problem: &Problem<'_>, weights: &Weights, n: usize) {
        for row in &weights.soft {
            let weight = weights.soft_weight(row);
            for &(i, a) in &row.terms {
                self.g[i] += weight * a * row.target;
                for &(j, b) in &row.terms {
                    self.h[i * n + j] += weight * a * b;
                }
            }
        }
        let (first, nb, weight) = (problem.members.len(), problem.baseline.n, weights.baseline());
        if weight > 0.0 && !problem.baseline.roughness.is_empty() {
            for i in 0..nb {
                for j in 0..nb {
                    self.h[(first + i) * n + first + j] += weight * problem.baseline.roughness[i * nb + j];
                }
            }
        }
    }
}

/// Penalty on the kernel's second differences.
pub(super) fn kernel_penalty(problem: &Problem<'_>, p: &[f64], weights: &Weights) -> f64 {
    let of = |(row, target): &(Vec<f64>, f64)| (row.iter().zip(p).map(|(a, b)| a * b).sum::<f64>() - target).powi(2);
    weights.kernel() * problem.kernel_rows.iter().map(of).sum::<f64>()
}
