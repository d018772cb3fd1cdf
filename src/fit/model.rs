//! What all spectra of one basis set, grid and method share, and the forward model with its
//! derivatives.
//!
//! ```text
//! d(ν) = Re{ e^{−i(φ0 + φ1(δ−4.65))} · Y(ν) }
//! m(ν) = Σ_k c_k · Re FFT{ m_k(t) · exp( −π·u_k·t + 2πi·F_k·t − (π·G·t)²/(4 ln 2) + i·s₃·q₃(t) − s₄·q₄(t) ) } + Σ_j b_j B_j(ν)
//! ```

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::band::{Band, BandError};
use super::baseline::Baseline;
use super::component::{Component, assemble};
use super::parameters::Layout;
use super::prior::{self, RatioRow};
use super::settings::{Settings, StartSettings};
use super::start;
use crate::acquisition::CARRIER_PPM;
use crate::basis::names::kind;
use crate::basis::{BasisError, BasisSet};

/// Columns beside three per component: Gaussian width, φ0, φ1, skew, flatness, residual.
const EXTRA_COLUMNS: usize = 6;

/// Time (s) in which skew and flatness of the lineshape are counted.
const LINESHAPE_TIME_S: f64 = 0.1;

/// Why a model cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The window does not fit the data.
    #[error(transparent)]
    Band(#[from] BandError),
    /// The basis set cannot be brought to the grid of the data.
    #[error(transparent)]
    Basis(#[from] BasisError),
    /// No component has signal in the window.
    #[error("no member of the basis set has signal in the window; is it for another nucleus or protocol?")]
    EmptyBasis,
}

/// What all spectra of one basis set, grid and method share.
pub struct Model {
    /// Method.
    pub settings: Settings,
    /// The fitted band.
    pub band: Band,
    /// Components, in the order of the amplitudes.
    pub components: Vec<Component>,
    /// Baseline.
    pub baseline: Baseline,
    /// Soft rows between amplitudes.
    pub rows: Vec<RatioRow>,
    /// Layout of the parameter vector.
    pub layout: Layout,
    /// Linewidth that the basis set already carries (FWHM, Hz; 0 where unknown).
    pub basis_linewidth_hz: f64,
    /// Factor from the basis set's units to internal ones.
    pub(crate) basis_scale: f64,
    /// FID that start values are found with ([`start::prototype`]).
    prototype: Vec<Complex64>,
    /// Band FIDs, one component after the other.
    band_fids: Vec<Complex64>,
    /// Lineshape polynomials at each band-FID sample.
    skew_time: Vec<f64>,
    flat_time: Vec<f64>,
}

impl Model {
    /// Model for FIDs of `n_points` samples `dwell_s` apart at `f0_mhz`.
    pub fn new(
        basis: &BasisSet,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
        te_s: Option<f64>,
        settings: &Settings,
    ) -> Result<Self, ModelError> {
        let [low, high] = settings.window_ppm;
        let band = Band::new(n_points, dwell_s, f0_mhz, low, high)?;
        let basis_fids = basis.regrid(dwell_s, f0_mhz, n_points)?;
        let (components, fids) = assemble(&basis.metabolites, &basis_fids, dwell_s, f0_mhz, settings);
        let baseline = Baseline::new(&band.ppm, settings.baseline.splines_per_ppm);
        let layout = Layout { n_components: components.len(), n_splines: baseline.n_splines };

        let mut band_fids = Vec::with_capacity(components.len() * band.n_short());
        for fid in fids.outer_iter() {
            band_fids.extend(band.band_fid(&fid.to_vec()));
        }
        let rows = prior::rows(&components, settings, f0_mhz, te_s.or(basis.te_s));
        let kinds: Vec<_> = basis.metabolites.iter().map(|n| kind(n)).collect();
        let StartSettings { lorentz_hz, gauss_hz, .. } = settings.start;
        let prototype =
            start::prototype(&basis.metabolites, &kinds, basis_fids.view(), dwell_s, f0_mhz, lorentz_hz, gauss_hz);
        let (skew_time, flat_time) = lineshape_times(&band.time_s);
        let mut model = Self {
            settings: settings.clone(),
            band,
            components,
            baseline,
            rows,
            layout,
            basis_linewidth_hz: basis.linewidth_hz.unwrap_or(0.0),
            basis_scale: 1.0,
            prototype,
            band_fids,
            skew_time,
            flat_time,
        };
        model.scale_to_unit_height()?;
        Ok(model)
    }

    /// Brings all components by one factor to internal units, in which the median component is one
    /// high at the start widths.
    fn scale_to_unit_height(&mut self) -> Result<(), ModelError> {
        let mut evaluation = Evaluation::new(self);
        let mut x = vec![0.0; self.layout.len()];
        x[self.layout.gauss()] = self.settings.start.gauss_hz;
        for k in 0..self.components.len() {
            x[self.layout.amplitude(k)] = 1.0;
            x[self.layout.width(k)] = self.settings.start.lorentz_hz;
        }
        let data = vec![Complex64::default(); self.band.n_window()];
        evaluation.columns(self, &x, &data, PhaseColumns::FromModel);
        let n = self.band.n_window();
        let mut heights: Vec<f64> = (0..self.components.len())
            .map(|k| evaluation.columns[k * n..(k + 1) * n].iter().fold(0.0, |m: f64, v| m.max(v.abs())))
            .filter(|h| h.is_finite() && *h > 0.0)
            .collect();
        heights.sort_by(f64::total_cmp);
        let median = *heights.get(heights.len() / 2).ok_or(ModelError::EmptyBasis)?;
        self.basis_scale = 1.0 / median;
        for z in &mut self.band_fids {
            *z *= self.basis_scale;
        }
        Ok(())
    }

    /// Start values of the common shift and phase of `fid`.
    pub fn shift_and_phase(&self, fid: &[Complex64]) -> start::ShiftPhase {
        let max_shift_hz = self.settings.start.max_shift_ppm * self.band.f0_mhz;
        start::shift_and_phase(fid, &self.prototype, self.band.dwell_s, max_shift_hz)
    }

    /// Band FID of component `k` in internal units.
    pub(crate) fn band_fid(&self, k: usize) -> &[Complex64] {
        let n = self.band.n_short();
        &self.band_fids[k * n..(k + 1) * n]
    }
}

/// q₃ and q₄ at each time: (t/0.1 s)³ and (t/0.1 s)⁴, levelling off beyond 0.2 s where no signal is
/// left to say anything about them.
fn lineshape_times(time_s: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let level = |tau: f64| 1.0 + (tau / 2.0).powi(4);
    let tau = time_s.iter().map(|t| t / LINESHAPE_TIME_S);
    (tau.clone().map(|u| u.powi(3) / level(u)).collect(), tau.map(|u| u.powi(4) / level(u)).collect())
}

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
    /// ∂m/∂s₄ and last the residual d − m (baseline included).
    pub columns: Vec<f64>,
    fids: Vec<Complex64>,
    sums: Vec<Complex64>,
    common: Vec<Complex64>,
    fft_scratch: Vec<Complex64>,
}

impl Evaluation {
    /// Scratch for `model`.
    pub fn new(model: &Model) -> Self {
        let (k, n) = (model.components.len(), model.band.n_short());
        Self {
            columns: vec![0.0; Self::n_columns(model) * model.band.n_window()],
            fids: vec![Complex64::default(); 2 * k * n],
            sums: vec![Complex64::default(); 4 * n],
            common: vec![Complex64::default(); n],
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
            _ => layout.flatness(),
        }
    }

    /// The modulation that all components share.
    fn set_common(&mut self, model: &Model, x: &[f64]) {
        let layout = &model.layout;
        let gauss = (PI * x[layout.gauss()]).powi(2) / (4.0 * LN_2);
        let (skew, flat) = (x[layout.skew()], x[layout.flatness()]);
        for (i, c) in self.common.iter_mut().enumerate() {
            let t = model.band.time_s[i];
            let decay = (-gauss * t * t - flat * model.flat_time[i]).exp();
            *c = if skew == 0.0 {
                Complex64::new(decay, 0.0)
            } else {
                Complex64::from_polar(decay, skew * model.skew_time[i])
            };
        }
    }

    /// Fills [`Self::columns`] at the parameters `x` for the spectrum `data` (fitted bins).
    pub fn columns(&mut self, model: &Model, x: &[f64], data: &[Complex64], phase: PhaseColumns) {
        let layout = &model.layout;
        let (k_all, n, n_win) = (layout.n_components, model.band.n_short(), model.band.n_window());
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
        let (total, rest) = self.sums.split_at_mut(n);
        let (gauss, rest) = rest.split_at_mut(n);
        let (skew, flat) = rest.split_at_mut(n);
        for i in 0..n {
            let t = model.band.time_s[i];
            gauss[i] = total[i] * (t * t);
            skew[i] = total[i] * model.skew_time[i];
            flat[i] = total[i] * model.flat_time[i];
        }
        model.band.transform(&mut self.fids, &mut self.fft_scratch);
        model.band.transform(&mut self.sums, &mut self.fft_scratch);

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
            self.columns[(base + 5) * n_win + p] = rotated.re - total.re;
        }
        subtract_baseline(model, x, &mut self.columns[(base + 5) * n_win..]);
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
        model.band.transform(&mut self.sums[..n], &mut self.fft_scratch);
        let total = model.band.window(&self.sums[..n]);
        let residual = &mut self.columns[(3 * layout.n_components + 5) * n_win..];
        for p in 0..n_win {
            residual[p] = rotate(model, x, data[p], p).re - total[p].re;
        }
        subtract_baseline(model, x, residual);
        residual.iter().map(|r| r * r).sum()
    }

    /// The residual of the last evaluation.
    pub fn residual<'a>(&'a self, model: &Model) -> &'a [f64] {
        let n_win = model.band.n_window();
        &self.columns[(3 * model.layout.n_components + 5) * n_win..]
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
fn modulate(model: &Model, k: usize, shift_hz: f64, width_hz: f64, common: &[Complex64], out: &mut [Complex64]) {
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
