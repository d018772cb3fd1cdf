//! Time to cut one spectroscopy voxel (30 mm cubed, turned about two axes) with maps of 1 mm, which are in memory.
//!
//! `cargo bench --bench tissue`.
#![allow(clippy::unwrap_used, missing_docs, reason = "bench")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use requant::tissue::overlap::ImageBox;

const GRID: [usize; 3] = [176, 240, 256];

fn tissue(criterion: &mut Criterion) {
    let maps: Vec<[f32; 3]> = (0..GRID.iter().product()).map(|i| [0.6, 0.3, 0.1].map(|f| f + (i % 7) as f32)).collect();
    let image = [[1.0, 0.0, 0.0, -88.0], [0.0, 1.0, 0.0, -120.0], [0.0, 0.0, 1.0, -128.0], [0.0, 0.0, 0.0, 1.0]];
    let ((s1, c1), (s2, c2)) = (0.4_f64.sin_cos(), 0.25_f64.sin_cos());
    let turned = [[c2, 0.0, s2], [s1 * s2, c1, -s1 * c2], [-c1 * s2, s1, c1 * c2]];
    let mut voxel = [[0.0, 0.0, 0.0, 3.2], [0.0, 0.0, 0.0, 21.7], [0.0, 0.0, 0.0, -4.4], [0.0, 0.0, 0.0, 1.0]];
    for (row, turned) in voxel.iter_mut().zip(turned) {
        row[..3].copy_from_slice(&turned.map(|x| 30.0 * x));
    }
    criterion.bench_function("30 mm voxel, 1 mm maps", |bench| {
        bench.iter(|| {
            let mut sums = [0.0; 3];
            let voxel = ImageBox::new(black_box(&voxel), [0; 3], &image).unwrap();
            voxel.each_share(GRID, &mut |[i, j, k], share| {
                let here = maps[i + GRID[0] * (j + GRID[1] * k)];
                sums.iter_mut().zip(here).for_each(|(sum, f)| *sum += share * f64::from(f));
                true
            });
            black_box(sums)
        });
    });
}

criterion_group!(benches, tissue);
criterion_main!(benches);
