//! What only people know of a study: a TOML file with a text for each item, for all spectra or for some.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::item::{ITEMS, Item};
use super::protocol::Protocol;
use crate::printable::{MESSAGE_CHARS, printable};
use crate::regular_file;
use crate::store::SpectrumRow;

/// Largest file that is read (bytes).
const MAX_BYTES: u64 = 1 << 20;
/// Key of the list of texts that hold for some of the spectra.
const WHERE_KEY: &str = "where";
/// Columns of `spectra` by which it says for which, all of them texts.
const SELECTORS: [&str; 5] = ["site", "vendor", "sequence", "voi", "subject"];
/// The one that is a number.
const TE_KEY: &str = "te_s";
/// Echo times (s) that are nearer are equal.
const TE_TOLERANCE_S: f64 = 5e-5;

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML; the message names the line.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What does not parse.
        source: Box<toml::de::Error>,
    },
    /// It says something that has no place.
    #[error("{}: {fault}", path.display())]
    Fault {
        /// The file.
        path: PathBuf,
        /// What, where, and what would be right.
        fault: String,
    },
}

/// What people know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct People {
    /// For all spectra first, then in the order of the file: later ones go before earlier ones.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Part {
    /// Columns with the value that a row must have.
    selectors: Vec<(&'static str, String)>,
    te_s: Option<f64>,
    /// Key of the item, and what is known.
    texts: Vec<(&'static str, String)>,
}

impl Part {
    fn holds_for(&self, row: &SpectrumRow) -> bool {
        let is_so = |(column, wanted): &(&str, String)| column_of(row, column) == Some(wanted);
        let te_is_so = |te_s: f64| row.te_s.is_some_and(|own| (own - te_s).abs() <= TE_TOLERANCE_S);
        self.selectors.iter().all(is_so) && self.te_s.is_none_or(te_is_so)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.texts.iter().find(|(k, _)| *k == key).map(|(_, text)| text.as_str())
    }
}

fn column_of<'a>(row: &'a SpectrumRow, column: &str) -> Option<&'a String> {
    match column {
        "site" => row.site.as_ref(),
        "vendor" => row.vendor.as_ref(),
        "sequence" => row.sequence.as_ref(),
        "voi" => row.voi.as_ref(),
        "subject" => row.subject.as_ref(),
        _ => None,
    }
}

impl People {
    /// Reads the file.
    ///
    /// # Errors
    /// [`PeopleError`]: it cannot be read, is no TOML, or has keys or values that have no place in it.
    pub fn read(path: &Path) -> Result<Self, PeopleError> {
        let at = || path.to_owned();
        let text = regular_file::text(path, MAX_BYTES).map_err(|source| PeopleError::Io { path: at(), source })?;
        let table: Table =
            toml::from_str(&text).map_err(|source| PeopleError::Toml { path: at(), source: Box::new(source) })?;
        Self::from_table(table).map_err(|fault| PeopleError::Fault { path: at(), fault })
    }

    fn from_table(mut table: Table) -> Result<Self, String> {
        let some = match table.remove(WHERE_KEY) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err("where: give tables, each under [[where]]".to_owned()),
        };
        let mut parts = vec![part("", table, false)?];
        for (i, one) in some.into_iter().enumerate() {
            let place = format!("[[where]] number {}: ", i + 1);
            let Value::Table(one) = one else { return Err(format!("{place}give a table")) };
            let part = part(&place, one, true)?;
            if part.selectors.is_empty() && part.te_s.is_none() {
                return Err(format!("{place}say for which spectra, by {}", selectors()));
            }
            if part.texts.is_empty() {
                return Err(format!("{place}nothing is said there; give one of {}", keys()));
            }
            parts.push(part);
        }
        Ok(Self { parts })
    }

    /// What they say of a row for the item `key`.
    fn of_row(&self, row: &SpectrumRow, key: &str) -> Option<&str> {
        self.parts.iter().rev().filter(|part| part.holds_for(row)).find_map(|part| part.text(key))
    }

    /// What they say of a protocol for an item; where its spectra differ, each text with the sites and regions that it is of.
    pub(super) fn say(&self, protocol: &Protocol<'_>, item: &Item) -> Option<String> {
        let mut texts: Vec<(Option<&str>, Vec<String>, usize)> = Vec::new();
        for row in &protocol.spectra {
            let text = self.of_row(row, item.key);
            let whose = whose(row);
            match texts.iter_mut().find(|(known, ..)| *known == text) {
                Some((_, places, n)) => {
                    *n += 1;
                    if !places.contains(&whose) {
                        places.push(whose);
                    }
                }
                None => texts.push((text, vec![whose], 1)),
            }
        }
        match texts.as_slice() {
            [] | [(None, ..)] => None,
            [(Some(text), ..)] => Some((*text).to_owned()),
            several => {
                let one = |(text, places, n): &(Option<&str>, Vec<String>, usize)| {
                    let mut places = places.clone();
                    places.sort();
                    format!("{} ({}; n = {n})", text.unwrap_or("not stated"), places.join(", "))
                };
                Some(several.iter().map(one).collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// What the file says of no spectrum: mistyped, most of the time.
    pub(super) fn unused(&self, spectra: &[SpectrumRow]) -> Vec<String> {
        let numbered = self.parts.iter().enumerate().skip(1);
        let unused = numbered.filter(|(_, part)| !spectra.iter().any(|row| part.holds_for(row)));
        let told = |(i, part): (usize, &Part)| {
            let te = part.te_s.map(|te_s| format!("{TE_KEY} = {te_s}"));
            let by: Vec<String> = part.selectors.iter().map(|(c, v)| format!("{c} = \"{v}\"")).chain(te).collect();
            format!("[[where]] number {i} ({}) is of no spectrum here: what it says stands nowhere", by.join(", "))
        };
        unused.map(told).collect()
    }

    /// A file to fill in, with what `entries` of `(protocol, item)` ask for.
    pub(super) fn template(asked: &[(&'static Item, Vec<String>)]) -> String {
        let mut text = String::from(
            "# What only people know of this study: fill in and take the # away.\n\
             # Texts that hold for some spectra only go below, under [[where]].\n",
        );
        for (item, protocols) in asked {
            let what = if item.asks.is_empty() { "not in the tables" } else { item.asks };
            let of = if protocols.is_empty() { String::new() } else { format!(" (protocol {})", protocols.join(", ")) };
            text += &format!("\n# {} {}: {what}{of}\n# {} = \"\"\n", item.id, item.title, item.key);
        }
        text + &format!("\n# [[where]]             # by {}\n# site = \"\"\n# model = \"\"\n", selectors())
    }
}

/// Of which site and region a row is.
fn whose(row: &SpectrumRow) -> String {
    let site = row.site.as_ref().map(|site| format!("site {site}"));
    let voi = row.voi.as_ref().map(|voi| format!("region {voi}"));
    match (site, voi) {
        (Some(site), Some(voi)) => format!("{site} {voi}"),
        (site, voi) => site.or(voi).unwrap_or_else(|| "others".to_owned()),
    }
}

fn keys() -> String {
    ITEMS.map(|item| item.key).join(", ")
}

fn selectors() -> String {
    format!("{}, {TE_KEY}", SELECTORS.join(", "))
}

fn part(place: &str, table: Table, may_select: bool) -> Result<Part, String> {
    let mut part = Part::default();
    for (key, value) in table {
        let selector = SELECTORS.iter().find(|column| may_select && **column == key);
        if may_select && key == TE_KEY {
            let te_s = value.as_float().or_else(|| value.as_integer().map(|te_s| te_s as f64));
            part.te_s = Some(te_s.filter(|te_s| *te_s > 0.0).ok_or_else(|| format!("{place}{key}: give seconds"))?);
        } else if let Some(&column) = selector {
            part.selectors.push((column, text_of(place, &key, &value)?));
        } else if let Some(item) = Item::of_key(&key) {
            part.texts.push((item.key, text_of(place, &key, &value)?));
        } else {
            let by = if may_select { format!(", or by which columns: {}", selectors()) } else { String::new() };
            return Err(format!("{place}`{key}` is no item; give one of {}{by}", keys()));
        }
    }
    Ok(part)
}

/// A text on one line that shows.
fn text_of(place: &str, key: &str, value: &Value) -> Result<String, String> {
    let Some(text) = value.as_str() else { return Err(format!("{place}{key}: give a text in quotes")) };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(format!("{place}{key}: nothing is said there; leave it out, or say \"none\""));
    }
    if printable(&text, MESSAGE_CHARS) != text {
        return Err(format!("{place}{key}: give at most {MESSAGE_CHARS} characters that show"));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
