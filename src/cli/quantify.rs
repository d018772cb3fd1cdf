//! `requant quantify`: concentrations again, from the tables of a finished run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::inputs::must_exist;
use super::progress::{Fits, print_summary};
use super::report::remove_stale_pages;
use super::shared::gates;
use crate::run::requantify::{Requantify, from_config, requantify};
use crate::run::{Config, RunError, TissueTable};
use crate::store::IfExists;

/// Arguments of `requant quantify`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant quantify results --tissue fractions.tsv --out corrected
  requant quantify results --config my-constants.toml --gates robust --out corrected

The table has a line a spectrum: spectrum_id (as in the table of spectra), f_gm, f_wm, f_csf, and perhaps
f_csf_sd and gm_ratio_sd. Without --tissue the rows keep the tissue that they have. Nothing is fitted
again; all tables are written to the new folder, and its run.json says which run they come from.")]
pub(super) struct QuantifyArgs {
    /// Output folder of a finished run
    results: PathBuf,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Tissue of the voxels (.tsv or .csv)
    #[arg(long, value_name = "FILE")]
    tissue: Option<PathBuf>,
    /// Configuration (.toml): water scaling with relaxation times, missing values [default: the run's own]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Gates: seed2020, robust, none or a .toml file [default: the run's own]
    #[arg(long, value_name = "NAME|FILE")]
    gates: Option<String>,
    /// Replace the results of an earlier run in the output folder
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &QuantifyArgs) -> CliResult {
    must_exist("", [&args.results])?;
    must_exist("--config", &args.config)?;
    must_exist("--tissue", &args.tissue)?;
    let usage = |error: anyhow::Error| CliError::new(2, error);
    let config = args.config.as_deref().map(Config::read).transpose().map_err(|e| usage(e.into()))?.unwrap_or_default();
    let (water_scaling, gaps) = from_config(&config).map_err(|fault| {
        usage(anyhow::anyhow!("{}: {fault}", args.config.as_deref().unwrap_or(Path::new("")).display()))
    })?;
    let table = |path: &PathBuf| Ok::<_, RunError>((path.clone(), TissueTable::read(path)?));
    let asked = Requantify {
        results: args.results.clone(),
        out: args.out.clone(),
        if_exists: if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse },
        water_scaling,
        gaps,
        tissue: args.tissue.as_ref().map(table).transpose()?,
        gates: args.gates.as_deref().map(gates).transpose()?,
    };
    let summary = requantify(&asked).map_err(|e| CliError::new(e.exit_code(), e))?;
    remove_stale_pages(&args.out);
    print_summary(&summary, Fits::Old);
    Ok(0)
}
