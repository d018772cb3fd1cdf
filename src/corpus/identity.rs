//! Names: what a path says about a spectrum, and the id that it gives it.

use std::path::{Component, Path};

/// Key of the BIDS entities that requant knows, without the hyphen. Others in a name are left alone.
const BIDS_ENTITIES: [&str; 11] = ["sub", "ses", "task", "acq", "nuc", "voi", "rec", "run", "echo", "inv", "space"];

/// Suffixes of spectra in BIDS (specification 1.10, "Magnetic resonance spectroscopy").
pub(super) const BIDS_SPECTRA: [&str; 3] = ["svs", "mrsi", "unloc"];
/// Suffix of a water reference in BIDS.
pub(super) const BIDS_REFERENCE: &str = "mrsref";
/// What large consortia write in its place.
const REFERENCE: &str = "ref";

/// File name of a path as text; characters that are not UTF-8 are replaced.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Splits a file name into stem and extension; that of a packed file (`.nii.gz`, `.7.gz`) is one extension.
pub(crate) fn split_extension(name: &str) -> (&str, &str) {
    let cut = |name: &str| name.rfind('.').filter(|at| *at > 0);
    let Some(at) = cut(name) else { return (name, "") };
    let inner = cut(&name[..at]).filter(|inner| {
        let extension = &name[inner + 1..at];
        name[at + 1..].eq_ignore_ascii_case("gz")
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    let at = inner.unwrap_or(at);
    (&name[..at], &name[at + 1..])
}

/// An extension in lower case, without that of packing: packed or not, it is one format.
pub(crate) fn format_of(extension: &str) -> String {
    let lower = extension.to_lowercase();
    match lower.strip_suffix(".gz") {
        Some(inner) => inner.to_owned(),
        None => lower,
    }
}

/// `path` relative to `base` with `/` between the parts. Where it lies elsewhere, `..` leads there;
/// both paths must be absolute. Links are not followed, so equal trees give equal texts.
pub(crate) fn relative_path(path: &Path, base: &Path) -> String {
    let parts = |p: &Path| -> Vec<String> {
        let mut parts = Vec::new();
        for component in p.components() {
            match component {
                Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                Component::ParentDir => {
                    parts.pop();
                }
                _ => {}
            }
        }
        parts
    };
    let (path, base) = (parts(path), parts(base));
    let common = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", base.len() - common);
    up.chain(path[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// The id of the file at `source_path` (as [`relative_path`] gives it): without extension, and
/// without `..`, which would make it depend on where a manifest lies.
pub(crate) fn id_of(source_path: &str) -> String {
    let joined = without_way_up(source_path);
    let name = joined.rsplit('/').next().unwrap_or_default();
    let (stem, _) = split_extension(name);
    joined[..joined.len() - (name.len() - stem.len())].to_owned()
}

/// `source_path` without its `..`.
pub(crate) fn without_way_up(source_path: &str) -> String {
    source_path.split('/').filter(|part| *part != "..").collect::<Vec<_>>().join("/")
}

/// Role of a file by its BIDS suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BidsRole {
    /// `svs`, `mrsi`, `unloc`.
    Spectrum,
    /// `mrsref`.
    Reference,
}

/// A file name taken apart by the rules of BIDS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BidsName {
    /// Entities in the order of the name: `("sub", "01")`.
    pub(crate) entities: Vec<(String, String)>,
    /// Pairs of key and value that are no entities requant knows (`("vox", "ACC")`), the keys in lower case.
    others: Vec<(String, String)>,
    /// What follows the last underscore, in lower case.
    pub(crate) suffix: String,
    /// Whether every part before the suffix is an entity.
    is_whole: bool,
}

impl BidsName {
    /// Reads the entities that a file stem has, also in names that are not quite BIDS.
    pub(crate) fn parse(stem: &str) -> Self {
        let mut name = Self::default();
        for part in stem.split('_') {
            match part.split_once('-') {
                Some((key, value)) if BIDS_ENTITIES.contains(&key) && !value.is_empty() => {
                    name.entities.push((key.to_owned(), value.to_owned()));
                }
                Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                    name.others.push((key.to_lowercase(), value.to_owned()));
                }
                _ => {}
            }
        }
        name.suffix = stem.rsplit('_').next().unwrap_or_default().to_lowercase();
        let before = stem.rsplit_once('_').map_or("", |(before, _)| before);
        name.is_whole = before.split('_').all(|part| part.split_once('-').is_some_and(|(key, _)| !key.is_empty()));
        name
    }

    /// Value of an entity.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.entities.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Whether both names state something and each states it otherwise, of what is no entity that requant knows: sites have
    /// keys of their own for what they measured (`vox-ACC`, `loc-left`). What one name alone states contradicts nothing.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        let values = |name: &Self, key: &str| -> Vec<String> {
            name.others.iter().filter(|(k, _)| k == key).map(|(_, value)| value.to_lowercase()).collect()
        };
        self.others.iter().any(|(key, _)| {
            let theirs = values(other, key);
            !theirs.is_empty() && theirs != values(self, key)
        })
    }

    /// How many of the pairs that are no known entities both names have.
    pub(super) fn n_shared(&self, other: &Self) -> usize {
        self.others.iter().filter(|pair| other.others.contains(pair)).count()
    }

    /// Whether a file of this name belongs to `other` by the rule of inheritance: whatever it states, that states as well.
    pub(super) fn applies_to(&self, other: &Self) -> bool {
        self.suffix == other.suffix
            && self.entities.iter().all(|entity| other.entities.contains(entity))
            && self.n_shared(other) == self.others.len()
    }

    /// What the suffix says; `None` where the name does not begin with a subject as BIDS wants it.
    pub(crate) fn role(&self) -> Option<BidsRole> {
        self.get("sub")?;
        match self.suffix.as_str() {
            BIDS_REFERENCE => Some(BidsRole::Reference),
            suffix if BIDS_SPECTRA.contains(&suffix) => Some(BidsRole::Spectrum),
            _ => None,
        }
    }

    /// Whether it is a water reference as consortia name theirs: a name of BIDS whose suffix is `ref`.
    pub(crate) fn is_named_reference(&self) -> bool {
        self.is_whole && self.suffix == REFERENCE && self.get("sub").is_some()
    }

    /// Equal for names whose entities agree but for `acq`.
    pub(crate) fn key_without_acq(&self) -> String {
        let mut parts: Vec<String> =
            self.entities.iter().filter(|(key, _)| key != "acq").map(|(key, value)| format!("{key}-{value}")).collect();
        parts.sort();
        parts.join("_")
    }
}

/// The stem of a file's name, and whether it is one that BIDS gives a spectrum.
#[cfg(feature = "cli")]
pub(crate) fn source_name(source_path: &str) -> (String, bool) {
    let name = source_path.rsplit('/').next().unwrap_or_default();
    let stem = split_extension(name).0;
    let parsed = BidsName::parse(stem);
    (stem.to_owned(), parsed.is_whole && parsed.role() == Some(BidsRole::Spectrum))
}

/// Label of `entity` from the file name, else from the nearest folder named `entity-label`.
///
/// `path` should be relative to INPUT, so that folders above it have no say.
pub(crate) fn entity(path: &str, entity: &str) -> Option<String> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, _) = split_extension(name);
    if let Some(label) = BidsName::parse(stem).get(entity) {
        return Some(label.to_owned());
    }
    folders
        .rsplit('/')
        .filter_map(|folder| folder.split_once('-'))
        .find(|(key, label)| *key == entity && !label.is_empty())
        .map(|(_, label)| label.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        assert_eq!(split_extension("a.b_svs.nii.gz"), ("a.b_svs", "nii.gz"));
        assert_eq!(split_extension("A.NII.GZ"), ("A", "NII.GZ"));
        assert_eq!(split_extension("x.SDAT"), ("x", "SDAT"));
        assert_eq!(split_extension(".hidden"), (".hidden", ""));
        assert_eq!(split_extension("plain"), ("plain", ""));
        assert_eq!(split_extension("é.gz"), ("é", "gz"));
        assert_eq!(split_extension("P12345.7.gz"), ("P12345", "7.gz"));
        assert_eq!(split_extension("v1.2_scan.gz"), ("v1.2_scan", "gz"));
        assert_eq!((format_of("NII.GZ"), format_of("7")), ("nii".to_owned(), "7".to_owned()));
    }

    #[test]
    fn ids_have_no_extension_and_no_way_up() {
        assert_eq!(id_of("sub-01/mrs/sub-01_svs.nii.gz"), "sub-01/mrs/sub-01_svs");
        assert_eq!(id_of("../../data/x.SDAT"), "data/x");
        assert_eq!(id_of("x"), "x");
    }

    #[test]
    fn relative_paths() {
        let base = Path::new("/a/m");
        assert_eq!(relative_path(Path::new("/a/m/b/c.raw"), base), "b/c.raw");
        assert_eq!(relative_path(Path::new("/a/d/c.raw"), base), "../d/c.raw");
        assert_eq!(relative_path(Path::new("/a/m/../d/./c.raw"), base), "../d/c.raw");
    }

    #[test]
    fn bids_names() {
        let name = BidsName::parse("sub-01_ses-02_acq-press_voi-dacc_svs");
        assert_eq!(name.get("voi"), Some("dacc"));
        assert_eq!(name.role(), Some(BidsRole::Spectrum));
        let reference = BidsName::parse("sub-01_ses-02_acq-conc_voi-dacc_mrsref");
        assert_eq!(reference.role(), Some(BidsRole::Reference));
        assert_eq!(name.key_without_acq(), reference.key_without_acq());
        let other = BidsName::parse("sub-01_ses-01_voi-dacc_mrsref");
        assert_ne!(name.key_without_acq(), other.key_without_acq());
        // A vendor's export is not BIDS, but says whose it is.
        let vendor = BidsName::parse("sub-01_ses-01_PRESS-Inverted_TI-600_raw-act_noID");
        assert_eq!(vendor.role(), None);
        assert_eq!(vendor.get("ses"), Some("01"));
    }

    #[test]
    fn keys_of_a_site_can_contradict() {
        let name = BidsName::parse;
        let acc = name("sub-01_vox-ACC_svs");
        assert!(acc.contradicts(&name("sub-01_vox-OCC_mrsref")));
        for other in ["sub-01_mrsref", "sub-01_vox-acc_mrsref", "sub-01_Vox-ACC_loc-left_mrsref", "sub-01_acq-x_mrsref"]
        {
            assert!(!acc.contradicts(&name(other)), "{other}");
        }
        assert!(name("sub-01_svs").applies_to(&acc) && name("vox-ACC_svs").applies_to(&acc));
        assert!(!name("sub-01_vox-OCC_svs").applies_to(&acc) && !name("sub-01_vox-ACC_mrsref").applies_to(&acc));
    }

    #[test]
    fn entities_come_from_the_name_then_the_folders() {
        assert_eq!(entity("sub-01/ses-a/x.SDAT", "sub").unwrap(), "01");
        assert_eq!(entity("sub-01/ses-a/sub-02_x.SDAT", "sub").unwrap(), "02");
        assert_eq!(entity("sub-01/ses-a/x.SDAT", "ses").unwrap(), "a");
        assert_eq!(entity("sub-01/x.SDAT", "ses"), None);
    }
}
