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
    let mut finished = Vec::new();
    let mut rows: Vec<SpectrumRow> = Vec::new();
    let mut n_damaged = 0;
    for index in 0..plan.n_chunks {
        if journal.record(index).is_none() {
            continue;
        }
        match journal.spectra(index) {
            Ok(spectra) => {
                rows.extend(spectra);
                finished.extend(journal.finished_at(index));
            }
            Err(_) => n_damaged += 1,
        }
    }
    let at_work = journal.writers();
    let state = match (at_work, finished.len() == plan.n_chunks) {
        (0, true) => "done, not merged".to_owned(),
        (0, false) => "stopped (go on with --resume)".to_owned(),
        (n, _) => format!("at work ({n} process{})", if n == 1 { "" } else { "es" }),
    };
    say!("{state}: {} of {} chunks, {} files in all", finished.len(), plan.n_chunks, plan.n_files);
    if n_damaged > 0 {
        say!("{n_damaged} chunks are damaged and will be done again");
    }
    if at_work > 0
        && let Some(left_s) = left_s(&finished, plan.n_chunks)
    {
        say!("about {left_s:.0} s left");
    }
    print_tally(&tally(rows), None);
    Ok(0)
}

/// From the pace of the chunks so far (s).
fn left_s(finished: &[SystemTime], n_chunks: usize) -> Option<f64> {
    let (first, last) = (finished.iter().min()?, finished.iter().max()?);
    let spent_s = last.duration_since(*first).ok()?.as_secs_f64();
    let n = finished.len().checked_sub(1).filter(|&n| n > 0)?;
    Some((n_chunks - finished.len()) as f64 * spent_s / n as f64)
}

fn tally(rows: Vec<SpectrumRow>) -> Tally {
    let mut tally = Tally::default();
    rows.iter().for_each(|row| tally.add(row));
    tally
}
