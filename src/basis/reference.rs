//! Where the singlets of a basis set lie, and moving a set along the ppm axis.

use std::f64::consts::PI;

use ndarray::ArrayView1;
use num_complex::Complex64;
use rustfft::FftDirection;

use super::BasisSet;
use super::names::SINGLETS;
use crate::acquisition::hz_from_ppm;
use crate::signal::fft::transform;

/// How far from its place a singlet is looked for (ppm). Neighbouring singlets of one molecule are
/// farther apart.
const SEARCH_PPM: f64 = 0.2;

/// Singlets that agree to this (ppm) tell of a common offset; others of a set unlike any known.
const AGREEMENT_PPM: f64 = 0.01;

impl BasisSet {
    /// Position (ppm) of the tallest point of the magnitude spectrum of `row` within `half_width_ppm`
    /// of `near_ppm`, to a small fraction of a linewidth; `None` where the FID has no signal there.
    pub fn peak_ppm(&self, row: usize, near_ppm: f64, half_width_ppm: f64) -> Option<f64> {
        let fid = self.fids.rows().into_iter().nth(row)?;
        let centre_hz = hz_from_ppm(near_ppm, self.f0_mhz);
        let half_width_hz = half_width_ppm * self.f0_mhz;
        let (f_hz, height) = tallest(fid, self.dwell_s, centre_hz, half_width_hz)?;
        (height > 0.0).then(|| crate::acquisition::ppm_from_hz(f_hz, self.f0_mhz))
    }

    /// How far (ppm, > 0 towards higher ppm) the singlets of this set lie from where they belong
    /// ([`SINGLETS`]): the median over those that are present. `None` without singlets, or where they
    /// do not agree to 0.01 ppm.
    pub fn offset_ppm(&self) -> Option<f64> {
        let mut offsets: Vec<f64> = SINGLETS
            .iter()
            .filter_map(|s| Some(self.peak_ppm(self.position(s.metabolite)?, s.ppm, SEARCH_PPM)? - s.ppm))
            .collect();
        offsets.sort_by(f64::total_cmp);
        let median = offsets.get(offsets.len() / 2).copied()?;
        let agree = offsets.iter().filter(|o| (**o - median).abs() < AGREEMENT_PPM).count();
        (2 * agree > offsets.len()).then_some(median)
    }

    /// This set moved by `ppm` towards higher ppm.
    #[must_use]
    pub fn shifted_ppm(mut self, ppm: f64) -> Self {
        let step = -2.0 * PI * ppm * self.f0_mhz * self.dwell_s;
        for ((_, n), z) in self.fids.indexed_iter_mut() {
            *z *= Complex64::cis(step * n as f64);
        }
        self
    }

    /// This set with its singlets where they belong, and a remark about it if they were not.
    #[must_use]
    pub fn referenced(self) -> Self {
        match self.offset_ppm() {
            Some(offset) if offset.abs() > 1e-3 => {
                let mut set = self.shifted_ppm(-offset);
                set.remarks.push(format!("moved by {:+.4} ppm: its singlets lay off by {offset:+.4} ppm", -offset));
                set
            }
            _ => self,
        }
    }
}

/// Frequency (Hz) and height of the tallest point of the magnitude spectrum within `half_width_hz` of
/// `centre_hz`.
fn tallest(fid: ArrayView1<'_, Complex64>, dwell_s: f64, centre_hz: f64, half_width_hz: f64) -> Option<(f64, f64)> {
    // Zero-filled 8 times, the tallest of three points and a parabola through them find the top to
    // about a hundredth of a linewidth.
    let n = 8 * fid.len().next_power_of_two();
    let mut spectrum: Vec<Complex64> =
        fid.iter().enumerate().map(|(k, z)| z * Complex64::cis(-2.0 * PI * centre_hz * dwell_s * k as f64)).collect();
    spectrum.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut spectrum);
    let step_hz = 1.0 / (n as f64 * dwell_s);
    let reach = ((half_width_hz / step_hz) as i64).min(n as i64 / 2 - 2).max(1);
    let height = |k: i64| spectrum[k.rem_euclid(n as i64) as usize].norm();
    let top = (-reach..=reach).max_by(|a, b| height(*a).total_cmp(&height(*b)))?;
    let (left, mid, right) = (height(top - 1), height(top), height(top + 1));
    let curvature = left - 2.0 * mid + right;
    let fraction = if curvature < 0.0 { (0.5 * (left - right) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
    Some((centre_hz + (top as f64 + fraction) * step_hz, mid))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::analytic;

    #[test]
    fn finds_peaks_and_offsets() {
        let set = analytic(123.2, 2.5e-4, 4096);
        assert!((set.peak_ppm(0, 3.0, 0.2).unwrap() - 3.027).abs() < 5e-4);
        assert!(set.offset_ppm().unwrap().abs() < 5e-4);
        let moved = set.shifted_ppm(0.03);
        assert!((moved.offset_ppm().unwrap() - 0.03).abs() < 5e-4);
        let back = moved.referenced();
        assert!(back.offset_ppm().unwrap().abs() < 5e-4);
        assert_eq!(back.remarks.len(), 1);
    }

    #[test]
    fn no_singlets_no_offset() {
        let mut set = analytic(123.2, 2.5e-4, 1024);
        set.metabolites[0] = "Foo".to_owned();
        assert_eq!(set.offset_ppm(), None);
    }
}
