//! First-order phase where samples are compared: a delay of the components' FIDs.

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use super::problem::Problem;
use super::settings::Domain;
use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform};

/// FIDs whose spectra are turned by φ1(δ − pivot): FID{cis(φ1(δ − pivot))·spectrum of m}. As TARQUIN has it, the phase
/// comes before damping and shift (its `residual_objective_all`), so that only φ1 asks for transforms.
pub(super) struct Delay {
    /// Spectra of the members' FIDs over the whole band, one after the other.
    spectra: Vec<Complex64>,
    /// δ − pivot of each of their points (ppm).
    from_pivot_ppm: Vec<f64>,
    inverse: Arc<dyn Fft<f64>>,
    scratch: Vec<Complex64>,
    /// φ1 of [`Self::fid`], and the phase factor of each point.
    at: Option<f64>,
    phase: Vec<Complex64>,
    turned: Vec<Complex64>,
}

impl Delay {
    /// Of `problem`; `None` where it compares spectra or its first-order phase stays at zero.
    pub(super) fn new(problem: &Problem<'_>) -> Option<Self> {
        let phi1 = &problem.layout.parameters[problem.layout.phi1()];
        if problem.grid.domain != Domain::Time || phi1.is_fixed {
            return None;
        }
        let n = problem.grid.n_points;
        let (forward, inverse) = (transform(n, FftDirection::Forward), transform(n, FftDirection::Inverse));
        let mut spectra: Vec<Complex64> =
            (0..problem.members.len()).flat_map(|k| problem.fid(k).iter().copied()).collect();
        // The inverse leaves a factor of n.
        spectra.iter_mut().for_each(|z| *z /= n as f64);
        forward.process(&mut spectra);
        let bin_hz = 1.0 / (n as f64 * problem.grid.dwell_s);
        let from_pivot_ppm =
            (0..n).map(|k| ppm_from_hz(signed_bin(k, n) * bin_hz, problem.grid.f0_mhz) - problem.pivot_ppm).collect();
        let zero = Complex64::default();
        let scratch = vec![zero; inverse.get_inplace_scratch_len()];
        let (turned, phase) = (vec![zero; spectra.len()], vec![zero; n]);
        Some(Self { turned, spectra, from_pivot_ppm, inverse, scratch, at: None, phase })
    }

    /// Turns all FIDs by `phi1` (rad/ppm).
    pub(super) fn turn(&mut self, phi1: f64) {
        if self.at == Some(phi1) {
            return;
        }
        self.at = Some(phi1);
        let n = self.from_pivot_ppm.len();
        self.phase.iter_mut().zip(&self.from_pivot_ppm).for_each(|(p, d)| *p = Complex64::cis(phi1 * d));
        for (turned, spectrum) in self.turned.chunks_mut(n).zip(self.spectra.chunks(n)) {
            for ((o, z), p) in turned.iter_mut().zip(spectrum).zip(&self.phase) {
                *o = z * p;
            }
        }
        self.inverse.process_with_scratch(&mut self.turned, &mut self.scratch);
    }

    /// FID of member `k` as it was turned last.
    pub(super) fn fid(&self, k: usize) -> &[Complex64] {
        let n = self.from_pivot_ppm.len();
        &self.turned[k * n..(k + 1) * n]
    }

    /// The derivative of [`Self::fid`] by φ1, without its factor i, into `out`.
    pub(super) fn derivative(&mut self, k: usize, out: &mut [Complex64]) {
        let n = self.from_pivot_ppm.len();
        let turned = self.spectra[k * n..(k + 1) * n].iter().zip(&self.phase).map(|(z, p)| z * p);
        for ((o, z), d) in out.iter_mut().zip(turned).zip(&self.from_pivot_ppm) {
            *o = z * d;
        }
        self.inverse.process_with_scratch(out, &mut self.scratch);
    }
}
