//! The model at one point of its parameters: its components in the time domain, the residual, and the exact gradient.
//!
//! The gradient needs no Jacobian: with R(t) the transform of the residual, ½·∂|r|²/∂θ is the inner product of R with the
//! derivative of the modulated FID in the time domain, one pass over the components for all three parameters of each.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::model::Model;
use crate::acquisition::CARRIER_PPM;
use crate::fit::linalg::wide;

/// Scratch and results at one point; reused from spectrum to spectrum.
pub(crate) struct Forward {
    /// Band FID of each component times its own and the common modulation, without the kernel `[component × sample]`.
    pub(super) fids: Vec<Complex64>,
    /// Their sum, each times its amplitude, without the kernel.
    pub(super) total: Vec<Complex64>,
    /// The kernel; 1 where the method has none.
    pub(super) kernel: Vec<Complex64>,
    /// The fitted bins of the data with the phases taken out.
    pub(super) rotated: Vec<Complex64>,
    /// The residual d − m, baseline included.
    pub(super) residual: Vec<f64>,
    /// Its sum of squares.
    pub(super) rss: f64,
    common: Vec<Complex64>,
    spectrum: Vec<Complex64>,
    fft_scratch: Vec<Complex64>,
}

impl Forward {
    /// Scratch for `model`.
    pub(crate) fn new(model: &Model) -> Self {
        let (n, n_window) = (model.band.n_short(), model.band.n_window());
        let zeros = |n: usize| vec![Complex64::default(); n];
        Self {
            fids: zeros(model.components.len() * n),
            total: zeros(n),
            kernel: vec![Complex64::new(1.0, 0.0); n],
            rotated: zeros(n_window),
            residual: vec![0.0; n_window],
            rss: 0.0,
            common: zeros(n),
            spectrum: zeros(n),
            fft_scratch: zeros(model.band.scratch_len()),
        }
    }

    /// Evaluates at `x` for the fitted bins `data`.
    pub(crate) fn at(&mut self, model: &Model, x: &[f64], data: &[Complex64]) {
        let layout = &model.layout;
        self.set_common(model, x);
        self.total.fill(Complex64::default());
        let (common, total) = (&self.common, &mut self.total);
        for (k, fid) in self.fids.chunks_exact_mut(model.band.n_short()).enumerate() {
            let own = Modulation::new(model, x[layout.shift(k)], x[layout.width(k)]);
            wide(
                #[inline(always)]
                || modulate(model, k, &own, common, fid),
            );
            let c = x[layout.amplitude(k)];
            for range in model.band.signal() {
                let (fid, total) = (&fid[range.clone()], &mut total[range]);
                wide(
                    #[inline(always)]
                    || add_scaled(c, fid, total),
                );
            }
        }
        self.spectrum.copy_from_slice(&self.total);
        if model.lineshape.has_kernel() {
            multiply(&self.kernel, &mut self.spectrum);
        }
        model.band.transform(&mut self.spectrum, &mut self.fft_scratch);
        self.rotate(model, x, data);
        self.residual.fill(0.0);
        model.baseline.add_to(&x[layout.baseline()..], &mut self.residual);
        let fitted = model.band.window(&self.spectrum);
        for p in 0..self.residual.len() {
            self.residual[p] = self.rotated[p].re - fitted[p].re - self.residual[p];
        }
        self.rss = self.residual.iter().map(|r| r * r).sum();
    }

    /// The fitted bins of the model without baseline, until [`Self::gradient`] takes their place.
    pub(super) fn fitted(&self, model: &Model) -> &[Complex64] {
        model.band.window(&self.spectrum)
    }

    /// The fitted bins of component `k` at amplitude 1; [`Self::fitted`] and [`Self::gradient`] then have no meaning any more.
    pub(super) fn component(&mut self, model: &Model, k: usize) -> &[Complex64] {
        let n = model.band.n_short();
        self.spectrum.copy_from_slice(&self.fids[k * n..(k + 1) * n]);
        if model.lineshape.has_kernel() {
            multiply(&self.kernel, &mut self.spectrum);
        }
        model.band.transform(&mut self.spectrum, &mut self.fft_scratch);
        model.band.window(&self.spectrum)
    }

    /// ½·∂|r|²/∂θ at `x`, where [`Self::at`] was last.
    pub(crate) fn gradient(&mut self, model: &Model, x: &[f64], g: &mut [f64]) {
        let layout = &model.layout;
        let (n, signal) = (model.band.n_short(), model.band.signal());
        let mut adjoint = std::mem::take(&mut self.spectrum);
        // R(t): the residual on its bins, transformed.
        adjoint.fill(Complex64::default());
        for (z, r) in adjoint[model.band.window_offset()..].iter_mut().zip(&self.residual) {
            *z = Complex64::new(*r, 0.0);
        }
        model.band.transform(&mut adjoint, &mut self.fft_scratch);
        // The kernel's weights act on the sum without the kernel, everything else through the kernel.
        for (i, term) in layout.kernel_range().zip(model.lineshape.kernel_terms(n)) {
            let products = signal.iter().cloned().flatten().map(|i| (self.total[i] * term[i] * adjoint[i]).re);
            g[i] = -products.sum::<f64>();
        }
        if model.lineshape.has_kernel() {
            multiply(&self.kernel, &mut adjoint);
        }
        for (k, fid) in self.fids.chunks_exact(n).enumerate() {
            let mut sums = Products::default();
            for range in signal.clone() {
                let time_s = &model.band.time_s[range.clone()];
                let (fid, adjoint) = (&fid[range.clone()], &adjoint[range]);
                sums.add(wide(
                    #[inline(always)]
                    || products(fid, adjoint, time_s),
                ));
            }
            let c = x[layout.amplitude(k)];
            g[layout.amplitude(k)] = -sums.plain;
            g[layout.shift(k)] = 2.0 * PI * c * sums.timed.im;
            g[layout.width(k)] = PI * c * sums.timed.re;
        }
        self.lineshape_gradient(model, x, &adjoint, g);
        self.spectrum = adjoint;
        g[layout.common_shift()] = 0.0;
        g[layout.common_width()] = 0.0;
        let (mut phi0, mut phi1) = (0.0, 0.0);
        for (p, r) in self.residual.iter().enumerate() {
            let turned = r * self.rotated[p].im;
            phi0 += turned;
            phi1 += turned * (model.band.ppm[p] - CARRIER_PPM);
        }
        (g[layout.phi0()], g[layout.phi1()]) = (phi0, phi1);
        let first = layout.baseline();
        model.baseline.project(&self.residual, &mut g[first..]);
        g[first..].iter_mut().for_each(|b| *b = -*b);
    }

    /// The part of the gradient for the Gaussian width, skew and flatness.
    fn lineshape_gradient(&self, model: &Model, x: &[f64], adjoint: &[Complex64], g: &mut [f64]) {
        let (layout, time_s) = (&model.layout, &model.band.time_s);
        let (mut squared, mut skewed, mut flattened) = (0.0, 0.0, 0.0);
        for i in model.band.signal().into_iter().flatten() {
            let product = self.total[i] * adjoint[i];
            squared += product.re * time_s[i] * time_s[i];
            skewed += product.im * model.lineshape.skew_time[i];
            flattened += product.re * model.lineshape.flat_time[i];
        }
        g[layout.gauss()] = 2.0 * PI * PI * x[layout.gauss()] / (4.0 * LN_2) * squared;
        g[layout.skew()] = skewed;
        g[layout.flatness()] = flattened;
    }

    /// The data with the phases at `x` taken out: bins follow one another at the same distance, and so do their phases.
    fn rotate(&mut self, model: &Model, x: &[f64], data: &[Complex64]) {
        let [phi0, phi1] = [x[model.layout.phi0()], x[model.layout.phi1()]];
        let ppm = &model.band.ppm;
        let phasor = |phase: f64| Complex64::from_polar(1.0, -phase);
        let step = if ppm.len() > 1 { phasor(phi1 * (ppm[1] - ppm[0])) } else { Complex64::new(1.0, 0.0) };
        let bins = self.rotated.chunks_mut(PHASES).zip(data.chunks(PHASES)).zip(ppm.chunks(PHASES));
        for ((rotated, data), ppm) in bins {
            let mut turn = phasor(phi0 + phi1 * (ppm[0] - CARRIER_PPM));
            for (rotated, datum) in rotated.iter_mut().zip(data) {
                *rotated = datum * turn;
                turn *= step;
            }
        }
    }

    /// The modulation that all components share, and its kernel.
    fn set_common(&mut self, model: &Model, x: &[f64]) {
        let layout = &model.layout;
        let gauss = (PI * x[layout.gauss()]).powi(2) / (4.0 * LN_2);
        let (skew, flat) = (x[layout.skew()], x[layout.flatness()]);
        for i in model.band.signal().into_iter().flatten() {
            let t = model.band.time_s[i];
            let decay = (-gauss * t * t - flat * model.lineshape.flat_time[i]).exp();
            self.common[i] = if skew == 0.0 {
                Complex64::new(decay, 0.0)
            } else {
                Complex64::from_polar(decay, skew * model.lineshape.skew_time[i])
            };
        }
        if model.lineshape.has_kernel() {
            model.lineshape.kernel(&x[layout.kernel_range()], &mut self.kernel);
        }
    }
}

/// The datum of bin `p` with the phases at `x` taken out.
pub(crate) fn rotate(model: &Model, x: &[f64], datum: Complex64, p: usize) -> Complex64 {
    let phase = x[model.layout.phi0()] + x[model.layout.phi1()] * (model.band.ppm[p] - CARRIER_PPM);
    datum * Complex64::from_polar(1.0, -phase)
}

/// Bins whose phases follow from the first one's: few enough that no rounding adds up.
const PHASES: usize = 64;
/// Samples that are worked on side by side: one geometric progression would wait for its own product at every sample.
const LANES: usize = 8;

/// A component's own modulation e^{(2πi·F − π·u)·t} as geometric progressions.
struct Modulation {
    /// Its values at the first samples.
    first: [Complex64; LANES],
    /// From one sample to the one [`LANES`] later.
    step: Complex64,
    /// From a sample to the one before.
    back: Complex64,
}

impl Modulation {
    fn new(model: &Model, shift_hz: f64, width_hz: f64) -> Self {
        let rate = Complex64::new(-PI * width_hz, 2.0 * PI * shift_hz) * model.band.time_s[1];
        let forth = rate.exp();
        let mut first = [Complex64::new(1.0, 0.0); LANES];
        for i in 1..LANES {
            first[i] = first[i - 1] * forth;
        }
        Self { first, step: first[LANES - 1] * forth, back: forth.inv() }
    }
}

/// Band FID of component `k` times its own and the common modulation.
#[inline(always)]
fn modulate(model: &Model, k: usize, own: &Modulation, common: &[Complex64], out: &mut [Complex64]) {
    let fid = model.band_fid(k);
    let (n_positive, first_negative) = (model.band.n_positive, model.band.first_negative());
    let mut p = own.first;
    let chunks = out[..n_positive].chunks_mut(LANES).zip(fid[..n_positive].chunks(LANES));
    for ((out, fid), common) in chunks.zip(common[..n_positive].chunks(LANES)) {
        for (((out, fid), common), p) in out.iter_mut().zip(fid).zip(common).zip(&mut p) {
            *out = times(times(*fid, *common), *p);
            *p = times(*p, own.step);
        }
    }
    // Between them there is nothing, now as before.
    let mut p = own.back;
    for i in (first_negative..out.len()).rev() {
        out[i] = fid[i] * common[i] * p;
        p *= own.back;
    }
}

/// The product, without the detour for infinities that keeps loops from being vectorised.
#[inline(always)]
fn times(a: Complex64, b: Complex64) -> Complex64 {
    Complex64::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
}

/// Adds `c` times `fid` to `sum`.
#[inline(always)]
fn add_scaled(c: f64, fid: &[Complex64], sum: &mut [Complex64]) {
    for (sum, z) in sum.iter_mut().zip(fid) {
        sum.re += z.re * c;
        sum.im += z.im * c;
    }
}

/// Multiplies `fid` by `factor`, sample by sample.
fn multiply(factor: &[Complex64], fid: &mut [Complex64]) {
    fid.iter_mut().zip(factor).for_each(|(z, k)| *z *= k);
}

/// Inner products of a component's FID and the adjoint.
#[derive(Default)]
struct Products {
    /// Real part of the plain one.
    plain: f64,
    /// With time (s) as a further factor.
    timed: Complex64,
}

impl Products {
    fn add(&mut self, other: Self) {
        self.plain += other.plain;
        self.timed += other.timed;
    }
}

#[inline(always)]
fn products(fid: &[Complex64], adjoint: &[Complex64], time_s: &[f64]) -> Products {
    let (mut plain, mut re, mut im) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for ((fid, adjoint), time_s) in fid.chunks(LANES).zip(adjoint.chunks(LANES)).zip(time_s.chunks(LANES)) {
        for (i, ((s, r), &t)) in fid.iter().zip(adjoint).zip(time_s).enumerate() {
            let product = times(*s, *r);
            plain[i] += product.re;
            re[i] += product.re * t;
            im[i] += product.im * t;
        }
    }
    Products { plain: plain.iter().sum(), timed: Complex64::new(re.iter().sum(), im.iter().sum()) }
}
