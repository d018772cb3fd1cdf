//! The decaying exponentials that a stretch of samples is the sum of.
//!
//! State-space decomposition of the Hankel matrix (HSVD: Barkhuijsen, de Beer and van Ormondt, J Magn Reson 73:553, 1987).

use std::f64::consts::PI;

use faer::linalg::solvers::SolveLstsq;
use faer::{Mat, MatRef, c64};
use num_complex::Complex64;

use super::hankel::all_vectors;

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
    let (vectors, values) = all_vectors(&averaged)?;
    let rank = significant(&values).min(vectors.ncols());
    let poles: Vec<Complex64> = poles(vectors.subcols(0, rank))?.into_iter().filter(is_decay).collect();
    let powers = powers(&poles, count);
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

/// Poles of the state-space model whose signal lies in the space of `vectors` (columns): eigenvalues of the matrix that turns
/// this space one sample on.
pub(super) fn poles(vectors: MatRef<'_, c64>) -> Option<Vec<Complex64>> {
    let (rows, k) = (vectors.nrows(), vectors.ncols());
    // With u the last row of U: (U↑ᴴU↑)⁻¹ = (1 − uᴴu)⁻¹ = 1 + uᴴu / (1 − u·uᴴ).
    let last: Vec<Complex64> = (0..k).map(|j| vectors[(rows - 1, j)]).collect();
    let rest = 1.0 - last.iter().map(|z| z.norm_sqr()).sum::<f64>();
    if rest <= 1e-12 {
        return None;
    }
    let turned = vectors.subrows(0, rows - 1).adjoint() * vectors.subrows(1, rows - 1);
    let along: Vec<Complex64> = (0..k).map(|j| (0..k).map(|l| last[l] * turned[(l, j)]).sum()).collect();
    let matrix = Mat::from_fn(k, k, |i, j| turned[(i, j)] + last[i].conj() * along[j] / rest);
    matrix.eigenvalues().ok()
}

/// Matrix of the powers of each pole (columns) at `count` samples.
pub(super) fn powers(poles: &[Complex64], count: usize) -> Mat<c64> {
    let mut powers = Mat::zeros(count, poles.len());
    for (k, pole) in poles.iter().enumerate() {
        let mut power = Complex64::new(1.0, 0.0);
        for m in 0..count {
            powers[(m, k)] = power;
            power *= pole;
        }
    }
    powers
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
