//! Walks through folders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::bids::DATASET_DESCRIPTION;
use super::found::FindWarning;
use super::identity::{BidsName, file_name, split_extension};

/// Folders at the root of a BIDS dataset that hold no raw data, or the same scans before
/// conversion.
const NOT_RAW: [&str; 4] = ["derivatives", "sourcedata", "code", "stimuli"];

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Spectroscopy files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// Files that by their name are spectroscopy but cannot be opened, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    /// Number of all files seen.
    pub(crate) n_seen: usize,
    pub(crate) warnings: Vec<FindWarning>,
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether the name alone is enough to expect a spectrum; for files that cannot be opened.
fn is_named_as_spectroscopy(path: &Path, is_spectroscopy: &dyn Fn(&Path) -> bool) -> bool {
    let name = file_name(path);
    BidsName::parse(split_extension(&name).0).role().is_some() && !name.ends_with(".json") || is_spectroscopy(path)
}

/// Whether the file can only be a water reference in LCModel's format, whatever readers think.
fn is_lcmodel_water(path: &Path) -> bool {
    split_extension(&file_name(path)).1.eq_ignore_ascii_case("h2o")
}

/// All spectroscopy files below `input`, links followed, hidden files left out.
pub(crate) fn walk(input: &Path, is_spectroscopy: &dyn Fn(&Path) -> bool) -> Walked {
    let mut walked = Walked::default();
    let mut skipped = Vec::new();
    let wanted = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        if entry.depth() == 0 {
            return true;
        }
        if entry.file_type().is_dir()
            && NOT_RAW.contains(&name.as_ref())
            && entry.path().with_file_name(DATASET_DESCRIPTION).is_file()
        {
            skipped.push(FindWarning::BidsFolder { path: entry.path().to_owned() });
            return false;
        }
        !is_hidden(&name)
    };
    for entry in WalkDir::new(input).follow_links(true).into_iter().filter_entry(wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                walked.n_seen += 1;
                if is_lcmodel_water(entry.path()) || is_spectroscopy(entry.path()) {
                    walked.files.push(entry.into_path());
                }
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(input).to_owned();
                let is_link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
                if error.loop_ancestor().is_some() {
                    walked.warnings.push(FindWarning::Loop { path });
                } else if is_link && is_hidden(&file_name(&path)) {
                    // As with other hidden files.
                } else if is_link && is_named_as_spectroscopy(&path, is_spectroscopy) {
                    let reason = "it is a link to a file that is not there; fetch it (`datalad \
                                  get`) or mend the link";
                    walked.unreadable.push((path, reason.to_owned()));
                } else {
                    let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    walked.warnings.push(FindWarning::Unreadable { path, message });
                }
            }
        }
    }
    walked.warnings.append(&mut skipped);
    drop_headers(&mut walked.files);
    // Order of names, not of the file system.
    walked.files.sort();
    walked.unreadable.sort();
    walked.warnings.sort_by_key(ToString::to_string);
    walked
}

/// Takes away `.SPAR` headers whose `.SDAT` is in the list.
fn drop_headers(files: &mut Vec<PathBuf>) {
    let key = |path: &Path| {
        let name = file_name(path);
        path.with_file_name(split_extension(&name).0.to_lowercase())
    };
    let has_extension = |path: &Path, wanted: &str| split_extension(&file_name(path)).1.eq_ignore_ascii_case(wanted);
    let data: HashSet<PathBuf> =
        files.iter().filter(|path| has_extension(path, "sdat")).map(|path| key(path)).collect();
    files.retain(|path| !(has_extension(path, "spar") && data.contains(&key(path))));
}

/// Files beside `file` that can be its partner by format, `file` included.
pub(crate) fn siblings(folder: &Path, extensions: &HashSet<String>) -> Vec<PathBuf> {
    // A folder that cannot be listed has no partners to offer; reading the file will say more.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = file_name(path);
            let extension = split_extension(&name).1.to_lowercase();
            !is_hidden(&name) && (extensions.contains(&extension) || extension == "h2o")
        })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
