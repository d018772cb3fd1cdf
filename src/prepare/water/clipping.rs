//! References that were too large for the receiver: the tops of real and imaginary part are cut off, and all metabolites
//! come out too large.

use num_complex::Complex64;

use crate::signal::noise::tail_sd;

/// Standard deviations of the noise within which samples are as large as the largest.
const LEVEL_SD: f64 = 8.0;
/// The same as a part of the largest, where there is no noise.
const LEVEL_PART: f64 = 1e-6;
/// Fewest neighbouring samples that make a plateau.
const FEWEST: usize = 5;
/// Behind a plateau a cut signal goes on with the slope that it has; a smooth top falls off slowly. At a quarter of the
/// plateau's length a parabola has fallen by 2.25 times what bounds the plateau.
const EDGE: f64 = 6.0;

/// Whether real or imaginary part of `fid` is cut off at its largest values.
pub fn is_clipped(fid: &[Complex64]) -> bool {
    let noise = tail_sd(fid).unwrap_or(0.0);
    let parts: [&dyn Fn(&Complex64) -> f64; 2] = [&|z| z.re, &|z| z.im];
    parts.iter().any(|part| has_plateau(&fid.iter().map(part).collect::<Vec<f64>>(), noise))
}

fn has_plateau(values: &[f64], noise: f64) -> bool {
    let cap = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let level = (LEVEL_SD * noise).max(LEVEL_PART * cap).max(step(values));
    // All equal: the step between values is infinite.
    if cap <= EDGE * level || !cap.is_finite() {
        return false;
    }
    [1.0, -1.0].iter().any(|sign| {
        let below: Vec<f64> = values.iter().map(|v| cap - sign * v).collect();
        let mut start = 0;
        while start < below.len() {
            let length = below[start..].iter().take_while(|b| **b <= level).count();
            let end = start + length;
            let beyond = (length / 4).max(1);
            let falls = |at: usize| below.get(at).is_some_and(|b| *b > EDGE * level);
            if length >= FEWEST && falls(end + beyond) && (start <= beyond || falls(start - beyond - 1)) {
                return true;
            }
            start = end + 1;
        }
        false
    })
}

/// Smallest difference between two values: that of neighbouring whole numbers in data that are such.
fn step(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn water(offset_hz: f64, phase: f64, noise: f64, cut: Option<f64>) -> Vec<Complex64> {
        let mut random = Random::new(5, 0);
        let clip = |v: f64| cut.map_or(v, |cut| v.clamp(-cut, cut));
        let at = |n: usize| {
            let t = f64::from(u32::try_from(n).unwrap_or_default()) * 2.5e-4;
            let z = Complex64::from_polar((-25.0 * t).exp(), phase + 2.0 * std::f64::consts::PI * offset_hz * t);
            let noise = Complex64::new(random.normal(), random.normal()) * noise;
            Complex64::new(clip(z.re), clip(z.im)) + noise
        };
        (0..2048).map(at).collect()
    }

    #[test]
    fn cut_tops_are_found_and_smooth_ones_are_not() {
        for (offset_hz, phase) in [(0.0, 0.0), (0.0, 0.6), (2.0, 0.0), (8.0, 2.0), (-15.0, -1.0)] {
            for noise in [0.0, 5e-5, 5e-4] {
                let case = format!("{offset_hz} Hz, phase {phase}, noise {noise}");
                for cut in [0.3, 0.5, 0.7] {
                    assert!(is_clipped(&water(offset_hz, phase, noise, Some(cut))), "{case}: cut at {cut}");
                }
                assert!(!is_clipped(&water(offset_hz, phase, noise, None)), "{case}");
            }
        }
        // Numbers of few digits have plateaus without being cut.
        for counts in [100.0, 1000.0, 30_000.0] {
            let counted = |z: &Complex64| Complex64::new((z.re * counts).round(), (z.im * counts).round());
            let coarse: Vec<Complex64> = water(20.0, -1.2, 0.0, None).iter().map(counted).collect();
            assert!(!is_clipped(&coarse), "{counts} counts");
            let cut: Vec<Complex64> = water(20.0, -1.2, 0.0, Some(0.4)).iter().map(counted).collect();
            assert!(is_clipped(&cut), "{counts} counts");
        }
        assert!(!is_clipped(&[]) && !is_clipped(&vec![Complex64::default(); 64]));
    }
}
