//! What one proton gives in a basis set's units: the size of a reference singlet.

use num_complex::Complex64;

use crate::basis::BasisSet;
use crate::signal::decay::log_decay_start;
use crate::signal::filter::filtered;

/// Singlets that can serve, the first that is in the basis set does: name, place (ppm), protons.
/// Creatine's methyl is LCModel's choice (WSMET, WSPPM, N1HMET).
const SINGLETS: [(&str, f64, f64); 4] =
    [("Cr", 3.027, 3.0), ("PCr", 3.029, 3.0), ("NAA", 2.008, 3.0), ("GPC", 3.212, 9.0)];

/// Half of the band around a singlet that is kept whole, and where it has fallen to nothing (ppm).
const BAND_PPM: [f64; 2] = [0.15, 0.30];

/// Signal at t = 0 of one proton at amplitude 1, in the units of the basis set's FIDs, and the singlet
/// that it comes from; `None` where no reference singlet is there.
///
/// The singlet is cut out in frequency and its decay extrapolated to t = 0, so that neighbours in the
/// molecule and the reference peaks that some basis sets carry do not count.
pub fn signal_per_proton(basis: &BasisSet) -> Option<(f64, &'static str)> {
    SINGLETS.iter().find_map(|&(name, ppm, protons)| {
        let row = basis.position(name)?;
        let fid: Vec<Complex64> = basis.fids.row(row).to_vec();
        let amplitude = singlet_amplitude(&fid, basis.dwell_s, basis.f0_mhz, ppm)?;
        Some((amplitude / protons, name))
    })
}

fn singlet_amplitude(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, ppm: f64) -> Option<f64> {
    let [whole, nothing] = BAND_PPM;
    let kept = filtered(fid, dwell_s, f0_mhz, |at| {
        let distance = (at - ppm).abs();
        if distance <= whole {
            1.0
        } else if distance < nothing {
            0.5 * (1.0 + (std::f64::consts::PI * (distance - whole) / (nothing - whole)).cos())
        } else {
            0.0
        }
    });
    // The ringing of the cut lasts about 1/(band); the decay is fitted after it.
    let ringing_s = 2.0 / (BAND_PPM[0] * f0_mhz);
    let magnitude: Vec<f64> = kept.iter().map(|z| z.norm()).collect();
    let first = (ringing_s / dwell_s).ceil() as usize;
    let reference = *magnitude.get(first)?;
    if reference <= 0.0 {
        return None;
    }
    let last = magnitude.iter().skip(first).position(|&m| m < 0.3 * reference).map_or(magnitude.len(), |i| i + first);
    // A set cut off before it has decayed: leave the ringing of the cut end out, too.
    let last = last.min(magnitude.len().saturating_sub(first));
    if last < first + 8 {
        return None;
    }
    // ln|m| = a − b·t − c·t² by least squares weighted with |m|².
    log_decay_start(&magnitude, first, last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use std::f64::consts::PI;

    #[test]
    fn a_singlet_beside_others_is_measured() {
        let (dwell_s, f0_mhz) = (2.5e-4, 123.2);
        let line = |ppm: f64, size: f64, n: usize| {
            let t = n as f64 * dwell_s;
            Complex64::from_polar(size * (-PI * 1.5 * t).exp(), 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t)
        };
        let fid: Vec<Complex64> =
            (0..4096).map(|n| line(3.027, 3.0, n) + line(3.913, 2.0, n) + line(0.0, 0.1, n)).collect();
        let amplitude = singlet_amplitude(&fid, dwell_s, f0_mhz, 3.027).unwrap();
        assert!((amplitude / 3.0 - 1.0).abs() < 5e-3, "{amplitude}");
    }
}
