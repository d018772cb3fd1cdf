//! Spectra that a program holds, fitted and tabulated as a run does it: no folder, no journal. Bindings are made of this.

use rayon::prelude::*;

use super::RunOptions;
use super::chunk::{self, Rows, Work};
use super::error::RunError;
use super::inputs::Inputs;
use super::load::{Loaded, load_held};
use super::models::ModelStore;
use super::rows::settings_hash;
use super::{contents, tissue};
use crate::acquisition::Acquisition;
use crate::basis::BasisSet;
use crate::corpus::{Found, Overrides, Water};
use crate::engine::CpuEngine;
use crate::store::{CurveRow, MetaboliteRow, SpectrumRow};
use crate::tissue::Source;

/// A measurement that was read and prepared: what a fit starts from.
pub struct Held {
    found: Found,
    loaded: Loaded,
}

impl Held {
    /// All that a run would find at the inputs of `options`, read and prepared: one entry a file. All of it is in memory at
    /// once; a corpus is [`super::run()`]'s.
    ///
    /// # Errors
    /// [`RunError`]: nothing is there.
    pub fn read(options: &RunOptions) -> Result<Vec<Self>, RunError> {
        Ok(Self::read_found(Inputs::find(options)?.found(), options))
    }

    /// As [`Self::read`] of one file, with a water reference that is named instead of one that is paired.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with_water(options: &RunOptions, water: std::path::PathBuf) -> Result<Vec<Self>, RunError> {
        let inputs = Inputs::find(options)?;
        let mut found: Vec<Found> = inputs.found().to_vec();
        for one in &mut found {
            one.water_source_path = water.file_name().map(|name| name.to_string_lossy().into_owned());
            (one.water, one.water_parts) = (Water::Paired(water.clone()), Vec::new());
        }
        Ok(Self::read_found(&found, options))
    }

    fn read_found(found: &[Found], options: &RunOptions) -> Vec<Self> {
        let mut loaded = chunk::read(found, None, options, None);
        tissue::fill(found, &mut loaded, options.tissue.transform);
        let together = found.par_iter().cloned().zip(loaded);
        together
            .map(|(found, mut loaded)| {
                let content = contents::content_of(&found);
                loaded.headers_mut().for_each(|h| h.inputs_sha256 = Some(content.inputs_sha256.clone()));
                Self { found, loaded }
            })
            .collect()
    }

    /// A measurement in memory, prepared as `options` say. `id` is the `spectrum_id` of its rows.
    pub fn of(id: &str, data: Acquisition, water: Option<Acquisition>, options: &RunOptions) -> Self {
        let found = in_memory(id);
        let loaded = load_held(&found, data, water, &options.gaps, &options.preparation);
        Self { found, loaded }
    }

    /// Its spectra, or why there is none.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }
}

/// What a listing would say of a measurement that is no file.
pub(super) fn in_memory(id: &str) -> Found {
    Found {
        path: std::path::PathBuf::from(id),
        parts: Vec::new(),
        id: id.to_owned(),
        source_path: id.to_owned(),
        water: Water::None,
        water_parts: Vec::new(),
        water_source_path: None,
        subject: None,
        session: None,
        site: None,
        voi: None,
        overrides: Overrides::none(),
        tissue: Source::None,
        problem: None,
    }
}

/// Rows as the tables of a run have them.
#[derive(Debug, Default)]
pub struct HeldRows {
    /// One for each spectrum and method, fitted or not.
    pub spectra: Vec<SpectrumRow>,
    /// One for each metabolite and sum of those that were fitted.
    pub metabolites: Vec<MetaboliteRow>,
    /// Those of fits, where the options keep curves.
    pub curves: Vec<CurveRow>,
}

impl HeldRows {
    fn add(&mut self, rows: Rows) {
        self.spectra.push(rows.spectrum);
        self.metabolites.extend(rows.metabolites);
        self.curves.extend(rows.curve);
    }
}

/// Fits what is held, on the processor; models are made once and shared.
pub struct Fitter<'a> {
    options: &'a RunOptions,
    models: ModelStore<'a>,
    hashes: Vec<String>,
}

impl<'a> Fitter<'a> {
    /// Fits as `options` say. With `basis` that set stands in the place of the file that they name, which is not read then:
    /// its path is no more than a name for it.
    ///
    /// # Errors
    /// [`RunError`]: the basis set cannot be used.
    pub fn new(options: &'a RunOptions, basis: Option<BasisSet>) -> Result<Self, RunError> {
        let models = match basis {
            Some(set) => ModelStore::with_set(options, set),
            None => ModelStore::new(options)?,
        };
        let hashes = options.methods.iter().map(settings_hash).collect();
        Ok(Self { options, models, hashes })
    }

    /// Fits all spectra of some measurements, in their order.
    pub fn all(&self, held: Vec<Held>) -> HeldRows {
        let (found, loaded): (Vec<Found>, Vec<Loaded>) = held.into_iter().map(|h| (h.found, h.loaded)).unzip();
        let mut all = HeldRows::default();
        chunk::process(&self.work(&found, &loaded)).0.into_iter().for_each(|rows| all.add(rows));
        all
    }

    /// Fits one spectrum of a measurement, by its number there.
    pub fn one(&self, held: &Held, index: usize) -> HeldRows {
        let mut all = HeldRows::default();
        if index < held.loaded.spectra.len() {
            let work = self.work(std::slice::from_ref(&held.found), std::slice::from_ref(&held.loaded));
            chunk::jobs_and_rows(&work, index).into_iter().for_each(|(rows, _)| all.add(rows));
        }
        all
    }

    fn work<'w>(&'w self, found: &'w [Found], loaded: &'w [Loaded]) -> Work<'w> {
        Work {
            chunk: found,
            loaded,
            options: self.options,
            hashes: &self.hashes,
            models: &self.models,
            engine: &CpuEngine,
        }
    }
}
