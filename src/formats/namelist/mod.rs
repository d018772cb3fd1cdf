//! Fortran namelists (`$NAME key = value … $END`) and the fixed-width blocks of numbers that follow them.
//!
//! LCModel's files are written by Fortran and by a dozen programs that imitate it, so this reader is
//! tolerant: `&NAME … /` as well as `$NAME … $END`, strings that begin on the next line, quotes that
//! are missing or doubled (`ID=Mac''`), several values a key, several keys a line, `3*0.` repeats.

mod block;
mod reader;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use block::field_width;
pub use reader::Reader;

/// The most values that one namelist may hold: a missing `$END` must not swallow a data block.
const MAX_VALUES: usize = 10_000;

/// Why a namelist or a block of numbers could not be read. Nothing that stands in the file is repeated: it may be a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NamelistError {
    /// The file ends inside a namelist.
    #[error("line {line}: a namelist has no $END; the file is cut off or not an LCModel file")]
    Unterminated {
        /// Line on which it starts (from 1).
        line: usize,
    },
    /// A namelist holds more values than any LCModel file has.
    #[error("line {line}: a namelist holds more than {MAX_VALUES} values; is its $END missing?")]
    TooLong {
        /// Line on which it starts (from 1).
        line: usize,
    },
    /// A value is not the number that its key asks for.
    #[error("line {line}: {key} is not a finite number")]
    NotANumber {
        /// The key that was asked for.
        key: String,
        /// Line (from 1).
        line: usize,
    },
    /// A line of a data block is not made of numbers.
    #[error("line {line} does not decode as numbers ({})", width.map_or("separated by blanks".to_owned(), |w| format!("columns of {w} characters")))]
    BadData {
        /// Line (from 1).
        line: usize,
        /// Width of a column by the Fortran format that the header states; `None` where it states none.
        width: Option<usize>,
    },
    /// A data block whose commas may be decimal signs or separate whole numbers.
    #[error("line {line}: its commas may be decimal signs or stand between numbers; write decimal points")]
    Commas {
        /// Line (from 1).
        line: usize,
    },
    /// A key of one number has several: its comma is perhaps a decimal sign.
    #[error("line {line}: {key} has several values where one is needed; write a decimal point if its comma is one")]
    Several {
        /// The key that was asked for.
        key: String,
        /// Line (from 1).
        line: usize,
    },
    /// A data block ends too early.
    #[error("line {line}: {found} numbers where {expected} are announced; the file is cut off")]
    Truncated {
        /// Numbers found.
        found: usize,
        /// Numbers announced.
        expected: usize,
        /// Line at which the block ends (from 1).
        line: usize,
    },
    /// A data block goes on after its announced length.
    #[error("line {line}: more than the announced {expected} numbers; correct NDATAB or the file")]
    Surplus {
        /// Numbers announced.
        expected: usize,
        /// Line at which the surplus starts (from 1).
        line: usize,
    },
}

/// One value as written, quotes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    text: String,
    line: usize,
}

/// One `key = value …` of a namelist.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Upper case, with an index such as `PPMGAP(1,1)` without blanks.
    key: String,
    values: Vec<Value>,
}

/// A namelist: its name and its keys in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namelist {
    /// Name in upper case, without `$` or `&`.
    pub name: String,
    /// Line on which it starts (from 1).
    pub line: usize,
    entries: Vec<Entry>,
}

impl Namelist {
    fn entry(&self, key: &str) -> Option<&Entry> {
        // As in Fortran, the last assignment to a key holds.
        self.entries.iter().rev().find(|e| e.key.eq_ignore_ascii_case(key))
    }

    /// First value of `key` as text, blanks trimmed; `None` where absent or blank.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.entry(key)?.values.first().map(|v| v.text.trim()).filter(|t| !t.is_empty())
    }

    /// All values of `key` as text.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.entry(key).into_iter().flat_map(|e| e.values.iter().map(|v| v.text.as_str()))
    }

    /// First value of `key` as a number; `None` where absent or blank (`ECHOT = ,`).
    ///
    /// # Errors
    /// [`NamelistError::NotANumber`] if something else than a finite number stands there.
    pub fn number(&self, key: &str) -> Result<Option<f64>, NamelistError> {
        let Some(value) = self.entry(key).and_then(|e| e.values.first()) else {
            return Ok(None);
        };
        if value.text.trim().is_empty() {
            return Ok(None);
        }
        parse_number(&value.text)
            .map(Some)
            .ok_or_else(|| NamelistError::NotANumber { key: key.to_owned(), line: value.line })
    }

    /// [`Self::number`] of a key that has one value: of `35,5` the first would be another number.
    ///
    /// # Errors
    /// [`NamelistError::NotANumber`], [`NamelistError::Several`].
    pub fn single(&self, key: &str) -> Result<Option<f64>, NamelistError> {
        let values = self.entry(key).map(|e| e.values.as_slice()).unwrap_or_default();
        if let [first, second, ..] = values
            && !first.text.contains('.')
            && parse_number(&second.text).is_some()
        {
            return Err(NamelistError::Several { key: key.to_owned(), line: first.line });
        }
        self.number(key)
    }

    /// First value of `key` as a Fortran logical: anything that starts with T or `.T` is true.
    pub fn flag(&self, key: &str) -> bool {
        self.text(key).is_some_and(|t| t.trim_start_matches('.').starts_with(['T', 't']))
    }

    /// Keys in the order of the file, upper case.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| e.key.as_str())
    }
}

/// A number as Fortran writes it: `1.5`, `-.5`, `1.D-3`, `5e-04`. `None` for anything else, infinities
/// and NaN included.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let first = text.trim_start_matches(['+', '-']).bytes().next()?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None; // "inf", "nan", "****"
    }
    let value = if text.bytes().any(|b| matches!(b, b'd' | b'D')) {
        text.replace(['d', 'D'], "e").parse::<f64>()
    } else {
        text.parse::<f64>()
    };
    value.ok().filter(|v| v.is_finite())
}
