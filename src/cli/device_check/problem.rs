//! Simulated spectra that a device is checked and timed with.

use anyhow::Context;
use num_complex::Complex64;

use crate::basis::BasisSet;
use crate::basis::simulate::Library;
use crate::engine::Batch;
use crate::fit::map::{self, Settings};
use crate::fit::{Method, Model};
use crate::simulate::{Corpus, Recipe};

/// Metabolites that come first; others of the library follow.
const USUAL: [&str; 8] = ["NAA", "Cr", "PCr", "GPC", "PCh", "Glu", "Gln", "Ins"];
/// Length of the acquisition that is kept near (s), and the least spectral width (Hz).
const ACQUISITION_S: f64 = 0.512;
const LEAST_BANDWIDTH_HZ: f64 = 2000.0;
/// Echo time (s).
const TE_S: f64 = 0.03;

/// Spectra of one protocol and the model for them; larger batches repeat them.
pub(super) struct Problem {
    pub(super) model: Model,
    basis: BasisSet,
    n_points: usize,
    dwell_s: f64,
    fids: Vec<Vec<Complex64>>,
}

impl Problem {
    /// `n_metabolites` of the library, with the method's macromolecules and lipids.
    pub(super) fn new(n_metabolites: usize, n_points: usize, distinct: usize) -> anyhow::Result<Self> {
        let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN)?;
        recipe.keep_to_the_model();
        recipe.site.truncate(1);
        let site = recipe.site.first_mut().context("the first run's recipe has a site")?;
        site.n_points = n_points;
        site.bandwidth_hz = (n_points as f64 / ACQUISITION_S).max(LEAST_BANDWIDTH_HZ);
        let library = Library::built_in()?;
        let others = library.names().into_iter().filter(|name| !USUAL.contains(name) && *name != "H2O");
        let names: Vec<String> = USUAL.into_iter().chain(others).take(n_metabolites).map(str::to_owned).collect();
        recipe.concentrations =
            names.iter().map(|n| (n.clone(), *recipe.concentrations.get(n).unwrap_or(&[0.5, 0.2]))).collect();
        recipe.group.truncate(1);
        recipe.group.iter_mut().for_each(|group| group.effect.clear());
        recipe.subjects = distinct;
        let corpus = Corpus::new(&recipe)?;
        let site = corpus.sites.first().context("a corpus has the recipe's site")?;
        let basis = BasisSet::clone(corpus.bases.first().context("a site has a basis set")?);
        let dwell_s = 1.0 / site.bandwidth_hz;
        let settings = Settings::map()?;
        let model = Model::from(map::Model::new(&basis, n_points, dwell_s, site.f0_mhz, Some(TE_S), &settings)?);
        let fids = (0..distinct)
            .filter_map(|i| Some(corpus.spectra(i).into_iter().next()?.1.data.samples.iter().collect()))
            .collect();
        Ok(Self { model, basis, n_points, dwell_s, fids })
    }

    /// The same spectra's model by another method, at a spectrometer frequency that is `off_hz` away.
    pub(super) fn model_of(&self, method: &str, off_hz: f64) -> anyhow::Result<Model> {
        let method = Method::built_in(method).with_context(|| format!("no method {method}"))??;
        let f0_mhz = self.basis.f0_mhz + off_hz * 1e-6;
        Ok(method.model(&self.basis, self.n_points, self.dwell_s, f0_mhz, Some(TE_S))?)
    }

    /// The model, which is of `map`'s family.
    pub(super) fn map(&self) -> anyhow::Result<&map::Model> {
        let Model::Map(model) = &self.model else { anyhow::bail!("the model is not map's") };
        Ok(model)
    }

    pub(super) fn batch(&self, n: usize) -> Batch<'_> {
        self.batch_of(&self.model, n)
    }

    pub(super) fn batch_of<'a>(&'a self, model: &'a Model, n: usize) -> Batch<'a> {
        Batch::of(model, self.fids.iter().cycle().take(n).map(Vec::as_slice))
    }
}
