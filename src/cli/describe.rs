//! `requant describe`: what a study reports of a run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::inputs::{EXIT_NO_INPUT, must_exist};
use super::notes::told_once;
use super::outputs::Reads;
use crate::printable::printable_path;
use crate::report::describe::{Description, MARKDOWN_BEGIN, People, TSV_BEGIN, markdown, tsv};
use crate::store::{read_run, read_table};

/// Arguments of `requant describe`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant describe results                                     what MRSinMRS asks for, and a methods paragraph
  requant describe results --template > people.toml            what only people know: fill it in
  requant describe results --people people.toml --out mrs.md
  requant describe results --people people.toml --out mrs.tsv  the same as a table

The checklist is that of MRSinMRS (doi 10.1002/nbm.4484), one for each protocol: field, vendor, sequence, times.
Its entries come from the tables and run.json; nothing is fitted. What only people know stands in a TOML file,
a text a key, for all spectra or for some:

  model = \"Prisma, VE11C\"
  shimming = \"gradient-echo map; water below 12 Hz\"
  [[where]]
  site = \"B\"
  model = \"Skyra, VE11C\"

Of several texts for one spectrum the last goes. What is still to be filled in is said at the end.")]
pub(super) struct DescribeArgs {
    /// Output folder of a finished run
    results: PathBuf,
    /// What only people know (.toml)
    #[arg(long, value_name = "FILE.toml")]
    people: Option<PathBuf>,
    /// File to write, as Markdown or as a table [default: Markdown on the terminal]
    #[arg(long, value_name = "FILE.md|.tsv")]
    out: Option<PathBuf>,
    /// Print a file of what is still to be filled in, for --people
    #[arg(long, conflicts_with = "out")]
    template: bool,
}

/// How the output is written.
#[derive(Clone, Copy)]
enum Form {
    Markdown,
    Tsv,
}

pub(super) fn run(args: &DescribeArgs) -> CliResult {
    let form = args.out.as_deref().map_or(Ok(Form::Markdown), form)?;
    must_exist("--people", &args.people)?;
    let people = args.people.as_deref().map(People::read).transpose().map_err(|e| CliError::new(2, e))?;
    let record =
        read_run(&args.results).map_err(|e| CliError::new(if e.is_absent() { EXIT_NO_INPUT } else { 1 }, e))?;
    let (spectra, metabolites) = (read_table(&args.results)?, read_table(&args.results)?);
    let description = Description::new(&record, &spectra, &metabolites, &people.unwrap_or_default());
    if args.template {
        say!("{}", description.template().trim_end());
        return Ok(0);
    }
    let (text, begin) = match form {
        Form::Markdown => (markdown(&description), MARKDOWN_BEGIN),
        Form::Tsv => (tsv(&description), TSV_BEGIN),
    };
    let Some(out) = &args.out else {
        say!("{}", text.trim_end());
        return Ok(0);
    };
    Reads::of([args.results.as_path()]).and(args.people.as_ref()).write_own(out, &text, begin)?;
    let n = description.protocols.len();
    say!("{} protocol{} in {}", n, if n == 1 { "" } else { "s" }, printable_path(out));
    if description.n_missing() > 0 {
        say!("{} entries are to be filled in: requant describe … --template", description.n_missing());
    }
    for note in told_once(&description.notes) {
        tell!("note: {note}");
    }
    Ok(0)
}

fn form(out: &Path) -> Result<Form, CliError> {
    match out.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("md") => Ok(Form::Markdown),
        Some("tsv") => Ok(Form::Tsv),
        _ => Err(CliError::new(
            2,
            anyhow::anyhow!("--out {}: give a name that ends in .md or .tsv", printable_path(out)),
        )),
    }
}
