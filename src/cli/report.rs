//! `requant report`: the page of a run from its tables.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::inputs::{EXIT_NO_INPUT, must_exist};
use super::outputs::in_folder;
use super::shared::gates;
use crate::error_chain::error_chain;
use crate::export::{StudyOptions, Survey, survey};
use crate::output_path::{path_inside, safe_name_from};
use crate::page::{self, Comparison, Images, PageError, PageOptions, SubjectOptions, write_subject};
use crate::printable::printable_path;
use crate::quality::glossary;
use crate::report::describe::{Description, People};
use crate::run::thresholds;
use crate::store::{ChunkRows, ReadTableError, read_run, read_table};
use crate::tissue::Transform;

/// Arguments of `requant report`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant report results                       results/report.html
  requant report results --subject sub-01      results/sub-01.html
  requant report results --out corpus.html     corpus.html, and corpus_data/ for what it has no room for
  requant report results --image bids/         each voxel on its subject's T1, in three planes
  requant report results --participants participants.tsv
                                               with the flow from people to kept values, by group

Works from the tables alone: a run's, merged shards', a union's. The page is one file that needs no
network: sites and protocols, what failed and what to do, each spectrum's figures beside all others,
its fit (unless the run had --no-curves). Of large runs the fits that the page has no room for
lie in report_data/ beside it.")]
pub(super) struct ReportArgs {
    /// Folder with the tables of a run
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Write the page of one subject instead: preparation, fit, values, quality, and where it stands among others
    #[arg(long, value_name = "sub-XX")]
    subject: Option<String>,
    /// Page to write [default: RESULTS/report.html, or RESULTS/sub-XX.html]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Image of the head (NIfTI, MGZ), or a folder of a BIDS dataset or of segmentations with such images, to draw the voxels on
    #[arg(long, value_name = "T1.nii.gz|DIR")]
    image: Vec<PathBuf>,
    /// List of participants (.tsv, .csv or .parquet), to tell who has no spectrum, and groups, age and sex
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    participants: Option<PathBuf>,
    /// Column with the group [default: group]
    #[arg(long, value_name = "COLUMN", conflicts_with = "subject")]
    group: Option<String>,
    /// Gates that are asked for the flow: seed2020, robust, none or a .toml file [default: the run's own, else robust]
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "subject")]
    gates: Option<String>,
}

pub(super) fn run(args: &ReportArgs) -> CliResult {
    let out = match (&args.out, &args.subject) {
        (Some(out), _) => out.clone(),
        (None, Some(subject)) => subject_page(&args.results, subject)?,
        (None, None) => in_results(&args.results)?,
    };
    let is_html = out.extension().is_some_and(|e| e.eq_ignore_ascii_case("html") || e.eq_ignore_ascii_case("htm"));
    if !is_html {
        let what = format!("--out {}: the page is HTML; give a name that ends with .html", printable_path(&out));
        return Err(CliError::new(2, anyhow::anyhow!(what)));
    }
    must_exist("--image", &args.image)?;
    must_exist("--participants", &args.participants)?;
    let images = Images { places: args.image.clone(), transform: Transform::Qform };
    match &args.subject {
        Some(subject) => {
            let failed = |e: PageError| CliError::new(e.exit_code(), e);
            let comparison = Comparison::read(&args.results).map_err(|e| failed(e.into()))?;
            let options = subject_options(images);
            write_subject(&args.results, subject, &comparison, &out, &options).map_err(failed)?;
            say!("{}", printable_path(&out));
        }
        None => {
            let study = StudyOptions {
                participants: args.participants.clone(),
                group: args.group.clone(),
                gates: args.gates.as_deref().map(gates).transpose()?,
                ..StudyOptions::default()
            };
            print_page(&args.results, &out, images, &study)?;
        }
    }
    Ok(0)
}

/// Where the page of a subject stands in a folder.
pub(super) fn subject_page(folder: &Path, subject: &str) -> Result<PathBuf, CliError> {
    /// Longest label in the name (bytes).
    const MOST: usize = 100;
    let label = safe_name_from(subject.strip_prefix("sub-").unwrap_or(subject), MOST);
    in_folder(folder, &format!("sub-{label}.html"))
}

pub(super) fn subject_options(images: Images) -> SubjectOptions {
    SubjectOptions { glossary: glossary::entries(&thresholds()), images }
}

/// Most rows of metabolites that are held at once for what is told of all rows, unless it is asked for.
const MOST_HELD: u64 = 400_000;

/// What a study reports of the run, and where people and values went.
fn told(results: &Path, study: &StudyOptions) -> Result<(Option<Description>, Option<Survey>), CliError> {
    let of_tables = |e: ReadTableError| CliError::new(if e.is_absent() { EXIT_NO_INPUT } else { 1 }, e);
    let record = read_run(results).map_err(of_tables)?;
    let is_asked = study.participants.is_some() || study.group.is_some() || study.gates.is_some();
    let is_large = record.counts.metabolites > MOST_HELD;
    if is_large && !is_asked {
        tell!(
            "note: {} rows are too many for the flow from people to values; --participants makes it all the same",
            record.counts.metabolites
        );
        return Ok((None, None));
    }
    let rows = ChunkRows {
        spectra: read_table(results).map_err(of_tables)?,
        metabolites: read_table(results).map_err(of_tables)?,
        ..ChunkRows::default()
    };
    let description =
        (!is_large).then(|| Description::new(&record, &rows.spectra, &rows.metabolites, &People::default()));
    let survey = match survey(record, rows, study) {
        Ok(survey) => survey,
        Err(failure) if is_asked => return Err(CliError::new(failure.exit_code(), failure)),
        Err(failure) => {
            tell!("note: no flow from people to values on the page: {}", error_chain(&failure));
            None
        }
    };
    Ok((description, survey))
}

/// Where the page of a run's folder stands.
pub(super) fn in_results(results: &Path) -> Result<PathBuf, CliError> {
    path_inside(results, &[page::FILE_NAME]).map_err(|e| CliError::new(super::outputs::EXIT_OUTPUT, e))
}

/// Takes an earlier run's pages out of a run's folder: they would tell of tables that are gone.
pub(super) fn remove_stale_pages(results: &Path) {
    let removed =
        in_results(results).and_then(|path| page::remove_stale(&path).map_err(|e| CliError::new(e.exit_code(), e)));
    let of_subjects = page::remove_stale_subjects(results).map_err(|e| CliError::new(e.exit_code(), e));
    for failure in [removed, of_subjects].into_iter().filter_map(Result::err) {
        tell!("note: {}", error_chain(failure.error.as_ref()));
    }
}

/// Writes the page and says where it is.
pub(super) fn print_page(results: &Path, out: &Path, images: Images, study: &StudyOptions) -> Result<(), CliError> {
    let (description, survey) = told(results, study)?;
    let options = PageOptions { glossary: glossary::entries(&thresholds()), description, survey, images };
    let files = page::write(results, out, &options).map_err(|e| CliError::new(e.exit_code(), e))?;
    let beside = files.len().saturating_sub(1);
    let more = if beside > 0 { format!(" (and {beside} files beside it, which belong to it)") } else { String::new() };
    say!("{}{more}", printable_path(out));
    Ok(())
}
