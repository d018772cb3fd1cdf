//! `requant run`: the main job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::error::{CliError, CliResult};
use super::inputs::must_exist;
use super::lessons::{Lesson, Lessons, print_learned};
use super::progress::{Fits, Shown, print_left_out, print_summary};
use super::report::{in_results, print_page, remove_stale_pages};
use super::shard;
use super::shared::{CurveArgs, JobArgs, gates};
use crate::error_chain::error_chain;
use crate::export::StudyOptions;
use crate::interrupt;
use crate::learn::LearnOptions;
use crate::learned;
use crate::page::Images;
use crate::printable::printable_path;
use crate::run::{Inputs, RunError, RunOptions, Summary, TissueOptions, run_found};
use crate::store::{IfExists, Journal, StoreError};
use crate::tissue::Transform;
use crate::tissue::find::Search;

/// Exit code where every spectrum failed, or some did and `--strict` was asked for.
const EXIT_FAILED: u8 = 65;

/// Arguments of `requant run`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant run scans/ --basis press35.basis --out results
  requant run bids/ manifest.csv --method map --method mine.toml --out results
  requant run bids/ --learn protocol --out results
  requant run bids/ --learn recipe --out results        pulses that no header tells
  requant run bids/ --out results --resume              after a crash, a full disk, a killed job

A manifest is a .csv, .tsv or .parquet with a column `path` and any of water_path, id, basis,
subject, session, site, voi, sequence, n_conditions, edit_order, te_s, tr_s, te1_s, tm_s, f0_mhz,
dwell_s, segmentation_path, f_gm, f_wm, f_csf, water_te_s, water_tr_s; `requant plan --manifest`
writes one to fill in. Its other columns go to the table of spectra as x_….
Water references are paired by BIDS rules, by vendors' habits (_act/_ref, .RAW/.H2O, …) or by the
manifest. Results: spectra/ and metabolites/ (Parquet), run.json, and report.html to look at.")]
pub(super) struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: PathBuf,
    /// Learn from the corpus first: macromolecules and linewidth of each group become the priors of its spectra; the pulses of
    /// simulated basis sets are those that the spectra of a protocol speak for. `recipe,protocol` learns both
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "learned", help_heading = "Learning")]
    learn: Vec<Lesson>,
    /// Use what `requant learn` or an earlier run learned
    #[arg(long, value_name = "DIR", help_heading = "Learning")]
    learned: Option<PathBuf>,
    /// Segmentations, for the voxels' shares of grey matter, white matter and CSF: `auto` (what a manifest names, else the
    /// derivatives of the BIDS dataset), `none`, or a folder of FSL FAST's, SPM's, BIDS' or FreeSurfer's
    #[arg(long, value_name = "auto|none|DIR", default_value = "auto", help_heading = "Tissue")]
    tissue: PathBuf,
    /// Which transform of a segmentation counts where its qform and sform disagree
    #[arg(long, value_enum, default_value = "qform", help_heading = "Tissue")]
    tissue_transform: TransformChoice,
    /// Replace the results of an earlier run in the output folder
    #[arg(long, conflicts_with = "resume", help_heading = "Output")]
    overwrite: bool,
    /// Go on with an unfinished run; finished parts stay if their inputs have not changed
    #[arg(long, help_heading = "Job")]
    resume: bool,
    /// Do part I of N only (I from 1), for `requant merge`; auto/N: which one the batch system says [default in a job array
    /// of Slurm or AWS Batch: its task]
    #[arg(long, value_name = "I/N|auto/N", conflicts_with = "learn", help_heading = "Job")]
    shard: Option<String>,
    /// Gates: seed2020, robust, none or a .toml file; the column `gate` says which a row does not pass, and no row goes
    #[arg(long, value_name = "NAME|FILE", help_heading = "Output")]
    gates: Option<String>,
    /// Exit with code 65 if any spectrum failed [default: if all failed]
    #[arg(long, help_heading = "Job")]
    strict: bool,
    #[command(flatten)]
    curves: CurveArgs,
    /// Also write shift, phase and amplitude of every transient, and whether it was kept
    #[arg(long, help_heading = "Output")]
    transients: bool,
    /// Do not write report.html
    #[arg(long, help_heading = "Output")]
    no_report: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransformChoice {
    /// The quaternion.
    Qform,
    /// The matrix.
    Sform,
}

impl RunArgs {
    fn tissue(&self) -> TissueOptions {
        let search = match self.tissue.to_str() {
            Some("auto") => Search::Auto,
            Some("none") => Search::None,
            _ => Search::At(self.tissue.clone()),
        };
        let transform = match self.tissue_transform {
            TransformChoice::Qform => Transform::Qform,
            TransformChoice::Sform => Transform::Sform,
        };
        TissueOptions { search, transform }
    }
}

pub(super) fn run(args: RunArgs) -> CliResult {
    let tissue = args.tissue();
    let out = args.out.clone();
    let mut options =
        args.job.options(args.out, if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse })?;
    options.curves = args.curves.kept();
    options.tissue = tissue;
    options.transients = args.transients;
    options.resume = args.resume;
    options.gates = args.gates.as_deref().map(gates).transpose()?;
    options.shard = shard::asked(args.shard.as_deref())?;
    let lessons = Lessons::of(&args.learn, &options)?;
    if options.shard.is_some() && !lessons.is_empty() {
        return Err(CliError::new(
            2,
            anyhow::anyhow!("a shard sees a part of the corpus: learn first, with `requant learn`, and give --learned"),
        ));
    }
    must_exist("--learned", &args.learned)?;
    options.learned = args.learned.as_deref().map(learned::read).transpose()?;
    stop_on_signals();
    let inputs = Inputs::find(&options).map_err(|e| CliError::new(e.exit_code(), e))?;
    let engine = args.job.how.engine.open()?;
    let result = args.job.how.pool()?.install(|| {
        lessons.learn(&mut options, &inputs, LearnOptions::new, engine.as_ref())?;
        let shown = Shown::of_run(&options.out);
        let result = run_found(&options, &inputs, engine.as_ref(), &shown);
        shown.finish();
        result
    });
    let summary = result.map_err(|e| failed(e, &out))?;
    if let Some(learned) = &options.learned {
        print_learned(learned);
    }
    if summary.was_complete {
        say!(
            "the run was complete already, and its inputs are the same; --overwrite instead of --resume does it again"
        );
    }
    print_summary(&summary, Fits::New);
    print_left_out(&inputs);
    // A large corpus' list takes as much memory as its page.
    drop(inputs);
    if options.shard.is_none_or(|shard| shard.count == 1) && !interrupt::asked() {
        page_of(&out, args.no_report, summary.was_complete, images(&options))?;
    }
    Ok(exit_code(&summary, args.strict))
}

/// Why a run failed; where its disk is full and it can go on, how.
fn failed(error: RunError, out: &Path) -> CliError {
    let code = error.exit_code();
    match error {
        RunError::Store(StoreError::Write { path, message }) if Journal::at(out).plan().is_some() => {
            let path = printable_path(&path);
            let what = "check the space on that disk and run again with --resume";
            CliError::new(code, anyhow::anyhow!("{path}: writing failed ({message}); {what}"))
        }
        other => CliError::new(code, other),
    }
}

/// What a run ends with. What was skipped on purpose counts neither as fitted nor as failed.
pub(super) fn exit_code(summary: &Summary, is_strict: bool) -> u8 {
    let counts = &summary.tally.counts;
    let has_failed = counts.failed > 0 && (is_strict || counts.ok == 0);
    if has_failed { EXIT_FAILED } else { 0 }
}

/// Where images of the heads may be: where the spectra and the segmentations are.
pub(super) fn images(options: &RunOptions) -> Images {
    let of_inputs = options.inputs.iter().filter(|input| input.is_dir()).cloned();
    let places = match &options.tissue.search {
        Search::None => Vec::new(),
        Search::Auto => of_inputs.collect(),
        Search::At(folder) => of_inputs.chain(folder.is_dir().then(|| folder.clone())).collect(),
    };
    Images { places, transform: options.tissue.transform }
}

/// The page of the run. The tables are there whatever becomes of it, so a page that cannot be made is told and no failure.
fn page_of(out: &Path, is_unwanted: bool, was_complete: bool, images: Images) -> Result<(), CliError> {
    if !was_complete {
        remove_stale_pages(out);
    }
    if !is_unwanted {
        let path = in_results(out)?;
        if let Err(failure) = print_page(out, &path, images, &StudyOptions::default()) {
            tell!("note: no report.html: {}", error_chain(failure.error.as_ref()));
        }
    }
    Ok(())
}

/// What a stopped command exits with.
pub(super) const EXIT_STOPPED: u8 = 75;
/// How long the first signal waits for the step that is under way.
const GRACE: Duration = Duration::from_secs(4);

/// The first signal stops a command after the step that it is at, or in the middle of one that takes too long; the second
/// one ends the process at once.
pub(super) fn stop_on_signals() {
    // Where no handler can be set, a signal ends the process, and --resume goes on from the last chunk all the same.
    let _ = ctrlc::set_handler(|| {
        if interrupt::stop() {
            std::process::exit(130);
        }
        // A step may be one that nobody can leave: a library's, or a file system's that does not answer. What was finished
        // is on disk, and nothing else is looked at by who goes on.
        std::thread::spawn(|| {
            std::thread::sleep(GRACE);
            eprintln!(
                "requant: stopped in the middle of a step; what was finished before it is safe (--resume goes on)"
            );
            std::process::exit(i32::from(EXIT_STOPPED));
        });
    });
}

/// An error if somebody asked to stop.
pub(super) fn unless_stopped() -> Result<(), CliError> {
    if interrupt::asked() { Err(CliError::new(EXIT_STOPPED, RunError::Stopped)) } else { Ok(()) }
}
