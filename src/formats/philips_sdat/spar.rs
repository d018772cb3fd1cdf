//! The header of a pair: lines of `name : value`.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::error::DecodeError;

/// The entries of a SPAR, and which of them were asked for and could not be used.
pub(super) struct Spar {
    entries: HashMap<String, String>,
    unusable: RefCell<BTreeSet<&'static str>>,
}

impl Spar {
    /// Comments start with `!`, strings may be quoted, bytes are Latin-1, lines end as any system ends them. A value may hold
    /// colons.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text: String = bytes.iter().map(|&b| char::from(b)).collect();
        let entries = text
            .split(['\n', '\r'])
            .filter(|line| !line.trim_start().starts_with('!'))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').trim().to_owned()))
            .collect();
        Self { entries, unusable: RefCell::default() }
    }

    /// The text of an entry, where there is any.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.entries.get(field).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A number; its decimal sign may be a comma.
    pub(super) fn number(&self, field: &'static str) -> Result<f64, DecodeError> {
        let value = self.entries.get(field).ok_or(DecodeError::Missing { field })?;
        number(value).ok_or(DecodeError::Invalid { field })
    }

    /// A number above 0.
    pub(super) fn positive(&self, field: &'static str) -> Result<f64, DecodeError> {
        self.number(field).and_then(|value| if value > 0.0 { Ok(value) } else { Err(DecodeError::Invalid { field }) })
    }

    /// A whole number above 0.
    pub(super) fn count(&self, field: &'static str) -> Result<usize, DecodeError> {
        let value = self.positive(field)?;
        if value.fract() == 0.0 && value < 1e9 { Ok(value as usize) } else { Err(DecodeError::Invalid { field }) }
    }

    /// What an entry says, where the file need not have it. One that is there and cannot be used is kept in mind.
    pub(super) fn known<T>(&self, value: Result<T, DecodeError>) -> Option<T> {
        if let Err(DecodeError::Invalid { field }) = value {
            self.unusable.borrow_mut().insert(field);
        }
        value.ok()
    }

    /// A remark that names the entries that were there and could not be used.
    pub(super) fn remark(&self) -> Option<String> {
        let names: Vec<String> = self.unusable.borrow().iter().map(|field| format!("`{field}`")).collect();
        let (entry, say) = if names.len() == 1 { ("entry", "says") } else { ("entries", "say") };
        (!names.is_empty()).then(|| format!("the SPAR's {entry} {} {say} no usable number", names.join(", ")))
    }
}

fn number(text: &str) -> Option<f64> {
    let has_decimal_comma = text.matches(',').count() == 1 && !text.contains('.');
    let text = if has_decimal_comma { text.replace(',', ".") } else { text.to_owned() };
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn entries_as_scanners_and_editors_write_them() {
        let spar = Spar::parse(
            b"\xef\xbb\xbf! echo_time : 1\r\necho_time\t:\t35,5  \r\nTR : 2000\rname : a : \"b\"\nquoted : \" x \"\nempty : \n",
        );
        assert_eq!((spar.number("echo_time"), spar.number("tr")), (Ok(35.5), Ok(2000.0)));
        assert_eq!((spar.text("name"), spar.text("quoted"), spar.text("empty")), (Some("a : \"b"), Some("x"), None));
        assert_eq!(spar.number("none"), Err(DecodeError::Missing { field: "none" }));
        assert_eq!(spar.remark(), None);
    }

    #[test]
    fn numbers_of_two_kinds_of_people() {
        for (text, expected) in [
            ("35", Some(35.0)),
            ("-3,5", Some(-3.5)),
            ("1.5e2", Some(150.0)),
            ("127750896,000", Some(127_750_896.0)),
            ("1,234.5", None),
            ("1,277,508", None),
            ("35 ms", None),
            ("", None),
            ("NaN", None),
            ("1e999", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_there_and_cannot_be_used_is_named() {
        let spar = Spar::parse(b"echo_time : 35 ms\nrepetition_time : \naverages : 1.5\n");
        assert_eq!(spar.known(spar.positive("echo_time")), None);
        assert_eq!(spar.known(spar.positive("none")), None);
        assert!(spar.remark().unwrap().contains("entry `echo_time` says no usable number"));
        assert_eq!((spar.known(spar.number("repetition_time")), spar.known(spar.count("averages"))), (None, None));
        assert!(spar.remark().unwrap().contains("`averages`, `echo_time`, `repetition_time` say no"));
    }
}
