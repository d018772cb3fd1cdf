//! Text tables as spreadsheets write them: encodings, ends of lines, separators.

use std::path::Path;

use super::sheet::{MAX_BYTES, Sheet};
use crate::regular_file;

/// What to do about text in an encoding that nobody states.
const SAVE_AS_UTF8: &str = "save it as UTF-8 (Excel: Save as, `CSV UTF-8`)";
/// Begins every ZIP archive, which spreadsheets are.
const ZIP: &[u8] = b"PK\x03\x04";
/// Begins the spreadsheets of old.
const COMPOUND_FILE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// Reads text whose columns commas, semicolons or tabs separate; `is_known` says of a title whether it is one of those that
/// such a table has, which tells the separator.
pub(crate) fn read_text(path: &Path, is_tsv: bool, is_known: &dyn Fn(&str) -> bool) -> Result<Sheet, String> {
    let bytes = regular_file::bytes(path, MAX_BYTES).map_err(|e| e.to_string())?;
    let text = decoded(bytes)?;
    Separated::find(&text, is_tsv, is_known).sheet()
}

/// The text of a table, with one line feed at the end of each line.
///
/// # Errors
/// In which encoding it is cannot be known, or it is no text.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        other if other.starts_with(ZIP) || other.starts_with(COMPOUND_FILE) => {
            return Err("it is a spreadsheet, not text; save it as CSV (Excel: Save as, `CSV UTF-8`)".to_owned());
        }
        other if other.contains(&0) => {
            return Err(format!("it holds bytes that are 0, as no text does; {SAVE_AS_UTF8}"));
        }
        _ => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count();
            format!("byte {at} (line {line}) is not UTF-8; {SAVE_AS_UTF8}")
        })?,
    };
    // Two characters at the end of a line would be counted as two lines.
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n"))
}

/// What Excel calls "Unicode text".
fn utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| number(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(format!("it begins as UTF-16 and is not; {SAVE_AS_UTF8}")),
    }
}

/// Text whose columns are separated by `delimiter`.
struct Separated<'a> {
    text: &'a str,
    delimiter: u8,
    /// Lines before `text`.
    n_before: usize,
}

impl<'a> Separated<'a> {
    /// Finds the separator: the one that makes most of the titles known ones, of equal ones that of the file's extension.
    fn find(text: &'a str, is_tsv: bool, is_known: &dyn Fn(&str) -> bool) -> Self {
        // Excel's own way to state it.
        if let Some((first, rest)) = text.split_once('\n')
            && let Some(stated) = first.trim().strip_prefix("sep=")
            && let [delimiter @ (b',' | b';' | b'\t')] = stated.as_bytes()
        {
            return Self { text: rest, delimiter: *delimiter, n_before: 1 };
        }
        let usual = if is_tsv { [b'\t', b';', b','] } else { [b',', b';', b'\t'] };
        let score = |delimiter: u8| {
            let titles = Self { text, delimiter, n_before: 0 }.titles();
            titles.iter().filter(|title| is_known(title)).count()
        };
        let mut best = (usual[0], score(usual[0]));
        for delimiter in usual {
            let score = score(delimiter);
            if score > best.1 {
                best = (delimiter, score);
            }
        }
        Self { text, delimiter: best.0, n_before: 0 }
    }

    fn reader(&self, text: &'a str) -> csv::Reader<&'a [u8]> {
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes())
    }

    /// The cells of the first line that has any.
    fn titles(&self) -> Vec<String> {
        let line = self.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        self.reader(line).headers().map(|titles| titles.iter().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The cells.
    fn sheet(&self) -> Result<Sheet, String> {
        let mut reader = self.reader(self.text);
        let header = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
        let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
        let mut lines = Lines { text: self.text.as_bytes(), at: 0, number: 1 + self.n_before };
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            let line = lines.number_at(record.position().map_or(0, csv::Position::byte));
            if record.iter().any(|cell| !cell.is_empty()) {
                rows.push((line, record.iter().map(str::to_owned).collect()));
            }
        }
        // A mark that nobody closes takes the rest of the file into its cell.
        if let Some((line, cells)) = rows.last()
            && cells.last().is_some_and(|cell| cell.contains('\n'))
            && self.text.matches('"').count() % 2 == 1
        {
            return Err(format!(
                "line {line}: a quotation mark is opened and not closed; close it, or write two for one"
            ));
        }
        Ok(Sheet { header, rows, may_have_decimal_commas: self.delimiter != b',' })
    }
}

/// Numbers of lines, by places that only go on. The library counts none that are empty.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// The number of the first line at `byte` or behind that has content.
    fn number_at(&mut self, byte: u64) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(c) = self.text.get(self.at).filter(|c| self.at < byte || **c == b'\n') {
            self.number += usize::from(*c == b'\n');
            self.at += 1;
        }
        self.number
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn sheet(bytes: &[u8], is_tsv: bool) -> Result<Sheet, String> {
        let text = decoded(bytes.to_vec())?;
        Separated::find(&text, is_tsv, &|title| ["path", "te_s"].contains(&title)).sheet()
    }

    fn utf16_of(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once('\u{feff}')
            .chain(text.chars())
            .flat_map(|c| {
                let mut pair = [0; 2];
                c.encode_utf16(&mut pair).iter().flat_map(|unit| bytes(*unit)).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn encodings_ends_of_lines_and_separators_make_no_difference() {
        let lines = [["path", "te_s"], ["Süd/x.dat", "0.03"], ["y.dat", ""]];
        for delimiter in [',', ';', '\t'] {
            for end in ["\n", "\r\n", "\r"] {
                let text: String = lines.iter().map(|[a, b]| format!("{a}{delimiter}{b}{end}")).collect();
                let mut forms = vec![text.clone().into_bytes(), [b"\xef\xbb\xbf", text.as_bytes()].concat()];
                forms.push(utf16_of(&text, u16::to_le_bytes));
                forms.push(utf16_of(&text, u16::to_be_bytes));
                for (bytes, is_tsv) in forms.iter().flat_map(|bytes| [(bytes, false), (bytes, true)]) {
                    let sheet = sheet(bytes, is_tsv).unwrap();
                    assert_eq!(sheet.header, lines[0], "{delimiter:?} {end:?}");
                    let expected = [(2, lines[1].map(String::from).to_vec()), (3, lines[2].map(String::from).to_vec())];
                    assert_eq!(sheet.rows, expected, "{delimiter:?} {end:?}");
                    assert_eq!(sheet.may_have_decimal_commas, delimiter != ',');
                }
            }
        }
    }

    #[test]
    fn the_separator_may_be_stated_and_rows_without_content_are_none() {
        let sheet = sheet(b"sep=;\n\npath;x,y\n;\n\na;1\n;;\n", false).unwrap();
        assert_eq!(
            (sheet.header, sheet.rows),
            (vec!["path".into(), "x,y".into()], vec![(6, vec!["a".into(), "1".into()])])
        );
    }

    #[test]
    fn what_cannot_be_known_is_refused_with_advice() {
        for (bytes, what) in [
            (b"path\nS\xfcd.dat\n".as_slice(), "byte 6 (line 2)"),
            (b"PK\x03\x04xl/workbook.xml", "CSV UTF-8"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "spreadsheet"),
            (b"p\0a\0t\0h\0\n\0", "bytes that are 0"),
            (b"\xff\xfe\x00\xd8", "UTF-16"),
            (b"path,te_s\n\"a,0.03\nb,0.03\nc,0.03\n", "line 2: a quotation mark"),
        ] {
            let error = sheet(bytes, false).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
