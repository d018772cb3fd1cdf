//! Fits of `map` through the device: the host poses problems and finishes results beside it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, MutexGuard};

use num_complex::Complex64;
use rayon::prelude::*;

use super::error::GpuError;
use super::opened::Opened;
use super::rounds::{Chunk, Posed, Profile, Tables, Waiting, Watch, run, slots};
use super::stage::fit::Slots;
use super::timeline::{Timeline, Work};
use crate::engine::scratch::Scratch;
use crate::engine::{EngineKind, Fitted};
use crate::fit::map::marginal::refine;
use crate::fit::map::problem::{Problem, Solved};
use crate::fit::map::{Model, Workspace};
use crate::fit::{FitResult, FitState};
use crate::{interrupt, pulse};

/// Slots' worth of problems that may be on their way at a time: those in the slots, and as many that wait for one.
const AHEAD: usize = 2;
/// Problems that are posed at a time: this part of the slots.
const POSED_PART: usize = 4;

/// A spectrum and the number of its model.
pub(super) type Numbered<'a> = (usize, &'a [Complex64]);
/// Fits that the device has brought to their end.
type Fits = Vec<(Posed, Solved)>;

/// Who keeps the device.
pub(super) trait Keeper: Sync {
    /// The device; `None` once it is given up.
    fn opened(&self) -> MutexGuard<'_, Option<Opened>>;
    /// As many of `slots` as the device has memory for, and no more than spectra.
    fn slots(&self, slots: Slots, n_spectra: usize) -> Slots;
    /// Does `work` on the device, once more on a new one where it fails.
    fn attempt(&self, work: &mut dyn FnMut(&Opened) -> Result<(), GpuError>);
    /// Where it is written down what took how long.
    fn timeline(&self) -> &Timeline;
}

/// Spectra of models whose constants lie on the device together.
pub(super) struct Through<'a> {
    pub(super) engine: &'a dyn Keeper,
    pub(super) models: &'a [&'a Model],
    pub(super) tables: &'a Arc<Tables>,
    pub(super) spectra: &'a [Numbered<'a>],
}

impl Through<'_> {
    /// Fits them; `None` for those that are left where the device is given up, or somebody asks to stop.
    pub(super) fn fit(&self) -> Vec<Option<Fitted>> {
        let mut fits: Vec<Option<Fitted>> = self.spectra.iter().map(|_| None).collect();
        let slots = self.engine.slots(slots(&self.tables.shapes), self.spectra.len());
        let (to_device, posed) = channel();
        let (done, from_device) = channel();
        std::thread::scope(|scope| {
            // A thread of its own, which waits for the device and takes no core from those who pose and finish.
            scope.spawn(|| self.drive(slots, posed, done));
            self.serve(slots.n_slots as usize, to_device, &from_device, &mut fits);
        });
        fits
    }

    /// Keeps the device at work. A failure is retried once on a new one; what was on it is done again.
    fn drive(&self, slots: Slots, posed: Receiver<Vec<Posed>>, done: Sender<Fits>) {
        let mut waiting = Waiting::new(posed);
        let mut watch = Watch { timeline: self.engine.timeline(), n_submissions: 0, profile: None };
        self.engine.attempt(&mut |opened| {
            let chunk = Chunk::new(opened, self.tables, slots)?;
            let mut finished = |fits: Fits| {
                // Who has gone needs no results.
                let _ = done.send(fits);
            };
            run(&chunk, self.models, &mut waiting, &mut finished, &mut watch)
        });
    }

    /// Poses problems as the device takes them, and finishes what comes back.
    fn serve(
        &self,
        n_slots: usize,
        to_device: Sender<Vec<Posed>>,
        from_device: &Receiver<Fits>,
        fits: &mut [Option<Fitted>],
    ) {
        let block = n_slots.div_ceil(POSED_PART);
        let scratch = Scratch::new(Workspace::new);
        let mut to_device = Some(to_device);
        let (mut next, mut on_their_way, mut n_blocks, mut n_finished) = (0, 0, 0, 0);
        while !interrupt::asked() {
            if next >= self.spectra.len() {
                to_device = None;
            }
            let come = match &to_device {
                Some(to_device) if on_their_way < AHEAD * n_slots => {
                    let end = (next + block).min(self.spectra.len());
                    let posed = self.engine.timeline().span(Work::Prepare, n_blocks, || self.pose(next..end, fits));
                    (next, n_blocks, on_their_way) = (end, n_blocks + 1, on_their_way + posed.len());
                    if to_device.send(posed).is_err() {
                        return;
                    }
                    from_device.try_recv().ok()
                }
                _ => match from_device.recv() {
                    Ok(come) => Some(come),
                    Err(_) => return,
                },
            };
            let Some(come) = come else { continue };
            on_their_way -= come.len();
            let finish = || self.finish(come, &scratch, fits);
            self.engine.timeline().span(Work::Finish, n_finished, finish);
            n_finished += 1;
        }
    }

    /// The problems of some spectra; those that pose none have their result.
    fn pose(&self, spectra: std::ops::Range<usize>, fits: &mut [Option<Fitted>]) -> Vec<Posed> {
        let first = spectra.start;
        let posed: Vec<Result<Problem, FitState>> =
            self.spectra[spectra].par_iter().map(|&(model, fid)| Problem::new(self.models[model], fid)).collect();
        let mut problems = Vec::with_capacity(posed.len());
        for (spectrum, posed) in (first..).zip(posed) {
            match posed {
                Ok(problem) => problems.push(Posed { spectrum, model: self.spectra[spectrum].0, problem }),
                Err(state) => fits[spectrum] = Some(told(FitResult::without_fit(state))),
            }
        }
        problems
    }

    /// Errors and numbers of what came back, in f64.
    fn finish<'b>(&'b self, come: Fits, scratch: &Scratch<'b, Model, Workspace>, fits: &mut [Option<Fitted>]) {
        let finished: Vec<(usize, FitResult)> = come
            .into_par_iter()
            .with_max_len(1)
            .map(|(Posed { spectrum, model, problem }, mut solved)| {
                let model = self.models[model];
                let result = scratch.with(model, |workspace| {
                    refine(model, &problem, &mut solved, workspace);
                    problem.finish(model, &solved, workspace)
                });
                (spectrum, result)
            })
            .collect();
        for (spectrum, result) in finished {
            fits[spectrum] = Some(told(result));
        }
    }
}

/// A result of the device, counted.
fn told(result: FitResult) -> Fitted {
    pulse::were_fitted(1);
    Fitted { result, engine: EngineKind::Gpu }
}

/// All problems of `spectra` through the device once, for the time that each stage takes; other spectra pose none.
pub(super) fn profiled(
    engine: &dyn Keeper,
    models: &[&Model],
    spectra: &[Numbered<'_>],
    profile: &mut Profile,
) -> Result<(), GpuError> {
    let posed = spectra.par_iter().enumerate().filter_map(|(spectrum, &(model, fid))| {
        Some(Posed { spectrum, model, problem: Problem::new(models[model], fid).ok()? })
    });
    let mut waiting = Waiting::only(posed.collect());
    let tables = Arc::new(Tables::of(models, u64::MAX));
    let slots = engine.slots(slots(&tables.shapes), spectra.len());
    let opened = engine.opened();
    let opened = opened.as_ref().ok_or_else(|| GpuError::Device { reason: "given up".to_owned() })?;
    let chunk = Chunk::new(opened, &tables, slots)?;
    let mut watch = Watch { timeline: engine.timeline(), n_submissions: 0, profile: Some(profile) };
    run(&chunk, models, &mut waiting, &mut |_| {}, &mut watch)
}
