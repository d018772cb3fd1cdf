//! Transients of the water reference that were lost or spoiled. Its mean scales all concentrations: one of four that holds
//! nothing makes them a third too large.

use num_complex::Complex64;

use super::super::reject::spread;
use crate::signal::median::upper_median;

/// Part of the largest transient below which one is lost.
const LOST: f64 = 0.2;
/// Fewer transients than this tell no outlier from the others.
const FEWEST: usize = 3;
/// Least difference in size from the others that counts as such: pulsation alone makes one or two hundredths.
const LEAST_SPREAD: f64 = 0.02;
/// Part of the largest magnitude down to which samples are compared.
const CLEAR: f64 = 0.1;
/// Samples that are compared where nothing tells how long the signal is.
const SHORTEST: usize = 32;
/// Overlap with the others' decay below which it is another one.
const ALIKE: f64 = 0.95;

/// Which transients are kept, and how the sizes of those differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) kept: Vec<bool>,
    /// Standard deviation of the kept sizes over their mean; 0 of a single one.
    pub(super) spread: f64,
}

/// Compares the magnitudes of `fids` with one another: neither phase nor frequency counts.
pub(super) fn choose(fids: &[Vec<Complex64>], beyond_sd: f64) -> Chosen {
    let mut magnitudes: Vec<Vec<f64>> = fids.iter().map(|fid| fid.iter().map(|z| z.norm()).collect()).collect();
    let used = magnitudes.iter().map(|m| signal_length(m)).max().unwrap_or(0);
    magnitudes.iter_mut().for_each(|m| m.truncate(used));
    let sizes: Vec<f64> = magnitudes.iter().map(|m| m.iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    let mut kept: Vec<bool> = sizes.iter().map(|size| *size > LOST * largest).collect();
    let of_kept =
        |kept: &[bool]| -> Vec<f64> { sizes.iter().zip(kept).filter(|(_, k)| **k).map(|(s, _)| *s).collect() };
    let there = of_kept(&kept);
    if there.len() >= FEWEST {
        let centre = upper_median(there.iter().copied());
        let spread = spread(there.iter().map(|size| (size - centre).abs()).collect()).max(LEAST_SPREAD * centre);
        let typical = typical(&magnitudes, &kept);
        for (keep, (size, own)) in kept.iter_mut().zip(sizes.iter().zip(&magnitudes)) {
            let overlap: f64 = own.iter().zip(&typical.0).map(|(a, b)| a * b).sum();
            *keep &= (size - centre).abs() <= beyond_sd * spread && overlap > ALIKE * size * typical.1;
        }
    }
    let there = of_kept(&kept);
    let (n, mean) = (there.len() as f64, there.iter().sum::<f64>() / there.len().max(1) as f64);
    let squares: f64 = there.iter().map(|size| (size - mean).powi(2)).sum();
    let spread = if there.len() > 1 && mean > 0.0 { (squares / (n - 1.0)).sqrt() / mean } else { 0.0 };
    Chosen { kept, spread }
}

/// Samples up to the last one that stands clear of the end.
fn signal_length(magnitude: &[f64]) -> usize {
    let top = magnitude.iter().copied().fold(0.0, f64::max);
    // A transient that was lost is noise all along.
    let is_noise = magnitude.iter().sum::<f64>() > LOST * top * magnitude.len() as f64;
    let last = magnitude.iter().rposition(|m| *m > CLEAR * top).map_or(0, |last| last + 1);
    if is_noise { magnitude.len().min(SHORTEST) } else { last }
}

/// The median of the magnitudes that are there, and its size.
fn typical(magnitudes: &[Vec<f64>], kept: &[bool]) -> (Vec<f64>, f64) {
    let there: Vec<&Vec<f64>> = magnitudes.iter().zip(kept).filter(|(_, k)| **k).map(|(m, _)| m).collect();
    let n = there.iter().map(|m| m.len()).min().unwrap_or(0);
    let median: Vec<f64> = (0..n).map(|i| upper_median(there.iter().map(|m| m[i]))).collect();
    let size = median.iter().map(|v| v * v).sum::<f64>().sqrt();
    (median, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn fids(sizes: &[f64]) -> Vec<Vec<Complex64>> {
        let mut random = Random::new(9, 0);
        let mut fid = |size: f64| -> Vec<Complex64> {
            let phase = random.normal();
            (0..512)
                .map(|n| {
                    let decay = size * (-f64::from(n) * 0.01).exp();
                    Complex64::from_polar(decay, phase) + Complex64::new(random.normal(), random.normal()) * 1e-3
                })
                .collect()
        };
        sizes.iter().map(|size| fid(*size)).collect()
    }

    #[test]
    fn lost_and_spoiled_transients_are_left_out() {
        for (sizes, kept) in [
            (&[1.0, 1.0, 1.0, 0.0][..], &[true, true, true, false][..]),
            (&[0.02, 1.0, 1.0, 0.02], &[false, true, true, false]),
            (&[0.0, 0.0, 1.0, 0.0], &[false, false, true, false]),
            (&[1.0, 1.01, 0.5, 0.99, 1.0, 1.02], &[true, true, false, true, true, true]),
            (&[1.0, 1.0, 1.0, 3.0], &[true, true, true, false]),
            (&[1.0, 0.97, 1.02, 0.99], &[true; 4]),
            (&[1.0, 0.7], &[true; 2]),
            (&[1.0], &[true]),
        ] {
            assert_eq!(choose(&fids(sizes), 5.0).kept, kept, "{sizes:?}");
        }
        assert!(choose(&fids(&[1.0, 0.7]), 5.0).spread > 0.2);
        assert!(choose(&fids(&[1.0, 1.0, 0.0]), 5.0).spread < 0.01);
        let mut odd = fids(&[1.0; 6]);
        odd[2].iter_mut().enumerate().for_each(|(n, z)| *z *= (-(n as f64) * 0.05).exp() * 2.4);
        assert_eq!(choose(&odd, 5.0).kept.iter().filter(|k| !**k).count(), 1);
    }
}
