//! Whom a path names: by BIDS' keys, or by the bare label of a subject or session.
//!
//! A bare label of digits may be a visit, a run or an echo as well as a person: it is a subject's only as the first folder below
//! the place that was searched, and a session's only as the folder below the subject's.

use std::collections::HashSet;
use std::path::{Component, Path};

/// The words of a file's path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// Names of the folders from the place that was searched on, its own included, then the parts of the file's name.
    words: Vec<String>,
    /// How many of them are folders.
    n_folders: usize,
}

fn is_number(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
}

impl Words {
    /// Of a file below `base`.
    pub(crate) fn of(path: &Path, base: &Path) -> Self {
        let below = path.strip_prefix(base).unwrap_or(path);
        let of_base = base.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let names = below.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        let mut words: Vec<String> = std::iter::once(of_base).chain(names).collect();
        let name = words.pop().unwrap_or_default();
        let n_folders = words.len();
        let stem = name.split('.').next().unwrap_or_default();
        words.extend(stem.split('_').map(str::to_owned));
        Self { words, n_folders }
    }

    /// What follows a key (`sub-`) in the file's name, else in the innermost folder that has it.
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.words.iter().rev().find_map(|word| word.strip_prefix(key))
    }

    /// The first folder below the place that was searched.
    const FIRST: usize = 1;

    /// The word that names a subject.
    pub(super) fn subject(&self, label: &str) -> Option<usize> {
        let names = |(at, word): &(usize, &String)| {
            let is_bare = word.as_str() == label;
            word.strip_prefix("sub-") == Some(label)
                || is_bare && (!is_number(label) || *at == Self::FIRST && *at < self.n_folders)
        };
        self.words.iter().enumerate().find(names).map(|(at, _)| at)
    }

    /// Whether another word than the subject's names a session.
    pub(super) fn is_of_session(&self, label: &str, subject: Option<&str>) -> bool {
        let of_subject = subject.and_then(|subject| self.subject(subject));
        let below = of_subject.map(|at| at + 1);
        self.words.iter().enumerate().any(|(at, word)| {
            let is_bare = word == label && Some(at) != of_subject;
            word.strip_prefix("ses-") == Some(label)
                || is_bare && (!is_number(label) || Some(at) == below && at < self.n_folders)
        })
    }

    /// Whether it names one of these subjects that is not `own`.
    pub(super) fn names_another(&self, own: &str, subjects: &HashSet<&str>) -> bool {
        let bare = |word: &str| word.strip_prefix("sub-").map_or_else(|| word.to_owned(), str::to_owned);
        self.words
            .iter()
            .map(|word| bare(word))
            .any(|label| label != own && subjects.contains(label.as_str()) && self.subject(&label).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str) -> Words {
        Words::of(Path::new(path), Path::new("seg"))
    }

    #[test]
    fn a_label_of_digits_names_a_person_in_the_first_folder_alone() {
        let named = |path: &str, label: &str| words(path).subject(label).is_some();
        assert!(named("seg/01/c1T1.nii", "01") && named("seg/x/sub-01/c1T1.nii", "01"));
        assert!(named("seg/x/S02_T1/S02_c1.nii", "S02"));
        assert_eq!(Words::of(Path::new("01/x/c1.nii"), Path::new("01")).subject("01"), None);
        for path in ["seg/S02/01/c1T1.nii", "seg/c1S02_01.nii", "seg/01.nii"] {
            assert!(!named(path, "01"), "{path}");
        }
    }

    #[test]
    fn one_word_is_not_both_person_and_session() {
        let of = |path: &str, session: &str, subject: &str| words(path).is_of_session(session, Some(subject));
        assert!(of("seg/S02/01/c1.nii", "01", "S02") && of("seg/01/01/c1.nii", "01", "01"));
        assert!(of("seg/S02/x/ses-01/c1.nii", "01", "S02") && of("seg/S02/pre/c1.nii", "pre", "S02"));
        assert!(!of("seg/01/c1.nii", "01", "01") && !of("seg/A/c1.nii", "A", "A"));
        assert!(!of("seg/S02/x/01/c1.nii", "01", "S02"));
    }

    #[test]
    fn others_that_are_named_are_seen() {
        let subjects = HashSet::from(["01", "S02", "S03"]);
        assert!(words("seg/S02/S03/c1.nii").names_another("S02", &subjects));
        assert!(words("seg/S02/sub-S03_c1.nii").names_another("S02", &subjects));
        assert!(!words("seg/S02/01/c1.nii").names_another("S02", &subjects));
        assert!(!words("seg/S02/c1.nii").names_another("S02", &subjects));
    }
}
