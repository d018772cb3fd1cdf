//! Speed of one fit on the challenge's basis set (21 metabolites and measured macromolecules, with
//! LCModel's macromolecules and lipids beside them; 2048 points), on one core and on two.
//!
//! `cargo bench --bench fit`; needs the challenge in `../shared/data` (or REQUANT_TEST_DATA).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "bench")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use num_complex::Complex64;
use requant::basis::BasisSet;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::Model;
use requant::fit::map::{self, Settings};
use requant::formats;

fn challenge() -> (Model, Vec<Vec<Complex64>>) {
    let data = std::env::var_os("REQUANT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = data.join("challenge2016");
    let basis = BasisSet::read(&folder.join("basis/press3T_30ms.BASIS")).unwrap();
    let model =
        Model::from(map::Model::new(&basis, 2048, 2.5e-4, 123.2, Some(0.03), &Settings::map().unwrap()).unwrap());
    let fids = [1, 2, 4, 5, 7, 9, 11, 12, 14, 15, 16, 18, 19, 21]
        .iter()
        .map(|i| {
            let file = formats::read(&folder.join(format!("lcmodel/dataset{i}.RAW"))).unwrap();
            file.samples.iter().collect()
        })
        .collect();
    (model, fids)
}

fn fit(criterion: &mut Criterion) {
    let (model, fids) = challenge();
    let mut group = criterion.benchmark_group("challenge, 14 spectra");
    group.sample_size(10).throughput(Throughput::Elements(fids.len() as u64));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        group.bench_function(format!("{threads} threads"), |b| {
            b.iter(|| {
                let batch = Batch::of(&model, fids.iter().map(Vec::as_slice));
                black_box(pool.install(|| CpuEngine.fit(&batch)))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fit);
criterion_main!(benches);
