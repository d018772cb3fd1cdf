//! Which water reference belongs to which spectrum, by the habits of vendors and sites.
//!
//! Two files belong together if their names are equal but for one marker: `…_raw-act_noID.SDAT` and
//! `…_raw-ref_noID.SDAT`, `x_WS` and `x_W`, `metab_raw` and `wref_raw`; or if the reference has a
//! marker more than the spectrum: `x` and `x_ref`; or by LCModel's `x.RAW` and `x.H2O`. Looser
//! likeness would be a guess, and a wrong water reference scales every concentration wrongly.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::identity::{BidsName, BidsRole, file_name, split_extension};

/// The water reference of a spectrum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Water {
    /// There is none in a file of its own.
    #[default]
    None,
    /// This file.
    Paired(PathBuf),
    /// Several files fit equally well; none is taken.
    Ambiguous(Vec<PathBuf>),
    /// This file is named by a manifest or sidecar but is not there.
    Missing(PathBuf),
}

impl Water {
    /// None, the only one, or an ambiguity; in sorted order.
    pub(crate) fn from_candidates(mut candidates: Vec<PathBuf>) -> Self {
        candidates.sort();
        candidates.dedup();
        match candidates.len() {
            0 => Self::None,
            1 => Self::Paired(candidates.remove(0)),
            _ => Self::Ambiguous(candidates),
        }
    }

    /// The files that are spoken for by this pairing.
    pub(crate) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Paired(path) => std::slice::from_ref(path),
            Self::Ambiguous(paths) => paths,
            Self::None | Self::Missing(_) => &[],
        }
    }
}

/// What a file is by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A spectrum with its reference.
    Spectrum(Water),
    /// A water reference.
    Reference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Spectrum,
    Reference,
}

/// Markers that are used together. A partner from the same family goes first, so that a folder with
/// `x_act`, `x_ref`, `x_WS` and `x_W` makes two pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Philips,
    Suppression,
    Words,
}

const MARKERS: [(&str, Kind, Family); 14] = [
    ("act", Kind::Spectrum, Family::Philips),
    ("ref", Kind::Reference, Family::Philips),
    ("ws", Kind::Spectrum, Family::Suppression),
    ("w", Kind::Reference, Family::Suppression),
    ("nws", Kind::Reference, Family::Suppression),
    ("metab", Kind::Spectrum, Family::Words),
    ("metabolite", Kind::Spectrum, Family::Words),
    ("metabolites", Kind::Spectrum, Family::Words),
    ("spec", Kind::Spectrum, Family::Words),
    ("suppressed", Kind::Spectrum, Family::Words),
    ("unsuppressed", Kind::Reference, Family::Words),
    ("water", Kind::Reference, Family::Words),
    ("wref", Kind::Reference, Family::Words),
    ("h2o", Kind::Reference, Family::Words),
];

/// A name with its marker cut out, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marked {
    kind: Kind,
    family: Family,
    before: String,
    after: String,
}

const DELIMITERS: [char; 4] = ['_', '-', '.', ' '];

/// The last marker in a stem (lower case) decides.
fn marked(stem: &str) -> Option<Marked> {
    let mut end = stem.len();
    loop {
        let start = stem[..end].rfind(DELIMITERS).map_or(0, |at| at + 1);
        let token = &stem[start..end];
        let found = MARKERS.iter().find(|(marker, ..)| *marker == token);
        // The plain words also stand inside names (`Cr_test_water_scaling`, `sub_w_01`); only what
        // Philips writes (`raw-ref_noID`) is a marker anywhere.
        let is_outermost = start == 0 || end == stem.len();
        if let Some((_, kind, family)) = found
            && (*family == Family::Philips || is_outermost)
        {
            return Some(Marked {
                kind: *kind,
                family: *family,
                before: stem[..start].to_owned(),
                after: stem[end..].to_owned(),
            });
        }
        end = start.checked_sub(1)?;
    }
}

struct Name {
    stem: String,
    extension: String,
    marked: Option<Marked>,
    /// BIDS references are found by BIDS rules only.
    is_bids_reference: bool,
}

impl Name {
    fn of(path: &Path) -> Self {
        let name = file_name(path);
        let (stem, extension) = split_extension(&name);
        let role = BidsName::parse(stem).role();
        let stem = stem.to_lowercase();
        let extension = match extension.to_lowercase() {
            nifti if nifti == "nii.gz" => "nii".to_owned(),
            other => other,
        };
        // The suffix of a BIDS name says what the file is, whatever `acq-ref` may be called.
        let marked = if role.is_none() { marked(&stem) } else { None };
        Self { stem, extension, marked, is_bids_reference: role == Some(BidsRole::Reference) }
    }

    fn is_reference(&self) -> bool {
        self.is_bids_reference
            || self.extension == "h2o"
            || self.marked.as_ref().is_some_and(|m| m.kind == Kind::Reference)
    }
}

type Key<'a> = (&'a str, &'a str, &'a str);

/// The role of each file of one folder.
pub(crate) fn pair_folder(files: &[PathBuf]) -> Vec<Role> {
    let mut names: Vec<Name> = files.iter().map(|path| Name::of(path)).collect();
    // LCModel's extensions say what is what: a `.RAW` beside its `.H2O` is a spectrum whatever words its
    // name has (`test_water_scaling.RAW`).
    let with_water: HashSet<String> = names.iter().filter(|n| n.extension == "h2o").map(|n| n.stem.clone()).collect();
    for name in names.iter_mut().filter(|n| n.extension == "raw" && with_water.contains(&n.stem)) {
        name.marked = None;
    }
    let mut lcmodel_water: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut references: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        if name.extension == "h2o" {
            lcmodel_water.entry(&name.stem).or_default().push(index);
        } else if let Some(m) = &name.marked
            && m.kind == Kind::Reference
        {
            references.entry((&m.before, &m.after, &name.extension)).or_default().push(index);
        }
    }

    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    let mut claimed = HashSet::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_reference()) {
        let by_extension = (name.extension == "raw").then(|| lcmodel_water.get(name.stem.as_str()));
        if let Some(Some(water)) = by_extension {
            chosen[index].clone_from(water);
        } else if let Some(m) = &name.marked {
            let key = (m.before.as_str(), m.after.as_str(), name.extension.as_str());
            let all = references.get(&key).cloned().unwrap_or_default();
            let family: Vec<usize> = all
                .iter()
                .copied()
                .filter(|i| names[*i].marked.as_ref().is_some_and(|r| r.family == m.family))
                .collect();
            chosen[index] = if family.is_empty() { all } else { family };
        }
        claimed.extend(chosen[index].iter().copied());
    }
    // A reference that has a marker more than the spectrum, unless a better partner has it.
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_reference()) {
        if !chosen[index].is_empty() {
            continue;
        }
        for delimiter in DELIMITERS {
            let before = format!("{}{delimiter}", name.stem);
            let key = (before.as_str(), "", name.extension.as_str());
            let free = references.get(&key).into_iter().flatten().filter(|i| !claimed.contains(*i));
            chosen[index].extend(free);
        }
    }

    names
        .iter()
        .zip(chosen)
        .map(|(name, water)| {
            if name.is_reference() {
                return Role::Reference;
            }
            let water = water.into_iter().map(|i| files[i].clone()).collect();
            Role::Spectrum(Water::from_candidates(water))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The partner of `name` among `names`: its name, `-` for none, `?` for several, `water`.
    fn partner(name: &str, names: &[&str]) -> String {
        let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let index = names.iter().position(|n| *n == name).unwrap();
        match &pair_folder(&files)[index] {
            Role::Reference => "water".to_owned(),
            Role::Spectrum(Water::None) => "-".to_owned(),
            Role::Spectrum(Water::Paired(path)) => path.display().to_string(),
            Role::Spectrum(Water::Ambiguous(_)) => "?".to_owned(),
            Role::Spectrum(Water::Missing(path)) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn vendor_habits() {
        for (spectrum, water) in [
            ("sub-01_PRESS_35_act.sdat", "sub-01_PRESS_35_ref.sdat"),
            ("DBIEX_10_1_raw_act.SDAT", "DBIEX_10_1_raw_ref.SDAT"),
            ("s_PRESS_raw-act_noID.SDAT", "s_PRESS_raw-ref_noID.SDAT"),
            ("philips_WS.SDAT", "philips_W.SDAT"),
            ("svs_30_WS.SDAT", "svs_30_ref.SDAT"),
            ("dataset1_WS.txt", "dataset1_nWS.txt"),
            ("a_ACT.SDAT", "A_ref.sdat"),
            ("dataset1.RAW", "dataset1.H2O"),
            ("dataset1.raw", "Dataset1.h2o"),
            ("metab.nii.gz", "water.nii.gz"),
            ("metab_raw.nii.gz", "wref_raw.nii"),
            ("np_on_spec.rda", "np_on_water.rda"),
            ("x_water_suppressed.rda", "x_water_unsuppressed.rda"),
            ("x.SDAT", "x_ref.SDAT"),
            ("x.SDAT", "x-W.SDAT"),
            ("metab.SDAT", "metab_ref.SDAT"),
        ] {
            let names = [spectrum, water, "other_act.sdat", "other_ref.sdat", "a_b_ref.SDAT"];
            assert_eq!(partner(spectrum, &names), water);
            assert_eq!(partner(water, &names), "water");
        }
    }

    #[test]
    fn likeness_is_not_enough() {
        let seven_tesla = ["metab.nii.gz", "metab_int_freq.nii.gz", "metab_raw.nii.gz", "wref_raw.nii.gz"];
        assert_eq!(partner("metab.nii.gz", &seven_tesla), "-");
        assert_eq!(partner("metab_int_freq.nii.gz", &seven_tesla), "-");
        assert_eq!(partner("metab_raw.nii.gz", &seven_tesla), "wref_raw.nii.gz");
        assert_eq!(partner("np_diff_spec.rda", &["np_diff_spec.rda", "np_dif_water.rda"]), "-");
        assert_eq!(partner("a_act.SDAT", &["a_act.SDAT", "b_ref.SDAT"]), "-");
        // Another format is another export.
        assert_eq!(partner("a_act.SDAT", &["a_act.SDAT", "a_ref.rda"]), "-");
        assert_eq!(partner("a.SDAT", &["a.SDAT", "a.H2O"]), "-");
    }

    #[test]
    fn several_that_fit_are_ambiguous() {
        assert_eq!(partner("x_WS.SDAT", &["x_WS.SDAT", "x_W.SDAT", "x_nWS.SDAT"]), "?");
        assert_eq!(partner("x.SDAT", &["x.SDAT", "x_W.SDAT", "x_ref.SDAT"]), "?");
        assert_eq!(partner("x.RAW", &["x.RAW", "x.H2O", "X.h2o"]), "?");
    }

    #[test]
    fn families_and_markers_keep_to_themselves() {
        let names = ["x_act.SDAT", "x_ref.SDAT", "x_WS.SDAT", "x_W.SDAT", "x.SDAT"];
        assert_eq!(partner("x_act.SDAT", &names), "x_ref.SDAT");
        assert_eq!(partner("x_WS.SDAT", &names), "x_W.SDAT");
        assert_eq!(partner("x.SDAT", &names), "-");
    }

    #[test]
    fn words_inside_other_words_and_entities_say_nothing() {
        for name in [
            "refocused.SDAT",
            "sub-ref01_press.SDAT",
            "activation.SDAT",
            "sub_w_01.SDAT",
            "Cr_test_water_scaling.SDAT",
            "sub-01_acq-ref_svs.nii.gz",
            "ref_scan_act.SDAT",
        ] {
            assert_eq!(partner(name, &[name]), "-", "{name}");
        }
        assert_eq!(partner("SVS-ref.nii.gz", &["SVS-ref.nii.gz"]), "water");
        assert_eq!(partner("sub-01_mrsref.nii.gz", &["sub-01_mrsref.nii.gz"]), "water");
    }
}
