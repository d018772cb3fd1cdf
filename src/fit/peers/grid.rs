//! What is compared: bins of a spectrum or samples of an FID, and how components get there.
//!
//! Where spectra are compared, components are carried as band FIDs ([`Band`]), in the order of time and without the
//! samples that are zero: a third of the samples and a quarter of the transform of an FID.

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use super::settings::{Domain, Samples, Settings};
use crate::acquisition::{CARRIER_PPM, ppm_from_hz};
use crate::fit::band::{Band, BandError};
use crate::signal::fft::transform;

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
    /// Time of each sample of a carried FID, evenly spaced (s).
    pub(super) time_s: Vec<f64>,
    /// What carries components where spectra are compared …
    band: Option<Band>,
    /// … and the window's first bin in it.
    first_in_band: usize,
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
        let (first_sample, n_observed) = match settings.samples {
            Some(samples) if domain == Domain::Time => compared_samples(samples, n_points, dwell_s),
            _ => (0, ppm.len()),
        };
        if n_observed < NEEDED {
            return Err(BandError::TooFewPoints { points: n_observed, needed: NEEDED });
        }
        let fft = transform(n_transform, FftDirection::Forward);
        let zero_fill = (2 * n_points / n_transform) as i64;
        let band = (domain != Domain::Time)
            .then(|| Band::over_bins(n_points, dwell_s, f0_mhz, zero_fill * first_bin, zero_fill * last_bin));
        let first_in_band = band.as_ref().map_or(0, Band::window_offset);
        let time_s = match &band {
            Some(band) => times_of(band),
            None => (0..n_points).map(|j| j as f64 * dwell_s).collect(),
        };
        Ok(Self {
            n_points,
            dwell_s,
            f0_mhz,
            domain,
            n_transform,
            first_bin,
            ppm,
            first_sample,
            n_observed,
            time_s,
            band,
            first_in_band,
            fft,
        })
    }

    /// The bins within [low, high] of the window, for the same carried FIDs, and the place of the first in the window;
    /// `None` where these are few, or samples are compared.
    pub(super) fn part(&self, [low, high]: [f64; 2]) -> Option<(Self, usize)> {
        let first = self.ppm.iter().position(|ppm| *ppm <= high)?;
        let ppm: Vec<f64> = self.ppm[first..].iter().copied().take_while(|ppm| *ppm >= low).collect();
        (self.domain != Domain::Time && ppm.len() >= NEEDED).then(|| {
            let part = Self {
                first_bin: self.first_bin + first as i64,
                first_in_band: self.first_in_band + first * self.zero_fill(),
                n_observed: ppm.len(),
                ppm,
                ..self.clone()
            };
            (part, first)
        })
    }

    /// First sample that is compared, where samples are.
    pub(super) fn first_sample(&self) -> usize {
        self.first_sample
    }

    /// Samples of a carried FID.
    pub(super) fn n_carried(&self) -> usize {
        self.time_s.len()
    }

    /// Time between two samples of a carried FID (s).
    pub(super) fn carried_dwell_s(&self) -> f64 {
        self.time_s[1] - self.time_s[0]
    }

    /// Points of a lineshape over frequency, twice as fine as an FID's own transform, as it acts on carried FIDs.
    pub(super) fn n_line(&self) -> usize {
        self.band.as_ref().map_or(2 * self.n_points, Band::n_short)
    }

    /// Where t = 0 is in a carried FID.
    pub(super) fn origin(&self) -> usize {
        self.band.as_ref().map_or(0, |band| band.n_short() - band.first_negative())
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
        let (n_short, short_scratch) = self.band.as_ref().map_or((0, 0), |band| (band.n_short(), band.scratch_len()));
        Scratch {
            buffer: vec![Complex64::default(); self.n_transform],
            short: vec![Complex64::default(); n_short],
            fft: vec![Complex64::default(); self.fft.get_inplace_scratch_len().max(short_scratch)],
        }
    }

    /// `fid` as it is carried.
    pub(super) fn carry(&self, fid: &[Complex64]) -> Vec<Complex64> {
        match &self.band {
            Some(band) => {
                let samples = band.band_fid(fid);
                let (positive, negative) = (&samples[..band.n_positive], &samples[band.first_negative()..]);
                [negative, positive].concat()
            }
            None => fid.to_vec(),
        }
    }

    /// What is compared of a carried FID.
    pub(super) fn observe_carried(&self, carried: &[Complex64], scratch: &mut Scratch, out: &mut [Complex64]) {
        let Some(band) = &self.band else {
            out.copy_from_slice(&carried[self.first_sample..self.first_sample + self.n_observed]);
            return;
        };
        let (negative, positive) = carried.split_at(self.origin());
        scratch.short[..band.n_positive].copy_from_slice(positive);
        scratch.short[band.n_positive..band.first_negative()].fill(Complex64::default());
        scratch.short[band.first_negative()..].copy_from_slice(negative);
        band.transform(&mut scratch.short, &mut scratch.fft[..band.scratch_len()]);
        let every = scratch.short[self.first_in_band..].iter().step_by(self.zero_fill());
        out.iter_mut().zip(every).for_each(|(o, z)| *o = *z);
    }

    /// Samples of the transform of carried FIDs, its first compared bin and the distance of two; `None` where samples are
    /// compared.
    pub(super) fn transform(&self) -> Option<(usize, usize, usize)> {
        self.band.as_ref().map(|band| (band.n_short(), self.first_in_band, self.zero_fill()))
    }

    /// Bins of the spectrum zero-filled twofold from one compared bin to the next.
    fn zero_fill(&self) -> usize {
        2 * self.n_points / self.n_transform
    }

    /// The whole spectrum of an FID of at most `n_points` samples, into the scratch. The first sample counts half.
    pub(super) fn spectrum<'a>(&self, fid: &[Complex64], scratch: &'a mut Scratch) -> &'a [Complex64] {
        scratch.buffer[..fid.len()].copy_from_slice(fid);
        scratch.buffer[fid.len()..].fill(Complex64::default());
        scratch.buffer[0] *= 0.5;
        let needed = self.fft.get_inplace_scratch_len();
        self.fft.process_with_scratch(&mut scratch.buffer, &mut scratch.fft[..needed]);
        &scratch.buffer
    }

    /// What is compared of a whole FID: the window's bins, or the samples.
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

    /// Adjoint of [`Self::observe_carried`] without conjugates: Σ_j q_j·(observed point j) = Σ_n out_n·(sample n) for any
    /// carried FID.
    pub(super) fn adjoint(&self, q: &[Complex64], scratch: &mut Scratch, out: &mut [Complex64]) {
        let Some(band) = &self.band else {
            out.fill(Complex64::default());
            out[self.first_sample..self.first_sample + self.n_observed].copy_from_slice(q);
            return;
        };
        scratch.short.fill(Complex64::default());
        let every = scratch.short[self.first_in_band..].iter_mut().step_by(self.zero_fill());
        every.zip(q).for_each(|(o, z)| *o = *z);
        band.transform(&mut scratch.short, &mut scratch.fft[..band.scratch_len()]);
        let (negative, positive) = out.split_at_mut(self.origin());
        positive.copy_from_slice(&scratch.short[..band.n_positive]);
        negative.copy_from_slice(&scratch.short[band.first_negative()..]);
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

/// First sample that is compared, and how many.
fn compared_samples(samples: Samples, n_points: usize, dwell_s: f64) -> (usize, usize) {
    let first = ((samples.first_s / dwell_s).round() as usize).max(samples.first_samples);
    let end = ((samples.last_fraction * n_points as f64).round() as usize).min(n_points);
    (first, end.saturating_sub(first))
}

/// Times of a band's samples, the negative ones first (s).
fn times_of(band: &Band) -> Vec<f64> {
    let negative = band.n_short() - band.first_negative();
    let (first, step_s) = (-(negative as f64), band.time_s[1]);
    (0..negative + band.n_positive).map(|j| (first + j as f64) * step_s).collect()
}

/// Buffers of a transform.
pub(super) struct Scratch {
    buffer: Vec<Complex64>,
    short: Vec<Complex64>,
    fft: Vec<Complex64>,
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
