//! Images of the head (T1-weighted) to draw voxels on: by the names of their files, and whose they are.

use std::path::{Path, PathBuf};

use super::find::files_below;
use super::kinds::{by_name, other_space, stem};
use super::words::Words;

/// Words of names of such images (BIDS `T1w`, FreeSurfer `T1.mgz`, and what vendors call the sequence).
const WORDS: [&str; 7] = ["t1", "t1w", "mprage", "memprage", "spgr", "bravo", "unit1"];
/// Words of names of what was made of them.
const MADE: [&str; 6] = ["mask", "brainmask", "bias", "warp", "xfm", "mni"];

/// Images that were found.
#[derive(Debug, Clone, Default)]
pub struct Anatomy(Vec<Candidate>);

#[derive(Debug, Clone)]
struct Candidate {
    path: PathBuf,
    /// Which is taken of several: the least first.
    rank: u8,
    words: Words,
    /// Somebody named this very file.
    is_named: bool,
}

/// The rank of an image by its name; `None` for what is none of a head as it was measured.
fn rank(name: &str) -> Option<u8> {
    let stem = stem(name)?;
    if by_name(name).is_some() || other_space(stem).is_some() {
        return None;
    }
    let lower = stem.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['_', '-', '.', ' ']).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if has(&MADE) || !has(&WORDS) {
        return None;
    }
    Some(match (lower.ends_with("_t1w"), lower.contains("desc-")) {
        (true, false) => 0,
        (true, true) => 1,
        (false, _) => 2,
    })
}

impl Anatomy {
    /// Those in and below folders, and files that are named.
    pub fn find(places: &[PathBuf]) -> Self {
        let mut found = Vec::new();
        for place in places {
            let is_named = !place.is_dir();
            let all: Vec<PathBuf> = if is_named { vec![place.clone()] } else { files_below(place).collect() };
            for path in all {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let Some(rank) = (if is_named { Some(0) } else { rank(&name) }) else { continue };
                let words = Words::of(&path, if is_named { place.parent().unwrap_or(place) } else { place });
                found.push(Candidate { rank, words, is_named, path });
            }
        }
        found.sort_by(|a, b| (a.rank, &a.path).cmp(&(b.rank, &b.path)));
        found.dedup_by(|a, b| a.path == b.path);
        Self(found)
    }

    /// The image of a person: the session's, else one of no session. `is_one_head`: there are spectra of nobody else, so that an
    /// image that names nobody, or that somebody named, is theirs.
    pub fn of(&self, subject: Option<&str>, session: Option<&str>, is_one_head: bool) -> Option<&Path> {
        let of_session = |candidate: &Candidate, session: &str| candidate.words.is_of_session(session, subject);
        let may_be = |candidate: &&Candidate| {
            let is_theirs = match subject {
                Some(subject) if candidate.words.label("sub-").is_some() => {
                    candidate.words.label("sub-") == Some(subject)
                }
                Some(subject) => candidate.words.subject(subject).is_some() || is_one_head,
                None => is_one_head,
            };
            is_theirs || candidate.is_named && is_one_head
        };
        let theirs: Vec<&Candidate> = self.0.iter().filter(may_be).collect();
        let exact = session.and_then(|session| theirs.iter().find(|candidate| of_session(candidate, session)));
        let any = || {
            theirs
                .iter()
                .find(|candidate| session.is_none() || candidate.is_named || candidate.words.label("ses-").is_none())
        };
        exact.or_else(any).map(|candidate| candidate.path.as_path())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn images_of_a_head_are_known_by_their_names() {
        for name in ["sub-01_ses-a_T1w.nii.gz", "T1.mgz", "S03_MPRAGE.nii", "sub-01_space-orig_T1w.nii.gz"] {
            assert!(rank(name).is_some(), "{name}");
        }
        for name in [
            "c1T1.nii",
            "T1_fast_pve_0.nii.gz",
            "sub-01_space-MNI152NLin2009cAsym_T1w.nii.gz",
            "T1_brainmask.nii",
            "sub-01_label-GM_probseg.nii.gz",
            "sub-01_svs.nii.gz",
            "sub-01_T1w.json",
            "ST11.nii.gz",
            "sub-01_desc-brain_mask.nii.gz",
        ] {
            assert_eq!(rank(name), None, "{name}");
        }
        assert!(rank("sub-01_T1w.nii") < rank("sub-01_desc-preproc_T1w.nii"));
    }

    #[test]
    fn nobody_is_drawn_on_another_head() {
        let dir = tempfile::tempdir().unwrap();
        let files = [
            "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz",
            "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz",
            "S03/T1.mgz",
            "T1.nii",
        ];
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let all = Anatomy::find(&[dir.path().to_owned()]);
        let of = |subject: Option<&str>, session: Option<&str>, is_one_head: bool| {
            let path = all.of(subject, session, is_one_head);
            path.map(|path| path.strip_prefix(dir.path()).unwrap().to_string_lossy().replace('\\', "/"))
        };
        assert_eq!(of(Some("1"), Some("b"), false).as_deref(), Some(files[1]));
        assert_eq!(of(Some("1"), None, false).as_deref(), Some(files[0]));
        assert_eq!(of(Some("1"), Some("c"), false), None);
        assert_eq!(of(Some("S03"), Some("a"), false).as_deref(), Some(files[2]));
        // A visit of that number is nobody's name.
        let visit = dir.path().join("S04/02/T1.nii");
        std::fs::create_dir_all(visit.parent().unwrap()).unwrap();
        std::fs::write(&visit, "").unwrap();
        let with_visit = Anatomy::find(&[dir.path().to_owned()]);
        assert_eq!(with_visit.of(Some("02"), None, false), None);
        assert_eq!(with_visit.of(Some("S04"), Some("02"), false), Some(visit.as_path()));
        assert_eq!((of(Some("2"), None, false), of(None, None, false)), (None, None));
        assert_eq!(of(Some("9"), None, true).as_deref(), Some(files[2]));
        let named = Anatomy::find(&[dir.path().join(files[0])]);
        assert!(named.of(Some("7"), None, false).is_none());
        assert!(named.of(Some("7"), None, true).is_some() && named.of(Some("1"), Some("c"), true).is_some());
    }
}
