//! Pairing by the rules of BIDS (specification 1.10, "Magnetic resonance spectroscopy").
//!
//! The sidecar's `ReferenceSignal` decides, inherited from folders above; else the file with the
//! same entities and the suffix `mrsref`, whose `acq-` may differ.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::found::FindWarning;
use super::identity::{BIDS_REFERENCE, BIDS_SPECTRA, BidsName, BidsRole, file_name, split_extension};
use super::pair::Water;
use crate::regular_file;

/// Largest sidecar that is read (bytes): one that repeats a whole DICOM header has some megabytes.
const MAX_BYTES: u64 = 64 << 20;

/// File that marks the root of a BIDS dataset.
pub(crate) const DATASET_DESCRIPTION: &str = "dataset_description.json";

/// A JSON file that names reference signals for the files it applies to.
#[derive(Debug)]
struct Sidecar {
    name: BidsName,
    references: Vec<String>,
}

/// The sidecars of all folders looked at, each read once.
#[derive(Debug, Default)]
pub(crate) struct Sidecars {
    folders: HashMap<PathBuf, Vec<Sidecar>>,
    pub(crate) warnings: Vec<FindWarning>,
}

fn parse(path: &Path) -> BidsName {
    BidsName::parse(split_extension(&file_name(path)).0)
}

/// Whether a file is a sidecar by its name, also of files in folders below.
pub(super) fn is_sidecar(path: &Path) -> bool {
    let suffix = parse(path).suffix;
    let is_of_spectra = BIDS_SPECTRA.contains(&suffix.as_str()) || suffix == BIDS_REFERENCE;
    is_of_spectra && path.extension().is_some_and(|e| e == "json")
}

/// The files of one folder that are spectra by BIDS suffix, with what [`pair_folder`] finds.
pub(crate) fn pair_folder(files: &[PathBuf], sidecars: &mut Sidecars) -> HashMap<PathBuf, Water> {
    let names: Vec<BidsName> = files.iter().map(|path| parse(path)).collect();
    let with_role = |role: BidsRole| names.iter().zip(files).filter(move |(name, _)| name.role() == Some(role));
    let mut groups: HashMap<String, Group<'_>> = HashMap::new();
    for (name, path) in with_role(BidsRole::Reference) {
        groups.entry(name.key_without_acq()).or_default().references.push((name, path));
    }
    for (name, path) in names.iter().zip(files).filter(|(name, _)| name.is_named_reference()) {
        groups.entry(name.key_without_acq()).or_default().named.push((name, path));
    }
    for (name, _) in with_role(BidsRole::Spectrum) {
        groups.entry(name.key_without_acq()).or_default().spectra.push(name);
    }
    with_role(BidsRole::Spectrum)
        .map(|(name, path)| {
            let water = sidecars
                .reference_signal(path, name)
                .unwrap_or_else(|| groups.get(&name.key_without_acq()).map_or(Water::None, |group| group.water(name)));
            (path.clone(), water)
        })
        .collect()
}

/// Files of one folder that differ in `acq-` only.
#[derive(Default)]
struct Group<'a> {
    spectra: Vec<&'a BidsName>,
    references: Vec<(&'a BidsName, &'a PathBuf)>,
    /// Those whose suffix is not that of BIDS: of them only one with the spectrum's own label is its.
    named: Vec<(&'a BidsName, &'a PathBuf)>,
}

impl Group<'_> {
    fn water(&self, spectrum: &BidsName) -> Water {
        let of = |references: &[(&BidsName, &PathBuf)], wanted: &dyn Fn(&BidsName) -> bool| -> Vec<PathBuf> {
            references.iter().filter(|(name, _)| wanted(name)).map(|(_, path)| (*path).clone()).collect()
        };
        let candidates = |wanted: &dyn Fn(&BidsName) -> bool| of(&self.references, wanted);
        let is_own = |name: &BidsName| name.get("acq") == spectrum.get("acq");
        for exact in [candidates(&is_own), of(&self.named, &is_own)] {
            if !exact.is_empty() {
                return Water::from_candidates(exact);
            }
        }
        // A reference with the acquisition label of another spectrum was measured for that one,
        // perhaps with another sequence or echo time.
        Water::from_candidates(candidates(&|name| {
            name.get("acq").is_none() || !self.spectra.iter().any(|other| other.get("acq") == name.get("acq"))
        }))
    }
}

impl Sidecars {
    /// What `ReferenceSignal` says for the spectrum at `path`; `None` where no sidecar has it.
    fn reference_signal(&mut self, path: &Path, name: &BidsName) -> Option<Water> {
        let folder = path.parent()?;
        let root = dataset_root(folder);
        let mut levels: Vec<&Path> = folder.ancestors().take_while(|level| level.starts_with(&root)).collect();
        levels.reverse();
        let mut references: Option<Vec<String>> = None;
        // From the root down: what is nearer to the file overrides; within a folder, what names
        // more entities.
        for level in levels {
            let mut here: Vec<&Sidecar> = self
                .of_folder(level)
                .iter()
                .filter(|sidecar| {
                    sidecar.name.suffix == name.suffix
                        && sidecar.name.entities.iter().all(|entity| name.entities.contains(entity))
                })
                .collect();
            here.sort_by_key(|sidecar| sidecar.name.entities.len());
            if let Some(last) = here.last() {
                references = Some(last.references.clone());
            }
        }
        let references = references?;
        let mut found = Vec::new();
        for uri in &references {
            match resolve(uri, &root, folder) {
                Ok(file) => found.push(file),
                Err(file) => return Some(Water::Missing(file)),
            }
        }
        Some(Water::from_candidates(found))
    }

    fn of_folder(&mut self, folder: &Path) -> &[Sidecar] {
        if !self.folders.contains_key(folder) {
            let sidecars = self.read_folder(folder);
            self.folders.insert(folder.to_owned(), sidecars);
        }
        self.folders.get(folder).map_or(&[], Vec::as_slice)
    }

    fn read_folder(&mut self, folder: &Path) -> Vec<Sidecar> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let (path, message) = (folder.to_owned(), error.to_string());
                self.warnings.push(FindWarning::Unreadable { path, message });
                return Vec::new();
            }
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let mut sidecars = Vec::new();
        for path in files {
            let name = file_name(&path);
            if !name.ends_with(".json") || name.starts_with('.') || name == DATASET_DESCRIPTION {
                continue;
            }
            let bids = parse(&path);
            if !BIDS_SPECTRA.contains(&bids.suffix.as_str()) {
                continue;
            }
            let json = regular_file::bytes(&path, MAX_BYTES)
                .map_err(|e| e.to_string())
                // The parser's position says enough: its words may quote the file.
                .and_then(|bytes| {
                    let at = |e: serde_json::Error| format!("line {}, column {}", e.line(), e.column());
                    serde_json::from_slice::<Value>(&bytes).map_err(at)
                });
            match json {
                Ok(json) => {
                    if let Some(references) = json.get("ReferenceSignal").and_then(texts) {
                        sidecars.push(Sidecar { name: bids, references });
                    }
                }
                Err(message) => self.warnings.push(FindWarning::Sidecar { path, message }),
            }
        }
        sidecars
    }
}

/// One text or a list of texts; `None` for anything else and for an empty list.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list: Vec<String> = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => return None,
    };
    (!list.is_empty()).then_some(list)
}

/// Nearest folder above with a dataset description, else the one that holds the subject's folder,
/// else `folder` itself.
pub(super) fn dataset_root(folder: &Path) -> PathBuf {
    if let Some(root) = folder.ancestors().find(|level| level.join(DATASET_DESCRIPTION).is_file()) {
        return root.to_owned();
    }
    let is_subject = |level: &&Path| file_name(level).starts_with("sub-");
    let subject = folder.ancestors().filter(is_subject).last();
    subject.and_then(Path::parent).unwrap_or(folder).to_owned()
}

/// The file that a BIDS URI (`bids::sub-01/mrs/…`) or a relative path means; `Err` with where it was
/// expected if it is not there.
fn resolve(uri: &str, root: &Path, folder: &Path) -> Result<PathBuf, PathBuf> {
    let candidates = match uri.strip_prefix("bids:") {
        // A name between the colons means another dataset, which is not looked for.
        Some(rest) => match rest.split_once(':') {
            Some(("", path)) => vec![root.join(path)],
            _ => return Err(PathBuf::from(uri)),
        },
        None => vec![folder.join(uri), root.join(uri)],
    };
    let expected = candidates.first().cloned().unwrap_or_default();
    candidates.into_iter().find(|path| path.exists()).ok_or(expected)
}
