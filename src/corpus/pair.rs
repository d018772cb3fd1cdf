//! Which water reference belongs to which spectrum, by the habits of vendors and sites.
//!
//! Two files belong together if their names are equal but for one marker: `…_raw-act_noID.SDAT` and
//! `…_raw-ref_noID.SDAT`, `x_WS` and `x_W`, `metab_raw` and `wref_raw`; or if the reference has a
//! marker more than the spectrum: `x` and `x_ref`; or by LCModel's `x.RAW` and `x.H2O`. Looser
//! likeness would be a guess, and a wrong water reference scales every concentration wrongly.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::identity::{BidsName, BidsRole, file_name, format_of, split_extension};
use super::markers::{Kind, Marked, marked, series_name, without_count};
use crate::acquisition::SeriesName;

/// The water reference of a spectrum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Water {
    /// There is none in a file of its own.
    #[default]
    None,
    /// This file.
    Paired(PathBuf),
    /// Several files fit equally well; none is taken.
    Ambiguous(Vec<PathBuf>),
    /// This file is named by a manifest or sidecar but is not there.
    Missing(PathBuf),
    /// This file is named by a manifest or sidecar and cannot be it.
    Unfit(PathBuf, Unfit),
}

/// Why a file that is named as a water reference cannot be it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// A template was copied, or a column was.
    #[error("is the spectrum itself")]
    Itself,
    /// Its own water reference is the spectrum, or has it in turn: none of them would be left as a spectrum.
    #[error("has this spectrum as its own water reference in turn")]
    Circle,
    /// It was measured in somebody else.
    #[error("is of another subject (sub-{other}, and the spectrum of sub-{own})")]
    OtherSubject {
        /// Label of the spectrum's subject.
        own: String,
        /// Label of the reference's.
        other: String,
    },
}

impl Water {
    /// None, the only one, or an ambiguity; in sorted order.
    pub(crate) fn from_candidates(mut candidates: Vec<PathBuf>) -> Self {
        candidates.sort();
        candidates.dedup();
        match candidates.len() {
            0 => Self::None,
            1 => Self::Paired(candidates.remove(0)),
            _ => Self::Ambiguous(candidates),
        }
    }

    /// The files that are spoken for by this pairing.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Paired(path) => std::slice::from_ref(path),
            Self::Ambiguous(paths) => paths,
            Self::None | Self::Missing(_) | Self::Unfit(..) => &[],
        }
    }
}

/// What a file is by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A spectrum with its reference.
    Spectrum(Water),
    /// A water reference.
    Reference,
}

/// What the name of a file, or of the folder of a series, says.
pub(super) struct Name {
    stem: String,
    /// Without that of packing: packed or not, it is one format.
    extension: String,
    marked: Option<Marked>,
    /// BIDS references are found by BIDS rules only.
    is_bids_reference: bool,
    /// Number of the measurement, where the scanner counts them in the name.
    number: Option<u32>,
}

impl Name {
    fn of(path: &Path) -> Self {
        let name = file_name(path);
        let (stem, extension) = split_extension(&name);
        let role = BidsName::parse(stem).role();
        let (stem, number) = without_count(&stem.to_lowercase());
        // The suffix of a BIDS name says what the file is, whatever `acq-ref` may be called.
        let marked = if role.is_none() { marked(&stem) } else { None };
        let is_bids_reference = role == Some(BidsRole::Reference);
        Self { stem, extension: format_of(extension), marked, is_bids_reference, number }
    }

    /// Of the folder of a series, which holds one spectrum in a file with this name.
    pub(super) fn of_series(folder: &Path, file: &Path) -> Self {
        let (stem, number) = series_name(&file_name(folder).to_lowercase());
        let name = file_name(file);
        let (_, extension) = split_extension(&name);
        let extension =
            if extension.bytes().all(|b| b.is_ascii_digit()) { String::new() } else { format_of(extension) };
        Self { marked: marked(&stem), stem, extension, is_bids_reference: false, number }
    }

    /// Of a series that a header names.
    pub(super) fn of_header(series: &SeriesName) -> Self {
        let stem = series.name.trim().to_lowercase();
        let (extension, number) = (String::new(), series.number);
        Self { marked: marked(&stem), stem, extension, is_bids_reference: false, number }
    }

    fn is_reference(&self) -> bool {
        self.is_bids_reference
            || self.extension == "h2o"
            || self.marked.as_ref().is_some_and(|m| m.kind == Kind::Reference)
    }

    /// Whether its marker counts only beside a partner.
    fn is_weak(&self) -> bool {
        self.marked.as_ref().is_some_and(|m| m.is_weak)
    }
}

type Key<'a> = (&'a str, &'a str, &'a str);

/// The role of each file of one folder.
pub(crate) fn pair_folder(files: &[PathBuf]) -> Vec<Role> {
    let mut names: Vec<Name> = files.iter().map(|path| Name::of(path)).collect();
    // LCModel's extensions say what is what: a `.RAW` beside its `.H2O` is a spectrum whatever words its
    // name has (`test_water_scaling.RAW`).
    let with_water: HashSet<String> = names.iter().filter(|n| n.extension == "h2o").map(|n| n.stem.clone()).collect();
    for name in names.iter_mut().filter(|n| n.extension == "raw" && with_water.contains(&n.stem)) {
        name.marked = None;
    }
    let chosen = pair_names(&names);
    let claimed: HashSet<usize> = chosen.iter().flat_map(|chosen| chosen.references.iter().copied()).collect();
    names
        .iter()
        .zip(chosen)
        .enumerate()
        .map(|(index, (name, water))| {
            if name.is_reference() && (!name.is_weak() || claimed.contains(&index)) {
                return Role::Reference;
            }
            Role::Spectrum(water.of(files))
        })
        .collect()
}

/// The references of a spectrum, among names.
pub(super) struct Chosen {
    pub(super) references: Vec<usize>,
    /// Whether another spectrum has as good a claim to one of them.
    is_shared: bool,
}

impl Chosen {
    /// The references, which are these files.
    pub(super) fn of(&self, files: &[PathBuf]) -> Water {
        let water = Water::from_candidates(self.references.iter().map(|i| files[*i].clone()).collect());
        match water {
            Water::Paired(path) if self.is_shared => Water::Ambiguous(vec![path]),
            water => water,
        }
    }
}

/// Which of the names are the references of each.
pub(super) fn pair_names(names: &[Name]) -> Vec<Chosen> {
    let mut lcmodel_water: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut references: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    let mut by_rest: HashMap<(String, &str), Vec<usize>> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        if name.extension == "h2o" {
            lcmodel_water.entry(&name.stem).or_default().push(index);
        } else if let Some(m) = name.marked.as_ref().filter(|m| m.kind == Kind::Reference) {
            references.entry((&m.before, &m.after, &name.extension)).or_default().push(index);
            if let Some(rest) = m.rest() {
                by_rest.entry((rest, &name.extension)).or_default().push(index);
            }
        }
    }
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_reference()) {
        let by_extension = (name.extension == "raw").then(|| lcmodel_water.get(name.stem.as_str()));
        let more = by_rest.get(&(name.stem.clone(), name.extension.as_str())).filter(|_| name.is_weak());
        if let Some(Some(water)) = by_extension {
            chosen[index].clone_from(water);
        } else if let Some(more) = more {
            chosen[index].clone_from(more);
        } else if let Some(m) = &name.marked {
            let key = (m.before.as_str(), m.after.as_str(), name.extension.as_str());
            let all = references.get(&key).cloned().unwrap_or_default();
            let is_family = |i: &usize| names[*i].marked.as_ref().is_some_and(|r| r.family == m.family);
            let family: Vec<usize> = all.iter().copied().filter(is_family).collect();
            chosen[index] = if family.is_empty() { all } else { family };
        }
    }
    let claimed: HashSet<usize> = chosen.iter().flatten().copied().collect();
    // A reference that has a marker more than the spectrum, unless a better partner has it.
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_reference()) {
        if chosen[index].is_empty() {
            let more = by_rest.get(&(name.stem.clone(), name.extension.as_str())).into_iter().flatten().copied();
            chosen[index] = more.filter(|i| !claimed.contains(i)).collect();
        }
    }
    nearest(names, chosen)
}

/// Of measurements that a scanner counts each reference goes to the nearest spectrum of its name: protocols are repeated.
/// Where two are as near, nobody knows.
fn nearest(names: &[Name], chosen: Vec<Vec<usize>>) -> Vec<Chosen> {
    let mut spectra: HashMap<usize, Vec<usize>> = HashMap::new();
    for (spectrum, references) in chosen.iter().enumerate() {
        references.iter().for_each(|reference| spectra.entry(*reference).or_default().push(spectrum));
    }
    let distance = |a: usize, b: usize| Some(names[a].number?.abs_diff(names[b].number?));
    // Of other spectra the nearest one's.
    let others = |spectrum: usize, reference: usize| {
        let all = spectra.get(&reference).into_iter().flatten().filter(|other| **other != spectrum);
        all.filter_map(|other| distance(*other, reference)).min()
    };
    let kept = |(spectrum, mut references): (usize, Vec<usize>)| {
        let against = |reference: usize| Some((distance(spectrum, reference)?, others(spectrum, reference)?));
        references.retain(|reference| against(*reference).is_none_or(|(own, other)| own <= other));
        let is_shared = references.iter().any(|reference| against(*reference).is_some_and(|(own, other)| own == other));
        Chosen { references, is_shared }
    };
    chosen.into_iter().enumerate().map(kept).collect()
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;
