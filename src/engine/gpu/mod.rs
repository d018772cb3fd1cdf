//! The GPU engine: the same fit in f32 for thousands of spectra at once, in WGSL (`shaders/`).
//!
//! The host prepares a chunk (`fit::map::problem`), the device iterates it to the end, and errors and
//! covariance come in f64 from the host. While the device works on one chunk the host finishes the last and
//! prepares the next.

mod chunk;
pub mod device;
pub mod layout;
mod modes;
mod pipelines;
pub mod profile;
mod rendezvous;
mod requests;
mod self_test;
pub mod source;
mod tables;
pub mod timeline;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use num_complex::Complex64;
use rayon::prelude::*;

use self::chunk::{ChunkBuffers, ModelBuffers};
use self::device::Device;
use self::profile::Profile;
use self::requests::Requests;
use self::tables::{Tables, unsupported};
use self::timeline::{Span, Timeline, Work};
use super::{Batch, CpuEngine, Engine, Fitted};
use crate::fit::map::problem::{Problem, Solved};
use crate::fit::map::{Model, Workspace};
use crate::fit::{self, FitResult, FitState};

pub use self_test::SelfTest;
#[cfg(test)]
pub(crate) use self_test::known_spectra;

/// Why the GPU cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No such adapter.
    #[error(
        "no GPU{}: {found} adapters found; install a Vulkan driver, choose with --gpu (see `requant devices`), or use --engine cpu",
        asked.map(|n| format!(" number {n}")).unwrap_or_default()
    )]
    NoAdapter {
        /// The number asked for.
        asked: Option<usize>,
        /// Adapters that there are.
        found: usize,
    },
    /// The adapter is too small.
    #[error("{adapter}: {lacks}; use another GPU or --engine cpu")]
    Limits {
        /// Its name.
        adapter: String,
        /// What it lacks.
        lacks: String,
    },
    /// The adapter does not open.
    #[error("{adapter}: cannot be opened: {reason}")]
    Open {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// A known fit came out wrong.
    #[error("{adapter}: the self-test failed: {reason}; use another driver or --engine cpu")]
    SelfTest {
        /// Its name.
        adapter: String,
        /// What was wrong.
        reason: String,
    },
    /// The device failed at work.
    #[error("the GPU failed: {reason}")]
    Device {
        /// What the driver says.
        reason: String,
    },
    /// A shader is not there.
    #[error(transparent)]
    Source(#[from] source::SourceError),
}

/// Runs fits on a GPU; what it cannot do, and what it could not do twice, it gives to the native engine.
pub struct GpuEngine {
    adapter: usize,
    name: String,
    /// `None` once the device is given up. One chunk at a time is on the device.
    device: Mutex<Option<Device>>,
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
        let device = Device::open(index)?;
        let name = device.name.clone();
        Ok(Self {
            adapter: index,
            name,
            device: Mutex::new(Some(device)),
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
        let device = self.lock();
        let open = device.as_ref().ok_or_else(|| GpuError::Device { reason: "given up".to_owned() })?;
        OnDevice::new(model).solve(open, model, &problems, Some(&mut profile))?;
        Ok(profile)
    }

    /// Loses the device as a crashing driver would, to test what follows.
    #[doc(hidden)]
    pub fn lose_device(&self) {
        if let Some(device) = &*self.lock() {
            device.device.destroy();
        }
    }

    /// Makes the next loss final, to test what follows.
    #[doc(hidden)]
    pub fn forbid_reopening(&self) {
        self.reopen.store(false, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Device>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// What `work` makes of the device, or `None` if the device is given up: a failure is retried once on a new one.
    fn attempt<T>(&self, mut work: impl FnMut(&Device) -> Result<T, GpuError>) -> Option<T> {
        let mut device = self.lock();
        for attempt in 0..2 {
            match work(device.as_ref()?) {
                Ok(done) => return Some(done),
                Err(error) => {
                    self.note(format!("{error}; the chunk was done again"));
                    let again = attempt == 0 && self.reopen.load(Ordering::Relaxed);
                    *device = if again { Device::open(self.adapter).ok() } else { None };
                }
            }
        }
        self.note("the GPU failed twice in a row: the rest is done on the CPU".to_owned());
        None
    }

    fn solve(&self, on_device: &mut OnDevice, model: &Model, problems: &[Problem]) -> Option<Vec<Solved>> {
        self.attempt(|device| on_device.solve(device, model, problems, None).inspect_err(|_| on_device.forget()))
    }

    fn fit_supported(&self, model: &Model, batch: &Batch<'_>) -> Vec<Fitted> {
        let fids = &batch.fids;
        let mut on_device = OnDevice::new(model);
        let shape = on_device.tables.shape;
        let by_limits = self.lock().as_ref().map_or(1, |d| layout::chunk_size(&shape, &d.limits, d.is_software).max(1));
        let size = self.chunk.unwrap_or(by_limits).min(by_limits);
        let chunks: Vec<&[&[Complex64]]> = fids.chunks(size).collect();
        let prepare = |c: usize| -> Option<Vec<Result<Problem, FitState>>> {
            let fids = chunks.get(c)?;
            let pose = || fids.par_iter().map(|fid| Problem::new(model, fid)).collect();
            Some(self.timeline.span(Work::Prepare, c, pose))
        };
        let finish = |c: usize, chunk: Chunk| self.timeline.span(Work::Finish, c, || chunk.finish(model));
        let mut out = Vec::with_capacity(fids.len());
        let mut last: Option<Chunk> = None;
        let mut next = prepare(0);
        for c in 0..chunks.len() {
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
            last = Some(Chunk { posed, problems, solved });
            if last.as_ref().is_some_and(|chunk| chunk.solved.is_none()) {
                let rest = Batch { model: batch.model, fids: fids[c * size..].to_vec() };
                out.extend(CpuEngine.fit(&rest));
                return out;
            }
        }
        out.extend(last.map(|chunk| finish(chunks.len() - 1, chunk)).unwrap_or_default());
        out
    }
}

/// What has no profile of its stages, and what the device leaves to the native engine.
const OTHER_FAMILY: &str = "methods of this family";

/// A model on the device, made on first use and again after a loss.
struct OnDevice {
    tables: Tables,
    fft_n: usize,
    buffers: Option<(std::sync::Arc<pipelines::Pipelines>, ModelBuffers, ChunkBuffers, usize)>,
}

impl OnDevice {
    fn new(model: &Model) -> Self {
        Self { tables: Tables::new(model), fft_n: model.band.n_short(), buffers: None }
    }

    fn forget(&mut self) {
        self.buffers = None;
    }

    fn solve(
        &mut self,
        device: &Device,
        model: &Model,
        problems: &[Problem],
        profile: Option<&mut Profile>,
    ) -> Result<Vec<Solved>, GpuError> {
        if self.buffers.as_ref().is_none_or(|(.., capacity)| *capacity < problems.len()) {
            self.buffers = None;
            let pipelines = device.pipelines(self.fft_n)?;
            let on_model = ModelBuffers::new(device, &self.tables);
            let chunk = ChunkBuffers::new(device, &pipelines, &on_model, problems.len());
            device.check()?;
            self.buffers = Some((pipelines, on_model, chunk, problems.len()));
        }
        match &mut self.buffers {
            Some((pipelines, _, chunk, _)) => chunk.solve(device, pipelines, model, problems, profile),
            None => Ok(Vec::new()),
        }
    }
}

/// A chunk that the device has solved.
struct Chunk {
    /// What the spectra pose: `Ok` where they pose a problem, the state where they do not.
    posed: Vec<Result<(), FitState>>,
    problems: Vec<Problem>,
    solved: Option<Vec<Solved>>,
}

impl Chunk {
    fn finish(self, model: &Model) -> Vec<Fitted> {
        let Some(solved) = self.solved else { return Vec::new() };
        let mut results: Vec<FitResult> = self
            .problems
            .par_iter()
            .zip(&solved)
            .map_init(|| Workspace::new(model), |workspace, (problem, solved)| problem.finish(model, solved, workspace))
            .collect();
        let mut fitted = results.drain(..);
        let all = self.posed.into_iter().filter_map(|posed| match posed {
            Ok(()) => fitted.next(),
            Err(state) => Some(FitResult::without_fit(state)),
        });
        all.map(|result| Fitted { result, engine: "gpu" }).collect()
    }
}

fn posed(prepared: Vec<Result<Problem, FitState>>) -> (Vec<Result<(), FitState>>, Vec<Problem>) {
    let mut problems = Vec::with_capacity(prepared.len());
    let posed = prepared.into_iter().map(|p| p.map(|problem| problems.push(problem))).collect();
    (posed, problems)
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn device(&self) -> String {
        self.name.clone()
    }

    fn files_at_once(&self) -> usize {
        4096
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
