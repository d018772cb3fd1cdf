//! Results of other programs for the same spectra: CSV files with `id, metab, conc` and, where known, `crlb_pct`.

use std::path::{Path, PathBuf};

use super::BenchmarkError;
use crate::basis::names;
use crate::regular_file;
use crate::store::MetaboliteRow;

/// Largest table of results that is read (bytes): a million spectra have half of it.
const MAX_BYTES: u64 = 512 << 20;

/// From here on LCModel's percentages say that there is nothing to tell.
const NO_CRLB_PERCENT: f64 = 900.0;

/// The results of one program for one set.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Program and configuration, from the file's name.
    pub label: String,
    /// Its results, as rows of the same table as our own.
    pub rows: Vec<MetaboliteRow>,
}

/// The peers of a set in `folder`: `benchmark/SET_PROGRAM.csv`, for the challenge `challenge2016/PROGRAM.csv`.
///
/// # Errors
/// [`BenchmarkError::Peer`]: a file is not readable.
pub fn peers_of(set: &str, folder: &Path) -> Result<Vec<Peer>, BenchmarkError> {
    let challenge = set.starts_with("challenge2016");
    let (within, prefix) = if challenge { ("challenge2016", String::new()) } else { ("benchmark", format!("{set}_")) };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join(within))
        .map(|entries| entries.filter_map(Result::ok).map(|e| e.path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut peers = Vec::new();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(program) = stem.strip_prefix(&prefix) {
            let label = program.strip_suffix("_mM").unwrap_or(program).to_owned();
            peers.push(Peer { rows: read(path)?, label });
        }
    }
    Ok(peers)
}

fn read(path: &Path) -> Result<Vec<MetaboliteRow>, BenchmarkError> {
    let fail = |reason: String| BenchmarkError::Peer { path: path.to_owned(), reason };
    let file = regular_file::open(path, MAX_BYTES).map_err(|e| fail(e.to_string()))?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|e| fail(e.to_string()))?.clone();
    let place = |name: &str| header.iter().position(|h| h == name);
    let (Some(id), Some(metabolite), Some(value)) = (place("id"), place("metab"), place("conc")) else {
        return Err(fail("it must have the columns id, metab and conc".to_owned()));
    };
    let percent = place("crlb_pct");
    let mut rows = Vec::new();
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| fail(e.to_string()))?;
        let cell = |i: usize| record.get(i).unwrap_or_default().trim();
        let number = |text: &str| -> Result<f64, BenchmarkError> {
            text.parse().map_err(|_| fail(format!("line {}: `{text}` is no number", line + 2)))
        };
        let amplitude = number(cell(value))?;
        let percent = percent.map(cell).filter(|text| !text.is_empty()).map(number).transpose()?;
        let told = percent.filter(|p| *p < NO_CRLB_PERCENT && amplitude != 0.0);
        let sd = told.map(|p| amplitude.abs() * p / 100.0);
        let Some(metabolite) = name(cell(metabolite)) else { continue };
        rows.push(MetaboliteRow {
            spectrum_id: cell(id).to_owned(),
            metabolite,
            amplitude: Some(amplitude),
            // Files are in the unit of the truth's column; which of ours is compared does not matter to them.
            conc_lcmodel_mmol_per_kg: Some(amplitude),
            sd_posterior: sd,
            conc_lcmodel_sd_mmol_per_kg: sd,
            ..MetaboliteRow::default()
        });
    }
    Ok(rows)
}

/// Canonical name of a metabolite or of a usual sum (`NAA+NAAG` → tNAA); `None` for other sums.
fn name(text: &str) -> Option<String> {
    if !text.contains('+') {
        return Some(names::canonical(text));
    }
    let members: Vec<String> = text.split('+').map(names::canonical).collect();
    let sum = names::sums(&members).into_iter().find(|s| s.members.len() == members.len() && !s.name.contains('+'))?;
    Some(sum.name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn files_are_found_by_set_and_sums_known_by_their_members() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("benchmark")).unwrap();
        let text = "id,metab,conc,crlb_pct\ns1,NAA,10,5\ns1,NAAG,0,999\ns1,NAA+NAAG,10,4\ns1,MM20+Lip20,3,9\n";
        std::fs::write(at("benchmark/mine_lcmodel.csv"), text).unwrap();
        std::fs::write(at("benchmark/other_lcmodel.csv"), "id,x\n").unwrap();
        let peers = peers_of("mine", folder.path()).unwrap();
        assert_eq!((peers.len(), peers[0].label.as_str()), (1, "lcmodel"));
        let row = |name: &str| peers[0].rows.iter().find(|r| r.metabolite == name).unwrap();
        assert_eq!((row("NAA").sd_posterior, row("NAAG").sd_posterior), (Some(0.5), None));
        assert_eq!(row("tNAA").sd_posterior, Some(0.4));
        assert_eq!(peers[0].rows.len(), 3);
        let error = peers_of("other", folder.path()).unwrap_err().to_string();
        assert!(error.contains("id, metab and conc"), "{error}");
        assert!(peers_of("none", folder.path()).unwrap().is_empty());
    }
}
