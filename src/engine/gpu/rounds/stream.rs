//! Many spectra through the slots of a device: a slot whose fit has ended takes the next that waits.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};

use super::chunk::{Chunk, ROUNDS};
use super::profile::Profile;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::stage::fit::{DONE, PASSES, Scalars};
use crate::engine::gpu::timeline::{Timeline, Work};
use crate::fit::map::Model;
use crate::fit::map::constants::{MAX_ATTEMPTS, MAX_PASSES};
use crate::fit::map::problem::{Problem, Solved};
use crate::interrupt;

/// Rounds that an iteration can take at most: every attempt, each with all passes of the active set.
const ROUNDS_PER_ITERATION: usize = MAX_ATTEMPTS * MAX_PASSES.div_ceil(PASSES as usize);
/// Results are fetched, and slots filled again, when this part of them has come to an end: a fetch is a wait of its own.
const FETCHED_PART: usize = 8;

/// A spectrum on its way through a device.
pub(in crate::engine::gpu) struct Posed {
    /// Number of the spectrum.
    pub(in crate::engine::gpu) spectrum: usize,
    /// Number of its model among the tables.
    pub(in crate::engine::gpu) model: usize,
    pub(in crate::engine::gpu) problem: Problem,
}

/// What waits for a slot, and what may still come.
pub(in crate::engine::gpu) struct Waiting {
    queue: VecDeque<Posed>,
    /// `None` once all have come.
    source: Option<Receiver<Vec<Posed>>>,
}

impl Waiting {
    pub(in crate::engine::gpu) fn new(source: Receiver<Vec<Posed>>) -> Self {
        Self { queue: VecDeque::new(), source: Some(source) }
    }

    /// Those alone.
    pub(in crate::engine::gpu) fn only(posed: Vec<Posed>) -> Self {
        Self { queue: posed.into(), source: None }
    }

    /// Takes in what has come meanwhile; where nothing else is to be done (`is_idle`) it waits for it.
    fn take_in(&mut self, is_idle: bool) {
        while let Some(source) = &self.source {
            let come = if is_idle && self.queue.is_empty() {
                source.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                source.try_recv()
            };
            match come {
                Ok(posed) => self.queue.extend(posed),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.source = None,
            }
        }
    }

    fn is_over(&self) -> bool {
        self.queue.is_empty() && self.source.is_none()
    }
}

/// Who wants to know how long what takes.
pub(in crate::engine::gpu) struct Watch<'a> {
    pub(in crate::engine::gpu) timeline: &'a Timeline,
    pub(in crate::engine::gpu) n_submissions: usize,
    pub(in crate::engine::gpu) profile: Option<&'a mut Profile>,
}

/// A spectrum in a slot, and the rounds that it has had.
struct Held {
    posed: Posed,
    rounds: usize,
}

/// Fits all that is `waiting` and hands each group of solutions to `done`, in no order. Where the device fails, what was on it
/// waits again.
pub(in crate::engine::gpu) fn run(
    chunk: &Chunk,
    models: &[&Model],
    waiting: &mut Waiting,
    done: &mut dyn FnMut(Vec<(Posed, Solved)>),
    watch: &mut Watch<'_>,
) -> Result<(), GpuError> {
    let mut slots: Vec<Option<Held>> = (0..chunk.n_slots()).map(|_| None).collect();
    let ended = loop {
        let is_idle = slots.iter().all(Option::is_none);
        waiting.take_in(is_idle);
        if interrupt::asked() || (is_idle && waiting.is_over()) {
            break Ok(());
        }
        let work = || {
            let is_new = fill(chunk, models, &mut slots, &mut waiting.queue);
            advance(chunk, models, &mut slots, is_new, watch.profile.as_deref_mut())
        };
        watch.n_submissions += 1;
        match watch.timeline.span(Work::Device, watch.n_submissions - 1, work) {
            Ok(fits) if fits.is_empty() => {}
            Ok(fits) => done(fits),
            Err(error) => break Err(error),
        }
    };
    for held in slots.into_iter().flatten().rev() {
        waiting.queue.push_front(held.posed);
    }
    ended
}

/// Puts what waits into empty slots; whether there was anything.
fn fill(chunk: &Chunk, models: &[&Model], slots: &mut [Option<Held>], queue: &mut VecDeque<Posed>) -> bool {
    let mut filled = Vec::new();
    for (i, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| slot.is_none()) {
        let Some(posed) = queue.pop_front() else { break };
        *slot = Some(Held { posed, rounds: 0 });
        filled.push(i);
    }
    // Neighbours go up in one piece.
    for run in filled.chunk_by(|a, b| a + 1 == *b) {
        let posed = run.iter().filter_map(|&i| slots[i].as_ref().map(|held| &held.posed));
        let problems: Vec<_> = posed.map(|p| (p.model, models[p.model], &p.problem)).collect();
        chunk.upload(run[0], &problems);
    }
    !filled.is_empty()
}

/// Some rounds; what has come to an end, if that is worth a fetch.
fn advance(
    chunk: &Chunk,
    models: &[&Model],
    slots: &mut [Option<Held>],
    is_new: bool,
    profile: Option<&mut Profile>,
) -> Result<Vec<(Posed, Solved)>, GpuError> {
    let n_unfinished = chunk.rounds(is_new, profile)?;
    let (mut n_held, mut any_late) = (0_usize, false);
    let is_late =
        |held: &Held| held.rounds > (models[held.posed.model].settings.max_iterations + 1) * ROUNDS_PER_ITERATION;
    for held in slots.iter_mut().flatten() {
        held.rounds += ROUNDS;
        n_held += 1;
        any_late |= is_late(held);
    }
    let n_ended = n_held.saturating_sub(n_unfinished);
    if n_unfinished > 0 && !any_late && n_ended < slots.len().div_ceil(FETCHED_PART) {
        return Ok(Vec::new());
    }
    let states = chunk.states()?;
    let ended = |(i, state): (usize, &Scalars)| {
        let held = slots[i].as_ref()?;
        (state.phase == DONE || is_late(held)).then_some((i, models[held.posed.model], *state))
    };
    let taken: Vec<(usize, &Model, Scalars)> = states.iter().enumerate().filter_map(ended).collect();
    let solved = chunk.download(&taken)?;
    let mut fits = Vec::with_capacity(taken.len());
    for ((i, _, state), solved) in taken.into_iter().zip(solved) {
        if state.phase != DONE {
            chunk.clear(i);
        }
        fits.extend(slots[i].take().map(|held| (held.posed, solved)));
    }
    Ok(fits)
}
