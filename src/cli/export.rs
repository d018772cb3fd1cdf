//! `requant export`: a run's tables as a study takes them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::error::{CliError, CliResult};
use super::inputs::must_exist;
use super::outputs::Reads;
use super::shared::gates;
use crate::export::{self, DEFAULT_MIN_N, FlowLine, MAJOR_METABOLITES, Options, Report, StudyOptions, UnequalShare};

/// Warnings of unequal shares that are shown; `shares.tsv` has all.
const SHOWN: usize = 8;

/// Arguments of `requant export`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant export results --participants participants.tsv --out study
  requant export results --participants people.csv --group diagnosis --join panss.tsv --out study
  requant export results --gates seed2020 --method map --format tsv,xlsx --out study
  requant export results --layout osprey --out for-enigma

Files: analysis (a row a measurement and method; Glu_tcr, Glu_molal, Glu_crlb, Glu_keep …), long (a row a metabolite),
summary (what a site can share), flow (where people and values went), shares, sites, demographics, unmatched; a .json
beside each says what its columns mean. Values are not gated: the columns …_keep say what the gates keep.

Tables are joined by participant_id, with session_id and voi where both sides have them, or by spectrum_id. Joined columns
can be asked for in gates, as x_NAME. In R: read.delim(\"analysis.tsv\", na.strings = \"n/a\").")]
pub(super) struct ExportArgs {
    /// Output folder of a finished run
    results: PathBuf,
    /// Folder to write the files to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// List of participants (.tsv, .csv or .parquet) with participant_id; who is not in it is counted
    #[arg(long, value_name = "FILE")]
    participants: Option<PathBuf>,
    /// Further tables to join: phenotype, sessions, visual checks; may be given several times
    #[arg(long, value_name = "FILE", num_args = 1..)]
    join: Vec<PathBuf>,
    /// Column with the group [default: group]
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Gates: seed2020, robust, none or a .toml file [default: the run's own, else robust]
    #[arg(long, value_name = "NAME|FILE")]
    gates: Option<String>,
    /// Method whose rows are taken [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Fewest people of whom summary and demographics show numbers
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MIN_N)]
    min_n: usize,
    /// Forms of the files
    #[arg(long, value_enum, value_delimiter = ',', default_value = "tsv")]
    format: Vec<FormatChoice>,
    /// How rows stand
    #[arg(long, value_enum, value_delimiter = ',', default_value = "wide,long")]
    layout: Vec<LayoutChoice>,
    /// Replace an earlier export in the output folder
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    /// Tabs, and n/a where a value is missing (BIDS)
    Tsv,
    /// Commas, and nothing where a value is missing
    Csv,
    /// A workbook a table
    Xlsx,
    /// Parquet
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutChoice {
    /// A column for each metabolite and quantity
    Wide,
    /// A row for each metabolite
    Long,
    /// A file for each quantity, as Osprey writes them
    Osprey,
}

pub(super) fn run(args: &ExportArgs) -> CliResult {
    must_exist("", [&args.results])?;
    must_exist("--participants", &args.participants)?;
    must_exist("--join", &args.join)?;
    let reads = args.participants.iter().chain(&args.join).map(PathBuf::as_path);
    Reads::of(reads.chain([args.results.as_path()])).spare_folder(&args.out)?;
    let report = export::export(&options(args)?).map_err(|e| CliError::new(e.exit_code(), e))?;
    print(&report, &args.out);
    Ok(0)
}

fn options(args: &ExportArgs) -> Result<Options, CliError> {
    let mut formats: Vec<export::Format> = Vec::new();
    for choice in &args.format {
        let format = match choice {
            FormatChoice::Tsv => export::Format::Tsv,
            FormatChoice::Csv => export::Format::Csv,
            FormatChoice::Xlsx => export::Format::Xlsx,
            FormatChoice::Parquet => export::Format::Parquet,
        };
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    let mut layouts: Vec<export::Layout> = Vec::new();
    for choice in &args.layout {
        let layout = match choice {
            LayoutChoice::Wide => export::Layout::Wide,
            LayoutChoice::Long => export::Layout::Long,
            LayoutChoice::Osprey => export::Layout::Osprey,
        };
        if !layouts.contains(&layout) {
            layouts.push(layout);
        }
    }
    Ok(Options {
        results: args.results.clone(),
        out: args.out.clone(),
        overwrite: args.overwrite,
        study: StudyOptions {
            participants: args.participants.clone(),
            join: args.join.clone(),
            group: args.group.clone(),
            gates: args.gates.as_deref().map(gates).transpose()?,
            method: args.method.clone(),
            min_n: args.min_n,
        },
        formats,
        layouts,
    })
}

fn print(report: &Report, out: &Path) {
    say!("{} rows, {} people, gates {}", report.n_rows, report.n_people, report.gates);
    if let Some(from) = &report.group_from {
        say!("group: {from}");
    }
    report.joined.iter().for_each(|joined| say!("joined {joined}"));
    let rows: Vec<String> = report.rows.iter().map(|(end, n)| format!("{end} {n}")).collect();
    say!("spectra: {}", rows.join(" · "));
    print_flow(&report.flow);
    report.sites.iter().for_each(|sites| tell!("note: {sites}"));
    report.unequal.iter().take(SHOWN).for_each(|share| tell!("warning: {}", in_words(share)));
    if report.unequal.len() > SHOWN {
        tell!("warning: {} more shares differ between groups: shares has them", report.unequal.len() - SHOWN);
    }
    report.notes.iter().for_each(|note| tell!("note: {note}"));
    say!("{} files in {}", report.files.len(), out.display());
}

fn in_words(share: &UnequalShare) -> String {
    let groups: Vec<String> = share.groups.iter().map(|(group, kept, n)| format!("{kept} of {n} {group}")).collect();
    let name = [share.metabolite.as_str(), share.quantity, share.of.as_str(), share.method.as_str()];
    let name: Vec<&str> = name.into_iter().filter(|part| !part.is_empty()).collect();
    format!(
        "{}: kept are {}, {:.0} points apart: what is left is not the groups that were measured",
        name.join(" "),
        groups.join(" and "),
        share.points
    )
}

fn print_flow(flow: &[FlowLine]) {
    let mut of_what = None;
    for line in flow.iter().filter(|line| MAJOR_METABOLITES.contains(&line.metabolite.as_str())) {
        let what = (&line.method, &line.voi, &line.subspec);
        if of_what != Some(what) {
            let parts = [Some(line.method.as_str()), line.voi.as_deref(), line.subspec.as_deref(), Some(line.quantity)];
            say!("{}", parts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
            of_what = Some(what);
        }
        let kept: usize = line.by_group.values().map(|(_, kept)| kept).sum();
        let lost: Vec<String> = line.lost.iter().map(|(end, n)| format!("{end} {n}")).collect();
        let groups = line
            .by_group
            .iter()
            .filter(|_| line.by_group.len() > 1)
            .map(|(group, (n, kept))| format!("{} {kept}/{n}", group.as_deref().unwrap_or("n/a")));
        let groups: Vec<String> = groups.collect();
        let groups = if groups.is_empty() { String::new() } else { format!(" ({})", groups.join(", ")) };
        let lost = if lost.is_empty() { String::new() } else { format!(" · lost: {}", lost.join(", ")) };
        say!("  {:6} {kept} of {}{groups}{lost}", line.metabolite, line.n);
    }
}
