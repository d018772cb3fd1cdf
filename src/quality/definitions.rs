//! Signal to noise and linewidths as other programs define them, of samples that are shifted and phased.
//!
//! What is called SNR or FWHM differs between programs by factors; limits hold for the definition that they were made with.
//! - Osprey 2.5 (`op_get_Multispectra_SNR`, `op_get_Multispectra_LW`, Oeltzschner et al. 2020,
//!   <https://doi.org/10.1016/j.jneumeth.2020.108827>), whose functions are FID-A's (Simpson et al. 2017,
//!   <https://doi.org/10.1002/mrm.26091>).
//! - FSL-MRS 2 (`utils/qc.py`, Clarke et al. 2021, <https://doi.org/10.1002/mrm.28630>).
//! - LCModel 6.3 (manual, section 4).

mod lorentz;

use num_complex::Complex64;
use rustfft::FftDirection;

use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform};

/// Chemical shifts between which the singlet of creatine is looked for (ppm).
pub const CREATINE_PPM: (f64, f64) = (2.9, 3.1);
/// The same of NAA.
pub const NAA_PPM: (f64, f64) = (1.8, 2.2);
/// Chemical shifts between which Osprey and FID-A take the noise (ppm).
const NOISE_PPM: (f64, f64) = (-2.0, 0.0);
/// Fewest points of noise whose trend of second order can be taken away.
const FEWEST: usize = 8;
/// Zero-filling for linewidths.
const ZERO_FILL: usize = 8;
/// FSL-MRS: metabolites lie between these (ppm), noise outside the others.
const FSL_METABOLITES_PPM: (f64, f64) = (0.2, 4.2);
const FSL_NOISE_PPM: (f64, f64) = (-2.0, 10.0);
/// FSL-MRS: fewer points of noise are too few, and so many of each end of the spectrum are added.
const FSL_FEWEST: usize = 100;
const FSL_ENDS: usize = 50;

/// A spectrum that is shifted and phased.
pub struct Phased<'a> {
    fid: &'a [Complex64],
    dwell_s: f64,
    f0_mhz: f64,
    /// Chemical shift (ppm, rising) and value of each point of the plain transform.
    points: Vec<(f64, Complex64)>,
}

impl<'a> Phased<'a> {
    /// The spectrum of `fid`.
    pub fn new(fid: &'a [Complex64], dwell_s: f64, f0_mhz: f64) -> Self {
        Self { fid, dwell_s, f0_mhz, points: spectrum(fid, fid.len(), dwell_s, f0_mhz) }
    }

    /// Mean of the real noise between −2 and 0 ppm, and its standard deviation about a trend of second order.
    pub fn noise_osprey(&self) -> Option<(f64, f64)> {
        let noise: Vec<(f64, f64)> = real_between(&self.points, NOISE_PPM).collect();
        if noise.len() < FEWEST {
            return None;
        }
        let n = noise.len() as f64;
        let mean = noise.iter().map(|p| p.1).sum::<f64>() / n;
        let rest = detrended(&noise, 2);
        let sd = (rest.iter().map(|v| v * v).sum::<f64>() / (n - 1.0)).sqrt();
        (sd > 0.0).then_some((mean, sd))
    }

    /// Osprey's SNR: tallest magnitude in the band less the mean noise, over the noise's standard deviation (no factor 2).
    pub fn snr_osprey(&self, band_ppm: (f64, f64)) -> Option<f64> {
        let (mean, sd) = self.noise_osprey()?;
        Some((self.tallest(band_ppm)? - mean) / sd)
    }

    /// FID-A's SNR: tallest magnitude in the band over the noise's standard deviation.
    pub fn snr_fida(&self, band_ppm: (f64, f64)) -> Option<f64> {
        Some(self.tallest(band_ppm)? / self.noise_osprey()?.1)
    }

    fn tallest(&self, band_ppm: (f64, f64)) -> Option<f64> {
        between(&self.points, band_ppm).map(|p| p.1.norm()).reduce(f64::max)
    }

    /// Osprey's linewidth (Hz): the mean of both ways to measure it.
    pub fn fwhm_osprey_hz(&self, band_ppm: (f64, f64)) -> Option<f64> {
        let line = self.line(band_ppm)?;
        Some(0.5 * (half_height_ppm(&line)? + lorentz::fwhm_ppm(&line)?) * self.f0_mhz)
    }

    /// Linewidth (Hz) from the first to the last point of the band that is at least half as high as the tallest, zero-filled
    /// eightfold.
    pub fn fwhm_half_height_hz(&self, band_ppm: (f64, f64)) -> Option<f64> {
        Some(half_height_ppm(&self.line(band_ppm)?)? * self.f0_mhz)
    }

    /// Linewidth (Hz) of a Lorentzian line with a phase over a constant, fitted to the band, zero-filled eightfold.
    pub fn fwhm_lorentz_hz(&self, band_ppm: (f64, f64)) -> Option<f64> {
        Some(lorentz::fwhm_ppm(&self.line(band_ppm)?)? * self.f0_mhz)
    }

    /// The real spectrum in a band, zero-filled.
    fn line(&self, band_ppm: (f64, f64)) -> Option<Vec<(f64, f64)>> {
        let fine = spectrum(self.fid, ZERO_FILL * self.fid.len(), self.dwell_s, self.f0_mhz);
        let line: Vec<(f64, f64)> = real_between(&fine, band_ppm).collect();
        (line.len() >= FEWEST).then_some(line)
    }

    /// FSL-MRS's SNR of the spectrum: tallest real point from 0.2 to 4.2 ppm over √2 times the standard deviation of the real
    /// noise. Where the outer quarters of the spectrum are quieter or noisier than the rest, as after oversampling, the noise
    /// is that of the rest.
    pub fn snr_fsl(&self) -> Option<f64> {
        // The first sample counts half, which takes a constant out of the spectrum.
        let constant = 0.5 * self.fid.first()?.re;
        let real: Vec<(f64, f64)> = self.points.iter().map(|(ppm, z)| (*ppm, z.re - constant)).collect();
        let (low, high) = FSL_METABOLITES_PPM;
        let tallest = real.iter().filter(|p| (low..=high).contains(&p.0)).map(|p| p.1.abs()).reduce(f64::max)?;
        let noise: Vec<f64> = real.iter().zip(fsl_noise(&real)).filter(|(_, is)| *is).map(|(p, _)| p.1).collect();
        let n = noise.len() as f64;
        let mean = noise.iter().sum::<f64>() / n;
        let sd = (noise.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        (sd > 0.0).then(|| tallest / (std::f64::consts::SQRT_2 * sd))
    }
}

/// LCModel's S/N: highest point of the fit above its baseline over twice the root mean square of the residual.
pub fn snr_lcmodel(fit: &[f64], baseline: &[f64], data: &[f64]) -> Option<f64> {
    let highest = fit.iter().zip(baseline).map(|(f, b)| f - b).reduce(f64::max)?;
    let squares: f64 = data.iter().zip(fit).map(|(d, f)| (d - f).powi(2)).sum();
    let rms = (squares / data.len() as f64).sqrt();
    (rms > 0.0).then(|| highest / (2.0 * rms)).filter(|snr| snr.is_finite())
}

/// Chemical shift (rising) and value of the transform, a plain sum, of `n` samples.
fn spectrum(fid: &[Complex64], n: usize, dwell_s: f64, f0_mhz: f64) -> Vec<(f64, Complex64)> {
    let mut values = fid.to_vec();
    values.resize(n, Complex64::default());
    if n == 0 {
        return Vec::new();
    }
    transform(n, FftDirection::Forward).process(&mut values);
    let ppm = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * dwell_s), f0_mhz);
    let mut points: Vec<(f64, Complex64)> = values.into_iter().enumerate().map(|(k, z)| (ppm(k), z)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn between<'p>(
    points: &'p [(f64, Complex64)],
    (low, high): (f64, f64),
) -> impl Iterator<Item = &'p (f64, Complex64)> + use<'p> {
    points.iter().filter(move |p| p.0 > low && p.0 < high)
}

fn real_between(points: &[(f64, Complex64)], band: (f64, f64)) -> impl Iterator<Item = (f64, f64)> + use<'_> {
    between(points, band).map(|(ppm, z)| (*ppm, z.re))
}

fn half_height_ppm(line: &[(f64, f64)]) -> Option<f64> {
    let top = line.iter().map(|p| p.1.abs()).fold(0.0, f64::max);
    let mut high = line.iter().filter(|p| p.1.abs() >= 0.5 * top).map(|p| p.0);
    let first = high.next()?;
    high.next_back().map(|last| (last - first).abs())
}

/// Values less the polynomial of an order that fits them best.
fn detrended(points: &[(f64, f64)], order: i32) -> Vec<f64> {
    let (first, last) = match points {
        [first, .., last] => (first.0, last.0),
        _ => return vec![0.0; points.len()],
    };
    let mut rest: Vec<f64> = points.iter().map(|p| p.1).collect();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for power in 0..=order {
        // From −1 to 1, made orthogonal to the lower powers twice, as once leaves rounding.
        let mut vector: Vec<f64> =
            points.iter().map(|p| (2.0 * (p.0 - first) / (last - first) - 1.0).powi(power)).collect();
        for lower in basis.iter().chain(&basis) {
            take_out(&mut vector, lower);
        }
        let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        vector.iter_mut().for_each(|v| *v /= norm);
        take_out(&mut rest, &vector);
        basis.push(vector);
    }
    rest
}

fn take_out(vector: &mut [f64], unit: &[f64]) {
    let along: f64 = vector.iter().zip(unit).map(|(a, b)| a * b).sum();
    vector.iter_mut().zip(unit).for_each(|(a, b)| *a -= along * b);
}

/// Which points are noise for FSL-MRS.
fn fsl_noise(real: &[(f64, f64)]) -> Vec<bool> {
    let n = real.len();
    let (low, high) = FSL_NOISE_PPM;
    let (below, above) = (|p: &(f64, f64)| p.0 <= low, |p: &(f64, f64)| p.0 >= high);
    let is_outer = |i: usize| i < n / 4 || i >= n - n / 4;
    let mut noise: Vec<bool> = real.iter().map(|p| below(p) || above(p)).collect();
    if noise.iter().filter(|is| **is).count() < FSL_FEWEST {
        noise.iter_mut().enumerate().for_each(|(i, is)| *is |= i < FSL_ENDS || i + FSL_ENDS >= n);
        return noise;
    }
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    let last_below = real.iter().take_while(|p| below(p)).count();
    let first_above = n - real.iter().rev().take_while(|p| above(p)).count();
    for (from, part) in [(0, &real[..last_below]), (first_above, &real[first_above..])] {
        for (i, value) in detrended(part, 4).into_iter().enumerate() {
            if is_outer(from + i) { outer.push(value) } else { inner.push(value) }
        }
    }
    if differ(&outer, &inner) {
        noise.iter_mut().enumerate().for_each(|(i, is)| *is &= !is_outer(i));
    }
    noise
}

/// Levene's test for unequal variances (about the mean), at 5 %.
fn differ(a: &[f64], b: &[f64]) -> bool {
    if a.len() < 2 || b.len() < 2 {
        return false;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let away = |values: &[f64]| -> Vec<f64> { values.iter().map(|v| (v - mean(values)).abs()).collect() };
    let (a, b) = (away(a), away(b));
    let (of_a, of_b, n) = (mean(&a), mean(&b), (a.len() + b.len()) as f64);
    let of_all = (a.iter().sum::<f64>() + b.iter().sum::<f64>()) / n;
    let squares = |values: &[f64], about: f64| values.iter().map(|v| (v - about).powi(2)).sum::<f64>();
    let among = a.len() as f64 * (of_a - of_all).powi(2) + b.len() as f64 * (of_b - of_all).powi(2);
    let statistic = (n - 2.0) * among / (squares(&a, of_a) + squares(&b, of_b)).max(f64::MIN_POSITIVE);
    // F with 1 and n − 2 degrees of freedom is t²; t's quantile 0.975 from the normal one's (Abramowitz & Stegun 26.7.5).
    let z = 1.959_964_f64;
    let t = z + (z.powi(3) + z) / (4.0 * (n - 2.0));
    statistic > t * t
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use crate::random::Random;
    use std::f64::consts::PI;

    #[test]
    fn a_known_line_has_its_width_and_height_in_all_definitions() {
        let (n, dwell_s, f0_mhz, width_hz, sd) = (2048, 2.5e-4, 123.2, 5.0, 0.02);
        let mut random = Random::new(2, 0);
        let fid: Vec<Complex64> = (0..n)
            .map(|i| {
                let t = i as f64 * dwell_s;
                Complex64::from_polar((-PI * width_hz * t).exp(), 2.0 * PI * hz_from_ppm(3.0, f0_mhz) * t)
                    + Complex64::new(random.normal(), random.normal()) * sd
            })
            .collect();
        let phased = Phased::new(&fid, dwell_s, f0_mhz);
        for width in [phased.fwhm_half_height_hz(CREATINE_PPM), phased.fwhm_lorentz_hz(CREATINE_PPM)] {
            assert!((width.unwrap() - width_hz).abs() < 0.4, "{width:?}");
        }
        let height = 1.0 / (PI * width_hz * dwell_s) / (sd * (n as f64).sqrt());
        assert!((phased.snr_osprey(CREATINE_PPM).unwrap() / height - 1.0).abs() < 0.2);
        assert!((phased.snr_fsl().unwrap() * 2.0_f64.sqrt() / height - 1.0).abs() < 0.1);
        let none = Phased::new(&[], dwell_s, f0_mhz);
        assert_eq!(
            (none.snr_fsl(), none.snr_osprey(CREATINE_PPM), none.fwhm_osprey_hz(CREATINE_PPM)),
            (None, None, None)
        );
    }

    #[test]
    fn the_residual_is_lcmodels_noise() {
        assert_eq!(snr_lcmodel(&[1.0, 9.0, 2.0], &[1.0, 1.0, 1.0], &[2.0, 8.0, 3.0]), Some(4.0));
        assert_eq!(snr_lcmodel(&[1.0], &[0.0], &[1.0]), None);
        assert_eq!(snr_lcmodel(&[], &[], &[]), None);
    }
}
