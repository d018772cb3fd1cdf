//! Basis sets of a run: read or simulated once, shared by all models that need them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::RunOptions;
use super::load::{Failure, Header, without_folder};
use crate::basis::simulate::{Recipe, Timing};
use crate::basis::{BasisError, BasisSet, Grid};
use crate::corpus::Found;
use crate::error_chain::error_chain;
use crate::quantify::singlet::signal_per_proton;
use crate::store::provenance::Named;

/// A basis set, and the signal of one proton in it where its singlets say so.
pub(super) struct ReadBasis {
    pub(super) set: BasisSet,
    pub(super) signal_per_proton: Option<f64>,
}

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
    read: Mutex<HashMap<Source, Slot<ReadBasis>>>,
}

impl<'a> Bases<'a> {
    /// Reads the basis set of the whole run, so that a wrong path ends it before any work.
    pub(super) fn new(options: &'a RunOptions) -> Result<Self, BasisError> {
        let bases = Self { options, read: Mutex::default() };
        if let Some(path) = &options.basis {
            let set = bases.read_basis(path)?;
            let slot = Arc::new(OnceLock::new());
            let _ = slot.set(Ok(Arc::new(set)));
            lock(&bases.read).insert(Source::File(path.clone()), slot);
        }
        Ok(bases)
    }

    fn read_basis(&self, path: &Path) -> Result<ReadBasis, BasisError> {
        let gaps = &self.options.gaps;
        let grid = Grid { dwell_s: gaps.dwell_s, f0_mhz: gaps.f0_mhz, te_s: gaps.te_s };
        let set = BasisSet::read_for_fit(path, &grid)?;
        let signal_per_proton = signal_per_proton(&set).map(|(signal, _)| signal);
        Ok(ReadBasis { set, signal_per_proton })
    }

    /// The basis set of a file or folder, read once.
    pub(super) fn read_once(&self, path: &Path) -> Result<Arc<ReadBasis>, Failure> {
        let slot = lock(&self.read).entry(Source::File(path.to_owned())).or_default().clone();
        slot.get_or_init(|| {
            self.read_basis(path)
                .map(Arc::new)
                .map_err(|e| Failure::new("basis", without_folder(&error_chain(&e), path)))
        })
        .clone()
    }

    /// The recipe of the basis set for the protocol in a file's header.
    pub(super) fn recipe(&self, found: &Found, header: &Header) -> Result<Recipe, Failure> {
        let timing = Timing { te1_s: header.facts.te1_s, tm_s: header.facts.tm_s };
        Recipe::from_protocol(&header.protocol, timing)
            .map_err(|e| Failure::new("basis_header", format!("{}: {e}", found.source_path)))
    }

    /// The basis set for the protocol in a file's header: simulated once a protocol.
    pub(super) fn simulated(&self, found: &Found, header: &Header) -> Result<(Source, Arc<ReadBasis>), Failure> {
        let failed = |message: String| Failure::new("basis_header", format!("{}: {message}", found.source_path));
        let recipe = self.recipe(found, header)?;
        let text = serde_json::to_string(&recipe).map_err(|e| failed(e.to_string()))?;
        let source = Source::Simulated(text);
        let slot = lock(&self.read).entry(source.clone()).or_default().clone();
        let basis = slot.get_or_init(|| {
            let set = recipe.basis_set().map_err(|e| Failure::new("basis_header", e))?;
            let signal_per_proton = signal_per_proton(&set).map(|(signal, _)| signal);
            Ok(Arc::new(ReadBasis { set, signal_per_proton }))
        });
        let basis = basis.clone().map_err(|f| failed(f.message))?;
        Ok((source, basis))
    }

    /// The recipes of the simulated basis sets, for the provenance.
    pub(super) fn recipes(&self) -> Vec<serde_json::Value> {
        let mut recipes: Vec<String> = lock(&self.read)
            .keys()
            .filter_map(|source| match source {
                Source::Simulated(recipe) => Some(recipe.clone()),
                Source::File(_) | Source::None => None,
            })
            .collect();
        recipes.sort();
        recipes.iter().filter_map(|r| serde_json::from_str(r).ok()).collect()
    }

    /// The basis sets that were read.
    pub(super) fn used(&self) -> Vec<Named> {
        let mut used: Vec<Named> = lock(&self.read)
            .values()
            .filter_map(|slot| slot.get()?.as_ref().ok())
            .map(|b| Named { id: b.set.id.clone(), sha256: b.set.sha256.clone() })
            .collect();
        used.sort_by(|a, b| (&a.id, &a.sha256).cmp(&(&b.id, &b.sha256)));
        used.dedup();
        used
    }
}

/// A lock whose holder panicked still guards good data: slots are filled whole or not at all.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
