//! `requant learn`: the learning pass by itself.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::lessons::{Lesson, Lessons, print_learned};
use super::numbers::at_least_one;
use super::outputs::{Reads, in_folder};
use super::run::stop_on_signals;
use super::shared::JobArgs;
use crate::fit::Method;
use crate::learn::LearnOptions;
use crate::learned::{self, Shared};
use crate::report::learned_plot;
use crate::run::Inputs;
use crate::store::{IfExists, LearnedRow, Table, write_table};

/// Arguments of `requant learn`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant learn bids/ --out learned
  requant run bids/ --learned learned --out results
  requant learn bids/ --by site --basis press35.basis --out learned --overwrite
  requant learn bids/ --by recipe,protocol --out learned

Learned by empirical Bayes: areas, chemical shifts and widths of the macromolecule peaks, their
variation between spectra, and the common Lorentzian width. Concentrations are never pooled, and
groups of subjects are not looked at. A protocol (field, sequence, echo time) needs 5 spectra.
`recipe` learns the pulses of simulated basis sets where no header, manifest or setting tells them, by
the rule of `requant basis choose`.
Writes learned/ (Parquet) and learned.svg.")]
pub(super) struct LearnArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Folder to write what was learned to
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: PathBuf,
    /// What to learn, and which spectra form a group
    #[arg(long, value_enum, value_delimiter = ',', default_value = "protocol", help_heading = "Learning")]
    by: Vec<Lesson>,
    /// Largest number of passes over the spectra
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one, help_heading = "Learning")]
    passes: usize,
    /// Largest number of spectra that a group learns from
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_one, help_heading = "Learning")]
    spectra: usize,
    /// Replace what was learned earlier in the output folder
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
}

pub(super) fn run(args: LearnArgs) -> CliResult {
    let if_exists = if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse };
    let mut options = args.job.options(args.out.clone(), if_exists)?;
    let lessons = Lessons::of(&args.by, &options)?;
    if lessons.is_empty() {
        return Err(CliError::new(2, anyhow::anyhow!("--by none learns nothing: give recipe, protocol or site")));
    }
    let other = options.methods.iter().find(|m| m.as_map().is_none());
    if let Some(other) = other.filter(|_| lessons.has_priors()) {
        let message = format!("`{}` learns nothing from a corpus: give a method of the family of `map`", other.name());
        return Err(CliError::new(2, anyhow::anyhow!(message)));
    }
    let how = |scope| LearnOptions { max_passes: args.passes, max_spectra: args.spectra, ..LearnOptions::new(scope) };
    stop_on_signals();
    let inputs = Inputs::find(&options).map_err(|e| CliError::new(e.exit_code(), e))?;
    let engine = args.job.how.engine.open()?;
    let pool = args.job.how.pool()?;
    let done = pool.install(|| lessons.learn(&mut options, &inputs, how, engine.as_ref()));
    done.map_err(|e| CliError::new(e.exit_code(), e))?;
    let learned = options.learned.take().unwrap_or_default();
    print_learned(&learned);
    in_folder(&args.out, LearnedRow::NAME)?;
    let failed = |e: crate::store::StoreError| CliError::new(e.exit_code(), e);
    let mut files = write_table(&args.out, if_exists, learned::rows(&learned)).map_err(failed)?;
    if let Some(settings) = options.methods.first().and_then(Method::as_map).filter(|_| !learned.groups.is_empty()) {
        let path = in_folder(&args.out, "learned.svg")?;
        Reads::default().write(&path, learned_plot(&learned, &Shared::from_settings(settings))?)?;
        files.push(path);
    }
    for file in files {
        say!("{}", file.display());
    }
    Ok(0)
}
