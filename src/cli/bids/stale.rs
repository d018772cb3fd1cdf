//! Derivatives that an earlier run of a participant left and this one does not have, as of files that were renamed since.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::error::CliError;
use crate::cli::outputs::EXIT_OUTPUT;
use crate::printable::printable_path;
use crate::regular_file;

/// How much of a table or picture is looked at (bytes): its line of names.
const LOOKED_AT: u64 = 64 << 10;
/// Longest sidecar that is looked at (bytes).
const MOST_SIDECAR_BYTES: u64 = 1 << 20;
/// How the picture of a fit begins.
const PICTURE_MARK: &str = "<title>Fit of ";
/// Columns that every table has.
const COLUMNS: [&str; 2] = ["spectrum_id", "method"];

/// Removes text tables, sidecars and, where `with_figures`, pictures of fits in the folder of a participant that are not
/// among `kept`. Only what this program wrote goes: it is known by its name and by what it holds.
///
/// # Errors
/// Exit code 73: the system refuses.
pub(super) fn remove(results: &Path, kept: &BTreeSet<PathBuf>, with_figures: bool) -> Result<(), CliError> {
    let sessions = folders_in(results).into_iter().filter(|folder| name_of(folder).starts_with("ses-"));
    let mut folders: Vec<PathBuf> = sessions.map(|session| session.join("mrs")).collect();
    folders.push(results.join("mrs"));
    folders.extend(with_figures.then(|| results.join("figures")));
    for folder in folders {
        // A link would lead elsewhere.
        if !folder.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            continue;
        }
        let files = fs::read_dir(&folder).into_iter().flatten().flatten();
        let files = files.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(|entry| entry.path());
        for file in files.filter(|file| !kept.contains(file) && is_own(file)) {
            fs::remove_file(&file).map_err(|e| {
                CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be removed: {e}", printable_path(&file)))
            })?;
        }
        // Fails, as it should, where something is left.
        let _ = fs::remove_dir(&folder);
        if let Some(session) = folder.parent().filter(|parent| *parent != results) {
            let _ = fs::remove_dir(session);
        }
    }
    Ok(())
}

fn folders_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a file has a name of a derivative, and holds one.
fn is_own(path: &Path) -> bool {
    let name = name_of(path);
    let Some((description, ending)) = name
        .rsplit_once("_desc-")
        .and_then(|(_, rest)| rest.split_once('_'))
        .and_then(|(description, rest)| Some((description, rest.rsplit_once('.')?.1)))
    else {
        return false;
    };
    let is_table = ["spectra", "metabolites"].contains(&description);
    let head = || regular_file::head(path, LOOKED_AT).map(|head| String::from_utf8_lossy(&head).into_owned());
    match ending {
        "tsv" if is_table => head().is_ok_and(|head| {
            let names: Vec<&str> = head.lines().next().unwrap_or_default().split('\t').collect();
            COLUMNS.iter().all(|column| names.contains(column))
        }),
        "json" if is_table => regular_file::bytes(path, MOST_SIDECAR_BYTES)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .is_some_and(|sidecar| COLUMNS.iter().all(|column| sidecar[*column]["Description"].is_string())),
        "svg" if description.ends_with("fit") => head().is_ok_and(|head| head.contains(PICTURE_MARK)),
        _ => false,
    }
}
