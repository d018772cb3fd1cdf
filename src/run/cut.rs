//! A run's inputs cut into chunks: what is read, fitted and written together.
//!
//! Blocks of a fixed number of files are dealt to shards; chunks lie within a block, as memory allows: several files, one,
//! or some voxels of one. So shards that have more or less memory deal alike.

use std::ops::Range;

use rayon::prelude::*;

use super::error::RunError;
use super::load::Failure;
use super::need::{Need, least_bytes};
use super::options::RunOptions;
use crate::corpus::Found;
use crate::store::{Position, Span};

pub use super::options::DEFAULT_MEMORY_BYTES;

/// One in so many bytes is for models that are kept, and one for basis sets.
const MODELS_SHARE: u64 = 16;
/// Voxels of a grid that are done together at most: what a killed run loses.
const VOXELS_AT_ONCE: usize = 1024;

/// What is read, fitted and written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) span: Span,
    /// Held while it is read, and from then on until its rows are written (bytes).
    reading: u64,
    fitting: u64,
}

impl Chunk {
    /// Whether `next` may be read while this one is fitted.
    pub(super) fn fits_beside(&self, next: &Self, options: &RunOptions) -> bool {
        self.fitting.saturating_add(next.reading) <= for_chunks(options)
    }
}

/// What chunks may hold together (bytes).
fn for_chunks(options: &RunOptions) -> u64 {
    beside_the_least(options) - 2 * for_models(options)
}

/// What models may hold that no spectrum at work needs, but others may; basis sets may hold as much (bytes).
pub(super) fn for_models(options: &RunOptions) -> u64 {
    beside_the_least(options) / MODELS_SHARE
}

fn beside_the_least(options: &RunOptions) -> u64 {
    options.memory_bytes.saturating_sub(least_bytes(rayon::current_num_threads()))
}

/// An error where the memory is less than any file takes; it names what a usual one does.
pub(super) fn check_memory(options: &RunOptions) -> Result<(), RunError> {
    let is_enough = one_at_once(&Need::of_short(options)) <= for_chunks(options);
    is_enough.then_some(()).ok_or_else(|| RunError::Memory {
        given_bytes: options.memory_bytes,
        least_bytes: memory_for(&Need::of_usual(options)),
        threads: rayon::current_num_threads(),
    })
}

/// What a file takes whose voxels are done one by one (bytes).
fn one_at_once(need: &Need) -> u64 {
    need.reading(1).max(need.fitting(1))
}

/// The memory of a run that can do such a file: models and basis sets have their shares of it, too (bytes).
fn memory_for(need: &Need) -> u64 {
    let beside = one_at_once(need).saturating_mul(MODELS_SHARE).div_ceil(MODELS_SHARE - 2);
    beside.saturating_add(least_bytes(rayon::current_num_threads()))
}

/// Blocks that each shard has to do, where there are enough files: some are slower than others.
const BLOCKS_PER_SHARD: usize = 4;

/// The files of each block of `n_files`: `at_once`, or fewer where they are dealt to `n_shards`.
pub(super) fn blocks(n_files: usize, at_once: usize, n_shards: Option<usize>) -> impl Iterator<Item = Range<usize>> {
    let dealt = n_shards.map_or(at_once, |n| n_files.div_ceil(BLOCKS_PER_SHARD.saturating_mul(n).max(1)));
    let at_once = at_once.min(dealt).max(1);
    (0..n_files).step_by(at_once).map(move |start| start..(start + at_once).min(n_files))
}

/// `open`, a part of one block of `found`, as chunks: no more than half of the memory each, for one is read while another
/// is fitted. A file that needs more than that is a chunk by itself, or voxel by voxel as many chunks as it takes.
pub(super) fn cut(found: &[Found], open: Span, options: &RunOptions) -> Vec<Chunk> {
    let files = open.files();
    let needs: Vec<Need> = found[files.clone()].par_iter().map(|f| Need::of(f, options)).collect();
    let most = for_chunks(options);
    let mut cut = Cut { half: most / 2, most, chunks: Vec::new(), begun: None };
    for (file, need) in files.zip(&needs) {
        let from = if file == open.from.file { open.from.voxel } else { 0 };
        let to = if file == open.to.file { Some(open.to.voxel) } else { None };
        cut.add(file, need, from, to);
    }
    cut.close();
    cut.chunks
}

/// Why a file cannot be done with the memory there is, whatever is left waiting; with the extents of its grid.
pub(super) fn refusal(found: &Found, options: &RunOptions) -> Option<(Failure, [usize; 3])> {
    let need = Need::of(found, options);
    let least = one_at_once(&need);
    if least <= for_chunks(options) {
        return None;
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let message = format!(
        "{}: about {} MiB of memory for what it holds, more than the limit of {} MiB leaves; run it with --memory {}MiB",
        found.source_path,
        mib(least),
        mib(options.memory_bytes),
        mib(memory_for(&need))
    );
    Some((Failure::new("too_large_for_memory", message), need.grid))
}

/// Chunks as they are being cut.
struct Cut {
    half: u64,
    most: u64,
    chunks: Vec<Chunk>,
    /// Whole files that are a chunk so far.
    begun: Option<Chunk>,
}

impl Cut {
    /// The voxels of a file from `from` to `to`, or to its last one.
    fn add(&mut self, file: usize, need: &Need, from: usize, to: Option<usize>) {
        let is_whole = from == 0 && to.is_none();
        let (reading, fitting) = (need.reading(need.voxels), need.fitting(need.voxels));
        if is_whole && reading.max(fitting) <= self.half && need.voxels <= VOXELS_AT_ONCE {
            let beside = |chunk: &Chunk| {
                chunk.reading.saturating_add(reading).max(chunk.fitting.saturating_add(fitting)) <= self.half
            };
            if !self.begun.as_ref().is_some_and(beside) {
                self.close();
            }
            let chunk = self.begun.get_or_insert(Chunk { span: Span::of_files(file..file), reading: 0, fitting: 0 });
            chunk.span.to = Position::at_file(file + 1);
            chunk.reading += reading;
            chunk.fitting += fitting;
            return;
        }
        self.close();
        let at_once = match (need.most_voxels(self.half), need.most_voxels(self.most)) {
            // Not one of them can be done: that is said once.
            (_, 0) => usize::MAX,
            (0, n) | (n, _) => n.min(VOXELS_AT_ONCE),
        };
        let end = to.unwrap_or(need.voxels).max(from + 1);
        for start in (from..end).step_by(at_once) {
            let stop = start.saturating_add(at_once).min(end);
            // The last voxels end where the next file begins.
            let is_last = stop == end && to.is_none();
            let to = if is_last { Position::at_file(file + 1) } else { Position { file, voxel: stop } };
            let span = Span { from: Position { file, voxel: start }, to };
            let (reading, fitting) = (need.reading(stop - start), need.fitting(stop - start));
            self.chunks.push(Chunk { span, reading, fitting });
        }
    }

    fn close(&mut self) {
        self.chunks.extend(self.begun.take());
    }
}

#[cfg(test)]
#[path = "cut_tests.rs"]
mod tests;
