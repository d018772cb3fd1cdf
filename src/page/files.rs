//! The page's files: the page, and beside it what it has no room for.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::mem::take;
use std::path::{Path, PathBuf};

use super::encode::{base64, for_script};
use super::error::PageError;
use crate::regular_file;
use crate::store::{StoreError, remove_written, replace_file};

/// Name of the page in a dataset's folder.
pub const FILE_NAME: &str = "report.html";
/// By this a page of requant is known.
const MARK: &str = "<!doctype html><!-- requant report -->";
const PREFIX: &str = "curves-";
const MOST_BYTES: u64 = 1 << 30;

/// Name of the folder beside the page at `out`.
pub(super) fn data_folder(out: &Path) -> String {
    let stem = out.file_stem().map_or_else(|| "report".into(), |stem| stem.to_string_lossy());
    format!("{stem}_data")
}

/// Pieces of one file beside the page: some 200 kB, so that a click waits for no more.
const PER_FILE: usize = 32;

/// The files beside a page, written as their pieces come; dropped before [`Beside::with_page`] it takes them away again.
#[derive(Debug)]
pub(super) struct Beside {
    folder: PathBuf,
    /// Pieces (base64) of the next file by their rows.
    waiting: BTreeMap<usize, String>,
    /// Rows of each file.
    rows: Vec<Vec<usize>>,
    files: Vec<PathBuf>,
}

impl Beside {
    /// Of the page at `out`; an earlier page there goes, with what lay beside it.
    pub(super) fn new(out: &Path) -> Result<Self, PageError> {
        remove_stale(out)?;
        let folder = out.with_file_name(data_folder(out));
        Ok(Self { folder, waiting: BTreeMap::new(), rows: Vec::new(), files: Vec::new() })
    }

    /// Adds the piece of a row.
    pub(super) fn add(&mut self, row: usize, piece: &[u8]) -> Result<(), PageError> {
        self.waiting.insert(row, base64(piece));
        if self.waiting.len() == PER_FILE { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), PageError> {
        let number = self.files.len();
        let json = serde_json::to_string(&self.waiting).map_err(|e| PageError::Template(e.to_string()))?;
        let path = self.folder.join(format!("{PREFIX}{number:05}.js"));
        replace_file(&path, format!("requantDetails({number},{});\n", for_script(&json)).as_bytes())?;
        self.files.push(path);
        self.rows.push(take(&mut self.waiting).into_keys().collect());
        Ok(())
    }

    /// Writes what is left of the pieces. Gives the rows of each file.
    pub(super) fn end(&mut self) -> Result<Vec<Vec<usize>>, PageError> {
        if !self.waiting.is_empty() {
            self.write()?;
        }
        Ok(take(&mut self.rows))
    }

    /// Writes the page itself, last. Gives all files, the page first.
    pub(super) fn with_page(mut self, out: &Path, page: &str) -> Result<Vec<PathBuf>, PageError> {
        replace_file(out, page.as_bytes())?;
        Ok(std::iter::once(out.to_owned()).chain(take(&mut self.files)).collect())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        for file in &self.files {
            // Whoever sees it fail sees why there is no page.
            let _ = remove(file);
        }
    }
}

/// Writes a page that has nothing beside it, over an earlier one and over nothing else.
pub(super) fn write_alone(out: &Path, page: &str) -> Result<(), PageError> {
    remove_stale(out)?;
    Ok(replace_file(out, page.as_bytes())?)
}

/// Takes an earlier page at `out` away, with what lies beside it, so that no page tells of tables that are gone.
///
/// # Errors
/// [`PageError::Foreign`]: the file is no page of requant; [`PageError::Write`]: the system refuses.
pub fn remove_stale(out: &Path) -> Result<(), PageError> {
    if out.symlink_metadata().is_err() {
        return Ok(());
    }
    let mut head = vec![0; MARK.len()];
    let read = regular_file::open(out, MOST_BYTES).and_then(|mut file| file.read_exact(&mut head));
    if read.is_err() || head != MARK.as_bytes() {
        return Err(PageError::Foreign { path: out.to_owned() });
    }
    remove(out)?;
    let folder = out.with_file_name(data_folder(out));
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_own = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(".js"));
        if is_own {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Takes pages of subjects (`sub-XX.html`) out of the folder of a dataset that was replaced. Files of that name that are no
/// pages of requant stay.
///
/// # Errors
/// [`PageError::Write`]: the system refuses.
pub fn remove_stale_subjects(results: &Path) -> Result<(), PageError> {
    for entry in fs::read_dir(results).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named = name.to_str().is_some_and(|name| name.starts_with("sub-") && name.ends_with(".html"));
        if !is_named || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        match remove_stale(&entry.path()) {
            Err(PageError::Foreign { .. }) | Ok(()) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), StoreError> {
    remove_written(path)
}
