//! What a study reports of a run: MRSinMRS (Lin et al. 2021, <https://doi.org/10.1002/nbm.4484>) for each protocol, and a
//! paragraph for its methods. Reads a run's tables, `run.json` and what people add; fits nothing.
//!
//! `protocol` (rows that were measured alike) → `acquired`, `analysed`, `judged` (what the tables say of each item; `basis`: of
//! basis sets) → `item` (who says what, and what is missing); `people` reads the file of what only people know, `settings`
//! compares with the defaults, `paragraph` and `citations` write the methods, `write` makes Markdown or a table of it.

mod acquired;
mod analysed;
mod basis;
mod citations;
mod item;
mod judged;
mod paragraph;
mod people;
mod protocol;
mod settings;
mod values;
mod write;

use std::collections::BTreeMap;

pub use item::{Entry, ITEMS, Item};
pub use people::{People, PeopleError};
pub use settings::Difference;
pub use write::{MARKDOWN_BEGIN, TSV_BEGIN, markdown, tsv};

use crate::store::{MetaboliteRow, RunRecord, SpectrumRow};

/// A description of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Each protocol with its checklist.
    pub protocols: Vec<Described>,
    /// For the methods of a paper.
    pub paragraph: String,
    /// Settings that are not the defaults.
    pub differences: Vec<Difference>,
    /// Papers that the paragraph names, and where they are.
    pub references: Vec<(String, String)>,
    /// What has to be known to use this.
    pub notes: Vec<String>,
    template: String,
}

/// The checklist of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Field, vendor, sequence, times.
    pub label: String,
    /// Its spectra.
    pub n_spectra: usize,
    /// One entry for each of [`ITEMS`].
    pub entries: Vec<Entry>,
}

impl Description {
    /// Describes a run by its record and the rows of its tables.
    pub fn new(record: &RunRecord, spectra: &[SpectrumRow], metabolites: &[MetaboliteRow], people: &People) -> Self {
        let (protocols, unknown) = protocol::protocols(spectra, metabolites);
        let (differences, mut notes) = settings::differences(record);
        notes.extend(people.unused(spectra));
        notes.extend(of_nothing(&unknown));
        notes.extend(record.warnings.iter().map(|warning| format!("from the run: {warning}")));
        let entry = |protocol: &protocol::Protocol<'_>, item: &Item| {
            let tables = match item.id.as_bytes().first() {
                Some(b'1' | b'2') => acquired::say(protocol, item.id),
                Some(b'3') => analysed::say(protocol, record, &differences, item.id),
                _ => judged::say(protocol, record, item.id),
            };
            Entry::new(*item, tables, people.say(protocol, item))
        };
        let described: Vec<Described> = protocols
            .iter()
            .map(|protocol| Described {
                label: protocol.label.clone(),
                n_spectra: protocol.spectra.len(),
                entries: ITEMS.iter().map(|item| entry(protocol, item)).collect(),
            })
            .collect();
        let source = paragraph::Source { record, protocols: &protocols, people, differences: &differences };
        let (paragraph, references) = source.paragraph();
        let template = template(&described);
        Self { protocols: described, paragraph, differences, references, notes, template }
    }

    /// A file of what only people know, to be filled in.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Items that are still to be filled in, over all protocols.
    pub fn n_missing(&self) -> usize {
        self.protocols.iter().flat_map(|protocol| &protocol.entries).filter(|entry| entry.missing.is_some()).count()
    }
}

/// Rows of which no protocol is known.
fn of_nothing(rows: &[&SpectrumRow]) -> Option<String> {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *codes.entry(row.error_code.as_deref().unwrap_or("no reason")).or_default() += 1;
    }
    let codes: Vec<String> = codes.into_iter().map(|(code, n)| format!("{code} {n}")).collect();
    (!rows.is_empty()).then(|| {
        format!(
            "{} without a protocol, as nothing is known of the file: {}",
            values::plural(rows.len(), "row", "rows"),
            codes.join(", ")
        )
    })
}

/// Each item that misses something, with the numbers of the protocols where it does.
fn template(described: &[Described]) -> String {
    let numbers = |key: &str| -> Vec<String> {
        let misses = |one: &Described| one.entries.iter().any(|entry| entry.item.key == key && entry.missing.is_some());
        described.iter().enumerate().filter(|(_, one)| misses(one)).map(|(i, _)| (i + 1).to_string()).collect()
    };
    let asked: Vec<(&'static Item, Vec<String>)> =
        ITEMS.iter().map(|item| (item, numbers(item.key))).filter(|(_, numbers)| !numbers.is_empty()).collect();
    People::template(&asked)
}
