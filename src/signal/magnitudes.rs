//! The magnitude spectrum: heights of metabolites, water and lipids, and the signal-to-noise ratio.

use std::f64::consts::PI;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::fft::{signed_bin, transform};
use super::noise::noise_sd;
use crate::acquisition::ppm_from_hz;

/// Chemical shifts of NAA, creatine and choline, where the tail of water is small (ppm).
pub const METABOLITES_PPM: (f64, f64) = (1.8, 3.4);
/// Chemical shifts of water, whatever its shim (ppm); nothing that is fitted lies there.
pub const WATER_PPM: (f64, f64) = (4.35, 5.2);
/// Chemical shifts of the methyl and methylene groups of lipids (ppm).
const LIPIDS_PPM: (f64, f64) = (0.8, 1.5);
/// Chemical shifts of NAA's singlet (ppm).
const NAA_PPM: (f64, f64) = (1.9, 2.1);

/// A magnitude spectrum.
pub struct Magnitudes<'a> {
    fid: &'a [Complex64],
    /// Chemical shift (ppm) and magnitude of each point.
    points: Vec<(f64, f64)>,
    /// Root of the window's sum of squares: what becomes of a sample's noise.
    gain: f64,
}

impl<'a> Magnitudes<'a> {
    /// Of `fid`. A window (half of Hann's) keeps the side lobes of a cut water signal out of the metabolites.
    pub fn new(fid: &'a [Complex64], dwell_s: f64, f0_mhz: f64) -> Self {
        let n = fid.len();
        let window: Vec<f64> = (0..n).map(|i| 0.5 + 0.5 * (PI * i as f64 / n as f64).cos()).collect();
        let mut spectrum: Vec<Complex64> = fid.iter().zip(&window).map(|(z, w)| z * w).collect();
        spectrum.resize(2 * n, Complex64::default());
        transform(2 * n, FftDirection::Forward).process(&mut spectrum);
        let shift_ppm = |k: usize| ppm_from_hz(signed_bin(k, 2 * n) / (2.0 * n as f64 * dwell_s), f0_mhz);
        let points = spectrum.iter().enumerate().map(|(k, z)| (shift_ppm(k), z.norm_sqr().sqrt())).collect();
        let gain = window.iter().map(|w| w * w).sum::<f64>().sqrt();
        Self { fid, points, gain }
    }

    /// The tallest point between two chemical shifts (ppm).
    pub fn tallest(&self, (low, high): (f64, f64)) -> f64 {
        self.points.iter().filter(|(ppm, _)| (low..=high).contains(ppm)).map(|(_, m)| *m).fold(0.0, f64::max)
    }

    /// Standard deviation of the noise in the real part of a point; `None` without noise.
    pub(crate) fn noise(&self) -> Option<f64> {
        noise_sd(self.fid).map(|sd| sd * self.gain)
    }

    /// The tallest point of an exponential of this size at t = 0 that decays by `rate` from sample to sample.
    pub(crate) fn height_of(&self, size: f64, rate: f64) -> f64 {
        let n = self.fid.len() as f64;
        let weight = |i: usize| (0.5 + 0.5 * (PI * i as f64 / n).cos()) * (rate * i as f64).exp();
        size * (0..self.fid.len()).map(weight).sum::<f64>()
    }

    /// Tallest metabolite peak over twice the noise of the real part; `None` without noise. The noise is looked for when this is
    /// asked: that takes longer than the spectrum.
    pub fn snr(&self) -> Option<f64> {
        noise_sd(self.fid).map(|sd| self.tallest(METABOLITES_PPM) / (2.0 * (sd * self.gain)))
    }

    /// Tallest peak of the lipids over that of NAA.
    pub fn lipid_index(&self) -> Option<f64> {
        let naa = self.tallest(NAA_PPM);
        (naa > 0.0).then(|| self.tallest(LIPIDS_PPM) / naa)
    }
}
