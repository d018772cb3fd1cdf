//! `--engine` and `--gpu`: which engine, opened.

use clap::{Args, ValueEnum};

use super::error::CliError;
#[cfg(feature = "gpu")]
use crate::engine::GpuEngine;
#[cfg(feature = "gpu")]
use crate::engine::gpu::{GpuError, device};
use crate::engine::{CpuEngine, Engine};

/// What a binary without the GPU engine says, and what to take instead.
#[cfg(not(feature = "gpu"))]
pub(super) const WITHOUT_GPU: &str = "this binary was built without the GPU engine (a static binary cannot load a graphics \
     driver); take the one for glibc (x86_64-unknown-linux-gnu), or use --engine cpu";

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    /// A GPU that passes its self-test, otherwise the processor.
    Auto,
    /// The processor.
    Cpu,
    /// A GPU, or an error.
    Gpu,
}

/// Which engine, and on what.
#[derive(Args, Debug, Clone, Copy)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineArgs {
    /// Engine that fits; auto never takes a software rasteriser
    #[arg(long, value_enum, default_value = "auto")]
    engine: EngineChoice,
    /// Number of the GPU in the list of `requant devices`
    #[arg(long, value_name = "N")]
    gpu: Option<usize>,
}

impl EngineArgs {
    /// Opens the engine. With `auto` a GPU that cannot be used is a warning, with `gpu` an error.
    pub(super) fn open(self) -> Result<Box<dyn Engine>, CliError> {
        if self.engine == EngineChoice::Cpu && self.gpu.is_some() {
            return Err(CliError::new(2, anyhow::anyhow!("--gpu and --engine cpu contradict each other")));
        }
        self.open_consistent()
    }

    /// Whether nothing but a GPU will do.
    fn needs_gpu(self) -> bool {
        self.engine == EngineChoice::Gpu || self.gpu.is_some()
    }

    #[cfg(not(feature = "gpu"))]
    fn open_consistent(self) -> Result<Box<dyn Engine>, CliError> {
        if self.needs_gpu() { Err(CliError::new(1, anyhow::anyhow!(WITHOUT_GPU))) } else { Ok(Box::new(CpuEngine)) }
    }

    #[cfg(feature = "gpu")]
    fn open_consistent(self) -> Result<Box<dyn Engine>, CliError> {
        let adapters = if self.engine == EngineChoice::Cpu { Vec::new() } else { device::list() };
        let index = match (self.engine, self.gpu) {
            (_, Some(index)) => Some(index),
            (EngineChoice::Gpu, None) => device::automatic(&adapters).or_else(|| device::software(&adapters)),
            (_, None) => device::automatic(&adapters),
        };
        match index.map(|index| GpuEngine::open(Some(index))) {
            Some(Ok(engine)) => Ok(Box::new(engine)),
            Some(Err(error)) if !self.needs_gpu() => {
                tell!("warning: {error}; fitting on the processor");
                Ok(Box::new(CpuEngine))
            }
            Some(Err(error)) => Err(CliError::new(1, error)),
            None if self.needs_gpu() => {
                Err(CliError::new(1, GpuError::NoAdapter { asked: None, found: adapters.len() }))
            }
            None => Ok(Box::new(CpuEngine)),
        }
    }
}
