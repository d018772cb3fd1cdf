//! Participants by their labels: their folders, and what is said of those that are not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::output_path::{OutputPathError, path_inside};

/// Labels or paths that a warning names.
pub(super) const SHOWN: usize = 20;

/// Exit code where a participant or session that was asked for is not there.
pub(super) const EXIT_ABSENT: u8 = 66;

/// The folder of a participant's results.
pub(super) fn folder_of(output_dir: &Path, label: &str) -> Result<PathBuf, OutputPathError> {
    path_inside(output_dir, &[&format!("sub-{label}")])
}

/// Participants with a folder in `dir`.
pub(super) fn subjects(dir: &Path) -> std::io::Result<Vec<String>> {
    let names = fs::read_dir(dir)?.flatten().filter(|e| e.path().is_dir()).map(|e| e.file_name());
    Ok(names.filter_map(|name| Some(name.to_str()?.strip_prefix("sub-")?.to_owned())).collect())
}

/// The labels of `wanted` that are not in `there`.
pub(super) fn not_in(wanted: &[String], there: &[String]) -> Vec<String> {
    wanted.iter().filter(|label| !there.contains(label)).cloned().collect()
}

/// Names what is not there; whether anything is not.
pub(super) fn name_absent(what: &str, labels: &[String]) -> bool {
    if !labels.is_empty() {
        let more = if labels.len() > SHOWN { ", …" } else { "" };
        let shown = labels[..labels.len().min(SHOWN)].join(", ");
        tell!("warning: {} {what}: {shown}{more}", labels.len());
    }
    !labels.is_empty()
}
