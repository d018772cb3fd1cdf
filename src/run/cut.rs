//! A run's inputs cut into chunks: what is read, fitted and written together.

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;

use crate::corpus::{Found, Water};

/// Memory that a run may take unless told otherwise (bytes).
pub const DEFAULT_MEMORY_BYTES: u64 = 4 << 30;

/// Taken whatever the chunks: program, basis sets, models of a few protocols (bytes).
const FIXED_BYTES: u64 = 128 << 20;
/// Held for each byte of a file: its bytes, unpacked samples in double precision, spectra on their way and their results.
const HELD_PER_FILE_BYTE: u64 = 8;
/// Held for each file and method however small: one fit's results with curves and covariance (bytes).
const HELD_PER_FIT: u64 = 256 << 10;

/// Where each chunk begins and ends in `found`, to be fitted by `n_methods`: at most `at_once` files, and no more than two neighbouring chunks' share
/// of the memory (one is read while another is fitted). A file that needs more than that is a chunk by itself.
pub(super) fn cut(found: &[Found], at_once: usize, n_methods: usize, memory_bytes: u64) -> Vec<Range<usize>> {
    let held: Vec<u64> = found.par_iter().map(|f| held_bytes(f, n_methods)).collect();
    let most = memory_bytes.saturating_sub(FIXED_BYTES) / 2;
    let mut chunks = Vec::new();
    let (mut start, mut sum) = (0, 0_u64);
    for (i, &bytes) in held.iter().enumerate() {
        if i > start && (i - start >= at_once.max(1) || sum.saturating_add(bytes) > most) {
            chunks.push(start..i);
            (start, sum) = (i, 0);
        }
        sum = sum.saturating_add(bytes);
    }
    if start < found.len() {
        chunks.push(start..found.len());
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
        crate::corpus::find(&[folder.to_owned()], &|_| true).unwrap().found
    }

    #[test]
    fn every_file_is_in_one_chunk_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let found = found(folder.path(), &[10; 23]);
        for at_once in [0, 1, 5, 23, 100] {
            let chunks = cut(&found, at_once, 1, DEFAULT_MEMORY_BYTES);
            let all: Vec<usize> = chunks.iter().cloned().flatten().collect();
            assert_eq!(all, (0..23).collect::<Vec<_>>());
            assert!(chunks.iter().all(|c| c.len() <= at_once.max(1)));
        }
        assert!(cut(&[], 5, 1, DEFAULT_MEMORY_BYTES).is_empty());
    }

    #[test]
    fn memory_bounds_a_chunk_and_large_files_stand_alone() {
        let folder = tempfile::tempdir().unwrap();
        let found = found(folder.path(), &[1 << 20, 1 << 20, 64 << 20, 1 << 20, 1 << 20]);
        // Two chunks of 32 MB each beside what is fixed.
        let chunks = cut(&found, 100, 1, FIXED_BYTES + (64 << 20));
        assert_eq!(chunks, [0..2, 2..3, 3..5]);
        assert_eq!(cut(&found, 100, 1, 0).len(), 5);
        assert_eq!(cut(&found, 100, 1, DEFAULT_MEMORY_BYTES).len(), 1);
        // Every method has results of its own: 100 of them take 25 MB a file.
        let small = [found[0].clone(), found[1].clone(), found[3].clone()];
        assert_eq!(cut(&small, 100, 1, FIXED_BYTES + (128 << 20)).len(), 1);
        assert_eq!(cut(&small, 100, 100, FIXED_BYTES + (128 << 20)), [0..1, 1..2, 2..3]);
    }
}
