//! Cutting a band of chemical shifts out of an FID.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::fft::{signed_bin, transform};
use crate::acquisition::ppm_from_hz;

/// Zero-filling: what a sharp cut rings to negative times lands in the empty part and is dropped.
const ZERO_FILL: usize = 4;

/// The FID with each chemical shift weighted by `keep(ppm)`, as long as it was (first sample at half
/// weight on the way, as in all transforms of a fit).
pub fn filtered(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, keep: impl Fn(f64) -> f64) -> Vec<Complex64> {
    let n = ZERO_FILL * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    if let Some(first) = spectrum.first_mut() {
        *first *= 0.5;
    }
    transform(n, FftDirection::Forward).process(&mut spectrum);
    let bin_hz = 1.0 / (n as f64 * dwell_s);
    for (k, z) in spectrum.iter_mut().enumerate() {
        *z *= keep(ppm_from_hz(signed_bin(k, n) * bin_hz, f0_mhz)) / n as f64;
    }
    transform(n, FftDirection::Inverse).process(&mut spectrum);
    spectrum.truncate(fid.len());
    spectrum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquisition::hz_from_ppm;

    #[test]
    fn one_of_two_lines_is_kept() {
        let (dwell_s, f0_mhz) = (5e-4, 123.2);
        let line = |ppm: f64, n: usize| {
            let t = n as f64 * dwell_s;
            let turn = 2.0 * std::f64::consts::PI * hz_from_ppm(ppm, f0_mhz) * t;
            Complex64::from_polar((-10.0 * t).exp(), turn)
        };
        let both: Vec<Complex64> = (0..1024).map(|n| line(2.0, n) + line(3.5, n)).collect();
        let kept = filtered(&both, dwell_s, f0_mhz, |ppm| f64::from(u8::from(ppm > 2.75)));
        // Ten milliseconds in, the cut has rung out to a few per cent.
        for n in 20..500 {
            assert!((kept[n] - line(3.5, n)).norm() < 0.05, "{n}");
        }
    }
}
