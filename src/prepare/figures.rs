//! Numbers by which preparation is judged: signal to noise before and after, drift, residual water, lipids.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::align::Offset;
use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform};
use crate::signal::magnitudes::METABOLITES_PPM;

const ZERO_FILL: usize = 4;

/// The real spectrum of `fid` as (ppm, value), zero-filled four times, turned so that its tallest point among the
/// metabolites is real and positive.
pub fn phased(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> Vec<(f64, f64)> {
    let n = ZERO_FILL * fid.len();
    let mut spectrum = fid.to_vec();
    // The trapezoidal rule at the step.
    spectrum.iter_mut().take(1).for_each(|first| *first *= 0.5);
    spectrum.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut spectrum);
    let shift_ppm = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * dwell_s), f0_mhz);
    let mut points: Vec<(f64, Complex64)> = spectrum.iter().enumerate().map(|(k, z)| (shift_ppm(k), *z)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let among = points.iter().filter(|p| (METABOLITES_PPM.0..=METABOLITES_PPM.1).contains(&p.0)).map(|p| p.1);
    let tallest = among.max_by(|a, b| a.norm_sqr().total_cmp(&b.norm_sqr())).unwrap_or_default();
    let turn = Complex64::from_polar(1.0, -tallest.arg());
    points.into_iter().map(|(ppm, z)| (ppm, (z * turn).re)).collect()
}

/// Full width at half maximum (Hz) of the tallest metabolite peak of a spectrum that is [`phased`], between points by
/// linear interpolation; `None` where it does not fall to half on both sides.
pub fn linewidth_hz(phased: &[(f64, f64)], f0_mhz: f64) -> Option<f64> {
    let (low, high) = METABOLITES_PPM;
    let inside = phased.iter().enumerate().filter(|(_, p)| (low..=high).contains(&p.0));
    let (top, &(_, height)) = inside.max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    let crossing = |at: &mut dyn Iterator<Item = usize>| -> Option<f64> {
        let mut before = top;
        for i in at {
            let ((x0, y0), (x1, y1)) = (phased[before], phased[i]);
            if y1 <= 0.5 * height {
                return Some(x0 + (x1 - x0) * (y0 - 0.5 * height) / (y0 - y1));
            }
            before = i;
        }
        None
    };
    let (upper, lower) = (crossing(&mut (top + 1..phased.len()))?, crossing(&mut (0..top).rev())?);
    Some((upper - lower) * f0_mhz)
}

/// How transients moved during the acquisition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Linear drift of the frequency from the first transient to the last (Hz).
    pub drift_hz: f64,
    /// Standard deviation of the shifts, drift included (Hz).
    pub shift_sd_hz: f64,
    /// Standard deviation of the shifts about that line (Hz).
    pub shift_jitter_hz: f64,
    /// Standard deviation of the phases (°).
    pub phase_jitter_deg: f64,
}

/// Motion from the offsets of the transients that were kept; `None` for fewer than three.
pub fn motion(offsets: &[Offset], kept: &[bool]) -> Option<Motion> {
    let used: Vec<(f64, &Offset)> =
        offsets.iter().enumerate().filter(|(i, _)| kept.get(*i) != Some(&false)).map(|(i, o)| (i as f64, o)).collect();
    if used.len() < 3 {
        return None;
    }
    let n = used.len() as f64;
    let mean = |of: &dyn Fn(&(f64, &Offset)) -> f64| used.iter().map(of).sum::<f64>() / n;
    let (place, shift) = (mean(&|u| u.0), mean(&|u| u.1.shift_hz));
    let along = mean(&|u| (u.0 - place) * (u.1.shift_hz - shift)) / mean(&|u| (u.0 - place).powi(2));
    let about = mean(&|u| (u.1.shift_hz - shift - along * (u.0 - place)).powi(2));
    // The spread on the circle: phases next to ±180° are near one another.
    let turn: Complex64 = used.iter().map(|u| Complex64::from_polar(1.0, u.1.phase_rad)).sum::<Complex64>() / n;
    let phase = mean(&|u| (Complex64::from_polar(1.0, u.1.phase_rad) * turn.conj()).arg().powi(2));
    Some(Motion {
        drift_hz: along * (offsets.len() - 1) as f64,
        shift_sd_hz: mean(&|u| (u.1.shift_hz - shift).powi(2)).sqrt(),
        shift_jitter_hz: about.sqrt(),
        phase_jitter_deg: phase.sqrt().to_degrees(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use crate::random::Random;
    use crate::signal::magnitudes::Magnitudes;
    use std::f64::consts::PI;

    #[test]
    fn drift_and_jitter_are_told_apart() {
        let mut random = Random::new(4, 0);
        let offset = |i: usize, random: &mut Random| Offset {
            shift_hz: 6.0 * i as f64 / 199.0 + 0.5 * random.normal(),
            phase_rad: 3.1 + 0.2 * random.normal(),
            overlap: 1.0,
        };
        let mut offsets: Vec<Offset> = (0..200).map(|i| offset(i, &mut random)).collect();
        offsets[50].shift_hz = 300.0;
        let kept: Vec<bool> = (0..200).map(|i| i != 50).collect();
        let found = motion(&offsets, &kept).unwrap();
        assert!((found.drift_hz - 6.0).abs() < 0.4, "{found:?}");
        assert!((found.shift_jitter_hz - 0.5).abs() < 0.08, "{found:?}");
        // A line of length d has the variance d²/12.
        assert!((found.shift_sd_hz - (6.0_f64.powi(2) / 12.0 + 0.25).sqrt()).abs() < 0.15, "{found:?}");
        assert!((found.phase_jitter_deg - 0.2_f64.to_degrees()).abs() < 2.0, "{found:?}");
        assert_eq!(motion(&offsets[..2], &[]), None);
    }

    #[test]
    fn heights_and_noise_of_a_known_spectrum() {
        let (n, dwell_s, f0_mhz) = (2048, 5e-4, 123.2);
        let mut random = Random::new(8, 0);
        let line = |ppm: f64, area: f64, i: usize| {
            let t = i as f64 * dwell_s;
            Complex64::from_polar(area * (-PI * 4.0 * t).exp(), 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t)
        };
        let fid: Vec<Complex64> = (0..n)
            .map(|i| line(2.01, 10.0, i) + line(1.3, 5.0, i) + Complex64::new(random.normal(), random.normal()) * 0.05)
            .collect();
        let found = Magnitudes::new(&fid, dwell_s, f0_mhz);
        assert!((found.lipid_index().unwrap() - 0.5).abs() < 0.02);
        let width_hz = linewidth_hz(&phased(&fid, dwell_s, f0_mhz), f0_mhz).unwrap();
        assert!((width_hz - 4.0).abs() < 0.2, "{width_hz}");
        assert_eq!(linewidth_hz(&[(2.0, 1.0), (2.1, 0.9)], f0_mhz), None);
        assert_eq!(linewidth_hz(&[], f0_mhz), None);
        // A Lorentzian's height is its area over π · FWHM · dwell; the window takes 2.5 % (½ + ½/(1 + (π·T2/T)²) stay), and √(3/8) of the noise stays.
        let height = 10.0 / (PI * 4.0 * dwell_s) * 0.975;
        let wanted = height / (2.0 * 0.05 * (n as f64 * 0.375).sqrt());
        let snr = found.snr().unwrap();
        assert!((snr / wanted - 1.0).abs() < 0.05, "{snr} {wanted}");
    }
}
