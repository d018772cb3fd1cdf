//! `requant simulate`: spectra with known truth.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::numbers::{at_least_one, threads};
use super::shared::MAX_TEXT_BYTES;
use crate::regular_file;
use crate::simulate::{Recipe, SimulateError, write};

/// Arguments of `requant simulate`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant simulate --out demo
  requant run demo --out results
  requant compare results --truth demo/truth/truth.csv
  requant simulate --print-recipe > mine.toml    change a line, then: --recipe mine.toml")]
pub(super) struct SimulateArgs {
    /// New folder: a BIDS dataset (NIfTI-MRS, water references, participants.tsv) with basis/ and truth/
    #[arg(long, value_name = "DIR", required_unless_present = "print_recipe")]
    out: Option<PathBuf>,
    /// Recipe: sites, groups, voxels, concentrations, nuisances [default: three sites, 24 subjects]
    #[arg(long, value_name = "FILE.toml", alias = "config")]
    recipe: Option<PathBuf>,
    /// Number of subjects, instead of the recipe's
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    subjects: Option<usize>,
    /// Seed, instead of the recipe's; equal seeds give equal files
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only nuisances that the method `map` models exactly
    #[arg(long)]
    within_model: bool,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// Print the built-in recipe and stop
    #[arg(long)]
    print_recipe: bool,
}

pub(super) fn run(args: &SimulateArgs) -> CliResult {
    if args.print_recipe {
        say!("{}", Recipe::FIRST_RUN.trim_end());
        return Ok(0);
    }
    let text = match &args.recipe {
        Some(path) => regular_file::text(path, MAX_TEXT_BYTES)
            .map_err(|e| CliError::new(66, anyhow::anyhow!("{}: cannot be read: {e}", path.display())))?,
        None => Recipe::FIRST_RUN.to_owned(),
    };
    let failed = |e: SimulateError| CliError::new(e.exit_code(), e);
    let mut recipe = Recipe::from_toml(&text).map_err(failed)?;
    recipe.subjects = args.subjects.unwrap_or(recipe.subjects);
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    if args.within_model {
        recipe.keep_to_the_model();
    }
    let out = args.out.clone().unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?;
    let written = pool.install(|| write(&out, &recipe)).map_err(failed)?;
    say!("{} spectra of {} subjects in {}", written.n_spectra, recipe.subjects, written.spectra.display());
    say!("basis sets   {} in {}", written.bases.len(), out.join("basis").display());
    say!("truth        {}", written.truth.display());
    Ok(0)
}
