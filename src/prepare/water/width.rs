//! How wide the line of the water reference is.

use num_complex::Complex64;
use rustfft::FftDirection;

use crate::signal::fft::transform;

/// Zero-filling of the spectrum.
const ZERO_FILL: usize = 8;

/// Full width at half maximum (Hz) of the real spectrum of `fid`, turned so that its tallest point is real; between points
/// by linear interpolation. `None` where it does not fall to half on both sides.
pub(super) fn fwhm_hz(fid: &[Complex64], dwell_s: f64) -> Option<f64> {
    let n = ZERO_FILL * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut spectrum);
    let top = (0..n).max_by(|&a, &b| spectrum[a].norm_sqr().total_cmp(&spectrum[b].norm_sqr()))?;
    let turn = spectrum[top].conj() / spectrum[top].norm();
    let half = 0.5 * spectrum[top].norm();
    let height = |steps: usize, up: bool| {
        let at = if up { (top + steps) % n } else { (top + n - steps) % n };
        (spectrum[at] * turn).re
    };
    // Steps to where it is half as high.
    let side = |up: bool| {
        let beyond = (1..n / 2).find(|&steps| height(steps, up) <= half)?;
        let (inside, outside) = (height(beyond - 1, up), height(beyond, up));
        Some((beyond - 1) as f64 + (inside - half) / (inside - outside))
    };
    let width = (side(true)? + side(false)?) / (n as f64 * dwell_s);
    width.is_finite().then_some(width)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn a_line_has_its_width_wherever_it_lies() {
        for (hz, phase) in [(0.0, 0.0), (3.3, 2.0), (-990.0, -1.0)] {
            let at = |n: usize| {
                let t = n as f64 * 5e-4;
                Complex64::from_polar((-PI * 7.0 * t).exp(), phase + 2.0 * PI * hz * t)
            };
            let fid: Vec<Complex64> = (0..2048).map(at).collect();
            assert!((fwhm_hz(&fid, 5e-4).unwrap() - 7.0).abs() < 0.05, "{hz}");
        }
        assert_eq!(fwhm_hz(&[], 5e-4), None);
        assert_eq!(fwhm_hz(&[Complex64::default(); 64], 5e-4), None);
    }
}
