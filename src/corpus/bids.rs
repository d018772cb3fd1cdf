//! Pairing by the rules of BIDS (specification 1.10, "Magnetic resonance spectroscopy").
//!
//! The sidecar's `ReferenceSignal` decides, inherited from folders above; else the file with the
//! same entities and the suffix `mrsref`, whose `acq-` may differ. Neither is taken where it says that it is somebody else's.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::found::FindWarning;
use super::identity::{
    BIDS_REFERENCE, BIDS_SPECTRA, BidsName, BidsRole, entity, file_name, relative_path, split_extension,
};
use super::pair::{Unfit, Water};
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
    /// Spectra that were paired with a reference of another acquisition label, and that.
    pub(crate) of_other_acq: Vec<(PathBuf, PathBuf)>,
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
    let labels: HashSet<AcqLabel<'_>> = with_role(BidsRole::Spectrum).map(|(name, _)| acq_label(name)).collect();
    let mut waters = HashMap::new();
    for (name, path) in with_role(BidsRole::Spectrum) {
        let water = match (sidecars.reference_signal(path, name), groups.get(&name.key_without_acq())) {
            (Some(water), _) => water,
            (None, Some(group)) => group.water(name, &labels),
            (None, None) => Water::None,
        };
        if let Water::Paired(reference) = &water
            && is_of_another_acq(name, &parse(reference))
        {
            sidecars.of_other_acq.push((path.clone(), reference.clone()));
        }
        waters.insert(path.clone(), water);
    }
    waters
}

/// Subject, session and acquisition label of a name.
type AcqLabel<'a> = [Option<&'a str>; 3];

fn acq_label(name: &BidsName) -> AcqLabel<'_> {
    ["sub", "ses", "acq"].map(|key| name.get(key))
}

fn is_of_another_acq(spectrum: &BidsName, reference: &BidsName) -> bool {
    spectrum.get("acq").zip(reference.get("acq")).is_some_and(|(own, other)| own != other)
}

/// Files of one folder that differ in `acq-` only.
#[derive(Default)]
struct Group<'a> {
    references: Vec<(&'a BidsName, &'a PathBuf)>,
    /// Those whose suffix is not that of BIDS: of them only one with the spectrum's own label is its.
    named: Vec<(&'a BidsName, &'a PathBuf)>,
}

impl Group<'_> {
    /// The reference of `spectrum`; `labels` are those of the folder's spectra.
    fn water(&self, spectrum: &BidsName, labels: &HashSet<AcqLabel<'_>>) -> Water {
        let of = |references: &[(&BidsName, &PathBuf)], wanted: &dyn Fn(&BidsName) -> bool| -> Vec<PathBuf> {
            let fits = |name: &BidsName| !name.contradicts(spectrum) && wanted(name);
            let fitting: Vec<_> = references.iter().filter(|(name, _)| fits(name)).collect();
            // What says more of the spectrum is nearer to it.
            let most = fitting.iter().map(|(name, _)| name.n_shared(spectrum)).max();
            let nearest = fitting.into_iter().filter(|(name, _)| Some(name.n_shared(spectrum)) == most);
            nearest.map(|(_, path)| (*path).clone()).collect()
        };
        let is_own = |name: &BidsName| name.get("acq") == spectrum.get("acq");
        for exact in [of(&self.references, &is_own), of(&self.named, &is_own)] {
            if !exact.is_empty() {
                return Water::from_candidates(exact);
            }
        }
        // A reference with the acquisition label of another spectrum was measured for that one, perhaps in another voxel,
        // or with another sequence or echo time.
        let is_free = |name: &BidsName| name.get("acq").is_none() || !labels.contains(&acq_label(name));
        Water::from_candidates(of(&self.references, &is_free))
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
            let mut here: Vec<&Sidecar> =
                self.of_folder(level).iter().filter(|sidecar| sidecar.name.applies_to(name)).collect();
            here.sort_by_key(|sidecar| sidecar.name.entities.len());
            if let Some(last) = here.last() {
                references = Some(last.references.clone());
            }
        }
        let references = references?;
        let mut found = Vec::new();
        for uri in &references {
            match resolve(uri, &root, folder) {
                Ok(file) => match other_subject(path, &file, &root) {
                    Some(unfit) => return Some(Water::Unfit(file, unfit)),
                    None => found.push(file),
                },
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

/// That `reference` is of another subject than `spectrum`, where both names or folders say of whom they are.
fn other_subject(spectrum: &Path, reference: &Path, root: &Path) -> Option<Unfit> {
    let [own, other] = [spectrum, reference].map(|path| entity(&relative_path(path, root), "sub"));
    let (own, other) = own.zip(other).filter(|(own, other)| own != other)?;
    Some(Unfit::OtherSubject { own, other })
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
