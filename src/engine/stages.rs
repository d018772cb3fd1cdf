//! What preparation does to many FIDs at once: transforms, windows, eddy currents, registration of transients.
//!
//! Every engine has each of them; the native ones here are the definition.

use num_complex::Complex64;
use rayon::prelude::*;
use rustfft::FftPlanner;

use super::CpuEngine;
use crate::prepare::align::{Offset, register, turn_back};
use crate::prepare::eddy;

/// FIDs of one length, one behind the other.
pub struct Fids<'a> {
    /// All samples.
    pub samples: &'a mut [Complex64],
    /// Samples of one FID; divides the number of samples.
    pub n_points: usize,
}

impl Fids<'_> {
    /// How many FIDs.
    pub fn count(&self) -> usize {
        self.samples.len().checked_div(self.n_points).unwrap_or(0)
    }

    fn each(&mut self) -> rayon::slice::ChunksExactMut<'_, Complex64> {
        self.samples.par_chunks_exact_mut(self.n_points.max(1))
    }
}

/// Stages of preparation over batches of FIDs.
pub trait Stages {
    /// X\[k\] = Σ x\[n\]·exp(−2πi·k·n/N), every FID by itself.
    fn transform(&self, fids: Fids<'_>);

    /// Multiplies every FID by `window`, one weight a sample.
    fn apodise(&self, fids: Fids<'_>, window: &[f64]);

    /// Turns every FID back by its own offset.
    fn turn_back(&self, fids: Fids<'_>, offsets: &[Offset], dwell_s: f64);

    /// Takes the phase of its own water reference out of every FID ([`eddy::correct`]). References are as long as
    /// the FIDs and lie one behind the other.
    fn correct_eddy_currents(&self, fids: Fids<'_>, references: &[Complex64]);

    /// Offset of every FID from `reference` ([`register`]).
    fn register(&self, fids: Fids<'_>, reference: &[Complex64], dwell_s: f64, max_shift_hz: f64) -> Vec<Offset>;
}

impl Stages for CpuEngine {
    fn transform(&self, mut fids: Fids<'_>) {
        let plan = FftPlanner::new().plan_fft_forward(fids.n_points);
        fids.each().for_each(|fid| plan.process(fid));
    }

    fn apodise(&self, mut fids: Fids<'_>, window: &[f64]) {
        fids.each().for_each(|fid| fid.iter_mut().zip(window).for_each(|(z, w)| *z *= w));
    }

    fn turn_back(&self, mut fids: Fids<'_>, offsets: &[Offset], dwell_s: f64) {
        fids.each().zip(offsets).for_each(|(fid, offset)| turn_back(fid, offset, dwell_s));
    }

    fn correct_eddy_currents(&self, mut fids: Fids<'_>, references: &[Complex64]) {
        let n_points = fids.n_points.max(1);
        fids.each().zip(references.par_chunks_exact(n_points)).for_each(|(fid, own)| eddy::correct(fid, own));
    }

    fn register(&self, mut fids: Fids<'_>, reference: &[Complex64], dwell_s: f64, max_shift_hz: f64) -> Vec<Offset> {
        fids.each().map(|fid| register(fid, reference, dwell_s, max_shift_hz)).collect()
    }
}
