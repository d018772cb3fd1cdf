//! Minus the logarithm of the posterior in `map`'s family, and its gradient: what the chains walk on.
//!
//! The gradient needs no Jacobian: with R(t) the transform of the residual, ∂Q/∂θ is the inner product of R with the
//! derivative of the modulated FID in the time domain, one pass over the components for all three parameters of each.
//!
//! Own widths are priors around the common one cut at zero: N(u; W, s) / Φ(W/s). A mode does without the denominator, a
//! posterior does not: with many broad components, whose s is wide, chains would wander off to wider common lines.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use num_complex::Complex64;

use super::evaluation::{PhaseColumns, modulate, rotate};
use super::model::Model;
use super::normal::{Weights, for_each_prior, prior_cost};
use super::report::{fixed_parameters, pin};
use super::workspace::Workspace;
use crate::acquisition::CARRIER_PPM;

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
    normal.assemble(model, evaluation);
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
    fids: Vec<Complex64>,
    common: Vec<Complex64>,
    kernel: Vec<Complex64>,
    total: Vec<Complex64>,
    adjoint: Vec<Complex64>,
    residual: Vec<f64>,
    rotated: Vec<Complex64>,
    fft_scratch: Vec<Complex64>,
}

impl<'a> Potential<'a> {
    /// Around the solution `x`.
    pub(super) fn new(model: &'a Model, data: &'a [Complex64], weights: &'a Weights, x: &[f64]) -> Self {
        let layout = &model.layout;
        let (m, n, n_window) = (layout.len(), model.band.n_short(), model.band.n_window());
        Self {
            model,
            data,
            weights,
            fixed: fixed_parameters(model).map(|i| (i, x[i])).collect(),
            x: vec![0.0; m],
            gradient_x: vec![0.0; m],
            fids: vec![Complex64::default(); layout.n_components * n],
            common: vec![Complex64::default(); n],
            kernel: vec![Complex64::new(1.0, 0.0); n],
            total: vec![Complex64::default(); n],
            adjoint: vec![Complex64::default(); n],
            residual: vec![0.0; n_window],
            rotated: vec![Complex64::default(); n_window],
            fft_scratch: vec![Complex64::default(); model.band.scratch_len()],
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
        let (model, layout) = (self.model, &self.model.layout);
        let n = model.band.n_short();
        let gauss = (PI * x[layout.gauss()]).powi(2) / (4.0 * LN_2);
        let (skew, flat) = (x[layout.skew()], x[layout.flatness()]);
        for i in model.band.signal().into_iter().flatten() {
            let t = model.band.time_s[i];
            let decay = (-gauss * t * t - flat * model.lineshape.flat_time[i]).exp();
            self.common[i] = Complex64::from_polar(decay, skew * model.lineshape.skew_time[i]);
        }
        if model.lineshape.has_kernel() {
            model.lineshape.kernel(&x[layout.kernel_range()], &mut self.kernel);
        }
        self.total.fill(Complex64::default());
        for (k, fid) in self.fids.chunks_exact_mut(n).enumerate() {
            modulate(model, k, x[layout.shift(k)], x[layout.width(k)], &self.common, fid);
            let c = x[layout.amplitude(k)];
            for range in model.band.signal() {
                for (sum, z) in self.total[range.clone()].iter_mut().zip(&fid[range]) {
                    *sum += z * c;
                }
            }
        }
        let mut spectrum = std::mem::take(&mut self.adjoint);
        spectrum.copy_from_slice(&self.total);
        if model.lineshape.has_kernel() {
            spectrum.iter_mut().zip(&self.kernel).for_each(|(s, k)| *s *= k);
        }
        model.band.transform(&mut spectrum, &mut self.fft_scratch);
        let fitted = model.band.window(&spectrum);
        self.residual.fill(0.0);
        model.baseline.add_to(&x[layout.baseline()..], &mut self.residual);
        for p in 0..self.residual.len() {
            self.rotated[p] = rotate(model, x, self.data[p], p);
            self.residual[p] = self.rotated[p].re - fitted[p].re - self.residual[p];
        }
        let inverse_variance = 1.0 / self.weights.variance;
        let rss: f64 = self.residual.iter().map(|r| r * r).sum();
        // R(t): the residual on its bins, transformed.
        spectrum.fill(Complex64::default());
        let offset = model.band.window_offset();
        for (z, r) in spectrum[offset..].iter_mut().zip(&self.residual) {
            *z = Complex64::new(*r, 0.0);
        }
        model.band.transform(&mut spectrum, &mut self.fft_scratch);
        self.adjoint = spectrum;
        self.data_gradient(x);
        for g in &mut self.gradient_x {
            *g *= inverse_variance;
        }
        self.prior_gradient(x);
        0.5 * (rss * inverse_variance + prior_cost(model, x, self.weights))
    }

    /// ½·∂|r|²/∂θ.
    fn data_gradient(&mut self, x: &[f64]) {
        let (model, layout) = (self.model, &self.model.layout);
        let (n, time_s, signal) = (model.band.n_short(), &model.band.time_s, model.band.signal());
        let g = &mut self.gradient_x;
        // The kernel's weights act on the sum without the kernel, everything else through the kernel.
        for (i, term) in layout.kernel_range().zip(model.lineshape.kernel_terms(n)) {
            let products = signal.iter().cloned().flatten().map(|i| (self.total[i] * term[i] * self.adjoint[i]).re);
            g[i] = -products.sum::<f64>();
        }
        if model.lineshape.has_kernel() {
            self.adjoint.iter_mut().zip(&self.kernel).for_each(|(r, k)| *r *= k);
        }
        for (k, fid) in self.fids.chunks_exact(n).enumerate() {
            let (mut plain, mut timed) = (0.0, Complex64::default());
            for range in signal.clone() {
                let samples = fid[range.clone()].iter().zip(&self.adjoint[range.clone()]).zip(&time_s[range]);
                for ((s, r), &t) in samples {
                    let product = s * r;
                    plain += product.re;
                    timed += product * t;
                }
            }
            let c = x[layout.amplitude(k)];
            g[layout.amplitude(k)] = -plain;
            g[layout.shift(k)] = 2.0 * PI * c * timed.im;
            g[layout.width(k)] = PI * c * timed.re;
        }
        let (mut squared, mut skewed, mut flattened) = (0.0, 0.0, 0.0);
        for i in signal.into_iter().flatten() {
            let product = self.total[i] * self.adjoint[i];
            squared += product.re * time_s[i] * time_s[i];
            skewed += product.im * model.lineshape.skew_time[i];
            flattened += product.re * model.lineshape.flat_time[i];
        }
        g[layout.gauss()] = 2.0 * PI * PI * x[layout.gauss()] / (4.0 * LN_2) * squared;
        g[layout.skew()] = skewed;
        g[layout.flatness()] = flattened;
        g[layout.common_shift()] = 0.0;
        g[layout.common_width()] = 0.0;
        let (mut phi0, mut phi1) = (0.0, 0.0);
        for (p, r) in self.residual.iter().enumerate() {
            let turned = r * self.rotated[p].im;
            phi0 += turned;
            phi1 += turned * (model.band.ppm[p] - CARRIER_PPM);
        }
        g[layout.phi0()] = phi0;
        g[layout.phi1()] = phi1;
        let first = layout.baseline();
        model.baseline.project(&self.residual, &mut g[first..]);
        for b in &mut g[first..] {
            *b = -*b;
        }
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
