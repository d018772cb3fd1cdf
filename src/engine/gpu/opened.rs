//! A device that is open, and what lies ready on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use super::error::GpuError;
use super::pipelines::Compiled;
use super::rounds::Memory;
use super::stage::Family;

/// A device and what was compiled for it.
pub(super) struct Opened {
    pub(super) device: Arc<Device>,
    compiled: Mutex<HashMap<(Family, usize), Arc<Compiled>>>,
    /// What fits of `map` take, once there was one.
    pub(super) memory: Mutex<Option<Memory>>,
}

impl Opened {
    /// Opens adapter number `index`.
    pub(super) fn open(index: usize) -> Result<Self, GpuError> {
        Ok(Self { device: Arc::new(Device::open(index)?), compiled: Mutex::default(), memory: Mutex::default() })
    }

    /// The stages of `family` for transforms of `fft_n` samples, compiled on first use.
    pub(super) fn compiled(&self, family: Family, fft_n: usize) -> Result<Arc<Compiled>, GpuError> {
        let mut all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(&(family, fft_n)) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(Compiled::new(&self.device, family, |stage| stage.source(fft_n)));
        self.device.check()?;
        all.insert((family, fft_n), Arc::clone(&compiled));
        Ok(compiled)
    }
}
