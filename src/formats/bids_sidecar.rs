//! The JSON file that BIDS puts beside a NIfTI file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files;

/// Largest sidecar that is read (bytes).
const MAX_BYTES: u64 = 1 << 20;

/// `x.json` beside `x.nii` or `x.nii.gz`, if there is one.
pub fn path_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".nii")?;
    files::beside(path, &format!("{stem}.json"))
}

/// The JSON object beside `x.nii` or `x.nii.gz` (`x.json`), if there is one that parses.
pub fn beside(path: &Path) -> Option<Value> {
    let sidecar = path_beside(path)?;
    if std::fs::metadata(&sidecar).ok()?.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&std::fs::read(sidecar).ok()?).ok()
}
