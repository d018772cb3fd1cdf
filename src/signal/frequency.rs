//! Moving an FID in frequency.

use std::f64::consts::PI;

use num_complex::Complex64;

/// Moves an FID down by `shift_hz`.
pub fn demodulate(fid: &[Complex64], shift_hz: f64, dwell_s: f64) -> Vec<Complex64> {
    fid.iter()
        .enumerate()
        .map(|(n, z)| z * Complex64::from_polar(1.0, -2.0 * PI * shift_hz * n as f64 * dwell_s))
        .collect()
}
