//! The JSON file that BIDS puts beside a NIfTI file.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Largest sidecar that is read (bytes).
const MAX_BYTES: u64 = 1 << 20;

/// The JSON object beside `x.nii` or `x.nii.gz` (`x.json`), if there is one that parses.
pub fn beside(path: &Path) -> Option<Value> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".nii")?.to_owned();
    let sidecar: PathBuf = path.with_file_name(stem + ".json");
    if std::fs::metadata(&sidecar).ok()?.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&std::fs::read(sidecar).ok()?).ok()
}
