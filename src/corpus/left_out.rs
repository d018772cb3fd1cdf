//! What is under INPUT and is no row.

use std::collections::BTreeMap;
use std::path::Path;

use super::identity::{entity, file_name, relative_path};
use crate::printable::{PATH_CHARS, printable, printable_label};

/// A file or folder under INPUT that is no row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Path relative to INPUT.
    pub source_path: String,
    /// What it is.
    pub kind: LeftOutKind,
    /// Label of the subject, as for a spectrum.
    pub subject: Option<String>,
    /// Label of the session.
    pub session: Option<String>,
}

/// What something is that is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOutKind {
    /// The water reference of a spectrum.
    WaterReference,
    /// Read with a spectrum, or the same scan once more.
    Companion,
    /// A transient of a spectrum whose series lies in several files.
    PartOfSeries,
    /// The list of spectra itself.
    Manifest,
    /// An image.
    Image,
    /// Without content.
    Empty,
    /// A file that cannot be opened, or a folder that cannot be listed.
    Unreadable,
    /// A FIFO, a device or a socket.
    NotAFile,
    /// Its name begins with a dot; of a hidden folder nothing is looked at.
    Hidden,
    /// A folder that holds no raw data by BIDS rules, or a link to a folder above itself.
    NotSearched,
    /// Anything else.
    Other,
}

impl LeftOutKind {
    /// Its name in tables and in `run.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaterReference => "water_reference",
            Self::Companion => "companion",
            Self::PartOfSeries => "part_of_series",
            Self::Manifest => "manifest",
            Self::Image => "image",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
            Self::NotAFile => "not_a_file",
            Self::Hidden => "hidden",
            Self::NotSearched => "not_searched",
            Self::Other => "other",
        }
    }
}

impl LeftOut {
    /// What lies at `path` under INPUT `base`; both absolute.
    pub(crate) fn new(path: &Path, base: &Path, kind: LeftOutKind) -> Self {
        let below_base = relative_path(path, base);
        let named = format!("{}/{below_base}", file_name(base));
        let [subject, session] = ["sub", "ses"].map(|key| printable_label(entity(&named, key)));
        Self { source_path: printable(&below_base, PATH_CHARS), kind, subject, session }
    }
}

/// How many there are of each kind.
pub fn counts(left_out: &[LeftOut]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in left_out {
        *counts.entry(one.kind.as_str().to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The counts in words, the largest first: `40 companion, 12 image, 3 not a file`.
pub fn in_words(counts: &BTreeMap<String, usize>) -> String {
    let mut all: Vec<(&String, &usize)> = counts.iter().collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    all.iter().map(|(kind, n)| format!("{n} {}", kind.replace('_', " "))).collect::<Vec<_>>().join(", ")
}
