//! `requant compare`: a run against the truth.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CliError, CliResult};
use crate::compare::{Column, Score, against_truth};

/// Arguments of `requant compare`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant compare results --truth demo/truth/truth.csv
  requant compare results --truth truth_mM.csv --column concentration")]
pub(super) struct CompareArgs {
    /// Output folder of `requant run`
    run: PathBuf,
    /// True values: a CSV with a column `id` (spectrum or subject) and one a metabolite
    #[arg(long, value_name = "FILE.csv")]
    truth: PathBuf,
    /// Which result is compared
    #[arg(long, value_enum, default_value = "concentration")]
    column: ColumnChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColumnChoice {
    /// Amplitude in the basis set's units
    Amplitude,
    /// Water-scaled concentration by LCModel's formula
    Concentration,
}

pub(super) fn run(args: &CompareArgs) -> CliResult {
    let column = match args.column {
        ColumnChoice::Amplitude => Column::Amplitude,
        ColumnChoice::Concentration => Column::Concentration,
    };
    let comparison = against_truth(&args.run, &args.truth, column).map_err(|e| CliError::new(1, e))?;
    say!("{:8} {:>6} {:>10} {:>8} {:>8} {:>7} {:>9}", "", "n", "mean truth", "bias %", "rmse %", "r", "error/sd");
    for Score { metabolite, n, mean_truth, bias, rmse, correlation, error_over_sd } in &comparison.scores {
        let r = correlation.map_or("–".to_owned(), |r| format!("{r:.3}"));
        say!(
            "{metabolite:8} {n:>6} {mean_truth:>10.3} {:>+8.1} {:>8.1} {r:>7} {error_over_sd:>9.2}",
            100.0 * bias / mean_truth,
            100.0 * rmse / mean_truth
        );
    }
    say!(
        "\n{} spectra · mean summed squared error {:.2} · error/sd over all metabolites {:.2}",
        comparison.n_spectra,
        comparison.summed_squared_error,
        comparison.error_over_sd
    );
    if comparison.n_without_truth > 0 {
        say!("{} spectra of the run are not in the truth", comparison.n_without_truth);
    }
    Ok(0)
}
