//! `requant merge`: the shards of a run to its tables.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::progress::print_summary;
use super::report::remove_stale_page;
use super::run::exit_code;
use crate::run::merge;
use crate::store::IfExists;

/// Arguments of `requant merge`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant merge results                            all shards wrote to one folder
  requant merge node1 node2 node3 --out results    each shard wrote to its own

The tables are byte for byte those of one run over everything.")]
pub(super) struct MergeArgs {
    /// The --out of the shards
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Folder to write the tables to [default: the only folder named]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
    let summary = merge(&args.folders, out, if_exists).map_err(|e| CliError::new(e.exit_code(), e))?;
    remove_stale_page(out);
    print_summary(&summary);
    Ok(exit_code(&summary, false))
}
