//! The dataset from the finished chunks of one run or of all its shards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::identity::{RATIO_ROWS_KEY, SIMULATED_KEY, run_id};
use super::{RunError, Summary, Tally};
use crate::store::IfExists;
use crate::store::provenance::{Inputs, Named, listing_sha256};
use crate::store::{ChunkRecord, DatasetWriter, Journal, Plan, RunRecord, Timings};

/// Writes the dataset to `out` from the journals in `folders`, which together must have every chunk of one run, and takes
/// the journal in `out` away.
///
/// # Errors
/// [`RunError`]: chunks are missing or damaged, the journals are of different runs, or the tables cannot be written.
pub fn merge(folders: &[PathBuf], out: &Path, if_exists: IfExists) -> Result<Summary, RunError> {
    let journals: Vec<Journal> = folders.iter().map(|f| Journal::at(f)).collect();
    let plans: Vec<Plan> = journals
        .iter()
        .zip(folders)
        .map(|(j, f)| j.plan().ok_or_else(|| RunError::NoJournal { path: f.clone() }))
        .collect::<Result<_, _>>()?;
    let Some(plan) = plans.first() else { return Err(RunError::NoJournal { path: out.to_owned() }) };
    if let Some(other) = plans.iter().position(|p| p.signature != plan.signature) {
        return Err(RunError::OtherRun { path: folders[other].clone(), first: folders[0].clone() });
    }
    let holder = |index: usize| journals.iter().find_map(|j| Some((j, j.record(index)?)));
    let missing = (0..plan.n_chunks).filter(|&i| holder(i).is_none()).count();
    if missing > 0 {
        return Err(RunError::Missing { missing, of: plan.n_chunks });
    }
    let started = Instant::now();
    let learned = journals[0].learned()?;
    let (mut all, mut tally) = (Gathered { timings: plan.timings, ..Gathered::default() }, Tally::default());
    let mut holders = Vec::with_capacity(plan.n_chunks);
    for index in 0..plan.n_chunks {
        let Some((journal, record)) = holder(index) else {
            return Err(RunError::Missing { missing: 1, of: plan.n_chunks });
        };
        holders.push(journal);
        all.add(record);
    }
    let timings = all.timings;
    let mut record = all.into_record(plan);
    let warnings = record.warnings.clone();
    let mut writer = DatasetWriter::create(out, if_exists)?.of_run(run_id(&[&record], &learned, &record.inputs));
    writer.learned(learned)?;
    for (index, journal) in holders.into_iter().enumerate() {
        let rows = journal.rows(index)?;
        for row in rows.spectra {
            tally.add(&row);
            writer.spectrum(row)?;
        }
        rows.metabolites.into_iter().try_for_each(|row| writer.metabolite(row))?;
        rows.curves.into_iter().try_for_each(|row| writer.curve(row))?;
        rows.transients.into_iter().try_for_each(|row| writer.transient(row))?;
    }
    record.timings = Timings { merge_wall_s: started.elapsed().as_secs_f64(), ..timings };
    let files = writer.finish(record)?;
    Journal::at(out).remove();
    Ok(Summary { tally, warnings, files, wall_s: started.elapsed().as_secs_f64(), shard: None })
}

/// What the chunks' records say together; a large corpus has thousands of chunks, which repeat what they share.
#[derive(Default)]
struct Gathered {
    listed: Vec<(String, String)>,
    /// By id and hash.
    bases: BTreeMap<(String, String), Named>,
    /// By their text.
    recipes: BTreeMap<String, serde_json::Value>,
    ratio_rows: BTreeSet<String>,
    notes: BTreeSet<String>,
    timings: Timings,
}

impl Gathered {
    fn add(&mut self, record: ChunkRecord) {
        for input in record.listed {
            if self.listed.last() != Some(&input) {
                self.listed.push(input);
            }
        }
        self.bases.extend(record.bases.into_iter().map(|b| ((b.id.clone(), b.sha256.clone()), b)));
        self.recipes.extend(record.recipes.into_iter().map(|r| (r.to_string(), r)));
        self.ratio_rows.extend(record.ratio_rows);
        self.notes.extend(record.notes);
        self.timings += record.timings;
    }

    /// The record of the whole run, without its timings.
    fn into_record(self, plan: &Plan) -> RunRecord {
        let warnings: Vec<String> = plan.warnings.iter().cloned().chain(self.notes).collect();
        let mut config = plan.config.clone();
        if let Some(fields) = config.as_object_mut() {
            fields.insert(RATIO_ROWS_KEY.to_owned(), self.ratio_rows.into_iter().collect());
            fields.insert(SIMULATED_KEY.to_owned(), self.recipes.into_values().collect());
        }
        RunRecord {
            signature: plan.signature.clone(),
            config,
            methods: plan.methods.clone(),
            bases: self.bases.into_values().collect(),
            inputs: Inputs {
                n_files: plan.n_files,
                listing_sha256: listing_sha256(self.listed.iter().map(|(p, h)| (p.as_str(), h.as_str()))),
            },
            device: plan.device.clone(),
            started_utc: Some(plan.started_utc.clone()),
            command_line: plan.command_line.clone(),
            warnings,
            ..RunRecord::new(&plan.engine, rayon::current_num_threads())
        }
    }
}
