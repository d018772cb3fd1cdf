//! The window of a real spectrum that peaks are fitted to, and what its points make of noise.

use std::f64::consts::PI;
use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use crate::acquisition::{CARRIER_PPM, ppm_from_hz};
use crate::fit::band::BandError;
use crate::fit::start::ShiftPhase;
use crate::signal::fft::transform;

/// Fewest points that are fitted.
const NEEDED: usize = 64;

/// A window of the spectrum, zero-filled twofold and broadened.
pub(super) struct Window {
    pub(super) n_points: usize,
    pub(super) dwell_s: f64,
    pub(super) f0_mhz: f64,
    pub(super) line_broadening_hz: f64,
    /// Chemical shift of each point, falling.
    pub(super) ppm: Vec<f64>,
    first_bin: i64,
    /// What each sample is multiplied with: the broadening, and one half for the first.
    decay: Vec<f64>,
    fft: Arc<dyn Fft<f64>>,
}

impl Window {
    pub(super) fn new(
        [low, high]: [f64; 2],
        line_broadening_hz: f64,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
    ) -> Result<Self, BandError> {
        let n_transform = 2 * n_points;
        let bin_hz = 1.0 / (n_transform as f64 * dwell_s);
        let first_bin = ((CARRIER_PPM - high) * f0_mhz / bin_hz).ceil() as i64;
        let last_bin = ((CARRIER_PPM - low) * f0_mhz / bin_hz).floor() as i64;
        if first_bin < -(n_points as i64) || last_bin >= n_points as i64 {
            let width_hz = 1.0 / dwell_s;
            return Err(BandError::OutsideSpectrum { low_ppm: low, high_ppm: high, width_hz, f0_mhz });
        }
        let ppm: Vec<f64> = (first_bin..=last_bin).map(|k| ppm_from_hz(k as f64 * bin_hz, f0_mhz)).collect();
        if ppm.len() < NEEDED {
            return Err(BandError::TooFewPoints { points: ppm.len(), needed: NEEDED });
        }
        let mut decay: Vec<f64> =
            (0..n_points).map(|n| (-PI * line_broadening_hz * n as f64 * dwell_s).exp()).collect();
        decay.iter_mut().take(1).for_each(|first| *first *= 0.5);
        let fft = transform(n_transform, FftDirection::Forward);
        Ok(Self { n_points, dwell_s, f0_mhz, line_broadening_hz, ppm, first_bin, decay, fft })
    }

    /// Real part of the window of `fid`, moved and turned back by `pose`.
    pub(super) fn of(&self, fid: &[Complex64], pose: ShiftPhase) -> Vec<f64> {
        let mut buffer: Vec<Complex64> = fid.iter().zip(self.factors(pose)).map(|(z, factor)| z * factor).collect();
        buffer.resize(2 * self.n_points, Complex64::default());
        self.fft.process(&mut buffer);
        (0..self.ppm.len()).map(|k| buffer[self.bin(k)].re).collect()
    }

    /// The samples h with Σ g_k·y_k = Re Σ h_n·e_n for the window y of an FID e.
    pub(super) fn sensitivity(&self, g: &[f64], pose: ShiftPhase) -> Vec<Complex64> {
        let mut buffer = vec![Complex64::default(); 2 * self.n_points];
        for (k, &value) in g.iter().enumerate() {
            buffer[self.bin(k)].re = value;
        }
        // Σ_k g_k·exp(−2πi·k·n/N): a transform once more.
        self.fft.process(&mut buffer);
        buffer.iter().zip(self.factors(pose)).map(|(z, factor)| z * factor).collect()
    }

    /// Variance of a point of the window over that of a sample's real part.
    pub(super) fn point_variance(&self) -> f64 {
        self.decay.iter().map(|d| d * d).sum()
    }

    fn bin(&self, k: usize) -> usize {
        (self.first_bin + k as i64).rem_euclid(2 * self.n_points as i64) as usize
    }

    fn factors(&self, pose: ShiftPhase) -> impl Iterator<Item = Complex64> {
        let step = -2.0 * PI * pose.shift_hz * self.dwell_s;
        self.decay.iter().enumerate().map(move |(n, d)| Complex64::from_polar(*d, step * n as f64 - pose.phi0_rad))
    }
}
