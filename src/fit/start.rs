//! Start values of one spectrum: common shift and phase.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;
use rustfft::FftDirection;

use crate::basis::names::Kind;
use crate::signal::fft::transform;
use crate::signal::filter::filtered;

/// Common shift (Hz) and zero-order phase (rad) of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftPhase {
    /// Frequency by which the data lie above the basis set (Hz).
    pub shift_hz: f64,
    /// Zero-order phase (rad).
    pub phi0_rad: f64,
}

/// Weights of the members with singlets in the prototype: about their concentrations (mmol/kg) in the adult brain, so that
/// each singlet counts in the correlation as it stands in the data. Their sum matters little, their order does.
const PROTOTYPE: [(&str, f64); 10] = [
    ("NAA", 12.0),
    ("NAAG", 1.5),
    ("Cr", 4.5),
    ("PCr", 3.5),
    ("GPC", 1.2),
    ("PCh", 0.5),
    ("Cho", 0.5),
    ("tNAA", 13.5),
    ("tCr", 8.0),
    ("tCho", 1.7),
];

/// Shift and phase by complex cross-correlation of the FID with a tNAA + tCr + tCho prototype from the
/// actual basis set, over ± `max_shift_ppm`.
///
/// `prototype` is what [`prototype`] makes. The correlation at a shift f is Σ_t conj(p(t))·y(t)·e^{−2πift};
/// its magnitude is tallest at the shift, and its argument there is the phase.
pub fn shift_and_phase(fid: &[Complex64], prototype: &[Complex64], dwell_s: f64, max_shift_hz: f64) -> ShiftPhase {
    let (product, bin_hz, reach) = correlation(fid, prototype, dwell_s, max_shift_hz);
    let at = |k: i64| product[k.rem_euclid(product.len() as i64) as usize];
    let best = (-reach..=reach).max_by(|&a, &b| at(a).norm_sqr().total_cmp(&at(b).norm_sqr())).unwrap_or(0);
    ShiftPhase { shift_hz: best as f64 * bin_hz, phi0_rad: at(best).arg() }
}

/// Most candidates of a start.
const MOST_CANDIDATES: usize = 3;
/// Correlations below this part of the largest are no candidates.
const LEAST_CORRELATION: f64 = 0.7;
/// Candidates are at least this far apart (ppm): nearer ones are branches of one line.
const CANDIDATES_APART_PPM: f64 = 0.15;

/// The best shift of [`shift_and_phase`] and others nearly as good, best first.
pub(crate) fn candidates(
    fid: &[Complex64],
    prototype: &[Complex64],
    dwell_s: f64,
    max_shift_hz: f64,
    f0_mhz: f64,
) -> Vec<ShiftPhase> {
    let (product, bin_hz, reach) = correlation(fid, prototype, dwell_s, max_shift_hz);
    let at = |k: i64| product[k.rem_euclid(product.len() as i64) as usize];
    let size = |k: i64| at(k).norm();
    let apart = (CANDIDATES_APART_PPM * f0_mhz / bin_hz) as i64;
    let is_peak = |k: &i64| (*k == -reach || size(*k) >= size(k - 1)) && (*k == reach || size(*k) >= size(k + 1));
    let mut peaks: Vec<i64> = (-reach..=reach).filter(is_peak).collect();
    peaks.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    let mut chosen: Vec<i64> = Vec::new();
    for peak in peaks {
        let is_likely = chosen.first().is_none_or(|&best| size(peak) >= LEAST_CORRELATION * size(best));
        if is_likely && chosen.len() < MOST_CANDIDATES && chosen.iter().all(|c| (c - peak).abs() > apart) {
            chosen.push(peak);
        }
    }
    chosen.into_iter().map(|k| ShiftPhase { shift_hz: k as f64 * bin_hz, phi0_rad: at(k).arg() }).collect()
}

/// Σ_t conj(p(t))·y(t)·e^{−2πift} on a grid, its step (Hz), and how many steps ± `max_shift_hz` are.
fn correlation(
    fid: &[Complex64],
    prototype: &[Complex64],
    dwell_s: f64,
    max_shift_hz: f64,
) -> (Vec<Complex64>, f64, i64) {
    // Four-fold zero-filling: a grid of an eighth of the linewidth, so that the fit starts in its bowl.
    let n = (4 * fid.len()).next_power_of_two();
    let mut product = vec![Complex64::default(); n];
    for ((out, p), y) in product.iter_mut().zip(prototype).zip(fid) {
        *out = p.conj() * y;
    }
    transform(n, FftDirection::Forward).process(&mut product);
    let bin_hz = 1.0 / (n as f64 * dwell_s);
    let reach = ((max_shift_hz / bin_hz).floor() as i64).min(n as i64 / 2 - 2);
    (product, bin_hz, reach)
}

/// The prototype FID for [`shift_and_phase`]: the singlets' sum from the basis set `fids` (rows named by
/// `names`), with the start widths, high-passed in frequency by leaving out the first milliseconds in
/// which broad signals (macromolecules, residual water's foot) are tallest.
pub fn prototype(
    names: &[String],
    kinds: &[Kind],
    fids: ndarray::ArrayView2<'_, Complex64>,
    dwell_s: f64,
    f0_mhz: f64,
    lorentz_hz: f64,
    gauss_hz: f64,
) -> Vec<Complex64> {
    const SKIP_S: f64 = 0.008;
    let n_points = fids.ncols();
    let mut sum = vec![Complex64::default(); n_points];
    let known = names.iter().any(|n| PROTOTYPE.iter().any(|(p, _)| p == n));
    for (i, name) in names.iter().enumerate() {
        let weight = if known {
            PROTOTYPE.iter().find(|(p, _)| p == name).map_or(0.0, |(_, w)| *w)
        } else {
            // A basis set without any of the usual singlets (edited, other nuclei's names): all of it.
            f64::from(u8::from(kinds[i] == Kind::Metabolite))
        };
        if weight > 0.0 {
            for (s, z) in sum.iter_mut().zip(fids.row(i)) {
                *s += z * weight;
            }
        }
    }
    for (n, s) in sum.iter_mut().enumerate() {
        let t = n as f64 * dwell_s;
        let rise = 1.0 - (-(t / SKIP_S).powi(2)).exp();
        *s *= rise * (-PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * LN_2)).exp();
    }
    if known { keep_band(&sum, dwell_s, f0_mhz) } else { sum }
}

/// The part of an FID between 1.85 and 3.4 ppm: the singlets of the prototype, without the lipids at
/// 1.3 ppm, the water and whatever else could pull a correlation.
fn keep_band(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> Vec<Complex64> {
    const BAND_PPM: std::ops::RangeInclusive<f64> = 1.85..=3.4;
    filtered(fid, dwell_s, f0_mhz, |ppm| f64::from(u8::from(BAND_PPM.contains(&ppm))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn shift_and_phase_of_a_moved_prototype_come_back() {
        let dwell_s = 5e-4;
        let p: Vec<Complex64> =
            (0..1024).map(|n| Complex64::new(-20.0, 2.0 * PI * 330.0).scale(n as f64 * dwell_s).exp()).collect();
        let y: Vec<Complex64> = p
            .iter()
            .enumerate()
            .map(|(n, z)| z * Complex64::from_polar(2.0, 1.1 + 2.0 * PI * 17.0 * n as f64 * dwell_s))
            .collect();
        let found = shift_and_phase(&y, &p, dwell_s, 30.0);
        assert!((found.shift_hz - 17.0).abs() < 0.5);
        assert!((found.phi0_rad - 1.1).abs() < 0.2);
    }
}
