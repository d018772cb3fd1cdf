//! The table of a BIDS `dseg`'s labels (BIDS specification 1.10, derivatives of imaging, "Discrete segmentations").

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::TissueError;
use super::labels::{Labels, Tissue};
use crate::bids_inheritance::dataset_root;
use crate::regular_file;

/// Largest table that is read (bytes).
const MAX_BYTES: u64 = 8 << 20;
/// Folders above in which a table is looked for.
const MOST_LEVELS: usize = 6;
/// Files of a folder that are looked at for a table.
const MOST_FILES: usize = 100_000;
/// BIDS' common labels (its table of image-derived labels): grey matter with that of cortex and below, white matter, CSF.
const COMMON: [(i64, Tissue); 5] =
    [(1, Tissue::Gm), (2, Tissue::Wm), (3, Tissue::Csf), (8, Tissue::Gm), (9, Tissue::Gm)];
const NAMES: [(&str, Tissue); 17] = [
    ("gm", Tissue::Gm),
    ("cgm", Tissue::Gm),
    ("sgm", Tissue::Gm),
    ("scgm", Tissue::Gm),
    ("dgm", Tissue::Gm),
    ("greymatter", Tissue::Gm),
    ("graymatter", Tissue::Gm),
    ("corticalgreymatter", Tissue::Gm),
    ("corticalgraymatter", Tissue::Gm),
    ("subcorticalgreymatter", Tissue::Gm),
    ("subcorticalgraymatter", Tissue::Gm),
    ("deepgreymatter", Tissue::Gm),
    ("deepgraymatter", Tissue::Gm),
    ("wm", Tissue::Wm),
    ("whitematter", Tissue::Wm),
    ("csf", Tissue::Csf),
    ("cerebrospinalfluid", Tissue::Csf),
];

/// The table that says what the labels of a `dseg` are: beside it, or inherited from a folder above.
pub(super) fn table_of(dseg: &Path) -> Option<PathBuf> {
    let name = dseg.file_name()?.to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or_default();
    let own: Vec<&str> = stem.split('_').collect();
    let folder = dseg.parent()?;
    let root = dataset_root(folder);
    let levels = folder.ancestors().take_while(|level| level.starts_with(&root)).take(MOST_LEVELS);
    levels.into_iter().find_map(|level| {
        let names = fs::read_dir(level).ok()?.flatten().take(MOST_FILES);
        let fitting = names.filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let parts: Vec<&str> = name.strip_suffix(".tsv")?.split('_').collect();
            let applies = parts.last() == own.last() && parts.iter().all(|part| own.contains(part));
            applies.then(|| (parts.len(), name.clone()))
        });
        fitting.max().map(|(_, name)| level.join(name))
    })
}

/// What the labels of a `dseg` are by its table.
///
/// # Errors
/// [`TissueError`]: there is none, it cannot be read, or does not name all three tissues.
pub(super) fn labels(file: &str, table: Option<&Path>) -> Result<Labels, TissueError> {
    let unnamed = |reason: String| TissueError::LabelsNotNamed { file: file.to_owned(), reason };
    let Some(table) = table else {
        return Err(unnamed(
            "no table says what its labels are (1, 2, 3 are grey matter, white matter and CSF to BIDS, but CSF, grey and white \
             matter to FAST); put a .tsv of the same name beside it with the columns index and name"
                .to_owned(),
        ));
    };
    let name = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = regular_file::text(table, MAX_BYTES)
        .map_err(|e| TissueError::Unreadable { file: name.clone(), reason: e.to_string() })?;
    parse(&text).map_err(|reason| unnamed(format!("{name}: {reason}")))
}

fn parse(text: &str) -> Result<Labels, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim_end_matches('\r'));
    let header: Vec<String> =
        lines.next().unwrap_or_default().split('\t').map(|t| t.trim().to_ascii_lowercase()).collect();
    let column = |title: &str| header.iter().position(|other| other == title);
    let index = column("index").ok_or("it has no column `index`")?;
    let (mapping, others) = (column("mapping"), [column("abbreviation"), column("name")]);
    let mut names = BTreeMap::new();
    let mut is_freesurfer = false;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).copied().unwrap_or_default();
        let label: i64 = cell(Some(index)).parse().map_err(|_| "an index is no whole number".to_owned())?;
        let common = cell(mapping).parse::<i64>().ok();
        let by_mapping = common.and_then(|n| COMMON.iter().find(|(number, _)| *number == n)).map(|(_, tissue)| *tissue);
        let mut said = by_mapping.into_iter().chain(others.into_iter().filter_map(|at| tissue_of(cell(at))));
        let tissue = said.next();
        if said.any(|other| Some(other) != tissue) {
            return Err(format!("it says two things of label {label}"));
        }
        if names.insert(label, tissue).is_some_and(|before| before != tissue) {
            return Err(format!("label {label} is there twice"));
        }
        is_freesurfer |= label == 2 && cell(column("name")).eq_ignore_ascii_case("Left-Cerebral-White-Matter");
    }
    if is_freesurfer {
        return Ok(Labels::FreeSurfer);
    }
    let missing = [(Tissue::Gm, "grey matter"), (Tissue::Wm, "white matter"), (Tissue::Csf, "CSF")];
    match missing.iter().find(|(tissue, _)| !names.values().any(|named| named == &Some(*tissue))) {
        Some((_, name)) => Err(format!("no label is called {name}")),
        None => Ok(Labels::Named(names)),
    }
}

fn tissue_of(name: &str) -> Option<Tissue> {
    let plain: String = name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, tissue)| *tissue)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::labels::Meaning;
    use super::*;

    #[test]
    fn labels_are_what_the_table_calls_them() {
        let text = "\u{feff}index\tname\tabbreviation\tmapping\r\n3\tGray Matter\tGM\tn/a\r\n1\tx\t\t2\r\n7\tcerebrospinal-fluid\t\t\r\n\r\n9\tskull\t\t4\r\n";
        let labels = parse(text).unwrap();
        let meanings = [3, 1, 7, 9, 0, 2].map(|label| labels.meaning(label));
        let tissue = Meaning::Tissue;
        assert_eq!(
            meanings,
            [
                tissue(Tissue::Gm),
                tissue(Tissue::Wm),
                tissue(Tissue::Csf),
                Meaning::Other,
                Meaning::Other,
                Meaning::Unknown
            ]
        );
    }

    #[test]
    fn tables_that_say_too_little_or_two_things_are_refused() {
        for (text, word) in [
            ("", "index"),
            ("name\tabbreviation\nGM\tGM\n", "index"),
            ("index\tname\n1\tGM\n2\tWM\n", "CSF"),
            ("index\tname\tabbreviation\n1\tGrey Matter\tWM\n", "two things"),
            ("index\tname\n1\tGM\n1\tWM\n3\tCSF\n", "twice"),
            ("index\tname\none\tGM\n", "whole number"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert_eq!(parse("index\tname\n2\tLeft-Cerebral-White-Matter\n").unwrap(), Labels::FreeSurfer);
    }

    #[test]
    fn tables_are_inherited_from_folders_above() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("sub-1/anat");
        fs::create_dir_all(&folder).unwrap();
        fs::write(dir.path().join("dataset_description.json"), "{}").unwrap();
        let dseg = folder.join("sub-1_desc-x_dseg.nii.gz");
        assert_eq!(table_of(&dseg), None);
        for (name, expected) in [
            ("dseg.tsv", true),
            ("desc-y_dseg.tsv", false),
            ("desc-x_dseg.tsv", true),
            ("sub-1/anat/sub-1_desc-x_dseg.tsv", true),
        ] {
            let table = dir.path().join(name);
            fs::write(&table, "").unwrap();
            assert_eq!(table_of(&dseg).as_deref() == Some(&table), expected, "{name}");
        }
    }
}
