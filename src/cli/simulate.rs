//! `requant simulate`: spectra with known truth.

use std::path::PathBuf;

use clap::Args;

use super::{CliError, CliResult};
use crate::simulate::{SimulateOptions, write};

/// Arguments of `requant simulate`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  requant simulate --out demo
  requant run demo/spectra --basis demo/simulated.basis --out demo/results")]
pub(super) struct SimulateArgs {
    /// New folder for spectra (BIDS NIfTI-MRS with water references), basis set and truth.csv
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of subjects
    #[arg(long, value_name = "N", default_value_t = SimulateOptions::default().n_subjects)]
    subjects: usize,
    /// Seed: the same one gives the same files on every machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &SimulateArgs) -> CliResult {
    let options = SimulateOptions { n_subjects: args.subjects, seed: args.seed, ..SimulateOptions::default() };
    let written = write(&args.out, &options).map_err(|e| CliError::new(e.exit_code(), e))?;
    say!("{} subjects in {}", args.subjects, written.spectra.display());
    say!("basis set    {}", written.basis.display());
    say!("truth        {}", written.truth.display());
    Ok(0)
}
