//! The files at the top of a converted dataset.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use super::super::error::CliError;
use super::names::Names;
use super::written::{Outcome, write};
use crate::corpus::Found;
use crate::printable::{LABEL_CHARS, printable};

/// Version of BIDS whose rules are followed.
const VERSION: &str = "1.11.0";
const README: &str = "\
MR spectra as NIfTI-MRS, converted by requant. Samples are kept exactly. code/conversion.tsv lists the source of each file, and
what could not be converted and why.
";

/// What is known of the people in the dataset: their site, and what a manifest says of them.
pub(super) struct Dataset {
    people: BTreeMap<String, BTreeMap<String, String>>,
    columns: BTreeSet<String>,
}

impl Dataset {
    /// Of those who have a file. What differs between the files of one person is no property of the person.
    pub(super) fn of(found: &[Found], names: &Names, outcomes: &[Outcome]) -> Self {
        let mut all: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for ((one, name), outcome) in found.iter().zip(&names.taken).zip(outcomes) {
            let subject = name.as_ref().ok().and_then(|name| name.subject());
            let Some(subject) = subject.filter(|_| outcome.failure.is_none()) else { continue };
            let person = all.entry(subject.clone()).or_default();
            let site = one.site.clone().map(|site| ("site".to_owned(), site));
            let carried = one.overrides.carried.iter();
            let carried = carried.map(|(name, value)| (name.trim_start_matches("x_").to_owned(), value.clone()));
            for (column, value) in site.into_iter().chain(carried) {
                person.entry(column).or_default().insert(printable(&value, LABEL_CHARS).replace('\t', " "));
            }
        }
        let columns: BTreeSet<String> = all.values().flat_map(|person| person.keys().cloned()).collect();
        let one_value =
            |column: &String| all.values().all(|person| person.get(column).is_none_or(|values| values.len() == 1));
        let columns = columns.into_iter().filter(one_value).collect();
        let people = all.into_iter().map(|(subject, person)| {
            let values = person.into_iter().filter_map(|(column, values)| Some((column, values.into_iter().next()?)));
            (subject, values.collect())
        });
        Self { people: people.collect(), columns }
    }

    pub(super) fn write(&self, out: &Path) -> Result<(), CliError> {
        let description = json!({
            "Name": "MR spectra", "BIDSVersion": VERSION, "DatasetType": "raw",
            "GeneratedBy": [{ "Name": "requant", "Version": env!("CARGO_PKG_VERSION") }],
        });
        let put = |path: &str, text: String| {
            write(out, path, text.as_bytes()).map_err(|failure| anyhow::anyhow!(failure.message))
        };
        put("dataset_description.json", format!("{description:#}\n"))?;
        put("README", README.to_owned())?;
        put("participants.tsv", self.participants())?;
        if !self.columns.is_empty() {
            put("participants.json", format!("{:#}\n", self.meanings()))?;
        }
        Ok(())
    }

    /// What the columns of `participants.tsv` are.
    fn meanings(&self) -> serde_json::Value {
        let meaning = |column: &String| match column.as_str() {
            "site" => "Site: the folder that --site-from names, or what the manifest says".to_owned(),
            other => format!("{other}, as the manifest has it"),
        };
        self.columns.iter().map(|column| (column.clone(), json!({ "Description": meaning(column) }))).collect()
    }

    fn participants(&self) -> String {
        let head = std::iter::once("participant_id").chain(self.columns.iter().map(String::as_str));
        let mut text = head.collect::<Vec<_>>().join("\t") + "\n";
        for (subject, person) in &self.people {
            text += &format!("sub-{subject}");
            for column in &self.columns {
                text += "\t";
                text += person.get(column).filter(|value| !value.is_empty()).map_or("n/a", String::as_str);
            }
            text += "\n";
        }
        text
    }
}
