//! Result files of other programs as rows, so that they compare like a run's: one format a file, names made canonical.
//!
//! Every program has a unit of its own. What it prints as concentration becomes `amplitude`, in its own unit; the ratio
//! to total creatine is taken from that and compares across all of them; `conc_lcmodel_mmol_per_kg` is filled only where
//! the file says that it was scaled to water. Standard deviations are what the program reports (Cramér–Rao bounds).

pub mod lcmodel_csv;
pub mod lcmodel_table;
pub mod plain_csv;
mod results;
pub mod tarquin;

pub use results::{DecodeError, Estimate, Results};

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::basis::names;
use crate::printable::{LABEL_CHARS, PATH_CHARS, printable};
use crate::regular_file;
use crate::store::MetaboliteRow;

/// Why a result file could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// No known format.
    #[error(
        "{}: no result file that is known (LCModel .table, .coord, .csv; TARQUIN text or CSV; a CSV with id,metab,conc,crlb_pct, or with one column a spectrum)", path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("{}: cannot be read: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Damaged, or not what its beginning promises.
    #[error("{}: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The folder holds nothing of use.
    #[error("{}: neither a run's folder nor one of other programs' result files", path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// Two results for one spectrum and metabolite.
    #[error("{}: two results for {metabolite} of {spectrum}: give one analysis at a time", path.display())]
    Twice {
        /// Where.
        path: PathBuf,
        /// The spectrum.
        spectrum: String,
        /// The metabolite.
        metabolite: String,
    },
}

/// Decodes the text of a result file of any known format; `None` where it is none.
pub fn decode(bytes: &[u8]) -> Option<Result<Vec<Results>, DecodeError>> {
    let text = String::from_utf8_lossy(bytes);
    let first = text.lines().map(str::trim).find(|l| !l.is_empty())?;
    let starts = |prefix: &str| first.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    Some(if first.starts_with("Row") && first.contains("%SD") {
        lcmodel_csv::decode(&text)
    } else if lcmodel_table::looks_like(&text) {
        lcmodel_table::decode(&text).map(|results| vec![results])
    } else if first.starts_with(tarquin::CSV_HEAD) {
        tarquin::decode_csv(&text)
    } else if first.starts_with("Signal") && first.contains("Conc (") {
        tarquin::decode_text(&text).map(|results| vec![results])
    } else if starts("id,") && first.to_ascii_lowercase().contains(",metab") {
        plain_csv::decode_long(&text)
    } else if starts("metab") && first.contains(',') {
        plain_csv::decode_wide(&text)
    } else {
        return None;
    })
}

/// Extensions of result files; where one analysis left several, the earlier says more.
const EXTENSIONS: [&str; 4] = ["table", "coord", "csv", "txt"];
/// Largest result file that is read (bytes); LCModel's longest have some hundred kilobytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The rows of a result file, or of a folder of result files: one spectrum each, its id from the file's name, or from the
/// folder's where the file is called `table`, `coord` or `csv`.
///
/// # Errors
/// [`ImportError`]: nothing there that is known, or a damaged file.
pub fn rows(path: &Path) -> Result<Vec<MetaboliteRow>, ImportError> {
    let mut rows = Vec::new();
    if path.is_dir() {
        // By name without extension, then by how much the file says.
        let mut files: BTreeMap<(PathBuf, String), BTreeMap<usize, PathBuf>> = BTreeMap::new();
        for entry in WalkDir::new(path).max_depth(2).sort_by_file_name() {
            let entry = entry.map_err(|e| ImportError::Io { path: path.to_owned(), reason: e.to_string() })?;
            if entry.path().is_dir() {
                continue;
            }
            let Some((stem, rank)) = result_name(entry.path()) else { continue };
            let folder = entry.path().parent().unwrap_or(path).to_owned();
            files.entry((folder, stem)).or_default().insert(rank, entry.into_path());
        }
        for ((_, id), versions) in files {
            for file in versions.values() {
                // Notes and tables of other things lie beside results.
                if let Some(results) = read(file)? {
                    rows.extend(rows_of(results, &id));
                    break;
                }
            }
        }
        if rows.is_empty() {
            return Err(ImportError::Nothing { path: path.to_owned() });
        }
    } else {
        let id = result_name(path).map_or_else(|| stem_of(path), |(id, _)| id);
        let results = read(path)?.ok_or_else(|| ImportError::Unknown { path: path.to_owned() })?;
        rows = rows_of(results, &id);
    }
    let mut seen = HashSet::new();
    for row in &rows {
        if !seen.insert((row.spectrum_id.as_str(), row.metabolite.as_str())) {
            let (spectrum, metabolite) = (row.spectrum_id.clone(), row.metabolite.clone());
            return Err(ImportError::Twice { path: path.to_owned(), spectrum, metabolite });
        }
    }
    Ok(rows)
}

fn stem_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The spectrum that a result file is of, by its name, and the rank of its extension.
fn result_name(path: &Path) -> Option<(String, usize)> {
    let rank = |word: &str| EXTENSIONS.iter().position(|e| e.eq_ignore_ascii_case(word));
    match path.extension() {
        Some(extension) => Some((stem_of(path), rank(&extension.to_string_lossy())?)),
        None => {
            let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
            Some((folder, rank(&stem_of(path))?))
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<Results>>, ImportError> {
    let io = |reason: String| ImportError::Io { path: path.to_owned(), reason };
    let bytes = regular_file::bytes(path, MAX_FILE_BYTES).map_err(|e| io(e.to_string()))?;
    decode(&bytes).transpose().map_err(|source| ImportError::Decode { path: path.to_owned(), source })
}

/// Rows of what a file holds: canonical names, the usual sums where the program did not add them up, ratios to total
/// creatine.
fn rows_of(results: Vec<Results>, file_id: &str) -> Vec<MetaboliteRow> {
    results.into_iter().flat_map(|one| spectrum_rows(one, file_id)).collect()
}

fn spectrum_rows(results: Results, file_id: &str) -> Vec<MetaboliteRow> {
    let voxel = results.voxel.map(|[i, j, k]| format!("#{i},{j},{k}")).unwrap_or_default();
    let id = printable(results.id.as_deref().unwrap_or(file_id), PATH_CHARS) + &voxel;
    let mut all: Vec<(String, bool, Estimate)> = Vec::new();
    for estimate in results.estimates {
        let sum = names::canonical_sum(&estimate.name);
        let is_sum = sum.is_some();
        let name = sum.unwrap_or_else(|| names::canonical(&printable(&estimate.name, LABEL_CHARS)));
        // Names that differ to the program alone (`Gly` and `glycine`) stay apart, so that the clash is told.
        all.push((name, is_sum, estimate));
    }
    let singles: Vec<(String, f64)> =
        all.iter().filter(|(_, is_sum, _)| !is_sum).map(|(name, _, e)| (name.clone(), e.value)).collect();
    let single_names: Vec<String> = singles.iter().map(|(name, _)| name.clone()).collect();
    for sum in names::sums(&single_names) {
        if all.iter().all(|(name, ..)| name != sum.name) {
            let value = sum.members.iter().map(|&k| singles[k].1).sum();
            // Of a sum the covariance would be needed.
            all.push((sum.name.to_owned(), true, Estimate { name: sum.name.to_owned(), value, sd: None }));
        }
    }
    let value = |wanted: &str| all.iter().find(|(name, ..)| name == wanted).map(|(_, _, e)| e.value);
    let creatine = value("tCr").or_else(|| value("Cr")).or_else(|| value("PCr")).filter(|v| *v > 0.0);
    let row = |(metabolite, is_sum, e): &(String, bool, Estimate)| MetaboliteRow {
        spectrum_id: id.clone(),
        metabolite: metabolite.clone(),
        is_sum: *is_sum,
        amplitude: Some(e.value),
        sd_posterior: e.sd,
        crlb_percent: e.sd.filter(|_| e.value > 0.0).map(|sd| 100.0 * sd / e.value),
        ratio_tcr: creatine.map(|c| e.value / c),
        conc_lcmodel_mmol_per_kg: results.is_water_scaled.then_some(e.value),
        ..MetaboliteRow::default()
    };
    all.iter().map(row).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_that_says_nothing_is_no_sd() {
        assert_eq!(Estimate::with_percent("NAA", 10.0, Some(5.0)).sd, Some(0.5));
        for percent in [Some(999.0), Some(f64::INFINITY), Some(f64::NAN), None] {
            assert_eq!(Estimate::with_percent("NAA", 10.0, percent).sd, None);
        }
        assert_eq!(Estimate::with_percent("NAA", 0.0, Some(5.0)).sd, None);
    }

    #[test]
    fn missing_sums_are_added_and_ratios_taken() {
        let estimates = [("NAA", 9.0), ("NAAG", 1.0), ("Cr", 3.0), ("PCr", 2.0), ("mI", 4.0)]
            .map(|(name, value)| Estimate { name: name.to_owned(), value, sd: None })
            .to_vec();
        let rows = spectrum_rows(Results { estimates, ..Results::default() }, "x");
        let of = |name: &str| rows.iter().find(|r| r.metabolite == name).unwrap();
        assert_eq!((of("tNAA").amplitude, of("tNAA").ratio_tcr, of("tNAA").is_sum), (Some(10.0), Some(2.0), true));
        assert_eq!((of("Ins").ratio_tcr, of("Ins").spectrum_id.as_str()), (Some(0.8), "x"));
        assert!(rows.iter().all(|r| r.conc_lcmodel_mmol_per_kg.is_none()));
    }

    #[test]
    fn names_of_files_and_folders() {
        let name = |path: &str| result_name(Path::new(path));
        assert_eq!(name("a/sub-01.COORD"), Some(("sub-01".to_owned(), 1)));
        assert_eq!(name("a/sub-01/table"), Some(("sub-01".to_owned(), 0)));
        assert_eq!((name("a/sub-01/control"), name("a/notes.pdf")), (None, None));
    }
}
