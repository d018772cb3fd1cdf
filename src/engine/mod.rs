//! Engines run batches of fits. Every engine takes the same [`Batch`] and gives the same results, so
//! that nobody has to know where a spectrum was fitted.

pub mod cpu;

use num_complex::Complex64;

use crate::fit::{FitResult, Model};

pub use cpu::CpuEngine;

/// Spectra that share one model: same basis set, grid and method.
pub struct Batch<'a> {
    /// What they share.
    pub model: &'a Model,
    /// One FID each, of the model's length.
    pub fids: Vec<&'a [Complex64]>,
}

/// Runs batches.
pub trait Engine: Sync {
    /// Name in the tables and logs.
    fn name(&self) -> &'static str;

    /// Fits every spectrum of the batch, in its order. A spectrum that cannot be fitted has a state that
    /// says so and touches no other.
    fn fit(&self, batch: &Batch<'_>) -> Vec<FitResult>;
}
