//! What is compared: bins of a spectrum or samples of an FID, and how components get there.

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use super::super::band::BandError;
use super::settings::{Domain, Settings};
use crate::acquisition::{CARRIER_PPM, ppm_from_hz};

/// Fewest points that are fitted.
const NEEDED: usize = 64;

/// Where data and model are compared.
#[derive(Clone)]
pub(super) struct Grid {
    pub(super) n_points: usize,
    pub(super) dwell_s: f64,
    pub(super) f0_mhz: f64,
    pub(super) domain: Domain,
    /// Length of the transform.
    pub(super) n_transform: usize,
    /// First bin of the window, counted from the carrier upwards in frequency.
    pub(super) first_bin: i64,
    /// Chemical shift of each bin of the window, falling.
    pub(super) ppm: Vec<f64>,
    /// First sample that is compared (time domain).
    first_sample: usize,
    /// Points that are compared.
    pub(super) n_observed: usize,
    fft: Arc<dyn Fft<f64>>,
}

impl Grid {
    pub(super) fn new(settings: &Settings, n_points: usize, dwell_s: f64, f0_mhz: f64) -> Result<Self, BandError> {
        Self::in_domain(settings, settings.domain, n_points, dwell_s, f0_mhz)
    }

    /// The grid of the window in another domain than the method's.
    pub(super) fn in_domain(
        settings: &Settings,
        domain: Domain,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
    ) -> Result<Self, BandError> {
        let n_transform = match domain {
            Domain::RealSpectrum => 2 * n_points,
            Domain::ComplexSpectrum | Domain::Time => n_points,
        };
        let bin_hz = 1.0 / (n_transform as f64 * dwell_s);
        let [low, high] = settings.window_ppm;
        // Nearest bins, as LCModel has them.
        let first_bin = ((CARRIER_PPM - high) * f0_mhz / bin_hz).round() as i64;
        let last_bin = ((CARRIER_PPM - low) * f0_mhz / bin_hz).round() as i64;
        let half = (n_transform / 2) as i64;
        if first_bin < -half || last_bin >= half {
            let width_hz = 1.0 / dwell_s;
            return Err(BandError::OutsideSpectrum { low_ppm: low, high_ppm: high, width_hz, f0_mhz });
        }
        let ppm: Vec<f64> = (first_bin..=last_bin).map(|k| ppm_from_hz(k as f64 * bin_hz, f0_mhz)).collect();
        let mut first_sample = 0;
        let mut n_observed = ppm.len();
        if domain == Domain::Time
            && let Some(samples) = settings.samples
        {
            first_sample = ((samples.first_s / dwell_s).round() as usize).max(samples.first_samples);
            let end = ((samples.last_fraction * n_points as f64).round() as usize).min(n_points);
            n_observed = end.saturating_sub(first_sample);
        }
        if n_observed < NEEDED {
            return Err(BandError::TooFewPoints { points: n_observed, needed: NEEDED });
        }
        let fft = FftPlanner::new().plan_fft_forward(n_transform);
        Ok(Self { n_points, dwell_s, f0_mhz, domain, n_transform, first_bin, ppm, first_sample, n_observed, fft })
    }

    /// Width of a bin (Hz).
    pub(super) fn bin_hz(&self) -> f64 {
        1.0 / (self.n_transform as f64 * self.dwell_s)
    }

    /// Distance of bins (ppm).
    pub(super) fn bin_ppm(&self) -> f64 {
        self.bin_hz() / self.f0_mhz
    }

    /// Real numbers that are compared.
    pub(super) fn n_rows(&self) -> usize {
        match self.domain {
            Domain::RealSpectrum => self.n_observed,
            Domain::ComplexSpectrum | Domain::Time => 2 * self.n_observed,
        }
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            buffer: vec![Complex64::default(); self.n_transform],
            fft: vec![Complex64::default(); self.fft.get_inplace_scratch_len()],
        }
    }

    /// The whole spectrum of an FID of at most `n_points` samples, into the scratch. The first sample counts half.
    pub(super) fn spectrum<'a>(&self, fid: &[Complex64], scratch: &'a mut Scratch) -> &'a [Complex64] {
        scratch.buffer[..fid.len()].copy_from_slice(fid);
        scratch.buffer[fid.len()..].fill(Complex64::default());
        scratch.buffer[0] *= 0.5;
        self.fft.process_with_scratch(&mut scratch.buffer, &mut scratch.fft);
        &scratch.buffer
    }

    /// What is compared of an FID: the window's bins, or the samples.
    pub(super) fn observe(&self, fid: &[Complex64], scratch: &mut Scratch, out: &mut [Complex64]) {
        if self.domain == Domain::Time {
            out.copy_from_slice(&fid[self.first_sample..self.first_sample + self.n_observed]);
        } else {
            let spectrum = self.spectrum(fid, scratch);
            self.pick(spectrum, 0, out);
        }
    }

    /// The window's bins of a spectrum that is moved down by `shift` bins.
    pub(super) fn pick(&self, spectrum: &[Complex64], shift: i64, out: &mut [Complex64]) {
        let n = self.n_transform as i64;
        for (k, o) in out.iter_mut().enumerate() {
            *o = spectrum[(self.first_bin + shift + k as i64).rem_euclid(n) as usize];
        }
    }

    /// Adjoint of [`Self::observe`] without conjugates: Σ_j q_j·(observed point j) = Σ_n out_n·(sample n) for any FID.
    pub(super) fn adjoint(&self, q: &[Complex64], scratch: &mut Scratch, out: &mut [Complex64]) {
        if self.domain == Domain::Time {
            out.fill(Complex64::default());
            out[self.first_sample..self.first_sample + self.n_observed].copy_from_slice(q);
            return;
        }
        scratch.buffer.fill(Complex64::default());
        let n = self.n_transform as i64;
        for (k, z) in q.iter().enumerate() {
            scratch.buffer[(self.first_bin + k as i64).rem_euclid(n) as usize] = *z;
        }
        self.fft.process_with_scratch(&mut scratch.buffer, &mut scratch.fft);
        out.copy_from_slice(&scratch.buffer[..out.len()]);
        out[0] *= 0.5;
    }

    /// Real numbers of complex ones: their real parts, and imaginary parts after them where both are compared.
    pub(super) fn real_rows(&self, from: impl Iterator<Item = Complex64>, out: &mut [f64]) {
        match self.domain {
            Domain::RealSpectrum => out.iter_mut().zip(from).for_each(|(o, z)| *o = z.re),
            Domain::ComplexSpectrum | Domain::Time => {
                let (re, im) = out.split_at_mut(self.n_observed);
                for ((r, i), z) in re.iter_mut().zip(im).zip(from) {
                    (*r, *i) = (z.re, z.im);
                }
            }
        }
    }

    /// Variance of a row where real and imaginary part of a sample have variance `noise_sd`² each.
    pub(super) fn row_variance(&self, noise_sd: f64) -> f64 {
        match self.domain {
            Domain::Time => noise_sd * noise_sd,
            Domain::RealSpectrum | Domain::ComplexSpectrum => self.n_points as f64 * noise_sd * noise_sd,
        }
    }
}

/// Buffers of a transform.
pub(super) struct Scratch {
    buffer: Vec<Complex64>,
    fft: Vec<Complex64>,
}
