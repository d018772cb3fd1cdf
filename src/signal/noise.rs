//! The noise of an FID, from its end.

use num_complex::Complex64;

/// Standard deviation of the noise per real and imaginary part of a sample, from the last eighth of
/// the FID (zero-filled tails cut first), where the signal has decayed.
///
/// `None` when there is no noise at all (a simulated or constant FID) or nothing but zeros.
pub fn noise_sd(fid: &[Complex64]) -> Option<f64> {
    let used = used_length(fid);
    let tail = &fid[used - used / 8..used];
    if tail.len() < 8 {
        return None;
    }
    // Differences of neighbours two apart would whiten a decaying remainder but colour the noise;
    // the plain variance around the mean errs upwards, on the safe side.
    let n = tail.len() as f64;
    let mean: Complex64 = tail.iter().sum::<Complex64>() / n;
    let sum: f64 = tail.iter().map(|z| (z - mean).norm_sqr()).sum();
    let sd = (sum / (2.0 * (n - 1.0))).sqrt();
    (sd > 0.0).then_some(sd)
}

/// Number of samples before a zero-filled tail.
pub fn used_length(fid: &[Complex64]) -> usize {
    fid.iter().rposition(|z| z.re != 0.0 || z.im != 0.0).map_or(0, |i| i + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_zero_filled_tail_does_not_lower_the_noise() {
        let mut fid: Vec<Complex64> = (0..800)
            .map(|i| Complex64::new(((i * 7919) % 101) as f64 - 50.0, ((i * 104_729) % 97) as f64 - 48.0))
            .collect();
        let measured = noise_sd(&fid).unwrap();
        fid.extend(vec![Complex64::default(); 800]);
        assert!((noise_sd(&fid).unwrap() / measured - 1.0).abs() < 1e-12);
        assert_eq!(noise_sd(&vec![Complex64::default(); 100]), None);
    }
}
