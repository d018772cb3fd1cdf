//! Members on their way into a set.

use super::BasisError;
use super::names;
use crate::printable::{LABEL_CHARS, printable};
use crate::regular_file;
use ndarray::Array2;
use num_complex::Complex64;
use std::path::Path;

/// What the caller knows about a basis set whose files do not say it (LCModel RAW). What a file
/// states itself takes precedence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Grid {
    /// Time between two samples (s).
    pub dwell_s: Option<f64>,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: Option<f64>,
    /// Echo time (s).
    pub te_s: Option<f64>,
}

/// One member on its way into a set: its name as written and its FID.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) fid: Vec<Complex64>,
}

/// Canonical names and the sample matrix of `members`.
///
/// # Errors
/// [`BasisError::Empty`], [`BasisError::Duplicate`], and [`BasisError::Member`] for a length that
/// differs from the first one's or for samples that are all zero.
pub(super) fn assemble(path: &Path, members: Vec<Member>) -> Result<(Vec<String>, Array2<Complex64>), BasisError> {
    let n_points = members.first().map_or(0, |m| m.fid.len());
    if n_points == 0 {
        return Err(BasisError::Empty { path: path.to_owned() });
    }
    let mut names: Vec<String> = Vec::with_capacity(members.len());
    let mut fids = Array2::zeros((members.len(), n_points));
    for (row, member) in members.iter().enumerate() {
        let canonical = names::member(&printable(&member.name, LABEL_CHARS));
        if let Some(other) = names.iter().position(|n| *n == canonical) {
            return Err(BasisError::Duplicate {
                path: path.to_owned(),
                first: members[other].name.clone(),
                second: member.name.clone(),
                canonical,
            });
        }
        let fail = |reason: String| BasisError::Member { path: path.to_owned(), member: member.name.clone(), reason };
        if member.fid.len() != n_points {
            return Err(fail(format!("{} points where the first member has {n_points}", member.fid.len())));
        }
        if member.fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
            return Err(fail("samples that are not finite".to_owned()));
        }
        if member.fid.iter().all(|z| z.norm_sqr() == 0.0) {
            return Err(fail("all samples are zero".to_owned()));
        }
        for (sample, value) in fids.row_mut(row).iter_mut().zip(&member.fid) {
            *sample = *value;
        }
        names.push(canonical);
    }
    Ok((names, fids))
}

/// Largest file of a basis set that is read (bytes): a set of a hundred metabolites with 32,768 points has 100 MB as text.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// The bytes of a file.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, BasisError> {
    regular_file::bytes(path, MAX_FILE_BYTES).map_err(|source| BasisError::Io { path: path.to_owned(), source })
}

/// File name without its extension, for sets that do not name themselves.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "basis".to_owned(), |s| s.to_string_lossy().into_owned())
}
