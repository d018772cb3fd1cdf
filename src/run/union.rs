//! Several complete datasets as one: what the group level of a BIDS-App does with its participants.

mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{RunError, Summary, Tally};
use crate::corpus;
use crate::printable::{printable_message, printable_path};
use crate::store::IfExists;
use crate::store::identity::{UNITED_OF_KEY, asked, read_whole_run, run_id};
use crate::store::provenance::{Inputs, Named, RunRecord, command_line, listing_sha256, now_utc};
use crate::store::{
    CurveRow, DatasetWriter, LearnedRow, MetaboliteRow, SpectrumRow, StoreError, Timings, TransientRow, read_record,
    read_table,
};

/// Writes the rows of `datasets`, in their order, as one dataset to `out`.
///
/// # Errors
/// [`RunError`]: one of them is incomplete or damaged, or the tables cannot be written.
pub fn union(datasets: &[PathBuf], out: &Path, if_exists: IfExists) -> Result<Summary, RunError> {
    let (started, started_utc) = (Instant::now(), now_utc());
    let records: Vec<RunRecord> = datasets.iter().map(|d| read_whole_run(d)).collect::<Result<_, _>>()?;
    let Some(first) = records.first() else { return Err(RunError::NoJournal { path: out.to_owned() }) };
    // What the id is made of comes first: the tables are written with it.
    let Shared { learned, listed, carried, hash_of } = shared(datasets)?;
    let copies = hash_of.iter().map(|(name, hash)| (name.as_str(), (!hash.is_empty()).then_some(hash.as_str())));
    let copies = corpus::copies(copies).map(|copies| printable_message(&copies.to_string()));
    let mut left_out = BTreeMap::new();
    for (kind, n) in records.iter().flat_map(|record| &record.inputs.left_out) {
        *left_out.entry(kind.clone()).or_insert(0) += n;
    }
    let inputs = Inputs {
        left_out,
        n_files: records.iter().map(|r| r.inputs.n_files).sum(),
        listing_sha256: listing_sha256(listed.iter().map(|(p, h)| (p.as_str(), h.as_str()))),
        content_sha256: String::new(),
    };
    let warnings: Vec<String> = warnings(&records).into_iter().chain(copies).collect();
    let record = RunRecord {
        settings: settings::united(&records),
        config: config(&records),
        methods: named(records.iter().flat_map(|r| &r.methods)),
        bases: named(records.iter().flat_map(|r| &r.bases)),
        inputs,
        device: first.device.clone(),
        started_utc: Some(started_utc),
        command_line: command_line(),
        warnings: warnings.clone(),
        ..RunRecord::new(&first.engine, rayon::current_num_threads())
    };
    let mut writer = DatasetWriter::create(out, if_exists)?.of_run(run_id(&[&record], &learned, &record.inputs));
    writer = writer.carrying(carried.into_iter().collect())?;
    let mut tally = Tally::default();
    for dataset in datasets {
        for row in read_table::<SpectrumRow>(dataset)? {
            tally.add(&row);
            writer.spectrum(row)?;
        }
        read_table::<MetaboliteRow>(dataset)?.into_iter().try_for_each(|row| writer.metabolite(row))?;
        read_table::<CurveRow>(dataset)?.into_iter().try_for_each(|row| writer.curve(row))?;
        read_table::<TransientRow>(dataset)?.into_iter().try_for_each(|row| writer.transient(row))?;
    }
    writer.learned(learned)?;
    // A dataset that was replaced meanwhile may have given rows of both.
    for (dataset, record) in datasets.iter().zip(&records) {
        if read_record(dataset)? != *record {
            return Err(StoreError::Busy { path: dataset.clone() }.into());
        }
    }
    let timings = Timings { merge_wall_s: started.elapsed().as_secs_f64(), ..Timings::default() };
    let files = writer.finish(RunRecord { timings, ..record })?;
    Ok(Summary { warnings, files, wall_s: started.elapsed().as_secs_f64(), ..Summary::of(tally, None) })
}

/// The configuration of the first run, with what each was asked where the record would not say it: the id of the whole is
/// made of what its record holds.
fn config(records: &[RunRecord]) -> serde_json::Value {
    let of = |version: &str, engine: &str, config: &serde_json::Value| serde_json::json!({ "requant_version": version, "engine": engine, "config": asked(config) });
    let mut config = records.first().map(|first| first.config.clone()).unwrap_or_default();
    let mut all: Vec<_> = records.iter().map(|r| of(&r.requant_version, &r.engine, &r.config)).collect();
    let own = of(env!("CARGO_PKG_VERSION"), records.first().map_or("", |first| &first.engine), &config);
    all.sort_by_key(ToString::to_string);
    all.dedup();
    if let Some(fields) = config.as_object_mut().filter(|_| all != [own]) {
        fields.insert(UNITED_OF_KEY.to_owned(), all.into());
    }
    config
}

/// What the datasets have in common, or together.
#[derive(Default)]
struct Shared {
    /// What they learned, each once.
    learned: Vec<LearnedRow>,
    /// Inputs and their hashes, each once where neighbours repeat it.
    listed: Vec<(String, String)>,
    /// Columns of manifests.
    carried: BTreeSet<String>,
    /// Hashes of the inputs by name: their paths, with the dataset where another one has an input of that path, too.
    hash_of: BTreeMap<String, String>,
}

fn shared(datasets: &[PathBuf]) -> Result<Shared, RunError> {
    let mut shared = Shared::default();
    let mut dataset_of: BTreeMap<String, &PathBuf> = BTreeMap::new();
    for dataset in datasets {
        for row in read_table::<LearnedRow>(dataset)? {
            if !shared.learned.contains(&row) {
                shared.learned.push(row);
            }
        }
        for row in read_table::<SpectrumRow>(dataset)? {
            shared.carried.extend(row.carried.into_keys());
            let input = (row.source_path, row.source_sha256.unwrap_or_default());
            let name = match *dataset_of.entry(input.0.clone()).or_insert(dataset) == dataset {
                true => input.0.clone(),
                false => format!("{} ({})", input.0, printable_path(dataset)),
            };
            shared.hash_of.insert(name, input.1.clone());
            if shared.listed.last() != Some(&input) {
                shared.listed.push(input);
            }
        }
    }
    Ok(shared)
}

/// Each of `all` once, in the order of their ids.
fn named<'a>(all: impl Iterator<Item = &'a Named>) -> Vec<Named> {
    let mut all: Vec<Named> = all.cloned().collect();
    all.sort_by(|a, b| (&a.id, &a.sha256).cmp(&(&b.id, &b.sha256)));
    all.dedup();
    all
}

/// The runs' warnings, and how the runs differ.
fn warnings(records: &[RunRecord]) -> Vec<String> {
    let mut warnings: Vec<String> = records.iter().flat_map(|r| r.warnings.clone()).collect();
    warnings.sort();
    warnings.dedup();
    let Some(first) = records.first() else { return warnings };
    for (what, differs) in [
        ("versions of requant", records.iter().any(|r| r.requant_version != first.requant_version)),
        ("methods", records.iter().any(|r| r.methods != first.methods)),
        ("engines", records.iter().any(|r| r.engine != first.engine)),
    ] {
        if differs {
            warnings.push(format!("the datasets that were put together come from different {what}"));
        }
    }
    let differing: Vec<String> = settings::differing(records).into_iter().collect();
    if !differing.is_empty() {
        let names = differing.join(", ");
        warnings.push(printable_message(&format!(
            "the datasets that were put together come from different settings: {names}; make them again with the same ones"
        )));
    }
    warnings
}
