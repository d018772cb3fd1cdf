//! Basis sets: the time-domain response of each metabolite to one protocol.

pub mod check;
mod first_point;
mod folder;
mod lcmodel;
pub mod names;
mod reference;
mod regrid;
mod save;
pub mod simulate;
mod write;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use num_complex::Complex64;
use thiserror::Error;

use crate::formats::namelist::NamelistError;

pub use first_point::FirstPoint;
pub use save::{SaveError, SetFormat, save};
pub use write::{write_fsl_json, write_lcmodel, write_raw};

/// The free induction decay of every metabolite for one protocol, on one time grid.
#[derive(Debug, Clone)]
pub struct BasisSet {
    /// What the basis set calls itself, or its file name.
    pub id: String,
    /// Canonical metabolite names ([`names::canonical`]), in the order of the rows of `fids`.
    pub metabolites: Vec<String>,
    /// Complex samples `[metabolite, point]`, sign convention of [`crate::acquisition`], in units in
    /// which an amplitude of 1 is 1 mmol (LCModel's TRAMP/(VOLUME·CONC) applied where the file has it).
    pub fids: Array2<Complex64>,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Spectrometer frequency for which the set was made (MHz).
    pub f0_mhz: f64,
    /// Echo time (s), if stated.
    pub te_s: Option<f64>,
    /// Sequence name, if stated.
    pub sequence: Option<String>,
    /// Linewidth (FWHM, Hz) that the set was broadened with, if stated (LCModel: FWHMBA).
    pub linewidth_hz: Option<f64>,
    /// FWHMBA as an LCModel file states it (ppm), believable or not: LCModel uses it as it stands.
    pub fwhmba_ppm: Option<f64>,
    /// SHA-256 (hex) of the files that the set was read from.
    pub sha256: String,
    /// What the reader had to assume, repair or leave out.
    pub remarks: Vec<String>,
}

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

/// Why a basis set could not be read or used.
#[derive(Debug, Error)]
pub enum BasisError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Header or data of a text file do not parse.
    #[error("{}: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What does not parse, with its line.
        source: NamelistError,
    },
    /// The spectra are encrypted (negative BADELT).
    #[error("{}: the spectra are encrypted (BADELT is negative); ask its maker for the plain .RAW or .BASIS files", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// Something that the fit needs is stated nowhere.
    #[error("{}: {field} is not stated; {hint}", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        field: &'static str,
        /// Where it may come from.
        hint: &'static str,
    },
    /// A header value makes no sense.
    #[error("{}: {field} = {value} is not usable; it must be {must_be}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Name of the header value.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must_be: &'static str,
    },
    /// One member of the set cannot be read.
    #[error("{}: metabolite {member}: {reason}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// Name of the member as the file has it.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two members have the same canonical name.
    #[error("{}: {first:?} and {second:?} are both {canonical}; keep one of them", path.display())]
    Duplicate {
        /// The file or folder.
        path: PathBuf,
        /// The first one as written.
        first: String,
        /// The second one as written.
        second: String,
        /// Their common canonical name.
        canonical: String,
    },
    /// No member was found.
    #[error("{}: holds no basis spectra; give an LCModel .BASIS, a folder of .RAW, of FSL-MRS .json or of NIfTI-MRS files", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder holds members of more than one kind.
    #[error("{}: holds member files of more than one format; leave one kind of .RAW, .json or NIfTI-MRS there", path.display())]
    Mixed {
        /// The folder.
        path: PathBuf,
    },
    /// Regridding was asked for a grid that makes no sense.
    #[error(
        "cannot regrid basis {id:?} to dwell {dwell_s} s, {f0_mhz} MHz, {n_points} points: all must be positive, and the bandwidth within a factor of 100 of the basis's"
    )]
    Grid {
        /// Name of the basis set.
        id: String,
        /// Dwell time asked for (s).
        dwell_s: f64,
        /// Spectrometer frequency asked for (MHz).
        f0_mhz: f64,
        /// Number of points asked for.
        n_points: usize,
    },
}

impl BasisSet {
    /// Reads an LCModel `.BASIS` file, a folder of LCModel `.RAW`, FSL-MRS JSON or NIfTI-MRS files, or
    /// one such file as a set of one member.
    ///
    /// # Errors
    /// A [`BasisError`] that names the file and what is wrong.
    pub fn read(path: &Path) -> Result<Self, BasisError> {
        Self::read_with(path, &Grid::default())
    }

    /// As [`BasisSet::read`], with what the caller knows about the set where its files do not say it.
    ///
    /// # Errors
    /// As [`BasisSet::read`].
    pub fn read_with(path: &Path, grid: &Grid) -> Result<Self, BasisError> {
        if path.is_dir() || folder::is_member(path) {
            folder::read(path, grid)
        } else {
            lcmodel::decode(&read_bytes(path)?, path, grid)
        }
    }

    /// Row of the metabolite `name` (any synonym).
    pub fn position(&self, name: &str) -> Option<usize> {
        let name = names::canonical(name);
        self.metabolites.iter().position(|m| *m == name)
    }
}

/// One member on its way into a set: its name as written and its FID.
struct Member {
    name: String,
    fid: Vec<Complex64>,
}

/// Canonical names and the sample matrix of `members`.
///
/// # Errors
/// [`BasisError::Empty`], [`BasisError::Duplicate`], and [`BasisError::Member`] for a length that
/// differs from the first one's or for samples that are all zero.
fn assemble(path: &Path, members: Vec<Member>) -> Result<(Vec<String>, Array2<Complex64>), BasisError> {
    let n_points = members.first().map_or(0, |m| m.fid.len());
    if n_points == 0 {
        return Err(BasisError::Empty { path: path.to_owned() });
    }
    let mut names: Vec<String> = Vec::with_capacity(members.len());
    let mut fids = Array2::zeros((members.len(), n_points));
    for (row, member) in members.iter().enumerate() {
        let canonical = names::canonical(&member.name);
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

/// The bytes of a file.
fn read_bytes(path: &Path) -> Result<Vec<u8>, BasisError> {
    std::fs::read(path).map_err(|source| BasisError::Io { path: path.to_owned(), source })
}

/// File name without its extension, for sets that do not name themselves.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "basis".to_owned(), |s| s.to_string_lossy().into_owned())
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::acquisition::hz_from_ppm;

    /// Two members of decaying lines with full first samples: singlets in phase, and lines whose
    /// phases differ as J evolution leaves them.
    pub(in crate::basis) fn analytic(f0_mhz: f64, dwell_s: f64, n_points: usize) -> BasisSet {
        let in_phase: &[(f64, f64, f64, f64)] = &[(2.008, 3.0, 0.0, 9.0), (3.027, 3.0, 0.0, 8.0)];
        let evolved = &[(2.3, 1.0, 0.4, 9.0), (2.4, 1.5, -0.7, 10.0), (3.75, 1.0, 0.3, 12.0), (1.3, 0.5, 2.0, 8.0)];
        let fids = Array2::from_shape_fn((2, n_points), |(row, n)| {
            let t = n as f64 * dwell_s;
            let lines: &[(f64, f64, f64, f64)] = if row == 0 { in_phase } else { evolved };
            lines
                .iter()
                .map(|&(ppm, amplitude, phase, rate)| {
                    let omega = 2.0 * std::f64::consts::PI * hz_from_ppm(ppm, f0_mhz);
                    amplitude * Complex64::new(-rate * t, omega * t + phase).exp()
                })
                .sum()
        });
        BasisSet {
            id: "analytic".to_owned(),
            metabolites: vec!["NAA".to_owned(), "Glx".to_owned()],
            fids,
            dwell_s,
            f0_mhz,
            te_s: Some(0.03),
            sequence: Some("PRESS".to_owned()),
            linewidth_hz: None,
            fwhmba_ppm: None,
            sha256: String::new(),
            remarks: Vec::new(),
        }
    }
}
