//! Eddy-current correction with the phase of the water reference (Klose 1990,
//! <https://doi.org/10.1002/mrm.1910140104>).

use num_complex::Complex64;

use crate::signal::noise::tail_sd;

/// Reference magnitude, in units of its noise, below which its phase is not trusted any more.
const TRUSTED: f64 = 5.0;

/// Takes the phase of `reference` out of `fid`, sample by sample.
///
/// It removes the zero-order phase and puts water at 0 Hz, too. Where the reference has decayed into
/// its noise, its phase would only add noise: from there on the last trusted phase is carried on with
/// the mean slope of the trusted samples before it.
pub fn correct(fid: &mut [Complex64], reference: &[Complex64]) {
    let distortion = Distortion::new(reference, fid.len());
    for (z, w) in fid.iter_mut().zip(&reference[..distortion.trusted]) {
        *z *= unit(w.conj());
    }
    let mut phase = distortion.last;
    for z in &mut fid[distortion.trusted..] {
        phase *= distortion.step;
        *z *= phase.conj();
    }
}

/// How the phase of a reference goes on where it is not trusted any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distortion {
    /// Samples whose own phase is taken.
    pub trusted: usize,
    /// Phase factor of the last of them.
    pub last: Complex64,
    /// Mean rotation from one sample to the next before it.
    pub step: Complex64,
}

impl Distortion {
    /// Of `reference`, for a FID of `n_points`. A reference that is nothing but noise distorts nothing.
    pub fn new(reference: &[Complex64], n_points: usize) -> Self {
        let threshold = TRUSTED * tail_sd(reference).unwrap_or(0.0);
        let n = n_points.min(reference.len());
        let trusted = reference[..n].iter().position(|z| z.norm() <= threshold).unwrap_or(n);
        let one = Complex64::new(1.0, 0.0);
        match trusted {
            0 => Self { trusted, last: one, step: one },
            _ => Self {
                trusted,
                last: unit(reference[trusted - 1]),
                step: mean_step(&reference[trusted - trusted.min(64)..trusted]),
            },
        }
    }
}

/// Mean rotation from one sample to the next.
fn mean_step(samples: &[Complex64]) -> Complex64 {
    unit(samples.windows(2).map(|w| w[1] * w[0].conj()).sum())
}

fn unit(z: Complex64) -> Complex64 {
    let norm = z.norm();
    if norm > 0.0 { z / norm } else { Complex64::new(1.0, 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_phase_common_to_both_is_removed() {
        let distortion =
            |n: usize| Complex64::from_polar(1.0, 0.7 + 2.0 * (-(n as f64) / 40.0).exp() + 0.02 * n as f64);
        let clean: Vec<Complex64> =
            (0..512).map(|n| Complex64::from_polar((-(n as f64) / 150.0).exp(), 0.3 * n as f64)).collect();
        let mut fid: Vec<Complex64> = clean.iter().enumerate().map(|(n, z)| z * distortion(n)).collect();
        let water: Vec<Complex64> = (0..512).map(|n| distortion(n) * 100.0 * (-(n as f64) / 200.0).exp()).collect();
        correct(&mut fid, &water);
        // Exact where the reference stands above its tail, to the drift of the carried-on phase beyond.
        for (n, (a, b)) in fid.iter().zip(&clean).enumerate() {
            let tolerance = if n < 100 { 1e-9 } else { 0.03 * b.norm() };
            assert!((a - b).norm() <= tolerance, "{n}: {a} {b}");
        }
    }
}
