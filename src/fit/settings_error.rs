//! Settings that parse and yet cannot be used.

/// Settings that contradict one another, or that no fit could use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{field}`: {why}")]
pub struct SettingsError {
    /// Line of the file, from 1.
    pub line: usize,
    /// The setting that has to change, as `table.key`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub why: &'static str,
}

impl SettingsError {
    /// `field` of the settings in `text`, and why it cannot stay.
    pub(crate) fn at(text: &str, field: &str, why: &'static str) -> Self {
        Self { line: line_of(text, field), field: field.to_owned(), why }
    }
}

/// The line on which `table.key` (or a key outside tables) stands; its table's where the key is not there, or where it
/// is a table itself; 1 else.
fn line_of(text: &str, field: &str) -> usize {
    let (table, key) = field.rsplit_once('.').unwrap_or(("", field));
    let (mut now, mut header) = (String::new(), 1);
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            now = name.trim_end_matches(']').replace('"', "");
            if now == field {
                return number + 1;
            }
            if now == table {
                header = number + 1;
            }
        } else if now == table && line.split('=').next().is_some_and(|k| k.trim() == key) {
            return number + 1;
        }
    }
    header
}
