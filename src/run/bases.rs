//! Basis sets of a run: read or simulated once, shared by all models that need them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::RunOptions;
use super::cut::for_models;
use super::load::{Failure, Header, SpectrumKey, without_folder};
use super::read_basis::ReadBasis;
use crate::basis::simulate::{Recipe, RecipeFault, Stated, Timing};
use crate::basis::{BasisError, BasisSet, Grid};
use crate::corpus::Found;
use crate::error_chain::error_chain;
use crate::learned::LearnedRecipe;
use crate::store::provenance::Named;

/// Where a basis set comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Source {
    /// A file or folder.
    File(PathBuf),
    /// Simulated; the recipe as JSON.
    Simulated(String),
    /// There is none, and the method needs none.
    None,
}

/// A value that whoever comes first makes, or why it cannot be made.
pub(super) type Slot<T> = Arc<OnceLock<Result<Arc<T>, Failure>>>;

/// Basis sets of a run.
pub(super) struct Bases<'a> {
    options: &'a RunOptions,
    /// Those that were read or simulated last.
    read: Mutex<HashMap<Source, Slot<ReadBasis>>>,
    /// Recipe files that lines of a manifest name.
    stated: Mutex<HashMap<PathBuf, Result<Arc<Stated>, RecipeFault>>>,
    /// What is known of all of them: the recipes, and the ids with their hashes.
    recipes: Mutex<BTreeSet<String>>,
    used: Mutex<BTreeMap<(String, String), Named>>,
}

impl<'a> Bases<'a> {
    /// Reads the basis set of the whole run, so that a wrong path ends it before any work.
    pub(super) fn new(options: &'a RunOptions) -> Result<Self, BasisError> {
        let bases = Self::empty(options);
        if let Some(path) = &options.basis {
            bases.keep(path, bases.read_basis(path)?);
        }
        Ok(bases)
    }

    /// With `set` in the place of the file that the options name.
    pub(super) fn with_set(options: &'a RunOptions, set: BasisSet) -> Self {
        let bases = Self::empty(options);
        if let Some(path) = &options.basis {
            bases.keep(path, bases.noted(set, None));
        }
        bases
    }

    fn empty(options: &'a RunOptions) -> Self {
        Self {
            options,
            read: Mutex::default(),
            stated: Mutex::default(),
            recipes: Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// Keeps a set as that of `path`.
    fn keep(&self, path: &Path, set: ReadBasis) {
        let slot = Arc::new(OnceLock::new());
        let _ = slot.set(Ok(Arc::new(set)));
        lock(&self.read).insert(Source::File(path.to_owned()), slot);
    }

    fn read_basis(&self, path: &Path) -> Result<ReadBasis, BasisError> {
        let gaps = &self.options.gaps;
        let grid = Grid { dwell_s: gaps.dwell_s, f0_mhz: gaps.f0_mhz, te_s: gaps.te_s };
        let set = BasisSet::read_for_fit(path, &grid)?;
        Ok(self.noted(set, None))
    }

    /// A set that was made, its name written down.
    fn noted(&self, set: BasisSet, recipe: Option<Recipe>) -> ReadBasis {
        let (id, sha256) = (set.id.clone(), set.sha256.clone());
        lock(&self.used).insert((id.clone(), sha256.clone()), Named { id, sha256 });
        ReadBasis::new(set, recipe)
    }

    /// The place of a set, made by whoever comes first. Where those that are there hold much they go, but for the one of
    /// the whole run.
    fn slot(&self, source: Source) -> Slot<ReadBasis> {
        let mut read = lock(&self.read);
        if !read.contains_key(&source) {
            let bytes = |slot: &Slot<ReadBasis>| {
                let set = slot.get().and_then(|made| made.as_ref().ok()).map(|basis| basis.set.fids.len());
                (set.unwrap_or(0) * size_of::<num_complex::Complex64>()) as u64
            };
            if read.values().map(bytes).sum::<u64>() > for_models(self.options) {
                let of_run = self.options.basis.clone().map(Source::File);
                read.retain(|source, _| Some(source) == of_run.as_ref());
            }
        }
        read.entry(source).or_default().clone()
    }

    /// The basis set of a file or folder, read once.
    pub(super) fn read_once(&self, path: &Path) -> Result<Arc<ReadBasis>, Failure> {
        let slot = self.slot(Source::File(path.to_owned()));
        slot.get_or_init(|| {
            self.read_basis(path)
                .map(Arc::new)
                .map_err(|e| Failure::new("basis", without_folder(&error_chain(&e), path)))
        })
        .clone()
    }

    /// The recipe of the basis set for the protocol in a file's header.
    pub(super) fn recipe(&self, found: &Found, header: &Header, key: &SpectrumKey) -> Result<Recipe, Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::new("basis_header", format!("{}: {e}", found.source_path));
        let stated = match &found.overrides.recipe {
            Some(path) => Some(self.stated(path).map_err(|e| failed(&e))?),
            None => self.options.recipe.clone(),
        };
        let learned = self.learned(header).and_then(|learned| learned.taken);
        let timing = Timing::of(&header.facts).with_recipe(stated).with_learned(learned);
        let timing = Timing { edited: header.edited(key), ..timing };
        Recipe::from_protocol(&header.protocol, &timing).map_err(|e| failed(&e))
    }

    /// What was learned about the pulses of a spectrum's protocol.
    fn learned(&self, header: &Header) -> Option<&LearnedRecipe> {
        let learned = self.options.learned.as_ref()?;
        learned.recipe(&header.protocol.label(), header.facts.vendor.as_deref())
    }

    /// Its hash, where the pulses of `basis` are learned ones.
    pub(super) fn learned_id(&self, header: &Header, basis: &ReadBasis) -> Option<String> {
        self.learned(header).filter(|_| basis.has_learned_pulses()).map(LearnedRecipe::id)
    }

    /// The recipe file of a line of a manifest, read once.
    fn stated(&self, path: &Path) -> Result<Arc<Stated>, RecipeFault> {
        let mut stated = lock(&self.stated);
        let read = || Stated::read(path).map(Arc::new);
        stated.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// The basis set for the protocol in a file's header: simulated once a protocol.
    pub(super) fn simulated(
        &self,
        found: &Found,
        header: &Header,
        key: &SpectrumKey,
    ) -> Result<(Source, Arc<ReadBasis>), Failure> {
        let failed = |message: String| Failure::new("basis_header", format!("{}: {message}", found.source_path));
        let recipe = self.recipe(found, header, key)?;
        let text = serde_json::to_string(&recipe).map_err(|e| failed(e.to_string()))?;
        lock(&self.recipes).insert(text.clone());
        let source = Source::Simulated(text);
        let slot = self.slot(source.clone());
        let basis = slot.get_or_init(|| {
            let set = recipe.basis_set().map_err(|e| Failure::new("basis_header", e))?;
            Ok(Arc::new(self.noted(set, Some(recipe.clone()))))
        });
        let basis = basis.clone().map_err(|f| failed(f.message))?;
        Ok((source, basis))
    }

    /// The recipes of the simulated basis sets (JSON), for the provenance.
    pub(super) fn recipes(&self) -> Vec<String> {
        lock(&self.recipes).iter().cloned().collect()
    }

    /// The basis sets that were read.
    pub(super) fn used(&self) -> Vec<Named> {
        lock(&self.used).values().cloned().collect()
    }
}

/// A lock whose holder panicked still guards good data: slots are filled whole or not at all.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
