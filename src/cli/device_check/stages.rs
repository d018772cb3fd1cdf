//! Time by stage on the device, beside what each has to do.

use super::problem::Problem;
use crate::engine::gpu::counted::{Counted, counted, rounds};
use crate::engine::{CpuEngine, Engine, GpuEngine};

/// Spectra whose native iterations stand for all.
const COUNTED_ON: usize = 8;

/// Prints the table for a batch of `n`.
pub(super) fn print(engine: &GpuEngine, problem: &Problem, n: usize) -> anyhow::Result<()> {
    let model = problem.map()?;
    let profile = engine.profile(&problem.batch(n))?;
    let fits = CpuEngine.fit(&problem.batch(n.min(COUNTED_ON)));
    let evaluations = fits.iter().map(|f| f.result.n_iterations as f64).sum::<f64>() / fits.len().max(1) as f64 + 1.0;
    say!(
        "\nStages: {n} spectra, {} components, {} parameters, about {evaluations:.1} evaluations each, {} rounds\n",
        model.components.len(),
        model.layout.len(),
        profile.rounds
    );
    if profile.seconds.is_empty() {
        say!("This device has no timestamps: no times by stage.");
        return Ok(());
    }
    let total_s: f64 = profile.seconds.values().sum();
    say!(
        "| stage | µs a spectrum | share | counted MFLOP | GFLOP/s | counted MB | GB/s | MB of constants |\n|---|---|---|---|---|---|---|---|"
    );
    let mut all = Counted::default();
    for (stage, seconds) in &profile.seconds {
        let work = counted(*stage, model).times(rounds(*stage, evaluations));
        all = all + work;
        line(stage.name(), *seconds / n as f64, seconds / total_s, work);
    }
    line("all", total_s / n as f64, 1.0, all);
    Ok(())
}

fn line(name: &str, each_s: f64, share: f64, work: Counted) {
    say!(
        "| {name} | {:.2} | {:.0} % | {:.2} | {:.1} | {:.3} | {:.2} | {:.3} |",
        each_s * 1e6,
        100.0 * share,
        work.flop * 1e-6,
        work.flop / each_s.max(1e-12) * 1e-9,
        work.bytes * 1e-6,
        work.bytes / each_s.max(1e-12) * 1e-9,
        work.constant_bytes * 1e-6
    );
}
