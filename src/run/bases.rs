//! Basis sets of a run: read or simulated once, shared by all models that need them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::RunOptions;
use super::cut::for_models;
use super::load::{Failure, Header, SpectrumKey, without_folder};
use crate::acquisition::named_editing;
use crate::basis::check::{Finding, Protocol};
use crate::basis::simulate::pulses::Source as PulseSource;
use crate::basis::simulate::{Pulses, Recipe, RecipeFault, Sequence, Stated, Timing};
use crate::basis::{BasisError, BasisSet, Grid};
use crate::corpus::Found;
use crate::error_chain::error_chain;
use crate::learned::{LearnedRecipe, PulsesOf};
use crate::quantify::singlet::signal_per_proton;
use crate::store::provenance::Named;

/// The pulses of a simulated set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BasisPulses {
    pub(crate) name: Option<String>,
    /// First echo of PRESS (s).
    pub(crate) te1_s: Option<f64>,
    /// Where they are from.
    pub(crate) source: Option<&'static str>,
}

/// A basis set, and the signal of one proton in it where its singlets say so.
pub(super) struct ReadBasis {
    pub(super) set: BasisSet,
    pub(super) signal_per_proton: Option<f64>,
    /// How far its singlets lie off (ppm), where they agree.
    offset_ppm: Option<f64>,
    /// Major metabolites that it lacks, in words.
    lacks: Option<String>,
    /// Singlets that disagree, in words.
    misplaced: Option<String>,
    /// The recipe of a simulated set.
    recipe: Option<Recipe>,
}

impl ReadBasis {
    fn new(set: BasisSet, recipe: Option<Recipe>) -> Self {
        let signal_per_proton = signal_per_proton(&set).map(|(signal, _)| signal);
        let (lacks, misplaced) = (lacks(&set), misplaced(&set));
        let offset_ppm = set.offset_ppm();
        Self { set, signal_per_proton, offset_ppm, lacks, misplaced, recipe }
    }

    /// How it differs from what is known about the data.
    pub(super) fn check(&self, data: &Protocol) -> Vec<Finding> {
        self.set.check_with(data, self.offset_ppm)
    }

    /// Flags of the rows of `data` that are fitted with this set, and what they mean in words. An edited difference holds what
    /// its pulses leave.
    ///
    /// # Errors
    /// The set is not for these data at all.
    pub(super) fn faults(
        &self,
        data: &Protocol,
        is_difference: bool,
        is_edited: bool,
    ) -> Result<(Vec<&'static str>, Vec<String>), Finding> {
        let (mut flags, mut words) = (Vec::new(), Vec::new());
        for finding in self.check(data) {
            if finding.refuses() {
                return Err(finding);
            }
            if is_edited && self.says_only_that_it_is_edited(&finding) {
                continue;
            }
            if finding.is_of_another_protocol() && !flags.contains(&"basis_mismatch") {
                flags.push("basis_mismatch");
            }
            words.push(finding.to_string());
        }
        if let Some(lacks) = self.lacks.as_ref().filter(|_| !is_difference) {
            flags.push("basis_lacks_major");
            words.push(lacks.clone());
        }
        if let Some(misplaced) = &self.misplaced {
            flags.push("basis_singlets_disagree");
            words.push(misplaced.clone());
        }
        if let Some(recipe) = &self.recipe {
            of_assumed(recipe, &mut flags, &mut words);
        }
        Ok((flags, words))
    }

    /// Files of edited scans name the localisation alone, as a rule: their labels or their data say that they are edited.
    fn says_only_that_it_is_edited(&self, finding: &Finding) -> bool {
        matches!(finding, Finding::Sequence { .. })
            && self.set.sequence.as_deref().is_some_and(|name| named_editing(name).is_some())
    }

    /// Where its pulses are from.
    pub(super) fn pulses_of(&self) -> PulsesOf {
        self.recipe.as_ref().map_or(PulsesOf::File, |recipe| PulsesOf::Simulated(recipe.pulse_source))
    }

    /// What rows say about the pulses of a simulated set.
    pub(super) fn pulses(&self) -> BasisPulses {
        let Some(recipe) = &self.recipe else { return BasisPulses::default() };
        let te1_s = te1_s(recipe);
        BasisPulses { name: Some(recipe.pulse_name.clone()), te1_s, source: Some(recipe.pulse_source.as_str()) }
    }
}

/// First echo of a sequence that has one of its own.
fn te1_s(recipe: &Recipe) -> Option<f64> {
    match recipe.sequence {
        Sequence::Press { te1_s, .. } | Sequence::MegaPress { te1_s, .. } | Sequence::Hermes { te1_s, .. } => {
            Some(te1_s)
        }
        _ => None,
    }
}

/// Flags of what a recipe takes for want of knowledge, and what they mean in words.
fn of_assumed(recipe: &Recipe, flags: &mut Vec<&'static str>, words: &mut Vec<String>) {
    let Recipe { assumed, pulses, pulse_name, pulse_source, .. } = recipe;
    let te1_s = te1_s(recipe);
    let is_assumed = |what: &str| assumed.iter().any(|one| one.starts_with(what));
    if let Some(te1_s) = te1_s.filter(|_| is_assumed("te1_s")) {
        flags.push("te1_assumed");
        words.push(format!(
            "the first echo of PRESS was taken as {:.2} ms ({pulse_name}): every millisecond beside it is 2 % of glutamate; state te1_s",
            1e3 * te1_s
        ));
    }
    if is_assumed("editing pulse") {
        flags.push("edit_pulse_assumed");
        words.push(format!(
            "nobody states the shape of the editing pulses; usual ones were taken ({pulse_name}); state them in a recipe (role = \"edit\")"
        ));
    }
    let costs = match (&recipe.sequence, pulses) {
        (Sequence::PulseAcquire {} | Sequence::SpinEcho { .. }, _) => None,
        (Sequence::Steam { .. }, _) => Some("glutamate may be off by 3 %, inositol by 4 %"),
        (Sequence::SemiLaser { .. } | Sequence::MegaSemiLaser { .. }, _) => {
            Some("glutamate may be off by 1 %, GABA by 2 %")
        }
        (_, Pulses::Ideal) => Some("glutamate may be off by 17 %, glutamine by half"),
        (_, Pulses::Shaped(_)) => Some("glutamate may be off by 5 %, glutamine by a quarter"),
    };
    if let Some(costs) = costs.filter(|_| *pulse_source == PulseSource::Generic) {
        flags.push("basis_pulse_unknown");
        words.push(format!(
            "nobody knows the slice-selective pulses; {pulse_name} was taken: {costs}; state `pulses` or a recipe"
        ));
    }
}

fn lacks(set: &BasisSet) -> Option<String> {
    let lacking = set.lacking_majors();
    let unknown = set.unknown_members();
    let beside = match unknown.is_empty() {
        true => String::new(),
        false => format!(" (members of unknown names: {})", unknown.join(", ")),
    };
    (!lacking.is_empty()).then(|| {
        format!("the basis set has no {}{beside}: others and the baseline take its signal", lacking.join(", "))
    })
}

fn misplaced(set: &BasisSet) -> Option<String> {
    let all = set.misplaced_singlets();
    let list: Vec<String> = all.iter().map(|(name, apart)| format!("{name} {apart:+.3} ppm")).collect();
    (!list.is_empty()).then(|| {
        format!("singlets of the basis set disagree, and not by one factor: {} from where others say", list.join(", "))
    })
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
        let is_learned = basis.recipe.as_ref().is_some_and(|recipe| recipe.pulse_source == PulseSource::Learned);
        self.learned(header).filter(|_| is_learned).map(LearnedRecipe::id)
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

    /// The recipes of the simulated basis sets, for the provenance.
    pub(super) fn recipes(&self) -> Vec<serde_json::Value> {
        lock(&self.recipes).iter().filter_map(|r| serde_json::from_str(r).ok()).collect()
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::basis::simulate::basis_set;

    #[test]
    fn sets_of_another_protocol_are_told_and_editing_alone_is_none() {
        let flags = |basis: (&str, f64), data: (&str, f64), is_edited: bool| {
            let set = basis_set(&["Cr", "NAA"], &Sequence::PulseAcquire {}, 123.2, 5e-4, 1024, 1.0).unwrap();
            let set = BasisSet { sequence: Some(basis.0.to_owned()), te_s: Some(basis.1), ..set };
            let (sequence, te_s) = (Some(data.0.to_owned()), Some(data.1));
            let data = Protocol { sequence, te_s, f0_mhz: Some(123.2), ..Protocol::default() };
            let (flags, words) = ReadBasis::new(set, None).faults(&data, true, is_edited).unwrap();
            assert_eq!(flags.is_empty(), words.is_empty(), "{flags:?} {words:?}");
            flags
        };
        assert_eq!(flags(("PRESS", 0.03), ("press", 0.031), false), [""; 0]);
        assert_eq!(flags(("PRESS", 0.03), ("press", 0.035), false), ["basis_mismatch"]);
        assert_eq!(flags(("STEAM", 0.03), ("PRESS", 0.045), false), ["basis_mismatch"]);
        // The header of an edited scan names the localisation; a set without the editing is for another scan.
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.068), true), [""; 0]);
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.068), false), ["basis_mismatch"]);
        assert_eq!(flags(("PRESS", 0.068), ("MEGA-PRESS", 0.068), true), ["basis_mismatch"]);
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.08), true), ["basis_mismatch"]);
    }
}
