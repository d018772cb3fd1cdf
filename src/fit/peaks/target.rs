//! Peaks and background of one window: columns and their derivatives.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::settings::{self, Shape, Term};
use super::spectrum::Window;
use crate::acquisition::hz_from_ppm;
use crate::fit::band::BandError;
use crate::fit::start::{ShiftPhase, shift_and_phase};

/// Width (FWHM, Hz) of the lines that a spectrum is recognised by.
const REFERENCE_HZ: f64 = 6.0;
/// Time in which they rise (s): what is broad has decayed by then.
const RISE_S: f64 = 0.008;

/// A peak, and the component that it is part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedPeak {
    pub(super) component: usize,
    pub(super) shape: Shape,
    pub(super) peak: settings::Peak,
}

/// A window with its peaks and background.
pub(super) struct Target {
    pub(super) window: Window,
    /// Names and settings, in the order of the amplitudes.
    pub(super) components: Vec<(String, settings::Component)>,
    pub(super) peaks: Vec<PlacedPeak>,
    /// Weight of each point's squared residual.
    pub(super) weights: Vec<f64>,
    /// Columns of the background, one after the other.
    background: Vec<f64>,
    n_background: usize,
    max_shift_hz: f64,
    phase_range_rad: f64,
    prototype: Vec<Complex64>,
}

/// Columns at a point: those of the linear parameters (peaks, then background), for each peak the derivatives of its
/// column with place and width, and with the phase that is common to all.
pub(super) struct Columns {
    pub(super) linear: Vec<f64>,
    pub(super) derivatives: Vec<f64>,
    pub(super) by_phase: Vec<f64>,
}

impl Target {
    pub(super) fn new(
        settings: &settings::Target,
        line_broadening_hz: f64,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
    ) -> Result<Self, BandError> {
        let window = Window::new(settings.window_ppm, line_broadening_hz, n_points, dwell_s, f0_mhz)?;
        let components: Vec<_> = settings.components.iter().map(|(n, c)| (n.clone(), c.clone())).collect();
        let placed = |(i, (_, c)): (usize, &(String, settings::Component))| {
            let shape = c.shape;
            c.peaks.iter().map(move |&peak| PlacedPeak { component: i, shape, peak }).collect::<Vec<_>>()
        };
        let peaks = components.iter().enumerate().flat_map(placed).collect();
        let weight = |ppm: &f64| {
            let own = settings.down_weighted.iter().find(|r| (r.ppm[0]..=r.ppm[1]).contains(ppm));
            own.map_or(1.0, |r| r.weight)
        };
        let [low, high] = settings.window_ppm;
        let width = high - low;
        let term = |term: Term, ppm: f64| match term {
            Term::Offset => 1.0,
            Term::Slope => (ppm - settings.slope_zero_ppm) / width,
            Term::Sine => (0.25 * PI * ppm / width).sin(),
            Term::Cosine => (0.25 * PI * ppm / width).cos(),
        };
        let background =
            settings.background.iter().flat_map(|&t| window.ppm.iter().map(move |&ppm| term(t, ppm))).collect();
        let line = |n: usize| -> Complex64 {
            let t = n as f64 * dwell_s;
            let rise = (1.0 - (-(t / RISE_S).powi(2)).exp()) * (-PI * REFERENCE_HZ * t).exp();
            let turn = |ppm| Complex64::from_polar(rise, 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t);
            settings.reference.iter().map(|l| turn(l.ppm) * l.height).sum()
        };
        Ok(Self {
            weights: window.ppm.iter().map(weight).collect(),
            components,
            peaks,
            background,
            n_background: settings.background.len(),
            max_shift_hz: settings.max_shift_ppm * f0_mhz,
            phase_range_rad: settings.phase_range_deg.to_radians(),
            prototype: (0..n_points).map(line).collect(),
            window,
        })
    }

    /// Where `fid` lies and how it is turned, by its reference lines.
    pub(super) fn pose(&self, fid: &[Complex64]) -> ShiftPhase {
        let dwell_s = self.window.dwell_s;
        let on_grid = shift_and_phase(fid, &self.prototype, dwell_s, self.max_shift_hz).shift_hz;
        let correlation = |shift_hz: f64| -> Complex64 {
            let step = -2.0 * PI * shift_hz * dwell_s;
            let turned = |n: usize| Complex64::from_polar(1.0, step * n as f64);
            self.prototype.iter().zip(fid).enumerate().map(|(n, (p, y))| p.conj() * y * turned(n)).sum()
        };
        // Between the grid's points by the parabola through three of them: there a phase of 1° is at stake.
        let bin_hz = 0.125 / (self.window.n_points as f64 * dwell_s);
        let [below, at, above] = [-1.0, 0.0, 1.0].map(|k| correlation(on_grid + k * bin_hz).norm());
        let curvature = below + above - 2.0 * at;
        let bins = if curvature < 0.0 { (0.5 * (below - above) / curvature).clamp(-1.0, 1.0) } else { 0.0 };
        let shift_hz = on_grid + bins * bin_hz;
        ShiftPhase { shift_hz, phi0_rad: correlation(shift_hz).arg() }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.window.ppm.len()
    }

    /// Areas of the peaks and coefficients of the background.
    pub(super) fn n_linear(&self) -> usize {
        self.peaks.len() + self.n_background
    }

    /// Terms of the background.
    pub(super) fn n_background(&self) -> usize {
        self.n_background
    }

    /// Place and width (ppm) of each peak, one after the other, then the phase (rad): at the start.
    pub(super) fn start(&self) -> Vec<f64> {
        self.peaks.iter().flat_map(|p| [p.peak.ppm, p.peak.fwhm_ppm[1]]).chain([0.0]).collect()
    }

    /// Bounds of places, widths and phase.
    pub(super) fn bounds(&self) -> Vec<[f64; 2]> {
        let of = |p: &PlacedPeak| {
            let (ppm, range, [least, _, most]) = (p.peak.ppm, p.peak.range_ppm, p.peak.fwhm_ppm);
            [[ppm - range, ppm + range], [least, most]]
        };
        self.peaks.iter().flat_map(of).chain([[-self.phase_range_rad, self.phase_range_rad]]).collect()
    }

    /// Columns at places, widths and phase `p`. A peak's coefficient is its signal at t = 0: its column has the area
    /// 1/(2·dwell) over frequency, as the real part of the transform of samples that begin with 1 has.
    pub(super) fn columns(&self, p: &[f64]) -> Columns {
        let rows = self.n_rows();
        let mut linear = Vec::with_capacity(rows * self.n_linear());
        let mut derivatives = vec![0.0; 2 * rows * self.peaks.len()];
        let mut by_phase = vec![0.0; rows * self.peaks.len()];
        let (sine, cosine) = p.last().copied().unwrap_or_default().sin_cos();
        for ((k, peak), at) in self.peaks.iter().enumerate().zip(p.chunks_exact(2)) {
            let (place, fwhm) = (at[0], at[1]);
            let fwhm_hz = fwhm * self.window.f0_mhz;
            let (by_place, by_width) = derivatives[2 * k * rows..2 * (k + 1) * rows].split_at_mut(rows);
            let unit = 1.0 / (2.0 * fwhm_hz * self.window.dwell_s);
            let d_phases = &mut by_phase[k * rows..(k + 1) * rows];
            let points = self.window.ppm.iter().zip(by_place).zip(by_width).zip(d_phases);
            for (((ppm, d_place), d_width), d_phase) in points {
                let x = (ppm - place) / fwhm;
                // Value for FWHM 1 and area 1, its derivatives with x and with the phase.
                let (value, slope, turned) = match peak.shape {
                    Shape::Gaussian => {
                        let value = 2.0 * (LN_2 / PI).sqrt() * (-4.0 * LN_2 * x * x).exp();
                        (value, -8.0 * LN_2 * x * value, 0.0)
                    }
                    Shape::Lorentzian => {
                        // Re e^{iφ}·(1 + 2ix)/(1 + 4x²): the chemical shift falls where frequencies rise.
                        let absorption = 2.0 / PI / (1.0 + 4.0 * x * x);
                        let value = absorption * (cosine - 2.0 * x * sine);
                        let slope = -absorption * 2.0 * sine - 4.0 * PI * x * absorption * value;
                        (value, slope, -absorption * (sine + 2.0 * x * cosine))
                    }
                };
                linear.push(unit * value);
                *d_place = -unit * slope / fwhm;
                *d_width = -unit * (slope * x + value) / fwhm;
                *d_phase = unit * turned;
            }
        }
        linear.extend_from_slice(&self.background);
        Columns { linear, derivatives, by_phase }
    }
}
