//! The GPU engine: chunks, the overlap of host and device, and what happens when a device fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use num_complex::Complex64;
use rayon::prelude::*;

use super::device;
use super::error::GpuError;
use super::pipelines::Opened;
use super::requests::{self, Requests};
use super::rounds::{OnDevice, Profile, Solution, chunk_size, posed, unsupported};
use super::self_test::SelfTest;
use super::timeline::{Span, Timeline, Work};
use crate::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use crate::fit::map::Model;
use crate::fit::map::problem::{Problem, Solved};
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
    /// `None` once the device is given up. One chunk at a time is on the device.
    opened: Mutex<Option<Opened>>,
    /// Most spectra in a chunk; `None`: what the device's limits allow.
    chunk: Option<usize>,
    notes: Mutex<Vec<String>>,
    /// Whether a lost device may be opened again.
    reopen: AtomicBool,
    timeline: Timeline,
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

    /// The same engine with chunks of at most `spectra` spectra.
    #[must_use]
    pub fn with_chunk(self, spectra: usize) -> Self {
        Self { chunk: Some(spectra.max(1)), ..self }
    }

    /// What happened on the way that a user should know: chunks done again, settings left to the native engine.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What host and device worked at so far, chunk by chunk.
    pub fn timeline(&self) -> Vec<Span> {
        self.timeline.spans()
    }

    /// Time on the device by stage for a batch that fits into one chunk; all zero on a device without timestamps.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails or is given up.
    pub fn profile(&self, batch: &Batch<'_>) -> Result<Profile, GpuError> {
        let fit::Model::Map(model) = batch.model else {
            return Err(GpuError::Device { reason: OTHER_FAMILY.to_owned() });
        };
        let problems: Vec<Problem> = batch.fids.par_iter().filter_map(|fid| Problem::new(model, fid).ok()).collect();
        let mut profile = Profile::default();
        let opened = self.lock();
        let opened = opened.as_ref().ok_or_else(|| GpuError::Device { reason: "given up".to_owned() })?;
        OnDevice::new(model).solve(opened, model, &problems, Some(&mut profile))?;
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

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
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

    fn solve(&self, on_device: &mut OnDevice, model: &Model, problems: &[Problem]) -> Option<Vec<Solved>> {
        self.attempt(|opened| on_device.solve(opened, model, problems, None).inspect_err(|_| on_device.forget()))
    }

    fn fit_supported(&self, model: &Model, batch: &Batch<'_>) -> Vec<Fitted> {
        let fids = &batch.fids;
        let mut on_device = OnDevice::new(model);
        let shape = on_device.shape();
        let by_limits =
            self.lock().as_ref().map_or(1, |o| chunk_size(&shape, &o.device.limits, o.device.is_software).max(1));
        let size = self.chunk.unwrap_or(by_limits).min(by_limits);
        let chunks: Vec<&[&[Complex64]]> = fids.chunks(size).collect();
        let prepare = |c: usize| -> Option<Vec<Result<Problem, FitState>>> {
            let fids = chunks.get(c)?;
            let pose = || fids.par_iter().map(|fid| Problem::new(model, fid)).collect();
            Some(self.timeline.span(Work::Prepare, c, pose))
        };
        let finish = |c: usize, chunk: Solution| self.timeline.span(Work::Finish, c, || chunk.finish(model));
        let mut out = Vec::with_capacity(fids.len());
        let mut last: Option<Solution> = None;
        let mut next = prepare(0);
        for c in 0..chunks.len() {
            if interrupt::asked() {
                return Vec::new();
            }
            let Some(prepared) = next.take() else { break };
            let finished = last.take();
            let (posed, problems) = posed(prepared);
            // The device on this chunk; beside it the host on the one before and the one after.
            let (solved, (mut done, prepared)) = rayon::join(
                || self.timeline.span(Work::Device, c, || self.solve(&mut on_device, model, &problems)),
                || {
                    let done = finished.map(|chunk| finish(c - 1, chunk)).unwrap_or_default();
                    (done, prepare(c + 1))
                },
            );
            out.append(&mut done);
            next = prepared;
            last = Some(Solution { posed, problems, solved });
            if last.as_ref().is_some_and(|chunk| chunk.solved.is_none()) {
                let rest = Batch { model: batch.model, fids: fids[c * size..].to_vec() };
                out.extend(CpuEngine.fit(&rest));
                return out;
            }
        }
        out.extend(last.map(|chunk| finish(chunks.len() - 1, chunk)).unwrap_or_default());
        out
    }

    /// Fits a batch of another program's method: its fits run on the host and ask the device for normal equations.
    fn fit_by_requests(&self, model: &peers::Model, mut requests: Requests, fids: &[&[Complex64]]) -> Vec<Fitted> {
        let is_software = self.lock().as_ref().is_none_or(|opened| opened.device.is_software);
        let at_once = self.chunk.unwrap_or(if is_software { SOFTWARE_AT_ONCE } else { AT_ONCE });
        requests::fit(model, fids, at_once, |asked| {
            self.attempt(|opened| requests.evaluate(opened, asked).inspect_err(|_| requests.forget()))
        })
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
        let fitted = match batch.model {
            fit::Model::Map(model) => match unsupported(model) {
                None => Ok(self.fit_supported(model, batch)),
                Some(what) => Err(what),
            },
            fit::Model::Peers(model) => {
                Requests::new(model).map(|requests| self.fit_by_requests(model, requests, &batch.fids))
            }
            fit::Model::Peaks(_) => Err(OTHER_FAMILY.to_owned()),
        };
        match fitted {
            Ok(fitted) => fitted,
            Err(what) => {
                self.note(format!("fitted on the CPU, the GPU engine does not do {what}"));
                CpuEngine.fit(batch)
            }
        }
    }
}
