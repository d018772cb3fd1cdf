//! Fortran namelists (`$NAME key = value … $END`) and the fixed-width blocks of numbers that follow them.
//!
//! LCModel's files are written by Fortran and by a dozen programs that imitate it, so this reader is
//! tolerant: `&NAME … /` as well as `$NAME … $END`, strings that begin on the next line, quotes that
//! are missing or doubled (`ID=Mac''`), several values a key, several keys a line, `3*0.` repeats.

use thiserror::Error;

/// The most values that one namelist may hold: a missing `$END` must not swallow a data block.
const MAX_VALUES: usize = 10_000;

/// Why a namelist or a block of numbers could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NamelistError {
    /// The file ends inside a namelist.
    #[error("line {line}: namelist ${name} has no $END; the file is cut off or not an LCModel file")]
    Unterminated {
        /// Name of the namelist.
        name: String,
        /// Line on which it starts (from 1).
        line: usize,
    },
    /// A namelist holds more values than any LCModel file has.
    #[error("line {line}: namelist ${name} holds more than {MAX_VALUES} values; is its $END missing?")]
    TooLong {
        /// Name of the namelist.
        name: String,
        /// Line on which it starts (from 1).
        line: usize,
    },
    /// A value is not the number that its key asks for.
    #[error("line {line}: {key} = {text:?} is not a finite number")]
    NotANumber {
        /// The key.
        key: String,
        /// What stands there.
        text: String,
        /// Line (from 1).
        line: usize,
    },
    /// A line of a data block is not made of numbers.
    #[error("line {line}: {text:?} does not decode as numbers (format {format})")]
    BadData {
        /// The first characters of the line.
        text: String,
        /// Line (from 1).
        line: usize,
        /// The Fortran format that the header states.
        format: String,
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
        parse_number(&value.text).map(Some).ok_or_else(|| NamelistError::NotANumber {
            key: key.to_owned(),
            text: excerpt(value.text.as_bytes()),
            line: value.line,
        })
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

/// The first characters of a line, for an error message.
fn excerpt(bytes: &[u8]) -> String {
    bytes.iter().take(40).map(|&b| char::from(b)).collect()
}

/// Reads namelists and number blocks one after the other from the bytes of a file.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0, line: 1 }
    }

    /// Line that is read next (from 1).
    pub fn line(&self) -> usize {
        self.line
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    fn bump(&mut self) {
        if self.peek() == Some(b'\n') {
            self.line += 1;
        }
        self.pos += 1;
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|b| b != b'\n') {
            self.pos += 1;
        }
        self.bump();
    }

    /// Name of the namelist that starts at the first non-blank of the present line, if one does.
    fn header_at_line_start(&self) -> Option<(String, usize)> {
        let rest = self.rest();
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        if !matches!(rest.get(blanks), Some(b'$' | b'&')) {
            return None;
        }
        let name: String = rest
            .get(blanks + 1..)?
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .map(|&b| char::from(b.to_ascii_uppercase()))
            .collect();
        let length = blanks + 1 + name.len();
        (!name.is_empty()).then_some((name, length))
    }

    /// The next namelist, or `None` at the end of the file. Lines in between are passed over; the
    /// reader stands on the line after `$END` afterwards.
    ///
    /// # Errors
    /// [`NamelistError::Unterminated`] and [`NamelistError::TooLong`].
    pub fn next_namelist(&mut self) -> Result<Option<Namelist>, NamelistError> {
        while self.pos < self.bytes.len() {
            match self.header_at_line_start() {
                Some((name, length)) if name != "END" => {
                    let line = self.line;
                    self.pos += length;
                    return self.body(name, line).map(Some);
                }
                _ => self.skip_line(),
            }
        }
        Ok(None)
    }

    fn body(&mut self, name: String, line: usize) -> Result<Namelist, NamelistError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut n_values = 0_usize;
        let mut fresh_line = false;
        loop {
            let Some(byte) = self.peek() else {
                return Err(NamelistError::Unterminated { name, line });
            };
            if fresh_line {
                fresh_line = false;
                // The next namelist starts although this one has no $END.
                if self.header_at_line_start().is_some_and(|(n, _)| n != "END") {
                    break;
                }
            }
            match byte {
                b'\n' => {
                    fresh_line = true;
                    self.bump();
                }
                b'!' => {
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.pos += 1;
                    }
                }
                b if b.is_ascii_whitespace() || b == b',' => self.bump(),
                b'$' | b'&' => {
                    self.skip_line();
                    break;
                }
                b'/' if self.bytes.get(self.pos + 1).is_none_or(u8::is_ascii_whitespace) => {
                    self.skip_line();
                    break;
                }
                _ => {
                    if let Some((key, length)) = self.key() {
                        self.pos += length;
                        entries.push(Entry { key, values: Vec::new() });
                        continue;
                    }
                    let at = self.line;
                    let (repeat, text) =
                        if matches!(byte, b'\'' | b'"') { (1, self.quoted(byte)) } else { split_repeat(self.bare()) };
                    n_values = n_values.saturating_add(repeat);
                    if n_values > MAX_VALUES {
                        return Err(NamelistError::TooLong { name, line });
                    }
                    // A value before the first key belongs to nothing.
                    if let Some(entry) = entries.last_mut() {
                        entry.values.extend(std::iter::repeat_n(Value { text, line: at }, repeat));
                    }
                }
            }
        }
        Ok(Namelist { name, line, entries })
    }

    /// `KEY =` or `KEY(1,2) =` at the present position: the key and the length up to and with `=`.
    fn key(&self) -> Option<(String, usize)> {
        let rest = self.rest();
        if !rest.first()?.is_ascii_alphabetic() {
            return None;
        }
        let mut n = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let mut key: String = rest.get(..n)?.iter().map(|&b| char::from(b.to_ascii_uppercase())).collect();
        let blanks =
            |from: usize| rest.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count();
        n += blanks(n);
        if rest.get(n) == Some(&b'(') {
            let inside = rest.get(n + 1..)?.iter().take(32).position(|&b| b == b')')?;
            let index = rest.get(n + 1..n + 1 + inside)?;
            if !index.iter().all(|b| b.is_ascii_digit() || matches!(b, b',' | b':' | b' ')) {
                return None;
            }
            key.push('(');
            key.extend(index.iter().filter(|b| **b != b' ').map(|&b| char::from(b)));
            key.push(')');
            n += inside + 2;
            n += blanks(n);
        }
        (rest.get(n) == Some(&b'=')).then_some((key, n + 1))
    }

    /// A value without an opening quote, up to a blank or comma; stray quotes at its end are dropped.
    fn bare(&mut self) -> String {
        let start = self.pos;
        while let Some(b) = self.peek() {
            let ends_namelist = matches!(b, b'$' | b'&') && {
                let word = self.bytes.get(self.pos + 1..self.pos + 4).unwrap_or_default();
                word.eq_ignore_ascii_case(b"END") || word.first().is_none_or(u8::is_ascii_whitespace)
            };
            if b.is_ascii_whitespace() || b == b',' || ends_namelist {
                break;
            }
            self.pos += 1;
        }
        let raw = self.bytes.get(start..self.pos).unwrap_or_default();
        let text: String = raw.iter().map(|&b| char::from(b)).collect();
        text.trim_matches(['\'', '"']).to_owned()
    }

    /// A quoted string. One whose closing quote is missing ends with its line, or before the next
    /// `, KEY =` on it, rather than swallowing what follows.
    fn quoted(&mut self, quote: u8) -> String {
        self.bump();
        let rest = self.rest();
        let mut text = Vec::new();
        let mut n = 0;
        let closed = loop {
            match rest.get(n) {
                Some(&b) if b == quote && rest.get(n + 1) == Some(&quote) => {
                    text.push(b);
                    n += 2;
                }
                Some(&b) if b == quote => break true,
                Some(b'\n') => {
                    let next_line = rest.get(n + 1..).unwrap_or_default();
                    let next_line = next_line.split(|&b| b == b'\n').next().unwrap_or_default();
                    // A long string may go on, but not over a `$END` or a new assignment.
                    let goes_on =
                        next_line.contains(&quote) && !next_line.contains(&b'=') && !next_line.contains(&b'$');
                    if !goes_on {
                        break false;
                    }
                    n += 1;
                }
                Some(&b) => {
                    text.push(b);
                    n += 1;
                }
                None => break false,
            }
        };
        if closed {
            let after = rest.get(n + 1).copied().unwrap_or(b'\n');
            let clean_end = after.is_ascii_whitespace() || matches!(after, b',' | b'/' | b'$' | b'&' | b'!');
            let swallowed_key = text.ends_with(b"=").then(|| text.iter().rposition(|&b| b == b',')).flatten();
            if let (false, Some(comma)) = (clean_end, swallowed_key) {
                // `ID='Mac, FMTDAT='(8E13.5)'`: the quote found opens the next value.
                text.truncate(comma);
                n = comma;
            } else {
                n += 1;
            }
        } else {
            while text.last().is_some_and(|b| b.is_ascii_whitespace() || *b == b',') {
                text.pop();
            }
        }
        for _ in 0..n {
            self.bump();
        }
        text.iter().filter(|b| **b != b'\r').map(|&b| char::from(b)).collect()
    }

    /// Numbers from the present line on: exactly `expected`, or all up to the next namelist or the
    /// end of the file.
    ///
    /// Columns are separated by blanks where the line allows it, else cut by the width in `format`
    /// (`(6E13.5)`), for Fortran leaves no blank before a negative number that fills its column.
    ///
    /// # Errors
    /// [`NamelistError::BadData`], [`NamelistError::Truncated`], [`NamelistError::Surplus`].
    pub fn numbers(&mut self, format: &str, expected: Option<usize>) -> Result<Vec<f64>, NamelistError> {
        let width = field_width(format);
        // Two bytes a number is the least possible: an announced length cannot make us allocate more.
        let mut numbers = Vec::with_capacity(expected.unwrap_or(0).min(self.rest().len() / 2 + 1));
        while self.pos < self.bytes.len() {
            if self.header_at_line_start().is_some() {
                break;
            }
            let rest = self.rest();
            let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            if !line.iter().all(u8::is_ascii_whitespace) {
                if let Some(expected) = expected.filter(|&e| e == numbers.len()) {
                    return Err(NamelistError::Surplus { expected, line: self.line });
                }
                if decode_line(line, width, &mut numbers).is_none() {
                    return Err(NamelistError::BadData {
                        text: excerpt(line),
                        line: self.line,
                        format: format.to_owned(),
                    });
                }
            }
            self.pos += end;
            self.bump();
        }
        match expected {
            Some(expected) if numbers.len() < expected => {
                Err(NamelistError::Truncated { found: numbers.len(), expected, line: self.line })
            }
            Some(expected) if numbers.len() > expected => Err(NamelistError::Surplus { expected, line: self.line }),
            _ => Ok(numbers),
        }
    }
}

/// `3*0.` → (3, `0.`).
fn split_repeat(text: String) -> (usize, String) {
    match text.split_once('*') {
        Some((count, value)) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
            (count.parse().unwrap_or(usize::MAX), value.to_owned())
        }
        _ => (1, text),
    }
}

/// Column width of a Fortran format such as `(6E13.5)` or `(1P,2E15.6)`; `None` for `*` and the like.
pub fn field_width(format: &str) -> Option<usize> {
    let bytes = format.as_bytes();
    let letter = bytes.iter().position(|b| matches!(b.to_ascii_uppercase(), b'E' | b'F' | b'G' | b'D'))?;
    // `1PE13.5`, `ES13.5`, `EN13.5`: an S or N may follow the E.
    let digits = bytes.get(letter + 1..)?.iter().skip_while(|b| b.is_ascii_alphabetic());
    let digits: String = digits.take_while(|b| b.is_ascii_digit()).map(|&b| char::from(b)).collect();
    digits.parse().ok().filter(|w| (1..=64).contains(w))
}

/// Appends the numbers of one line; `None` (and nothing appended) if it does not decode.
fn decode_line(line: &[u8], width: Option<usize>, numbers: &mut Vec<f64>) -> Option<()> {
    let before = numbers.len();
    let text = std::str::from_utf8(line).ok()?;
    let blank = |c: char| c.is_ascii_whitespace() || c == ',';
    let free = text.split(blank).filter(|t| !t.is_empty()).try_for_each(|token| {
        numbers.push(parse_number(token)?);
        Some(())
    });
    if free.is_some() {
        return free;
    }
    numbers.truncate(before);
    let line = line.trim_ascii_end();
    let fixed = line.chunks(width?).try_for_each(|field| {
        let field = std::str::from_utf8(field).ok()?;
        numbers.push(parse_number(field)?);
        Some(())
    });
    if fixed.is_none() {
        numbers.truncate(before);
    }
    fixed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
    use super::*;

    fn one(text: &str) -> Namelist {
        Reader::new(text.as_bytes()).next_namelist().unwrap().unwrap()
    }

    #[test]
    fn several_keys_a_line_and_end_on_the_same_line() {
        let n = one(" $NMID ID='x y', FMTDAT='(8E13.5)'\n TRAMP=1., VOLUME=8 $END\n 1 2");
        assert_eq!(n.name, "NMID");
        assert_eq!(n.text("id"), Some("x y"));
        assert_eq!(n.text("FMTDAT"), Some("(8E13.5)"));
        assert_eq!(n.number("tramp").unwrap(), Some(1.0));
        assert_eq!(n.number("VOLUME").unwrap(), Some(8.0));
    }

    #[test]
    fn stray_and_doubled_quotes() {
        let n = one("$NMID ID=Mac'', FMTDAT='(8E13.5)'\n$END");
        assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
        let n = one("$BASIS\n ID = 'Mac''''',\n METABO = 'Mac',\n$END");
        assert_eq!((n.text("ID"), n.text("METABO")), (Some("Mac''"), Some("Mac")));
        let n = one("$NMID ID='Mac, FMTDAT='(8E13.5)'\n$END");
        assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
        let n = one("$NMID ID='Mac,\n FMTDAT='(8E13.5)'\n$END");
        assert_eq!((n.text("ID"), n.text("FMTDAT")), (Some("Mac"), Some("(8E13.5)")));
    }

    #[test]
    fn strings_on_the_next_line_and_many_values() {
        let n = one(
            "$BASIS1\n IDBASI =\n 'a (b) c'\n ,\n PPMAPP =  0.1 -0.1,\n PPMGAP =  2*997.\n  5.,\n BADELT=5D-04\n ECHOT =  ,\n X(1, 2)=.T.\n&END",
        );
        assert_eq!(n.text("IDBASI"), Some("a (b) c"));
        assert_eq!(n.texts("PPMAPP").collect::<Vec<_>>(), ["0.1", "-0.1"]);
        assert_eq!(n.texts("PPMGAP").collect::<Vec<_>>(), ["997.", "997.", "5."]);
        assert_eq!(n.number("BADELT").unwrap(), Some(5e-4));
        assert_eq!(n.number("ECHOT").unwrap(), None);
        assert!(n.flag("X(1,2)"));
    }

    #[test]
    fn a_slash_ends_only_where_it_stands_alone() {
        let n = one("&LCMODL filraw=/home/x/met/RAW nunfil=1024 /\n");
        assert_eq!(n.text("FILRAW"), Some("/home/x/met/RAW"));
        assert_eq!(n.number("NUNFIL").unwrap(), Some(1024.0));
    }

    #[test]
    fn a_missing_end_is_named_with_its_line() {
        let e = Reader::new(b"\n $SEQPAR\n A=1\n").next_namelist().unwrap_err();
        assert_eq!(e, NamelistError::Unterminated { name: "SEQPAR".into(), line: 2 });
        let mut r = Reader::new(b"$SEQPAR\n A=1\n $NMID B=2 $END\n");
        assert_eq!(r.next_namelist().unwrap().unwrap().number("A").unwrap(), Some(1.0));
        assert_eq!(r.next_namelist().unwrap().unwrap().number("B").unwrap(), Some(2.0));
        assert_eq!(r.next_namelist().unwrap(), None);
    }

    #[test]
    fn a_number_that_is_none_names_key_and_line() {
        let n = one("$A\n HZPPPM='abc'\n$END");
        assert_eq!(n.number("HZPPPM").unwrap_err().to_string(), "line 2: HZPPPM = \"abc\" is not a finite number");
    }

    #[test]
    fn touching_columns_are_cut_by_width() {
        let text = " -0.11111E+00-0.22222E+01\n 0.3 4\n";
        let v = Reader::new(text.as_bytes()).numbers("(2E13.5)", Some(4)).unwrap();
        assert_eq!(v, [-0.11111, -2.2222, 0.3, 4.0]);
    }

    #[test]
    fn bad_blocks_name_their_line() {
        let mut r = Reader::new(b"1 2\n3 NaN\n");
        assert!(matches!(r.numbers("(2E15.6)", None), Err(NamelistError::BadData { line: 2, .. })));
        let mut r = Reader::new(b"1 2\n3 4\n $END\n");
        assert_eq!(r.numbers("(2E15.6)", Some(6)), Err(NamelistError::Truncated { found: 4, expected: 6, line: 3 }));
        let mut r = Reader::new(b"1 2\n3 4\n");
        assert_eq!(r.numbers("*", Some(2)), Err(NamelistError::Surplus { expected: 2, line: 2 }));
    }

    #[test]
    fn widths_of_formats() {
        for (f, w) in [("(6E13.5)", Some(13)), ("(1P,2E15.6)", Some(15)), ("(1p2es15.6)", Some(15)), ("*", None)] {
            assert_eq!(field_width(f), w, "{f}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut r = Reader::new(&bytes);
            while let Ok(Some(_)) = r.next_namelist() {}
            let _ = Reader::new(&bytes).numbers("(6E13.5)", None);
        }

        #[test]
        fn any_namelist_like_text_ends_without_panic(text in "[$&ENDab=,'\"/ \n0-9.*()-]{0,200}") {
            let mut r = Reader::new(text.as_bytes());
            while let Ok(Some(_)) = r.next_namelist() {}
        }
    }
}
