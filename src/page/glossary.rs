//! The glossary by its words.

use serde::Serialize;

use crate::quality::glossary::{Entry, Kind};

/// Meaning of a word, as the page tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Meaning {
    pub(super) when: String,
    pub(super) meaning: String,
    pub(super) remedy: String,
}

/// Looks words up.
#[derive(Debug)]
pub(super) struct Glossary<'a>(&'a [Entry]);

impl<'a> Glossary<'a> {
    pub(super) fn new(entries: &'a [Entry]) -> Self {
        Self(entries)
    }

    /// The entry of a flag.
    pub(super) fn flag(&self, word: &str) -> Meaning {
        self.find(Kind::Flag, word)
    }

    /// The entry of an error code; of a code with a trailing `*` all that begin so.
    pub(super) fn error(&self, word: &str) -> Meaning {
        self.find(Kind::ErrorCode, word)
    }

    fn find(&self, kind: Kind, word: &str) -> Meaning {
        let of_kind = || self.0.iter().filter(|entry| entry.kind == kind);
        let begins = |entry: &&Entry| entry.code.strip_suffix('*').is_some_and(|head| word.starts_with(head));
        let entry = of_kind().find(|entry| entry.code == word).or_else(|| of_kind().find(begins));
        entry.map_or_else(Meaning::default, |entry| Meaning {
            when: plain(&entry.threshold),
            meaning: plain(entry.meaning),
            remedy: plain(entry.remedy),
        })
    }
}

/// Without the marks of Markdown.
fn plain(text: &str) -> String {
    text.replace('`', "")
}
