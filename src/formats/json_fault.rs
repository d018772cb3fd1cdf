//! What is wrong with JSON of a file, without repeating what the file holds.

use std::fmt;

use serde_json::error::Category;

/// Why JSON could not be read: the parser's own words quote values, which may be names of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// It is JSON, but not what was asked for.
    is_other: bool,
    /// What was asked for.
    wanted: &'static str,
    line: usize,
    column: usize,
}

impl JsonFault {
    /// What `error` says about JSON that should be a `wanted`.
    pub(crate) fn of(error: &serde_json::Error, wanted: &'static str) -> Self {
        let is_other = error.classify() == Category::Data;
        Self { is_other, wanted, line: error.line(), column: error.column() }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { is_other: true, wanted, .. } => write!(f, "no JSON {wanted}")?,
            Self { is_other: false, .. } => write!(f, "no valid JSON")?,
        }
        write!(f, " (line {}, column {})", self.line, self.column)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Map, Value};

    #[test]
    fn nothing_of_the_text_is_repeated() {
        for text in ["\"NAME\"", "[\"NAME\"]", "{\"NAME\": NAME}", "NAME", "{\"NAME\":1", "1e99999", "\"NAME"] {
            let error = serde_json::from_str::<Map<String, Value>>(text).unwrap_err();
            let shown = JsonFault::of(&error, "object").to_string();
            assert!(!shown.contains("NAME") && shown.contains("line 1"), "{shown}");
        }
    }
}
