//! What a run was: `run.json`, the one file that may depend on time and machine.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::rows::Status;
use super::schema::SCHEMA_VERSION;
use super::timings::Timings;
use crate::hash::sha256_hex;

/// Git commit that requant was built from, by the build script.
pub const GIT_HASH: Option<&str> = option_env!("REQUANT_GIT_HASH");

/// Value of [`RunRecord::kind`]; tells a run record from anybody else's `run.json`.
pub const RUN_KIND: &str = "requant-run";

/// One run: enough to repeat it and to tell whether two runs may be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RUN_KIND`].
    pub kind: String,
    /// Version of the tables' columns.
    pub schema_version: String,
    /// Version of requant.
    pub requant_version: String,
    /// Git commit that requant was built from; `None` where it was not built from a checkout.
    #[serde(default)]
    pub git_hash: Option<String>,
    /// Hash of everything that decides about the rows: version, settings, methods, basis sets, what was learned, and the
    /// inputs' content. Equal for equal runs, however they were cut, interrupted or put together.
    #[serde(default)]
    pub run_id: String,
    /// Hash of what the run set out to do ([`super::Plan::signature`]); empty where it was put together from others.
    #[serde(default)]
    pub signature: String,
    /// What the signature is made of, each in words: tells how two runs differ. Where datasets were put together
    /// ([`UNITED_KEY`]) it is what all were asked, and [`DIFFERS`] for the rest.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Resolved configuration, defaults included.
    pub config: serde_json::Value,
    /// Methods that were run.
    pub methods: Vec<Named>,
    /// Basis sets that were used.
    pub bases: Vec<Named>,
    /// What was read.
    pub inputs: Inputs,
    /// Engine that fitted (`cpu`, `gpu`).
    pub engine: String,
    /// Device the engine ran on: adapter and driver of a GPU, or the processor.
    pub device: String,
    /// Processor model.
    pub cpu_model: Option<String>,
    /// Worker threads.
    pub threads: usize,
    /// Rows written; [`super::DatasetWriter::finish`] fills it in.
    pub counts: Counts,
    /// The tables' files; [`super::DatasetWriter::finish`] fills it in.
    #[serde(default)]
    pub files: Vec<TableFile>,
    /// When the run began: UTC, RFC 3339.
    #[serde(default)]
    pub started_utc: Option<String>,
    /// The command that began it, program first.
    #[serde(default)]
    pub command_line: Vec<String>,
    /// How long its parts took.
    #[serde(default)]
    pub timings: Timings,
    /// What the user should know about the run as a whole.
    pub warnings: Vec<String>,
}

/// Something with a name and a content hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Identifier as in the tables (`basis_id`, `method`).
    pub id: String,
    /// SHA-256 (hex) of the content.
    pub sha256: String,
}

/// Key of the list of [`VariedMethod`] in [`RunRecord::config`].
pub const VARIED_KEY: &str = "varied";

/// Key of [`RunRecord::settings`] where datasets were put together: how many.
pub const UNITED_KEY: &str = "datasets put together";

/// Value of [`RunRecord::settings`] for what datasets that were put together do not share.
pub const DIFFERS: &str = "not the same in all datasets";

/// How a method came out of another by varying settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariedMethod {
    /// Its name, as in the tables.
    pub method: String,
    /// Name of the method that it was made of.
    pub base: String,
    /// What varies, by the setting's dotted path: its value here as TOML has it.
    pub settings: BTreeMap<String, String>,
}

/// The files that were found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// Files that became rows, water references not counted.
    pub n_files: usize,
    /// [`listing_sha256`] of them.
    pub listing_sha256: String,
    /// Hash of every byte that a row depends on: the files, their companions, water references and basis sets, and what a
    /// manifest or `participants.tsv` says of them. Empty where the dataset was put together from others.
    #[serde(default)]
    pub content_sha256: String,
    /// How many others were seen, by what they are.
    #[serde(default)]
    pub left_out: BTreeMap<String, usize>,
}

/// One file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableFile {
    /// Path in the dataset folder, with `/`.
    pub file: String,
    /// Rows.
    pub rows: u64,
    /// Length (bytes).
    pub bytes: u64,
    /// SHA-256 (hex).
    pub sha256: String,
}

/// Numbers of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of `spectra`.
    pub spectra: u64,
    /// Those with status `ok`.
    pub ok: u64,
    /// Those with status `failed`.
    pub failed: u64,
    /// Those with status `skipped`.
    pub skipped: u64,
    /// Rows of `metabolites`.
    pub metabolites: u64,
    /// Rows of `curves`.
    pub curves: u64,
    /// Rows of `transients`.
    #[serde(default)]
    pub transients: u64,
}

/// What a picture says made its fit: program, version and commit of the run, or of this build.
#[must_use]
pub fn program(run: Option<&RunRecord>) -> String {
    let (version, hash) = match run {
        Some(run) => (run.requant_version.as_str(), run.git_hash.as_deref()),
        None => (env!("CARGO_PKG_VERSION"), GIT_HASH),
    };
    format!("requant {version}{}", hash.map(|hash| format!(" ({hash})")).unwrap_or_default())
}

impl Counts {
    /// Counts a row of `spectra` of that status.
    pub(super) fn add(&mut self, status: Status) {
        self.spectra += 1;
        match status {
            Status::Ok => self.ok += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped => self.skipped += 1,
        }
    }

    /// Rows of the table of that name; `None` for tables that are not counted.
    pub fn of_table(&self, name: &str) -> Option<u64> {
        match name {
            "spectra" => Some(self.spectra),
            "metabolites" => Some(self.metabolites),
            "curves" => Some(self.curves),
            "transients" => Some(self.transients),
            _ => None,
        }
    }
}

impl RunRecord {
    /// How its methods came out of others; empty where nothing was varied.
    pub fn varied(&self) -> Vec<VariedMethod> {
        let list = self.config.get(VARIED_KEY).cloned();
        list.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default()
    }

    /// A record of this version of requant on this machine, everything else empty.
    pub fn new(engine: &str, threads: usize) -> Self {
        Self {
            kind: RUN_KIND.to_owned(),
            schema_version: SCHEMA_VERSION.to_owned(),
            requant_version: env!("CARGO_PKG_VERSION").to_owned(),
            git_hash: GIT_HASH.map(str::to_owned),
            run_id: String::new(),
            signature: String::new(),
            settings: BTreeMap::new(),
            config: serde_json::Value::Null,
            methods: Vec::new(),
            bases: Vec::new(),
            inputs: Inputs::default(),
            engine: engine.to_owned(),
            device: String::new(),
            cpu_model: cpu_model(),
            threads,
            counts: Counts::default(),
            files: Vec::new(),
            started_utc: None,
            command_line: Vec::new(),
            timings: Timings::default(),
            warnings: Vec::new(),
        }
    }
}

/// Now, in UTC, as RFC 3339 has it.
pub fn now_utc() -> String {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now())
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The command of this process, program first; without the interpreter that a Python package runs it in.
pub fn command_line() -> Vec<String> {
    let all = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    without_interpreter(all)
}

fn without_interpreter(mut all: Vec<String>) -> Vec<String> {
    let stem = |argument: &str| Path::new(argument).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let is_interpreted = all.first().and_then(|first| stem(first)).is_some_and(|stem| stem.starts_with("python"));
    let program = all.iter().position(|argument| stem(argument).as_deref() == Some(env!("CARGO_PKG_NAME")));
    match program.filter(|_| is_interpreted) {
        Some(program) => all.split_off(program),
        None => all,
    }
}

/// The processor's model name, where the system tells it (Linux: `/proc/cpuinfo`).
pub fn cpu_model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    // x86 says "model name", some ARM boards "Model" or "Hardware".
    ["model name", "Model", "Hardware"].iter().find_map(|key| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim() == *key)
            .map(|(_, value)| value.trim().to_owned())
    })
}

/// Hash of a list of inputs: SHA-256 over the lines `relative path`, tab, `content hash`, sorted, so
/// that the order in which files are found does not matter.
pub fn listing_sha256<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = files.into_iter().map(|(path, sha256)| format!("{path}\t{sha256}\n")).collect();
    lines.sort();
    sha256_hex(lines.concat().as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn listing_does_not_depend_on_order_but_on_content() {
        let one = listing_sha256([("a", "1"), ("b", "2")]);
        assert_eq!(one, listing_sha256([("b", "2"), ("a", "1")]));
        assert_ne!(one, listing_sha256([("a", "2"), ("b", "1")]));
    }

    #[test]
    fn an_interpreter_is_no_part_of_the_command() {
        let line = |text: &str| without_interpreter(text.split(' ').map(str::to_owned).collect()).join(" ");
        assert_eq!(line("/usr/bin/python3.11 /env/bin/requant run a"), "/env/bin/requant run a");
        assert_eq!(line("python -m requant run requant"), "requant run requant");
        for whole in ["/opt/requant run a", "requant-main run requant", "python other.py"] {
            assert_eq!(line(whole), whole);
        }
    }

    #[test]
    fn record_survives_json() {
        let record = RunRecord::new("cpu", 2);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<RunRecord>(&text).unwrap(), record);
    }
}
