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
use crate::run::{Progress, Shard, Summary, interrupt, run as run_corpus};
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
  requant run bids/ --out results --resume            after a crash, a full disk, a killed job
  requant run bids/ --out results --shard 3/16        on 16 machines, then: requant merge results

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
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Go on with the unfinished run in the output folder: what is done and whose inputs have not changed stays
    #[arg(long)]
    resume: bool,
    /// Do part I of N only (I from 1), for `requant merge` (default: from SLURM_ARRAY_TASK_ID in a job array)
    #[arg(long, value_name = "I/N", conflicts_with = "learn")]
    shard: Option<String>,
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
    options.resume = args.resume;
    options.shard = args.shard.as_deref().map_or_else(shard_of_slurm, |text| shard(text).map(Some))?;
    if options.shard.is_some() && args.learn != LearnChoice::None {
        return Err(CliError::new(
            2,
            anyhow::anyhow!("a shard sees a part of the corpus: learn first, with `requant learn`, and give --learned"),
        ));
    }
    options.learned = args.learned.as_deref().map(learn::read).transpose()?;
    // The first signal stops the run between two chunks, the second one ends the process.
    let _ = ctrlc::set_handler(|| {
        if interrupt::stop() {
            std::process::exit(130);
        }
    });
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

/// `I/N`, I from 1.
fn shard(text: &str) -> Result<Shard, CliError> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)));
    match parsed {
        Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index: index - 1, count }),
        _ => Err(CliError::new(2, anyhow::anyhow!("--shard {text}: give I/N with 1 ≤ I ≤ N, such as 3/16"))),
    }
}

/// The shard of this task of a Slurm job array; `None` outside one.
fn shard_of_slurm() -> Result<Option<Shard>, CliError> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<usize>().ok());
    let (Some(id), Some(count)) = (number("SLURM_ARRAY_TASK_ID"), number("SLURM_ARRAY_TASK_COUNT")) else {
        return Ok(None);
    };
    let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
    match id.checked_sub(first).filter(|&index| index < count) {
        Some(index) => Ok(Some(Shard { index, count })),
        None => Err(CliError::new(
            2,
            anyhow::anyhow!(
                "task {id} of a job array from {first} with {count} tasks: number the tasks without gaps, or give --shard"
            ),
        )),
    }
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

pub(super) fn print_summary(summary: &Summary) {
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
    if let Some(Shard { index, count }) = summary.shard {
        say!("shard {} of {count} is done; `requant merge` makes the tables once all are", index + 1);
    }
}

fn list(title: &str, counts: &BTreeMap<String, usize>) {
    if !counts.is_empty() {
        let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        say!("{title}: {}", parts.join(" · "));
    }
}
