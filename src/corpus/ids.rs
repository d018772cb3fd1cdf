//! Ids of files that are spectra: no two in a listing are alike, and only those change that clash.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::found::{FindError, FindWarning, Found, Problem};
use super::identity::{id_of, without_way_up};

/// Where a file's id comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdOrigin {
    /// Number of the manifest's line, of files that one lists.
    pub(super) line: Option<usize>,
    /// Whether that line states the id.
    pub(super) is_stated: bool,
    /// Which INPUT the file was found by.
    pub(super) input: usize,
}

/// Gives files of one id ids of their own. Those that differ in their extension keep it; equal lines of a manifest are
/// numbered; lines that state one id are refused, as it is not known which one is meant.
///
/// # Errors
/// [`FindError::DuplicateId`] for files of different INPUTs that have one path below it.
pub(super) fn make_distinct(
    found: &mut [Found],
    origins: &[IdOrigin],
    warnings: &mut Vec<FindWarning>,
) -> Result<(), FindError> {
    refuse_stated_twice(found, origins);
    let twice = |one: &Found| matches!(one.problem, Some(Problem::ManifestLine { .. }));
    let stated: Vec<bool> = found.iter().zip(origins).map(|(one, o)| o.is_stated && !twice(one)).collect();
    let (mut with_extension, mut numbered) = (Vec::new(), Vec::new());
    for group in groups(found) {
        for i in group.into_iter().filter(|&i| !stated[i]) {
            found[i].id = without_way_up(&found[i].source_path);
            with_extension.push(i);
        }
    }
    escape_number_signs(found);
    let mut taken: HashSet<String> = found.iter().map(|one| one.id.clone()).collect();
    for group in groups(found) {
        let other = group.iter().find(|&&i| origins[i].input != origins[group[0]].input);
        if let Some(&other) = other.filter(|_| group.iter().all(|&i| origins[i].line.is_none())) {
            let (first, second) = (found[group[0]].path.clone(), found[other].path.clone());
            return Err(FindError::DuplicateId { id: id_of(&found[other].source_path), first, second });
        }
        let id = found[group[0]].id.clone();
        let kept = group.iter().copied().find(|&i| stated[i]).unwrap_or(group[0]);
        let mut number = 2;
        for i in group.into_iter().filter(|&i| i != kept) {
            while !taken.insert(format!("{id}~{number}")) {
                number += 1;
            }
            found[i].id = format!("{id}~{number}");
            numbered.push(i);
        }
    }
    if let Some(&first) = numbered.first() {
        let (path, id) = (found[first].path.clone(), found[first].id.clone());
        warnings.push(FindWarning::Numbered { path, id, n: numbered.len() });
    }
    if let Some(&first) = with_extension.first() {
        let (path, n) = (found[first].path.clone(), with_extension.len());
        warnings.push(FindWarning::KeptExtension { path, n });
    }
    Ok(())
}

/// The indices of files that share an id, group by group in the order of the listing.
fn groups(found: &[Found]) -> Vec<Vec<usize>> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, one) in found.iter().enumerate() {
        let group = *first.entry(&one.id).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(i);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Lines of manifests that state one id become rows that say so, under the id of their path.
fn refuse_stated_twice(found: &mut [Found], origins: &[IdOrigin]) {
    for group in groups(found) {
        let stated: Vec<usize> = group.into_iter().filter(|&i| origins[i].is_stated).collect();
        for &i in stated.iter().filter(|_| stated.len() > 1) {
            let others: Vec<String> = stated
                .iter()
                .filter(|&&j| j != i)
                .filter_map(|&j| origins[j].line)
                .map(|n| n.to_string())
                .take(3)
                .collect();
            let message = format!("line {} has the same id; give each line its own, or none", others.join(", "));
            found[i].id = id_of(&found[i].source_path);
            found[i].problem.get_or_insert(Problem::ManifestLine { line: origins[i].line.unwrap_or(0), message });
        }
    }
}

/// What follows a `#` in an id tells the spectra of one file apart: a file whose own name has one must not look like one of
/// another file's.
fn escape_number_signs(found: &mut [Found]) {
    let ids: HashSet<String> = found.iter().map(|one| one.id.clone()).collect();
    for one in found.iter_mut() {
        let looks_like_another = one.id.match_indices('#').any(|(at, _)| ids.contains(&one.id[..at]));
        if looks_like_another {
            one.id = one.id.replace('#', "%23");
        }
    }
}

/// `warning` with its path as rows name it: relative to the INPUT that holds it.
pub(super) fn shown_from(
    mut warning: FindWarning,
    bases: &[PathBuf],
    show: impl Fn(&PathBuf, &PathBuf) -> String,
) -> FindWarning {
    let path = warning.path_mut();
    let base = bases.iter().filter(|base| path.starts_with(base)).max_by_key(|base| base.as_os_str().len());
    if let Some(base) = base.or(bases.first()) {
        *path = PathBuf::from(show(path, base));
    }
    warning
}
