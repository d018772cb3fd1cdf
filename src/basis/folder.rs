//! Basis sets with one file per metabolite: LCModel `.RAW`, FSL-MRS JSON, NIfTI-MRS. A folder of them,
//! or one such file as a set of one.
//!
//! All three store FIDs in our sign convention (measured: Cr at 3.027 ppm and NAA at 2.008 ppm in each).

use std::path::{Path, PathBuf};

use num_complex::Complex64;
use serde::Deserialize;

use super::member::{Grid, Member, assemble, read_bytes, stem};
use super::{BasisError, BasisSet};
use crate::acquisition::Acquisition;
use crate::formats::json_fault::JsonFault;
use crate::formats::{bids_sidecar, lcmodel_raw, nifti_mrs};
use crate::hash::sha256_hex;

/// Kinds of member files by extension; a folder must hold exactly one of them (JSON beside NIfTI are
/// sidecars).
const KINDS: [(&str, Kind); 4] =
    [(".nii.gz", Kind::Nifti), (".nii", Kind::Nifti), (".raw", Kind::Raw), (".json", Kind::Json)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nifti,
    Raw,
    Json,
}

/// One decoded member and what its file states about the set.
struct Decoded {
    fid: Vec<Complex64>,
    name: Option<String>,
    dwell_s: Option<f64>,
    f0_mhz: Option<f64>,
    te_s: Option<f64>,
    sequence: Option<String>,
    linewidth_hz: Option<f64>,
}

/// Whether `path` is a file that one member of a set is stored in.
pub(super) fn is_member(path: &Path) -> bool {
    kind_of(path).is_some()
}

/// Reads a folder, or a single member file.
pub(super) fn read(path: &Path, grid: &Grid) -> Result<BasisSet, BasisError> {
    let (kind, files) = match kind_of(path) {
        Some(kind) if !path.is_dir() => (kind, vec![path.to_owned()]),
        _ => member_files(path)?,
    };
    let mut members = Vec::with_capacity(files.len());
    let mut hashes = String::new();
    let mut first: Option<Decoded> = None;
    for file in &files {
        let bytes = read_bytes(file)?;
        hashes += &format!("{}\t{}\n", member_name(file), sha256_hex(&bytes));
        let decoded = decode(kind, &bytes, file).map_err(|reason| BasisError::Member {
            path: file.clone(),
            member: member_name(file),
            reason,
        })?;
        if let Some(first) = &first {
            same_grid(first, &decoded, file)?;
        }
        let name = decoded.name.clone().unwrap_or_else(|| member_name(file));
        members.push(Member { name, fid: decoded.fid.clone() });
        first.get_or_insert(decoded);
    }
    let stated = first.ok_or_else(|| BasisError::Empty { path: path.to_owned() })?;
    let missing = |field, hint| BasisError::Missing { path: path.to_owned(), field, hint };
    let dwell_s = stated.dwell_s.or(grid.dwell_s).ok_or_else(|| missing("dwell time", "give it with --dwell-s"))?;
    let f0_mhz =
        stated.f0_mhz.or(grid.f0_mhz).ok_or_else(|| missing("spectrometer frequency", "give it with --f0-mhz"))?;
    for (field, value) in [("dwell time (s)", dwell_s), ("spectrometer frequency (MHz)", f0_mhz)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(BasisError::Invalid { path: path.to_owned(), field, value, must_be: "positive" });
        }
    }
    let (metabolites, fids) = assemble(path, members)?;
    Ok(BasisSet {
        id: if path.is_dir() { stem(path) } else { member_name(path) },
        metabolites,
        fids,
        dwell_s,
        f0_mhz,
        te_s: stated.te_s.or(grid.te_s),
        sequence: stated.sequence,
        linewidth_hz: stated.linewidth_hz,
        fwhmba_ppm: None,
        singlet_fwhm_hz: None,
        sha256: sha256_hex(hashes.as_bytes()),
        remarks: Vec::new(),
    })
}

/// The members' files in the order of their names, and what they are.
fn member_files(path: &Path) -> Result<(Kind, Vec<PathBuf>), BasisError> {
    let io = |source| BasisError::Io { path: path.to_owned(), source };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        all.push(entry.map_err(io)?.path());
    }
    all.sort();
    // By their names alone: a member that turns out to be no file is an error, as a set must not lose one silently.
    let of = |kind: Kind| -> Vec<PathBuf> { all.iter().filter(|p| kind_of(p) == Some(kind)).cloned().collect() };
    let (nifti, raw, json) = (of(Kind::Nifti), of(Kind::Raw), of(Kind::Json));
    match (nifti.is_empty(), raw.is_empty(), json.is_empty()) {
        (true, true, true) => Err(BasisError::Empty { path: path.to_owned() }),
        (false, true, _) => Ok((Kind::Nifti, nifti)),
        (true, false, true) => Ok((Kind::Raw, raw)),
        (true, true, false) => Ok((Kind::Json, json)),
        _ => Err(BasisError::Mixed { path: path.to_owned() }),
    }
}

/// What a file is by its name; `None` for hidden files and everything else.
fn kind_of(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    KINDS.iter().find(|(e, _)| name.ends_with(e) && !name.starts_with('.')).map(|(_, kind)| *kind)
}

fn member_name(file: &Path) -> String {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let end = KINDS.iter().find(|(e, _)| name.to_ascii_lowercase().ends_with(e)).map_or(0, |(e, _)| e.len());
    name[..name.len() - end].to_owned()
}

fn decode(kind: Kind, bytes: &[u8], file: &Path) -> Result<Decoded, String> {
    match kind {
        Kind::Raw => single(lcmodel_raw::decode(bytes).map_err(|e| e.to_string())?),
        Kind::Nifti => {
            let sidecar = bids_sidecar::beside(file).map_err(|e| e.to_string())?;
            let json = sidecar.and_then(|s| s.json.ok());
            single(nifti_mrs::decode(bytes, json.as_ref()).map_err(|e| e.to_string())?)
        }
        Kind::Json => from_json(bytes),
    }
}

fn single(data: Acquisition) -> Result<Decoded, String> {
    let n_fids = data.samples.len() / data.n_points().max(1);
    if n_fids != 1 {
        return Err(format!("holds {n_fids} FIDs where a basis member is one"));
    }
    Ok(Decoded {
        fid: data.samples.iter().collect(),
        name: None,
        dwell_s: data.facts.dwell_s,
        f0_mhz: data.facts.f0_mhz,
        te_s: data.facts.te_s,
        sequence: data.facts.sequence,
        linewidth_hz: None,
    })
}

/// FSL-MRS's JSON basis file.
#[derive(Deserialize)]
struct FslFile {
    basis: FslBasis,
}

#[derive(Deserialize)]
struct FslBasis {
    basis_re: Vec<f64>,
    basis_im: Vec<f64>,
    basis_dwell: f64,
    /// MHz.
    basis_centre: f64,
    /// Hz.
    basis_width: Option<f64>,
    basis_name: Option<String>,
}

fn from_json(bytes: &[u8]) -> Result<Decoded, String> {
    let FslFile { basis } = serde_json::from_slice(bytes).map_err(|e| {
        format!("no FSL-MRS basis file: {}", JsonFault::of(&e, "with basis_re, basis_im, basis_dwell and basis_centre"))
    })?;
    if basis.basis_re.len() != basis.basis_im.len() {
        return Err(format!("{} real and {} imaginary parts", basis.basis_re.len(), basis.basis_im.len()));
    }
    let fid = basis.basis_re.iter().zip(&basis.basis_im).map(|(&re, &im)| Complex64::new(re, im)).collect();
    Ok(Decoded {
        fid,
        name: basis.basis_name,
        dwell_s: Some(basis.basis_dwell),
        f0_mhz: Some(basis.basis_centre),
        te_s: None,
        sequence: None,
        linewidth_hz: basis.basis_width.filter(|w| *w > 0.0),
    })
}

fn same_grid(first: &Decoded, other: &Decoded, file: &Path) -> Result<(), BasisError> {
    let differ = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a / b - 1.0).abs() > 1e-4);
    if differ(first.dwell_s, other.dwell_s) || differ(first.f0_mhz, other.f0_mhz) {
        return Err(BasisError::Member {
            path: file.to_owned(),
            member: member_name(file),
            reason: "dwell time or frequency differ from the first member's".to_owned(),
        });
    }
    Ok(())
}
