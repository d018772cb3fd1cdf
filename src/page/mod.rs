//! `report.html`: one file about a finished dataset, from its tables alone.
//!
//! `spectra` and `metabolites` read the tables a batch at a time, `overview` counts, `details` packs what a click
//! shows, `assemble` puts template, style, script and data together. The script draws on canvases by itself: strips that
//! are brushed and linked, points that are not clipped, and a fit that zooms are some 900 lines, and plotting libraries
//! have none of the three.

mod agreement;
mod assemble;
mod budget;
mod curves;
mod data;
mod described;
mod details;
mod encode;
mod error;
mod files;
mod flow;
mod glossary;
mod learned;
mod measures;
mod metabolites;
mod numbers;
mod overview;
mod settings;
mod spectra;
mod subject;
mod view;
mod voxel;

use std::path::{Path, PathBuf};

use crate::export::Survey;
use crate::quality::glossary::Entry;
use crate::report::describe::Description;
use crate::store::read_run;

pub use error::PageError;
pub use files::{FILE_NAME, remove_stale, remove_stale_subjects};
pub use subject::{Comparison, SubjectOptions, subjects, write_subject};
pub use voxel::Images;

/// What the page is told beside the tables.
#[derive(Debug, Clone, Default)]
pub struct PageOptions {
    /// The glossary of flags, error codes and states.
    pub glossary: Vec<Entry>,
    /// What a study reports of the run; the page has the section where there is one.
    pub description: Option<Description>,
    /// Where people and values went; the page has the section where there is one.
    pub survey: Option<Survey>,
    /// Images of the heads to draw the voxels on.
    pub images: Images,
}

/// Writes the page of the dataset in `results` to `out`, and what it does not hold itself to a folder beside it. Returns
/// the files, the page first.
///
/// # Errors
/// [`PageError`].
pub fn write(results: &Path, out: &Path, options: &PageOptions) -> Result<Vec<PathBuf>, PageError> {
    let run = read_run(results)?;
    let spectra = spectra::read(results, &run)?;
    let found = metabolites::read(results, &spectra)?;
    let measures = measures::choose(&spectra, &found);
    let glossary = glossary::Glossary::new(&options.glossary);
    let pictures = voxel::read(&spectra, &options.images);
    let mut beside = files::Beside::new(out)?;
    let details = details::write(results, &mut beside, &spectra, &found, &pictures)?;
    let has_curves = !details.thumbs.is_empty();
    let data = data::Data::new(&spectra, &measures, &found, &glossary, details, &files::data_folder(out));
    let view = view::View {
        head: settings::head(results, &run, &spectra),
        tiles: overview::tiles(&spectra),
        failures: overview::failures(&spectra, &glossary),
        groups: overview::groups(&spectra),
        lacking: overview::lacking(&spectra, &found, &glossary),
        flags: overview::flags(&spectra, &glossary),
        agreement: agreement::of(&run, &spectra, &found),
        learned: learned::of(results),
        flow: options.survey.as_ref().map(flow::section).transpose()?,
        described: options.description.as_ref().map(described::of),
        settings: settings::settings(&run),
        voxel_notes: pictures.notes,
        has_curves,
        rows: view::Rows { shown: spectra.rows.len(), of: spectra.all.n_rows },
    };
    // Of a large run both take as much memory as the page.
    drop((spectra, found, measures));
    let page = assemble::page(&view, data)?;
    beside.with_page(out, &page)
}
