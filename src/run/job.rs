//! One spectrum and method between its file and its row, and the fits of many.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::load::{Failure, Loaded, SpectrumKey};
use super::models::{Extra, ModelStore, Prepared};
use crate::corpus::Found;
use crate::engine::{Batch, Engine, Fitted};
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

/// The fits that are wanted, in their order: those that share a model in one batch, batches side by side.
pub(crate) fn fitted(wanted: &[Option<(&Prepared, &Spectrum)>], engine: &dyn Engine) -> Vec<Option<Fitted>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut by_model: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, (prepared, _)) in wanted.iter().enumerate().filter_map(|(i, one)| Some((i, one.as_ref()?))) {
        let slot = *by_model.entry(prepared.model_key()).or_insert_with(|| {
            batches.push(Vec::new());
            batches.len() - 1
        });
        batches[slot].push(i);
    }
    let results: Vec<(usize, Fitted)> = batches
        .par_iter()
        .flat_map_iter(|batch| {
            let of_batch = || batch.iter().filter_map(|&i| wanted[i].as_ref());
            let fids = of_batch().map(|(_, spectrum)| spectrum.fid.as_slice()).collect();
            let fits = match of_batch().next() {
                Some((prepared, _)) => engine.fit(&Batch { model: prepared.model.as_ref(), fids }),
                None => Vec::new(),
            };
            batch.iter().copied().zip(fits).collect::<Vec<_>>()
        })
        .collect();
    let mut fits: Vec<Option<Fitted>> = wanted.iter().map(|_| None).collect();
    for (i, fit) in results {
        fits[i] = Some(fit);
    }
    fits
}
