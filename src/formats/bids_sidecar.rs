//! The JSON files that BIDS puts beside a NIfTI file, and into the folders above it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::ReadError;
use super::files;
use crate::bids_inheritance::{self, Sidecar as Place};
use crate::regular_file;

/// Largest sidecar that is read (bytes): one that repeats a whole DICOM header has some megabytes.
const MAX_BYTES: u64 = 64 << 20;

/// A sidecar that was read.
#[derive(Debug)]
pub struct Sidecar {
    /// What it states, or a remark that it is no JSON.
    pub json: Result<Value, String>,
}

/// What all sidecars that apply to a file state together.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Every key with the value of the sidecar that goes before the others.
    pub stated: Map<String, Value>,
    /// Which could not be used, and what they contradict one another in.
    pub remarks: Vec<String>,
}

/// `x.json` beside `x.nii` or `x.nii.gz`, if there is one.
pub fn path_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".nii")?;
    files::beside(path, &format!("{stem}.json"))
}

/// All sidecars that apply to a file, those that others override first.
pub fn paths(path: &Path) -> Vec<PathBuf> {
    bids_inheritance::sidecars_of(path).into_iter().map(|sidecar| sidecar.path).collect()
}

/// The sidecar beside `x.nii` or `x.nii.gz` (`x.json`), if there is one.
///
/// # Errors
/// [`ReadError::Io`]: it is there and cannot be read.
pub fn beside(path: &Path) -> Result<Option<Sidecar>, ReadError> {
    path_beside(path).map(|sidecar| read(&sidecar)).transpose()
}

fn read(path: &Path) -> Result<Sidecar, ReadError> {
    let bytes =
        regular_file::bytes(path, MAX_BYTES).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    let json = serde_json::from_slice(&bytes)
        .map_err(|e| format!("the sidecar is no JSON and was not used (line {}, column {})", e.line(), e.column()));
    Ok(Sidecar { json })
}

/// What the sidecars of a file state, beside it and above.
///
/// # Errors
/// [`ReadError::Io`]: one is there and cannot be read.
pub fn inherited(path: &Path) -> Result<Inherited, ReadError> {
    let mut inherited = Inherited::default();
    let mut alike: Vec<(Place, Map<String, Value>)> = Vec::new();
    for place in bids_inheritance::sidecars_of(path) {
        let stated = match read(&place.path)?.json {
            Ok(Value::Object(stated)) => stated,
            Ok(_) => {
                inherited.remarks.push(format!("the sidecar {} is no JSON object and was not used", name(&place.path)));
                continue;
            }
            Err(remark) => {
                inherited.remarks.push(remark);
                continue;
            }
        };
        let rank = |place: &Place| (place.depth, place.n_entities);
        if alike.first().is_some_and(|(first, _)| rank(first) != rank(&place)) {
            inherited.override_by(&std::mem::take(&mut alike));
        }
        alike.push((place, stated));
    }
    inherited.override_by(&alike);
    Ok(inherited)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Inherited {
    /// Takes over what sidecars of one rank state; where they contradict one another nothing is known.
    fn override_by(&mut self, alike: &[(Place, Map<String, Value>)]) {
        let keys: BTreeSet<&String> = alike.iter().flat_map(|(_, stated)| stated.keys()).collect();
        for key in keys {
            let mut values = alike.iter().filter_map(|(_, stated)| stated.get(key)).filter(|value| !value.is_null());
            let Some(value) = values.next() else { continue };
            if values.all(|other| other == value) {
                self.stated.insert(key.clone(), value.clone());
                continue;
            }
            self.stated.remove(key);
            let names: Vec<String> = alike.iter().map(|(place, _)| name(&place.path)).collect();
            let names = names.join(", ");
            self.remarks.push(format!("the sidecars {names} contradict one another in {key}: none was taken"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn of(files: &[(&str, &str)]) -> Inherited {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("sub-1/mrs")).unwrap();
        fs::write(root.join("dataset_description.json"), "{}").unwrap();
        for (name, text) in files {
            fs::write(root.join(name), text).unwrap();
        }
        inherited(&root.join("sub-1/mrs/sub-1_acq-a_voi-b_svs.nii.gz")).unwrap()
    }

    #[test]
    fn nearer_ones_override_key_by_key() {
        let all = of(&[
            ("svs.json", r#"{"EchoTime": 0.1, "Manufacturer": "GE", "RepetitionTime": 2}"#),
            ("acq-a_svs.json", r#"{"EchoTime": 0.03}"#),
            ("sub-1/mrs/sub-1_acq-a_voi-b_svs.json", r#"{"RepetitionTime": 3, "Manufacturer": null}"#),
        ]);
        assert_eq!(Value::Object(all.stated), json!({"EchoTime": 0.03, "Manufacturer": "GE", "RepetitionTime": 3}));
        assert!(all.remarks.is_empty());
    }

    #[test]
    fn what_contradicts_itself_is_not_known() {
        let two =
            [("acq-a_svs.json", r#"{"EchoTime": 0.1, "A": 1}"#), ("voi-b_svs.json", r#"{"EchoTime": 0.2, "A": 1}"#)];
        let both = of(&two);
        assert_eq!(Value::Object(both.stated), json!({"A": 1}));
        assert_eq!(
            both.remarks,
            ["the sidecars acq-a_svs.json, voi-b_svs.json contradict one another in EchoTime: none was taken"]
        );
        let below = of(&[&two[..], &[("svs.json", r#"{"EchoTime": 0.5}"#)]].concat());
        assert!(!below.stated.contains_key("EchoTime") && below.remarks.len() == 1, "{below:?}");
        let nearer = of(&[&two[..], &[("sub-1/mrs/sub-1_svs.json", r#"{"EchoTime": 0.03}"#)]].concat());
        assert_eq!(nearer.stated.get("EchoTime"), Some(&json!(0.03)));
    }

    #[test]
    fn what_is_no_object_is_told() {
        let all = of(&[("svs.json", "[1]"), ("acq-a_svs.json", "{"), ("voi-b_svs.json", r#"{"EchoTime": 0.2}"#)]);
        assert_eq!((all.stated.len(), all.remarks.len()), (1, 2));
        assert!(all.remarks[0].contains("svs.json is no JSON object"), "{:?}", all.remarks);
    }
}
