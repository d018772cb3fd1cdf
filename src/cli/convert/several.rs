//! All spectra of a folder or a manifest: each becomes files, or a line that says why not.

use std::path::Path;

use rayon::prelude::*;

use super::super::error::{CliError, CliResult};
use super::super::outputs::{EXIT_OUTPUT, Reads};
use super::bids::Dataset;
use super::names::{Names, Taken};
use super::written::{Outcome, write};
use crate::acquisition::{Acquisition, Facts};
use crate::corpus::{self, Found, PathLabels};
use crate::formats::{Search, nifti, nifti_mrs};
use crate::run::load::{Failure, Measurement, load_acquisitions};

/// Exit code where nothing could be converted.
const EXIT_NOTHING: u8 = 65;

/// What is to be converted.
pub(super) struct Asked<'a> {
    pub(super) input: &'a Path,
    pub(super) out: &'a Path,
    pub(super) is_bids: bool,
    pub(super) site_from: Option<&'a PathLabels>,
    /// Values for files that do not state them.
    pub(super) gaps: Facts,
}

pub(super) fn run(asked: &Asked<'_>) -> CliResult {
    let &Asked { input, out, is_bids, site_from, ref gaps } = asked;
    if out.symlink_metadata().is_ok() {
        let message = format!("{}: exists; give a new folder", out.display());
        return Err(CliError::new(EXIT_OUTPUT, anyhow::anyhow!(message)));
    }
    let listing =
        corpus::find_labelled(&[input.to_owned()], &Search, site_from).map_err(|e| CliError::new(e.exit_code(), e))?;
    for warning in &listing.warnings {
        tell!("warning: {warning}");
    }
    std::fs::create_dir_all(out).map_err(|e| CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: {e}", out.display())))?;
    let names = if is_bids { Names::of_bids(&listing.found) } else { Names::of_paths(&listing.found) };
    for note in &names.notes {
        tell!("note: {note}");
    }
    let each = listing.found.par_iter().zip(&names.taken);
    let outcomes: Vec<Outcome> = each
        .map(|(found, name)| {
            let source = found.source_path.clone();
            let done = name.as_ref().map_err(Clone::clone).and_then(|name| {
                let measurements = read(found, gaps)?;
                put_all(out, name, is_bids, measurements)
            });
            match done {
                Ok(written) => Outcome { source, written, failure: None },
                Err(failure) => Outcome { source, written: Vec::new(), failure: Some(failure) },
            }
        })
        .collect();
    let table = if is_bids { "code/conversion.tsv" } else { "conversion.tsv" };
    if is_bids {
        Dataset::of(&listing.found, &names, &outcomes).write(out)?;
    }
    write_table(&out.join(table), &outcomes)?;
    tell_of(out, &outcomes, listing.left_out.len());
    Ok(if outcomes.iter().all(|one| one.failure.is_some()) { EXIT_NOTHING } else { 0 })
}

fn read(found: &Found, gaps: &Facts) -> Result<Vec<Measurement>, Failure> {
    match found.refusal() {
        Some(refusal) => Err(Failure::new(refusal.code, refusal.message)),
        None => load_acquisitions(found, None, gaps),
    }
}

/// Writes the measurements of a file, each with its water reference; either all of them or none.
fn put_all(out: &Path, name: &Taken, is_bids: bool, measurements: Vec<Measurement>) -> Result<Vec<String>, Failure> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for Measurement { name: measurement, data, water } in measurements {
        let own = name.file(measurement.as_deref(), data.n_voxels() > 1);
        let reference = water.as_ref().map(|_| name.reference(measurement.as_deref()));
        let sidecar = |data: &Acquisition, of: Option<&String>| match is_bids {
            true => {
                let uri = of.map(|path| format!("bids::{path}.nii.gz"));
                nifti_mrs::bids_sidecar(data, uri.as_deref()).map(Some).map_err(|missing| lacks(&missing.join(", ")))
            }
            false => stated(data).map(|()| None),
        };
        let mut put = |path: &String, data: &Acquisition, of: Option<&String>| -> Result<(), Failure> {
            let sidecar = sidecar(data, of)?;
            let bytes = nifti::packed(&nifti_mrs::encode(data)).map_err(|e| Failure::new("not_written", e))?;
            files.push((format!("{path}.nii.gz"), bytes));
            files.extend(sidecar.map(|json| (format!("{path}.json"), format!("{json:#}\n").into_bytes())));
            Ok(())
        };
        put(&own, &data, reference.as_ref())?;
        if let (Some(water), Some(path)) = (&water, &reference) {
            put(path, &water.data, None)?;
        }
    }
    for (path, bytes) in &files {
        write(out, path, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).filter(|path| path.ends_with(".nii.gz")).collect())
}

/// A NIfTI-MRS file without these two is none.
fn stated(data: &Acquisition) -> Result<(), Failure> {
    let missing = [("f0_mhz", data.facts.f0_mhz), ("dwell_s", data.facts.dwell_s)];
    let missing: Vec<&str> = missing.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(lacks(&missing.join(", "))) }
}

fn lacks(columns: &str) -> Failure {
    Failure::new(
        "missing_field",
        format!("not known: {columns}; fill in these columns of a manifest, or give the options of these names"),
    )
}

fn write_table(path: &Path, outcomes: &[Outcome]) -> Result<(), CliError> {
    let clean = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let line = |one: &Outcome| {
        let (status, failure) = match &one.failure {
            None => ("ok", ["n/a".to_owned(), "n/a".to_owned()]),
            Some(failure) => ("failed", [failure.code.clone(), clean(&failure.message)]),
        };
        let written = if one.written.is_empty() { "n/a".to_owned() } else { one.written.join(" ") };
        format!("{}\t{written}\t{status}\t{}\n", clean(&one.source), failure.join("\t"))
    };
    let head = "source_path\twritten\tstatus\terror_code\terror_message\n".to_owned();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Reads::default().write(path, head + &outcomes.iter().map(line).collect::<String>())
}

fn tell_of(out: &Path, outcomes: &[Outcome], n_left_out: usize) {
    for (one, failure) in outcomes.iter().filter_map(|one| Some((one, one.failure.as_ref()?))) {
        tell!("failed: {}: {} ({})", one.source, failure.message, failure.code);
    }
    let n_failed = outcomes.iter().filter(|one| one.failure.is_some()).count();
    let n_files: usize = outcomes.iter().map(|one| one.written.len()).sum();
    say!(
        "{}: {} of {} converted to {n_files} files, {n_failed} failed; {n_left_out} other files belong to them or are no spectra",
        out.display(),
        outcomes.len() - n_failed,
        outcomes.len()
    );
}
