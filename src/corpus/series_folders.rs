//! Water references that are series of their own: exports put each series into a folder that has its name (`svs_se_30`,
//! `svs_se_30_w`), or its header has the name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::collect::Candidate;
use super::pair::{Name, Role, Water, pair_names};
use crate::acquisition::{Look, SeriesName};

/// A spectrum without a reference so far, and the name of its series.
type Series = (PathBuf, Name);

/// Pairs spectra that lie alone in folders beside one another, by the folders' names; then what is left in one folder or in
/// such folders, by what headers call the series of one examination.
pub(super) fn pair(candidates: &[Candidate], roles: &mut HashMap<PathBuf, Role>, look: &dyn Look) {
    let mut folders: BTreeMap<&Path, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        folders.entry(candidate.folder()).or_default().push(candidate);
    }
    let mut beside: BTreeMap<&Path, Vec<(&Path, &Candidate)>> = BTreeMap::new();
    let mut together: Vec<Vec<&Candidate>> = Vec::new();
    for (folder, files) in folders {
        match (files.as_slice(), folder.parent()) {
            ([only], Some(session)) => beside.entry(session).or_default().push((folder, *only)),
            _ => together.push(files),
        }
    }
    let mut pairs = Pairs::of(roles);
    for series in beside.values() {
        let alone = series.iter().filter(|(_, file)| pairs.is_alone(file));
        let named = alone.map(|(folder, file)| (file.path.clone(), Name::of_series(folder, &file.path))).collect();
        pairs.pair(named);
    }
    together.extend(beside.into_values().map(|series| series.into_iter().map(|(_, file)| file).collect()));
    for files in together {
        let alone: Vec<&Candidate> = files.into_iter().filter(|file| pairs.is_alone(file)).collect();
        if alone.len() > 1 {
            by_headers(&alone, look).into_iter().for_each(|series| pairs.pair(series));
        }
    }
}

/// The series of each examination of which there is one file, by their headers.
fn by_headers(files: &[&Candidate], look: &dyn Look) -> Vec<Vec<Series>> {
    let series = |file: &&Candidate| Some((file.path.clone(), look.series_name(&file.path)?));
    let named: Vec<(PathBuf, SeriesName)> = files.par_iter().filter_map(series).collect();
    let mut counts: HashMap<SeriesName, usize> = HashMap::new();
    named.iter().for_each(|(_, series)| *counts.entry(series.clone()).or_insert(0) += 1);
    let mut sessions: BTreeMap<String, Vec<Series>> = BTreeMap::new();
    for (path, series) in named.into_iter().filter(|(_, series)| counts[series] == 1) {
        let name = Name::of_header(&series);
        sessions.entry(series.session).or_default().push((path, name));
    }
    sessions.into_values().collect()
}

/// The roles, and what is a reference already.
struct Pairs<'a> {
    roles: &'a mut HashMap<PathBuf, Role>,
    taken: HashSet<PathBuf>,
}

impl<'a> Pairs<'a> {
    fn of(roles: &'a mut HashMap<PathBuf, Role>) -> Self {
        let files = |role: &Role| match role {
            Role::Spectrum(water) => water.files().to_vec(),
            Role::Reference => Vec::new(),
        };
        let taken = roles.values().flat_map(files).collect();
        Self { roles, taken }
    }

    /// Whether nothing was found for a candidate yet, and nothing takes it for a reference.
    fn is_alone(&self, candidate: &Candidate) -> bool {
        let has_none = matches!(self.roles.get(&candidate.path), None | Some(Role::Spectrum(Water::None)));
        candidate.is_open() && has_none && !self.taken.contains(&candidate.path)
    }

    fn pair(&mut self, series: Vec<Series>) {
        let (files, names): (Vec<PathBuf>, Vec<Name>) = series.into_iter().unzip();
        for (chosen, file) in pair_names(&names).iter().zip(&files) {
            let water = chosen.of(&files);
            if water != Water::None {
                self.taken.extend(water.files().iter().cloned());
                self.roles.insert(file.clone(), Role::Spectrum(water));
            }
        }
    }
}
