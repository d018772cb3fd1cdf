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

use super::GpuEngine;
use super::requests::Requests;
use crate::engine::Fitted;
use crate::fit::peers::remote::{Answer, Remote, Request};
use crate::fit::peers::{Model, fit_remotely};

/// Spectra that are fitted at a time: enough that a GPU has work while the host decides.
const AT_ONCE: usize = 512;
/// The same where the device is the host's own cores.
const SOFTWARE_AT_ONCE: usize = 64;

/// A request and where its answer goes.
struct Asked {
    request: Request,
    reply: SyncSender<Answer>,
}

/// The device as one fit sees it.
struct Desk {
    asked: Sender<Asked>,
    cores: Arc<Cores>,
    /// Set when the device does not answer.
    is_native: Arc<AtomicBool>,
}

impl Remote for Desk {
    fn evaluate(&self, request: Request) -> Option<Answer> {
        let (reply, answer) = sync_channel(1);
        let answer = self.asked.send(Asked { request, reply }).ok().and_then(|()| {
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

impl GpuEngine {
    /// Fits a batch of a model that `requests` are for.
    pub(super) fn fit_by_requests(&self, model: &Model, mut requests: Requests, fids: &[&[Complex64]]) -> Vec<Fitted> {
        let is_software = self.lock().as_ref().is_none_or(|device| device.is_software);
        let at_once = self.chunk.unwrap_or(if is_software { SOFTWARE_AT_ONCE } else { AT_ONCE }).min(fids.len());
        let cores = Arc::new(Cores { free: Mutex::new(rayon::current_num_threads().max(1)), left: Condvar::new() });
        let next = AtomicUsize::new(0);
        let done: Vec<Mutex<Option<Fitted>>> = fids.iter().map(|_| Mutex::new(None)).collect();
        let (asked, asks) = channel();
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                let (asked, next, done, cores) = (asked.clone(), &next, &done, &cores);
                scope.spawn(move || {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(fid), Some(place)) = (fids.get(i), done.get(i)) else { return };
                        let is_native = Arc::new(AtomicBool::new(false));
                        let desk =
                            Desk { asked: asked.clone(), cores: Arc::clone(cores), is_native: Arc::clone(&is_native) };
                        cores.take();
                        let result = fit_remotely(model, fid, Box::new(desk));
                        cores.leave();
                        let engine = if is_native.load(Ordering::Relaxed) { "cpu" } else { "gpu" };
                        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Fitted { result, engine });
                    }
                });
            }
            drop(asked);
            self.answer(&mut requests, asks);
        });
        done.into_iter().filter_map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    /// Answers until nobody asks any more, or the device is given up: then those who wait and who ask later learn it by
    /// the channels' ends.
    fn answer(&self, requests: &mut Requests, asks: Receiver<Asked>) {
        while let Ok(first) = asks.recv() {
            let mut batch = Vec::new();
            let mut replies = Vec::new();
            for asked in std::iter::once(first).chain(asks.try_iter()) {
                batch.push(asked.request);
                replies.push(asked.reply);
            }
            let answers = self.attempt(|device| requests.evaluate(device, &batch).inspect_err(|_| requests.forget()));
            let Some(answers) = answers else { return };
            for (reply, answer) in replies.iter().zip(answers) {
                // Who has gone needs no answer.
                let _ = reply.send(answer);
            }
        }
    }
}
