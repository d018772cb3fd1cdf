//! Blocks of numbers in columns.

use super::reader::Reader;
use super::{NamelistError, parse_number};

impl Reader<'_> {
    /// Numbers from the present line on: exactly `expected`, or all up to the next namelist or the
    /// end of the file.
    ///
    /// Columns are separated by blanks where the line allows it, else cut by the width in `format`
    /// (`(6E13.5)`), for Fortran leaves no blank before a negative number that fills its column.
    ///
    /// Commas separate numbers, or are decimal signs: all lines decide ([`NamelistError::Commas`] where they do not).
    ///
    /// # Errors
    /// [`NamelistError::BadData`], [`NamelistError::Commas`], [`NamelistError::Truncated`], [`NamelistError::Surplus`].
    pub fn numbers(&mut self, format: &str, expected: Option<usize>) -> Result<Vec<f64>, NamelistError> {
        let width = field_width(format);
        let has_decimal_commas = self.has_decimal_commas(width.is_some())?;
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
                let with_points: Vec<u8>;
                let line = if has_decimal_commas {
                    with_points = line.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect();
                    &with_points
                } else {
                    line
                };
                if decode_line(line, width, &mut numbers).is_none() {
                    return Err(NamelistError::BadData { line: self.line, width });
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

    /// Whether the commas of the block that begins at the present line are decimal signs: programs write the sign of their
    /// system. Fortran's own separators stand beside points, or before blanks and signs.
    fn has_decimal_commas(&self, is_of_reals: bool) -> Result<bool, NamelistError> {
        let mut block = self.clone();
        let (mut first, mut has_exponent) = (None, false);
        while block.pos < block.bytes.len() && block.header_at_line_start().is_none() {
            let line = block.rest().split(|b| *b == b'\n').next().unwrap_or_default();
            let digit = |at: Option<usize>| at.and_then(|at| line.get(at)).is_some_and(u8::is_ascii_digit);
            if line.contains(&b'.') {
                return Ok(false);
            }
            for (at, _) in line.iter().enumerate().filter(|(_, b)| **b == b',') {
                if !digit(at.checked_sub(1)) || !digit(Some(at + 1)) {
                    return Ok(false);
                }
                first = first.or(Some(block.line));
                let after = line[at + 1..].iter().find(|b| !b.is_ascii_digit());
                // A whole number has none.
                has_exponent |= after.is_some_and(|b| matches!(b, b'e' | b'E' | b'd' | b'D'));
            }
            block.pos += line.len();
            block.bump();
        }
        match first {
            None => Ok(false),
            Some(_) if is_of_reals || has_exponent => Ok(true),
            Some(line) => Err(NamelistError::Commas { line }),
        }
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
