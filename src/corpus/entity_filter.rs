//! Which spectra of a BIDS dataset to take, by the entities of their names: what BIDS-Apps call a filter file.
//!
//! Its form is that of fMRIPrep's `--bids-filter-file`: `{"svs": {"acquisition": "press", "run": [1, 2]}}`. The names of the
//! entities are those of the BIDS schema.

use std::path::Path;

use serde_json::{Map, Value};
use thiserror::Error;

use super::identity::{BIDS_SPECTRA, BidsName, entity, split_extension};
use crate::regular_file;

/// Largest filter that is read (bytes).
const MAX_BYTES: u64 = 1 << 20;

/// Entities by their names in filters, with the key that file names have, and whether the label counts.
const ENTITIES: [(&str, &str, bool); 11] = [
    ("subject", "sub", false),
    ("session", "ses", false),
    ("task", "task", false),
    ("acquisition", "acq", false),
    ("nucleus", "nuc", false),
    ("volume", "voi", false),
    ("reconstruction", "rec", false),
    ("run", "run", true),
    ("echo", "echo", true),
    ("inversion", "inv", true),
    ("space", "space", false),
];
/// Kind of data that the spectra of BIDS are.
const DATATYPE: &str = "mrs";

/// Spectra whose names meet one of several queries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityFilter {
    queries: Vec<Query>,
    /// Queries for other kinds of data, which say nothing of spectra.
    pub others: Vec<String>,
}

/// What one query wants: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Query {
    suffixes: Option<Vec<String>>,
    /// Key of a file name, whether its label counts, and what is wanted of it.
    entities: Vec<(&'static str, bool, Wanted)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Absent,
    Present,
    OneOf(Vec<String>),
}

/// Why a filter cannot be used.
#[derive(Debug, Error)]
pub enum FilterError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is no JSON.
    #[error("no JSON: line {line}, column {column}; write {{\"svs\": {{\"acquisition\": \"press\"}}}}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It is no object of objects.
    #[error("`{at}`: not an object of entities; write {{\"svs\": {{\"acquisition\": \"press\"}}}}")]
    Shape {
        /// Where.
        at: String,
    },
    /// No query is for spectra.
    #[error("no query for spectra; name one svs, mrsi, unloc or mrs, or give it \"datatype\": \"mrs\"")]
    NoQuery,
    /// An entity that names of spectra do not have.
    #[error("`{query}.{key}`: no entity of spectra; give one of {}", known())]
    Entity {
        /// The query.
        query: String,
        /// What it names.
        key: String,
    },
    /// A value that is no label.
    #[error("`{query}.{key}`: give a label, a list of labels, null (no such entity) or \"*\" (any)")]
    Label {
        /// The query.
        query: String,
        /// The entity.
        key: String,
    },
}

/// What a query may name.
fn known() -> String {
    let names: Vec<&str> = ENTITIES.iter().map(|(name, ..)| *name).collect();
    format!("{}, suffix, datatype", names.join(", "))
}

impl EntityFilter {
    /// Reads a filter file.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn read(path: &Path) -> Result<Self, FilterError> {
        Self::from_json(&regular_file::bytes(path, MAX_BYTES)?)
    }

    /// Reads a filter.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, FilterError> {
        let json: Value =
            serde_json::from_slice(bytes).map_err(|e| FilterError::Json { line: e.line(), column: e.column() })?;
        let queries = json.as_object().ok_or_else(|| FilterError::Shape { at: "the file".to_owned() })?;
        let mut filter = Self::default();
        for (name, query) in queries {
            let entities = query.as_object().ok_or_else(|| FilterError::Shape { at: name.clone() })?;
            if is_of_spectra(name, entities) {
                filter.queries.push(Query::parse(name, entities)?);
            } else {
                filter.others.push(name.clone());
            }
        }
        if filter.queries.is_empty() { Err(FilterError::NoQuery) } else { Ok(filter) }
    }

    /// Whether it takes the file at `source_path` (relative to INPUT).
    pub fn takes(&self, source_path: &str) -> bool {
        let name = source_path.rsplit('/').next().unwrap_or_default();
        let suffix = BidsName::parse(split_extension(name).0).suffix;
        self.queries.iter().any(|query| {
            query.suffixes.as_ref().is_none_or(|wanted| wanted.contains(&suffix))
                && query.entities.iter().all(|(key, counts, wanted)| wanted.meets(entity(source_path, key), *counts))
        })
    }
}

fn is_of_spectra(name: &str, entities: &Map<String, Value>) -> bool {
    match entities.get("datatype") {
        Some(datatype) => {
            datatype == DATATYPE || datatype.as_array().is_some_and(|all| all.iter().any(|d| d == DATATYPE))
        }
        None => name == DATATYPE || BIDS_SPECTRA.contains(&name),
    }
}

impl Query {
    fn parse(name: &str, entities: &Map<String, Value>) -> Result<Self, FilterError> {
        let mut query = Self::default();
        // A query called by a suffix is for that suffix.
        if BIDS_SPECTRA.contains(&name) {
            query.suffixes = Some(vec![name.to_owned()]);
        }
        for (key, value) in entities {
            let place = || (name.to_owned(), key.clone());
            let wanted = Wanted::parse(value).ok_or_else(|| {
                let (query, key) = place();
                FilterError::Label { query, key }
            })?;
            match (key.as_str(), ENTITIES.iter().find(|(long, short, _)| key == long || key == short)) {
                ("datatype", _) => {}
                ("suffix", _) => query.suffixes = wanted.labels().or(query.suffixes),
                (_, Some((_, short, counts))) => query.entities.push((short, *counts, wanted)),
                (_, None) => {
                    let (query, key) = place();
                    return Err(FilterError::Entity { query, key });
                }
            }
        }
        Ok(query)
    }
}

impl Wanted {
    fn parse(value: &Value) -> Option<Self> {
        let label = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match value {
            // What pybids' own words become in JSON.
            Value::Null => Some(Self::Absent),
            Value::String(text) if text == "Query.NONE" => Some(Self::Absent),
            Value::String(text) if text == "*" || text == "Query.ANY" || text == "Query.REQUIRED" => {
                Some(Self::Present)
            }
            Value::Array(all) => all.iter().map(label).collect::<Option<_>>().map(Self::OneOf),
            one => label(one).map(|label| Self::OneOf(vec![label])),
        }
    }

    fn labels(self) -> Option<Vec<String>> {
        match self {
            Self::OneOf(labels) => Some(labels),
            Self::Absent | Self::Present => None,
        }
    }

    /// Whether a file's label is what is wanted; of an entity that counts 1 and 01 are one.
    fn meets(&self, label: Option<String>, counts: bool) -> bool {
        let number = |text: &str| text.parse::<u64>().ok().filter(|_| counts);
        match (self, label) {
            (Self::Absent, label) => label.is_none(),
            (Self::Present, label) => label.is_some(),
            (Self::OneOf(_), None) => false,
            (Self::OneOf(wanted), Some(label)) => {
                wanted.iter().any(|one| *one == label || (number(one).is_some() && number(one) == number(&label)))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn takes(json: &str, path: &str) -> bool {
        EntityFilter::from_json(json.as_bytes()).unwrap().takes(path)
    }

    const PRESS: &str = "sub-01/ses-V02/mrs/sub-01_ses-V02_acq-press_run-01_voi-acc_svs.nii.gz";

    #[test]
    fn names_meet_all_of_one_query() {
        for (json, taken) in [
            (r#"{"svs": {}}"#, true),
            (r#"{"mrsi": {}}"#, false),
            (r#"{"mrs": {"acquisition": "press", "run": 1}}"#, true),
            (r#"{"mrs": {"acq": ["hercules", "press"], "voi": "acc"}}"#, true),
            (r#"{"mrs": {"acquisition": "press", "volume": "pcc"}}"#, false),
            (r#"{"mrs": {"volume": "pcc"}, "svs": {"session": "V02"}}"#, true),
            (r#"{"mrs": {"nucleus": null, "run": "*"}}"#, true),
            (r#"{"mrs": {"acquisition": null}}"#, false),
            (r#"{"mrs": {"echo": "*"}}"#, false),
            (r#"{"bold": {"task": "rest"}, "x": {"datatype": "mrs", "suffix": ["svs", "mrsi"]}}"#, true),
            // Labels of words are taken letter by letter.
            (r#"{"mrs": {"subject": "1"}}"#, false),
        ] {
            assert_eq!(takes(json, PRESS), taken, "{json}");
        }
    }

    #[test]
    fn what_says_nothing_of_spectra_is_refused_or_named() {
        let filter = EntityFilter::from_json(br#"{"svs": {}, "t1w": {"datatype": "anat"}}"#).unwrap();
        assert_eq!(filter.others, ["t1w"]);
        for (json, word) in [
            ("{", "line 1"),
            ("[]", "the file"),
            (r#"{"svs": "press"}"#, "`svs`"),
            (r#"{"bold": {}}"#, "no query"),
            (r#"{"svs": {"acquisitoin": "press"}}"#, "svs.acquisitoin"),
            (r#"{"svs": {"acquisition": {"a": 1}}}"#, "svs.acquisition"),
        ] {
            let message = EntityFilter::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(word), "{json}: {message}");
        }
    }
}
