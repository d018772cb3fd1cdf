//! From a run's tables to a study's: people and tissue joined, values gated, losses counted, text that statistics programs read.
//!
//! A `study` is the results with their people (`join`, `key`), groups and verdicts of gates; of it are made one row a
//! measurement (`wide`) or a metabolite (`long`), what a site can share (`summary`), and where people and values went
//! (`flow`, `shares`, `people`, `unmatched`); `survey` is the same for a page. Nothing is tested here: no p-values.

mod cohort;
mod dictionary;
mod error;
mod flow;
mod folder;
mod join;
mod key;
mod long;
mod losses;
mod measurement;
mod names;
mod notes;
mod options;
mod osprey;
mod people;
mod quantity;
mod shares;
mod study;
mod summary;
mod survey;
mod table;
mod unmatched;
mod wide;
mod write_parquet;
mod write_text;
mod write_xlsx;
mod zip;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use error::ExportError;
pub use flow::FlowLine;
pub use options::{DEFAULT_GATES, DEFAULT_MIN_N, Format, Layout, Options, StudyOptions};
pub use people::{PeopleFigure, PeopleLine, SiteCount, SiteLine};
pub use quantity::Quantity;
pub use shares::{UnequalShare, WARNED_POINTS};
pub use survey::{EndLine, Survey, survey};

use folder::Folder;
use study::Study;
use table::Table;

/// Metabolites whose flow is told in words; the table has all.
pub const MAJOR_METABOLITES: [&str; 12] =
    ["tNAA", "tCr", "tCho", "Ins", "Glx", "Glu", "Gln", "GSH", "GABA", "GABA+", "Asp", "Lac"];

/// What was exported.
#[derive(Debug, Clone)]
pub struct Report {
    /// Rows of the results.
    pub n_rows: usize,
    /// People with rows.
    pub n_people: usize,
    /// Gates that were asked.
    pub gates: String,
    /// Where the group comes from, in words.
    pub group_from: Option<String>,
    /// What was joined, a line a file.
    pub joined: Vec<String>,
    /// Rows by what became of them, before any metabolite is looked at.
    pub rows: BTreeMap<String, usize>,
    /// Where values went, by method, region, sub-spectrum and metabolite.
    pub flow: Vec<FlowLine>,
    /// Kept shares that differ between groups.
    pub unequal: Vec<UnequalShare>,
    /// Sites that have one group, and cells without anybody, in words.
    pub sites: Vec<String>,
    /// What a study should know.
    pub notes: Vec<String>,
    /// Files that were written.
    pub files: Vec<PathBuf>,
}

/// Writes the tables of a study.
///
/// # Errors
/// [`ExportError`]: the results cannot be read, a table cannot be joined, or the folder cannot be written.
pub fn export(options: &Options) -> Result<Report, ExportError> {
    let mut study = Study::read(&options.results, &options.study)?;
    notes::tell(&mut study);
    let losses = losses::Losses::of(&study);
    let mut folder = Folder::open(options)?;
    let shares = shares::Shares::of(&losses);
    for layout in &options.layouts {
        match layout {
            Layout::Wide => folder.put(&wide::table(&study), &options.formats)?,
            Layout::Long => folder.put(&long::table(&study), &options.formats)?,
            Layout::Osprey => osprey::write(&study, &mut folder)?,
        }
    }
    let small: [Table<'_>; 6] = [
        summary::table(&study, options.study.min_n),
        flow::table(&losses),
        shares.table(),
        people::sites(&study),
        people::demographics(&study, options.study.min_n),
        unmatched::table(&study),
    ];
    small.iter().try_for_each(|table| folder.put(table, &options.formats))?;
    let files = folder.finish(&study, options)?;
    Ok(Report {
        n_rows: study.rows.spectra.len(),
        n_people: people::n_people(&study),
        gates: study.gates.name.clone(),
        group_from: study.group_from.clone(),
        joined: unmatched::in_words(&study),
        rows: losses.rows(&study),
        flow: flow::lines(&losses),
        unequal: shares.unequal(options.study.min_n),
        sites: people::marked(&study),
        notes: study.notes.clone(),
        files,
    })
}
