//! What every word in the columns `qc_flags`, `error_code` and `state` means, when it is written, and what to do then.
//!
//! One typed table. `tests/glossary.rs` writes it as `docs/reference/flags-and-errors.md` and holds it complete: every
//! word that the source can write has an entry, and every entry is a word that the source can write.

mod failures;
mod flags;
mod states;

use std::fmt::Write as _;

/// Longest line of the document outside tables (characters).
const LINE_WIDTH: usize = 118;

/// Which column holds the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `qc_flags` of `spectra`: the spectrum has a result, and a person should look at it.
    Flag,
    /// `error_code`: the spectrum has no result.
    ErrorCode,
    /// `state`: how the fit ended.
    State,
}

impl Kind {
    /// All kinds, in the order of the glossary.
    pub const ALL: [Self; 3] = [Self::Flag, Self::ErrorCode, Self::State];

    /// The column, as the heading names it.
    fn column(self) -> &'static str {
        match self {
            Self::Flag => "qc_flags",
            Self::ErrorCode => "error_code",
            Self::State => "state",
        }
    }

    /// What the column's words have in common.
    fn introduction(self) -> &'static str {
        match self {
            Self::Flag => {
                "A flagged spectrum has a result. Flags never remove a row: you decide which of them exclude a spectrum."
            }
            Self::ErrorCode => {
                "The row has no result; `status` is `failed`, or `skipped` where the file was left out on purpose.\n\
                 `error_message` names the file and the field."
            }
            Self::State => "Written where a fit was tried.",
        }
    }
}

/// One word of the tables.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The word as it stands in the column; a trailing `*` stands for any other error code.
    pub code: &'static str,
    /// Which column holds it.
    pub kind: Kind,
    /// The condition under which it is written, with its numbers.
    pub threshold: String,
    /// What that says about the spectrum.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Numbers that other parts of the library own. Whoever shows the glossary fills them from the constants that decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Fewest samples before a zero-filled tail that are fitted.
    pub min_points: usize,
    /// Smallest and largest dwell time that can be right (s).
    pub dwell_s: [f64; 2],
    /// Smallest and largest spectrometer frequency that can be right (MHz).
    pub f0_mhz: [f64; 2],
    /// Relative difference in frequency from which a basis set is refused.
    pub basis_field: f64,
    /// Largest file that is read (bytes).
    pub max_file_bytes: u64,
    /// Part of the transients above which rejection raises a flag: one in so many.
    pub rejected_one_in: usize,
    /// Height of the signal over its noise from which transients are aligned.
    pub aligned_from: f64,
    /// Largest difference in frequency between edit conditions that is looked for (Hz).
    pub conditions_apart_hz: f64,
    /// Least height of a water reference over the data's.
    pub water_over_data: f64,
    /// Relative difference in dwell time from which a water reference corrects no eddy currents.
    pub water_dwell: f64,
    /// Height of residual water over the metabolites' from which it is removed.
    pub water_over_metabolites: f64,
}

/// All entries: flags, error codes, states; within each in alphabetical order.
pub fn entries(thresholds: &Thresholds) -> Vec<Entry> {
    let mut all = flags::entries(thresholds);
    all.extend(failures::entries(thresholds));
    all.extend(states::entries());
    all.sort_by_key(|entry| (entry.kind, entry.code));
    all
}

/// The glossary as Markdown: a section for each column, a short table of what is written when, then meaning and remedy.
pub fn markdown(thresholds: &Thresholds) -> String {
    let all = entries(thresholds);
    let mut text = String::from(
        "# Flags, error codes and states\n\n\
         Generated from `src/quality/glossary/`; the thresholds are the constants that the code uses. Change them there, \
         then run\n`REQUANT_UPDATE=1 cargo test --test glossary`.\n",
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
