//! `requant plan`: what a run would do, as a table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::outputs::in_folder;
use super::progress::Shown;
use super::run::stop_on_signals;
use super::shared::JobArgs;
use crate::run::plan::{LEFT_OUT, plan};
use crate::store::{IfExists, PlannedRow, Table, write_table};

/// Arguments of `requant plan`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant plan scans/ --out planned
  requant plan bids/ manifest.csv --basis press35.basis --out planned

Reads and prepares every file, and fits none. The table plan/ (Parquet) has for each spectrum the
basis set and the steps, what is missing and what that costs, or why it will fail; and a row for each
file that is left out.")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Folder to write the table to
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: PathBuf,
    /// Replace an earlier plan there
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
}

pub(super) fn run(args: &PlanArgs) -> CliResult {
    let if_exists = if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse };
    let options = args.job.options(args.out.clone(), if_exists)?;
    stop_on_signals();
    let engine = args.job.how.engine.open()?;
    let shown = Shown::new();
    let rows = args.job.how.pool()?.install(|| plan(&options, engine.as_ref(), &shown));
    shown.finish();
    let rows = rows.map_err(|e| CliError::new(e.exit_code(), e))?;
    let mut batches: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let is_left_out = |row: &&PlannedRow| row.status.as_deref() == Some(LEFT_OUT);
    for row in rows.iter().filter(is_left_out) {
        *left_out.entry(row.error_message.as_deref().unwrap_or("unknown")).or_insert(0) += 1;
    }
    let n_left_out: usize = left_out.values().sum();
    for row in rows.iter().filter(|row| !is_left_out(row)) {
        match (&row.batch, &row.error_code) {
            (Some(batch), _) => *batches.entry(batch).or_insert(0) += 1,
            (None, code) => *reasons.entry(code.as_deref().unwrap_or("unknown")).or_insert(0) += 1,
        }
        row.missing.iter().for_each(|what| *missing.entry(what).or_insert(0) += 1);
    }
    say!("{} rows in {} batches:", rows.len() - n_left_out, batches.len());
    batches.iter().for_each(|(batch, n)| say!("{n:7}  {batch}"));
    for (title, counts) in [("will not be fitted", reasons), ("missing", missing), ("left out", left_out)] {
        if !counts.is_empty() {
            say!("{title}:");
            counts.iter().for_each(|(what, n)| say!("{n:7}  {what}"));
        }
    }
    in_folder(&args.out, PlannedRow::NAME)?;
    for file in write_table(&args.out, if_exists, rows).map_err(|e| CliError::new(e.exit_code(), e))? {
        say!("{}", file.display());
    }
    Ok(0)
}
