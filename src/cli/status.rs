//! `requant status`: how far a run is, or what it came to.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use super::error::{CliError, CliResult};
use super::json::{counts, print_json};
use super::progress::print_tally;
use crate::run::{RunError, Tally};
use crate::store::{Journal, SpectrumRow, Told, read_record, read_table};

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
    /// Print JSON: `state` (complete, at_work, stopped, not_merged), `files` and `of_files`, `processes`, `chunks`,
    /// `damaged_chunks`, `files_read`, `files_fitted`, `files_per_second`, `seconds_left`, and `rows`, `ok`, `failed`, `skipped`, `not_fitted` by code, `flags`
    #[arg(long)]
    json: bool,
}

/// How far a run is.
#[derive(Default, Serialize)]
struct State {
    state: &'static str,
    files: usize,
    of_files: usize,
    processes: usize,
    chunks: usize,
    damaged_chunks: usize,
    /// Of the processes at work; parts of files count as fitted.
    files_read: Option<usize>,
    files_fitted: Option<f64>,
    files_per_second: Option<f64>,
    seconds_left: Option<f64>,
    #[serde(flatten)]
    counts: serde_json::Value,
}

pub(super) fn run(args: &StatusArgs) -> CliResult {
    let journal = Journal::at(&args.folder);
    let Some(plan) = journal.plan() else { return complete(args) };
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
    let told = Told::all(&args.folder);
    let sum = |of: fn(&Told) -> f64| (!told.is_empty()).then(|| told.iter().map(of).sum::<f64>());
    // Each has its own part: all is done when the last one is.
    let last_s = told
        .iter()
        .filter_map(|told| told.left_s)
        .fold(None, |most: Option<f64>, s| Some(most.map_or(s, |m| m.max(s))));
    let (of_files, processes, tally) = (plan.inputs.len(), journal.writers(), tally(rows));
    let state = State {
        state: match (processes, n_files >= of_files) {
            (0, true) => "not_merged",
            (0, false) => "stopped",
            _ => "at_work",
        },
        files: n_files,
        of_files,
        processes,
        chunks: records.len(),
        damaged_chunks: n_damaged,
        files_read: (!told.is_empty()).then(|| told.iter().map(|told| told.read).sum()),
        files_fitted: sum(|told| told.fitted),
        files_per_second: sum(|told| told.per_s),
        seconds_left: last_s.or_else(|| (processes > 0).then(|| left_s(finished, of_files)).flatten()),
        counts: counts(&tally),
    };
    if args.json {
        print_json(&state)?;
    } else {
        state.print(&tally);
    }
    Ok(0)
}

/// A run that has ended.
fn complete(args: &StatusArgs) -> CliResult {
    let Ok(record) = read_record(&args.folder) else {
        return Err(CliError::new(66, RunError::NoJournal { path: args.folder.clone() }));
    };
    let (tally, files) = (tally(read_table(&args.folder)?), record.inputs.n_files);
    if args.json {
        let counts = counts(&tally);
        print_json(&State { state: "complete", files, of_files: files, counts, ..State::default() })?;
    } else {
        say!("complete: {files} files, engine {}, requant {}", record.engine, record.requant_version);
        print_tally(&tally, "");
    }
    Ok(0)
}

impl State {
    fn print(&self, tally: &Tally) {
        let n = self.processes;
        let state = match self.state {
            "not_merged" => "done, not merged".to_owned(),
            "stopped" => "stopped (go on with --resume)".to_owned(),
            _ => format!("at work ({n} process{})", if n == 1 { "" } else { "es" }),
        };
        say!("{state}: {} of {} files, in {} chunks", self.files, self.of_files, self.chunks);
        if let (Some(read), Some(fitted), Some(per_s)) = (self.files_read, self.files_fitted, self.files_per_second) {
            say!("read {read} · fitted {:.0} · {per_s:.1} files/s over the last minute", fitted.floor());
        }
        if self.damaged_chunks > 0 {
            say!("{} chunks are damaged and will be done again", self.damaged_chunks);
        }
        if let Some(left_s) = self.seconds_left {
            say!("about {left_s:.0} s left");
        }
        print_tally(tally, "");
    }
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
