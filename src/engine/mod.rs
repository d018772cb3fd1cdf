//! Engines run batches of fits. Every engine takes the same [`Batch`] and gives the same results, so
//! that nobody has to know where a spectrum was fitted.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(any(test, feature = "gpu"))]
mod known;

use num_complex::Complex64;

use crate::fit::{FitResult, Model};

pub use cpu::CpuEngine;
#[cfg(feature = "gpu")]
pub use gpu::GpuEngine;
#[cfg(test)]
pub(crate) use known::known_spectra;

/// Spectra that share one model: same basis set, grid and method.
pub struct Batch<'a> {
    /// What they share.
    pub model: &'a Model,
    /// One FID each, of the model's length.
    pub fids: Vec<&'a [Complex64]>,
}

/// A result and where it comes from.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The result.
    pub result: FitResult,
    /// The engine that did it: an engine may leave to the native one what it cannot do.
    pub engine: EngineKind,
}

/// Where a fit is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// On the processor, in f64.
    Cpu,
    /// On a GPU, iterated in f32.
    Gpu,
}

impl EngineKind {
    /// Files that a run should have in memory together to keep it busy.
    pub const fn files_at_once(self) -> usize {
        match self {
            Self::Cpu => 128,
            Self::Gpu => 4096,
        }
    }

    /// Its name in the tables and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// Runs batches.
pub trait Engine: Sync {
    /// Which it is.
    fn kind(&self) -> EngineKind;

    /// What it runs on.
    fn device(&self) -> String;

    /// Files that a run should have in memory together to keep it busy.
    fn files_at_once(&self) -> usize {
        self.kind().files_at_once()
    }

    /// What happened on the way that a user should know.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Fits every spectrum of the batch, in its order. A spectrum that cannot be fitted has a state that
    /// says so and touches no other. Where somebody asks to stop meanwhile ([`crate::interrupt`]), what
    /// comes back is no result: it may be short, and nobody keeps it.
    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted>;
}
