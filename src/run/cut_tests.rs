#![allow(clippy::unwrap_used, reason = "tests")]
use std::path::Path;

use ndarray::Array5;
use num_complex::Complex64;

use super::*;
use crate::acquisition::Acquisition;
use crate::fit::Method;
use crate::formats::nifti_mrs;

/// A file of these voxels, transients and coils, 1,024 points each.
fn write(folder: &Path, name: &str, voxels: usize, transients: usize, coils: usize) {
    let samples = Array5::from_elem((voxels, 1, transients, coils, 1024), Complex64::new(1.0, 0.5));
    let data = Acquisition::from_samples(nifti_mrs::NAME, samples);
    std::fs::write(folder.join(name), nifti_mrs::encode(&data)).unwrap();
}

fn listed(folder: &Path) -> Vec<Found> {
    crate::corpus::find(&[folder.to_owned()], &|_: &std::path::Path| crate::acquisition::FileKind::Spectrum)
        .unwrap()
        .found
}

fn options(beside: u64) -> RunOptions {
    let map = Method::built_in("map").unwrap().unwrap();
    let mut options = RunOptions::new(Vec::new(), vec![map], "out".into()).unwrap();
    // Beside what is for models and basis sets.
    options.memory_bytes = least_bytes(rayon::current_num_threads()) + (beside * 16).div_ceil(14);
    options
}

fn spans(chunks: &[Chunk]) -> Vec<Span> {
    chunks.iter().map(|chunk| chunk.span).collect()
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
fn memory_bounds_a_chunk_by_what_files_hold() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["0.nii", "1.nii", "3.nii", "4.nii"] {
        write(folder.path(), name, 1, 1, 1);
    }
    write(folder.path(), "2.nii", 1, 64, 8);
    let found = listed(folder.path());
    let small = Need::of(&found[0], &options(0));
    let both = |n: &Need| n.reading(1).max(n.fitting(1));
    let wide = options(1 << 30);
    assert_eq!(spans(&cut(&found, Span::of_files(0..5), &wide)), [Span::of_files(0..5)]);
    // Two small files together; the one of many transients alone, with nothing read beside it.
    let tight = options(4 * both(&small) + 4);
    assert!(both(&Need::of(&found[2], &tight)) > 2 * both(&small));
    let chunks = cut(&found, Span::of_files(0..5), &tight);
    assert_eq!(spans(&chunks), [0..2, 2..3, 3..5].map(Span::of_files));
    assert!(!chunks[0].fits_beside(&chunks[1], &tight));
    assert_eq!(spans(&cut(&found, Span::of_files(1..2), &tight)), [Span::of_files(1..2)]);
    // Every method has results of its own.
    let mut many = options(4 * both(&small) + 4);
    many.methods = vec![many.methods[0].clone(); 100];
    assert_eq!(cut(&found, Span::of_files(0..2), &many).len(), 2);
    // A packed file holds what it unpacks to.
    let plain = both(&Need::of(&found[2], &tight));
    let packed = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), packed);
    std::io::Write::write_all(&mut encoder, &std::fs::read(folder.path().join("2.nii")).unwrap()).unwrap();
    std::fs::write(folder.path().join("2.nii.gz"), encoder.finish().unwrap()).unwrap();
    std::fs::remove_file(folder.path().join("2.nii")).unwrap();
    let again = listed(folder.path());
    assert_eq!(both(&Need::of(&again[2], &tight)), plain);
}

#[test]
fn grids_are_cut_and_gaps_in_them_too() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "0.nii", 1, 1, 1);
    write(folder.path(), "1.nii", 50, 1, 1);
    write(folder.path(), "2.nii", 1, 1, 1);
    let found = listed(folder.path());
    let grid = Need::of(&found[1], &options(0));
    let tight = options(2 * grid.reading(20).max(grid.fitting(20)));
    let position = |file, voxel| Position { file, voxel };
    let parts = |from: usize, voxels: &[usize]| -> Vec<Span> {
        let mut at = from;
        voxels
            .iter()
            .map(|&n| {
                let span = Span { from: position(1, at), to: position(1, at + n) };
                at += n;
                if at == 50 { Span { to: position(2, 0), ..span } } else { span }
            })
            .collect()
    };
    let chunks = cut(&found, Span::of_files(0..3), &tight);
    let wanted = [vec![Span::of_files(0..1)], parts(0, &[20, 20, 10]), vec![Span::of_files(2..3)]].concat();
    assert_eq!(spans(&chunks), wanted);
    // What an unfinished run left open, from the midst of a grid to the next file's end, and within it.
    let open = Span { from: position(1, 13), to: position(3, 0) };
    let wanted = [parts(13, &[20, 17]), vec![Span::of_files(2..3)]].concat();
    assert_eq!(spans(&cut(&found, open, &tight)), wanted);
    let open = Span { from: position(1, 3), to: position(1, 30) };
    assert_eq!(spans(&cut(&found, open, &tight)), parts(3, &[20, 7]));
    assert_eq!(spans(&cut(&found, Span::of_files(0..3), &options(1 << 30))), [Span::of_files(0..3)]);
}

#[test]
fn what_cannot_fit_is_refused_with_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "0.nii", 1, 64, 8);
    let found = listed(folder.path());
    assert_eq!(refusal(&found[0], &options(64 << 20)), None);
    let (failure, grid) = refusal(&found[0], &options(1 << 20)).unwrap();
    assert_eq!(grid, [1, 1, 1]);
    assert_eq!(failure.code, "too_large_for_memory");
    let named = failure.message.rsplit("--memory ").next().unwrap().strip_suffix("MiB").unwrap();
    let mut enough = options(0);
    enough.memory_bytes = named.parse::<u64>().unwrap() << 20;
    assert_eq!(refusal(&found[0], &enough), None);
    // A grid is refused once, but for what an unfinished run left of it.
    write(folder.path(), "1.nii", 6, 64, 8);
    let found = listed(folder.path());
    let nothing = options(1 << 20);
    assert_eq!(spans(&cut(&found, Span::of_files(1..2), &nothing)), [Span::of_files(1..2)]);
    let left = Span { from: Position { file: 1, voxel: 2 }, to: Position::at_file(2) };
    assert_eq!(spans(&cut(&found, left, &nothing)), [left]);
}

#[test]
fn the_least_that_is_named_does_a_usual_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a_svs.nii", "b_mrsref.nii"] {
        let samples = Array5::from_elem((1, 1, 1, 1, 4096), Complex64::new(1.0, 0.5));
        let data = Acquisition::from_samples(nifti_mrs::NAME, samples);
        std::fs::write(folder.path().join(name), nifti_mrs::encode(&data)).unwrap();
    }
    let mut found = listed(folder.path()).swap_remove(0);
    found.water = crate::corpus::Water::Paired(folder.path().join("b_mrsref.nii"));
    for curves in [crate::run::CurvesKept::None, crate::run::CurvesKept::Full] {
        let mut tight = RunOptions { curves, ..options(0) };
        let Err(RunError::Memory { least_bytes, threads, .. }) = check_memory(&tight) else { unreachable!() };
        assert_eq!(threads, rayon::current_num_threads());
        tight.memory_bytes = least_bytes.div_ceil(1 << 20) << 20;
        assert!(check_memory(&tight).is_ok());
        assert_eq!(refusal(&found, &tight), None);
    }
}
