//! What all spectra of one basis set, grid and method share.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::components::{Component, FWHMBA_PPM, assemble, ratio_rows};
use super::grid::Grid;
use super::parameter::{Parameter, Shared};
use super::settings::{Domain, GroupBy, KernelSmoothing, Ratios, Settings, SmoothingSource};
use crate::basis::BasisSet;
use crate::basis::names::kind;
use crate::fit::model_error::ModelError;
use crate::fit::prior::RatioRow;
use crate::fit::start;

/// Widths (FWHM, Hz) in which heights and the start's prototype are taken.
const USUAL_LORENTZ_HZ: f64 = 3.0;
const USUAL_GAUSS_HZ: f64 = 5.0;

/// Units in which steps of phases are damped (°, °/ppm; DDGZMQ, DDGPMQ).
pub(super) const PHASE_STEPS_DEG: [f64; 2] = [3.0, 1.0];

/// What all spectra of one basis set, grid and method share.
pub struct Model {
    /// Method.
    pub settings: Settings,
    /// Components, in the order of the amplitudes.
    pub components: Vec<Component>,
    /// Soft rows between amplitudes.
    pub rows: Vec<RatioRow>,
    /// Linewidth that the basis set already carries (FWHM, Hz); `None` where unknown.
    pub basis_linewidth_hz: Option<f64>,
    pub(super) grid: Grid,
    /// The window in the real spectrum, for start values.
    pub(super) start_grid: Grid,
    /// Factor from the basis set's units to internal ones.
    pub(super) basis_scale: f64,
    /// FWHMBA that LCModel would use with the basis set (ppm).
    fwhmba_ppm: f64,
    pub(super) prototype: Vec<Complex64>,
    /// The components' FIDs in internal units, as they are carried on `grid` …
    fids: Vec<Vec<Complex64>>,
    /// … and on `start_grid`, where that compares something else.
    start_fids: Vec<Vec<Complex64>>,
}

impl Model {
    /// Model for FIDs of `n_points` samples `dwell_s` apart at `f0_mhz`.
    ///
    /// # Errors
    /// [`ModelError`] where window and data do not meet, the basis set does not reach the grid, or has no signal.
    pub fn new(
        basis: &BasisSet,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
        te_s: Option<f64>,
        settings: &Settings,
    ) -> Result<Self, ModelError> {
        let grid = Grid::new(settings, n_points, dwell_s, f0_mhz)?;
        let start_grid = Grid::in_domain(settings, Domain::RealSpectrum, n_points, dwell_s, f0_mhz)?;
        let basis_fids = basis.regrid(dwell_s, f0_mhz, n_points)?;
        let (components, mut fids) = assemble(basis, &basis_fids, dwell_s, f0_mhz, settings);
        let basis_scale = 1.0 / median_height(&start_grid, &fids)?;
        fids.iter_mut().flatten().for_each(|z| *z *= basis_scale);
        let start_fids = match settings.domain {
            Domain::RealSpectrum => Vec::new(),
            Domain::ComplexSpectrum | Domain::Time => fids.iter().map(|fid| start_grid.carry(fid)).collect(),
        };
        let fids = fids.iter().map(|fid| grid.carry(fid)).collect();
        let rows = match settings.ratios {
            Ratios::None | Ratios::Tarquin | Ratios::Osprey => Vec::new(),
            Ratios::Lcmodel => ratio_rows(&components, f0_mhz, te_s.or(basis.te_s)),
        };
        let kinds: Vec<_> = basis.metabolites.iter().map(|n| kind(n)).collect();
        let prototype = start::prototype(
            &basis.metabolites,
            &kinds,
            basis_fids.view(),
            dwell_s,
            f0_mhz,
            USUAL_LORENTZ_HZ,
            USUAL_GAUSS_HZ,
        );
        Ok(Self {
            settings: settings.clone(),
            components,
            rows,
            basis_linewidth_hz: basis.fwhm_hz(),
            grid,
            start_grid,
            basis_scale,
            fwhmba_ppm: basis
                .fwhmba_ppm
                .or(basis.linewidth_hz.map(|hz| hz / basis.f0_mhz))
                .filter(|ppm| *ppm > 0.0)
                .unwrap_or(FWHMBA_PPM),
            prototype,
            start_fids,
            fids,
        })
    }

    /// FID of component `k` in internal units, as it is carried where `domain` is compared: the method's, or the real
    /// spectrum.
    pub(super) fn fid(&self, domain: Domain, k: usize) -> &[Complex64] {
        if domain == self.grid.domain { &self.fids[k] } else { &self.start_fids[k] }
    }

    /// FWHM (ppm) of the Gaussian that a kernel is smoothed with.
    pub(super) fn kernel_smoothing_ppm(&self, smoothing: KernelSmoothing) -> f64 {
        match smoothing {
            KernelSmoothing::Ppm(ppm) => ppm,
            KernelSmoothing::Of(SmoothingSource::Basis) => self.fwhmba_ppm,
        }
    }

    /// What components share in the method's own fit.
    pub(super) fn groups(&self) -> Vec<Shared> {
        let groups = &self.settings.groups;
        let max_shift = 2.0 * PI * groups.max_shift_ppm * self.grid.f0_mhz;
        // Steps of a fifth of the start, or of a hundredth of the range where that is more.
        let rate = |[start, max]: [f64; 2]| {
            let range = if max.is_finite() { 0.05 * max } else { 0.0 };
            (max > 0.0).then(|| Parameter::around(start, 0.0, 0.2 * start.max(range).max(1.0)).within(0.0, max))
        };
        let shared = Shared {
            shift: (max_shift > 0.0).then(|| {
                Parameter::around(0.0, 0.0, 2.0 * PI * 0.002 * self.grid.f0_mhz).within(-max_shift, max_shift)
            }),
            damping: rate(groups.damping_per_s),
            gauss: rate(groups.gauss_per_s),
        };
        match groups.by {
            GroupBy::None => Vec::new(),
            GroupBy::All => vec![shared],
            GroupBy::Kind => vec![shared; 2],
        }
    }

    /// φ0 and φ1 of the method's own fit; `turned` is what the data were turned by already (rad, rad/ppm).
    pub(super) fn phases(&self, turned: [f64; 2]) -> [Parameter; 2] {
        let phase = &self.settings.phase;
        let radian = |deg: f64| deg.to_radians();
        let [step0, step1] = PHASE_STEPS_DEG.map(radian);
        let max0 = radian(phase.max_phi0_deg);
        let phi0 =
            if max0 > 0.0 { Parameter::around(0.0, 0.0, step0).within(-max0, max0) } else { Parameter::fixed(0.0) };
        let max1 = radian(phase.max_phi1_deg_per_ppm);
        let phi1 = if max1 > 0.0 {
            let sd = radian(phase.phi1_sd_deg_per_ppm);
            let free = Parameter::around(-turned[1], sd, step1).within(-max1 - turned[1], max1 - turned[1]);
            Parameter { start: 0.0, ..free }
        } else {
            Parameter::fixed(0.0)
        };
        [phi0, phi1]
    }
}

/// Median over the components of the tallest point in the window at the usual widths.
fn median_height(grid: &Grid, fids: &[Vec<Complex64>]) -> Result<f64, ModelError> {
    let decay: Vec<f64> = (0..grid.n_points)
        .map(|n| {
            let t = n as f64 * grid.dwell_s;
            (-PI * USUAL_LORENTZ_HZ * t - (PI * USUAL_GAUSS_HZ * t).powi(2) / (4.0 * LN_2)).exp()
        })
        .collect();
    let mut scratch = grid.scratch();
    let mut window = vec![Complex64::default(); grid.n_observed];
    let mut heights: Vec<f64> = fids
        .iter()
        .map(|fid| {
            let broadened: Vec<Complex64> = fid.iter().zip(&decay).map(|(z, d)| z * d).collect();
            grid.observe(&broadened, &mut scratch, &mut window);
            window.iter().fold(0.0, |m: f64, z| m.max(z.re.abs()))
        })
        .filter(|h| h.is_finite() && *h > 0.0)
        .collect();
    heights.sort_by(f64::total_cmp);
    heights.get(heights.len() / 2).copied().ok_or(ModelError::EmptyBasis)
}
