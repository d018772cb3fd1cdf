//! Tissue in voxels as somebody's table has it: a line a spectrum, shares of grey matter, white matter and CSF.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::hash::sha256_hex;
use crate::quantify::Fractions;
use crate::regular_file;

/// Largest table that is read (bytes): a million lines have a tenth of it.
const MAX_BYTES: u64 = 1 << 30;
/// How far a sum may be from 1 as the numbers are rounded, which is not worth a word, and how far at most.
const AS_IS: f64 = 0.01;
const NORMALISED: f64 = 0.1;
/// What rounding adds to a sum of decimal numbers.
const ROUNDING: f64 = 1e-9;
/// Columns that must be there, and those that may.
const NEEDED: [&str; 4] = ["spectrum_id", "f_gm", "f_wm", "f_csf"];
const OPTIONAL: [&str; 2] = ["f_csf_sd", "gm_ratio_sd"];

/// Tissue of one spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tissue {
    /// Shares; they sum to 1.
    pub fractions: Fractions,
    /// Their sum as it stood there, where that was not 1 but for rounding.
    pub normalised_from: Option<f64>,
    /// Standard deviation of the share of CSF.
    pub f_csf_sd: Option<f64>,
    /// Standard deviation of grey matter's part of the tissue.
    pub gm_ratio_sd: Option<f64>,
}

/// A table of tissue.
#[derive(Debug, Clone, PartialEq)]
pub struct TissueTable {
    /// Its file's name.
    pub name: String,
    /// SHA-256 (hex) of its bytes.
    pub sha256: String,
    /// By `spectrum_id`; `None` where all of a line's shares are empty.
    pub tissue: BTreeMap<String, Option<Tissue>>,
}

/// Why a table of tissue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TissueTableError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no table with the columns that are needed.
    #[error("{}: {message}; a table of tissue has the columns {}, and may have {}", path.display(), NEEDED.join(", "), OPTIONAL.join(", "))]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A line that cannot be right.
    #[error("{}: line {line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1, the header included.
        line: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// None of its spectra is in the results.
    #[error("{}: none of its {n} spectra is in {}; `spectrum_id` must be as in the table `spectra` there, such as `{example}`", path.display(), results.display())]
    NoneKnown {
        /// The file.
        path: PathBuf,
        /// How many it has.
        n: usize,
        /// The dataset.
        results: PathBuf,
        /// One that is there.
        example: String,
    },
}

impl TissueTable {
    /// Reads a `.tsv`, or a `.csv` by that ending.
    ///
    /// # Errors
    /// [`TissueTableError`], which names the line.
    pub fn read(path: &Path) -> Result<Self, TissueTableError> {
        let bytes = regular_file::bytes(path, MAX_BYTES)
            .map_err(|source| TissueTableError::Io { path: path.to_owned(), source })?;
        let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let without_mark = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let tissue = lines(path, without_mark, if is_csv { b',' } else { b'\t' })?;
        Ok(Self { name, sha256: sha256_hex(&bytes), tissue })
    }
}

fn lines(path: &Path, bytes: &[u8], delimiter: u8) -> Result<BTreeMap<String, Option<Tissue>>, TissueTableError> {
    let columns = |message: String| TissueTableError::Columns { path: path.to_owned(), message };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|e| columns(e.to_string()))?.clone();
    let unknown: BTreeSet<&str> = header.iter().filter(|h| !NEEDED.contains(h) && !OPTIONAL.contains(h)).collect();
    // Other columns may be anything; one that nearly is a standard deviation would be left out silently.
    if let Some(name) = unknown.iter().find(|name| name.starts_with("f_") || name.ends_with("_sd")) {
        return Err(columns(format!("unknown column `{name}`")));
    }
    let place = |name: &str| header.iter().position(|h| h == name);
    let [id, gm, wm, csf] = NEEDED.map(place);
    let (Some(id), Some(gm), Some(wm), Some(csf)) = (id, gm, wm, csf) else {
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| place(name).is_none()).collect();
        return Err(columns(format!("no column {}", missing.join(", "))));
    };
    let mut tissue = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| columns(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fault = |message: String| TissueTableError::Line { path: path.to_owned(), line, message };
        let number = |column: usize| cell(record.get(column).unwrap_or_default()).map_err(fault);
        let shares = [number(gm)?, number(wm)?, number(csf)?];
        let sd = |name: &str| match place(name) {
            Some(column) => number(column),
            None => Ok(None),
        };
        let own = match shares {
            [None, None, None] => None,
            [Some(gm), Some(wm), Some(csf)] => {
                Some(tissue_of([gm, wm, csf], sd("f_csf_sd")?, sd("gm_ratio_sd")?).map_err(fault)?)
            }
            _ => return Err(fault("one share is empty; give f_gm, f_wm and f_csf, or none of them".to_owned())),
        };
        let name = record.get(id).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(fault("spectrum_id is empty".to_owned()));
        }
        if tissue.insert(name.clone(), own).is_some() {
            return Err(fault(format!("`{name}` is there twice")));
        }
    }
    Ok(tissue)
}

fn cell(text: &str) -> Result<Option<f64>, String> {
    if text.is_empty() || text.eq_ignore_ascii_case("n/a") {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
        _ => Err(format!("`{text}`: give a number, 0 or more")),
    }
}

fn tissue_of(shares: [f64; 3], f_csf_sd: Option<f64>, gm_ratio_sd: Option<f64>) -> Result<Tissue, String> {
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() > NORMALISED {
        return Err(format!("f_gm + f_wm + f_csf is {sum}; shares of the voxel sum to 1 (are these percent?)"));
    }
    let off = (sum - 1.0).abs();
    let is_right = off <= AS_IS + ROUNDING;
    // A sum of 1 but for the rounding of its digits in memory is 1.
    let [gm, wm, csf] = if off <= ROUNDING { shares } else { shares.map(|share| share / sum) };
    Ok(Tissue {
        fractions: Fractions { gm, wm, csf },
        normalised_from: (!is_right).then_some(sum),
        f_csf_sd,
        gm_ratio_sd,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, Option<Tissue>>, TissueTableError> {
        lines(Path::new("t.tsv"), text.as_bytes(), b'\t')
    }

    const HEADER: &str = "spectrum_id\tf_gm\tf_wm\tf_csf\tf_csf_sd\tnote\n";

    #[test]
    fn shares_are_taken_normalised_or_refused() {
        let read =
            read(&format!("{HEADER}a\t0.6\t0.2\t0.2\t0.02\tx\nb\t0.57\t0.19\t0.19\t\t\nc\tn/a\tn/a\t\t\t\n")).unwrap();
        let a = read["a"].unwrap();
        assert_eq!((a.fractions, a.normalised_from), (Fractions { gm: 0.6, wm: 0.2, csf: 0.2 }, None));
        assert_eq!((a.f_csf_sd, a.gm_ratio_sd), (Some(0.02), None));
        let b = read["b"].unwrap();
        assert!((b.fractions.gm - 0.6).abs() < 1e-12 && (b.normalised_from.unwrap() - 0.95).abs() < 1e-12);
        // What rounding leaves is divided by, and not worth a word.
        let d = lines(Path::new("t.tsv"), format!("{HEADER}d\t0.5\t0.3\t0.21\t\t\n").as_bytes(), b'\t').unwrap();
        let d = d["d"].unwrap();
        assert!((d.fractions.gm - 0.5 / 1.01).abs() < 1e-12 && d.normalised_from.is_none());
        assert_eq!(read["c"], None);
    }

    #[test]
    fn lines_that_cannot_be_right_are_named() {
        for (line, words) in [
            ("a\t60\t20\t20\t\t", "percent"),
            ("a\t0.6\t0.2\t\t\t", "one share is empty"),
            ("a\t0.6\t-0.2\t0.6\t\t", "`-0.2`"),
            ("a\t0,6\t0.2\t0.2\t\t", "`0,6`"),
            ("a\tnan\t0.2\t0.2\t\t", "`nan`"),
            ("\t0.6\t0.2\t0.2\t\t", "spectrum_id is empty"),
            ("a\t0.6\t0.2\t0.2\t\t\na\t0.6\t0.2\t0.2\t\t", "line 3: `a` is there twice"),
        ] {
            let message = read(&format!("{HEADER}{line}\n")).unwrap_err().to_string();
            assert!(message.contains(words) && message.contains("line"), "{line}: {message}");
        }
        let message = read("spectrum_id,f_gm\na,1\n").unwrap_err().to_string();
        assert!(message.contains("no column"), "{message}");
        let message = read("spectrum_id\tf_gm\tf_wm\tf_csf\tcsf_sd\n").unwrap_err().to_string();
        assert!(message.contains("unknown column `csf_sd`"), "{message}");
    }
}
