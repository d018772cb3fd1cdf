//! Reads namelists, byte by byte.

use super::{Entry, MAX_VALUES, Namelist, NamelistError, Value};

/// Reads namelists and number blocks one after the other from the bytes of a file.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) line: usize,
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

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    pub(super) fn bump(&mut self) {
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
    pub(super) fn header_at_line_start(&self) -> Option<(String, usize)> {
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
                return Err(NamelistError::Unterminated { line });
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
                        return Err(NamelistError::TooLong { line });
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
