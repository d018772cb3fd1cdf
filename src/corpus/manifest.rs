//! Manifests: a table that lists spectra with what their files do not say.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::identity::{file_name, split_extension};
use super::sheet;
use crate::acquisition::{Facts, StatedEditing};

/// Columns that are no facts of a header. `path` must be there.
const OWN_COLUMNS: [&str; 11] = [
    "path",
    "water_path",
    "id",
    "basis",
    "subject",
    "session",
    "site",
    "voi",
    "sequence",
    "n_conditions",
    "edit_order",
];

/// The columns that a manifest may have.
pub fn columns() -> Vec<&'static str> {
    OWN_COLUMNS.into_iter().chain(Facts::NUMBERS.iter().map(|number| number.name)).collect()
}

/// Word in the column `water_path` for a spectrum that is to be analysed without water reference.
const NO_WATER: &str = "none";

/// What the user states about a spectrum; it goes before what the file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// Basis set.
    pub basis: Option<PathBuf>,
    /// What it states of the header.
    pub facts: Facts,
    /// What it states of the conditions of an edited measurement.
    pub editing: StatedEditing,
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
    pub(crate) unknown_columns: Vec<String>,
}

/// Whether a file given as INPUT is a manifest, by its name.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let name = file_name(path);
    let (_, extension) = split_extension(&name);
    ["csv", "tsv", "parquet"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

pub(crate) fn read(path: &Path) -> Result<Manifest, ManifestError> {
    let name = file_name(path);
    let (_, extension) = split_extension(&name);
    let sheet = if extension.eq_ignore_ascii_case("parquet") {
        sheet::read_parquet(path, &columns())
    } else {
        sheet::read_text(path, extension.eq_ignore_ascii_case("tsv"))
    };
    let sheet = sheet.map_err(|message| ManifestError::Unreadable { path: path.to_owned(), message })?;
    let faulty = |message: String| ManifestError::Columns { path: path.to_owned(), message };
    let header: Vec<String> = sheet.header.iter().map(|h| h.trim().to_lowercase()).collect();
    if !header.iter().any(|column| column == "path") {
        return Err(faulty("there is no column `path`".to_owned()));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = header.iter().find(|column| !seen.insert(column.as_str())) {
        return Err(faulty(format!("the column `{twice}` occurs twice")));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let lines = sheet
        .rows
        .iter()
        .map(|(number, cells)| interpret(*number, &Cells { header: &header, cells }, folder))
        .collect();
    let unknown_columns = header.iter().filter(|column| !columns().contains(&column.as_str())).cloned().collect();
    Ok(Manifest { lines, unknown_columns })
}

struct Cells<'a> {
    header: &'a [String],
    cells: &'a [String],
}

impl Cells<'_> {
    fn text(&self, column: &str) -> Option<String> {
        let at = self.header.iter().position(|name| name == column)?;
        self.cells.get(at).filter(|text| !text.is_empty()).cloned()
    }

    /// A label, without the prefix that BIDS puts before it.
    fn label(&self, column: &str, prefix: &str) -> Option<String> {
        self.text(column).map(|text| text.strip_prefix(prefix).unwrap_or(&text).to_owned())
    }

    /// A number above 0 and up to `most`.
    fn number(&self, column: &str, most: f64, fault: &mut Option<String>) -> Option<f64> {
        let text = self.text(column)?;
        match text.parse::<f64>() {
            Ok(value) if value > 0.0 && value <= most => return Some(value),
            Ok(_) => {
                *fault = Some(format!("{column} = {text} is outside (0, {most}]; mind the unit in the column's name"));
            }
            Err(_) => {
                *fault = Some(format!("{column} = `{text}` is no number; write it as 0.03"));
            }
        }
        None
    }
}

fn interpret(number: usize, cells: &Cells<'_>, folder: &Path) -> Line {
    let mut fault = None;
    let mut facts = Facts { sequence: cells.text("sequence"), ..Facts::default() };
    for number in Facts::NUMBERS {
        *(number.of)(&mut facts) = cells.number(number.name, number.most, &mut fault);
    }
    let editing = StatedEditing::parse(cells.text("n_conditions").as_deref(), cells.text("edit_order").as_deref());
    let editing = editing.unwrap_or_else(|message| {
        fault = Some(message);
        StatedEditing::default()
    });
    let overrides = Overrides { basis: cells.text("basis").map(|path| folder.join(path)), facts, editing };
    let id = cells.text("id");
    if id.as_ref().is_some_and(|id| id.split('/').any(|part| part == "..")) {
        fault = Some("id must not contain `..`".to_owned());
    }
    if cells.cells.len() > cells.header.len() {
        fault = Some("the line has more cells than the header; put text with commas in quotes".to_owned());
    }
    let path = cells.text("path");
    if path.is_none() {
        fault = Some("path is empty".to_owned());
    }
    Line {
        number,
        path: path.map(|path| folder.join(path)).unwrap_or_default(),
        water: match cells.text("water_path") {
            None => StatedWater::Unstated,
            Some(text) if text.eq_ignore_ascii_case(NO_WATER) => StatedWater::None,
            Some(text) => StatedWater::File(folder.join(text)),
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;

    fn manifest(name: &str, text: &str) -> Result<Manifest, ManifestError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn separators_and_marks_of_spreadsheets() {
        for (name, text) in [
            ("m.csv", "path,te_s\nx.RAW,0.03\n"),
            ("m.csv", "\u{feff}Path, te_s\r\nx.RAW, 0.03\r\n"),
            ("m.csv", "path;te_s\nx.RAW;0.03\n"),
            ("m.tsv", "path\tte_s\nx.RAW\t0.03\n"),
        ] {
            let manifest = manifest(name, text).unwrap();
            assert_eq!(manifest.lines.len(), 1);
            assert_eq!(manifest.lines[0].overrides.facts.te_s, Some(0.03), "{text:?}");
            assert_eq!(manifest.lines[0].fault, None);
            assert_eq!(manifest.lines[0].number, 2);
            assert!(manifest.lines[0].path.ends_with("x.RAW"));
        }
    }

    #[test]
    fn faults_stay_in_their_line() {
        let text = "path,te_s,dwell_s,id\na,30,,\nb,0.03,x,\n,0.03,,\nc,0.03,0.0005,../c\nd,,,\n\
                    e,,,,,\n";
        let lines = manifest("m.csv", text).unwrap().lines;
        let faults: Vec<Option<&str>> = lines.iter().map(|line| line.fault.as_deref()).collect();
        assert!(faults[0].unwrap().contains("unit"));
        assert!(faults[1].unwrap().contains("no number"));
        assert!(faults[2].unwrap().contains("path is empty"));
        assert!(faults[3].unwrap().contains(".."));
        assert_eq!(faults[4], None);
        assert!(faults[5].unwrap().contains("more cells"));
    }

    #[test]
    fn columns_are_checked() {
        assert!(matches!(manifest("m.csv", "file\nx\n"), Err(ManifestError::Columns { .. })));
        assert!(matches!(manifest("m.csv", "path,path\nx,y\n"), Err(ManifestError::Columns { .. })));
        let read = manifest("m.csv", "path,te_ms,age\nx,30,40\n").unwrap();
        assert_eq!(read.unknown_columns, ["te_ms", "age"]);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let error = manifest("m.parquet", "PAR1 no").unwrap_err();
        assert!(matches!(error, ManifestError::Unreadable { .. }));
    }

    #[test]
    fn water_may_be_stated_denied_or_left_open() {
        let lines = manifest("m.csv", "path,water_path\na,w\nb,None\nc,\n").unwrap().lines;
        assert!(matches!(&lines[0].water, StatedWater::File(path) if path.ends_with("w")));
        assert_eq!(lines[1].water, StatedWater::None);
        assert_eq!(lines[2].water, StatedWater::Unstated);
    }
}
