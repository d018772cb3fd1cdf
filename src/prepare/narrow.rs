//! Where two conditions of edited data lie apart, by their narrow lines alone.
//!
//! In bands whose lines editing leaves as they are, wings of what it changes (GABA and its macromolecules, Glx) still
//! differ. Across a narrow band wings are straight, so what differs by a straight line does not count:
//!
//! ```text
//! min over shift f and phase φ of  Σ_bands ‖ (1 − P)·( R − transform(x·e^{−i(φ + 2πft)}) ) ‖²,   P onto 1 and ν
//! ```

use std::f64::consts::PI;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::align::{Offset, undo_offset};
use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform};

/// Lines are broadened by so much (FWHM, Hz), which keeps the late noise of the samples out.
const BROADENING_HZ: f64 = 2.0;
/// Gauss–Newton steps: each squares the error.
const STEPS: usize = 8;
/// How far the steps may lead from where they start (Hz): beyond, they have lost the lines.
const NEAR_HZ: f64 = 2.0;

/// The bands that are compared.
pub(super) struct Narrow {
    n_points: usize,
    dwell_s: f64,
    /// Bins of each band.
    bands: Vec<Vec<usize>>,
}

impl Narrow {
    /// For FIDs of at least `n_points` samples.
    pub(super) fn new(bands_ppm: &[(f64, f64)], n_points: usize, dwell_s: f64, f0_mhz: f64) -> Self {
        let n = 2 * n_points;
        let ppm = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * dwell_s), f0_mhz);
        // In the order of frequency: a band may lie on both sides of the spectrum's ends.
        let bins = |(low, high): &(f64, f64)| {
            (n_points..n).chain(0..n_points).filter(|&k| (*low..=*high).contains(&ppm(k))).collect()
        };
        Self { n_points, dwell_s, bands: bands_ppm.iter().map(bins).collect() }
    }

    /// The bands of `fid`, one after the other, each less its straight line.
    fn lines(&self, fid: &[Complex64]) -> Vec<Complex64> {
        let decay = |n: usize| (-PI * BROADENING_HZ * n as f64 * self.dwell_s).exp() * if n == 0 { 0.5 } else { 1.0 };
        let mut spectrum: Vec<Complex64> =
            fid.iter().take(self.n_points).enumerate().map(|(n, z)| z * decay(n)).collect();
        spectrum.resize(2 * self.n_points, Complex64::default());
        transform(2 * self.n_points, FftDirection::Forward).process(&mut spectrum);
        let straightened = |bins: &Vec<usize>| -> Vec<Complex64> {
            let centre = 0.5 * (bins.len() as f64 - 1.0);
            let x = |i: usize| i as f64 - centre;
            let values: Vec<Complex64> = bins.iter().map(|&k| spectrum[k]).collect();
            let mean = values.iter().sum::<Complex64>() / values.len().max(1) as f64;
            let along: Complex64 = values.iter().enumerate().map(|(i, v)| v * x(i)).sum();
            let square: f64 = (0..values.len()).map(|i| x(i) * x(i)).sum();
            let slope = along / square.max(1.0);
            values.iter().enumerate().map(|(i, v)| v - mean - slope * x(i)).collect()
        };
        self.bands.iter().flat_map(straightened).collect()
    }

    /// Energy of the lines of `fid`.
    pub(super) fn energy(&self, fid: &[Complex64]) -> f64 {
        self.lines(fid).iter().map(|z| z.norm_sqr()).sum()
    }

    /// Energy of what the lines of two FIDs differ by.
    pub(super) fn apart(&self, fid: &[Complex64], reference: &[Complex64]) -> f64 {
        self.lines(fid).iter().zip(self.lines(reference)).map(|(a, b)| (a - b).norm_sqr()).sum()
    }

    /// Where `fid` lies beside `reference`, from `start`; that itself where no better offset is near it.
    pub(super) fn refine(&self, fid: &[Complex64], reference: &[Complex64], start: Offset) -> Offset {
        let reference = self.lines(reference);
        let mut offset = start;
        for _ in 0..STEPS {
            let mut turned = fid.to_vec();
            undo_offset(&mut turned, &offset, self.dwell_s);
            let own = self.lines(&turned);
            let by_phase: Vec<Complex64> = own.iter().map(|z| -Complex64::i() * z).collect();
            turned.iter_mut().enumerate().for_each(|(n, z)| {
                *z *= Complex64::new(0.0, -2.0 * PI * n as f64 * self.dwell_s);
            });
            let by_shift = self.lines(&turned);
            let left: Vec<Complex64> = reference.iter().zip(&own).map(|(r, z)| r - z).collect();
            let (pp, ss, ps) = (dot(&by_phase, &by_phase), dot(&by_shift, &by_shift), dot(&by_phase, &by_shift));
            let (p, s) = (dot(&by_phase, &left), dot(&by_shift, &left));
            let determinant = pp * ss - ps * ps;
            offset.phase_rad += (ss * p - ps * s) / determinant;
            offset.shift_hz += (pp * s - ps * p) / determinant;
            // A spectrum without lines has no determinant, and ends here as well.
            let is_near = (offset.shift_hz - start.shift_hz).abs() <= NEAR_HZ && offset.phase_rad.is_finite();
            if !is_near {
                return start;
            }
        }
        offset
    }
}

/// Real part of the inner product.
fn dot(a: &[Complex64], b: &[Complex64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.re * b.re + a.im * b.im).sum()
}
