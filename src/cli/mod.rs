//! The command line: one file a command, each parses, resolves, calls and prints.
#![allow(clippy::print_stderr, reason = "the command layer is the one that prints")]

/// Prints lines to stdout, without what a terminal obeys. A reader that has gone (`| head`) is no error worth a word.
macro_rules! say {
    () => { say!("") };
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), "{}", crate::printable::printable_text(&format!($($argument)*)));
    }};
}

/// Prints a line to stderr, the same way.
macro_rules! tell {
    ($($argument:tt)*) => {
        eprintln!("{}", crate::printable::printable_lines(&format!($($argument)*)))
    };
}

mod basis;
mod basis_cache;
mod basis_choose;
mod basis_recipe;
mod basis_simulate;
mod basis_target;
mod benchmark;
mod bids;
mod compare;
mod compare_methods;
mod completions;
mod convert;
mod describe;
#[cfg(feature = "gpu")]
mod device_check;
mod devices;
mod engine;
mod error;
#[cfg(test)]
mod examples_tests;
mod export;
mod fit;
mod fit_shown;
mod inputs;
mod inspect;
mod json;
mod learn;
mod lessons;
mod maps;
mod merge;
mod methods;
mod names;
mod notes;
mod numbers;
mod outputs;
mod overlap;
mod pace;
mod plan;
mod plot;
mod plot_fits;
mod progress;
mod quantify;
mod report;
mod run;
mod shard;
mod shared;
mod simulate;
mod status;
mod vary;
mod version;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error_chain::error_chain;
use crate::interrupt;

/// Re-quantify corpora of ¹H-MR spectra consistently: read, prepare, fit, write tables.
#[derive(Parser)]
#[command(name = "requant", version = version::SHORT, long_version = version::long(), about, long_about = None, max_term_width = 110, after_help = "\
Examples:
  requant simulate --out demo                             a small corpus with known truth
  requant run demo --out results                          basis sets are simulated
  requant compare results --truth demo/truth/truth.csv    how close the fit came
  requant inspect scan.SDAT                               what a file holds

Exit codes:
   0  done; spectra that failed are rows     66  no input found
   1  failed                                 73  output exists or cannot be created
   2  wrong usage                            75  stopped; go on with --resume
  65  all spectra failed; with --strict, some")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List what a run would do, without fitting: basis sets, steps, what is missing.
    Plan(plan::PlanArgs),
    /// Fit every spectrum of files, folders, BIDS datasets or manifests, and write the tables.
    Run(Box<run::RunArgs>),
    /// Learn the macromolecules and linewidth of each protocol, as priors for `run --learned`.
    Learn(Box<learn::LearnArgs>),
    /// Show how far a run is, or its summary.
    Status(status::StatusArgs),
    /// Concentrations again from the tables of a finished run: other constants, tissue or gates, no second fit.
    Quantify(quantify::QuantifyArgs),
    /// Draw a run's grids of voxels as images (NIfTI): concentrations, ratios, their errors, quality.
    Maps(maps::MapsArgs),
    /// Compare the voxels of many heads in a common space: density maps, and each voxel's share in its region's core.
    Overlap(overlap::OverlapArgs),
    /// Write what a study reports of a run: the checklist MRSinMRS and a paragraph for the methods.
    Describe(describe::DescribeArgs),
    /// Write the page of a finished run from its tables: sites, failures, quality, every fit.
    Report(report::ReportArgs),
    /// Put the shards of a run together.
    Merge(merge::MergeArgs),
    /// Run as a BIDS-App: participant level and group level.
    Bids(Box<bids::BidsArgs>),
    /// Fit one spectrum and show the result as a table and a picture.
    Fit(fit::FitArgs),
    /// Show what a file holds.
    Inspect(inspect::InspectArgs),
    /// Draw a spectrum's voxel on an image of the head.
    Plot(plot::PlotArgs),
    /// Write a file of any format as NIfTI-MRS.
    Convert(convert::ConvertArgs),
    /// List the GPUs of this machine, test each, and say which one `--engine auto` takes; `--check` times one.
    #[command(after_help = "\
Examples:
  requant devices
  requant devices --check > gpu.md    agreement and speed of the GPU, as a report
  requant run demo --engine gpu --gpu 1 --out results    take the second of the list")]
    Devices(devices::DevicesArgs),
    /// Show, convert or simulate basis sets.
    #[command(subcommand)]
    Basis(basis::BasisCommand),
    /// List the built-in methods, or print the settings of one.
    Methods(methods::MethodsArgs),
    /// Compare runs and methods with the truth and with one another: bias, agreement, variance.
    Compare(compare::CompareArgs),
    /// The tables as a study takes them: people joined, values gated, losses counted.
    Export(export::ExportArgs),
    /// Score methods on sets with known truth, beside other programs.
    Benchmark(benchmark::BenchmarkArgs),
    /// Simulate a multi-site corpus (BIDS) with known truth.
    Simulate(simulate::SimulateArgs),
    /// Print what a shell needs to complete commands and options.
    Completions(completions::CompletionsArgs),
    /// Write the man pages.
    Man(completions::ManArgs),
}

/// Runs the command and gives back its exit code; errors go to stderr in one line.
pub fn main(cli: Cli) -> u8 {
    let result = match cli.command {
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(*args),
        Command::Learn(args) => learn::run(*args),
        Command::Status(args) => status::run(&args),
        Command::Quantify(args) => quantify::run(&args),
        Command::Maps(args) => maps::run(&args),
        Command::Overlap(args) => overlap::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Bids(args) => bids::run(&args),
        Command::Fit(args) => fit::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Basis(command) => basis::run(&command),
        Command::Methods(args) => methods::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Benchmark(args) => benchmark::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Completions(args) => completions::completions(&args, Cli::command()),
        Command::Man(args) => completions::man(&args, Cli::command()),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            tell!("requant: {}", error_chain(failure.error.as_ref()));
            // Whatever failed then, it failed because it was asked to stop.
            if interrupt::asked() { run::EXIT_STOPPED } else { failure.code }
        }
    }
}
