//! One spectrum and method between its file and its row, and the fits of many.

use std::borrow::Cow;

use super::load::{Failure, Loaded, SpectrumKey};
use super::models::{Extra, ModelStore, Prepared};
use crate::corpus::Found;
use crate::engine::{Batch, Engine, Fitted, Task};
use crate::fit::strangers::added::Added;
use crate::prepare::Spectrum;

/// One spectrum × method on its way to a row.
pub(super) struct Job<'a> {
    pub(super) found: &'a Found,
    pub(super) loaded: &'a Loaded,
    /// Index into `loaded.spectra`.
    pub(super) index: usize,
    pub(super) method: usize,
    /// The model of its protocol.
    pub(super) prepared: Result<Prepared, Failure>,
    /// Components that the spectrum asked for beside its basis set. Their model is made when it is needed: held for each such
    /// spectrum of a chunk, models would take more memory than the spectra do.
    pub(super) added: Vec<Added>,
    pub(super) fit: Option<Fitted>,
    /// LCModel's signal-to-noise ratio of the fit, where somebody has drawn its curves already.
    pub(super) snr_lcmodel: Option<Option<f64>>,
}

impl<'a> Job<'a> {
    pub(super) fn key(&self) -> &'a SpectrumKey {
        &self.loaded.spectra[self.index].0
    }

    pub(super) fn spectrum(&self) -> Option<&'a Spectrum> {
        self.loaded.spectra[self.index].1.as_ref().ok()
    }

    /// The model that `fit` is of.
    pub(super) fn model_of_fit(&self, models: &ModelStore<'_>) -> Result<Cow<'_, Prepared>, Failure> {
        let prepared = self.prepared.as_ref().map_err(Clone::clone)?;
        if self.added.is_empty() {
            return Ok(Cow::Borrowed(prepared));
        }
        self.model_with(&Extra { added: self.added.clone(), stiff: false }, models).map(Cow::Owned)
    }

    /// The model of its protocol with something else.
    pub(super) fn model_with(&self, extra: &Extra, models: &ModelStore<'_>) -> Result<Prepared, Failure> {
        let (key, spectrum) = &self.loaded.spectra[self.index];
        let spectrum = spectrum.as_ref().map_err(Clone::clone)?;
        models.model_with(self.found, self.loaded.header_of(key), key, spectrum, self.method, extra)
    }

    /// Adds what another condition of the voxel tells, where the model asks for one and it is there.
    pub(super) fn complete(&mut self) {
        let (Some(spectrum), Ok(prepared)) = (self.spectrum(), &self.prepared) else { return };
        let (Some(name), Some(fit)) = (prepared.model.companion(), &mut self.fit) else { return };
        if let Some(companion) = self.loaded.companion(&self.loaded.spectra[self.index].0, name) {
            prepared.model.complete(&mut fit.result, &spectrum.fid, &companion.fid);
        }
    }
}

/// The fits that are wanted, in their order: all of them in one batch.
pub(crate) fn fitted(wanted: &[Option<(&Prepared, &Spectrum)>], engine: &dyn Engine) -> Vec<Option<Fitted>> {
    let pairs = wanted.iter().flatten();
    let tasks = pairs.map(|&(prepared, spectrum)| Task { model: prepared.model.as_ref(), fid: &spectrum.fid });
    let batch = Batch { tasks: tasks.collect() };
    let mut fits = engine.fit(&batch).into_iter();
    wanted.iter().map(|one| one.as_ref().and_then(|_| fits.next())).collect()
}
