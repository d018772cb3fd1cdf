//! Text out of files as tables, logs and terminals get it: nothing in it that a terminal obeys or that hides what is there,
//! and no more of it than anybody reads.

use std::path::Path;

/// Most characters of a label: a sequence, a site, a condition, a metabolite.
pub(crate) const LABEL_CHARS: usize = 128;
/// Most characters of a message.
pub(crate) const MESSAGE_CHARS: usize = 1000;
/// Most characters of a path: what the systems allow.
pub(crate) const PATH_CHARS: usize = 4096;

/// `text` with everything escaped that does not show (`\u{1b}`), cut to `most` characters, the last one an ellipsis.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut left = most;
    for c in text.chars() {
        let start = shown.len();
        let n = if does_not_show(c) {
            shown.extend(c.escape_default());
            shown.len() - start
        } else {
            shown.push(c);
            1
        };
        if n > left {
            shown.truncate(start);
            // The ellipsis takes the place of what stood last, where that filled the text.
            if left == 0 {
                shown.pop();
            }
            shown.push('…');
            break;
        }
        left -= n;
    }
    shown
}

/// A message of any length: of a long one the middle is left out, as what is wrong stands at the end and where at the
/// beginning.
pub(crate) fn printable_message(text: &str) -> String {
    let whole = printable(text, usize::MAX);
    let n = whole.chars().count();
    if n <= MESSAGE_CHARS {
        return whole;
    }
    let (head, tail) = (MESSAGE_CHARS / 3, MESSAGE_CHARS - MESSAGE_CHARS / 3 - 1);
    whole.chars().take(head).chain(std::iter::once('…')).chain(whole.chars().skip(n - tail)).collect()
}

/// [`printable`], and `None` stays `None`.
pub(crate) fn printable_label(text: Option<String>) -> Option<String> {
    text.map(|text| printable(&text, LABEL_CHARS))
}

/// A path as people may read it.
pub(crate) fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy(), PATH_CHARS)
}

/// Lines of text as they are, but for what does not show in them. Lines after the first are set in, so that none of them
/// looks like a message of its own.
#[cfg(feature = "cli")]
pub(crate) fn printable_lines(text: &str) -> String {
    text.split('\n').map(|line| printable(line, usize::MAX)).collect::<Vec<_>>().join("\n  ")
}

/// Text with its lines and tabs as they are.
#[cfg(feature = "cli")]
pub(crate) fn printable_text(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(|part| printable(part, usize::MAX)).collect::<Vec<_>>().join("\t");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Controls, and the format characters of Unicode that turn, join, hide or break text (bidirectional marks, zero widths, line
/// and paragraph separators, tags).
fn does_not_show(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_escaped() {
        assert_eq!(printable("a\nb\tc µ", 100), "a\\nb\\tc µ");
        assert_eq!(printable("\u{1b}[31m\u{9b}\u{7f}", 100), "\\u{1b}[31m\\u{9b}\\u{7f}");
        assert_eq!(printable("a\u{202e}b\u{2066}c\u{200b}\u{2028}\u{feff}", 100).matches("\\u{").count(), 5);
        assert_eq!(printable("Zürich, 東京 – ON_1.9 µm", 100), "Zürich, 東京 – ON_1.9 µm");
    }

    #[test]
    fn length_is_bounded_after_escaping() {
        assert_eq!(printable("abcd", 4), "abcd");
        assert_eq!(printable("abcde", 4), "abc…");
        assert_eq!(printable(&"x".repeat(100_000), LABEL_CHARS).chars().count(), LABEL_CHARS);
        for most in 1..40 {
            let shown = printable(&"\u{1b}é".repeat(50), most);
            assert!(shown.chars().count() <= most, "{shown}");
            assert!(shown.ends_with('…'));
        }
    }

    #[test]
    fn messages_keep_both_ends() {
        assert_eq!(printable_message("a: b\n"), "a: b\\n");
        let shown = printable_message(&format!("where{}why", "x".repeat(5000)));
        assert_eq!(shown.chars().count(), MESSAGE_CHARS);
        assert!(shown.starts_with("where") && shown.ends_with("why"));
    }

    #[cfg(feature = "cli")]
    #[test]
    fn further_lines_are_set_in() {
        assert_eq!(printable_lines("one\nREQUANT_ERROR \u{1b}two"), "one\n  REQUANT_ERROR \\u{1b}two");
    }
}
