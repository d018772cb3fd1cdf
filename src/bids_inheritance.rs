//! Which JSON files of a BIDS dataset apply to a file of it: the inheritance principle (BIDS specification 1.10, "Common
//! principles").
//!
//! A sidecar applies to the files of its folder and of those below that have its suffix and all of its entities. What is
//! nearer to the file goes before what is farther, and in one folder what names more entities.

use std::path::{Path, PathBuf};

/// File that marks the root of a BIDS dataset.
const DATASET_DESCRIPTION: &str = "dataset_description.json";
/// Suffixes of spectroscopy in BIDS.
const SUFFIXES: [&str; 4] = ["svs", "mrsi", "unloc", "mrsref"];
/// Names of more parts than this are looked for as a whole alone: the subsets of parts become many, and BIDS knows eleven
/// entities of spectroscopy.
const MOST_PARTS: usize = 8;

/// A sidecar that applies to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sidecar {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How many folders it lies below the dataset's root.
    pub(crate) depth: usize,
    /// How many entities it names.
    pub(crate) n_entities: usize,
}

/// The sidecars of the file at `path` that are there: those that others override first. Of a file that is not named by BIDS
/// only that of its own name.
pub(crate) fn sidecars_of(path: &Path) -> Vec<Sidecar> {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { return Vec::new() };
    let Some(stem) = stem(&name) else { return Vec::new() };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut parts: Vec<&str> = stem.split('_').collect();
    let suffix = parts.pop().unwrap_or_default();
    let is_bids = parts.first().is_some_and(|part| part.starts_with("sub-")) && SUFFIXES.contains(&suffix);
    if !is_bids || parts.len() > MOST_PARTS {
        let own = Sidecar { path: folder.join(format!("{stem}.json")), depth: 0, n_entities: parts.len() };
        return Some(own).filter(is_there).into_iter().collect();
    }
    let root = dataset_root(folder);
    let mut levels: Vec<&Path> = folder.ancestors().take_while(|level| level.starts_with(&root)).collect();
    levels.reverse();
    let names = names(&parts, suffix);
    let all = levels.iter().enumerate().flat_map(|(depth, level)| {
        names.iter().map(move |(name, n_entities)| Sidecar { path: level.join(name), depth, n_entities: *n_entities })
    });
    all.filter(is_there).collect()
}

/// Whether there is a file of that name, or a link that leads nowhere: whoever reads it says so.
fn is_there(sidecar: &Sidecar) -> bool {
    sidecar.path.symlink_metadata().is_ok()
}

/// A NIfTI file's name without its extension.
fn stem(name: &str) -> Option<&str> {
    let cut = |name: &'_ str, ending: &str| {
        let at = name.len().checked_sub(ending.len())?;
        (name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(ending)).then_some(at)
    };
    let name = cut(name, ".gz").map_or(name, |at| &name[..at]);
    cut(name, ".nii").map(|at| &name[..at])
}

/// Every name that a sidecar can have, with the number of its entities, fewer of them first.
fn names(parts: &[&str], suffix: &str) -> Vec<(String, usize)> {
    let subset = |set: usize| {
        let named: Vec<&str> =
            parts.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, part)| *part).collect();
        let n_entities = named.len();
        (named.into_iter().chain([suffix]).collect::<Vec<_>>().join("_") + ".json", n_entities)
    };
    let mut names: Vec<(String, usize)> = (0..1_usize << parts.len()).map(subset).collect();
    names.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    names
}

/// Nearest folder above with a dataset description, else the one that holds the subject's folder, else `folder` itself.
pub(crate) fn dataset_root(folder: &Path) -> PathBuf {
    if let Some(root) = folder.ancestors().find(|level| level.join(DATASET_DESCRIPTION).is_file()) {
        return root.to_owned();
    }
    let is_subject = |level: &&Path| level.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sub-"));
    let subject = folder.ancestors().filter(is_subject).last();
    subject.and_then(Path::parent).unwrap_or(folder).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;

    fn names_of(root: &Path, path: &str) -> Vec<String> {
        let of = sidecars_of(&root.join(path));
        of.iter().map(|s| s.path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_nearer_and_names_more_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("sub-01/ses-1/mrs")).unwrap();
        let there = [
            "svs.json",
            "acq-press_svs.json",
            "acq-other_svs.json",
            "mrsref.json",
            "sub-01/sub-01_svs.json",
            "sub-01/ses-1/mrs/sub-01_ses-1_acq-press_svs.json",
            "sub-01/ses-1/mrs/sub-01_ses-1_svs.json",
            "sub-01/ses-1/mrs/sub-02_svs.json",
        ];
        for name in there {
            fs::write(root.join(name), "{}").unwrap();
        }
        let expected = [
            "svs.json",
            "acq-press_svs.json",
            "sub-01/sub-01_svs.json",
            "sub-01/ses-1/mrs/sub-01_ses-1_svs.json",
            "sub-01/ses-1/mrs/sub-01_ses-1_acq-press_svs.json",
        ];
        let file = "sub-01/ses-1/mrs/sub-01_ses-1_acq-press_svs";
        assert_eq!(names_of(root, &format!("{file}.nii.gz")), expected);
        assert_eq!(names_of(root, &format!("{file}.nii")), expected);
        assert_eq!(names_of(root, "sub-01/ses-1/mrs/sub-01_ses-1_mrsref.nii"), ["mrsref.json"]);
        // A description below is a dataset of its own.
        fs::write(root.join("sub-01/dataset_description.json"), "{}").unwrap();
        assert_eq!(names_of(root, &format!("{file}.nii")), expected[2..]);
    }

    #[test]
    fn other_names_have_their_own_sidecar_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["scan_svs.json", "svs.json", "x.json"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        assert_eq!(names_of(folder.path(), "scan_svs.nii.gz"), ["scan_svs.json"]);
        assert_eq!(names_of(folder.path(), "x.NII"), ["x.json"]);
        assert!(names_of(folder.path(), "y.nii").is_empty());
        assert!(names_of(folder.path(), "x.dcm").is_empty());
        let long = format!("sub-1_{}svs.nii", "acq-a_".repeat(40));
        assert!(names_of(folder.path(), &long).is_empty());
    }
}
