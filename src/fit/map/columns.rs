//! The columns of the model's Jacobian, in double precision for what is reported and in single precision for steps.
//!
//! A step needs JᵀJ only as a metric: the gradient, which says where the minimum is, comes from `forward.rs` in double
//! precision. Half the bytes are half the time of transforms and products.

use std::f64::consts::{LN_2, PI};
use std::sync::Arc;

use num_complex::Complex;
use rustfft::{Fft, FftDirection, FftNum};

use super::forward::Forward;
use super::lineshape::N_KERNEL;
use super::model::Model;
use super::parameters::Layout;
use crate::acquisition::CARRIER_PPM;
use crate::fit::baseline::Baseline;
use crate::fit::linalg::wide;
use crate::signal::fft;

/// Columns beside three per component: Gaussian width, φ0, φ1, skew, flatness, the kernel's weights, residual.
const EXTRA_COLUMNS: usize = 6 + N_KERNEL;
/// Of these, the one of the kernel's first weight.
const KERNEL_COLUMN: usize = 5;
/// And the residual.
const RESIDUAL_COLUMN: usize = EXTRA_COLUMNS - 1;
/// Sums that are transformed beside the kernel's terms.
const PLAIN_SUMS: usize = 3;

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

/// What the phase columns of the Jacobian are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseColumns {
    /// The rotated data: the exact derivative of the objective, for iterating.
    FromData,
    /// The model's imaginary part: without the data's noise, for the covariance.
    FromModel,
}

/// Precision of the columns.
pub(crate) trait Precision: FftNum + faer::traits::ComplexField {
    fn rounded(value: f64) -> Self;
    fn widened(self) -> f64;
    /// Transform of `n` samples.
    fn transform(n: usize) -> Arc<dyn Fft<Self>>;
    /// Values of the splines at each bin, `[spline × bin]`.
    fn splines(baseline: &Baseline) -> &[Self];
}

impl Precision for f64 {
    #[inline(always)]
    fn rounded(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn widened(self) -> f64 {
        self
    }
    fn transform(n: usize) -> Arc<dyn Fft<Self>> {
        fft::transform(n, FftDirection::Forward)
    }
    fn splines(baseline: &Baseline) -> &[Self] {
        &baseline.columns
    }
}

impl Precision for f32 {
    #[inline(always)]
    fn rounded(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn widened(self) -> f64 {
        f64::from(self)
    }
    fn transform(n: usize) -> Arc<dyn Fft<Self>> {
        fft::transform_f32(n, FftDirection::Forward)
    }
    fn splines(baseline: &Baseline) -> &[Self] {
        &baseline.columns_f32
    }
}

/// The columns, and scratch for them; reused from spectrum to spectrum.
pub(crate) struct Columns<T: Precision> {
    /// `[bin]` one after the other: ∂m/∂c_k, ∂m/∂F_k, ∂m/∂u_k, ∂m/∂G, −∂d/∂φ0, −∂d/∂φ1, ∂m/∂s₃, ∂m/∂s₄, ∂m/∂s_j of
    /// the kernel and last the residual d − m (baseline included).
    pub(crate) values: Vec<T>,
    /// One component with the kernel, transformed: the next one takes its place, so that it stays in the processor's cache.
    component: Vec<Complex<T>>,
    /// The same times t.
    timed: Vec<Complex<T>>,
    /// The sum times t², skew's and flatness's time, then the kernel's terms; transformed.
    sums: Vec<Complex<T>>,
    fft: Arc<dyn Fft<T>>,
    fft_scratch: Vec<Complex<T>>,
}

impl<T: Precision> Columns<T> {
    /// Scratch for `model`.
    pub(crate) fn new(model: &Model) -> Self {
        let n = model.band.n_short();
        let kernel_terms = if model.lineshape.has_kernel() { N_KERNEL } else { 0 };
        let zeros = |n: usize| vec![Complex::new(T::zero(), T::zero()); n];
        let fft = T::transform(n);
        Self {
            values: vec![T::zero(); n_columns(model) * model.band.n_window()],
            component: zeros(n),
            timed: zeros(n),
            sums: zeros((PLAIN_SUMS + kernel_terms) * n),
            fft_scratch: zeros(fft.get_inplace_scratch_len()),
            fft,
        }
    }

    /// Fills the columns at `x`, where `forward` was evaluated last.
    pub(crate) fn fill(&mut self, model: &Model, forward: &Forward, x: &[f64], phase: PhaseColumns) {
        self.fill_components(model, forward, x);
        self.carry_sums(model, forward);
        let layout = &model.layout;
        let (k_all, n, n_win) = (layout.n_components, model.band.n_short(), model.band.n_window());
        let rest = &mut self.values[3 * k_all * n_win..];
        let window_of = |i: usize| model.band.window(&self.sums[i * n..(i + 1) * n]);
        let (gauss, skew, flat) = (window_of(0), window_of(1), window_of(2));
        let gauss_factor = T::rounded(-2.0 * PI * PI * x[layout.gauss()] / (4.0 * LN_2));
        let fitted = forward.fitted(model);
        for p in 0..n_win {
            let imaginary = match phase {
                PhaseColumns::FromData => forward.rotated[p].im,
                PhaseColumns::FromModel => fitted[p].im,
            };
            rest[p] = gauss_factor * gauss[p].re;
            rest[n_win + p] = T::rounded(-imaginary);
            rest[2 * n_win + p] = T::rounded(-imaginary * (model.band.ppm[p] - CARRIER_PPM));
            rest[3 * n_win + p] = -skew[p].im;
            rest[4 * n_win + p] = -flat[p].re;
        }
        let (kernel, residual) = rest[KERNEL_COLUMN * n_win..].split_at_mut((RESIDUAL_COLUMN - KERNEL_COLUMN) * n_win);
        if model.lineshape.has_kernel() {
            for (j, out) in kernel.chunks_exact_mut(n_win).enumerate() {
                out.iter_mut().zip(window_of(PLAIN_SUMS + j)).for_each(|(out, z)| *out = z.re);
            }
        }
        residual.iter_mut().zip(&forward.residual).for_each(|(out, r)| *out = T::rounded(*r));
    }

    /// The columns for amplitudes, shifts and widths, from the transforms of each component and of it times t.
    fn fill_components(&mut self, model: &Model, forward: &Forward, x: &[f64]) {
        let (layout, band) = (&model.layout, &model.band);
        let n_win = band.n_window();
        let (amplitudes, rest) = self.values.split_at_mut(layout.n_components * n_win);
        let (shifts, widths) = rest.split_at_mut(layout.n_components * n_win);
        let Forward { fids, kernel, .. } = forward;
        for (k, fid) in fids.chunks_exact(band.n_short()).enumerate() {
            let (window, c) = (k * n_win..(k + 1) * n_win, x[layout.amplitude(k)]);
            let amplitude = &mut amplitudes[window.clone()];
            let (shift, width) = (&mut shifts[window.clone()], &mut widths[window]);
            let (by_shift, by_width) = (T::rounded(-2.0 * PI * c), T::rounded(-PI * c));
            let (component, timed) = (&mut self.component, &mut self.timed);
            wide(
                #[inline(always)]
                || {
                    let samples = fid.iter().zip(kernel).zip(&band.time_s);
                    for (((z, k), &time), (s, t)) in samples.zip(component.iter_mut().zip(timed.iter_mut())) {
                        let (re, im) = (z.re * k.re - z.im * k.im, z.re * k.im + z.im * k.re);
                        *s = Complex::new(T::rounded(re), T::rounded(im));
                        *t = Complex::new(T::rounded(re * time), T::rounded(im * time));
                    }
                },
            );
            self.fft.process_with_scratch(component, &mut self.fft_scratch);
            self.fft.process_with_scratch(timed, &mut self.fft_scratch);
            let (s, t) = (band.window(component), band.window(timed));
            wide(
                #[inline(always)]
                || {
                    amplitude.iter_mut().zip(s).for_each(|(out, s)| *out = s.re);
                    for ((shift, width), t) in shift.iter_mut().zip(width.iter_mut()).zip(t) {
                        *shift = by_shift * t.im;
                        *width = by_width * t.re;
                    }
                },
            );
        }
    }

    /// Transforms of the components' sum times t², skew's and flatness's time and each of the kernel's terms.
    fn carry_sums(&mut self, model: &Model, forward: &Forward) {
        let (n, time_s) = (model.band.n_short(), &model.band.time_s);
        let Forward { total, kernel, .. } = forward;
        let (gauss, rest) = self.sums.split_at_mut(n);
        let (skew, rest) = rest.split_at_mut(n);
        let (flat, terms) = rest.split_at_mut(n);
        let cast = |z: Complex<f64>| Complex::new(T::rounded(z.re), T::rounded(z.im));
        for i in 0..n {
            let (t, sum) = (time_s[i], total[i] * kernel[i]);
            gauss[i] = cast(sum * (t * t));
            skew[i] = cast(sum * model.lineshape.skew_time[i]);
            flat[i] = cast(sum * model.lineshape.flat_time[i]);
        }
        for (out, term) in terms.chunks_exact_mut(n).zip(model.lineshape.kernel_terms(n)) {
            out.iter_mut().zip(term).zip(total).for_each(|((out, e), total)| *out = cast(total * e));
        }
        self.fft.process_with_scratch(&mut self.sums, &mut self.fft_scratch);
    }
}
