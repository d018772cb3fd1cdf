//! A run's inputs cut into chunks: what is read, fitted and written together.
//!
//! Blocks of a fixed number of files are dealt to shards; chunks lie within a block, as memory allows. So shards that have
//! more or less memory deal alike.

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use crate::corpus::{Found, Water};
use crate::store::Span;

/// Memory that a run may take unless told otherwise (bytes).
pub const DEFAULT_MEMORY_BYTES: u64 = 4 << 30;

/// Taken whatever the chunks: program, basis sets, models of a few protocols (bytes).
const FIXED_BYTES: u64 = 128 << 20;
/// Held for each byte of a file: its bytes, unpacked samples in double precision, spectra on their way and their results.
const HELD_PER_FILE_BYTE: u64 = 8;
/// Held for each file and method however small: one fit's results with curves and covariance (bytes).
const HELD_PER_FIT: u64 = 256 << 10;

/// Blocks that each shard has to do, where there are enough files: some are slower than others.
const BLOCKS_PER_SHARD: usize = 4;

/// The files of each block of `n_files`: `at_once`, or fewer where they are dealt to `n_shards`.
pub(super) fn blocks(n_files: usize, at_once: usize, n_shards: Option<usize>) -> impl Iterator<Item = Range<usize>> {
    let dealt = n_shards.map_or(at_once, |n| n_files.div_ceil(BLOCKS_PER_SHARD.saturating_mul(n).max(1)));
    let at_once = at_once.min(dealt).max(1);
    (0..n_files).step_by(at_once).map(move |start| start..(start + at_once).min(n_files))
}

/// `open`, a part of one block of `found`, as chunks to be fitted by `n_methods`: no more than two neighbouring chunks'
/// share of the memory each (one is read while another is fitted). A file that needs more than that is a chunk by itself.
pub(super) fn cut(found: &[Found], open: Span, n_methods: usize, memory_bytes: u64) -> Vec<Span> {
    if open.voxels().is_some() {
        return vec![open];
    }
    let files = open.files();
    let held: Vec<u64> = found[files.clone()].par_iter().map(|f| held_bytes(f, n_methods)).collect();
    let most = memory_bytes.saturating_sub(FIXED_BYTES) / 2;
    let mut chunks = Vec::new();
    let (mut start, mut sum) = (files.start, 0_u64);
    for (i, &bytes) in files.clone().zip(&held) {
        if i > start && sum.saturating_add(bytes) > most {
            chunks.push(Span::of_files(start..i));
            (start, sum) = (i, 0);
        }
        sum = sum.saturating_add(bytes);
    }
    if start < files.end {
        chunks.push(Span::of_files(start..files.end));
    }
    chunks
}

fn held_bytes(found: &Found, n_methods: usize) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
    let water = match &found.water {
        Water::Paired(path) => length(path),
        Water::None | Water::Missing(_) | Water::Ambiguous(_) => 0,
    };
    let results = HELD_PER_FIT.saturating_mul(n_methods as u64);
    results.saturating_add(HELD_PER_FILE_BYTE.saturating_mul(length(&found.path).saturating_add(water)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn found(folder: &Path, sizes: &[usize]) -> Vec<Found> {
        for (i, size) in sizes.iter().enumerate() {
            std::fs::write(folder.join(format!("{i:03}.nii")), vec![0; *size]).unwrap();
        }
        crate::corpus::find(&[folder.to_owned()], &|_| crate::acquisition::FileKind::Spectrum).unwrap().found
    }

    #[test]
    fn every_file_is_in_one_block_in_order() {
        for at_once in [0, 1, 5, 23, 100] {
            let all: Vec<usize> = blocks(23, at_once, None).flatten().collect();
            assert_eq!(all, (0..23).collect::<Vec<_>>());
            assert!(blocks(23, at_once, None).all(|b| b.len() <= at_once.max(1)));
        }
        assert_eq!(blocks(0, 5, None).count(), 0);
        // Two shards have four blocks each.
        let dealt: Vec<Range<usize>> = blocks(60, 128, Some(2)).collect();
        assert_eq!((dealt.len(), &dealt[7]), (8, &(56..60)));
        assert_eq!(blocks(3, 128, Some(usize::MAX)).count(), 3);
    }

    #[test]
    fn memory_bounds_a_chunk_and_large_files_stand_alone() {
        let folder = tempfile::tempdir().unwrap();
        let found = found(folder.path(), &[1 << 20, 1 << 20, 64 << 20, 1 << 20, 1 << 20]);
        let cut = |files, n_methods, memory| cut(&found, Span::of_files(files), n_methods, memory);
        let spans = |ranges: &[Range<usize>]| ranges.iter().cloned().map(Span::of_files).collect::<Vec<_>>();
        // Two chunks of 32 MB each beside what is fixed.
        assert_eq!(cut(0..5, 1, FIXED_BYTES + (64 << 20)), spans(&[0..2, 2..3, 3..5]));
        assert_eq!(cut(0..5, 1, 0).len(), 5);
        assert_eq!(cut(0..5, 1, DEFAULT_MEMORY_BYTES), [Span::of_files(0..5)]);
        assert_eq!(cut(1..4, 1, 0), spans(&[1..2, 2..3, 3..4]));
        // Every method has results of its own: 100 of them take 25 MB a file.
        assert_eq!(cut(0..2, 1, FIXED_BYTES + (128 << 20)).len(), 1);
        assert_eq!(cut(0..2, 100, FIXED_BYTES + (64 << 20)), spans(&[0..1, 1..2]));
    }
}
