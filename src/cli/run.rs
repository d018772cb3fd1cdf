//! `requant run`: the main job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shared::{EngineArgs, GapArgs, configuration, method};
use super::{CliError, CliResult};
use crate::run::{Progress, RunOptions, Summary, run as run_corpus};
use crate::store::writer::IfExists;

/// Exit code where `--strict` was asked for and some spectra failed.
const EXIT_STRICT: u8 = 65;

/// Arguments of `requant run`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant run scans/ --basis press35.basis --out results
  requant run bids/ manifest.csv --basis press35.basis --method map --method mine.toml --out results
  requant run raw/ --basis set.basis --f0-mhz 123.2 --dwell-s 0.00025 --out results

A manifest is a .csv, .tsv or .parquet with a column `path` and any of water_path, basis, subject, session,
site, voi, sequence, te_s, tr_s, te1_s, tm_s, f0_mhz, dwell_s. Water references pair by BIDS, by vendors' habits
(_act/_ref, .RAW/.H2O, …) or by the manifest. Results: spectra/, metabolites/ (Parquet) and run.json.")]
pub(super) struct RunArgs {
    /// Files, folders (searched), BIDS datasets or manifests
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Basis set: LCModel .BASIS, or a folder of .RAW, FSL-MRS JSON or NIfTI-MRS files (default: simulated for the
    /// protocol in each file's header)
    #[arg(long, value_name = "PATH")]
    basis: Option<PathBuf>,
    /// Method by name or from a .toml file; several give each spectrum several rows
    #[arg(long, value_name = "NAME|FILE", default_value = "map")]
    method: Vec<String>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Worker threads (default: one per core)
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Configuration: values for gaps, constants of water scaling
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Replace what an earlier run wrote to the output folder
    #[arg(long)]
    overwrite: bool,
    /// Exit with 65 if any spectrum failed
    #[arg(long)]
    strict: bool,
    /// Write data, fit, baseline and components of every spectrum, too
    #[arg(long)]
    curves: bool,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(args: RunArgs) -> CliResult {
    let (gaps, water_scaling) = configuration(args.config.as_ref(), args.gaps.gaps())?;
    let methods = args.method.iter().map(|m| method(m)).collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<&str> = methods.iter().map(|m| m.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|w| w[0] == w[1]) {
        return Err(CliError::new(
            2,
            anyhow::anyhow!("two methods are called `{}`: rename one, rows are known by it", pair[0]),
        ));
    }
    let options = RunOptions {
        inputs: args.input,
        out: args.out,
        if_exists: if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse },
        basis: args.basis,
        methods,
        gaps,
        water_scaling,
        curves: args.curves,
    };
    let engine = args.engine.open()?;
    let threads = args.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let shown = Shown::new();
    let result = pool.install(|| run_corpus(&options, engine.as_ref(), &shown));
    shown.bar.finish_and_clear();
    let summary = result.map_err(|e| CliError::new(e.exit_code(), e))?;
    print_summary(&summary);
    let failed = summary.counts.failed > 0;
    Ok(if args.strict && failed { EXIT_STRICT } else { 0 })
}

/// A bar on a terminal, plain lines otherwise.
struct Shown {
    bar: ProgressBar,
    started: Instant,
    total: AtomicUsize,
    done: AtomicUsize,
}

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} files · {per_sec} · {eta} left · {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, started: Instant::now(), total: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }
}

impl Progress for Shown {
    fn found(&self, n_files: usize) {
        self.bar.set_length(n_files as u64);
        self.total.store(n_files, Ordering::Relaxed);
        if self.bar.is_hidden() {
            eprintln!("{n_files} files to process");
        }
    }

    fn advanced(&self, n_files: usize, n_failed: usize) {
        self.bar.inc(n_files as u64);
        if n_failed > 0 {
            self.bar.set_message(format!("{n_failed} rows failed"));
        }
        let done = self.done.fetch_add(n_files, Ordering::Relaxed) + n_files;
        if self.bar.is_hidden() {
            let total = self.total.load(Ordering::Relaxed);
            let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
            let left = (total.saturating_sub(done)) as f64 / rate.max(1e-9);
            eprintln!("{done}/{total} files · {rate:.1}/s · about {left:.0} s left");
        }
    }
}

fn print_summary(summary: &Summary) {
    let counts = &summary.counts;
    say!(
        "{} rows: {} ok, {} failed, {} skipped · {:.1} s · {:.1} fits/s",
        counts.spectra,
        counts.ok,
        counts.failed,
        counts.skipped,
        summary.wall_s,
        counts.ok as f64 / summary.wall_s.max(1e-9)
    );
    list("not fitted", &summary.reasons);
    list("flagged", &summary.flags);
    for warning in &summary.warnings {
        say!("note: {warning}");
    }
    for file in &summary.files {
        say!("{}", file.display());
    }
}

fn list(title: &str, counts: &BTreeMap<String, usize>) {
    if !counts.is_empty() {
        let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        say!("{title}: {}", parts.join(" · "));
    }
}
