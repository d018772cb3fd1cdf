//! The manifest that a plan writes, to be filled in: a line for each file, with what it lacks.

use std::collections::HashMap;
use std::path::Path;

use super::plan::{Planned, PlannedFile};
use crate::acquisition::Facts;
use crate::corpus::titles::{KNOWN, KNOWN_PREFIX, PROBLEM, TO_FILL_IN, columns};
use crate::corpus::{Found, Problem, Water, id_of, relative_path};
use crate::printable::{PATH_CHARS, printable};

/// A manifest as text, and what it does not list.
pub struct PlannedManifest {
    /// Its text.
    pub text: String,
    /// Lines.
    pub n_lines: usize,
    /// Lines with something to fill in.
    pub n_to_fill_in: usize,
    /// Water references without a spectrum, which are not listed: a manifest would make spectra of them.
    pub n_references: usize,
    /// Files that hold the scan of another one, which are not listed: a manifest would have them analysed as well.
    pub n_same: usize,
}

/// The manifest of a plan, to lie in `folder` (absolute), its columns separated by `delimiter`. `gaps` are the values of the
/// options for files that do not state them.
///
/// What goes before a file's header stays empty, but for what a manifest or an option stated: a manifest that is given back
/// as it is changes nothing.
///
/// # Errors
/// Never for text.
pub fn manifest(planned: &Planned, gaps: &Facts, folder: &Path, delimiter: u8) -> Result<PlannedManifest, csv::Error> {
    let carried = &planned.listing.carried;
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    // What is to be filled in stands where it is seen.
    let mut header: Vec<String> = columns().into_iter().map(str::to_owned).collect();
    header.insert(1, TO_FILL_IN.to_owned());
    header.extend(carried.iter().cloned());
    header.extend(KNOWN.map(|fact| format!("{KNOWN_PREFIX}{fact}")));
    header.push(PROBLEM.to_owned());
    writer.write_record(&header)?;
    let is_reference = |found: &Found| found.problem == Some(Problem::LoneReference);
    let is_same = |found: &Found| matches!(found.problem, Some(Problem::SameScan { .. }));
    let is_listed = |found: &Found| !is_reference(found) && !is_same(found);
    let all = &planned.listing.found;
    let count = |is: &dyn Fn(&Found) -> bool| all.iter().filter(|found| is(found)).count();
    let (n_references, n_same) = (count(&is_reference), count(&is_same));
    let ids = derived_ids(all.iter().filter(|found| is_listed(found)), folder);
    let (mut n_lines, mut n_to_fill_in) = (0, 0);
    for (found, file) in all.iter().zip(&planned.files).filter(|(found, _)| is_listed(found)) {
        let line = Line { found, file, gaps, folder, ids: &ids };
        let to_fill_in = file.to_fill_in();
        n_lines += 1;
        n_to_fill_in += usize::from(!to_fill_in.is_empty());
        let mut cells: Vec<String> = columns().into_iter().map(|column| line.cell(column)).collect();
        cells.insert(1, to_fill_in);
        cells.extend(carried.iter().map(|name| found.overrides.carried.get(name).cloned().unwrap_or_default()));
        cells.extend(KNOWN.iter().map(|fact| known(&file.facts, fact)));
        cells.push(file.problem.clone().unwrap_or_default());
        writer.write_record(cells.iter().map(|cell| no_formula(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // Without the mark Excel takes text for that of its own country; for other programs it is better away.
    let text = if text.is_ascii() { text } else { format!("\u{feff}{text}") };
    Ok(PlannedManifest { text, n_lines, n_to_fill_in, n_references, n_same })
}

/// How many files have each id, by their paths from `folder`.
fn derived_ids<'a>(found: impl Iterator<Item = &'a Found>, folder: &Path) -> HashMap<String, usize> {
    let mut ids = HashMap::new();
    for one in found {
        *ids.entry(derived_id(one, folder)).or_insert(0) += 1;
    }
    ids
}

fn derived_id(found: &Found, folder: &Path) -> String {
    id_of(&printable(&relative_path(&found.path, folder), PATH_CHARS))
}

struct Line<'a> {
    found: &'a Found,
    file: &'a PlannedFile,
    gaps: &'a Facts,
    folder: &'a Path,
    ids: &'a HashMap<String, usize>,
}

impl Line<'_> {
    /// What stands in a column that is read.
    fn cell(&self, column: &str) -> String {
        let found = self.found;
        let label = |label: &Option<String>| label.clone().unwrap_or_default();
        match column {
            "path" => self.path(&found.path),
            "water_path" => match &found.water {
                Water::Paired(path) => self.path(path),
                Water::None | Water::Ambiguous(_) | Water::Missing(_) | Water::Unfit(..) => String::new(),
            },
            "basis" => found.overrides.basis.as_ref().map(|path| self.path(path)).unwrap_or_default(),
            "recipe" => found.overrides.recipe.as_ref().map(|path| self.path(path)).unwrap_or_default(),
            "segmentation_path" => {
                found.overrides.segmentation.as_ref().map(|path| self.path(path)).unwrap_or_default()
            }
            "id" => self.id(),
            "subject" => label(&found.subject),
            "session" => label(&found.session),
            "site" => label(&found.site),
            "voi" => label(&found.voi),
            other => self.stated(other).unwrap_or_else(|| self.given(other)),
        }
    }

    /// A path from the manifest's folder.
    fn path(&self, path: &Path) -> String {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let path = relative_path(&path, self.folder);
        // No spreadsheet takes this for a formula.
        if path.starts_with(['=', '+', '-', '@', '\'']) { format!("./{path}") } else { path }
    }

    /// The id, where the path alone would give another one. Spreadsheets turn what looks like a number into one.
    fn id(&self) -> String {
        let derived = derived_id(self.found, self.folder);
        let is_derived = derived == self.found.id && self.ids.get(&derived) == Some(&1);
        if is_derived { String::new() } else { self.found.id.clone() }
    }

    /// What a manifest stated before: numbers as they were read, as this one separates its columns otherwise; what could
    /// not be read as it stood.
    fn stated(&self, column: &str) -> Option<String> {
        let mut facts = self.found.overrides.facts.clone();
        let number = Facts::NUMBERS.iter().find(|number| number.name == column);
        let read = number.and_then(|number| *(number.of)(&mut facts)).map(|value| value.to_string());
        read.or_else(|| self.found.overrides.cells.get(column).cloned())
    }

    /// What an option gave where the file says nothing.
    fn given(&self, column: &str) -> String {
        let (mut given, mut taken) = (self.gaps.clone(), self.file.facts.clone());
        let text = match column {
            "sequence" => Some((given.sequence.take(), taken.sequence.take())),
            "pulses" => Some((given.pulses.take(), taken.pulses.take())),
            _ => None,
        };
        if let Some((given, taken)) = text {
            return given.filter(|given| Some(given) == taken.as_ref()).unwrap_or_default();
        }
        let Some(number) = Facts::NUMBERS.iter().find(|number| number.name == column) else { return String::new() };
        let (given, taken) = (*(number.of)(&mut given), *(number.of)(&mut taken));
        given.filter(|given| Some(*given) == taken).map(|given| given.to_string()).unwrap_or_default()
    }
}

/// What a run takes now.
fn known(facts: &Facts, fact: &str) -> String {
    let mut facts = facts.clone();
    let text = match fact {
        "vendor" => facts.vendor,
        "sequence" => facts.sequence,
        _ => {
            let number = Facts::NUMBERS.iter().find(|number| number.name == fact);
            number.and_then(|number| *(number.of)(&mut facts)).map(shown)
        }
    };
    text.unwrap_or_default()
}

/// A number as people write it: nine digits of it.
fn shown(value: f64) -> String {
    format!("{value:.8e}").parse().unwrap_or(value).to_string()
}

/// A cell that spreadsheets do not take for a formula, by their own mark for text.
fn no_formula(cell: &str) -> String {
    let looks_like_one = cell.starts_with(['=', '+', '-', '@']) && cell.parse::<f64>().is_err();
    if looks_like_one { format!("'{cell}") } else { cell.to_owned() }
}
