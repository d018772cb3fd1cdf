//! The band of the spectrum that is fitted, and the short transforms that reach only it.
//!
//! Data and model are compared on the bins of the 2× zero-filled spectrum inside the ppm window.
//! That band is a small part of the spectrum, and the modulation of a component during the fit
//! (shifts and widths of some Hz) moves nothing across it. So every component is carried as a
//! *band FID*: its spectrum cropped to the band plus a margin on either side with a smooth roll-off,
//! transformed back. It has far fewer samples than the FID, and a few at negative times (the
//! roll-off's ringing); multiplying it by the modulation and transforming gives the band of the
//! modulated component. The roll-off is a Gauss error function whose ringing dies within
//! [`NEGATIVE_SAMPLES`], which keeps the difference to the long transform below 1e-5 of the tallest
//! point for shifts and widths up to 30 Hz (tested in [`super::model`]).

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use crate::acquisition::{CARRIER_PPM, ppm_from_hz};
use crate::signal::fft::transform;

/// Samples of a band FID before t = 0 and after the end of the acquisition that hold the ringing of
/// the roll-off.
pub const NEGATIVE_SAMPLES: usize = 48;

/// Fraction of the band length that a margin on either side must have at least.
const MIN_MARGIN: f64 = 0.2;

/// Why a band cannot be laid out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BandError {
    /// The ppm window reaches beyond the spectral width.
    #[error(
        "the window {low_ppm}–{high_ppm} ppm reaches beyond the spectral width of {width_hz:.0} Hz at {f0_mhz:.3} MHz; narrow the window"
    )]
    OutsideSpectrum {
        /// Lower end of the window (ppm).
        low_ppm: f64,
        /// Upper end of the window (ppm).
        high_ppm: f64,
        /// Spectral width (Hz).
        width_hz: f64,
        /// Spectrometer frequency (MHz).
        f0_mhz: f64,
    },
    /// The window holds too few points to fit anything.
    #[error(
        "only {points} spectral points lie in the window; at least {needed} are needed (longer acquisition or wider window)"
    )]
    TooFewPoints {
        /// Points in the window.
        points: usize,
        /// Points needed.
        needed: usize,
    },
}

/// Where the fitted band lies in the 2× zero-filled spectrum, and its transforms.
#[derive(Clone)]
pub struct Band {
    /// Samples of an FID.
    pub n_points: usize,
    /// Time between two samples of an FID (s).
    pub dwell_s: f64,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Chemical shift of each fitted bin, falling.
    pub ppm: Vec<f64>,
    /// Time of each sample of a band FID, in transform order (negative times last) (s).
    pub time_s: Vec<f64>,
    /// Samples of a band FID that can be non-zero: `0..n_positive` and the last [`NEGATIVE_SAMPLES`].
    pub n_positive: usize,
    /// Signed index of the first cropped bin in the long spectrum (negative: below the carrier).
    first_crop: i64,
    /// Offset of the first fitted bin within the crop.
    offset: usize,
    long: Arc<dyn Fft<f64>>,
    short: Arc<dyn Fft<f64>>,
    short_inverse: Arc<dyn Fft<f64>>,
    roll_off: Vec<f64>,
}

impl Band {
    /// Lays out the band `low_ppm..=high_ppm` for FIDs of `n_points` samples.
    pub fn new(n_points: usize, dwell_s: f64, f0_mhz: f64, low_ppm: f64, high_ppm: f64) -> Result<Self, BandError> {
        const NEEDED: usize = 64;
        let bin_hz = 1.0 / (2.0 * n_points as f64 * dwell_s);
        let first = ((CARRIER_PPM - high_ppm) * f0_mhz / bin_hz).ceil() as i64;
        let last = ((CARRIER_PPM - low_ppm) * f0_mhz / bin_hz).floor() as i64;
        let half = n_points as i64;
        if first < -half || last >= half {
            return Err(BandError::OutsideSpectrum { low_ppm, high_ppm, width_hz: 1.0 / dwell_s, f0_mhz });
        }
        let n_window = usize::try_from(last - first + 1).unwrap_or(0);
        if n_window < NEEDED {
            return Err(BandError::TooFewPoints { points: n_window, needed: NEEDED });
        }
        Ok(Self::over_bins(n_points, dwell_s, f0_mhz, first, last))
    }

    /// The band of bins `first..=last` of the 2× zero-filled spectrum, counted from the carrier upwards in frequency
    /// and all within the spectrum.
    pub fn over_bins(n_points: usize, dwell_s: f64, f0_mhz: f64, first: i64, last: i64) -> Self {
        let n_long = 2 * n_points;
        let half = n_points as i64;
        let bin_hz = 1.0 / (n_long as f64 * dwell_s);
        let n_window = usize::try_from(last - first + 1).unwrap_or(0);
        let mut n_short = ((n_window as f64 / (1.0 - 2.0 * MIN_MARGIN)).ceil() as usize).next_power_of_two();
        let decimated = n_short < n_long;
        if !decimated {
            n_short = n_long;
        }
        let margin = (n_short - n_window) / 2;
        let first_crop = if decimated { first - margin as i64 } else { -half };
        let offset = usize::try_from(first - first_crop).unwrap_or(0);
        let sampling = n_short as f64 / n_long as f64;
        let (n_positive, roll_off) = if decimated {
            let n_positive = (n_points as f64 * sampling).ceil() as usize + NEGATIVE_SAMPLES;
            (n_positive.min(n_short - NEGATIVE_SAMPLES), roll_off(n_short, offset, n_window))
        } else {
            (n_points, vec![1.0; n_short])
        };
        let short_dwell_s = dwell_s / sampling;
        let n_negative = if decimated { NEGATIVE_SAMPLES } else { 0 };
        let time_s = (0..n_short)
            .map(|i| {
                let signed = if i < n_short - n_negative { i as f64 } else { i as f64 - n_short as f64 };
                signed * short_dwell_s
            })
            .collect();
        Self {
            n_points,
            dwell_s,
            f0_mhz,
            ppm: (first..=last).map(|k| ppm_from_hz(k as f64 * bin_hz, f0_mhz)).collect(),
            time_s,
            n_positive,
            first_crop,
            offset,
            long: transform(n_long, FftDirection::Forward),
            short: transform(n_short, FftDirection::Forward),
            short_inverse: transform(n_short, FftDirection::Inverse),
            roll_off,
        }
    }

    /// Number of fitted bins.
    pub fn n_window(&self) -> usize {
        self.ppm.len()
    }

    /// Samples of a band FID.
    pub fn n_short(&self) -> usize {
        self.time_s.len()
    }

    /// Width of a bin (Hz).
    pub fn bin_hz(&self) -> f64 {
        1.0 / (2.0 * self.n_points as f64 * self.dwell_s)
    }

    /// First fitted bin within a transformed band FID.
    pub fn window_offset(&self) -> usize {
        self.offset
    }

    /// First band-FID sample of the non-zero tail of negative times (the length if there is none).
    pub fn first_negative(&self) -> usize {
        if self.n_short() == 2 * self.n_points { self.n_short() } else { self.n_short() - NEGATIVE_SAMPLES }
    }

    /// Spectrum of an FID on the bins of the long transform.
    ///
    /// The first sample counts half: an FID starts at t = 0 with a step, and the Fourier integral over
    /// it takes the mean of both sides (trapezoidal rule). Data and basis are treated alike.
    fn long_spectrum(&self, fid: &[Complex64]) -> Vec<Complex64> {
        let mut buffer = vec![Complex64::default(); 2 * self.n_points];
        let n = fid.len().min(self.n_points);
        buffer[..n].copy_from_slice(&fid[..n]);
        if let Some(first) = buffer.first_mut() {
            *first *= 0.5;
        }
        self.long.process(&mut buffer);
        buffer
    }

    /// The fitted bins of the spectrum of `fid` (its first sample counts half).
    pub fn window_from_fid(&self, fid: &[Complex64]) -> Vec<Complex64> {
        let spectrum = self.long_spectrum(fid);
        let first = self.first_crop + self.offset as i64;
        (0..self.n_window()).map(|p| spectrum[self.wrap(first + p as i64)]).collect()
    }

    /// The band FID of `fid` (its first sample counts half).
    pub fn band_fid(&self, fid: &[Complex64]) -> Vec<Complex64> {
        let n_short = self.n_short();
        let spectrum = self.long_spectrum(fid);
        let mut band: Vec<Complex64> = (0..n_short)
            .map(|i| spectrum[self.wrap(self.first_crop + i as i64)] * self.roll_off[i] / n_short as f64)
            .collect();
        self.short_inverse.process(&mut band);
        let first_negative = self.first_negative();
        band[self.n_positive..first_negative].fill(Complex64::default());
        band
    }

    /// Transforms band FIDs laid end to end, in place; [`Self::window`] picks the fitted bins.
    pub fn transform(&self, band_fids: &mut [Complex64], scratch: &mut [Complex64]) {
        self.short.process_with_scratch(band_fids, scratch);
    }

    /// Where the samples of a band FID are that can be non-zero.
    pub fn signal(&self) -> [std::ops::Range<usize>; 2] {
        [0..self.n_positive, self.first_negative()..self.n_short()]
    }

    /// Length of the scratch that [`Self::transform`] needs.
    pub fn scratch_len(&self) -> usize {
        self.short.get_inplace_scratch_len()
    }

    /// The fitted bins of one transformed band FID.
    pub fn window<'a, T>(&self, transformed: &'a [T]) -> &'a [T] {
        &transformed[self.offset..self.offset + self.n_window()]
    }

    fn wrap(&self, k: i64) -> usize {
        k.rem_euclid(2 * self.n_points as i64) as usize
    }
}

/// 1 over the window, falling to 0 at both ends of the crop like a Gauss error function.
fn roll_off(n_short: usize, offset: usize, n_window: usize) -> Vec<f64> {
    // Five standard deviations between the middle of the slope and either of its ends: 3e-7 of the
    // slope is cut off at each, and the ringing is a Gaussian of 5·n/(π·margin) samples.
    let edge = |distance: f64, margin: f64| {
        let sd = margin / 10.0;
        0.5 * libm::erfc((distance - margin / 2.0) / (sd * std::f64::consts::SQRT_2))
    };
    (0..n_short)
        .map(|i| {
            if i < offset {
                edge((offset - i) as f64, offset as f64)
            } else if i >= offset + n_window {
                edge((i + 1 - offset - n_window) as f64, (n_short - offset - n_window) as f64)
            } else {
                1.0
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_band_fid_of_an_unmodulated_component_has_its_window() {
        let band = Band::new(2048, 2.5e-4, 123.2, 0.2, 4.2).unwrap();
        let fid: Vec<Complex64> = (0..2048)
            .map(|n| Complex64::new(-6.0, 2.0 * std::f64::consts::PI * 325.0).scale(n as f64 * 2.5e-4).exp())
            .collect();
        let exact = band.window_from_fid(&fid);
        let mut short = band.band_fid(&fid);
        let mut scratch = vec![Complex64::default(); band.scratch_len()];
        band.transform(&mut short, &mut scratch);
        let tallest = exact.iter().map(|z| z.norm()).fold(0.0, f64::max);
        for (a, b) in band.window(&short).iter().zip(&exact) {
            assert!((a - b).norm() < 1e-6 * tallest, "{a} {b} of {tallest}");
        }
    }

    #[test]
    fn a_window_beyond_the_spectral_width_is_refused() {
        assert!(matches!(Band::new(1024, 2e-3, 123.2, 0.2, 4.2), Err(BandError::OutsideSpectrum { .. })));
        assert!(matches!(Band::new(16, 2.5e-4, 123.2, 0.2, 4.2), Err(BandError::TooFewPoints { .. })));
    }
}
