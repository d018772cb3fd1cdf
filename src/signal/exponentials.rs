//! The decaying exponentials that a stretch of samples is the sum of.
//!
//! State-space decomposition of the Hankel matrix (HSVD: Barkhuijsen, de Beer and van Ormondt, J Magn Reson 73:553, 1987).

use std::f64::consts::PI;

use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use num_complex::Complex64;

/// Averaged samples that are looked at. The cost grows with their cube.
const MOST_SAMPLES: usize = 256;
/// Exponentials, at most: a Gaussian line needs some ten.
const MOST_EXPONENTIALS: usize = 28;
/// Fewer averaged samples say too little.
const FEWEST_SAMPLES: usize = 32;
/// Singular values below this part of the largest are rounding.
const ROUNDING: f64 = 1e-8;
/// Singular values below so many times their median are noise.
const NOISE: f64 = 3.0;
/// An exponential may grow by no more than rounding makes it (per averaged sample).
const MOST_GROWTH: f64 = 1.001;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exponential {
    /// Value at the first sample.
    pub(crate) amplitude: Complex64,
    /// Frequency in the sign convention of [`crate::acquisition`] (Hz).
    pub(crate) frequency_hz: f64,
    /// Width of its line (FWHM, Hz).
    pub(crate) width_hz: f64,
}

/// The exponentials of `fid` within `band_hz` around `centre_hz`; what lies outside is weakened and folded in. Empty where
/// the FID is too short.
///
/// The first sample takes no part: some programs store half of it. Samples are averaged over blocks first: exponentials
/// stay exponentials, and what would fold onto the centre is averaged away.
pub(crate) fn exponentials(fid: &[Complex64], dwell_s: f64, centre_hz: f64, band_hz: f64) -> Vec<Exponential> {
    decompose(fid, dwell_s, centre_hz, band_hz).unwrap_or_default()
}

fn decompose(fid: &[Complex64], dwell_s: f64, centre_hz: f64, band_hz: f64) -> Option<Vec<Exponential>> {
    let rest = fid.get(1..)?;
    let turn = |n: usize| Complex64::from_polar(1.0, -2.0 * PI * centre_hz * (n + 1) as f64 * dwell_s);
    let block = ((1.0 / (dwell_s * band_hz)) as usize).max(1);
    let count = (rest.len() / block).min(MOST_SAMPLES);
    if count < FEWEST_SAMPLES {
        return None;
    }
    let samples = rest.chunks_exact(block).take(count).enumerate();
    let averaged: Vec<Complex64> = samples
        .map(|(m, chunk)| {
            let sum: Complex64 = chunk.iter().enumerate().map(|(i, z)| z * turn(m * block + i)).sum();
            sum / block as f64
        })
        .collect();
    let poles: Vec<Complex64> = poles(&averaged, significant)?.into_iter().filter(is_decay).collect();
    let powers = Mat::from_fn(count, poles.len(), |m, k| poles[k].powu(m as u32));
    let right = Mat::from_fn(count, 1, |m, _| averaged[m]);
    if poles.is_empty() || poles.len() > count {
        return None;
    }
    let amplitudes = powers.qr().solve_lstsq(&right);
    let found = poles.iter().enumerate().map(|(k, pole)| {
        let step = pole.ln() / block as f64;
        // The mean of a block of an exponential is its first sample times a geometric series.
        let series: Complex64 = (0..block).map(|i| (step * i as f64).exp()).sum::<Complex64>() / block as f64;
        Exponential {
            // Back over the sample that was left out.
            amplitude: amplitudes[(k, 0)] / series * (-step).exp(),
            frequency_hz: step.im / (2.0 * PI * dwell_s) + centre_hz,
            width_hz: -step.re / (PI * dwell_s),
        }
    });
    Some(found.filter(|e| e.amplitude.re.is_finite() && e.amplitude.im.is_finite()).collect())
}

fn is_decay(pole: &Complex64) -> bool {
    pole.norm() <= MOST_GROWTH && pole.norm() > 1e-3
}

/// How many singular values stand above rounding and noise.
fn significant(values: &[f64]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let largest = sorted.last().copied().unwrap_or(0.0);
    let floor = (ROUNDING * largest).max(NOISE * median);
    values.iter().filter(|s| **s > floor).count().min(MOST_EXPONENTIALS)
}

/// Poles of the samples' state-space model: eigenvalues of the matrix that turns the signal's subspace one sample on.
/// `rank` says from the singular values how many there are.
pub(super) fn poles(samples: &[Complex64], rank: impl Fn(&[f64]) -> usize) -> Option<Vec<Complex64>> {
    let rows = samples.len() / 2;
    let hankel = Mat::from_fn(rows, samples.len() - rows + 1, |i, j| samples[i + j]);
    let svd = hankel.thin_svd().ok()?;
    let values: Vec<f64> = svd.S().column_vector().iter().map(|s| s.re).collect();
    let k = rank(&values).min(rows);
    let u = svd.U();
    // With u the last row of U: (U↑ᴴU↑)⁻¹ = (1 − uᴴu)⁻¹ = 1 + uᴴu / (1 − u·uᴴ).
    let last: Vec<Complex64> = (0..k).map(|j| u[(rows - 1, j)]).collect();
    let rest = 1.0 - last.iter().map(|z| z.norm_sqr()).sum::<f64>();
    if rest <= 1e-12 {
        return None;
    }
    let turned = Mat::from_fn(k, k, |i, j| (0..rows - 1).map(|r| u[(r, i)].conj() * u[(r + 1, j)]).sum::<Complex64>());
    let matrix = Mat::from_fn(k, k, |i, j| {
        let along: Complex64 = (0..k).map(|l| last[l] * turned[(l, j)]).sum();
        turned[(i, j)] + last[i].conj() * along / rest
    });
    matrix.eigenvalues().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_whatever_their_first_sample_is() {
        let dwell_s = 5e-4;
        let wanted = [(30.0, 2.0, 1.5, 0.3), (-80.0, 1.0, 6.0, -1.0), (120.0, 0.5, 0.5, 2.0)];
        for first in [1.0, 0.5, 0.0] {
            let mut fid: Vec<Complex64> = (0..1024)
                .map(|n| {
                    let t = f64::from(n) * dwell_s;
                    let line = |&(f, a, w, p): &(f64, f64, f64, f64)| {
                        Complex64::from_polar(a * (-PI * w * t).exp(), 2.0 * PI * f * t + p)
                    };
                    wanted.iter().map(line).sum()
                })
                .collect();
            fid[0] *= first;
            let found = exponentials(&fid, dwell_s, 0.0, 500.0);
            for (f, a, w, p) in wanted {
                let own = found.iter().find(|e| (e.frequency_hz - f).abs() < 0.1).unwrap();
                assert!((own.amplitude - Complex64::from_polar(a, p)).norm() < 1e-6, "{own:?}");
                assert!((own.width_hz - w).abs() < 1e-4, "{own:?}");
            }
        }
    }

    #[test]
    fn a_short_fid_has_none() {
        assert_eq!(exponentials(&[Complex64::new(1.0, 0.0); 20], 1e-3, 0.0, 1000.0), []);
        assert_eq!(exponentials(&[], 1e-3, 0.0, 1000.0), []);
    }
}
