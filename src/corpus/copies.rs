//! Files that hold byte for byte what another one holds.

use std::collections::{HashMap, HashSet};

use super::found::FindWarning;

/// What is said where there are any: how many, and which pair is the first. Files are given with their hash, where it is
/// known; what a manifest lists twice is no copy.
pub(crate) fn copies<'a>(files: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Option<FindWarning> {
    let mut first_of: HashMap<&str, &str> = HashMap::new();
    let mut first: Option<(&str, &str)> = None;
    let mut seen = HashSet::new();
    let mut n = 0;
    for (path, hash) in files {
        let Some(hash) = hash.filter(|_| seen.insert(path)) else { continue };
        match first_of.get(hash) {
            Some(other) => {
                n += 1;
                first.get_or_insert((path, other));
            }
            None => drop(first_of.insert(hash, path)),
        }
    }
    first.map(|(path, other)| FindWarning::Copies { path: path.into(), other: other.to_owned(), n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_and_one_pair_is_named() {
        let files = [
            ("a", Some("1")),
            ("b", Some("2")),
            ("a", Some("1")),
            ("c", None),
            ("d", None),
            ("a (1)", Some("1")),
            ("a - Copy", Some("1")),
            ("b2", Some("2")),
        ];
        assert_eq!(copies(files[..5].iter().copied()), None);
        let found = copies(files).map(|warning| warning.to_string());
        let begin = "3 files are byte for byte the same as another one, as a (1) is as a:";
        assert!(found.as_ref().is_some_and(|text| text.starts_with(begin)), "{found:?}");
    }
}
