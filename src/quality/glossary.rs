//! What every word in the columns `qc_flags`, `error_code` and `state` means, when it is written, and what to do then.
//!
//! One typed table. `tests/house/glossary.rs` writes it as `docs/reference/flags-and-errors.md` and holds it complete: every
//! word that the source can write has an entry, and every entry is a word that the source can write.

mod entry;
mod failures;
mod flags;
mod quantities;
mod states;
mod tissue;
mod water;

use std::fmt::Write as _;

pub use entry::{Entry, Kind, Thresholds};

/// Longest line of the document outside tables (characters).
const LINE_WIDTH: usize = 118;

/// All entries: flags, error codes, states; within each in alphabetical order.
pub fn entries(thresholds: &Thresholds) -> Vec<Entry> {
    let mut all = flags::entries(thresholds);
    all.extend(tissue::entries());
    all.extend(quantities::entries());
    all.extend(failures::entries(thresholds));
    all.extend(states::entries());
    all.sort_by_key(|entry| (entry.kind, entry.code));
    all
}

/// Flags about the tissue of a voxel.
pub(crate) fn tissue_flags() -> Vec<&'static str> {
    tissue::entries().iter().map(|entry| entry.code).collect()
}

/// The glossary as Markdown: a section for each column, a short table of what is written when, then meaning and remedy.
pub fn markdown(thresholds: &Thresholds) -> String {
    let all = entries(thresholds);
    let mut text = String::from(
        "# Flags, error codes and states\n\n\
         Generated from `src/quality/glossary/`; the thresholds are the constants that the code uses. Change them there, \
         then run\n`REQUANT_UPDATE=1 cargo test --test house glossary::`.\n",
    );
    for kind in Kind::ALL {
        let of_kind = || all.iter().filter(move |entry| entry.kind == kind);
        let _ =
            write!(text, "\n## `{}`\n\n{}\n\n| word | written when |\n|---|---|\n", kind.column(), kind.introduction());
        for entry in of_kind() {
            let _ = writeln!(text, "| [`{}`](#{}) | {} |", entry.code, anchor(entry), entry.threshold);
        }
        for entry in of_kind() {
            let _ = write!(text, "\n<a id=\"{}\"></a>\n**`{}`**\n\n", anchor(entry), entry.code);
            text.push_str(&item("Meaning", entry.meaning));
            text.push_str(&item("What to do", entry.remedy));
        }
    }
    text
}

/// An item of a list, wrapped.
fn item(title: &str, content: &str) -> String {
    let mut text = format!("- {title}:");
    let mut width = text.chars().count();
    for word in content.split_whitespace() {
        let long = word.chars().count() + 1;
        if width + long > LINE_WIDTH {
            text.push_str("\n ");
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += long;
    }
    text.push('\n');
    text
}

/// The anchor of an entry; the kind is part of it, as a flag and an error code may share a word.
fn anchor(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Flag => "flag",
        Kind::ErrorCode => "error",
        Kind::State => "state",
    };
    format!("{kind}-{}", entry.code.trim_end_matches('*').trim_end_matches('_'))
}
