//! `requant benchmark`: methods over sets with known truth, one report.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueEnum};

use super::engine::EngineArgs;
use super::error::{CliError, CliResult};
use super::numbers::{bytes, threads};
use super::progress::Shown;
use super::run::stop_on_signals;
use super::shared::methods;
use crate::benchmark::{BenchmarkError, BenchmarkOptions, Entry, SetResult, USUAL, Watch, benchmark, chosen};
use crate::learn::Scope;
use crate::quantify::WaterScaling;
use crate::run::Progress;
use crate::store::SpectrumRow;

/// Arguments of `requant benchmark`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant benchmark --out bench                                    simulated sets, no data needed
  requant benchmark --out bench --data data --peers reference      also the sets of a data folder
  requant benchmark --out bench --only wilson2025 --spectra 1000
  requant benchmark --list --data data                             the sets by name

Writes report.html (tables and plots, nothing loaded from elsewhere) and benchmark/ (Parquet: every
figure). Simulated spectra stay in sets/, runs in runs/.
A data folder has benchmark/NAME/ (BIDS, with truth.csv) and challenge2016/. A folder of peers has
benchmark/SET_PROGRAM.csv (id, metab, conc, crlb_pct) and challenge2016/PROGRAM.csv.")]
pub(super) struct BenchmarkArgs {
    /// Folder to write the report and the table to
    #[arg(long, value_name = "DIR", default_value = "requant-benchmark")]
    out: PathBuf,
    /// Folder with more sets of spectra; several may be given
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Folder with results of other programs for the same sets
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// Method: a name of `requant methods` or a .toml file; several are compared
    #[arg(long, value_name = "NAME|FILE", default_value = "map")]
    method: Vec<String>,
    /// Also run each method after learning from the set's own spectra
    #[arg(long, value_enum, default_value = "none")]
    learn: LearnChoice,
    /// Sets by name, separated by commas [default: all]
    #[arg(long, value_name = "SET,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Spectra for each condition of a simulated set [default: 100]; largest number for other sets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    spectra: Option<u32>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Engine")]
    threads: Option<usize>,
    /// Approximate limit of memory
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = bytes, help_heading = "Engine")]
    memory: u64,
    /// Replace an earlier benchmark in the output folder
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
    /// List the sets and stop
    #[arg(long, help_heading = "Output")]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearnChoice {
    /// No.
    None,
    /// From the spectra of one field, sequence and echo time.
    Protocol,
    /// From those of one protocol at one site.
    Site,
}

/// The progress of the run that is under way; each run has its own.
struct Watched(Mutex<Shown>);

impl Watched {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Watched {
    fn found(&self, n_files: usize) {
        self.shown().found(n_files);
    }
    fn advanced(&self, n_files: usize) {
        self.shown().advanced(n_files);
    }
    fn failed(&self, row: &SpectrumRow) {
        self.shown().failed(row);
    }
    fn begun(&self, n_files: usize, n_fits: usize) {
        self.shown().begun(n_files, n_fits);
    }
    fn learning(&self, pass: usize, n_groups: usize, n_spectra: usize) {
        self.shown().learning(pass, n_groups, n_spectra);
    }
    fn noted(&self, words: &str) {
        self.shown().noted(words);
    }
}

impl Watch for Watched {
    fn begins(&self, set: &str, method: &str) {
        let mut shown = self.shown();
        shown.finish();
        *shown = Shown::new();
        tell!("{set} · {method}");
    }
}

pub(super) fn run(args: &BenchmarkArgs) -> CliResult {
    let options = BenchmarkOptions {
        out: args.out.clone(),
        overwrite: args.overwrite,
        data: args.data.clone(),
        peers: args.peers.clone(),
        methods: methods(&args.method)?,
        learn: match args.learn {
            LearnChoice::None => None,
            LearnChoice::Protocol => Some(Scope::Protocol),
            LearnChoice::Site => Some(Scope::Site),
        },
        only: args.only.clone(),
        spectra: args.spectra.map(|n| n as usize),
        water_scaling: WaterScaling::lcmodel()?,
        memory_bytes: args.memory,
    };
    let failed = |e: BenchmarkError| CliError::new(e.exit_code(), e);
    if args.list {
        for set in chosen(&options).map_err(failed)? {
            say!("{:26} {}", set.name, set.about);
        }
        return Ok(0);
    }
    stop_on_signals();
    let engine = args.engine.open()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?;
    let watched = Watched(Mutex::new(Shown::new()));
    let done = pool.install(|| benchmark(&options, engine.as_ref(), &watched));
    watched.shown().finish();
    let done = done.map_err(failed)?;
    print_results(&done.sets);
    say!();
    for file in done.files {
        say!("{}", file.display());
    }
    Ok(0)
}

fn print_results(sets: &[SetResult]) {
    say!(
        "{:26} {:30} {:>7} {:>9} {:>8} {:>6} {:>8} {:>6} {:>8} {:>7}   rmse % (bias %)",
        "",
        "",
        "spectra",
        "error",
        "median",
        "scale",
        "error/sd",
        "in 95",
        "astray",
        "CPU ms"
    );
    for result in sets {
        for entry in result.whole() {
            print_entry(result, entry);
        }
    }
    say!(
        "\nerror: summed squared error over metabolites, mean over spectra, and median, after one common factor (scale); \
         astray: spectra whose tNAA or tCr is off by more than 30 % from the set's median ratio (those without a flag); the \
         others {}",
        "as they are, after the factor where units differ"
    );
}

fn print_entry(result: &SetResult, entry: &Entry) {
    let (s, e) = (&entry.scored, entry.errors(&result.set));
    let dash =
        |value: f64, digits: usize| if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() };
    let sums: Vec<String> = USUAL
        .iter()
        .filter_map(|sum| Some((sum, e.member(sum).filter(|m| m.n > 0)?)))
        .map(|(sum, m)| format!("{sum} {:.1} ({:+.1})", 100.0 * m.relative_rmse.value, 100.0 * m.relative_bias.value))
        .collect();
    say!(
        "{:26} {:30} {:>7} {:>9.2} {:>8.2} {:>6.3} {:>8} {:>6} {:>8} {:>7}   {}",
        result.set.name,
        entry.method,
        s.n,
        s.aligned.mean.value,
        s.aligned.median.value,
        s.scale,
        dash(e.error_over_sd_robust, 2),
        dash(e.coverage_of(0.95).map_or(f64::NAN, |f| 100.0 * f.value), 0),
        entry.robust.silent.map_or_else(|| entry.robust.bad.to_string(), |n| format!("{} ({n})", entry.robust.bad)),
        entry.time.and_then(|t| t.cpu_ms).map_or("–".to_owned(), |ms| format!("{ms:.1}")),
        sums.join("  ")
    );
}
