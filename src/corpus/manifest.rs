//! Manifests: a table that lists spectra with what their files do not say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use thiserror::Error;

use super::identity::{file_name, split_extension};
use super::manifest_cells::Cells;
use super::manifest_note::{ManifestNote, notes};
use super::titles::{Titles, columns, is_known};
use super::{sheet_parquet, sheet_text};
use crate::acquisition::{Facts, StatedEditing};
use crate::quantify::Fractions;

/// Word in the column `water_path` for a spectrum that is to be analysed without water reference.
const NO_WATER: &str = "none";

/// What the user states about a spectrum; it goes before what the file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// Basis set.
    pub basis: Option<PathBuf>,
    /// What a simulated basis set is made from: a recipe file.
    pub recipe: Option<PathBuf>,
    /// What it states of the header.
    pub facts: Facts,
    /// What it states of the water reference's: echo and repetition time.
    pub water: Facts,
    /// Segmentation of the head, or its folder.
    pub segmentation: Option<PathBuf>,
    /// Shares of the three tissues, with what was done to them.
    pub fractions: Option<(Fractions, Option<String>)>,
    /// What it states of the conditions of an edited measurement.
    pub editing: StatedEditing,
    /// The cells of its line that go before what the file says, by column and as they stand there.
    pub cells: BTreeMap<&'static str, String>,
    /// The manifest's own columns, by their names in the tables.
    pub carried: BTreeMap<String, String>,
}

impl Overrides {
    /// Nothing, shared by all of whom nothing is stated.
    pub fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Overrides>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }
}

/// Why a manifest as a whole cannot be used. Faults of single lines become rows.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It cannot be opened or parsed.
    #[error("{path}: cannot be read as a manifest ({message})")]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The column `path` is missing or a column occurs twice.
    #[error("{path}: {message}; a manifest has the columns {}", columns().join(", "))]
    Columns {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// What a line says about the water reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatedWater {
    /// Nothing: the usual rules apply.
    Unstated,
    /// There is none.
    None,
    /// This file.
    File(PathBuf),
}

/// One line of a manifest; paths are joined to the manifest's folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) path: PathBuf,
    pub(crate) water: StatedWater,
    pub(crate) id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) site: Option<String>,
    pub(crate) voi: Option<String>,
    pub(crate) overrides: Overrides,
    /// What is wrong with the line.
    pub(crate) fault: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) lines: Vec<Line>,
    /// What its columns are called in the tables that requant does not know.
    pub(crate) carried: Vec<String>,
    /// What the user should know about it.
    pub(crate) notes: Vec<ManifestNote>,
}

/// Whether a file given as INPUT is a manifest, by its name. Spreadsheets are met with advice.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let name = file_name(path);
    let (_, extension) = split_extension(&name);
    let is = |known: &[&str]| known.iter().any(|known| extension.eq_ignore_ascii_case(known));
    is(&["csv", "tsv", "parquet"]) || is(&SPREADSHEETS)
}

/// Not read: an archive of XML that may unpack to any size. A library that reads them (calamine 0.38) ends the process at one
/// of 1.4 KiB that states 10¹² texts.
const SPREADSHEETS: [&str; 5] = ["xlsx", "xlsm", "xlsb", "xls", "ods"];

pub(crate) fn read(path: &Path) -> Result<Manifest, ManifestError> {
    let name = file_name(path);
    let (_, extension) = split_extension(&name);
    let sheet = if extension.eq_ignore_ascii_case("parquet") {
        sheet_parquet::read_parquet(path, &is_known)
    } else if SPREADSHEETS.iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        Err("spreadsheets are not read; save it as CSV (Excel: Save as, `CSV UTF-8`) and give that".to_owned())
    } else {
        sheet_text::read_text(path, extension.eq_ignore_ascii_case("tsv"), &is_known)
    };
    let sheet = sheet.map_err(|message| ManifestError::Unreadable { path: path.to_owned(), message })?;
    let titles =
        Titles::read(&sheet.header).map_err(|message| ManifestError::Columns { path: path.to_owned(), message })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let comma = sheet.may_have_decimal_commas;
    let rows =
        || sheet.rows.iter().map(|(number, cells)| (*number, Cells { titles: &titles.of_columns, cells, comma }));
    let lines = rows().map(|(number, cells)| interpret(number, &cells, folder)).collect();
    let notes = notes(&titles, &sheet.header, || rows().map(|(_, cells)| cells));
    Ok(Manifest { lines, carried: titles.extra().cloned().collect(), notes })
}

/// A path of a manifest. Windows separates its parts otherwise.
fn path_in(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join(text);
    if text.contains('\\') && path.symlink_metadata().is_err() { folder.join(text.replace('\\', "/")) } else { path }
}

/// Why a path of a manifest leads to nothing, with what may help.
pub(super) fn no_such_file(path: &Path) -> String {
    let name = file_name(path);
    let has = |part: &str| path.components().any(|component| component.as_os_str().to_string_lossy() == part);
    let is_drive =
        |part: &str| part.len() == 2 && part.ends_with(':') && part.starts_with(|c: char| c.is_ascii_alphabetic());
    let in_other_case = || {
        let (stem, extension) = split_extension(&name);
        let with = |extension: String| format!("{stem}.{extension}");
        let others =
            [name.to_lowercase(), name.to_uppercase(), with(extension.to_lowercase()), with(extension.to_uppercase())];
        others.into_iter().find(|other| *other != name && path.with_file_name(other).is_file())
    };
    let said = "there is no such file; paths are relative to the manifest";
    if has("~") {
        format!("{said}, and `~` is not a home folder in it")
    } else if path.components().any(|component| is_drive(&component.as_os_str().to_string_lossy())) {
        format!("{said}, and drives of Windows are not known here")
    } else if let Some(other) = in_other_case() {
        format!("{said}; there is {other}, with other capitals")
    } else {
        said.to_owned()
    }
}

fn interpret(number: usize, cells: &Cells<'_>, folder: &Path) -> Line {
    let mut fault = None;
    let mut facts = Facts { sequence: cells.text("sequence"), pulses: cells.text("pulses"), ..Facts::default() };
    for number in Facts::NUMBERS {
        *(number.of)(&mut facts) = cells.number(number, &mut fault);
    }
    let editing = StatedEditing::parse(cells.text("n_conditions").as_deref(), cells.text("edit_order").as_deref());
    let editing = editing.unwrap_or_else(|message| {
        fault = Some(message);
        StatedEditing::default()
    });
    let overrides = Overrides {
        basis: cells.text("basis").map(|path| path_in(folder, &path)),
        recipe: cells.text("recipe").map(|path| path_in(folder, &path)),
        segmentation: cells.text("segmentation_path").map(|path| path_in(folder, &path)),
        fractions: cells.fractions().unwrap_or_else(|message| {
            fault = Some(message);
            None
        }),
        facts,
        water: cells.water_times(&mut fault),
        editing,
        cells: cells.stated(),
        carried: cells.carried(),
    };
    if overrides.basis.is_some() && overrides.recipe.is_some() {
        fault = Some(
            "`basis` and `recipe` contradict each other: a basis set is read or simulated; leave one empty".to_owned(),
        );
    }
    let id = cells.text("id");
    if id.as_ref().is_some_and(|id| id.split('/').any(|part| part == "..")) {
        fault = Some("id must not contain `..`".to_owned());
    }
    if cells.cells.iter().skip(cells.titles.len()).any(|cell| !cell.is_empty()) {
        fault = Some("the line has more cells than the header; put text with commas in quotes".to_owned());
    }
    if columns().iter().any(|column| cells.cell(column).is_some_and(|cell| cell.contains('\n'))) {
        fault = Some("a cell goes over several lines; is a quotation mark not closed?".to_owned());
    }
    let path = cells.text("path");
    if path.is_none() {
        fault = Some("path is empty".to_owned());
    }
    Line {
        number,
        path: path.map(|path| path_in(folder, &path)).unwrap_or_default(),
        water: match cells.text("water_path") {
            None => StatedWater::Unstated,
            Some(text) if text.eq_ignore_ascii_case(NO_WATER) => StatedWater::None,
            Some(text) => StatedWater::File(path_in(folder, &text)),
        },
        id,
        subject: cells.label("subject", "sub-"),
        session: cells.label("session", "ses-"),
        site: cells.text("site"),
        voi: cells.label("voi", "voi-"),
        overrides,
        fault,
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
