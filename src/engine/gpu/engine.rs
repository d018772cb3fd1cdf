//! The GPU engine: which spectra the device takes together, and what happens when it fails.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device;
use super::error::GpuError;
use super::opened::Opened;
use super::requests::{self, Asker, Requests};
use super::rounds::{Profile, Tables, largest_buffer, most_slots, unsupported};
use super::self_test::SelfTest;
use super::stage::fit::Slots;
use super::through::{Keeper, Numbered, Through, profiled};
use super::timeline::{Span, Timeline};
use crate::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use crate::fit::map::Model;
use crate::fit::peers::remote::Constants;
use crate::fit::{self, FitState, peers};
use crate::interrupt;

/// Spectra of other programs' methods that are fitted at a time: enough that a GPU has work while the host decides.
const AT_ONCE: usize = 512;
/// The same where the device is the host's own cores.
const SOFTWARE_AT_ONCE: usize = 64;

/// Runs fits on a GPU; what it cannot do, and what it could not do twice, it gives to the native engine.
pub struct GpuEngine {
    adapter: usize,
    name: String,
    /// `None` once the device is given up. One batch at a time is on the device.
    opened: Mutex<Option<Opened>>,
    /// Most spectra on the device at a time; `None`: what its limits allow.
    chunk: Option<usize>,
    notes: Mutex<Vec<String>>,
    /// Whether a lost device may be opened again.
    reopen: AtomicBool,
    pub(super) timeline: Timeline,
}

impl GpuEngine {
    /// Opens adapter number `index` (as [`device::list`] counts), or the one that `auto` takes, and tests it on a
    /// known fit.
    ///
    /// # Errors
    /// [`GpuError`]: no adapter, one below the needed limits, or one that gets the known fit wrong.
    pub fn open(index: Option<usize>) -> Result<Self, GpuError> {
        let index = match index {
            Some(index) => index,
            None => {
                let adapters = device::list();
                device::automatic(&adapters).ok_or(GpuError::NoAdapter { asked: None, found: adapters.len() })?
            }
        };
        let engine = Self::open_untested(index)?;
        let test = SelfTest::run(&engine)?;
        match test.fault() {
            Some(reason) => Err(GpuError::SelfTest { adapter: engine.name, reason }),
            None => Ok(engine),
        }
    }

    /// Opens adapter number `index` without the test.
    ///
    /// # Errors
    /// [`GpuError`]: no adapter, or one below the needed limits.
    pub fn open_untested(index: usize) -> Result<Self, GpuError> {
        let opened = Opened::open(index)?;
        let name = opened.device.name.clone();
        Ok(Self {
            adapter: index,
            name,
            opened: Mutex::new(Some(opened)),
            chunk: None,
            notes: Mutex::default(),
            reopen: AtomicBool::new(true),
            timeline: Timeline::default(),
        })
    }

    /// The same engine with at most `spectra` spectra on the device at a time.
    #[must_use]
    pub fn with_chunk(self, spectra: usize) -> Self {
        Self { chunk: Some(spectra.max(1)), ..self }
    }

    /// What happened on the way that a user should know: chunks done again, settings left to the native engine.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What host and device worked at so far.
    pub fn timeline(&self) -> Vec<Span> {
        self.timeline.spans()
    }

    /// Time on the device by stage for a batch of `map` whose transforms have one length; all zero on a device without
    /// timestamps.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails or is given up, or the batch is another one.
    pub fn profile(&self, batch: &Batch<'_>) -> Result<Profile, GpuError> {
        let (models, numbers) = batch.models();
        let refuse = |what: &str| GpuError::Device { reason: what.to_owned() };
        let maps: Option<Vec<&Model>> = models.iter().map(|model| map_model(model)).collect();
        let maps = maps.ok_or_else(|| refuse(OTHER_FAMILY))?;
        if maps.windows(2).any(|pair| pair[0].band.n_short() != pair[1].band.n_short()) {
            return Err(refuse("transforms of several lengths"));
        }
        let spectra: Vec<Numbered<'_>> = numbers.into_iter().zip(batch.tasks.iter().map(|task| task.fid)).collect();
        let mut profile = Profile::default();
        profiled(self, &maps, &spectra, &mut profile)?;
        Ok(profile)
    }

    /// Loses the device as a crashing driver would, to test what follows.
    #[doc(hidden)]
    pub fn lose_device(&self) {
        if let Some(opened) = &*self.lock() {
            opened.device.device.destroy();
        }
    }

    /// Makes the next loss final, to test what follows.
    #[doc(hidden)]
    pub fn forbid_reopening(&self) {
        self.reopen.store(false, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What `work` makes of the device, or `None` if the device is given up: a failure is retried once on a new one.
    fn attempt<T>(&self, mut work: impl FnMut(&Opened) -> Result<T, GpuError>) -> Option<T> {
        let mut opened = self.lock();
        for attempt in 0..2 {
            match work(opened.as_ref()?) {
                Ok(done) => return Some(done),
                Err(error) => {
                    self.note(format!("{error}; the chunk was done again"));
                    let again = attempt == 0 && self.reopen.load(Ordering::Relaxed);
                    *opened = if again { Opened::open(self.adapter).ok() } else { None };
                }
            }
        }
        self.note("the GPU failed twice in a row: the rest is done on the CPU".to_owned());
        None
    }

    /// Fits spectra of models whose transforms have one length, all of them together; `None` for those that are left where the
    /// device is given up.
    fn fit_together(&self, models: &[&Model], spectra: &[Numbered<'_>]) -> Vec<Option<Fitted>> {
        let most_bytes = self.lock().as_ref().map_or(u64::MAX, |opened| largest_buffer(&opened.device.limits));
        let mut fits: Vec<Option<Fitted>> = spectra.iter().map(|_| None).collect();
        let mut first = 0;
        while first < models.len() {
            let tables = Arc::new(Tables::of(&models[first..], most_bytes));
            let end = first + tables.shapes.len();
            let own: Vec<usize> = (0..spectra.len()).filter(|&i| (first..end).contains(&spectra[i].0)).collect();
            let numbered: Vec<Numbered<'_>> = own.iter().map(|&i| (spectra[i].0 - first, spectra[i].1)).collect();
            let models = &models[first..end];
            let fitted = Through { engine: self, models, tables: &tables, spectra: &numbered }.fit();
            own.into_iter().zip(fitted).for_each(|(i, fit)| fits[i] = fit);
            first = end;
        }
        fits
    }

    /// Fits spectra of other programs' methods, together those whose transforms have one length: their fits run on the host and
    /// ask the device for normal equations.
    fn fit_by_requests(&self, fft_n: usize, models: &[Asking<'_>], spectra: &[Numbered<'_>]) -> Vec<Fitted> {
        let is_software = self.lock().as_ref().is_none_or(|opened| opened.device.is_software);
        let at_once = self.chunk.unwrap_or(if is_software { SOFTWARE_AT_ONCE } else { AT_ONCE });
        let constants: Vec<Constants> = models.iter().map(|(_, constants)| constants.clone()).collect();
        let mut requests = Requests::new(fft_n, &constants);
        let askers: Vec<Asker<'_>> =
            spectra.iter().map(|&(number, fid)| Asker { model: models[number].0, number, fid }).collect();
        requests::fit(&askers, at_once, |asked| {
            self.attempt(|opened| requests.evaluate(opened, asked).inspect_err(|_| requests.forget()))
        })
    }
}

impl GpuEngine {
    /// How the device takes part in fits of `model`, or what of it the shaders do not do.
    fn way<'a>(model: &'a fit::Model) -> Result<Way<'a>, String> {
        match model {
            fit::Model::Map(model) => match unsupported(model) {
                None => Ok(Way::Rounds(model)),
                Some(what) => Err(what),
            },
            fit::Model::Peers(model) => Ok(Way::Requests(model, requests::constants(model)?)),
            fit::Model::Peaks(_) => Err(OTHER_FAMILY.to_owned()),
        }
    }
}

impl Keeper for GpuEngine {
    fn opened(&self) -> MutexGuard<'_, Option<Opened>> {
        self.lock()
    }

    fn slots(&self, slots: Slots, n_spectra: usize) -> Slots {
        let opened = self.lock();
        let by_limits = opened.as_ref().map_or(1, |o| most_slots(&slots, &o.device.limits, o.device.is_software));
        let n_slots = self.chunk.unwrap_or(by_limits).min(by_limits).min(n_spectra.max(1));
        Slots { n_slots: n_slots as u32, ..slots }
    }

    fn attempt(&self, work: &mut dyn FnMut(&Opened) -> Result<(), GpuError>) {
        GpuEngine::attempt(self, work);
    }

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

/// What has no profile of its stages, and what the device leaves to the native engine.
const OTHER_FAMILY: &str = "methods of this family";

impl Engine for GpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Gpu
    }

    fn device(&self) -> String {
        self.name.clone()
    }

    fn notes(&self) -> Vec<String> {
        GpuEngine::notes(self)
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted> {
        let (models, numbers) = batch.models();
        // By the length of transforms, for which the stages are compiled: numbers of models, and the models.
        let mut rounds: BTreeMap<usize, (Vec<usize>, Vec<&Model>)> = BTreeMap::new();
        let mut asking: BTreeMap<usize, (Vec<usize>, Vec<Asking<'_>>)> = BTreeMap::new();
        for (number, model) in models.iter().enumerate() {
            match Self::way(model) {
                Ok(Way::Rounds(model)) => {
                    let (members, alike) = rounds.entry(model.band.n_short()).or_default();
                    members.push(number);
                    alike.push(model);
                }
                Ok(Way::Requests(model, constants)) => {
                    let (members, alike) = asking.entry(constants.n_short).or_default();
                    members.push(number);
                    alike.push((model, constants));
                }
                Err(what) => self.note(format!("fitted on the CPU, the GPU engine does not do {what}")),
            }
        }
        let mut fits: Vec<Option<Fitted>> = batch.tasks.iter().map(|_| None).collect();
        let of = |members: &[usize]| -> (Vec<usize>, Vec<Numbered<'_>>) {
            let place: HashMap<usize, usize> = members.iter().enumerate().map(|(at, number)| (*number, at)).collect();
            let own = numbers.iter().zip(&batch.tasks).enumerate();
            own.filter_map(|(i, (number, task))| Some((i, (*place.get(number)?, task.fid)))).unzip()
        };
        for (members, alike) in rounds.into_values() {
            let (own, spectra) = of(&members);
            // What has no factor in single precision may have one in double precision.
            let whole = |fit: Option<Fitted>| fit.filter(|fit| fit.result.state != FitState::Singular);
            own.into_iter().zip(self.fit_together(&alike, &spectra)).for_each(|(i, fit)| fits[i] = whole(fit));
        }
        for (fft_n, (members, alike)) in asking {
            let (own, spectra) = of(&members);
            own.into_iter().zip(self.fit_by_requests(fft_n, &alike, &spectra)).for_each(|(i, fit)| fits[i] = Some(fit));
        }
        if interrupt::asked() {
            return Vec::new();
        }
        let rest: Vec<usize> = (0..fits.len()).filter(|&i| fits[i].is_none()).collect();
        let native = CpuEngine.fit(&Batch { tasks: rest.iter().map(|&i| batch.tasks[i]).collect() });
        rest.into_iter().zip(native).for_each(|(i, fit)| fits[i] = Some(fit));
        // The native engine leaves none, but where somebody asks to stop.
        fits.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// A model whose fits ask the device, and what its requests share.
type Asking<'a> = (&'a peers::Model, Constants);

/// How the device takes part in fits of a model.
enum Way<'a> {
    /// It iterates them.
    Rounds(&'a Model),
    /// They ask it for normal equations.
    Requests(&'a peers::Model, Constants),
}

fn map_model(model: &fit::Model) -> Option<&Model> {
    match model {
        fit::Model::Map(model) => Some(model),
        fit::Model::Peers(_) | fit::Model::Peaks(_) => None,
    }
}
