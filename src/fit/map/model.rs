//! What all spectra of one basis set, grid and method share, and the forward model with its
//! derivatives.
//!
//! ```text
//! d(ν) = Re{ e^{−i(φ0 + φ1(δ−4.65))} · Y(ν) }
//! m(ν) = Σ_k c_k · Re FFT{ m_k(t) · exp( −π·u_k·t + 2πi·F_k·t − (π·G·t)²/(4 ln 2) + i·s₃·q₃(t) − s₄·q₄(t) ) } + Σ_j b_j B_j(ν)
//! ```

use std::f64::consts::{LN_2, PI};

use ndarray::Array2;
use num_complex::Complex64;

use super::component::{Component, assemble};
use super::first_guess::FirstGuess;
use super::lineshape::Lineshape;
use super::parameters::Layout;
use super::ratio_priors;
use super::settings::{Settings, StartSettings};
use crate::basis::BasisSet;
use crate::basis::names::kind;
use crate::fit::band::Band;
use crate::fit::baseline::Baseline;
use crate::fit::model_error::ModelError;
use crate::fit::prior::RatioRow;
use crate::fit::start;

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
    /// Whether fits say what they tell about the pattern ([`crate::fit::evidence`]).
    pub wants_evidence: bool,
    /// Linewidth that the basis set already carries (FWHM, Hz); `None` where unknown.
    pub basis_linewidth_hz: Option<f64>,
    /// Factor from the basis set's units to internal ones.
    pub(crate) basis_scale: f64,
    /// FID that start values are found with ([`start::prototype`]).
    prototype: Vec<Complex64>,
    /// Band FIDs, one component after the other.
    band_fids: Vec<Complex64>,
    /// The common lineshape at each band-FID sample.
    pub(crate) lineshape: Lineshape,
    /// What start values are found with; `None` without the usual singlets.
    pub(crate) first_guess: Option<FirstGuess>,
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

        let heights = heights(&band, &fids, &settings.start);
        let basis_scale = 1.0 / median_height(&heights).ok_or(ModelError::EmptyBasis)?;
        let heights: Vec<f64> = heights.iter().map(|h| h * basis_scale).collect();
        let mut band_fids = Vec::with_capacity(components.len() * band.n_short());
        for fid in fids.outer_iter() {
            band_fids.extend(band.band_fid(&fid.to_vec()).into_iter().map(|z| z * basis_scale));
        }
        let rows = ratio_priors::rows(&components, &heights, settings, f0_mhz, te_s.or(basis.te_s));
        let kinds: Vec<_> = basis.metabolites.iter().map(|n| kind(n)).collect();
        let StartSettings { lorentz_hz, gauss_hz, .. } = settings.start;
        let prototype =
            start::prototype(&basis.metabolites, &kinds, basis_fids.view(), dwell_s, f0_mhz, lorentz_hz, gauss_hz);
        let priors = &settings.priors;
        let lineshape = Lineshape::new(&band.time_s, priors.kernel_spacing_ppm * f0_mhz, priors.kernel_scale > 0.0);
        let first_guess = FirstGuess::new(&band, &baseline, &components, &band_fids, lineshape.kernel_hz);
        Ok(Self {
            settings: settings.clone(),
            band,
            components,
            baseline,
            rows,
            layout,
            wants_evidence: false,
            basis_linewidth_hz: basis.fwhm_hz(),
            basis_scale,
            prototype,
            band_fids,
            lineshape,
            first_guess,
        })
    }

    /// Start values of the common shift and phase of `fid`.
    pub fn shift_and_phase(&self, fid: &[Complex64]) -> start::ShiftPhase {
        let max_shift_hz = self.settings.start.max_shift_ppm * self.band.f0_mhz;
        start::shift_and_phase(fid, &self.prototype, self.band.dwell_s, max_shift_hz)
    }

    /// Starts of a fit: the shifts at which `fid` looks most like the prototype.
    pub(crate) fn start_candidates(&self, fid: &[Complex64]) -> Vec<start::ShiftPhase> {
        let (f0_mhz, dwell_s) = (self.band.f0_mhz, self.band.dwell_s);
        start::candidates(fid, &self.prototype, dwell_s, self.settings.start.max_shift_ppm * f0_mhz, f0_mhz)
    }

    /// Band FID of component `k` in internal units.
    pub(crate) fn band_fid(&self, k: usize) -> &[Complex64] {
        let n = self.band.n_short();
        &self.band_fids[k * n..(k + 1) * n]
    }
}

/// Tallest point of each component in the window at the start widths.
fn heights(band: &Band, fids: &Array2<Complex64>, start: &StartSettings) -> Vec<f64> {
    let decay: Vec<f64> = (0..band.n_points)
        .map(|n| {
            let t = n as f64 * band.dwell_s;
            (-PI * start.lorentz_hz * t - (PI * start.gauss_hz * t).powi(2) / (4.0 * LN_2)).exp()
        })
        .collect();
    fids.outer_iter()
        .map(|fid| {
            let broadened: Vec<Complex64> = fid.iter().zip(&decay).map(|(z, d)| z * d).collect();
            band.window_from_fid(&broadened).iter().fold(0.0, |m: f64, z| m.max(z.re.abs()))
        })
        .collect()
}

/// Their median; `None` where none has any signal there. In internal units it is one high.
fn median_height(heights: &[f64]) -> Option<f64> {
    let mut heights: Vec<f64> = heights.iter().copied().filter(|h| h.is_finite() && *h > 0.0).collect();
    heights.sort_by(f64::total_cmp);
    heights.get(heights.len() / 2).copied()
}
