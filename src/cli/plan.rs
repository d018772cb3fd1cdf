//! `requant plan`: what a run would do, as a table, and what is missing, as a manifest to fill in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::json::print_json;
use super::outputs::{EXIT_OUTPUT, Reads, in_folder};
use super::progress::Shown;
use super::run::stop_on_signals;
use super::shared::JobArgs;
use crate::corpus::titles::TO_FILL_IN;
use crate::printable::printable_path;
use crate::regular_file;
use crate::run::RunOptions;
use crate::run::gaps::Cost;
use crate::run::lacking::{Lacking, lacking};
use crate::run::plan::{LEFT_OUT, Planned, plan};
use crate::run::planned_manifest::manifest;
use crate::store::{IfExists, PlannedRow, Table, rows_as_json, write_table};

/// Bytes of a file in which the titles of a manifest stand.
const TITLES_BYTES: u64 = 64 << 10;

/// Arguments of `requant plan`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant plan scans/ --out planned
  requant plan scans/ --manifest sites.csv
  requant plan bids/ manifest.csv --basis press35.basis --out planned

Reads and prepares every file, and fits none. Prints what is missing, by cause and protocol. The
table plan/ (Parquet) has for each spectrum the basis set and the steps, what is missing and what
that costs, or why it will fail; and a row for each file that is left out.

--manifest writes a line for each file. Its column to_fill_in names the columns that are needed;
what is in the columns known_… and problem is for you to read and is ignored by requant. Fill in,
and give the file as INPUT: requant run sites.csv --out results")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Folder to write the table to
    #[arg(long, value_name = "DIR", required_unless_present_any = ["manifest", "json"], help_heading = "Output")]
    out: Option<PathBuf>,
    /// Manifest to write (.csv or .tsv), with a line for each file and what is to be filled in
    #[arg(long, value_name = "FILE", value_parser = manifest_path, help_heading = "Output")]
    manifest: Option<PathBuf>,
    /// Print JSON: `rows`, each with the columns of the table plan/, `lacking` (what, protocol, files, advice) and `notes`
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Replace an earlier plan there, and an earlier manifest
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
}

/// A file name that a manifest may have.
fn manifest_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_text = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("tsv"));
    if is_text { Ok(path) } else { Err("a manifest is written as .csv or .tsv; spreadsheets open both".to_owned()) }
}

pub(super) fn run(args: &PlanArgs) -> CliResult {
    let if_exists = if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse };
    let options = args.job.options(args.out.clone().unwrap_or_default(), if_exists)?;
    if let Some(path) = &args.manifest {
        may_write(path, args)?;
    }
    stop_on_signals();
    let engine = args.job.how.engine.open()?;
    let shown = Shown::new();
    let planned = args.job.how.pool()?.install(|| plan(&options, engine.as_ref(), &shown));
    shown.finish();
    let planned = planned.map_err(|e| CliError::new(e.exit_code(), e))?;
    if args.json {
        print_json(&described(&planned))?;
    } else {
        print_plan(&planned, args.manifest.is_some());
    }
    if let Some(path) = &args.manifest {
        write_manifest(path, &planned, &options, args)?;
    }
    if let Some(out) = &args.out {
        in_folder(out, PlannedRow::NAME)?;
        for file in write_table(out, if_exists, planned.rows).map_err(|e| CliError::new(e.exit_code(), e))? {
            told(args, format_args!("{}", file.display()));
        }
    }
    Ok(0)
}

/// A line for people: beside JSON it goes to stderr.
fn told(args: &PlanArgs, line: std::fmt::Arguments<'_>) {
    if args.json {
        tell!("{line}");
    } else {
        say!("{line}");
    }
}

/// The plan for programs.
fn described(planned: &Planned) -> serde_json::Value {
    let notes: Vec<String> = planned.listing.warnings.iter().map(ToString::to_string).collect();
    let group = |group: &Lacking| {
        serde_json::json!({
            "what": group.gap.what,
            "advice": group.gap.advice,
            "costs": group.gap.cost.in_words(),
            "protocol": group.protocol,
            "files": group.n_files,
        })
    };
    let lacking: Vec<serde_json::Value> = lacking(planned).iter().map(group).collect();
    serde_json::json!({ "rows": rows_as_json(&planned.rows), "lacking": lacking, "notes": notes })
}

fn print_plan(planned: &Planned, has_manifest: bool) {
    let mut batches: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &planned.rows {
        if row.status.as_deref() == Some(LEFT_OUT) {
            *left_out.entry(row.error_message.as_deref().unwrap_or("unknown")).or_insert(0) += 1;
        } else if let Some(batch) = &row.batch {
            *batches.entry(batch).or_insert(0) += 1;
        }
    }
    for warning in &planned.listing.warnings {
        say!("note: {}", one_line(&warning.to_string()));
    }
    let n_rows = planned.rows.len() - left_out.values().sum::<usize>();
    say!("{n_rows} rows in {} batches:", batches.len());
    batches.iter().for_each(|(batch, n)| say!("{n:7}  {batch}"));
    let all = lacking(planned);
    for cost in [Cost::Fit, Cost::Difference, Cost::Concentrations, Cost::Saturation] {
        let of_cost: Vec<&Lacking> = all.iter().filter(|group| group.gap.cost == cost).collect();
        if !of_cost.is_empty() {
            say!("{}:", cost.in_words());
            of_cost.iter().for_each(|group| say!("{}", one_line(&in_words(group))));
        }
    }
    if !left_out.is_empty() {
        say!("left out:");
        left_out.iter().for_each(|(what, n)| say!("{n:7}  {what}"));
    }
    if !has_manifest && all.iter().any(|group| !group.gap.columns.is_empty()) {
        say!("--manifest sites.csv writes a manifest to fill in");
    }
}

/// `31 files · Philips · TE 35 ms · sequence not stated: give --sequence, …`.
fn in_words(group: &Lacking) -> String {
    let files = if group.n_files == 1 { "file" } else { "files" };
    let protocol = if group.protocol.is_empty() { String::new() } else { format!("{} · ", group.protocol) };
    let advice = match (&group.gap.advice, &group.example) {
        (advice, _) if !advice.is_empty() => {
            let separator = if group.gap.what.contains(": ") { "; " } else { ": " };
            format!("{separator}{advice}")
        }
        (_, Some(example)) if group.n_files == 1 => format!(": {example}"),
        (_, Some(example)) => format!(", such as {example}"),
        (_, None) => String::new(),
    };
    format!("{:7} {files} · {protocol}{}{advice}", group.n_files, group.gap.what)
}

/// Text on one line, also where a message has several.
fn one_line(text: &str) -> String {
    crate::printable::printable(text, usize::MAX)
}

fn reads<'a>(args: &'a PlanArgs) -> Reads<'a> {
    Reads::of(args.job.inputs().iter().filter(|input| !input.is_dir()).map(PathBuf::as_path))
}

/// Refuses a manifest's name before the work: a file that is there goes only if it is asked for, and is a manifest to fill in
/// that an earlier plan wrote.
fn may_write(path: &Path, args: &PlanArgs) -> Result<(), CliError> {
    reads(args).spare(path)?;
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let refused = |why: &str| Err(CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: {why}", printable_path(path))));
    let titles = regular_file::head(path, TITLES_BYTES).unwrap_or_default();
    let first_line = titles.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_manifest = String::from_utf8_lossy(first_line).contains(TO_FILL_IN);
    match (is_manifest, args.overwrite) {
        (true, true) => Ok(()),
        (true, false) => {
            refused("is there already, and may be filled in; give another name, or --overwrite to lose it")
        }
        (false, _) => refused("is there already, and is no manifest that `requant plan` wrote; give another name"),
    }
}

fn write_manifest(path: &Path, planned: &Planned, options: &RunOptions, args: &PlanArgs) -> Result<(), CliError> {
    let absolute = std::path::absolute(path)?;
    let folder = absolute.parent().unwrap_or(&absolute);
    let is_tsv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let written = manifest(planned, &options.gaps, folder, if is_tsv { b'\t' } else { b',' })?;
    reads(args).write(path, written.text)?;
    let (n, to_fill_in) = (written.n_lines, written.n_to_fill_in);
    told(args, format_args!("{}: {n} lines, {to_fill_in} with something to fill in", path.display()));
    if written.n_references > 0 {
        let n = written.n_references;
        told(
            args,
            format_args!("not in it: {n} water references without a spectrum (a manifest would make spectra of them)"),
        );
    }
    if written.n_same > 0 {
        told(args, format_args!("not in it: {} files that hold the scan of another one", written.n_same));
    }
    Ok(())
}
