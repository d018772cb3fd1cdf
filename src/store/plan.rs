//! What a run set out to do, and what a finished part of it leaves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::some_of;
use super::provenance::{Named, TableFile};
use super::rows::{CurveRow, MetaboliteRow, SpectrumRow, TransientRow};
use super::span::Span;
use super::timings::Timings;
use crate::hash::sha256_hex;

/// What a run set out to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`signature_of`] the settings.
    pub signature: String,
    /// Everything that decides about the rows but the inputs' content, each in words or by its hash: the build, the engine,
    /// methods, preparation, inputs' names and the like.
    pub settings: BTreeMap<String, String>,
    /// Inputs in the order of the tables.
    pub inputs: Vec<PlannedInput>,
    /// How many other files were seen, by what they are.
    #[serde(default)]
    pub left_out: BTreeMap<String, usize>,
    /// Columns of manifests that the table of spectra carries.
    #[serde(default)]
    pub carried: Vec<String>,
    /// Files of the table of what was learned; [`super::Journal::open`] fills it in.
    pub learned: Vec<TableFile>,
    /// Settings, for the run's record.
    pub config: serde_json::Value,
    /// Methods with their hashes.
    pub methods: Vec<Named>,
    /// Notes about the inputs as a whole.
    pub warnings: Vec<String>,
    /// Engine.
    pub engine: String,
    /// Device.
    pub device: String,
    /// When the run began (UTC, RFC 3339).
    pub started_utc: String,
    /// The command that began it.
    pub command_line: Vec<String>,
    /// How long finding the inputs took.
    pub timings: Timings,
}

/// A file of a run's listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedInput {
    /// As in the tables.
    pub source_path: String,
    /// Hash of what is quickly looked at of the file and those that belong to it: tells shards that run over different
    /// inputs.
    pub fingerprint: String,
}

/// The hash by which equal settings are known.
pub fn signature_of(settings: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = settings.iter().map(|(name, value)| format!("{name}\t{value}")).collect();
    sha256_hex(lines.join("\n").as_bytes())
}

impl Plan {
    /// In which settings another run, with those and the inputs of those paths, differs from this one; in words.
    pub fn differences(&self, others: &BTreeMap<String, String>, others_inputs: &[&str]) -> String {
        let mut names: Vec<&String> = self.settings.keys().chain(others.keys()).collect();
        names.sort();
        names.dedup();
        let said = |value: Option<&String>| value.map_or("none", String::as_str).to_owned();
        let mut differences: Vec<String> = names
            .into_iter()
            .map(|name| (name, said(others.get(name)), said(self.settings.get(name))))
            .filter(|(_, there, here)| there != here)
            .map(|(name, there, here)| format!("{name} (there {there}, here {here})"))
            .collect();
        let here: BTreeSet<&str> = self.inputs.iter().map(|input| input.source_path.as_str()).collect();
        let there: BTreeSet<&str> = others_inputs.iter().copied().collect();
        for (place, one, other) in [("there", &there, &here), ("here", &here, &there)] {
            let only: Vec<String> = one.difference(other).map(|path| (*path).to_owned()).collect();
            if !only.is_empty() {
                differences.push(format!("only {place} {}", some_of(&only)));
            }
        }
        differences.join(", ")
    }

    /// The inputs' paths.
    pub fn paths(&self) -> Vec<&str> {
        self.inputs.iter().map(|input| input.source_path.as_str()).collect()
    }

    /// Whether it says other things about the inputs than that one of the same signature.
    pub(super) fn says_other_than(&self, other: &Self) -> bool {
        let listing = self.inputs != other.inputs || self.carried != other.carried;
        listing || self.left_out != other.left_out || self.warnings != other.warnings
    }

    /// Inputs that another run of the same names saw otherwise.
    pub fn changed_inputs(&self, other: &Self) -> Vec<String> {
        let pairs = self.inputs.iter().zip(&other.inputs);
        pairs.filter(|(here, there)| here != there).map(|(here, _)| here.source_path.clone()).collect()
    }
}

/// What a finished chunk leaves beside its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkRecord {
    /// The plan's signature.
    pub plan: String,
    /// What it covers of the listing.
    pub span: Span,
    /// Its inputs as they were when it was begun.
    pub contents: Vec<Content>,
    /// Spectra of each of them in this chunk.
    pub n_spectra: Vec<usize>,
    /// The tables' files; [`super::Journal::write`] fills it in.
    pub files: Vec<TableFile>,
    /// Basis sets used.
    pub bases: Vec<Named>,
    /// Recipes of simulated basis sets, as JSON: a large run has hundreds of records that repeat them, and parsed they take ten
    /// times the memory.
    pub recipes: Vec<String>,
    /// Soft rows between amplitudes that held.
    pub ratio_rows: Vec<String>,
    /// What happened on the way.
    pub notes: Vec<String>,
    /// How long its parts took.
    pub timings: Timings,
}

/// What a file of the listing held, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// As in the tables.
    pub source_path: String,
    /// SHA-256 of the file itself; `None` where it cannot be read.
    pub source_sha256: Option<String>,
    /// Hash over the files: itself, companions, water reference and its companions, basis set of its own.
    pub inputs_sha256: String,
    /// Hash over `inputs_sha256` and what the listing says of it: labels, facts, partners.
    pub all_sha256: String,
}

/// The rows of one chunk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChunkRows {
    /// Of `spectra`.
    pub spectra: Vec<SpectrumRow>,
    /// Of `metabolites`.
    pub metabolites: Vec<MetaboliteRow>,
    /// Of `curves`.
    pub curves: Vec<CurveRow>,
    /// Of `transients`.
    pub transients: Vec<TransientRow>,
}
