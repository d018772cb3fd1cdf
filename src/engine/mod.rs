//! Engines run batches of fits. Every engine takes the same [`Batch`] and gives the same results, so
//! that nobody has to know where a spectrum was fitted, or beside which others.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(any(test, feature = "gpu"))]
mod known;
mod scratch;

use std::collections::HashMap;

use num_complex::Complex64;

use crate::fit::{FitResult, Model};

pub use cpu::CpuEngine;
#[cfg(feature = "gpu")]
pub use gpu::GpuEngine;
#[cfg(test)]
pub(crate) use known::known_spectra;

/// A spectrum and the model that fits it.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The model; spectra share one that have basis set, grid and method in common.
    pub model: &'a Model,
    /// FID of the model's length.
    pub fid: &'a [Complex64],
}

/// Spectra that are fitted together, of any models. None touches another: each comes out as it does alone, bit for bit.
#[derive(Clone, Default)]
pub struct Batch<'a> {
    /// In the order of the results.
    pub tasks: Vec<Task<'a>>,
}

impl<'a> Batch<'a> {
    /// Spectra that share one model.
    pub fn of(model: &'a Model, fids: impl IntoIterator<Item = &'a [Complex64]>) -> Self {
        Self { tasks: fids.into_iter().map(|fid| Task { model, fid }).collect() }
    }

    /// Its models, each once, in the order in which they come first, and the number of each task's model among them.
    pub(crate) fn models(&self) -> (Vec<&'a Model>, Vec<usize>) {
        let mut models = Vec::new();
        let mut numbers: HashMap<*const Model, usize> = HashMap::new();
        let number = |task: &Task<'a>| {
            *numbers.entry(std::ptr::from_ref(task.model)).or_insert_with(|| {
                models.push(task.model);
                models.len() - 1
            })
        };
        let of_tasks = self.tasks.iter().map(number).collect();
        (models, of_tasks)
    }
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
    /// says so and touches no other. Where somebody asks to stop meanwhile ([`crate::interrupt`]), nothing
    /// comes back.
    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted>;
}
