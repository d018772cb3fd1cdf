//! `requant devices --check`: whether a GPU is right, and how fast it is, as one report that a user can send.
//!
//! Each table is measured within a share of the time; sizes that would take longer are left out, and the report says so.

mod problem;
mod stages;

use std::time::Instant;

use problem::Problem;

use crate::engine::gpu::SelfTest;
use crate::engine::gpu::device::AdapterSummary;
use crate::engine::gpu::timeline::Work;
use crate::engine::{Batch, CpuEngine, Engine, GpuEngine};

/// Time that one size, or one line of a table, may take (s).
const MOST_S: f64 = 12.0;
/// After so long (s) no further line is begun: all is done within five minutes.
const ALL_S: f64 = 240.0;
/// Spectra that are simulated, at most; larger batches repeat them.
const DISTINCT: usize = 64;
/// Batches that are timed.
const BATCHES: [usize; 6] = [1, 10, 100, 1000, 10_000, 100_000];
/// Metabolites and samples of the problems that are timed. The last but one is the usual one.
const PROBLEMS: [(usize, usize); 6] = [(10, 1024), (16, 1024), (16, 4096), (16, 8192), (16, 2048), (31, 2048)];
/// Protocols that are fitted together, and how far apart their spectrometer frequencies lie (Hz).
const PROTOCOLS: usize = 40;
const APART_HZ: f64 = 15.0;
/// Methods like other programs', which ask the device for normal equations.
const METHODS: [&str; 5] = ["lcmodel", "lcmodel-fast", "fsl", "abfit", "abfit-reg"];

/// Checks and times one adapter. The exit code is 1 where it is not right.
pub(super) fn run(adapter: &AdapterSummary) -> anyhow::Result<u8> {
    let clock = Clock(Instant::now());
    say!("# requant devices --check\n");
    say!("requant {}", super::version::long().replace('\n', " · "));
    say!("{} threads", rayon::current_num_threads());
    say!("{} · {} · {} · {}\n", adapter.name, adapter.kind, adapter.backend, adapter.driver);
    if let Some(lacks) = &adapter.lacks {
        say!("cannot be used: {lacks}");
        return Ok(1);
    }
    let engine = GpuEngine::open_untested(adapter.index)?;
    if let Some(fault) = SelfTest::run(&engine)?.fault() {
        say!("self-test failed: {fault}");
        return Ok(1);
    }
    let first = Problem::new(16, 2048, 4)?;
    let per_s = rate(&engine, &first, 4)?;
    let distinct = fitting(per_s).clamp(4, DISTINCT);
    let usual = Problem::new(16, 2048, distinct)?;
    let agrees = agreement(&engine, &usual, distinct);
    let per_s = batches(&engine, &usual)?;
    let batch = fitting(per_s).clamp(1, 4096);
    stages::print(&engine, &usual, batch)?;
    problems(&engine, batch, distinct, &clock)?;
    if !clock.is_over() {
        protocols(&engine, &usual, (batch / PROTOCOLS).clamp(1, 100))?;
    }
    methods(&engine, &usual, &clock)?;
    if !clock.is_over() {
        overlap(&usual, adapter.index, (batch / 4).max(1))?;
    }
    let left_out = if clock.is_over() { "; what would have taken longer was left out" } else { "" };
    say!("\n{:.0} s in all{left_out}", clock.0.elapsed().as_secs_f64());
    Ok(u8::from(!agrees))
}

/// When the check began.
struct Clock(Instant);

impl Clock {
    /// Whether nothing new is begun.
    fn is_over(&self) -> bool {
        self.0.elapsed().as_secs_f64() > ALL_S
    }
}

/// How many spectra fit into the time of one line.
fn fitting(per_s: f64) -> usize {
    (per_s * MOST_S / 2.0) as usize
}

/// Spectra a second, after a first fit for what is made once.
fn rate(engine: &dyn Engine, problem: &Problem, n: usize) -> anyhow::Result<f64> {
    engine.fit(&problem.batch(n.min(4)));
    timed(engine, &problem.batch(n))
}

/// Spectra a second. A device that gives up leaves spectra to the processor: their time is not the device's.
fn timed(engine: &dyn Engine, batch: &Batch<'_>) -> anyhow::Result<f64> {
    let started = Instant::now();
    let fitted = engine.fit(batch);
    let seconds = started.elapsed().as_secs_f64();
    let elsewhere = fitted.iter().filter(|f| f.engine != engine.kind()).count();
    anyhow::ensure!(
        elsewhere == 0,
        "{elsewhere} of {} spectra were fitted by the processor, not by the device: nothing more is timed",
        fitted.len()
    );
    Ok(fitted.len() as f64 / seconds)
}

/// Both engines over the same spectra: whether they agree as the self-test asks (0.1 of the posterior standard deviation).
fn agreement(engine: &dyn Engine, problem: &Problem, n: usize) -> bool {
    let test = SelfTest::compare(&CpuEngine.fit(&problem.batch(n)), &engine.fit(&problem.batch(n)));
    say!(
        "Agreement with the native engine over {n} spectra: all amplitudes within {:.4} sd, {} other states, {} not done\n",
        test.worst_sd,
        test.n_other_states,
        test.n_not_done
    );
    test.fault().is_none()
}

/// End to end against the size of the batch; returns the best rate.
fn batches(engine: &GpuEngine, problem: &Problem) -> anyhow::Result<f64> {
    say!("| spectra in a batch | end to end (spectra/s) |\n|---|---|");
    let mut best = 0.0_f64;
    for n in BATCHES {
        if best > 0.0 && n as f64 / best > MOST_S {
            say!("| {n} | left out: more than {MOST_S:.0} s |");
            break;
        }
        let per_s = rate(engine, problem, n)?;
        say!("| {n} | {per_s:.1} |");
        best = best.max(per_s);
    }
    let native = rate(&CpuEngine, problem, 8 * rayon::current_num_threads())?;
    say!("\nThe native engine on this machine's processor: {native:.1} spectra/s\n");
    Ok(best)
}

fn problems(engine: &GpuEngine, batch: usize, distinct: usize, clock: &Clock) -> anyhow::Result<()> {
    say!("\nBatches of {batch}\n");
    say!(
        "| components | points | parameters | end to end (spectra/s) | device alone (spectra/s) |\n|---|---|---|---|---|"
    );
    for (n_metabolites, n_points) in PROBLEMS {
        if clock.is_over() {
            break;
        }
        let problem = Problem::new(n_metabolites, n_points, distinct)?;
        let per_s = rate(engine, &problem, batch)?;
        let profile = engine.profile(&problem.batch(batch))?;
        let device_s: f64 = profile.seconds.values().sum();
        let alone = if device_s > 0.0 { format!("{:.1}", batch as f64 / device_s) } else { "–".to_owned() };
        let map = problem.map()?;
        say!("| {} | {n_points} | {} | {per_s:.1} | {alone} |", map.components.len(), map.layout.len());
    }
    Ok(())
}

/// Protocols whose models differ, all in one batch.
fn protocols(engine: &GpuEngine, problem: &Problem, each: usize) -> anyhow::Result<()> {
    let models: Vec<_> =
        (0..PROTOCOLS).map(|i| problem.model_of("map", i as f64 * APART_HZ)).collect::<anyhow::Result<_>>()?;
    let batch = Batch { tasks: models.iter().flat_map(|model| problem.batch_of(model, each).tasks).collect() };
    let per_s = timed(engine, &batch)?;
    say!("\n{PROTOCOLS} protocols of {each} spectra together: {per_s:.1} spectra/s");
    Ok(())
}

/// Other programs' methods on the device and on the processor alone.
fn methods(engine: &GpuEngine, problem: &Problem, clock: &Clock) -> anyhow::Result<()> {
    say!("\n| method | spectra | device and processor (spectra/s) | processor alone |\n|---|---|---|---|");
    for name in METHODS {
        if clock.is_over() {
            break;
        }
        let model = problem.model_of(name, 0.0)?;
        let per_s = |engine: &dyn Engine, n: usize| timed(engine, &problem.batch_of(&model, n));
        let first = per_s(engine, 4)?;
        let n = (first * MOST_S / 4.0).clamp(4.0, 2048.0) as usize;
        say!("| {name} | {n} | {:.1} | {:.1} |", per_s(engine, n)?, per_s(&CpuEngine, n.min(256))?);
    }
    Ok(())
}

/// How long host and device worked side by side at four times as many spectra as there are slots.
fn overlap(problem: &Problem, index: usize, chunk: usize) -> anyhow::Result<()> {
    let engine = GpuEngine::open_untested(index)?.with_chunk(chunk);
    engine.fit(&problem.batch(1));
    let before = engine.timeline().len();
    engine.fit(&problem.batch(4 * chunk));
    let timeline = engine.timeline();
    let spans = timeline.get(before..).unwrap_or_default();
    let start = spans.iter().map(|s| s.from_s).fold(f64::INFINITY, f64::min);
    let total = spans.iter().map(|s| s.to_s).fold(0.0, f64::max) - start;
    say!("\n{} spectra through {chunk} slots in {:.0} ms\n", 4 * chunk, 1e3 * total);
    say!("| | times | ms in all | of the time |\n|---|---|---|---|");
    for (work, name) in [
        (Work::Prepare, "host prepares"),
        (Work::Device, "device: upload, rounds, readback"),
        (Work::Finish, "host finishes"),
    ] {
        let own = spans.iter().filter(|s| s.work == work);
        let (n, seconds) = own.fold((0, 0.0), |(n, sum), s| (n + 1, sum + s.to_s - s.from_s));
        say!("| {name} | {n} | {:.0} | {:.0} % |", 1e3 * seconds, 100.0 * seconds / total);
    }
    Ok(())
}
