//! Lines of two (or four) numbers, whose decimal sign may be a comma.
//!
//! A comma may separate numbers or be their decimal sign: one line may read both ways, so all lines of a file decide.

use num_complex::Complex64;

/// Why lines are no columns of numbers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ColumnsError {
    /// A line that is no sample.
    #[error("line {line}: two numbers (real and imaginary part), or four, are needed on every line")]
    NotNumbers {
        /// Line, counted from 1.
        line: usize,
    },
    /// No line tells what commas are.
    #[error(
        "line {line}: its commas may be decimal signs or stand between numbers, and no other line tells; write decimal points"
    )]
    Commas {
        /// Line, counted from 1.
        line: usize,
    },
    /// Lines differ in their decimal signs.
    #[error(
        "commas are decimal signs on line {line} and cannot be on line {other}; write all numbers of the file with decimal points"
    )]
    Mixed {
        /// Line, counted from 1.
        line: usize,
        /// Line that contradicts.
        other: usize,
    },
}

/// What a comma is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comma {
    Separator,
    Decimal,
}

/// The first two numbers of each line, which is given with its number. Of four the others are the signal's transform.
///
/// # Errors
/// [`ColumnsError`].
pub(super) fn samples(lines: &[(usize, &str)]) -> Result<Vec<Complex64>, ColumnsError> {
    let comma = comma(lines)?;
    lines.iter().map(|&(line, text)| pair(text, comma).ok_or(ColumnsError::NotNumbers { line })).collect()
}

/// Whether a line may be one of such columns.
pub(super) fn looks_like(line: &str) -> bool {
    [Comma::Separator, Comma::Decimal].into_iter().any(|comma| pair(line, comma).is_some())
}

/// What commas are in these lines: decimal signs where something else separates the columns of every line.
fn comma(lines: &[(usize, &str)]) -> Result<Comma, ColumnsError> {
    let with_commas = || lines.iter().filter(|(_, text)| text.contains(','));
    // Where a line reads in one way alone.
    let (mut separator_at, mut decimal_at) = (None, None);
    // Where it reads in both: as four whole numbers or as two.
    let mut either_at = None;
    for &(line, text) in with_commas() {
        match [Comma::Separator, Comma::Decimal].map(|comma| pair(text, comma).is_some()) {
            [false, false] => return Err(ColumnsError::NotNumbers { line }),
            [true, false] => separator_at = separator_at.or(Some(line)),
            [false, true] => decimal_at = decimal_at.or(Some(line)),
            [true, true] => either_at = either_at.or(Some(line)),
        }
    }
    // A point in such a file may be that of thousands.
    let point_at = lines.iter().find(|(_, text)| text.contains('.')).map(|(line, _)| *line);
    match (separator_at, decimal_at.or(either_at), with_commas().next()) {
        (_, _, None) => Ok(Comma::Separator),
        (Some(other), Some(line), _) => Err(ColumnsError::Mixed { line, other }),
        (Some(line), None, _) if with_commas().all(|(_, text)| may_hold_decimals(text)) => {
            Err(ColumnsError::Commas { line })
        }
        (Some(_), None, _) => Ok(Comma::Separator),
        (None, _, Some((first, _))) => point_at
            .map_or(Ok(Comma::Decimal), |other| Err(ColumnsError::Mixed { line: decimal_at.unwrap_or(*first), other })),
    }
}

/// Whether numbers that commas alone separate may be halves of such with a decimal comma: every other one has neither a sign
/// nor a point, and the one before is whole.
fn may_hold_decimals(text: &str) -> bool {
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let words: Vec<&str> = text.trim().split(',').collect();
    let (pairs, odd) = words.as_chunks::<2>();
    odd.is_empty()
        && pairs.iter().all(|[whole, part]| digits(whole.trim_start_matches(['+', '-'])) && digits(mantissa(part)))
}

fn mantissa(word: &str) -> &str {
    word.split(['e', 'E']).next().unwrap_or_default()
}

/// The first two of exactly two (or four) numbers of a line.
fn pair(line: &str, comma: Comma) -> Option<Complex64> {
    let separates = |c: char| c.is_whitespace() || c == ';' || c == ',' && comma == Comma::Separator;
    let words = line.split(separates).filter(|word| !word.is_empty());
    let mut numbers = [0.0; 4];
    let mut n = 0;
    for word in words {
        *numbers.get_mut(n)? = number(word, comma)?;
        n += 1;
    }
    matches!(n, 2 | 4).then(|| Complex64::new(numbers[0], numbers[1]))
}

fn number(word: &str, comma: Comma) -> Option<f64> {
    match word.split_once(',') {
        None => word.parse().ok(),
        Some((whole, part)) => {
            let is_decimal = whole.ends_with(|c: char| c.is_ascii_digit())
                && part.starts_with(|c: char| c.is_ascii_digit())
                && !word.contains('.');
            (comma == Comma::Decimal && is_decimal).then(|| format!("{whole}.{part}").parse().ok()).flatten()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(f64, f64)>, ColumnsError> {
        let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(i, line)| (i + 1, line)).collect();
        samples(&lines).map(|all| all.iter().map(|z| (z.re, z.im)).collect())
    }

    #[test]
    fn commas_are_decimal_signs_where_something_else_separates() {
        for text in
            ["267,5\t-103,4\n0\t1,5", "267,5;-103,4\n0;1,5", "267,5   -103,4 \n 0 1,5", "2,675e2 ; -103,4\n0;15E-1"]
        {
            assert_eq!(read(text).unwrap(), [(267.5, -103.4), (0.0, 1.5)], "{text}");
        }
        // Each line alone may be four whole numbers, and so may all together; but blanks stand between columns.
        assert_eq!(read("1,2\t3,4\n5,6\t7,8").unwrap(), [(1.2, 3.4), (5.6, 7.8)]);
        assert_eq!(read("1,5 2,5 3,5 4,5").unwrap(), [(1.5, 2.5)]);
    }

    #[test]
    fn commas_separate_where_they_are_alone_or_cannot_be_decimal_signs() {
        for text in
            ["1.5,2.5\n3,4", "1.5, 2.5\n3, 4", "1.5,2.5,0,0\n3,4,1,2", "1.5,\t2.5\n3,\t4", "1.5,2.5 0.5,0\n3,4 5,6.5"]
        {
            assert_eq!(read(text).unwrap(), [(1.5, 2.5), (3.0, 4.0)], "{text}");
        }
        // Counts of a converter have no points, but signs.
        assert_eq!(read("1,-2\n3,4").unwrap(), [(1.0, -2.0), (3.0, 4.0)]);
        assert_eq!(read("1,2,3,-4\n1,2,3,4").unwrap(), [(1.0, 2.0), (1.0, 2.0)]);
        assert_eq!(read("1.5;2.5").unwrap(), [(1.5, 2.5)]);
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        assert_eq!(read("1,2,3,4\n-5,6,-7,8"), Err(ColumnsError::Commas { line: 1 }));
        assert_eq!(read("2,675E+02,-1,034E+02"), Err(ColumnsError::Commas { line: 1 }));
        assert_eq!(read("267,5\n3,4"), Err(ColumnsError::Commas { line: 1 }));
        assert_eq!(read("267,5\t-103,4\n1.5,2.5"), Err(ColumnsError::Mixed { line: 1, other: 2 }));
        assert_eq!(read("1.234\t2\n267,5\t-103,4"), Err(ColumnsError::Mixed { line: 2, other: 1 }));
        for text in ["1.234,5\t2,5", "1,2,3\t4", "1,5", "1\t2\t3", "1,5\t,5"] {
            let refused = read(&format!("0,5\t0,5\n{text}")).unwrap_err();
            let is_said = matches!(refused, ColumnsError::NotNumbers { line: 2 } | ColumnsError::Mixed { .. });
            assert!(is_said, "{text}: {refused:?}");
        }
    }
}
