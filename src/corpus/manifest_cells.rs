//! The cells of a manifest's row, and what they state.

use std::collections::BTreeMap;

use super::titles::{Title, columns};
use crate::acquisition::{Facts, Number};
use crate::printable::printable_label;
use crate::quantify::Fractions;
use crate::tissue::given;

/// Cells that mean that a value is not known, as spreadsheets, R, Python and BIDS write them.
pub(crate) const NOT_KNOWN: [&str; 10] = ["n/a", "N/A", "NA", "#N/A", "NaN", "nan", "NULL", "null", "-", "–"];
/// The one of them that may be meant as a label: a site called NA.
pub(super) const LABEL_OR_NOT: &str = "NA";
/// Columns whose cells are labels.
pub(super) const LABELS: [&str; 5] = ["id", "subject", "session", "site", "voi"];

/// Columns whose cells are paths.
const PATHS: [&str; 4] = ["path", "water_path", "basis", "segmentation_path"];

/// Columns with times of the water reference, and those with the spectrum's.
const WATER_TIMES: [(&str, &str); 2] = [("water_te_s", "te_s"), ("water_tr_s", "tr_s")];

/// The cells of a row.
pub(super) struct Cells<'a> {
    pub(super) titles: &'a [Title],
    pub(super) cells: &'a [String],
    /// Whether the comma may be the decimal sign.
    pub(super) comma: bool,
}

impl Cells<'_> {
    /// What stands in a column.
    pub(super) fn cell(&self, column: &str) -> Option<&str> {
        let at = self.titles.iter().position(|title| matches!(title, Title::Known(name) if *name == column))?;
        self.cells.get(at).map(String::as_str)
    }

    /// What a column states.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        let text = self.cell(column).filter(|text| !text.is_empty() && !NOT_KNOWN.contains(text))?;
        Some(without_apostrophe(text).to_owned())
    }

    /// The user's own columns that have something in this row.
    pub(super) fn carried(&self) -> BTreeMap<String, String> {
        let all = self.titles.iter().zip(self.cells);
        all.filter_map(|(title, cell)| match title {
            Title::Extra(name) if !cell.is_empty() => {
                Some((name.clone(), printable_label(Some(without_apostrophe(cell).to_owned()))?))
            }
            Title::Extra(_) | Title::Known(_) | Title::Ignored => None,
        })
        .collect()
    }

    /// The cells that go before what the file says, as they stand there.
    pub(super) fn stated(&self) -> BTreeMap<&'static str, String> {
        let goes_first = |column: &&'static str| !LABELS.contains(column) && !PATHS.contains(column);
        columns().into_iter().filter(goes_first).filter_map(|column| Some((column, self.text(column)?))).collect()
    }

    /// A label, without the prefix that BIDS puts before it.
    pub(super) fn label(&self, column: &str, prefix: &str) -> Option<String> {
        self.text(column).map(|text| text.strip_prefix(prefix).unwrap_or(&text).to_owned())
    }

    /// A number that can be right.
    pub(super) fn number(&self, number: &Number, fault: &mut Option<String>) -> Option<f64> {
        let value = self.parsed(number.name).map_err(|message| *fault = Some(message)).ok()??;
        number.checked(value).map_err(|message| *fault = Some(message)).ok()
    }

    /// Echo and repetition time of the water reference.
    pub(super) fn water_times(&self, fault: &mut Option<String>) -> Facts {
        let mut times = Facts::default();
        for number in Facts::NUMBERS {
            if let Some((name, _)) = WATER_TIMES.iter().find(|(_, of_spectrum)| *of_spectrum == number.name) {
                *(number.of)(&mut times) = self.number(&Number { name, ..*number }, fault);
            }
        }
        times
    }

    /// What a column states, as a number.
    fn parsed(&self, column: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let has_decimal_comma = self.comma && text.matches(',').count() == 1 && !text.contains('.');
        let as_written = if has_decimal_comma { text.replace(',', ".") } else { text.clone() };
        let value = as_written.parse().map_err(|_| format!("{column} = `{text}` is no number; write it as 0.03"))?;
        Ok(Some(value))
    }

    /// The shares of the three tissues, with what was done to them.
    pub(super) fn fractions(&self) -> Result<Option<(Fractions, Option<String>)>, String> {
        let [gm, wm, csf] = ["f_gm", "f_wm", "f_csf"].map(|column| self.parsed(column));
        match (gm?, wm?, csf?, self.text("segmentation_path")) {
            (None, None, None, _) => Ok(None),
            (Some(_), Some(_), Some(_), Some(_)) => {
                Err("give either `segmentation_path` or `f_gm`, `f_wm` and `f_csf`".to_owned())
            }
            (Some(gm), Some(wm), Some(csf), None) => {
                given::checked([gm, wm, csf], "the manifest").map(Some).map_err(|error| error.to_string())
            }
            _ => Err("give all of `f_gm`, `f_wm` and `f_csf`, or none of them".to_owned()),
        }
    }
}

/// Spreadsheets put an apostrophe before text that they would take as a formula.
fn without_apostrophe(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(text)
}
