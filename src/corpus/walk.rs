//! Walks through folders: everything in them becomes a row, or is left out for a reason that is counted.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::bids::{DATASET_DESCRIPTION, is_sidecar};
use super::found::{FindWarning, Problem};
use super::identity::{BidsName, file_name, format_of, split_extension};
use super::left_out::LeftOutKind;
use crate::acquisition::{FileKind, Look};
use crate::interrupt;
use crate::regular_file;

/// Folders at the root of a BIDS dataset that hold no raw data, or the same scans before
/// conversion.
const NOT_RAW: [&str; 4] = ["derivatives", "sourcedata", "code", "stimuli"];

/// What a folder holds: every file once, and every folder that was not looked into.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Files that become rows, sorted; with the reason where the search knows already that they cannot be read.
    pub(crate) files: Vec<(PathBuf, Option<Problem>)>,
    /// Everything else, sorted.
    pub(crate) left_out: Vec<(PathBuf, LeftOutKind)>,
    pub(crate) warnings: Vec<FindWarning>,
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a folder is one of a BIDS dataset that is not searched.
fn is_not_raw(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.file_type().is_dir()
        && NOT_RAW.contains(&name.as_ref())
        && entry.path().with_file_name(DATASET_DESCRIPTION).is_file()
}

/// Everything below `input`, links followed.
pub(crate) fn walk(input: &Path, look: &dyn Look) -> Walked {
    let mut walked = Walked::default();
    let mut skipped: Vec<(PathBuf, LeftOutKind)> = Vec::new();
    let wanted = |entry: &DirEntry| {
        let kind = match entry {
            _ if entry.depth() == 0 => None,
            _ if is_hidden(&entry.file_name().to_string_lossy()) => Some(LeftOutKind::Hidden),
            _ => is_not_raw(entry).then_some(LeftOutKind::NotSearched),
        };
        skipped.extend(kind.map(|kind| (entry.path().to_owned(), kind)));
        kind.is_none()
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in WalkDir::new(input).follow_links(true).into_iter().filter_entry(wanted) {
        if interrupt::asked() {
            break;
        }
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => files.push(entry.into_path()),
            Err(error) => walked.add_unreadable(input, &error, look),
        }
    }
    // Every file is opened: many at once.
    let kind = |path: PathBuf| (!interrupt::asked()).then(|| (look.kind_of(&path), path));
    let kinds: Vec<(FileKind, PathBuf)> = files.into_par_iter().filter_map(kind).collect();
    kinds.into_iter().for_each(|(kind, path)| walked.add(path, None, kind));
    let folders = skipped.iter().filter(|(_, kind)| *kind == LeftOutKind::NotSearched);
    walked.warnings.extend(folders.map(|(path, _)| FindWarning::BidsFolder { path: path.clone() }));
    walked.left_out.append(&mut skipped);
    walked.drop_headers();
    // Order of names, not of the file system.
    walked.files.sort_by(|a, b| a.0.cmp(&b.0));
    walked.left_out.sort();
    walked.warnings.sort_by_key(ToString::to_string);
    walked
}

impl Walked {
    /// Puts a file where it belongs; `reason` is why it cannot be read, where that is known.
    fn add(&mut self, path: PathBuf, reason: Option<String>, kind: FileKind) {
        let name = file_name(&path);
        let (stem, extension) = split_extension(&name);
        // It can only be a water reference in LCModel's format, whatever readers think.
        let is_lcmodel_water = extension.eq_ignore_ascii_case("h2o");
        let kind = match (kind, &reason) {
            _ if is_lcmodel_water => FileKind::Spectrum,
            // A folder, perhaps.
            (FileKind::Other, Some(reason)) => FileKind::Unreadable(reason.clone()),
            (kind, _) => kind,
        };
        // What BIDS calls a spectrum is one to account for, where the file itself cannot tell.
        let is_named = BidsName::parse(stem).role().is_some();
        let left_out = match kind {
            FileKind::Spectrum => return self.files.push((path, reason.map(Problem::Unreadable))),
            FileKind::Archive => return self.files.push((path, Some(Problem::Archive))),
            FileKind::Empty | FileKind::Unreadable(_) if is_named => {
                return self.files.push((path, reason.map(Problem::Unreadable)));
            }
            FileKind::Companion => LeftOutKind::Companion,
            FileKind::Image => LeftOutKind::Image,
            FileKind::Empty => LeftOutKind::Empty,
            _ if is_no_file(&path) => LeftOutKind::NotAFile,
            FileKind::Unreadable(message) => {
                self.warnings.push(FindWarning::Unreadable { path: path.clone(), message });
                LeftOutKind::Unreadable
            }
            FileKind::Other if is_sidecar(&path) => LeftOutKind::Companion,
            FileKind::Other => LeftOutKind::Other,
        };
        self.left_out.push((path, left_out));
    }

    /// Something at which the walk could not look.
    fn add_unreadable(&mut self, input: &Path, error: &walkdir::Error, look: &dyn Look) {
        let path = error.path().unwrap_or(input).to_owned();
        if error.loop_ancestor().is_some() {
            self.warnings.push(FindWarning::Loop { path: path.clone() });
            return self.left_out.push((path, LeftOutKind::NotSearched));
        }
        let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        match path.symlink_metadata() {
            // As with other hidden files.
            _ if is_hidden(&file_name(&path)) && path != input => self.left_out.push((path, LeftOutKind::Hidden)),
            _ if path.is_dir() => {
                self.warnings.push(FindWarning::Unreadable { path: path.clone(), message });
                self.left_out.push((path, LeftOutKind::Unreadable));
            }
            Ok(data) if data.is_symlink() => {
                let reason =
                    "it is a link to a file that is not there; fetch it (`datalad get`) or mend the link".to_owned();
                let kind = look.kind_of(&path);
                self.add(path, Some(reason), kind);
            }
            _ => {
                let kind = look.kind_of(&path);
                self.add(path, Some(message), kind);
            }
        }
    }

    /// Takes away `.SPAR` headers whose `.SDAT` is in the list.
    fn drop_headers(&mut self) {
        let key = |path: &Path| {
            let name = file_name(path);
            path.with_file_name(split_extension(&name).0.to_lowercase())
        };
        let has_extension = |path: &Path, wanted: &str| format_of(split_extension(&file_name(path)).1) == wanted;
        let data: HashSet<PathBuf> =
            self.files.iter().filter(|(path, _)| has_extension(path, "sdat")).map(|(path, _)| key(path)).collect();
        let is_header = |path: &Path| has_extension(path, "spar") && data.contains(&key(path));
        let headers = self.files.extract_if(.., |(path, _)| is_header(path));
        self.left_out.extend(headers.map(|(path, _)| (path, LeftOutKind::Companion)));
    }
}

/// Whether there is something that is neither a file nor a folder.
fn is_no_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| !data.is_dir()) && regular_file::check(path).is_err()
}

/// Files beside `file` that can be its partner by format, `file` included.
///
/// # Errors
/// The folder cannot be listed.
pub(crate) fn siblings(folder: &Path, extensions: &HashSet<String>) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = file_name(path);
            let extension = format_of(split_extension(&name).1);
            !is_hidden(&name) && (extensions.contains(&extension) || extension == "h2o")
        })
        .filter(|path| !path.is_dir())
        .collect();
    files.sort();
    Ok(files)
}
