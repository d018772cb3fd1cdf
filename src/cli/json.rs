//! What commands print for programs: one JSON document on stdout, and nothing else there.

use serde::Serialize;

use super::error::CliError;
use crate::run::Tally;

/// Prints `value`. What a terminal would obey stands there as `\\u…`.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    use std::io::Write as _;
    let text = serde_json::to_string_pretty(value)?;
    let _ = writeln!(std::io::stdout(), "{}", escaped(&text));
    Ok(())
}

fn escaped(text: &str) -> String {
    let is_obeyed = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Counts of rows: by status, of failures by code, of flags.
pub(super) fn counts(tally: &Tally) -> serde_json::Value {
    let counts = &tally.counts;
    serde_json::json!({
        "rows": counts.spectra,
        "ok": counts.ok,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "not_fitted": tally.reasons,
        "flags": tally.flags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_back() {
        let name = "a\u{202e}b\u{9b}c é";
        let text = escaped(&serde_json::json!(name).to_string());
        assert_eq!(text, "\"a\\u202eb\\u009bc é\"");
        assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some(name));
    }
}
