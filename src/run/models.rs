//! Models of a run: made once, shared by all spectra that need them.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::RunOptions;
use super::bases::{Bases, Slot, Source, lock};
use super::cut::for_models;
use super::load::{Failure, Header, SpectrumKey};
use super::need::model_bytes;
pub(super) use super::prepared::Extra;
pub(crate) use super::prepared::Prepared;
use super::prepared::{AS_AFTER_ONE_PULSE, Key, NO_BASIS, conditions, freed, stiffened, weighted};
use super::read_basis::{BasisPulses, ReadBasis};
use crate::acquisition::shared_f0_mhz;
use crate::basis::simulate::Sequence;
use crate::basis::{BasisError, BasisSet};
use crate::corpus::Found;
use crate::error_chain::error_chain;
use crate::fit::differences::is_of_differences;
use crate::fit::strangers::added::extended;
use crate::fit::{Method, Model, map, peaks};
use crate::learned::{Learned, LearnedGroup, PulsesOf, takes_priors};
use crate::prepare::Spectrum;
use crate::store::provenance::Named;

type ModelSlot = Slot<Model>;

/// Basis sets and models of a run.
pub(crate) struct ModelStore<'a> {
    options: &'a RunOptions,
    bases: Bases<'a>,
    /// Those that were made last; a corpus of sites with protocols of their own needs one for each.
    models: Mutex<HashMap<Key, ModelSlot>>,
    /// The soft rows of all that were made.
    ratio_rows: Mutex<BTreeSet<String>>,
    /// What is to be said of the basis sets that were used, and of lessons that were not.
    notes: Mutex<BTreeSet<String>>,
    /// What was learned from the corpus.
    learned: Learned,
    /// Whether fits say what they tell about what is learned.
    wants_evidence: bool,
}

impl<'a> ModelStore<'a> {
    /// Reads the basis set of the whole run, so that a wrong path ends it before any work.
    pub(crate) fn new(options: &'a RunOptions) -> Result<Self, BasisError> {
        Ok(Self::of(options, Bases::new(options)?))
    }

    /// With `set` in the place of the file that the options name.
    pub(super) fn with_set(options: &'a RunOptions, set: BasisSet) -> Self {
        Self::of(options, Bases::with_set(options, set))
    }

    fn of(options: &'a RunOptions, bases: Bases<'a>) -> Self {
        Self {
            options,
            bases,
            models: Mutex::default(),
            ratio_rows: Mutex::default(),
            notes: Mutex::default(),
            learned: options.learned.clone().unwrap_or_default(),
            wants_evidence: false,
        }
    }

    /// Turns to learning, with `learned` as what is known so far.
    pub(crate) fn set_learning(&mut self, learned: Learned) {
        self.learned = learned;
        self.wants_evidence = true;
        lock(&self.models).clear();
    }

    /// What the basis set of a spectrum will be, without simulating it; why `method` cannot fit it, where it cannot.
    pub(crate) fn planned_basis(
        &self,
        found: &Found,
        header: &Header,
        key: &SpectrumKey,
        method: &Method,
    ) -> Result<String, Failure> {
        let path = self.basis_path(found);
        if let Method::Peaks(settings) = method {
            conditions(found, settings, key)?;
            return path.map_or(Ok(NO_BASIS.to_owned()), |path| Ok(self.bases.read_once(path)?.set.id.clone()));
        }
        match path {
            Some(path) => {
                let basis = self.bases.read_once(path)?;
                match basis.check(&header.protocol).iter().find(|finding| finding.refuses()) {
                    Some(finding) => Err(Failure::new("basis_field", format!("{}: {finding}", found.source_path))),
                    None => Ok(basis.set.id.clone()),
                }
            }
            None => {
                let recipe = self.bases.recipe(found, header, key)?;
                let te_ms = header.protocol.te_s.map(|te| format!(" TE {:.1} ms", 1e3 * te)).unwrap_or_default();
                Ok(format!("simulated {}{te_ms} at {:.2} MHz", recipe.sequence.name(), recipe.f0_mhz))
            }
        }
    }

    /// The basis set to be read, if any: what a line of a manifest states goes first.
    fn basis_path<'f>(&'f self, found: &'f Found) -> Option<&'f PathBuf> {
        let of_run = self.options.basis.as_ref().filter(|_| found.overrides.recipe.is_none());
        found.overrides.basis.as_ref().or(of_run)
    }

    /// The model for one spectrum and method, and what the basis check says.
    pub(crate) fn model(
        &self,
        found: &Found,
        header: &Header,
        key: &SpectrumKey,
        spectrum: &Spectrum,
        method: usize,
    ) -> Result<Prepared, Failure> {
        self.model_with(found, header, key, spectrum, method, &Extra::default())
    }

    /// The same with further components beside the basis set, or a stiff baseline.
    pub(super) fn model_with(
        &self,
        found: &Found,
        header: &Header,
        key: &SpectrumKey,
        spectrum: &Spectrum,
        method: usize,
        extra: &Extra,
    ) -> Result<Prepared, Failure> {
        let path = self.basis_path(found);
        if let Method::Peaks(settings) = &self.options.methods[method] {
            self.note_unused(&self.options.methods[method], found, header, PulsesOf::File);
            return self.peaks(found, key, spectrum, method, settings, path);
        }
        let adds_up = header.adds_up(key);
        let (source, basis) = match path {
            Some(path) => (Source::File(path.clone()), self.bases.read_once(path)?),
            None => self.bases.simulated(found, header, key)?,
        };
        let mut warnings: Vec<String> = basis.set.remarks.iter().map(|r| format!("basis set: {r}")).collect();
        let is_diff = key.condition.as_deref().is_some_and(|label| label.starts_with("diff"));
        let (flags, faults) = basis
            .faults(&header.protocol, is_diff, is_diff || header.n_conditions.is_some())
            .map_err(|why| Failure::new("basis_field", format!("{}: {why}", found.source_path)))?;
        self.note(&source, &basis.set, &faults);
        warnings.extend(faults);
        let chosen = &self.options.methods[method];
        let group = self.learned_for(chosen, found, header, &basis);
        let learned_id = group.map(LearnedGroup::id).or_else(|| self.bases.learned_id(header, &basis));
        let is_difference = key.is_difference() || is_of_differences(&basis.set);
        let sequence = extra.added.first().map(|_| self.bases.recipe(found, header, key).map(|recipe| recipe.sequence));
        warnings.extend(sequence.iter().filter(|s| s.is_err()).map(|_| AS_AFTER_ONE_PULSE.to_owned()));
        let sequence = sequence.map(|known| known.unwrap_or(Sequence::PulseAcquire {}));
        // The pattern is of spectra that are no differences, of which editing leaves other parts.
        let weighted = weighted(chosen, header).filter(|_| group.is_none() && !is_difference);
        let key = Key {
            learned: group.map(LearnedGroup::id),
            weighted: weighted.as_ref().map(|w| w.1),
            extra: extra.clone(),
            added_for: sequence.as_ref().map(|sequence| format!("{sequence:?}")).unwrap_or_default(),
            basis: source,
            method,
            n_points: spectrum.fid.len(),
            dwell: spectrum.dwell_s.to_bits(),
            f0: shared_f0_mhz(spectrum.f0_mhz).to_bits(),
            te: header.protocol.te_s.map(f64::to_bits),
            conditions: 1,
            is_difference,
        };
        let chosen = weighted.map_or_else(|| chosen.clone(), |(method, _)| method);
        let chosen = &if is_difference { chosen.in_differences() } else { chosen };
        let model = self
            .slot(key)
            .get_or_init(|| {
                let te_s = header.protocol.te_s;
                if *extra == Extra::default() {
                    return self.built(&basis.set, spectrum, te_s, chosen, group).map(|m| self.noted(m));
                }
                let sequence = sequence.as_ref().unwrap_or(&Sequence::PulseAcquire {});
                let set = basis.on_grid_of(spectrum)?;
                let set = extended(&set, &extra.added, sequence).map_err(|e| Failure::new("model", error_chain(&e)))?;
                let method = if extra.stiff { stiffened(chosen) } else { chosen.clone() };
                self.built(&set, spectrum, te_s, &method, group).map(|model| freed(model, &extra.added))
            })
            .clone()
            .map_err(|f| Failure::new(f.code, format!("{}: {}", found.source_path, f.message)))?;
        let (basis_id, basis_sha256) = (basis.set.id.clone(), basis.set.sha256.clone());
        let signal_per_proton = basis.signal_per_proton.map(|signal| signal / adds_up);
        let (added, pulses) = (extra.added.clone(), basis.pulses());
        Ok(Prepared { model, basis_id, basis_sha256, signal_per_proton, warnings, flags, learned_id, added, pulses })
    }

    /// What was learned for a method that has a macromolecule pattern; what is not taken is noted.
    fn learned_for(&self, method: &Method, found: &Found, header: &Header, basis: &ReadBasis) -> Option<&LearnedGroup> {
        self.note_names(&basis.set, method);
        self.note_unused(method, found, header, basis.pulses_of());
        takes_priors(method).then(|| self.learned.find(&header.protocol.label(), found.site.as_deref())).flatten()
    }

    /// Writes down what of the lessons a spectrum does not take.
    fn note_unused(&self, method: &Method, found: &Found, header: &Header, pulses: PulsesOf) {
        let of = (&*header.protocol.label(), found.site.as_deref(), header.facts.vendor.as_deref());
        lock(&self.notes).extend(self.learned.unused(method, of, pulses));
    }

    /// Makes the model of a basis set, with what was learned for the spectrum's protocol.
    fn built(
        &self,
        basis: &BasisSet,
        spectrum: &Spectrum,
        te_s: Option<f64>,
        method: &Method,
        group: Option<&LearnedGroup>,
    ) -> Result<Model, Failure> {
        let (n_points, dwell_s, f0_mhz) = (spectrum.fid.len(), spectrum.dwell_s, shared_f0_mhz(spectrum.f0_mhz));
        let built = match method {
            Method::Map(settings) => {
                let learned = group.map(|g| g.shared.applied_to(settings));
                let settings = learned.as_ref().unwrap_or(settings);
                map::Model::new(basis, n_points, dwell_s, f0_mhz, te_s, settings).map(|mut model| {
                    model.wants_evidence = self.wants_evidence;
                    Model::Map(model)
                })
            }
            Method::Peers(_) | Method::Peaks(_) => method.model(basis, n_points, dwell_s, f0_mhz, te_s),
        };
        built.map_err(|e| Failure::new("model", error_chain(&e)))
    }

    /// The model of peaks, which takes of a basis set no more than the signal of a proton.
    fn peaks(
        &self,
        found: &Found,
        key: &SpectrumKey,
        spectrum: &Spectrum,
        method: usize,
        settings: &peaks::Settings,
        path: Option<&PathBuf>,
    ) -> Result<Prepared, Failure> {
        let conditions = conditions(found, settings, key)?;
        let basis = path.map(|path| self.bases.read_once(path)).transpose()?;
        let stated = basis.as_ref().and_then(|basis| basis.signal_per_proton);
        let mut warnings = Vec::new();
        if basis.is_some() && stated.is_none() {
            warnings
                .push("basis set: no singlet that says what a proton is: amplitudes are in the data's units".into());
        }
        let scale = peaks::Scale { conditions, signal_per_proton: stated.unwrap_or(1.0) };
        let model = self
            .slot(Key {
                learned: None,
                weighted: None,
                extra: Extra::default(),
                added_for: String::new(),
                basis: path.map_or(Source::None, |path| Source::File(path.clone())),
                method,
                n_points: spectrum.fid.len(),
                dwell: spectrum.dwell_s.to_bits(),
                f0: shared_f0_mhz(spectrum.f0_mhz).to_bits(),
                te: None,
                conditions,
                is_difference: true,
            })
            .get_or_init(|| {
                peaks::Model::new(settings, spectrum.fid.len(), spectrum.dwell_s, shared_f0_mhz(spectrum.f0_mhz), scale)
                    .map(|model| self.noted(Model::Peaks(model)))
                    .map_err(|e| Failure::new("model", error_chain(&e)))
            })
            .clone()
            .map_err(|f| Failure::new(f.code, format!("{}: {}", found.source_path, f.message)))?;
        let basis_sha256 = basis.as_ref().map(|basis| basis.set.sha256.clone()).unwrap_or_default();
        let basis_id = basis.map_or(NO_BASIS.to_owned(), |basis| basis.set.id.clone());
        Ok(Prepared {
            model,
            basis_id,
            basis_sha256,
            signal_per_proton: Some(scale.signal_per_proton),
            warnings,
            flags: Vec::new(),
            learned_id: None,
            added: Vec::new(),
            pulses: BasisPulses::default(),
        })
    }

    /// A model that was made, its soft rows written down.
    fn noted(&self, model: Model) -> Arc<Model> {
        lock(&self.ratio_rows).extend(model.row_labels());
        Arc::new(model)
    }

    /// The place of a model, made by whoever comes first.
    fn slot(&self, key: Key) -> ModelSlot {
        let mut models = lock(&self.models);
        if !models.contains_key(&key) {
            let held: u64 = models.keys().map(|key| model_bytes(key.n_points)).sum();
            if held.saturating_add(model_bytes(key.n_points)) > for_models(self.options) {
                models.clear();
            }
        }
        models.entry(key).or_default().clone()
    }

    /// How many models of spectra of so many points may exist at a time that no other spectrum needs; at least one for each thread.
    pub(super) fn at_once(&self, n_points: usize) -> usize {
        let by_memory = for_models(self.options) / model_bytes(n_points).max(1);
        usize::try_from(by_memory).unwrap_or(usize::MAX).max(rayon::current_num_threads())
    }

    /// The basis sets that were read.
    pub(crate) fn used(&self) -> Vec<Named> {
        self.bases.used()
    }

    /// The recipes of the simulated basis sets (JSON), for the provenance.
    pub(crate) fn recipes(&self) -> Vec<String> {
        self.bases.recipes()
    }

    /// Writes down what a run must say of a basis set once: what was put right in a file, and what is wrong with any.
    fn note(&self, source: &Source, set: &BasisSet, faults: &[String]) {
        let read = matches!(source, Source::File(_)).then_some(&set.remarks);
        let all = read.into_iter().flatten().chain(faults);
        let unused = self.options.water_scaling.relaxation.unused(&set.metabolites);
        let all = all.chain(&unused);
        lock(&self.notes).extend(all.map(|said| format!("basis set {}: {said}", set.id)));
    }

    /// Notes the components for which a method of somebody's own has settings, and which the basis set lacks.
    fn note_names(&self, set: &BasisSet, method: &Method) {
        let Method::Peers(settings) = method else { return };
        let is_built_in = || matches!(Method::built_in(&settings.name), Some(Ok(known)) if known == *method);
        let lacking = settings.named_beside(&set.metabolites);
        if !lacking.is_empty() && !is_built_in() {
            let (names, method) = (lacking.join(", "), &settings.name);
            lock(&self.notes).insert(format!(
                "basis set {}: has no {names}, which own.shift_sd_ppm_of of the method {method} names",
                set.id
            ));
        }
    }

    /// What is to be said of the basis sets that were used, and of lessons that were not.
    pub(crate) fn notes(&self) -> Vec<String> {
        lock(&self.notes).iter().cloned().collect()
    }

    /// The soft rows of the models that were made, for the provenance.
    pub(crate) fn ratio_rows(&self) -> Vec<String> {
        lock(&self.ratio_rows).iter().cloned().collect()
    }
}
