//! Other programs' methods on the device: their fits run on the host, many at once, and meet where they evaluate.
//!
//! A fit of this family is a chain of decisions (searches, F-tests, active sets) around one costly thing, the normal
//! equations at some parameters. Every spectrum has a thread of its own that decides, in f64, exactly as the native engine
//! does; what it asks of the device is answered together with whatever the others have asked meanwhile. Threads that wait
//! hold no core: no more of them compute at a time than the pool has threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use num_complex::Complex64;

use super::batch::Asked;
use crate::engine::{EngineKind, Fitted};
use crate::fit::peers::remote::{Answer, Remote, Request};
use crate::fit::peers::{Model, fit_remotely};
use crate::interrupt;

/// A spectrum that asks.
pub(in crate::engine::gpu) struct Asker<'a> {
    pub(in crate::engine::gpu) model: &'a Model,
    /// Number of the model among those of the device.
    pub(in crate::engine::gpu) number: usize,
    pub(in crate::engine::gpu) fid: &'a [Complex64],
}

/// A request, with the number of its model, and where its answer goes.
struct Question {
    asked: Asked,
    reply: SyncSender<Answer>,
}

/// The device as one fit sees it.
struct AskedDevice {
    number: usize,
    asked: Sender<Question>,
    cores: Arc<Cores>,
    /// Set when the device does not answer.
    is_native: Arc<AtomicBool>,
}

impl Remote for AskedDevice {
    fn evaluate(&self, request: Request) -> Option<Answer> {
        let (reply, answer) = sync_channel(1);
        let answer = self.asked.send(Question { asked: (self.number, request), reply }).ok().and_then(|()| {
            self.cores.leave();
            let answer = answer.recv().ok();
            self.cores.take();
            answer
        });
        if answer.is_none() {
            self.is_native.store(true, Ordering::Relaxed);
        }
        answer
    }
}

/// Cores that threads take in turns.
struct Cores {
    free: Mutex<usize>,
    left: Condvar,
}

impl Cores {
    fn take(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.left.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
    }

    fn leave(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.left.notify_one();
    }
}

/// Fits spectra of any models, `at_once` at a time. `evaluate` answers requests, one answer each, or gives up.
pub(in crate::engine::gpu) fn fit(
    askers: &[Asker<'_>],
    at_once: usize,
    evaluate: impl FnMut(&[Asked]) -> Option<Vec<Answer>>,
) -> Vec<Fitted> {
    let cores = Arc::new(Cores { free: Mutex::new(rayon::current_num_threads().max(1)), left: Condvar::new() });
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Fitted>>> = askers.iter().map(|_| Mutex::new(None)).collect();
    let (asked, asks) = channel();
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(askers.len()) {
            let (asked, next, done, cores) = (asked.clone(), &next, &done, &cores);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(asker), Some(place)) = (askers.get(i), done.get(i)) else { return };
                    if interrupt::asked() {
                        return;
                    }
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(fit_one(asker, &asked, cores));
                }
            });
        }
        drop(asked);
        answer(evaluate, asks);
    });
    done.into_iter().filter_map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Fits one spectrum, asking through `asked`, while it holds one of the `cores`.
fn fit_one(asker: &Asker<'_>, asked: &Sender<Question>, cores: &Arc<Cores>) -> Fitted {
    let is_native = Arc::new(AtomicBool::new(false));
    let (asked, own_cores) = (asked.clone(), Arc::clone(cores));
    let device = AskedDevice { number: asker.number, asked, cores: own_cores, is_native: Arc::clone(&is_native) };
    cores.take();
    let result = fit_remotely(asker.model, asker.fid, Box::new(device));
    cores.leave();
    let engine = if is_native.load(Ordering::Relaxed) { EngineKind::Cpu } else { EngineKind::Gpu };
    crate::pulse::were_fitted(1);
    Fitted { result, engine }
}

/// Answers until nobody asks any more, or `evaluate` gives up: then those who wait and who ask later learn it by the
/// channels' ends.
fn answer(mut evaluate: impl FnMut(&[Asked]) -> Option<Vec<Answer>>, asks: Receiver<Question>) {
    while let Ok(first) = asks.recv() {
        let mut batch = Vec::new();
        let mut replies = Vec::new();
        for question in std::iter::once(first).chain(asks.try_iter()) {
            batch.push(question.asked);
            replies.push(question.reply);
        }
        let Some(answers) = evaluate(&batch) else { return };
        for (reply, answer) in replies.iter().zip(answers) {
            // Who has gone needs no answer.
            let _ = reply.send(answer);
        }
    }
}
