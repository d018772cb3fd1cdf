//! What all lines of a simulated spectrum have in common: decay, asymmetry, splitting, shift and phase.

use std::f64::consts::{LN_2, PI, TAU};

use num_complex::Complex64;

use crate::random::Random;

/// Gaussian decay and asymmetry.
pub(super) fn common_shape(n: usize, dwell_s: f64, gauss_hz: f64, asymmetry: [f64; 2]) -> Vec<Complex64> {
    let [part, off_hz] = asymmetry;
    (0..n)
        .map(|i| {
            let t = i as f64 * dwell_s;
            let decay = (-(PI * gauss_hz * t).powi(2) / (4.0 * LN_2)).exp();
            decay * ((1.0 - part) + part * Complex64::from_polar(1.0, TAU * off_hz * t))
        })
        .collect()
}

/// Splits the lines into four of any size, over `breadth_hz`; nothing is drawn where that is 0.
pub(super) fn split(shape: &mut [Complex64], breadth_hz: f64, dwell_s: f64, random: &mut Random) {
    if breadth_hz <= 0.0 {
        return;
    }
    let parts = [(); 4].map(|()| (random.between(0.05, 1.0), breadth_hz * random.between(-0.5, 0.5)));
    let total: f64 = parts.iter().map(|(size, _)| size).sum();
    for (i, z) in shape.iter_mut().enumerate() {
        let t = i as f64 * dwell_s;
        let turns = parts.iter().map(|(size, off_hz)| Complex64::from_polar(size / total, TAU * off_hz * t));
        *z *= turns.sum::<Complex64>();
    }
}

/// Broadens the lines by a Lorentzian.
pub(super) fn broaden(shape: &mut [Complex64], width_hz: f64, dwell_s: f64) {
    for (i, z) in shape.iter_mut().enumerate() {
        *z *= (-PI * width_hz * i as f64 * dwell_s).exp();
    }
}

/// Common shift and zero-order phase.
pub(super) fn common_turn(n: usize, dwell_s: f64, shift_hz: f64, phi0_deg: f64) -> Vec<Complex64> {
    (0..n).map(|i| Complex64::from_polar(1.0, phi0_deg.to_radians() + TAU * shift_hz * i as f64 * dwell_s)).collect()
}
