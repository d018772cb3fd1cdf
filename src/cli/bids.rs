//! `requant bids`: the BIDS-App form, for containers and batch systems that know it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::error::{CliError, CliResult};
use super::outputs::{Reads, in_folder};
use super::progress::{Shown, print_left_out, print_summary};
use super::report::{in_results, print_page, subject_options, subject_page};
use super::run::stop_on_signals;
use super::shared::{CurveArgs, HowArgs};
use crate::engine::Engine;
use crate::error_chain::error_chain;
use crate::learned;
use crate::output_path::{OutputPathError, path_inside};
use crate::page::{Comparison, Images, write_subject};
use crate::run::union::union;
use crate::run::{Inputs, RunError, RunOptions, run_found};
use crate::store::IfExists;

/// Labels or paths that a warning names.
const SHOWN: usize = 20;

/// Folder of the group level in the output folder.
const GROUP: &str = "group";
/// File that says what a BIDS folder is.
const DATASET_DESCRIPTION: &str = "dataset_description.json";

/// Arguments of `requant bids`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant bids /data /out participant --participant-label 01 02
  requant bids /data /out group

participant: one dataset for each participant, in OUTPUT_DIR/sub-XX. An unfinished one is continued;
a finished one stays unless --overwrite is given.
group: all participants as one dataset in OUTPUT_DIR/group; missing ones are named.
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
    #[arg(long, alias = "session_label", value_name = "LABEL", num_args = 1..)]
    session_label: Vec<String>,
    /// Use what `requant learn` wrote
    #[arg(long, value_name = "DIR")]
    learned: Option<PathBuf>,
    /// Fit finished participants again
    #[arg(long)]
    overwrite: bool,
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
    let failed = |e: RunError| CliError::new(e.exit_code(), e);
    if args.level == Level::Group {
        return group(args, &wanted);
    }
    let mut options = args.how.options(vec![args.bids_dir.clone()], args.output_dir.clone(), IfExists::Refuse)?;
    options.sessions = labels(&args.session_label, "ses-");
    options.participants = wanted;
    options.curves = args.curves.kept();
    options.transients = args.transients;
    options.learned = args.learned.as_deref().map(learned::read).transpose()?;
    stop_on_signals();
    let (participants, unlabelled) = participants(&options).map_err(failed)?;
    name_unlabelled(&unlabelled, participants.is_empty())?;
    let absent: Vec<String> = options.participants.iter().filter(|p| !participants.contains(p)).cloned().collect();
    name_absent("without a spectrum", &absent);
    let engine = args.how.engine.open()?;
    let (folders, refused): (Vec<_>, Vec<_>) = participants
        .iter()
        .map(|label| Ok((label.as_str(), folder_of(&args.output_dir, label)?)))
        .partition(Result::is_ok);
    args.how.pool()?.install(|| {
        let mut folders = folders.into_iter().flatten();
        folders.try_for_each(|(label, out)| participant(label, out, &options, args, engine.as_ref()))
    })?;
    describe(&args.output_dir)?;
    // The others are done.
    for error in refused.iter().filter_map(|r: &Result<_, OutputPathError>| r.as_ref().err()) {
        tell!("error: a participant was left out: {error}");
    }
    Ok(u8::from(!refused.is_empty()))
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

/// The folder of a participant's results.
fn folder_of(output_dir: &Path, label: &str) -> Result<PathBuf, OutputPathError> {
    path_inside(output_dir, &[&format!("sub-{label}")])
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
    let shown = Shown::new();
    let found = Inputs::find(&options);
    let summary = found.and_then(|inputs| Ok((run_found(&options, &inputs, engine, &shown)?, inputs)));
    shown.finish();
    let (summary, inputs) = summary.map_err(|e| CliError::new(e.exit_code(), e))?;
    if summary.was_complete {
        say!("sub-{label}: done before");
        return Ok(());
    }
    say!("sub-{label}:");
    print_summary(&summary);
    print_left_out(&inputs);
    Ok(())
}

fn group(args: &BidsArgs, wanted: &[String]) -> CliResult {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    let mut labels = done(&args.output_dir)?;
    if args.bids_dir.is_dir() {
        labels.extend(subjects(&args.bids_dir)?);
    }
    labels.sort();
    labels.dedup();
    labels.retain(|label| wanted.is_empty() || wanted.contains(label));
    for label in labels {
        let Ok(folder) = folder_of(&args.output_dir, &label) else {
            missing.push(label);
            continue;
        };
        if folder.join("run.json").is_file() { there.push(folder) } else { missing.push(label) }
    }
    name_absent("without results", &missing);
    // The group's tables are made of the participants' and of nothing else: they can be made again at any time.
    let group = in_folder(&args.output_dir, GROUP)?;
    let summary = union(&there, &group, IfExists::Overwrite).map_err(|e| CliError::new(e.exit_code(), e))?;
    print_summary(&summary);
    describe(&args.output_dir)?;
    pages(&args.output_dir, &there, &group);
    Ok(0)
}

/// A page for each participant beside its folder, compared with the group, and the group's own. The tables are there
/// whatever becomes of them, so that a page that cannot be made is told and no failure.
fn pages(output_dir: &Path, folders: &[PathBuf], group: &Path) {
    let one = |folder: &PathBuf, comparison: &Comparison| -> Result<(), CliError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let page = subject_page(output_dir, &name)?;
        write_subject(folder, &name, comparison, &page, &subject_options()).map_err(|e| CliError::new(e.exit_code(), e))
    };
    let all = || -> Result<(), CliError> {
        let comparison = Comparison::read(group)?;
        folders.iter().try_for_each(|folder| one(folder, &comparison))?;
        print_page(group, &in_results(group)?, Images::default())
    };
    match all() {
        Ok(()) => say!("{} pages sub-*.html in {}", folders.len(), output_dir.display()),
        Err(failure) => tell!("note: no pages: {}", error_chain(failure.error.as_ref())),
    }
}

fn name_absent(what: &str, labels: &[String]) {
    if !labels.is_empty() {
        let more = if labels.len() > SHOWN { ", …" } else { "" };
        let shown = labels[..labels.len().min(SHOWN)].join(", ");
        tell!("warning: {} participants {what}: {shown}{more}", labels.len());
    }
}

/// Labels without their prefix.
fn labels(given: &[String], prefix: &str) -> Vec<String> {
    given.iter().map(|label| label.strip_prefix(prefix).unwrap_or(label).to_owned()).collect()
}

/// Participants that have a spectrum, in their order, and the spectra that have no participant.
fn participants(options: &RunOptions) -> Result<(Vec<String>, Vec<String>), RunError> {
    let (mut labels, mut unlabelled) = (Vec::new(), Vec::new());
    for found in options.listing()?.found {
        match found.subject {
            Some(label) => labels.push(label),
            None => unlabelled.push(found.source_path),
        }
    }
    labels.sort();
    labels.dedup();
    Ok((labels, unlabelled))
}

/// Participants with a folder in `dir`.
fn subjects(dir: &Path) -> std::io::Result<Vec<String>> {
    let names = fs::read_dir(dir)?.flatten().filter(|e| e.path().is_dir()).map(|e| e.file_name());
    Ok(names.filter_map(|name| Some(name.to_str()?.strip_prefix("sub-")?.to_owned())).collect())
}

fn done(out: &Path) -> Result<Vec<String>, CliError> {
    subjects(out)
        .map_err(|e| CliError::new(66, anyhow::anyhow!("{}: {e}; run the participant level first", out.display())))
}

/// Says what the output folder is, as BIDS wants it of derivatives.
fn describe(out: &Path) -> Result<(), CliError> {
    let text = serde_json::json!({
        "Name": "requant: quantified MR spectra",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{ "Name": "requant", "Version": env!("CARGO_PKG_VERSION") }],
    });
    let path = in_folder(out, DATASET_DESCRIPTION)?;
    Reads::default().write(&path, format!("{text:#}\n"))
}
