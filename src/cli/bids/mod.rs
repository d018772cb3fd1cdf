//! `requant bids`: the BIDS-App form, for containers and batch systems that know it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

mod derivatives;
mod description;
mod group;
mod pages;
mod participants;
mod stale;
mod text_table;

use self::pages::subject;
use self::participants::{EXIT_ABSENT, SHOWN, folder_of, name_absent, not_in};
use crate::cli::error::{CliError, CliResult};
use crate::cli::inputs::must_exist;
use crate::cli::outputs::Reads;
use crate::cli::progress::{Fits, Shown, print_left_out, print_summary};
use crate::cli::run::{stop_on_signals, unless_stopped};
use crate::cli::shared::{CurveArgs, HowArgs};
use crate::corpus::EntityFilter;
use crate::engine::Engine;
use crate::learned;
use crate::output_path::OutputPathError;
use crate::printable::printable_path;
use crate::run::{CurvesKept, Inputs, RunError, RunOptions, run_found};
use crate::store::IfExists;

/// Arguments of `requant bids`.
#[derive(Args, Debug)]
#[command(version = crate::cli::version::SHORT, long_version = crate::cli::version::long(), after_help = "\
Examples:
  requant bids /data /out participant --participant-label 01 02
  requant bids /data /out group

  requant bids /data /out participant --bids-filter-file filter.json --nprocs 4 --mem-mb 8000

participant: one dataset for each participant, in OUTPUT_DIR/sub-XX, with tables as text and sidecars in
mrs/, pictures of the fits in figures/, and the page OUTPUT_DIR/sub-XX.html. An unfinished one is
continued; a finished one stays unless --overwrite is given.
group: all participants as one dataset in OUTPUT_DIR/group, as text in group_*.tsv, and the page group.html. Left
out and named: whose files are no longer in BIDS_DIR (withdrawn, renamed), and whose run was not finished.
A participant or session that is named and not there: the others are done, it is named, exit code 66.
On one machine `requant run` is faster: it simulates each basis set once.")]
pub(super) struct BidsArgs {
    /// BIDS dataset
    bids_dir: PathBuf,
    /// Folder for the results
    output_dir: PathBuf,
    /// Level of the analysis
    #[arg(value_enum)]
    level: Level,
    /// Participants, with or without `sub-` [default: all]
    #[arg(long, alias = "participant_label", value_name = "LABEL", num_args = 1..)]
    participant_label: Vec<String>,
    /// Sessions, with or without `ses-` [default: all]
    #[arg(long, visible_alias = "session-id", aliases = ["session_label", "session_id"], value_name = "LABEL", num_args = 1..)]
    session_label: Vec<String>,
    /// Which spectra, by entities of their names: {"svs": {"acquisition": "press", "run": 1}}; labels, lists of them, null
    /// (no such entity) or "*" (any). Queries for other kinds of data say nothing
    #[arg(long, alias = "bids_filter_file", value_name = "FILE.json")]
    bids_filter_file: Option<PathBuf>,
    /// Limit of memory in megabytes; as --memory
    #[arg(long, alias = "mem_mb", value_name = "MB", conflicts_with = "memory", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    mem_mb: Option<u64>,
    /// Use what `requant learn` wrote
    #[arg(long, value_name = "DIR")]
    learned: Option<PathBuf>,
    /// Fit finished participants again
    #[arg(long)]
    overwrite: bool,
    /// No pictures of the fits in figures/
    #[arg(long)]
    no_figures: bool,
    #[command(flatten)]
    curves: CurveArgs,
    /// Also write shift, phase and amplitude of every transient, and whether it was kept
    #[arg(long)]
    transients: bool,
    #[command(flatten)]
    how: HowArgs,
    /// Accepted, as BIDS-Apps are called with it: nothing is validated beyond what is read
    #[arg(long, hide = true)]
    skip_bids_validation: bool,
    /// Accepted, as BIDS-Apps are called with it: work in progress lies in the output folder
    #[arg(short, long, hide = true, value_name = "DIR")]
    work_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Fit each participant.
    Participant,
    /// Put the tables of all participants together.
    Group,
}

pub(super) fn run(args: &BidsArgs) -> CliResult {
    let wanted = labels(&args.participant_label, "sub-");
    // Its description would become that of the results.
    Reads::of([args.bids_dir.as_path()]).spare_folder(&args.output_dir)?;
    if args.level == Level::Group {
        return group::run(&args.bids_dir, &args.output_dir, &wanted);
    }
    let options = options(args, wanted)?;
    stop_on_signals();
    let there = participants(&options).map_err(|e| CliError::new(e.exit_code(), e))?;
    name_unlabelled(&there.unlabelled, there.participants.is_empty())?;
    let engine = args.how.engine.open()?;
    let (folders, refused): (Vec<_>, Vec<_>) = there
        .participants
        .iter()
        .map(|label| Ok((label.as_str(), folder_of(&args.output_dir, label)?)))
        .partition(Result::is_ok);
    args.how.pool()?.install(|| {
        let mut folders = folders.into_iter().flatten();
        folders.try_for_each(|(label, out)| participant(label, out, &options, args, engine.as_ref()))
    })?;
    description::write(&args.bids_dir, &args.output_dir)?;
    // The others are done.
    for error in refused.iter().filter_map(|r: &Result<_, OutputPathError>| r.as_ref().err()) {
        tell!("error: a participant was left out: {error}");
    }
    let absent = name_absent("participants without a spectrum", &not_in(&options.participants, &there.participants))
        | name_absent("sessions without a spectrum", &not_in(&options.sessions, &there.sessions));
    Ok(if absent { EXIT_ABSENT } else { u8::from(!refused.is_empty()) })
}

fn options(args: &BidsArgs, participants: Vec<String>) -> Result<RunOptions, CliError> {
    let mut options = args.how.options(vec![args.bids_dir.clone()], args.output_dir.clone(), IfExists::Refuse)?;
    options.sessions = labels(&args.session_label, "ses-");
    options.participants = participants;
    options.curves = args.curves.kept();
    options.transients = args.transients;
    must_exist("--learned", &args.learned)?;
    options.learned = args.learned.as_deref().map(learned::read).transpose()?;
    if let Some(megabytes) = args.mem_mb {
        options.memory_bytes = megabytes * 1_000_000;
    }
    must_exist("--bids-filter-file", &args.bids_filter_file)?;
    if let Some(path) = &args.bids_filter_file {
        let filter = EntityFilter::read(path)
            .map_err(|e| CliError::new(2, anyhow::anyhow!("--bids-filter-file {}: {e}", printable_path(path))))?;
        if !filter.others.is_empty() {
            tell!("note: --bids-filter-file: not for spectra, and without effect: {}", filter.others.join(", "));
        }
        options.filter = Some(filter);
    }
    Ok(options)
}

/// Says which spectra no participant has.
///
/// # Errors
/// There are no others.
fn name_unlabelled(paths: &[String], is_all: bool) -> Result<(), CliError> {
    if paths.is_empty() {
        return Ok(());
    }
    let more = if paths.len() > SHOWN { ", …" } else { "" };
    let shown = paths[..paths.len().min(SHOWN)].join(", ");
    let message = format!(
        "{} spectra without a subject label are left out: {shown}{more}; name them or their folder sub-LABEL, or fit them \
         with `requant run`",
        paths.len()
    );
    if is_all {
        return Err(CliError::new(66, anyhow::anyhow!(message)));
    }
    tell!("warning: {message}");
    Ok(())
}

fn participant(
    label: &str,
    out: PathBuf,
    options: &RunOptions,
    args: &BidsArgs,
    engine: &dyn Engine,
) -> Result<(), CliError> {
    let unfinished = crate::store::Journal::at(&out).plan().is_some();
    let finished = out.join("run.json").is_file() && !unfinished;
    let options = RunOptions {
        participants: vec![label.to_owned()],
        if_exists: if args.overwrite && !unfinished { IfExists::Overwrite } else { IfExists::Refuse },
        // What is finished stays if it is what would be done now.
        resume: unfinished || (finished && !args.overwrite),
        out,
        ..options.clone()
    };
    let shown = Shown::of_run(&options.out);
    let found = Inputs::find(&options);
    let summary = found.and_then(|inputs| Ok((run_found(&options, &inputs, engine, &shown)?, inputs)));
    shown.finish();
    let (summary, inputs) = summary.map_err(|e| CliError::new(e.exit_code(), e))?;
    // One that was stopped between its tables and these is made whole.
    let with_figures = !args.no_figures && options.curves != CurvesKept::None;
    let derived = || derivatives::participant(&options.out, label, with_figures, !summary.was_complete);
    if summary.was_complete {
        say!("sub-{label}: done before");
        derived()?;
        return subject(&options.out, &args.output_dir, &options.out, &args.bids_dir);
    }
    say!("sub-{label}:");
    print_summary(&summary, Fits::New);
    print_left_out(&inputs);
    unless_stopped()?;
    let without_figure = derived()?;
    if without_figure > 0 {
        say!("note: {without_figure} fits of files with many spectra have no picture in figures/; the page draws them");
    }
    subject(&options.out, &args.output_dir, &options.out, &args.bids_dir)
}

/// Labels without their prefix.
fn labels(given: &[String], prefix: &str) -> Vec<String> {
    given.iter().map(|label| label.strip_prefix(prefix).unwrap_or(label).to_owned()).collect()
}

/// Whose spectra there are.
struct There {
    participants: Vec<String>,
    sessions: Vec<String>,
    /// Spectra that have no participant.
    unlabelled: Vec<String>,
}

/// Participants and sessions that have a spectrum, in their order.
fn participants(options: &RunOptions) -> Result<There, RunError> {
    let mut there = There { participants: Vec::new(), sessions: Vec::new(), unlabelled: Vec::new() };
    for found in options.listing()?.found {
        there.sessions.extend(found.session);
        match found.subject {
            Some(label) => there.participants.push(label),
            None => there.unlabelled.push(found.source_path),
        }
    }
    for labels in [&mut there.participants, &mut there.sessions] {
        labels.sort();
        labels.dedup();
    }
    Ok(there)
}
