//! Files of one series that hold a transient each become one spectrum.
//!
//! Files are taken together if their names differ in numbers only, they lie in one folder, no name says that one is the
//! other's water reference, and their headers call them instances of one series that are alike in all that matters. What
//! is left apart stays a spectrum of its own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::collect::{Candidate, Origin};
use super::found::{FindWarning, Problem};
use super::identity::file_name;
use super::left_out::{LeftOut, LeftOutKind};
use super::pair::{Role, Water};
use crate::acquisition::{Look, Member};
use crate::interrupt;

/// A file of the listing that is a transient: its place there, and its number in the series.
type Instance = (usize, u32);

/// Puts the files of each series together: the first stands for all, the others are left out as its parts.
pub(super) fn merge(
    candidates: &mut Vec<Candidate>,
    roles: &HashMap<PathBuf, Role>,
    look: &dyn Look,
    left_out: &mut Vec<LeftOut>,
    warnings: &mut Vec<FindWarning>,
) {
    let mut dropped = HashSet::new();
    for mut instances in series(candidates, roles, look) {
        instances.sort_by_key(|(index, number)| (*number, *index));
        let numbers: HashSet<u32> = instances.iter().map(|(_, number)| *number).collect();
        let n = instances.len();
        if numbers.len() == 1 {
            // No series of transients, but files with the identifiers of one.
            let path = candidates[instances[0].0].path.clone();
            warnings.push(FindWarning::SameInstance { path, n: n - 1 });
            continue;
        }
        let parts: Vec<usize> = instances[1..].iter().map(|(index, _)| *index).collect();
        let files = parts.iter().map(|index| candidates[*index].path.clone()).collect();
        dropped.extend(parts);
        let first = &mut candidates[instances[0].0];
        first.parts = files;
        if numbers.len() < n {
            first.problem = Some(Problem::Series { n, twice: n - numbers.len() });
        }
    }
    let mut index = 0;
    candidates.retain(|candidate| {
        let is_part = dropped.contains(&index);
        index += 1;
        if is_part {
            left_out.push(LeftOut::new(&candidate.path, &candidate.base, LeftOutKind::PartOfSeries));
        }
        !is_part
    });
}

/// Adds to each line of a manifest that names one file of a series the others that lie beside it and that no line names: a
/// line stands for a measurement.
pub(super) fn complete_lines(candidates: &mut [Candidate], look: &dyn Look) {
    let listed: HashSet<PathBuf> = candidates.iter().map(|candidate| candidate.path.clone()).collect();
    let is_line = |c: &&mut Candidate| matches!(c.origin, Origin::Line(_)) && c.problem.is_none() && c.parts.is_empty();
    candidates.par_iter_mut().filter(is_line).for_each(|candidate| {
        let Some(own) = look.member(&candidate.path) else { return };
        // What cannot be listed cannot be read either, which its row says.
        let Ok(entries) = std::fs::read_dir(candidate.folder()) else { return };
        let name = without_numbers(&file_name(&candidate.path));
        let beside = entries.flatten().map(|entry| entry.path());
        let alike = beside.filter(|path| !listed.contains(path) && without_numbers(&file_name(path)) == name);
        let mut others: Vec<(u32, PathBuf)> = alike
            .filter_map(|path| {
                let Member { series, instance } = look.member(&path)?;
                (series == own.series && instance != own.instance).then_some((instance, path))
            })
            .collect();
        others.sort();
        candidate.parts = others.into_iter().map(|(_, path)| path).collect();
    });
}

/// The series of which there are several files.
fn series(candidates: &[Candidate], roles: &HashMap<PathBuf, Role>, look: &dyn Look) -> Vec<Vec<Instance>> {
    let mut alike: BTreeMap<(&Path, String), Vec<usize>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let is_alone = matches!(roles.get(&candidate.path), None | Some(Role::Spectrum(Water::None)));
        if candidate.is_open() && is_alone {
            let name = without_numbers(&file_name(&candidate.path));
            alike.entry((candidate.folder(), name)).or_default().push(index);
        }
    }
    let members = |indices: Vec<usize>| -> Vec<(String, Instance)> {
        let member = |index: &usize| {
            let Member { series, instance } = look.member(&candidates[*index].path).filter(|_| !interrupt::asked())?;
            Some((series, (*index, instance)))
        };
        indices.iter().filter_map(member).collect()
    };
    let groups: Vec<Vec<usize>> = alike.into_values().filter(|group| group.len() > 1).collect();
    let groups: Vec<Vec<(String, Instance)>> = groups.into_par_iter().map(members).collect();
    groups.into_iter().flat_map(by_series).filter(|series| series.len() > 1).collect()
}

fn by_series(members: Vec<(String, Instance)>) -> Vec<Vec<Instance>> {
    let mut series: BTreeMap<String, Vec<Instance>> = BTreeMap::new();
    for (key, instance) in members {
        series.entry(key).or_default().push(instance);
    }
    series.into_values().collect()
}

/// A name with a mark in the place of each number; identifiers of letters and digits, as anonymisers make them, are one.
fn without_numbers(name: &str) -> String {
    let name = name.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let is_identifier = stem.len() >= 8 && stem.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let rest = if is_identifier { format!("0{}", &name[stem.len()..]) } else { name };
    let mut marked = String::new();
    for c in rest.chars() {
        match c {
            c if c.is_ascii_digit() => {
                if !marked.ends_with('#') {
                    marked.push('#');
                }
            }
            c => marked.push(c),
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_series_differ_in_numbers() {
        let same = |a: &str, b: &str| without_numbers(a) == without_numbers(b);
        assert!(same("00001.dcm", "00012.dcm"));
        assert!(same("X.MR.SVS.0023.0001.2021.02.18.IMA", "x.mr.svs.0023.0014.2021.02.19.ima"));
        assert!(same("3f2a9c01-77.dcm", "ab001177-c0.dcm"));
        assert!(!same("scan_on.dcm", "scan_off.dcm"));
        assert!(!same("a.dcm", "b.dcm"));
    }
}
