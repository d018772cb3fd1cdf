//! Which transform is whose: by the names of BIDS derivatives in a folder, or by a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::{OverlapError, TransformError};
use super::transform::Direction;
use crate::printable::{PATH_CHARS, printable};
use crate::regular_file;
use crate::store::SpectrumRow;
use crate::tissue::find::files_below;
use crate::tissue::kinds::OWN_SPACES;
use crate::tissue::words::Words;

/// Largest table that is read (bytes).
const MOST_BYTES: u64 = 256 << 20;
/// Spaces of one head beside those of its anatomy.
const ALSO_OWN: [&str; 9] = ["fsnative", "boldref", "bold", "epi", "dwi", "fmap", "asl", "func", "mrs"];
/// The column that a table must have, and those by which a line finds its spectra, the surest first.
const TRANSFORM: &str = "transform_path";
const IMAGE: &str = "image_path";
const KEYS: [&str; 3] = ["spectrum_id", "path", "subject"];

/// A transform's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Whether its name says which way it leads; else it is taken for what a registration onto the common space writes.
    pub(super) is_named: bool,
    is_from_head: bool,
    is_of_points: bool,
    /// The image that was registered, where a table names it.
    pub(super) image: Option<PathBuf>,
}

impl Found {
    pub(super) fn direction(&self) -> Direction {
        Direction { is_from_head: self.is_from_head, is_of_points: self.is_of_points }
    }
}

/// All transforms that there are.
pub(super) struct Transforms(BTreeMap<Key, BTreeSet<Found>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Spectrum(String),
    Path(String),
    Person(String, Option<String>),
}

impl Transforms {
    /// Those below a folder, or those that a table lists.
    pub(super) fn find(at: &Path) -> Result<Self, OverlapError> {
        let fault = |reason: String| OverlapError::Transforms { path: at.to_owned(), reason };
        let all = if at.is_dir() { in_folder(at) } else { in_table(at).map_err(fault)? };
        if all.is_empty() {
            return Err(fault(
                "no transform; a folder has files such as sub-01_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.txt, a table (.tsv, \
                 .csv) the column transform_path beside spectrum_id, path or subject (and session)"
                    .to_owned(),
            ));
        }
        Ok(Self(all))
    }

    /// That of a spectrum.
    pub(super) fn of(&self, row: &SpectrumRow) -> Result<&Found, TransformError> {
        let mut keys = vec![Key::Spectrum(row.spectrum_id.clone()), Key::Path(row.source_path.clone())];
        if let Some(subject) = &row.subject {
            keys.extend(row.session.clone().map(|session| Key::Person(subject.clone(), Some(session))));
            keys.push(Key::Person(subject.clone(), None));
            // A person of one session in both tables is that person.
            if row.session.is_none() {
                let own = self.0.keys().filter(|key| matches!(key, Key::Person(other, Some(_)) if other == subject));
                keys.extend(own.cloned());
            }
        }
        let several: Vec<&BTreeSet<Found>> = keys.iter().filter_map(|key| self.0.get(key)).collect();
        let whom = match (&row.subject, &row.session) {
            (Some(subject), Some(session)) => format!("sub-{subject} ses-{session}"),
            (Some(subject), None) => format!("sub-{subject}"),
            _ => printable(&row.spectrum_id, PATH_CHARS),
        };
        let first = several.first().ok_or(TransformError::None { whom })?;
        let is_one = first.len() == 1 && (row.session.is_some() || several.iter().all(|other| other == first));
        match first.iter().next() {
            Some(found) if is_one => Ok(found),
            _ => {
                let names = several.iter().flat_map(|all| all.iter()).map(|found| name(&found.path));
                Err(TransformError::Ambiguous { files: names.collect::<BTreeSet<_>>().into_iter().take(6).collect() })
            }
        }
    }
}

fn name(path: &Path) -> String {
    printable(&path.file_name().unwrap_or_default().to_string_lossy(), PATH_CHARS)
}

/// Those that BIDS' names tell. Of one pair of spaces what is affine goes before what is not, and the way from the head before
/// the way back.
fn in_folder(folder: &Path) -> BTreeMap<Key, BTreeSet<Found>> {
    let mut ranked: BTreeMap<(Key, String), Vec<(u8, Found)>> = BTreeMap::new();
    for path in files_below(folder) {
        let words = Words::of(&path, folder);
        let label = |key: &str| words.label(key).map(str::to_owned);
        let (Some(subject), Some((space, is_from_head, is_of_points))) = (label("sub-"), by_name(&name(&path))) else {
            continue;
        };
        let is_affine =
            ["txt", "tfm", "mat"].iter().any(|end| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(end)));
        let found = Found { path, is_named: true, is_from_head, is_of_points, image: None };
        let key = (Key::Person(subject, label("ses-")), space);
        let rank = 2 * u8::from(!is_affine) + u8::from(!is_from_head);
        ranked.entry(key).or_default().push((rank, found));
    }
    let mut all: BTreeMap<Key, BTreeSet<Found>> = BTreeMap::new();
    for ((key, _), mut files) in ranked {
        files.sort();
        let best = files.first().map(|(rank, _)| *rank);
        let own = files.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, found)| found);
        all.entry(key).or_default().extend(own);
    }
    all
}

/// The common space of a name, whether it leads from the head, and whether it is of points.
fn by_name(name: &str) -> Option<(String, bool, bool)> {
    let stem = name.split('.').next()?;
    let parts: Vec<&str> = stem.split('_').collect();
    let value = |key: &str| parts.iter().find_map(|part| part.strip_prefix(key));
    let is_own = |space: &str| {
        let lower = space.to_ascii_lowercase();
        OWN_SPACES.contains(&lower.as_str()) || ALSO_OWN.contains(&lower.as_str())
    };
    // What a T1 is registered to, not what is registered to a T1: the voxel lies in the scanner's space.
    let is_head =
        |space: &str| ["t1w", "scanner", "native", "individual", "anat"].contains(&space.to_ascii_lowercase().as_str());
    let (from, to) = (value("from-")?, value("to-")?);
    let is_points = match value("mode-") {
        Some("points") => true,
        Some("image") | None => false,
        Some(_) => return None,
    };
    match (parts.last() == Some(&"xfm"), is_head(from) && !is_own(to), is_head(to) && !is_own(from)) {
        (true, true, _) => Some((to.to_owned(), true, is_points)),
        (true, _, true) => Some((from.to_owned(), false, is_points)),
        _ => None,
    }
}

/// A line of a table for each transform; other columns are of no concern, so that a manifest will do.
fn in_table(path: &Path) -> Result<BTreeMap<Key, BTreeSet<Found>>, String> {
    let bytes = regular_file::bytes(path, MOST_BYTES).map_err(|e| format!("cannot be read: {e}"))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let delimiter = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) { b',' } else { b'\t' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let place = |name: &str| header.iter().position(|title| title == name);
    if place(TRANSFORM).is_none() || KEYS.iter().all(|key| place(key).is_none()) {
        return Err(format!("no column {TRANSFORM}, or none of {}, in a table", KEYS.join(", ")));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut all: BTreeMap<Key, BTreeSet<Found>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            let text = place(name).and_then(|column| record.get(column)).unwrap_or_default();
            (!text.is_empty() && !text.eq_ignore_ascii_case("n/a")).then(|| text.to_owned())
        };
        let Some(transform) = cell(TRANSFORM) else { continue };
        let without = |text: String, prefix: &str| text.strip_prefix(prefix).map_or(text.clone(), str::to_owned);
        let person = || {
            let session = cell("session").map(|session| without(session, "ses-"));
            cell(KEYS[2]).map(|subject| Key::Person(without(subject, "sub-"), session))
        };
        let key = cell(KEYS[0]).map(Key::Spectrum).or_else(|| cell(KEYS[1]).map(Key::Path)).or_else(person);
        let Some(key) = key else { return Err(format!("line {line}: {} are all empty", KEYS.join(", "))) };
        let path = folder.join(transform);
        let named = by_name(&name(&path));
        let (is_from_head, is_of_points) = named.as_ref().map_or((true, false), |(_, head, points)| (*head, *points));
        let image = cell(IMAGE).map(|image| folder.join(image));
        all.entry(key).or_default().insert(Found {
            path,
            is_named: named.is_some(),
            is_from_head,
            is_of_points,
            image,
        });
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_tell_where_a_transform_leads() {
        let of = by_name;
        assert_eq!(
            of("sub-1_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.txt"),
            Some(("MNI152NLin6Asym".to_owned(), true, false))
        );
        assert_eq!(of("sub-1_from-MNI152_to-T1w_mode-points_xfm.h5"), Some(("MNI152".to_owned(), false, true)));
        for other in [
            "sub-1_from-T1w_to-fsnative_mode-image_xfm.txt",
            "sub-1_from-boldref_to-T1w_mode-image_xfm.txt",
            "sub-1_from-orig_to-T1w_mode-image_xfm.txt",
            "sub-1_from-T1w_to-MNI152_mode-image_xfm_old.txt",
            "sub-1_T1w.nii.gz",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn transforms_are_found_by_person_and_affine_ones_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        for end in ["h5", "txt"] {
            put(&format!("sub-1/anat/sub-1_from-T1w_to-MNI152_mode-image_xfm.{end}"));
        }
        put("sub-1/anat/sub-1_from-MNI152_to-T1w_mode-image_xfm.txt");
        put("sub-2/anat/sub-2_from-T1w_to-MNI152_mode-image_xfm.h5");
        put("sub-3/ses-a/sub-3_ses-a_from-T1w_to-MNI152_mode-image_xfm.txt");
        put("sub-3/ses-b/sub-3_ses-b_from-T1w_to-MNI152_mode-image_xfm.txt");
        let all = Transforms::find(dir.path()).unwrap();
        let of = |subject: &str, session: Option<&str>| {
            let row = SpectrumRow {
                subject: Some(subject.to_owned()),
                session: session.map(str::to_owned),
                ..SpectrumRow::default()
            };
            all.of(&row).map(|found| (name(&found.path), found.is_from_head)).map_err(|e| e.status())
        };
        assert_eq!(of("1", None), Ok(("sub-1_from-T1w_to-MNI152_mode-image_xfm.txt".to_owned(), true)));
        assert_eq!(of("1", Some("x")).map(|(name, _)| name.len()), Ok(43));
        assert_eq!(of("2", None).map(|(name, _)| name), Ok("sub-2_from-T1w_to-MNI152_mode-image_xfm.h5".to_owned()));
        assert_eq!(
            of("3", Some("b")).map(|(name, _)| name),
            Ok("sub-3_ses-b_from-T1w_to-MNI152_mode-image_xfm.txt".to_owned())
        );
        assert_eq!(of("3", None), Err("ambiguous_transform"));
        assert_eq!((of("3", Some("c")), of("4", None)), (Err("no_transform"), Err("no_transform")));
    }
}
