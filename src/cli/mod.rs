//! The command line: one file a command, each parses, resolves, calls and prints.
#![allow(clippy::print_stderr, reason = "the command layer is the one that prints")]

/// Prints a line to stdout. A reader that has gone (`| head`) is no error worth a word.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

mod basis;
mod basis_simulate;
mod basis_target;
mod benchmark;
mod bids;
mod compare;
mod compare_methods;
mod convert;
mod devices;
mod error;
mod fit;
mod inspect;
mod learn;
mod merge;
mod methods;
mod plan;
mod progress;
mod run;
mod shared;
mod simulate;
mod status;
mod vary;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error_chain::error_chain;

/// Consistent re-quantification of ¹H-MR spectroscopy corpora.
#[derive(Parser)]
#[command(name = "requant", version, about, long_about = None, max_term_width = 110, after_help = "\
Examples:
  requant simulate --out demo                      write a small corpus with known truth
  requant run demo --out results                   basis sets are simulated from the headers
  requant compare results --truth demo/truth/truth.csv
  requant fit scan.nii.gz --basis press35.basis --plot scan.svg
  requant inspect scan.SDAT

Exit codes: 0 done (failed spectra are rows) · 1 failed · 2 usage · 65 --strict and some spectra failed ·
66 no input found · 73 output exists or cannot be created · 75 stopped, go on with --resume")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what a run would do, without fitting: batches, steps, what is missing.
    Plan(plan::PlanArgs),
    /// Fit every spectrum found and write the tables.
    Run(Box<run::RunArgs>),
    /// Learn what the spectra of each protocol have in common, as priors for `run --learned`.
    Learn(Box<learn::LearnArgs>),
    /// How far a run is, or what it came to.
    Status(status::StatusArgs),
    /// Make the tables of a run from its shards.
    Merge(merge::MergeArgs),
    /// The BIDS-App form: participant and group level.
    Bids(Box<bids::BidsArgs>),
    /// Fit one spectrum and show it: table, and the fit as a picture.
    Fit(fit::FitArgs),
    /// Say what a file holds.
    Inspect(inspect::InspectArgs),
    /// Write a file of any format as NIfTI-MRS.
    Convert(convert::ConvertArgs),
    /// The GPUs of this machine: limits, self-test, and which one auto takes.
    Devices,
    /// Basis sets.
    #[command(subcommand)]
    Basis(basis::BasisCommand),
    /// The built-in methods and their resolved settings.
    Methods(methods::MethodsArgs),
    /// Runs and methods against the truth and one another: bias, agreement, whose variance.
    Compare(compare::CompareArgs),
    /// Methods over sets with known truth, beside other programs: one report.
    Benchmark(benchmark::BenchmarkArgs),
    /// Write a seeded multi-site corpus with known truth (BIDS), and its basis sets.
    Simulate(simulate::SimulateArgs),
}

/// Runs the command; errors go to stderr in one line.
pub fn main(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(*args),
        Command::Learn(args) => learn::run(*args),
        Command::Status(args) => status::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Bids(args) => bids::run(&args),
        Command::Fit(args) => fit::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Devices => devices::run(),
        Command::Basis(command) => basis::run(&command),
        Command::Methods(args) => methods::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Benchmark(args) => benchmark::run(&args),
        Command::Simulate(args) => simulate::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("requant: {}", error_chain(failure.error.as_ref()));
            ExitCode::from(failure.code)
        }
    }
}
