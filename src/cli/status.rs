//! `requant status`: how far a run is, or what it came to.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use super::error::{CliError, CliResult};
use super::progress::print_tally;
use crate::run::{RunError, Tally};
use crate::store::{Journal, SpectrumRow, read_run, read_table};

/// Arguments of `requant status`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant status results
  requant status results && requant merge results

Reads what a running, stopped, sharded or finished run has written. Changes nothing.")]
pub(super) struct StatusArgs {
    /// The --out of a run
    folder: PathBuf,
}

pub(super) fn run(args: &StatusArgs) -> CliResult {
    let journal = Journal::at(&args.folder);
    let Some(plan) = journal.plan() else {
        let Ok(record) = read_run(&args.folder) else {
            return Err(CliError::new(66, RunError::NoJournal { path: args.folder.clone() }));
        };
        let tally = tally(read_table(&args.folder)?);
        say!("complete: {} files, engine {}, requant {}", record.inputs.n_files, record.engine, record.requant_version);
        print_tally(&tally, None);
        return Ok(0);
    };
    let (mut finished, mut rows, mut n_files) = (Vec::new(), Vec::<SpectrumRow>::new(), 0);
    let (records, mut n_damaged) = journal.records(&plan.signature);
    for record in &records {
        match journal.spectra(record) {
            Ok(spectra) => {
                rows.extend(spectra);
                let files = record.span.to.file - record.span.from.file;
                n_files += files;
                finished.extend(journal.finished_at(record).map(|at| (at, files)));
            }
            Err(_) => n_damaged += 1,
        }
    }
    let of = plan.inputs.len();
    let at_work = journal.writers();
    let state = match (at_work, n_files >= of) {
        (0, true) => "done, not merged".to_owned(),
        (0, false) => "stopped (go on with --resume)".to_owned(),
        (n, _) => format!("at work ({n} process{})", if n == 1 { "" } else { "es" }),
    };
    say!("{state}: {n_files} of {of} files, in {} chunks", records.len());
    if n_damaged > 0 {
        say!("{n_damaged} chunks are damaged and will be done again");
    }
    if at_work > 0
        && let Some(left_s) = left_s(finished, of)
    {
        say!("about {left_s:.0} s left");
    }
    print_tally(&tally(rows), None);
    Ok(0)
}

/// From the pace since the first chunk (s); `finished` has when each was done, and how many files it had.
fn left_s(mut finished: Vec<(SystemTime, usize)>, n_files: usize) -> Option<f64> {
    finished.sort();
    let (first, last) = (finished.first()?.0, finished.last()?.0);
    let spent_s = last.duration_since(first).ok()?.as_secs_f64();
    let n_done: usize = finished.iter().map(|(_, n)| n).sum();
    let n_since = n_done.checked_sub(finished.first()?.1).filter(|&n| n > 0)?;
    Some(n_files.saturating_sub(n_done) as f64 * spent_s / n_since as f64)
}

fn tally(rows: Vec<SpectrumRow>) -> Tally {
    let mut tally = Tally::default();
    rows.iter().for_each(|row| tally.add(row));
    tally
}
