//! All quantities of a finished run again, from its tables: other constants, tissue or gates, and no second fit.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::config::Config;
use super::gating::{self, GATES_KEY, gates_of};
use super::measured;
use super::metabolite_rows::concentration_columns;
use super::other_tissue;
use super::{RunError, Summary, Tally, TissueTable};
use crate::acquisition::Facts;
use crate::printable::printable_message;
use crate::quality::flag;
use crate::quality::gates::Gates;
use crate::quantify::{self, Fractions, Term, Terms, WaterScaling, concentrations, field_t_from_f0};
use crate::store::identity::{read_whole_run, run_id};
use crate::store::provenance::{RunRecord, command_line, now_utc};
use crate::store::reader::check_files;
use crate::store::{
    ChunkRows, CurveRow, DatasetWriter, IfExists, LearnedRow, MetaboliteRow, SpectrumRow, StoreError, Timings,
    TransientRow, read_record, read_table,
};

/// Key of the constants in a run's configuration.
const WATER_SCALING_KEY: &str = "water_scaling";
/// Key under which the configuration says what the quantities were made from.
pub const FROM_KEY: &str = "quantified_from";

/// What to make anew.
#[derive(Debug, Clone)]
pub struct Requantify {
    /// The dataset of a finished run.
    pub results: PathBuf,
    /// Folder for the new one.
    pub out: PathBuf,
    /// What to do if it exists.
    pub if_exists: IfExists,
    /// Constants; `None`: the run's own.
    pub water_scaling: Option<WaterScaling>,
    /// Values for what the rows lack.
    pub gaps: Facts,
    /// Tissue, with the file that it is from; `None`: what the rows have.
    pub tissue: Option<(PathBuf, TissueTable)>,
    /// Gates; `None`: the run's own.
    pub gates: Option<Gates>,
}

/// Writes the dataset with its quantities made anew.
///
/// # Errors
/// [`RunError`]: the results are incomplete or damaged, the tissue is of other spectra, gates do not fit the tables, or the new
/// tables cannot be written.
pub fn requantify(asked: &Requantify) -> Result<Summary, RunError> {
    let (started, started_utc) = (Instant::now(), now_utc());
    let source = read_whole_run(&asked.results)?;
    if same_file::is_same_file(&asked.results, &asked.out).unwrap_or(false) {
        return Err(RunError::AmongInputs { out: asked.out.clone(), input: asked.results.clone() });
    }
    let mut rows = ChunkRows {
        spectra: read_table(&asked.results)?,
        metabolites: read_table(&asked.results)?,
        curves: read_table::<CurveRow>(&asked.results)?,
        transients: read_table::<TransientRow>(&asked.results)?,
    };
    let learned: Vec<LearnedRow> = read_table(&asked.results)?;
    let constants = constants(asked, &source)?;
    let mut warnings = source.warnings.clone();
    if asked.gates.is_some() {
        // Other gates have other biases.
        let before: Vec<String> = gates_of(&source.config).iter().flat_map(Gates::biases).collect();
        warnings.retain(|warning| !before.iter().any(|bias| printable_message(bias) == *warning));
    }
    if asked.water_scaling.is_some() {
        warnings.retain(|warning| !warning.starts_with(ON_RELAXATION));
        let components: BTreeSet<&String> =
            rows.metabolites.iter().filter(|row| !row.is_sum).map(|row| &row.metabolite).collect();
        let components: Vec<String> = components.into_iter().cloned().collect();
        warnings.extend(constants.relaxation.unused(&components));
    }
    if let Some((path, table)) = &asked.tissue {
        warnings.retain(|warning| !warning.starts_with(other_tissue::ON_TABLE));
        warnings.extend(other_tissue::put(&mut rows.spectra, &asked.results, path, table)?);
    }
    quantify(&mut rows, &constants, &asked.gaps);
    let record = record(asked, source, &constants, warnings, started_utc);
    let carried: Vec<String> = {
        let all: BTreeSet<&String> = rows.spectra.iter().flat_map(|row| row.carried.keys()).collect();
        all.into_iter().cloned().collect()
    };
    if let Some(mut gating) = gating::of_config(&record.config, &carried)? {
        gating.collect(&rows);
        gating.settle();
        gating.judge(&mut rows);
    }
    write(asked, record, rows, (learned, carried), started)
}

fn constants(asked: &Requantify, source: &RunRecord) -> Result<WaterScaling, RunError> {
    if let Some(constants) = &asked.water_scaling {
        return Ok(constants.clone());
    }
    let own = source.config.get(WATER_SCALING_KEY).filter(|value| !value.is_null());
    let unreadable = |message: String| {
        RunError::Read(crate::store::ReadTableError::RunRecord { path: asked.results.clone(), message })
    };
    match own {
        Some(own) => serde_json::from_value(own.clone()).map_err(|e| unreadable(e.to_string())),
        None => WaterScaling::lcmodel().map_err(|e| unreadable(e.to_string())),
    }
}

/// How the notes of a run on constants that nothing takes begin: others make them untrue.
const ON_RELAXATION: &str = "relaxation.";

/// Makes the quantities of all rows anew.
fn quantify(rows: &mut ChunkRows, constants: &WaterScaling, gaps: &Facts) {
    let mut of_spectrum: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (index, row) in rows.metabolites.iter().enumerate() {
        of_spectrum.entry((row.spectrum_id.clone(), row.method.clone())).or_default().push(index);
    }
    for spectrum in &mut rows.spectra {
        fill(spectrum, gaps);
        let key = (spectrum.spectrum_id.clone(), spectrum.method.clone());
        let Some(own) = of_spectrum.get(&key) else { continue };
        let of_rows: Vec<&MetaboliteRow> = own.iter().map(|&i| &rows.metabolites[i]).collect();
        let proton = of_rows.iter().find_map(|row| row.signal_per_proton);
        let mut made = concentrations(&terms(spectrum, &of_rows), &inputs(spectrum), proton, constants);
        for (&index, concentration) in own.iter().zip(std::mem::take(&mut made.each)) {
            let row = std::mem::take(&mut rows.metabolites[index]);
            rows.metabolites[index] = concentration_columns(row, concentration, &made, constants);
        }
        let of_rows = || own.iter().map(|&i| &rows.metabolites[i]);
        let is_difference = spectrum.subspec.as_deref().is_some_and(|label| label.starts_with("diff"));
        let implausible = measured::implausible(of_rows()).filter(|_| !is_difference);
        let made_anew = |word: &str| quantify::FLAGS.contains(&word) || word == flag::IMPLAUSIBLE_CONCENTRATION;
        spectrum.qc_flags.retain(|flag| !made_anew(flag));
        spectrum.qc_flags.extend(made.flags.iter().copied().chain(implausible).map(str::to_owned));
    }
}

/// Fills what a row lacks, as a run fills what files do not state.
fn fill(row: &mut SpectrumRow, gaps: &Facts) {
    row.te_s = row.te_s.or(gaps.te_s);
    row.tr_s = row.tr_s.or(gaps.tr_s);
    row.tm_s = row.tm_s.or(gaps.tm_s);
    row.f0_mhz = row.f0_mhz.or(gaps.f0_mhz);
    row.field_t = row.f0_mhz.map(field_t_from_f0);
    row.sequence = row.sequence.take().or_else(|| gaps.sequence.clone());
    if row.water_amplitude.is_some() {
        row.water_te_s = row.water_te_s.or(gaps.te_s);
        row.water_tr_s = row.water_tr_s.or(gaps.tr_s);
    }
}

fn inputs(row: &SpectrumRow) -> quantify::Inputs {
    let fractions = row.f_gm.zip(row.f_wm).zip(row.f_csf).map(|((gm, wm), csf)| Fractions { gm, wm, csf });
    quantify::Inputs {
        water_amplitude: row.water_amplitude,
        water_amplitude_sd: row.water_amplitude_sd,
        water_te_s: row.water_te_s,
        water_tr_s: row.water_tr_s,
        te_s: row.te_s,
        tr_s: row.tr_s,
        tm_s: row.tm_s,
        flip_angle_deg: row.flip_angle_deg,
        ti_s: row.ti_s,
        field_t: row.field_t,
        sequence: row.sequence.clone(),
        fractions,
        share_in_image: row.share_in_image,
        f_csf_sd: row.f_csf_sd,
        gm_ratio_sd: row.gm_ratio_sd,
    }
}

/// The amplitudes of one fit, as its rows have them.
fn terms(spectrum: &SpectrumRow, rows: &[&MetaboliteRow]) -> Terms {
    let place = |name: &String| rows.iter().position(|row| !row.is_sum && row.metabolite == *name);
    let term = |row: &&MetaboliteRow| Term {
        name: row.metabolite.clone(),
        members: row.sum_of.iter().filter_map(place).collect(),
        value: row.amplitude.unwrap_or(f64::NAN),
        sd: row.sd_posterior.unwrap_or(f64::NAN),
    };
    let components = rows.iter().filter(|row| !row.is_sum).map(|row| &row.metabolite);
    let in_order = components.eq(&spectrum.covariance_names);
    let covariance = spectrum.posterior_covariance.clone().filter(|_| in_order).unwrap_or_default();
    Terms { each: rows.iter().map(term).collect(), covariance }
}

/// The record of the new dataset: the run's, with the constants of now and what they were put to.
fn record(
    asked: &Requantify,
    source: RunRecord,
    constants: &WaterScaling,
    warnings: Vec<String>,
    started_utc: String,
) -> RunRecord {
    let mut config = source.config.clone();
    if !config.is_object() {
        config = json!({});
    }
    if let Some(fields) = config.as_object_mut() {
        fields.insert(WATER_SCALING_KEY.to_owned(), json!(constants));
        if let Some(gates) = &asked.gates {
            fields.insert(GATES_KEY.to_owned(), json!(gates));
        }
        let from = json!({
            "run_id": source.run_id,
            "requant_version": source.requant_version,
            "git_hash": source.git_hash,
            "started_utc": source.started_utc,
            "tissue": asked.tissue.as_ref().map(|(_, table)| json!({"file": table.name, "sha256": table.sha256})),
            "gaps": asked.gaps,
        });
        fields.insert(FROM_KEY.to_owned(), from);
    }
    let mut warnings = warnings;
    warnings.extend(asked.gates.iter().flat_map(Gates::biases).map(|bias| printable_message(&bias)));
    warnings.dedup();
    RunRecord {
        // Nothing was set out to be fitted: no run can be resumed from here.
        signature: String::new(),
        settings: source.settings,
        config,
        methods: source.methods,
        bases: source.bases,
        inputs: source.inputs,
        device: source.device,
        started_utc: Some(started_utc),
        command_line: command_line(),
        warnings,
        ..RunRecord::new(&source.engine, source.threads)
    }
}

fn write(
    asked: &Requantify,
    mut record: RunRecord,
    rows: ChunkRows,
    (learned, carried): (Vec<LearnedRow>, Vec<String>),
    started: Instant,
) -> Result<Summary, RunError> {
    let id = run_id(&[&record], &learned, &record.inputs);
    let mut writer = DatasetWriter::create(&asked.out, asked.if_exists)?.of_run(id).carrying(carried)?;
    let mut tally = Tally::default();
    rows.spectra.iter().for_each(|row| tally.add(row));
    writer.rows(rows)?;
    writer.learned(learned)?;
    // A dataset that was replaced meanwhile may have given rows of both.
    check_files(&asked.results, &read_record(&asked.results)?)
        .map_err(|_| StoreError::Busy { path: asked.results.clone() })?;
    record.timings = Timings { merge_wall_s: started.elapsed().as_secs_f64(), ..Timings::default() };
    let warnings = record.warnings.clone();
    let files = writer.finish(record)?;
    Ok(Summary { warnings, files, wall_s: started.elapsed().as_secs_f64(), ..Summary::of(tally, None) })
}

/// What a configuration has for this; the rest of it would need a second fit.
///
/// # Errors
/// Which table of it cannot be followed.
pub fn from_config(config: &Config) -> Result<(Option<WaterScaling>, Facts), &'static str> {
    if config.prepare != crate::prepare::Preparation::default() {
        return Err("`prepare` cannot be changed without a second fit; leave it out, or use `requant run`");
    }
    Ok((config.water_scaling.clone(), config.gaps.clone()))
}
