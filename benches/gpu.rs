//! The GPU engine beside the native one: agreement, spectra per second against batch size, components and points, and
//! time by stage beside counted operations and bytes.
//!
//! `cargo bench --bench gpu` (the adapter that auto takes, or number REQUANT_GPU; a software rasteriser is timed on a
//! handful of spectra, to see that it works). Prints tables in Markdown for `benches/GPU.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs, reason = "bench")]

use std::time::Instant;

use num_complex::Complex64;
use requant::basis::BasisSet;
use requant::basis::simulate::Library;
use requant::engine::gpu::device;
use requant::engine::gpu::stage::Stage;
use requant::engine::gpu::timeline::Work;
use requant::engine::{Batch, CpuEngine, Engine, GpuEngine};
use requant::fit::map::columns::n_columns;
use requant::fit::map::{self, Settings};
use requant::fit::{Method, Model};
use requant::simulate::{Corpus, Recipe};

/// Spectra that are simulated; larger batches repeat them.
const DISTINCT: usize = 64;

struct Problem {
    model: Model,
    basis: BasisSet,
    n_points: usize,
    dwell_s: f64,
    fids: Vec<Vec<Complex64>>,
}

impl Problem {
    /// `n_metabolites` of the library, and the method's macromolecules and lipids; `n_points` at a spectral width that
    /// keeps the acquisition near half a second.
    fn new(n_metabolites: usize, n_points: usize, distinct: usize) -> Self {
        let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
        recipe.keep_to_the_model();
        recipe.site.truncate(1);
        recipe.site[0].n_points = n_points;
        recipe.site[0].bandwidth_hz = (n_points as f64 / 0.512).max(2000.0);
        let usual: Vec<String> = ["NAA", "Cr", "PCr", "GPC", "PCh", "Glu", "Gln", "Ins"].map(str::to_owned).to_vec();
        let library = Library::built_in().unwrap();
        let others = library.names().into_iter().map(str::to_owned).filter(|n| !usual.contains(n) && n != "H2O");
        let names: Vec<String> = usual.iter().cloned().chain(others).take(n_metabolites).collect();
        recipe.concentrations =
            names.iter().map(|n| (n.clone(), *recipe.concentrations.get(n).unwrap_or(&[0.5, 0.2]))).collect();
        recipe.group.truncate(1);
        recipe.group[0].effect.clear();
        recipe.subjects = distinct;
        let corpus = Corpus::new(&recipe).unwrap();
        let (site, basis) = (&corpus.sites[0], &corpus.bases[0]);
        let settings = Settings::map().unwrap();
        let dwell_s = 1.0 / site.bandwidth_hz;
        let model = Model::from(map::Model::new(basis, n_points, dwell_s, site.f0_mhz, Some(0.03), &settings).unwrap());
        let fids = (0..distinct).map(|i| corpus.spectra(i)[0].1.data.samples.iter().collect()).collect();
        Self { model, basis: BasisSet::clone(basis), n_points, dwell_s, fids }
    }

    /// The model, which is of `map`'s family.
    fn map(&self) -> &map::Model {
        let Model::Map(model) = &self.model else { unreachable!("built from map's settings") };
        model
    }

    fn batch(&self, n: usize) -> Batch<'_> {
        Batch { model: &self.model, fids: (0..n).map(|i| self.fids[i % self.fids.len()].as_slice()).collect() }
    }
}

fn main() {
    let adapters = device::list();
    let asked = std::env::var("REQUANT_GPU").ok().and_then(|n| n.parse().ok());
    let Some(index) = asked.or_else(|| device::automatic(&adapters)).or_else(|| device::software(&adapters)) else {
        println!("no adapter: nothing to measure");
        return;
    };
    let software = adapters[index].is_software;
    let engine = GpuEngine::open(Some(index)).unwrap();
    println!("device: {}\n", engine.device());
    let distinct = if software { 8 } else { DISTINCT };
    let usual = Problem::new(16, 2048, distinct);
    agreement(&engine, &usual, distinct);
    let sizes: &[usize] = if software { &[1, 8] } else { &[1, 10, 100, 1000, 10_000, 100_000] };
    println!("| spectra | end to end (spectra/s) |\n|---|---|");
    for &n in sizes {
        println!("| {n} | {:.0} |", rate(&engine, &usual, n));
    }
    let batch = if software { 4 } else { 4096 };
    println!("\n| components K | points N | end to end (spectra/s) | device alone (spectra/s) |\n|---|---|---|---|");
    let grid: &[(usize, usize)] = if software {
        &[(16, 1024)]
    } else {
        &[(10, 1024), (16, 1024), (16, 2048), (16, 4096), (16, 8192), (31, 2048)]
    };
    for &(k, n) in grid {
        let problem = Problem::new(k, n, distinct);
        let profile = engine.profile(&problem.batch(batch)).unwrap();
        let alone = batch as f64 / profile.seconds.values().sum::<f64>();
        let components = problem.map().components.len();
        println!("| {components} | {n} | {:.0} | {alone:.0} |", rate(&engine, &problem, batch));
    }
    methods(&engine, &usual, if software { 4 } else { 2048 });
    stages(&engine, &usual, batch);
    overlap(&usual, index, batch);
}

/// Other programs' methods on the device and on the processor alone (spectra/s).
fn methods(engine: &GpuEngine, problem: &Problem, n: usize) {
    println!(
        "\n{n} spectra by method (spectra/s)\n\n| method | device and processor | processor alone |\n|---|---|---|"
    );
    for name in ["lcmodel", "lcmodel-fast", "fsl", "abfit", "abfit-reg"] {
        let method = Method::built_in(name).unwrap().unwrap();
        let basis = &problem.basis;
        let model = method.model(basis, problem.n_points, problem.dwell_s, basis.f0_mhz, Some(0.03)).unwrap();
        let batch = Batch { model: &model, fids: problem.batch(n).fids };
        let per_second = |engine: &dyn Engine| {
            let start = Instant::now();
            let fitted = engine.fit(&batch);
            assert!(fitted.iter().all(|f| f.engine == engine.kind()), "{name}: done elsewhere");
            n as f64 / start.elapsed().as_secs_f64()
        };
        println!("| {name} | {:.1} | {:.1} |", per_second(engine), per_second(&CpuEngine));
    }
}

/// When host and device worked on which of four chunks.
fn overlap(problem: &Problem, index: usize, chunk: usize) {
    let engine = GpuEngine::open(Some(index)).unwrap().with_chunk(chunk);
    engine.fit(&problem.batch(1));
    let before = engine.timeline().len();
    engine.fit(&problem.batch(4 * chunk));
    let spans = &engine.timeline()[before..];
    let start = spans.iter().map(|s| s.from_s).fold(f64::INFINITY, f64::min);
    println!(
        "\nTimeline of four chunks of {chunk} (ms)\n\n| chunk | host prepares | device: upload, fit, readback | host finishes |\n|---|---|---|---|"
    );
    for c in 0..4 {
        let of = |work: Work| {
            let span = spans.iter().find(|s| s.chunk == c && s.work == work).unwrap();
            format!("{:.0} – {:.0}", 1e3 * (span.from_s - start), 1e3 * (span.to_s - start))
        };
        println!("| {c} | {} | {} | {} |", of(Work::Prepare), of(Work::Device), of(Work::Finish));
    }
    let total = spans.iter().map(|s| s.to_s).fold(0.0, f64::max) - start;
    let device: f64 = spans.iter().filter(|s| s.work == Work::Device).map(|s| s.to_s - s.from_s).sum();
    println!("\nThe device works for {:.0} % of the time.", 100.0 * device / total);
}

fn rate(engine: &dyn Engine, problem: &Problem, n: usize) -> f64 {
    engine.fit(&problem.batch(n.min(4)));
    let started = Instant::now();
    assert_eq!(engine.fit(&problem.batch(n)).len(), n);
    n as f64 / started.elapsed().as_secs_f64()
}

fn agreement(engine: &dyn Engine, problem: &Problem, n: usize) {
    let (native, other) = (CpuEngine.fit(&problem.batch(n)), engine.fit(&problem.batch(n)));
    let mut worst: f64 = 0.0;
    let mut states = 0;
    for (a, b) in native.iter().zip(&other) {
        states += usize::from(a.result.state != b.result.state);
        for (x, y) in a.result.amplitudes.iter().zip(&b.result.amplitudes) {
            worst = worst.max(((x.value - y.value) / x.sd_posterior.min(x.sd_noise)).abs());
        }
    }
    println!("agreement over {n} spectra: all amplitudes within {worst:.4} CRLB, {states} other states\n");
}

/// Operations and bytes of global memory that one spectrum's stage needs in one round, counted from the shaders' loops.
fn counted(stage: Stage, model: &map::Model) -> (f64, f64) {
    let (k, n, w) = (model.components.len() as f64, model.band.n_short() as f64, model.band.n_window() as f64);
    let (m, nb, c) = (model.layout.len() as f64, model.layout.n_splines as f64, n_columns(model) as f64);
    let fft = 5.0 * n * n.log2();
    // Sine, cosine and exponential with their polynomials.
    let modulation = 40.0 * k * n;
    let factor = m * m * m / 3.0;
    let square = 4.0 * m * m;
    match stage {
        Stage::Components => (modulation + 2.0 * k * fft, 12.0 * k * w),
        Stage::Common => (modulation + 2.0 * fft, 4.0 * 6.0 * w),
        Stage::Gram => (c * c * w, 4.0 * c * w * (c / 32.0).ceil()),
        Stage::Project => (8.0 * c * w + 2.0 * nb * nb * c, 16.0 * c * w + 4.0 * nb * nb * c),
        // Factor, its inverse, four small factors with their inverses.
        Stage::Weights => (2.0 * factor + 4.0 * nb * nb * nb, 12.0 * square),
        Stage::Step => (1.5 * factor + 6.0 * m * m, 10.0 * square),
        Stage::Trial => (modulation + fft, 16.0 * w),
        Stage::Decide => (20.0 * m, 12.0 * m),
        _ => (10.0, 200.0),
    }
}

fn stages(engine: &GpuEngine, problem: &Problem, n: usize) {
    let profile = engine.profile(&problem.batch(n)).unwrap();
    let fits = CpuEngine.fit(&problem.batch(n.min(8)));
    let iterations = fits.iter().map(|f| f.result.n_iterations as f64).sum::<f64>() / fits.len() as f64 + 1.0;
    let total: f64 = profile.seconds.values().sum();
    println!(
        "\nStages: {n} spectra, K {}, {} parameters, about {iterations:.1} evaluations each, {} rounds\n",
        problem.map().components.len(),
        problem.map().layout.len(),
        profile.rounds
    );
    println!(
        "| stage | µs a spectrum | share | MFLOP a spectrum | GFLOP/s | MB a spectrum | GB/s |\n|---|---|---|---|---|---|---|"
    );
    for (stage, seconds) in &profile.seconds {
        let (flop, bytes) = counted(*stage, problem.map());
        let (each, flop, bytes) = (seconds / n as f64, flop * iterations, bytes * iterations);
        println!(
            "| {} | {:.2} | {:.0} % | {:.2} | {:.1} | {:.3} | {:.2} |",
            stage.name(),
            each * 1e6,
            100.0 * seconds / total.max(1e-12),
            flop * 1e-6,
            flop / each.max(1e-12) * 1e-9,
            bytes * 1e-6,
            bytes / each.max(1e-12) * 1e-9
        );
    }
}
