//! One evaluation of the model: the residual, and the columns of its Jacobian.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::lineshape::N_KERNEL;
use super::model::Model;
use super::parameters::Layout;
use crate::acquisition::CARRIER_PPM;

/// Columns beside three per component: Gaussian width, φ0, φ1, skew, flatness, the kernel's weights, residual.
const EXTRA_COLUMNS: usize = 6 + N_KERNEL;
/// Of these, the one of the kernel's first weight.
const KERNEL_COLUMN: usize = 5;
/// And the residual.
const RESIDUAL_COLUMN: usize = EXTRA_COLUMNS - 1;

/// What the phase columns of the Jacobian are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseColumns {
    /// The rotated data: the exact derivative of the objective, for iterating.
    FromData,
    /// The model's imaginary part: without the data's noise, for the covariance.
    FromModel,
}

/// Scratch and results of one evaluation of the model; reused from spectrum to spectrum.
pub struct Evaluation {
    /// Columns `[bin]` one after the other: ∂m/∂c_k, ∂m/∂F_k, ∂m/∂u_k, ∂m/∂G, −∂d/∂φ0, −∂d/∂φ1, ∂m/∂s₃,
    /// ∂m/∂s₄, ∂m/∂s_j of the kernel and last the residual d − m (baseline included).
    pub columns: Vec<f64>,
    fids: Vec<Complex64>,
    sums: Vec<Complex64>,
    common: Vec<Complex64>,
    kernel: Vec<Complex64>,
    fft_scratch: Vec<Complex64>,
}

impl Evaluation {
    /// Scratch for `model`.
    pub fn new(model: &Model) -> Self {
        let (k, n) = (model.components.len(), model.band.n_short());
        let kernel_terms = if model.lineshape.has_kernel() { N_KERNEL } else { 0 };
        Self {
            columns: vec![0.0; Self::n_columns(model) * model.band.n_window()],
            fids: vec![Complex64::default(); 2 * k * n],
            sums: vec![Complex64::default(); (4 + kernel_terms) * n],
            common: vec![Complex64::default(); n],
            kernel: vec![Complex64::new(1.0, 0.0); n],
            fft_scratch: vec![Complex64::default(); model.band.scratch_len()],
        }
    }

    /// Number of columns, the residual included.
    pub fn n_columns(model: &Model) -> usize {
        3 * model.components.len() + EXTRA_COLUMNS
    }

    /// Parameter that column `j` is the derivative for (not for the last one, the residual).
    pub fn parameter_of_column(layout: &Layout, j: usize) -> usize {
        match j.checked_sub(3 * layout.n_components) {
            None => j,
            Some(0) => layout.gauss(),
            Some(1) => layout.phi0(),
            Some(2) => layout.phi1(),
            Some(3) => layout.skew(),
            Some(4) => layout.flatness(),
            Some(extra) => layout.kernel(extra - KERNEL_COLUMN),
        }
    }

    /// The modulation that all components share, and its kernel.
    fn set_common(&mut self, model: &Model, x: &[f64]) {
        let layout = &model.layout;
        let gauss = (PI * x[layout.gauss()]).powi(2) / (4.0 * LN_2);
        let (skew, flat) = (x[layout.skew()], x[layout.flatness()]);
        for (i, c) in self.common.iter_mut().enumerate() {
            let t = model.band.time_s[i];
            let decay = (-gauss * t * t - flat * model.lineshape.flat_time[i]).exp();
            *c = if skew == 0.0 {
                Complex64::new(decay, 0.0)
            } else {
                Complex64::from_polar(decay, skew * model.lineshape.skew_time[i])
            };
        }
        if model.lineshape.has_kernel() {
            model.lineshape.kernel(&x[layout.kernel_range()], &mut self.kernel);
        }
    }

    /// Fills [`Self::columns`] at the parameters `x` for the spectrum `data` (fitted bins).
    pub fn columns(&mut self, model: &Model, x: &[f64], data: &[Complex64], phase: PhaseColumns) {
        self.carry(model, x);
        let layout = &model.layout;
        let (k_all, n, n_win) = (layout.n_components, model.band.n_short(), model.band.n_window());
        let column = |j: usize| j * n_win..(j + 1) * n_win;
        for k in 0..k_all {
            let c = x[layout.amplitude(k)];
            let s = model.band.window(&self.fids[k * n..(k + 1) * n]);
            let t = model.band.window(&self.fids[(k_all + k) * n..(k_all + k + 1) * n]);
            for (out, s) in self.columns[column(k)].iter_mut().zip(s) {
                *out = s.re;
            }
            for (out, t) in self.columns[column(k_all + k)].iter_mut().zip(t) {
                *out = -2.0 * PI * c * t.im;
            }
            for (out, t) in self.columns[column(2 * k_all + k)].iter_mut().zip(t) {
                *out = -PI * c * t.re;
            }
        }
        let base = 3 * k_all;
        let gauss_factor = -2.0 * PI * PI * x[layout.gauss()] / (4.0 * LN_2);
        let window_of = |i: usize| model.band.window(&self.sums[i * n..(i + 1) * n]);
        for p in 0..n_win {
            let total = window_of(0)[p];
            let rotated = rotate(model, x, data[p], p);
            let imaginary = match phase {
                PhaseColumns::FromData => rotated.im,
                PhaseColumns::FromModel => total.im,
            };
            self.columns[base * n_win + p] = gauss_factor * window_of(1)[p].re;
            self.columns[(base + 1) * n_win + p] = -imaginary;
            self.columns[(base + 2) * n_win + p] = -imaginary * (model.band.ppm[p] - CARRIER_PPM);
            self.columns[(base + 3) * n_win + p] = -window_of(2)[p].im;
            self.columns[(base + 4) * n_win + p] = -window_of(3)[p].re;
            self.columns[(base + RESIDUAL_COLUMN) * n_win + p] = rotated.re - total.re;
        }
        for j in 0..N_KERNEL {
            let out = &mut self.columns[(base + KERNEL_COLUMN + j) * n_win..(base + KERNEL_COLUMN + j + 1) * n_win];
            if model.lineshape.has_kernel() {
                let term = model.band.window(&self.sums[(4 + j) * n..(5 + j) * n]);
                out.iter_mut().zip(term).for_each(|(out, z)| *out = z.re);
            } else {
                out.fill(0.0);
            }
        }
        subtract_baseline(model, x, &mut self.columns[(base + RESIDUAL_COLUMN) * n_win..]);
    }

    /// Transforms of each component at `x`, also times t, and of their sum, also times t², skew and flatness.
    fn carry(&mut self, model: &Model, x: &[f64]) {
        let layout = &model.layout;
        let (k_all, n) = (layout.n_components, model.band.n_short());
        self.set_common(model, x);
        self.sums.fill(Complex64::default());
        let (s_part, t_part) = self.fids.split_at_mut(k_all * n);
        for k in 0..k_all {
            let s = &mut s_part[k * n..(k + 1) * n];
            let t = &mut t_part[k * n..(k + 1) * n];
            modulate(model, k, x[layout.shift(k)], x[layout.width(k)], &self.common, s);
            let c = x[layout.amplitude(k)];
            for (((s, t), sum), &time) in s.iter().zip(t.iter_mut()).zip(&mut self.sums[..n]).zip(&model.band.time_s) {
                *t = s * time;
                *sum += s * c;
            }
        }
        if model.lineshape.has_kernel() {
            self.apply_kernel(model);
        }
        let (total, rest) = self.sums.split_at_mut(n);
        let (gauss, rest) = rest.split_at_mut(n);
        let (skew, rest) = rest.split_at_mut(n);
        let flat = &mut rest[..n];
        for i in 0..n {
            let t = model.band.time_s[i];
            gauss[i] = total[i] * (t * t);
            skew[i] = total[i] * model.lineshape.skew_time[i];
            flat[i] = total[i] * model.lineshape.flat_time[i];
        }
        model.band.transform(&mut self.fids, &mut self.fft_scratch);
        model.band.transform(&mut self.sums, &mut self.fft_scratch);
    }

    /// Multiplies all components and their sum by the kernel, and the plain sum by each of the kernel's terms.
    fn apply_kernel(&mut self, model: &Model) {
        let n = model.band.n_short();
        for fid in self.fids.chunks_exact_mut(n) {
            fid.iter_mut().zip(&self.kernel).for_each(|(s, k)| *s *= k);
        }
        let (sums, terms) = self.sums.split_at_mut(4 * n);
        let plain = &mut sums[..n];
        for (out, term) in terms.chunks_exact_mut(n).zip(model.lineshape.kernel_terms(n)) {
            out.iter_mut().zip(term).zip(plain.iter()).for_each(|((out, e), total)| *out = total * e);
        }
        plain.iter_mut().zip(&self.kernel).for_each(|(s, k)| *s *= k);
    }

    /// Sum of squared residuals at `x`: one transform, for trial steps. The residual is left as the
    /// last column, the other columns are not touched.
    pub fn residual_sum_of_squares(&mut self, model: &Model, x: &[f64], data: &[Complex64]) -> f64 {
        let layout = &model.layout;
        let (n, n_win) = (model.band.n_short(), model.band.n_window());
        self.set_common(model, x);
        self.sums[..n].fill(Complex64::default());
        for k in 0..layout.n_components {
            let c = x[layout.amplitude(k)];
            if c == 0.0 {
                continue;
            }
            let buffer = &mut self.fids[..n];
            modulate(model, k, x[layout.shift(k)], x[layout.width(k)], &self.common, buffer);
            for (sum, s) in self.sums[..n].iter_mut().zip(buffer.iter()) {
                *sum += s * c;
            }
        }
        if model.lineshape.has_kernel() {
            self.sums[..n].iter_mut().zip(&self.kernel).for_each(|(s, k)| *s *= k);
        }
        model.band.transform(&mut self.sums[..n], &mut self.fft_scratch);
        let total = model.band.window(&self.sums[..n]);
        let residual = &mut self.columns[(3 * layout.n_components + RESIDUAL_COLUMN) * n_win..];
        for p in 0..n_win {
            residual[p] = rotate(model, x, data[p], p).re - total[p].re;
        }
        subtract_baseline(model, x, residual);
        residual.iter().map(|r| r * r).sum()
    }

    /// The residual of the last evaluation.
    pub fn residual<'a>(&'a self, model: &Model) -> &'a [f64] {
        let n_win = model.band.n_window();
        &self.columns[(3 * model.layout.n_components + RESIDUAL_COLUMN) * n_win..]
    }
}

/// The datum of bin `p` with the phases at `x` taken out.
pub(crate) fn rotate(model: &Model, x: &[f64], datum: Complex64, p: usize) -> Complex64 {
    let phase = x[model.layout.phi0()] + x[model.layout.phi1()] * (model.band.ppm[p] - CARRIER_PPM);
    datum * Complex64::from_polar(1.0, -phase)
}

fn subtract_baseline(model: &Model, x: &[f64], residual: &mut [f64]) {
    let coefficients = &x[model.layout.baseline()..];
    for r in residual.iter_mut() {
        *r = -*r;
    }
    model.baseline.add_to(coefficients, residual);
    for r in residual.iter_mut() {
        *r = -*r;
    }
}

/// Band FID of component `k` times its own and the common modulation.
pub(crate) fn modulate(
    model: &Model,
    k: usize,
    shift_hz: f64,
    width_hz: f64,
    common: &[Complex64],
    out: &mut [Complex64],
) {
    let fid = model.band_fid(k);
    let step_s = model.band.time_s[1];
    let rate = Complex64::new(-PI * width_hz, 2.0 * PI * shift_hz) * step_s;
    let (n_positive, first_negative) = (model.band.n_positive, model.band.first_negative());
    // Four geometric progressions side by side: one would wait for its own product at every sample.
    let step = (rate * 4.0).exp();
    let mut p = [Complex64::new(1.0, 0.0), rate.exp(), (rate * 2.0).exp(), (rate * 3.0).exp()];
    let positive = out[..n_positive].chunks_mut(4).zip(fid[..n_positive].chunks(4)).zip(common[..n_positive].chunks(4));
    for ((out, fid), common) in positive {
        for (((out, fid), common), p) in out.iter_mut().zip(fid).zip(common).zip(&mut p) {
            *out = fid * common * *p;
            *p *= step;
        }
    }
    out[n_positive..first_negative].fill(Complex64::default());
    let back = (-rate).exp();
    let mut p = back;
    for i in (first_negative..out.len()).rev() {
        out[i] = fid[i] * common[i] * p;
        p *= back;
    }
}
