//! The JSON file that BIDS puts beside a NIfTI file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ReadError;
use super::files;
use crate::regular_file;

/// Largest sidecar that is read (bytes): one that repeats a whole DICOM header has some megabytes.
const MAX_BYTES: u64 = 64 << 20;

/// A sidecar that was read.
#[derive(Debug)]
pub struct Sidecar {
    /// What it states, or a remark that it is no JSON.
    pub json: Result<Value, String>,
}

/// `x.json` beside `x.nii` or `x.nii.gz`, if there is one.
pub fn path_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".nii")?;
    files::beside(path, &format!("{stem}.json"))
}

/// The sidecar beside `x.nii` or `x.nii.gz` (`x.json`), if there is one.
///
/// # Errors
/// [`ReadError::Io`]: it is there and cannot be read.
pub fn beside(path: &Path) -> Result<Option<Sidecar>, ReadError> {
    let Some(sidecar) = path_beside(path) else { return Ok(None) };
    let bytes =
        regular_file::bytes(&sidecar, MAX_BYTES).map_err(|source| ReadError::Io { path: sidecar.clone(), source })?;
    let json = serde_json::from_slice(&bytes)
        .map_err(|e| format!("the sidecar is no JSON and was not used (line {}, column {})", e.line(), e.column()));
    Ok(Some(Sidecar { json }))
}
