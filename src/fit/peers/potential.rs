//! Minus the logarithm of the posterior of one spectrum in this family, and its gradient: what chains walk on.
//!
//! The gradient needs no Jacobian. With A(t) the residual carried back to the samples (adjoint of phases and transform),
//! the slope along any parameter θ of the FID f(t; θ) is −Re Σ A(t)·∂f/∂θ: one pass over the components for all their
//! parameters.

use num_complex::Complex64;

use super::delay::Delay;
use super::grid::Scratch;
use super::objective::{Weights, kernel_penalty};
use super::problem::Problem;
use super::remote::{Answer, Asking, Remote, Wanted};
use super::settings::Domain;

/// The posterior with σ, the penalties' weights and soft rows held where the fit left them. Parameters are those of the
/// normal equations: amplitudes, baseline, nonlinear ones.
pub(super) struct Potential<'a, 'm> {
    problem: &'a Problem<'m>,
    weights: &'a Weights,
    /// What the objective is counted in: the variance of a row.
    variance: f64,
    fids: Vec<Complex64>,
    shape: Vec<Complex64>,
    gauss: Vec<Vec<f64>>,
    /// Sum of the components without the common lineshape, of those that take it.
    shaped: Vec<Complex64>,
    total: Vec<Complex64>,
    adjoint: Vec<Complex64>,
    derivative: Vec<Complex64>,
    phase: Vec<Complex64>,
    fitted: Vec<Complex64>,
    baseline: Vec<Complex64>,
    residual: Vec<Complex64>,
    transform: Scratch,
    delay: Option<Delay>,
    /// A device that evaluates what the data say, while there is one.
    remote: Option<Box<dyn Remote>>,
    asking: Asking,
}

/// Σ A·f, Σ A·t·f and Σ A·t²·f of one component.
#[derive(Clone, Copy, Default)]
struct Moments {
    plain: Complex64,
    timed: Complex64,
    squared: Complex64,
}

impl<'a, 'm> Potential<'a, 'm> {
    pub(super) fn new(problem: &'a Problem<'m>, weights: &'a Weights, variance: f64) -> Self {
        let (n, m) = (problem.grid.n_carried(), problem.grid.n_observed);
        let zero = Complex64::default();
        Self {
            problem,
            weights,
            variance,
            fids: vec![zero; n * problem.members.len()],
            shape: vec![zero; n],
            gauss: vec![vec![0.0; n]; problem.layout.groups.len()],
            shaped: vec![zero; n],
            total: vec![zero; n],
            adjoint: vec![zero; n],
            derivative: vec![zero; n],
            phase: vec![zero; m],
            fitted: vec![zero; m],
            baseline: vec![zero; m],
            residual: vec![zero; m],
            transform: problem.grid.scratch(),
            delay: Delay::new(problem),
            remote: None,
            asking: Asking::new(problem.grid),
        }
    }

    /// The same with a device to evaluate, or with none.
    pub(super) fn on(self, remote: Option<Box<dyn Remote>>) -> Self {
        Self { remote, ..self }
    }

    /// Half the objective over the variance at `x`; its gradient into `gradient`. Fixed parameters have none.
    pub(super) fn at(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let problem = self.problem;
        let (members, n_linear) = (problem.members.len(), problem.n_linear());
        let (c, b, p) = (&x[..members], &x[members..n_linear], &x[n_linear..]);
        let rest = self.ask(&x[..n_linear], p, gradient).unwrap_or_else(|| {
            self.model(c, b, p);
            let rest = self.residual.iter().map(|r| r.norm_sqr()).sum();
            self.data_gradient(c, p, gradient);
            rest
        });
        let objective = rest + self.priors(c, b, p, gradient);
        let half = 0.5 / self.variance;
        gradient.iter_mut().for_each(|g| *g *= 2.0 * half);
        for (g, parameter) in gradient[n_linear..].iter_mut().zip(&problem.layout.parameters) {
            if parameter.is_fixed {
                *g = 0.0;
            }
        }
        half * objective
    }

    /// |r|² and half its gradient from the device; `None` where there is none, or none any more.
    fn ask(&mut self, linear: &[f64], p: &[f64], gradient: &mut [f64]) -> Option<f64> {
        let remote = self.remote.as_ref()?;
        let request = self.asking.request(self.problem, p, linear, Wanted::Slopes);
        let Some(Answer(products)) = remote.evaluate(request) else {
            self.remote = None;
            return None;
        };
        let (slopes, squares) = products.split_at_checked(gradient.len())?;
        gradient.iter_mut().zip(slopes).for_each(|(g, s)| *g = -f64::from(*s));
        squares.first().map(|s| f64::from(*s))
    }

    /// FIDs, fitted points and residual.
    fn model(&mut self, c: &[f64], b: &[f64], p: &[f64]) {
        let problem = self.problem;
        let (grid, layout) = (problem.grid, &problem.layout);
        let n = grid.n_carried();
        problem.phase(p, &mut self.phase);
        if let Some(delay) = &mut self.delay {
            delay.turn(p[layout.phi1()]);
        }
        problem.shape.factor(&p[..layout.n_shape], &mut self.shape);
        problem.gauss(p, &mut self.gauss);
        self.shaped.fill(Complex64::default());
        self.total.fill(Complex64::default());
        for (k, fid) in self.fids.chunks_exact_mut(n).enumerate() {
            fid.copy_from_slice(self.delay.as_ref().map_or_else(|| problem.fid(k), |d| d.fid(k)));
            problem.broaden(k, p, &self.gauss, fid);
            let sum = if takes_shape(problem, k) { &mut self.shaped } else { &mut self.total };
            sum.iter_mut().zip(fid.iter()).for_each(|(s, z)| *s += z * c[k]);
        }
        for ((t, z), s) in self.total.iter_mut().zip(&self.shaped).zip(&self.shape) {
            *t += z * s;
        }
        grid.observe_carried(&self.total, &mut self.transform, &mut self.fitted);
        problem.baseline.sum(b, &mut self.baseline);
        for (j, r) in self.residual.iter_mut().enumerate() {
            let (f, b, phase) = (self.fitted[j], self.baseline[j], self.phase[j]);
            *r = problem.data[j] - if problem.turns_baseline { (f + b) * phase } else { f * phase + b };
            if grid.domain == Domain::RealSpectrum {
                r.im = 0.0;
            }
        }
    }

    /// ½·∂|r|²/∂x.
    fn data_gradient(&mut self, c: &[f64], p: &[f64], gradient: &mut [f64]) {
        let problem = self.problem;
        let (grid, layout) = (problem.grid, &problem.layout);
        let (members, n_linear) = (c.len(), problem.n_linear());
        gradient.fill(0.0);
        let (linear, nonlinear) = gradient.split_at_mut(n_linear);
        let turned = |r: &Complex64, phase: &Complex64| r.conj() * phase;
        // The baseline, where it stays as it is; conjugates are turned as what they are multiplied with.
        if !problem.turns_baseline {
            self.derivative_of_baseline(&mut linear[members..], |r, _| r.conj());
        }
        let (mut phi0, mut phi1) = (0.0, 0.0);
        for (j, (r, phase)) in self.residual.iter().zip(&self.phase).enumerate() {
            let whole = if problem.turns_baseline { self.fitted[j] + self.baseline[j] } else { self.fitted[j] };
            let slope = (turned(r, phase) * whole).im;
            phi0 += slope;
            if grid.domain != Domain::Time {
                phi1 += slope * (grid.ppm[j] - problem.pivot_ppm);
            }
        }
        nonlinear[layout.phi0()] = phi0;
        nonlinear[layout.phi1()] = phi1;
        if problem.turns_baseline {
            self.derivative_of_baseline(&mut linear[members..], turned);
        }
        for (r, phase) in self.residual.iter_mut().zip(&self.phase) {
            *r = turned(r, phase);
        }
        grid.adjoint(&self.residual, &mut self.transform, &mut self.adjoint);

        for j in 0..layout.n_shape {
            problem.shape.derivative(&p[..layout.n_shape], j, &mut self.derivative);
            let products = self.adjoint.iter().zip(&self.shaped).zip(&self.derivative);
            nonlinear[j] = -products.map(|((a, z), d)| (a * z * d).re).sum::<f64>();
        }
        for (d, (a, s)) in self.derivative.iter_mut().zip(self.adjoint.iter().zip(&self.shape)) {
            *d = a * s;
        }
        self.derivatives_of_members(c, p, linear, nonlinear);
    }

    /// Along amplitudes, shifts and widths, from the residual that `data_gradient` carried back to the samples: `adjoint`, and
    /// with the lineshape in `derivative`.
    fn derivatives_of_members(&mut self, c: &[f64], p: &[f64], linear: &mut [f64], nonlinear: &mut [f64]) {
        let problem = self.problem;
        let (grid, layout) = (problem.grid, &problem.layout);
        for k in 0..c.len() {
            let carried = if takes_shape(problem, k) { &self.derivative } else { &self.adjoint };
            if let Some(delay) = &mut self.delay {
                delay.derivative(k, &mut self.total);
                problem.broaden(k, p, &self.gauss, &mut self.total);
                let product = |(a, z): (&Complex64, &Complex64)| (a * z).im;
                nonlinear[layout.phi1()] += c[k] * carried.iter().zip(&self.total).map(product).sum::<f64>();
            }
            let n = grid.n_carried();
            let found = moments(&self.fids[k * n..][..n], carried, &grid.time_s);
            linear[k] = -found.plain.re;
            let shared = layout.groups.get(problem.component(k).group).copied().unwrap_or_default();
            for places in [layout.own[k], shared] {
                if let Some(i) = places.shift {
                    nonlinear[i] += c[k] * found.timed.im;
                }
                if let Some(i) = places.damping {
                    nonlinear[i] += c[k] * found.timed.re;
                }
                if let Some(i) = places.gauss {
                    nonlinear[i] += 2.0 * p[i] * c[k] * found.squared.re;
                }
            }
        }
    }

    fn derivative_of_baseline(&self, out: &mut [f64], carry: impl Fn(&Complex64, &Complex64) -> Complex64) {
        let carried: Vec<Complex64> = self.residual.iter().zip(&self.phase).map(|(r, p)| carry(r, p)).collect();
        self.problem.baseline.project(&carried, out);
        out.iter_mut().for_each(|g| *g = -*g);
    }

    /// What is not data in the objective; adds half its gradient.
    fn priors(&self, c: &[f64], b: &[f64], p: &[f64], gradient: &mut [f64]) -> f64 {
        let (problem, weights) = (self.problem, self.weights);
        let (members, n_linear) = (c.len(), problem.n_linear());
        let mut sum = 0.0;
        for row in &weights.soft {
            let weight = weights.soft_weight(row);
            let miss = row.terms.iter().map(|&(k, w)| w * c[k]).sum::<f64>() - row.target;
            sum += weight * miss * miss;
            for &(k, w) in &row.terms {
                gradient[k] += weight * miss * w;
            }
        }
        let rough = weights.baseline();
        if rough > 0.0 && !problem.baseline.roughness.is_empty() {
            for (i, row) in problem.baseline.roughness.chunks(b.len()).enumerate() {
                let slope = rough * row.iter().zip(b).map(|(r, v)| r * v).sum::<f64>();
                gradient[members + i] += slope;
                sum += slope * b[i];
            }
        }
        let unit = weights.sigma * weights.sigma;
        for (i, (parameter, &value)) in problem.layout.parameters.iter().zip(p).enumerate() {
            let deviation = parameter.deviation(value);
            sum += unit * deviation * deviation;
            gradient[n_linear + i] += unit * deviation / parameter.sd;
        }
        let kernel = weights.kernel();
        for (row, target) in &problem.kernel_rows {
            let miss = row.iter().zip(p).map(|(a, v)| a * v).sum::<f64>() - target;
            for (g, a) in gradient[n_linear..].iter_mut().zip(row) {
                *g += kernel * miss * a;
            }
        }
        sum + kernel_penalty(problem, p, weights)
    }
}

fn takes_shape(problem: &Problem<'_>, k: usize) -> bool {
    problem.layout.n_shape > 0 && problem.component(k).takes_lineshape
}

fn moments(fid: &[Complex64], carried: &[Complex64], time_s: &[f64]) -> Moments {
    let mut sum = Moments::default();
    for ((z, a), t) in fid.iter().zip(carried).zip(time_s) {
        let product = z * a;
        let timed = product * t;
        sum.plain += product;
        sum.timed += timed;
        sum.squared += timed * t;
    }
    sum
}

#[cfg(test)]
#[path = "potential_tests.rs"]
mod tests;
