//! `requant run`: the main job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shared::JobArgs;
use super::{CliError, CliResult};
use crate::learn::{self, LearnOptions, Learned, Scope};
use crate::run::{Progress, Summary, run as run_corpus};
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
  requant run bids/ --learn protocol --out results

A manifest is a .csv, .tsv or .parquet with a column `path` and any of water_path, basis, subject, session,
site, voi, sequence, te_s, tr_s, te1_s, tm_s, f0_mhz, dwell_s. Water references pair by BIDS, by vendors' habits
(_act/_ref, .RAW/.H2O, …) or by the manifest. Results: spectra/, metabolites/ (Parquet) and run.json.")]
pub(super) struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Learn from the corpus first: macromolecule pattern and linewidth of each protocol, or of each protocol and site,
    /// become the priors of its spectra (`requant learn` does this part alone)
    #[arg(long, value_enum, default_value = "none", conflicts_with = "learned")]
    learn: LearnChoice,
    /// Use what was learned before: a folder that `requant learn` or an earlier run wrote
    #[arg(long, value_name = "DIR")]
    learned: Option<PathBuf>,
    /// Replace what an earlier run wrote to the output folder
    #[arg(long)]
    overwrite: bool,
    /// Exit with 65 if any spectrum failed
    #[arg(long)]
    strict: bool,
    /// Write data, fit, baseline and components of every spectrum, too
    #[arg(long)]
    curves: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearnChoice {
    /// Nothing.
    None,
    /// From the spectra of one field, sequence and echo time.
    Protocol,
    /// From those of one protocol at one site.
    Site,
}

pub(super) fn run(args: RunArgs) -> CliResult {
    let mut options =
        args.job.options(args.out, if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse })?;
    options.curves = args.curves;
    options.learned = args.learned.as_deref().map(learn::read).transpose()?;
    let engine = args.job.engine.open()?;
    let scope = match args.learn {
        LearnChoice::None => None,
        LearnChoice::Protocol => Some(Scope::Protocol),
        LearnChoice::Site => Some(Scope::Site),
    };
    let result = args.job.pool()?.install(|| {
        if let Some(scope) = scope {
            let shown = Shown::new();
            let learned = learn::learn(&options, &LearnOptions::new(scope), engine.as_ref(), &shown);
            shown.bar.finish_and_clear();
            options.learned = Some(learned?);
        }
        let shown = Shown::new();
        let result = run_corpus(&options, engine.as_ref(), &shown);
        shown.bar.finish_and_clear();
        result
    });
    let summary = result.map_err(|e| CliError::new(e.exit_code(), e))?;
    if let Some(learned) = &options.learned {
        print_learned(learned);
    }
    print_summary(&summary);
    let failed = summary.counts.failed > 0;
    Ok(if args.strict && failed { EXIT_STRICT } else { 0 })
}

/// One line a group.
pub(super) fn print_learned(learned: &Learned) {
    if learned.groups.is_empty() {
        say!("nothing was learned: no protocol has {} spectra", learn::MIN_SPECTRA);
    }
    for group in &learned.groups {
        say!(
            "learned: {}{} · {} spectra · {} passes · areas vary by {:.0} %, places by {:.3} ppm",
            group.protocol,
            group.site.as_ref().map(|s| format!(" · {s}")).unwrap_or_default(),
            group.n_spectra,
            group.n_passes,
            100.0 * group.shared.peak_sd,
            group.shared.shift_sd_ppm
        );
    }
}

/// A bar on a terminal, plain lines otherwise.
pub(super) struct Shown {
    pub(super) bar: ProgressBar,
    started: Instant,
    total: AtomicUsize,
    done: AtomicUsize,
}

impl Shown {
    pub(super) fn new() -> Self {
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

    fn learning(&self, pass: usize, n_groups: usize) {
        let message = format!("learning, pass {pass} over {n_groups} protocols");
        if self.bar.is_hidden() {
            eprintln!("{message}");
        }
        self.bar.set_message(message);
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
