//! One scan in two formats: files of one stem in one folder that hold one scan become one spectrum, and rows that say which
//! file it was read from.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rayon::prelude::*;

use super::collect::Candidate;
use super::found::Problem;
use super::identity::{file_name, split_extension};
use super::pair::Role;
use crate::acquisition::Look;
use crate::interrupt;

/// Finds files that hold what another one holds, which is nearer to what the scanner measured.
pub(super) fn find(candidates: &mut [Candidate], roles: &HashMap<PathBuf, Role>, look: &dyn Look) {
    let mut stems: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let is_spectrum = matches!(roles.get(&candidate.path), None | Some(Role::Spectrum(_)));
        // Names that are no text may differ where their texts do not.
        let is_text = candidate.path.file_name().is_some_and(|name| name.to_str().is_some());
        if candidate.is_open() && is_spectrum && is_text && candidate.parts.is_empty() {
            let name = file_name(&candidate.path);
            let stem = candidate.folder().join(split_extension(&name).0.to_lowercase());
            stems.entry(stem).or_default().push(index);
        }
    }
    let groups: Vec<Vec<usize>> = stems.into_values().filter(|group| group.len() > 1).collect();
    let taken = |mut group: Vec<usize>| -> Vec<(usize, usize)> {
        group.sort_by_cached_key(|index| (look.rank(&candidates[*index].path), *index));
        let mut kept: Vec<usize> = Vec::new();
        let mut same = Vec::new();
        for index in group {
            let path = |index: usize| candidates[index].path.as_path();
            let is_same = |other: &&usize| !interrupt::asked() && look.is_one_scan(path(**other), path(index));
            match kept.iter().find(is_same) {
                Some(other) => same.push((index, *other)),
                None => kept.push(index),
            }
        }
        same
    };
    let same: Vec<(usize, usize)> = groups.into_par_iter().flat_map(taken).collect();
    for (index, other) in same {
        let taken = file_name(&candidates[other].path);
        candidates[index].problem = Some(Problem::SameScan { taken });
    }
}
