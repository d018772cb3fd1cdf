//! `sub-XX.html`: all spectra of one subject, from the tables of a run: preparation, fit, values, quality, and where they
//! stand among those of their site. No script: a page to read, print and file.

mod comparison;
mod parts;
mod voxels;

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::context;
use serde::Serialize;

use super::assemble::{environment, style, style_policy};
use super::error::PageError;
use super::files;
use super::glossary::{Glossary, Meaning};
use super::settings;
use super::voxel::Images;
use crate::quality::glossary::Entry;
use crate::report::{FitPlot, FitsOfRun, transients_plot};
use crate::store::{ReadTableError, SpectrumRow, Status, TransientRow, read_batches, read_run};

pub use comparison::Comparison;

const TEMPLATE: &str = include_str!("../subject.html");

/// What the page is told beside the tables.
#[derive(Debug, Clone, Default)]
pub struct SubjectOptions {
    /// The glossary of flags, error codes and states.
    pub glossary: Vec<Entry>,
    /// Images of the head to draw the voxels on.
    pub images: Images,
}

/// A spectrum × method as the page shows it.
#[derive(Debug, Serialize)]
struct Section {
    id: String,
    method: String,
    protocol: String,
    /// `None` where it was fitted.
    failure: Option<Failure>,
    facts: Vec<(&'static str, String)>,
    preparation: Vec<(&'static str, String)>,
    transients: String,
    voxel: String,
    fit: String,
    values: parts::Values,
    flags: Vec<(String, Meaning)>,
    warnings: Vec<String>,
    compared: Vec<comparison::Compared>,
    compared_with: String,
}

/// Why a row was not fitted.
#[derive(Debug, Serialize)]
struct Failure {
    code: String,
    message: String,
    #[serde(flatten)]
    meaning: Meaning,
}

/// `sub-01` and `01` are one subject.
fn label(subject: &str) -> &str {
    subject.strip_prefix("sub-").unwrap_or(subject)
}

/// Subjects of the run in `results`, without `sub-`, in their order.
///
/// # Errors
/// [`ReadTableError`].
pub fn subjects(results: &Path) -> Result<Vec<String>, ReadTableError> {
    let mut all = std::collections::BTreeSet::new();
    read_batches::<SpectrumRow>(results, &["subject"], |rows| {
        all.extend(rows.into_iter().filter_map(|row| row.subject).map(|subject| label(&subject).to_owned()));
    })?;
    Ok(all.into_iter().collect())
}

/// Writes the page of `subject`, whose rows stand in `results`, to `out`; it is compared with the rows of `comparison`.
///
/// # Errors
/// [`PageError`]; [`PageError::NoSubject`] where no row is of that subject.
pub fn write_subject(
    results: &Path,
    subject: &str,
    comparison: &Comparison,
    out: &Path,
    options: &SubjectOptions,
) -> Result<(), PageError> {
    let subject = label(subject);
    let run = read_run(results)?;
    let fits = FitsOfRun::open(results, |row| row.subject.as_deref().map(label) == Some(subject))?;
    if fits.rows().is_empty() {
        let some = subjects(results)?.into_iter().take(SOME).collect();
        return Err(PageError::NoSubject { subject: subject.to_owned(), some });
    }
    let mut drawn: BTreeMap<(String, String), String> = BTreeMap::new();
    fits.draw(|row, plot: &FitPlot| {
        // A fit that cannot be drawn has its values all the same.
        if let Ok(svg) = plot.render_svg() {
            drawn.insert((row.spectrum_id.clone(), row.method.clone()), svg);
        }
        true
    })?;
    let transients = transients(results, &fits)?;
    let glossary = Glossary::new(&options.glossary);
    let metabolites = fits.values()?;
    let voxels = voxels::draw(fits.rows(), &options.images, comparison.n_subjects() == 1);
    let sections = fits.rows().iter().zip(&metabolites).map(|(row, values)| {
        let own = transients.get(&row.spectrum_id).map(Vec::as_slice).unwrap_or_default();
        let compared = comparison.of(row);
        Section {
            id: row.spectrum_id.clone(),
            method: row.method.clone(),
            protocol: crate::run::protocol_of(row),
            failure: failure(row, &glossary),
            facts: parts::facts(row),
            preparation: parts::preparation(row),
            transients: transients_plot(own).unwrap_or_default(),
            voxel: voxels.of_spectrum.get(&row.spectrum_id).cloned().unwrap_or_default(),
            fit: drawn.remove(&(row.spectrum_id.clone(), row.method.clone())).unwrap_or_default(),
            values: parts::values(values),
            flags: row.qc_flags.iter().map(|flag| (flag.clone(), glossary.flag(flag))).collect(),
            warnings: row.warnings.clone(),
            compared_with: comparison.told(row),
            compared,
        }
    });
    let sections: Vec<Section> = sections.collect();
    let page = page(subject, &sections, &voxels.notes, &settings::settings(&run))?;
    files::write_alone(out, &page)
}

/// Subjects that are named where one is not found.
const SOME: usize = 5;

fn failure(row: &SpectrumRow, glossary: &Glossary<'_>) -> Option<Failure> {
    (row.status != Status::Ok).then(|| {
        let code = row.error_code.clone().unwrap_or_default();
        let (message, meaning) = (row.error_message.clone().unwrap_or_default(), glossary.error(&code));
        Failure { code, message, meaning }
    })
}

/// The subject's transients by spectrum, where the run kept them.
fn transients(results: &Path, fits: &FitsOfRun) -> Result<BTreeMap<String, Vec<TransientRow>>, PageError> {
    let mut all: BTreeMap<String, Vec<TransientRow>> = BTreeMap::new();
    if !results.join(<TransientRow as crate::store::Table>::NAME).is_dir() {
        return Ok(all);
    }
    let columns = ["spectrum_id", "transient", "kept", "shift_hz", "phase_deg", "relative_amplitude"];
    let own: std::collections::HashSet<&str> = fits.rows().iter().map(|row| row.spectrum_id.as_str()).collect();
    read_batches::<TransientRow>(results, &columns, |rows| {
        for row in rows {
            if own.contains(row.spectrum_id.as_str()) {
                all.entry(row.spectrum_id.clone()).or_default().push(row);
            }
        }
    })?;
    Ok(all)
}

fn page(
    subject: &str,
    sections: &[Section],
    notes: &[String],
    settings: &super::view::Settings,
) -> Result<String, PageError> {
    let failed = |error: minijinja::Error| PageError::Template(error.to_string());
    let style = style();
    let mut environment = environment();
    environment.add_template("subject", TEMPLATE).map_err(failed)?;
    let template = environment.get_template("subject").map_err(failed)?;
    let fitted = sections.iter().filter(|section| section.failure.is_none()).count();
    template
        .render(context! {
            subject,
            n => sections.len(),
            fitted,
            flagged => sections.iter().filter(|section| !section.flags.is_empty()).count(),
            notes => minijinja::value::Serde(notes),
            sections => minijinja::value::Serde(sections),
            settings => minijinja::value::Serde(settings),
            policy => style_policy(&style),
            style,
        })
        .map_err(failed)
}
