//! Which segmentation belongs to a spectrum: named for it, in a folder of derivatives, or in those of its BIDS dataset.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::error::TissueError;
use super::kinds::{Kind, Named, Part, by_name};
use super::labels::Tissue;
pub use super::matching::Wanted;
use super::matching::{Candidate, Company, select};
use super::measure::name_of;
use super::source::{Segmentation, Source};
use super::table::table_of;
use super::words::Words;
use crate::bids_inheritance::dataset_root;
use crate::printable::{PATH_CHARS, printable};

/// Where segmentations are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Search {
    /// Nowhere, not even where a manifest says.
    None,
    /// Where a manifest says, else in the derivatives of the spectrum's BIDS dataset.
    #[default]
    Auto,
    /// Where a manifest says, else in this folder (or it is this file).
    At(PathBuf),
}

/// Folders deep that are searched.
const MOST_DEEP: usize = 12;
/// Name of the folder with what was derived from a BIDS dataset.
const DERIVATIVES: &str = "derivatives";

/// The source of each spectrum's tissue.
pub fn find(wanted: &[Wanted<'_>], search: &Search) -> Vec<Source> {
    let mut folders = Folders::default();
    let is_one_head = match wanted {
        [_] => true,
        [first, rest @ ..] => first.subject.is_some() && rest.iter().all(|other| other.subject == first.subject),
        [] => false,
    };
    let mut n_of: HashMap<(Option<&str>, Option<&str>), usize> = HashMap::new();
    wanted.iter().for_each(|one| *n_of.entry((one.subject, one.session)).or_default() += 1);
    let subjects: HashSet<&str> = wanted.iter().filter_map(|one| one.subject).collect();
    let of_one = |one: &Wanted<'_>| {
        let is_one_spectrum = n_of.get(&(one.subject, one.session)) == Some(&1);
        let company = Company { subjects: &subjects, is_one_head, is_one_spectrum, is_stated: false };
        match (search, one.stated) {
            (Search::None, _) => Source::None,
            (_, Some(stated)) => {
                let base = stated.parent().unwrap_or(stated).to_owned();
                named(one, stated, &base, Company { is_stated: true, ..company }, &mut folders)
            }
            (Search::At(at), None) => named(one, at, at, company, &mut folders),
            (Search::Auto, None) => in_derivatives(one, company, &mut folders),
        }
    };
    wanted.iter().map(of_one).collect()
}

/// What lies where somebody says: not finding it is an error.
fn named(wanted: &Wanted<'_>, at: &Path, base: &Path, company: Company<'_>, folders: &mut Folders) -> Source {
    let shown = || printable(&name_of(at), PATH_CHARS);
    let found = if at.is_dir() { folders.of(at, base) } else { folders.of_file(at, base) };
    match select(found, wanted, company) {
        Source::None => {
            let labels = [("sub-", wanted.subject), ("ses-", wanted.session)];
            let labels: Vec<String> =
                labels.iter().filter_map(|(key, label)| Some(format!("{key}{}", (*label)?))).collect();
            let whom = if labels.is_empty() { "this spectrum".to_owned() } else { labels.join(" ") };
            Source::Fault(TissueError::None { folder: shown(), whom })
        }
        source => source,
    }
}

/// What is in the derivatives of the spectrum's dataset: perhaps nothing.
fn in_derivatives(wanted: &Wanted<'_>, company: Company<'_>, folders: &mut Folders) -> Source {
    let (Some(folder), Some(subject)) = (wanted.path.parent(), wanted.subject) else { return Source::None };
    let root = dataset_root(folder);
    let of_above = root.ancestors().find(|level| level.file_name().is_some_and(|name| name == DERIVATIVES));
    let bases = std::iter::once(root.join(DERIVATIVES)).chain(of_above.map(Path::to_owned));
    let mut found = Vec::new();
    for base in bases.filter(|base| base.is_dir()) {
        for pipeline in folders.pipelines(&base) {
            let own = pipeline.join(format!("sub-{subject}"));
            if own.is_dir() {
                found.extend_from_slice(folders.of(&own, base.parent().unwrap_or(&base)));
            }
        }
    }
    select(&found, wanted, company)
}

/// Folders that were looked through, each once.
#[derive(Debug, Default)]
struct Folders {
    found: HashMap<PathBuf, Vec<Candidate>>,
    pipelines: HashMap<PathBuf, Vec<PathBuf>>,
}

impl Folders {
    /// The segmentations below a folder, whose paths are shown relative to `base`.
    fn of(&mut self, folder: &Path, base: &Path) -> &[Candidate] {
        self.found.entry(folder.to_owned()).or_insert_with(|| {
            let files = files_below(folder);
            candidates(files, base)
        })
    }

    /// The segmentation that a file is of.
    fn of_file(&mut self, file: &Path, base: &Path) -> &[Candidate] {
        self.found.entry(file.to_owned()).or_insert_with(|| {
            let name = name_of(file);
            let is_json = name.to_ascii_lowercase().ends_with(".json");
            if is_json && by_name(&name).is_none() {
                let part =
                    Named { kind: Kind::FslSegmentation, part: Part::Fractions, key: name, rank: 0, other_space: None };
                return vec![candidate(&[(part, file.to_owned())], base)];
            }
            let Some(own) = by_name(&name) else { return vec![nameless(file, base)] };
            let beside = file.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
            // Of the same map in another packing the one that is named counts.
            let beside = beside.map(|entry| entry.path()).filter(|path| {
                let named = by_name(&name_of(path));
                named.is_some_and(|other| (other.kind, &other.key) == (own.kind, &own.key) && other.part != own.part)
            });
            // One that is not there is told by whoever opens it.
            let mut all: Vec<PathBuf> = beside.chain([file.to_owned()]).collect();
            all.sort();
            all.dedup();
            candidates(all.into_iter(), base)
        })
    }

    /// The folders of a folder of derivatives that may hold subjects.
    fn pipelines(&mut self, base: &Path) -> Vec<PathBuf> {
        let found = self.pipelines.entry(base.to_owned()).or_insert_with(|| {
            let walk = WalkDir::new(base).follow_links(true).max_depth(2).sort_by_file_name().into_iter();
            let is_subject = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("sub-");
            let entries = walk.filter_entry(move |entry| entry.file_type().is_dir() && !is_subject(entry.file_name()));
            entries.flatten().map(walkdir::DirEntry::into_path).collect()
        });
        found.clone()
    }
}

/// All files in and below a folder, but those in hidden ones.
pub(crate) fn files_below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let walk = WalkDir::new(folder).follow_links(true).max_depth(MOST_DEEP).sort_by_file_name();
    let is_hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = walk.into_iter().filter_entry(move |e| e.depth() == 0 || !is_hidden(e.file_name())).flatten();
    entries.filter(|entry| !entry.file_type().is_dir()).map(walkdir::DirEntry::into_path)
}

/// The segmentations among files.
fn candidates(files: impl Iterator<Item = PathBuf>, base: &Path) -> Vec<Candidate> {
    let mut groups: BTreeMap<(PathBuf, Kind, String), Vec<(Named, PathBuf)>> = BTreeMap::new();
    for path in files {
        let Some(named) = by_name(&name_of(&path)) else { continue };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        groups.entry((folder, named.kind, named.key.clone())).or_default().push((named, path));
    }
    groups.values().map(|files| candidate(files, base)).collect()
}

/// A segmentation of these files, which is not empty.
fn candidate(files: &[(Named, PathBuf)], base: &Path) -> Candidate {
    let (first, path) = match files {
        [first, ..] => (&first.0, first.1.as_path()),
        [] => return nameless(Path::new(""), base),
    };
    let shown_as = shown(path, base);
    let found = match &first.other_space {
        Some(space) => Err(TissueError::InOtherSpace { file: shown_as.clone(), space: printable(space, PATH_CHARS) }),
        None => in_order(files, &shown_as),
    };
    let found = found.map(|ordered| Segmentation {
        kind: first.kind,
        table: ordered.first().filter(|_| first.kind == Kind::BidsDseg).and_then(|dseg| table_of(dseg)),
        shown_as: ordered.first().map_or(String::new(), |path| shown(path, base)),
        files: ordered,
        remarks: Vec::new(),
    });
    let rank = files.iter().map(|(named, _)| named.rank).min().unwrap_or(u8::MAX);
    let words = Words::of(path, base);
    let label = |key: &str| words.label(key).map(str::to_owned);
    Candidate { kind: first.kind, rank, found, shown_as, subject: label("sub-"), session: label("ses-"), words }
}

/// A file that is of no kind.
fn nameless(file: &Path, base: &Path) -> Candidate {
    let shown_as = shown(file, base);
    let reason = if file.exists() {
        "its name does not say what kind of segmentation it is (FAST: _pve_0, _seg; SPM: c1; BIDS: _label-GM_probseg, _dseg; \
         FreeSurfer: aparc+aseg)"
            .to_owned()
    } else {
        "there is no such file; paths are relative to the manifest".to_owned()
    };
    Candidate {
        kind: Kind::BidsDseg,
        rank: u8::MAX,
        found: Err(TissueError::Unreadable { file: shown_as.clone(), reason }),
        words: Words::of(file, base),
        shown_as,
        subject: None,
        session: None,
    }
}

/// The files of one segmentation: maps of grey matter, white matter and CSF, or the one that has it all.
fn in_order(files: &[(Named, PathBuf)], shown_as: &str) -> Result<Vec<PathBuf>, TissueError> {
    let incomplete = |reason: &str| TissueError::Incomplete { file: shown_as.to_owned(), reason: reason.to_owned() };
    let of = |part: Part| -> Vec<&PathBuf> {
        files.iter().filter(|(named, _)| named.part == part).map(|(_, path)| path).collect()
    };
    if !of(Part::Further).is_empty() {
        return Err(incomplete("there are maps of more than three classes"));
    }
    let wanted: &[(Part, &str)] = match files {
        [(Named { part: part @ (Part::Labels | Part::Fractions), .. }, _), ..] => &[(*part, "")],
        _ => &[
            (Part::Map(Tissue::Gm), "the map of grey matter is missing"),
            (Part::Map(Tissue::Wm), "the map of white matter is missing"),
            (Part::Map(Tissue::Csf), "the map of CSF is missing"),
        ],
    };
    let one = |(part, missing): &(Part, &str)| match &of(*part)[..] {
        [one] => Ok((*one).clone()),
        [] => Err(incomplete(missing)),
        several => Err(TissueError::Ambiguous { files: several.iter().map(|path| name_of(path)).collect() }),
    };
    wanted.iter().map(one).collect()
}

fn shown(path: &Path, base: &Path) -> String {
    printable(&path.strip_prefix(base).unwrap_or(path).to_string_lossy().replace('\\', "/"), PATH_CHARS)
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
