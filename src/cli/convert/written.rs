//! Files of a conversion, and what became of each source.

use std::path::{Path, PathBuf};

use super::super::outputs::Reads;
use crate::output_path::path_inside;
use crate::run::load::Failure;

/// What became of a file.
pub(super) struct Outcome {
    pub(super) source: String,
    /// Files that were written, relative to the output folder.
    pub(super) written: Vec<String>,
    pub(super) failure: Option<Failure>,
}

/// Writes a file by its path in the output folder.
pub(super) fn write(out: &Path, path: &str, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new("not_written", format!("{path}: {e}"));
    let parts: Vec<&str> = path.split('/').collect();
    let path: PathBuf = path_inside(out, &parts).map_err(|e| failed(&e))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    Reads::default().write(&path, bytes).map_err(|e| failed(&e.error))
}
