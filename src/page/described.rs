//! The checklist and the methods paragraph as the page shows them.

use super::view::{Checklist, ChecklistItem, Described};
use crate::report::describe::{Description, Entry};

pub(super) fn of(description: &Description) -> Described {
    let item = |entry: &Entry| ChecklistItem {
        id: entry.item.id,
        title: entry.item.title,
        text: entry.text.clone().unwrap_or_default(),
        missing: entry.missing.clone().unwrap_or_default(),
    };
    let protocols = description.protocols.iter().map(|protocol| Checklist {
        label: protocol.label.clone(),
        n_spectra: protocol.n_spectra,
        items: protocol.entries.iter().map(item).collect(),
    });
    Described {
        paragraphs: paragraphs(&description.paragraph),
        references: description.references.clone(),
        protocols: protocols.collect(),
        n_missing: description.n_missing(),
    }
}

/// Paragraphs, which blank lines part.
fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
