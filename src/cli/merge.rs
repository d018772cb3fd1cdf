//! `requant merge`: the shards of a run to its tables.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::progress::{Fits, print_summary};
use super::report::remove_stale_pages;
use super::run::exit_code;
use crate::run::{RunError, merge, missing_shards};
use crate::store::IfExists;

/// Arguments of `requant merge`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant merge results                            all shards wrote to one folder
  requant merge node1 node2 node3 --out results    each shard wrote to its own
  requant merge results --shards 16                names the shards that are not done

The tables are byte for byte those of one run over everything.")]
pub(super) struct MergeArgs {
    /// The --out of the shards
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Folder to write the tables to [default: the only folder named]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many shards there are, to name those that are not done
    #[arg(long, value_name = "N", value_parser = super::numbers::at_least_one)]
    shards: Option<usize>,
    /// Replace the results of an earlier run in the output folder
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &MergeArgs) -> CliResult {
    let out = match (&args.out, args.folders.as_slice()) {
        (Some(out), _) => out,
        (None, [only]) => only,
        (None, _) => {
            return Err(CliError::new(2, anyhow::anyhow!("several folders: name the one to write to with --out")));
        }
    };
    let if_exists = if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse };
    let summary = merge(&args.folders, out, if_exists).map_err(|e| {
        if let (RunError::Missing { .. }, Some(n_shards)) = (&e, args.shards) {
            name_missing(args, n_shards);
        }
        CliError::new(e.exit_code(), e)
    })?;
    remove_stale_pages(out);
    print_summary(&summary, Fits::Old);
    Ok(exit_code(&summary, false))
}

/// Names the shards that are not done, in the form in which batch systems take a list of tasks.
fn name_missing(args: &MergeArgs, n_shards: usize) {
    // What is wrong with the folders is told by the merge itself.
    let missing = missing_shards(&args.folders, n_shards).unwrap_or_default();
    if !missing.is_empty() {
        let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
        tell!("REQUANT_MISSING_SHARDS {}: {} of {n_shards} are not done", numbers.join(","), missing.len());
    }
}
