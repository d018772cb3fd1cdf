//! Whether single transients are of one strength: repetitions of one measurement are, steps of diffusion weighting or of T2
//! preparation are not, though their headers may be alike.

use num_complex::Complex64;
use rustfft::FftDirection;

use crate::acquisition::{Facts, Samples, ppm_from_hz};
use crate::signal::fft::{signed_bin, transform};

/// Where metabolites are and neither residual water nor lipids (ppm): those differ between repetitions of one scan as well
/// (by ±24 % in real dynamics whose metabolites differ by ±5 %).
const BAND_PPM: std::ops::Range<f64> = 1.8..3.5;
/// Nothing is beyond these (ppm).
const SIGNALS_PPM: std::ops::Range<f64> = -1.0..9.5;
/// Fewest points that noise is taken from.
const MOST_SURE: usize = 32;
/// Repetitions differ by less than this factor.
const FACTOR: f64 = 1.25;
/// Differences of so many standard errors are none of the noise's.
const CERTAIN: f64 = 5.0;
/// Decay that every transient is multiplied by (Hz): what noise remains of the band is that of its signals.
const BROADENING_HZ: f64 = 3.0;
/// By how much broadened noise of neighbouring points goes together.
const TOGETHER: f64 = 1.5;

/// Energy of a transient's band without that of its noise, and its standard error.
#[derive(Debug, Clone, Copy)]
struct Energy {
    signal: f64,
    error: f64,
}

/// Transients of different strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Differing {
    /// Which is strong.
    pub(super) strong: usize,
    /// Which is weak.
    pub(super) weak: usize,
    /// By how much; infinite where nothing but noise is left of the weak.
    pub(super) factor: f64,
}

/// Transients (one a part) that differ more than noise and single bad repetitions make them; `None` also where headers do
/// not say where metabolites are.
///
/// Motion weakens some repetitions, and the first may be strong where the scan began without dummies: the weakest quarter
/// and the strongest eighth decide nothing.
pub(super) fn differing(parts: &[Samples], facts: &Facts) -> Option<Differing> {
    let (dwell_s, f0_mhz) = (facts.dwell_s.filter(|s| *s > 0.0)?, facts.f0_mhz.filter(|mhz| *mhz > 0.0)?);
    if facts.nucleus.as_deref().is_some_and(|nucleus| nucleus != "1H") {
        return None;
    }
    let energies: Option<Vec<Energy>> = parts.iter().map(|part| energy(part.fid([0; 4]), dwell_s, f0_mhz)).collect();
    let energies = energies?;
    let mut order: Vec<usize> = (0..energies.len()).collect();
    order.sort_by(|a, b| energies[*a].signal.total_cmp(&energies[*b].signal));
    let n = order.len();
    let (weak, strong) = (*order.get((n + 1) / 4)?, *order.get(n.checked_sub(1 + n / 8)?)?);
    let (low, high) = (energies[weak], energies[strong]);
    let factor = (high.signal / low.signal.max(0.0)).sqrt();
    let is_certain = high.signal - low.signal > CERTAIN * high.error.hypot(low.error);
    (is_certain && factor > FACTOR).then_some(Differing { strong, weak, factor })
}

fn energy(mut fid: Vec<Complex64>, dwell_s: f64, f0_mhz: f64) -> Option<Energy> {
    let n = Some(fid.len()).filter(|n| *n > 0)?;
    let decay = |k: usize| (-std::f64::consts::PI * BROADENING_HZ * dwell_s * k as f64).exp();
    fid.iter_mut().enumerate().for_each(|(k, z)| *z *= decay(k));
    transform(n, FftDirection::Forward).process(&mut fid);
    let place = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * dwell_s), f0_mhz);
    let powers = |is_in: &dyn Fn(f64) -> bool| -> Vec<f64> {
        fid.iter().enumerate().filter(|(k, _)| is_in(place(*k))).map(|(_, z)| z.norm_sqr()).collect()
    };
    let band = powers(&|ppm| BAND_PPM.contains(&ppm));
    let mut outside = powers(&|ppm| !SIGNALS_PPM.contains(&ppm));
    if outside.len() < MOST_SURE {
        // Too much rather than too little.
        outside = powers(&|_| true);
    }
    outside.sort_by(f64::total_cmp);
    // Powers of noise are distributed exponentially: of these the median is the mean by ln 2.
    let noise = outside.get(outside.len() / 2)? / std::f64::consts::LN_2;
    let in_band = band.len() as f64;
    let signal = band.iter().sum::<f64>() - in_band * noise;
    let error = (TOGETHER * (in_band * noise * noise + 2.0 * noise * signal.max(0.0))).sqrt();
    (!band.is_empty() && signal.is_finite()).then_some(Energy { signal, error })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;

    use super::*;
    use crate::acquisition::hz_from_ppm;
    use crate::random::Random;

    /// Creatine of these heights and water of others, in noise.
    fn found(heights: &[f64], noise: f64) -> Option<Differing> {
        let (dwell_s, f0_mhz) = (5e-4, 123.2);
        let mut random = Random::new(7, heights.len() as u64);
        let mut part = |water: f64, height: f64| -> Samples {
            let sample = |k: usize| {
                let t = dwell_s * k as f64;
                let line = |ppm: f64| {
                    Complex64::from_polar((-t / 0.08).exp(), std::f64::consts::TAU * hz_from_ppm(ppm, f0_mhz) * t)
                };
                line(3.03) * height + line(4.65) * water + noise * Complex64::new(random.normal(), random.normal())
            };
            let fid: Vec<Complex64> = (0..1024).map(sample).collect();
            Array5::from_shape_fn((1, 1, 1, 1, 1024), |(.., k)| fid[k]).into()
        };
        let each = heights.iter().enumerate();
        let parts: Vec<Samples> = each.map(|(i, height)| part(0.5 + 0.25 * (i % 4) as f64, *height)).collect();
        differing(&parts, &Facts { dwell_s: Some(dwell_s), f0_mhz: Some(f0_mhz), ..Facts::default() })
    }

    #[test]
    fn steps_of_diffusion_are_told_from_repetitions() {
        let steps = found(&[1.0, 0.55, 0.4, 0.3], 0.05).unwrap();
        assert_eq!((steps.strong, steps.weak), (0, 2));
        assert!((steps.factor - 2.5).abs() < 0.3, "{steps:?}");
        assert!(found(&[1.0, 0.4, 0.4, 0.4], 0.05).is_some());
        assert!(found(&[0.6, 1.0], 0.05).is_some());
        assert_eq!(found(&[1.0; 16], 0.05), None);
        assert_eq!(found(&[1.0, 0.95, 1.05, 1.1], 0.01), None);
        // Some that a movement spoiled, and a first one without saturation.
        assert_eq!(found(&[1.0, 1.0, 0.4, 1.0], 0.05), None);
        assert_eq!(found(&[1.6, 1.0, 1.0, 0.2, 1.0, 1.0, 0.5, 1.0], 0.05), None);
    }

    #[test]
    fn noise_alone_makes_no_difference() {
        for n in 2..20 {
            assert_eq!(found(&vec![0.02; n], 0.5), None, "{n}");
            assert_eq!(found(&vec![0.5; n], 0.5), None, "{n}");
        }
    }
}
