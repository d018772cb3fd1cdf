//! A known fit that a device must get right before it is used: some drivers end long loops early or get
//! functions wrong, without a word.

use super::error::GpuError;
use crate::engine::known::{DWELL_S, F0_MHZ, N_POINTS, known_spectra};
use crate::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use crate::fit::map::Settings;
use crate::fit::{FitState, Method};

/// Largest difference that a device may have (standard deviations): far more than f32 makes, far less than any
/// fault does.
const TOLERANCE_SD: f64 = 0.1;
/// Spectra of the test.
const N_SPECTRA: usize = 4;

/// What a device made of the known fit.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// Largest difference of an amplitude from the native engine's (standard deviations).
    pub worst_sd: f64,
    /// Spectra that did not end as they do on the native engine.
    pub n_other_states: usize,
    /// Spectra that the device did not do.
    pub n_not_done: usize,
}

impl SelfTest {
    /// Fits a few simulated spectra on both engines.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the known problem cannot be built (it always can).
    pub fn run(engine: &dyn Engine) -> Result<Self, GpuError> {
        let fail = |reason: String| GpuError::Device { reason };
        let (basis, fids) = known_spectra(N_SPECTRA);
        let settings = Settings::map().map_err(|e| fail(e.to_string()))?;
        let method = Method::from(settings);
        let model = method.model(&basis, N_POINTS, DWELL_S, F0_MHZ, None).map_err(|e| fail(e.to_string()))?;
        let batch = || Batch::of(&model, fids.iter().map(Vec::as_slice));
        Ok(Self::compare(&CpuEngine.fit(&batch()), &engine.fit(&batch())))
    }

    /// What a device made of spectra that the native engine fitted as well.
    pub fn compare(native: &[Fitted], device: &[Fitted]) -> Self {
        let mut test = Self { worst_sd: 0.0, n_other_states: 0, n_not_done: native.len().abs_diff(device.len()) };
        for (a, b) in native.iter().zip(device) {
            test.n_other_states += usize::from(a.result.state != b.result.state);
            test.n_not_done += usize::from(b.engine != EngineKind::Gpu || b.result.state == FitState::Singular);
            for (x, y) in a.result.amplitudes.iter().zip(&b.result.amplitudes) {
                let difference = ((x.value - y.value) / x.sd_posterior).abs();
                // NaN counts as the worst there is.
                test.worst_sd = if difference <= test.worst_sd { test.worst_sd } else { difference };
            }
        }
        test
    }

    /// What is wrong; `None` if nothing is.
    pub fn fault(&self) -> Option<String> {
        if self.n_not_done > 0 {
            return Some(format!("{} known spectra could not be fitted", self.n_not_done));
        }
        if self.n_other_states > 0 {
            return Some(format!("{} known spectra ended in another state", self.n_other_states));
        }
        (self.worst_sd.is_nan() || self.worst_sd > TOLERANCE_SD).then(|| {
            format!("a known amplitude is off by {:.3} standard deviations (at most {TOLERANCE_SD})", self.worst_sd)
        })
    }
}
