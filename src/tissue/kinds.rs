//! Segmentations by the names of their files.

use serde::{Deserialize, Serialize};

use super::labels::Tissue;

/// Who made a segmentation, and what its files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// FSL FAST's partial volumes: `…_pve_0` CSF, `…_pve_1` GM, `…_pve_2` WM.
    FslFast,
    /// SPM's: `c1…` GM, `c2…` WM, `c3…` CSF.
    Spm,
    /// BIDS: `…_label-GM_probseg` and its like.
    BidsProbseg,
    /// FSL svs_segment's fractions: `segmentation.json`.
    FslSegmentation,
    /// BIDS: `…_dseg`, with a table of its labels.
    BidsDseg,
    /// FSL FAST's labels: `…_seg`, `…_pveseg`.
    FslFastLabels,
    /// FreeSurfer's labels: `aseg`, `aparc+aseg`, also as `…_desc-aseg_dseg`.
    FreeSurfer,
}

impl Kind {
    /// Its name in the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FslFast => "fsl_fast",
            Self::Spm => "spm",
            Self::BidsProbseg => "bids_probseg",
            Self::FslSegmentation => "fsl_segmentation",
            Self::BidsDseg => "bids_dseg",
            Self::FslFastLabels => "fsl_fast_labels",
            Self::FreeSurfer => "freesurfer",
        }
    }
}

/// What a file of a segmentation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The share of one tissue in each voxel.
    Map(Tissue),
    /// A further class, which three tissues do not have.
    Further,
    /// A label in each voxel.
    Labels,
    /// Fractions of a voxel of spectroscopy.
    Fractions,
}

/// What a file is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Kind of the segmentation.
    pub kind: Kind,
    /// What the file holds of it.
    pub part: Part,
    /// What names of files of one segmentation have in common.
    pub key: String,
    /// Which is taken of several: the least first, shares before labels.
    pub rank: u8,
    /// The space that the name states, where it is not the image's own (BIDS: `space-`).
    pub other_space: Option<String>,
}

/// Spaces (BIDS: `space-`) that are those of an image of the subject.
pub(crate) const OWN_SPACES: [&str; 9] =
    ["t1w", "t2w", "flair", "pdw", "orig", "native", "individual", "scanner", "anat"];
const RANK_SHARES: u8 = 0;
const RANK_FRACTIONS: u8 = 1;
const RANK_LABELS: u8 = 2;

/// What a file is, by its name; `None` for what is of no segmentation.
pub fn by_name(name: &str) -> Option<Named> {
    let stem = match (stem(name), name.to_ascii_lowercase().strip_suffix(".json")) {
        (Some(stem), _) => stem,
        (None, Some(json)) => {
            let is_fractions = json == "segmentation" || json.ends_with("_segmentation");
            return is_fractions.then(|| named(Kind::FslSegmentation, Part::Fractions, json, RANK_FRACTIONS));
        }
        (None, None) => return None,
    };
    let found = fast(stem).or_else(|| spm(stem)).or_else(|| bids(stem)).or_else(|| freesurfer(stem))?;
    Some(Named { other_space: other_space(stem).map(str::to_owned), ..found })
}

/// The space that a name states, where it is not that of an image of the subject.
pub(super) fn other_space(stem: &str) -> Option<&str> {
    let space = stem.split('_').find_map(|part| part.strip_prefix("space-"))?;
    (!OWN_SPACES.contains(&space.to_ascii_lowercase().as_str())).then_some(space)
}

fn named(kind: Kind, part: Part, key: &str, rank: u8) -> Named {
    Named { kind, part, key: key.to_owned(), rank, other_space: None }
}

/// An image's name without its extension.
pub(super) fn stem(name: &str) -> Option<&str> {
    let ends = [".nii.gz", ".nii", ".mgz", ".mgh"];
    ends.iter().find_map(|end| {
        let at = name.len().checked_sub(end.len())?;
        (name.is_char_boundary(at) && at > 0 && name[at..].eq_ignore_ascii_case(end)).then(|| &name[..at])
    })
}

fn fast(stem: &str) -> Option<Named> {
    if let Some((key, class)) = stem.rsplit_once("_pve_") {
        let part = match class {
            "0" => Part::Map(Tissue::Csf),
            "1" => Part::Map(Tissue::Gm),
            "2" => Part::Map(Tissue::Wm),
            _ if class.bytes().all(|byte| byte.is_ascii_digit()) && !class.is_empty() => Part::Further,
            _ => return None,
        };
        return Some(named(Kind::FslFast, part, key, RANK_SHARES));
    }
    let labels = [("_seg", RANK_LABELS), ("_pveseg", RANK_LABELS + 1)];
    labels.iter().find_map(|(end, rank)| Some(named(Kind::FslFastLabels, Part::Labels, stem.strip_suffix(end)?, *rank)))
}

/// Maps in the image's own space have no letters before `c`: `wc1…` are in an atlas's, `rc1…` in that of another image.
fn spm(stem: &str) -> Option<Named> {
    let tissues = [("c1", Tissue::Gm), ("c2", Tissue::Wm), ("c3", Tissue::Csf)];
    tissues.iter().find_map(|(begin, tissue)| {
        let key = stem.strip_prefix(begin).filter(|key| !key.is_empty())?;
        Some(named(Kind::Spm, Part::Map(*tissue), key, RANK_SHARES))
    })
}

fn bids(stem: &str) -> Option<Named> {
    if let Some(entities) = stem.strip_suffix("_probseg") {
        let is_label = |part: &&str| part.starts_with("label-");
        let part = match entities.split('_').find(is_label)?.to_ascii_lowercase().as_str() {
            "label-gm" => Part::Map(Tissue::Gm),
            "label-wm" => Part::Map(Tissue::Wm),
            "label-csf" => Part::Map(Tissue::Csf),
            // Of structures of the brain there may be many.
            _ => return None,
        };
        let others: Vec<&str> = entities.split('_').filter(|part| !is_label(part)).collect();
        return Some(named(Kind::BidsProbseg, part, &others.join("_"), RANK_SHARES));
    }
    let entities = stem.strip_suffix("_dseg")?;
    let of_freesurfer = [("_desc-aparcaseg", RANK_LABELS), ("_desc-aseg", RANK_LABELS + 1)];
    let found = of_freesurfer.iter().find(|(end, _)| entities.ends_with(end));
    Some(match found {
        // What a table names goes before what numbers are known to be.
        Some((_, rank)) => named(Kind::FreeSurfer, Part::Labels, entities, rank + 1),
        None => named(Kind::BidsDseg, Part::Labels, entities, RANK_LABELS),
    })
}

fn freesurfer(stem: &str) -> Option<Named> {
    let names =
        [("aparc+aseg", RANK_LABELS), ("aparc.DKTatlas+aseg", RANK_LABELS + 1), ("aparc.a2009s+aseg", RANK_LABELS + 2)];
    let all = names.into_iter().chain([("aseg", RANK_LABELS + 3)]);
    all.into_iter().find_map(|(end, rank)| {
        let before = stem.strip_suffix(end)?;
        let is_apart = before.is_empty() || before.ends_with(['_', '-', '.']);
        is_apart.then(|| named(Kind::FreeSurfer, Part::Labels, stem, rank))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> Option<(Kind, Part, String)> {
        by_name(name).map(|n| (n.kind, n.part, n.key))
    }

    #[test]
    fn files_are_known_by_their_names() {
        let of = |name: &str| kind(name).map(|(kind, part, _)| (kind, part));
        let map = |kind, tissue| Some((kind, Part::Map(tissue)));
        let labels = |kind| Some((kind, Part::Labels));
        assert_eq!(of("T1_fast_pve_0.nii.gz"), map(Kind::FslFast, Tissue::Csf));
        assert_eq!(of("sub-01_T1w_pve_2.NII"), map(Kind::FslFast, Tissue::Wm));
        assert_eq!(of("T1_pve_3.nii.gz"), Some((Kind::FslFast, Part::Further)));
        assert_eq!(of("c1T1.nii"), map(Kind::Spm, Tissue::Gm));
        assert_eq!(of("c3sub-02_T1w.nii.gz"), map(Kind::Spm, Tissue::Csf));
        assert_eq!(of("sub-01_ses-2_label-WM_probseg.nii.gz"), map(Kind::BidsProbseg, Tissue::Wm));
        assert_eq!(of("sub-01_dseg.nii.gz"), labels(Kind::BidsDseg));
        assert_eq!(of("sub-01_desc-aseg_dseg.nii.gz"), labels(Kind::FreeSurfer));
        assert_eq!(of("T1_fast_seg.nii.gz"), labels(Kind::FslFastLabels));
        assert_eq!(of("aparc+aseg.mgz"), labels(Kind::FreeSurfer));
        assert_eq!(of("sub-01_aseg.nii.gz"), labels(Kind::FreeSurfer));
        assert_eq!(of("segmentation.json"), Some((Kind::FslSegmentation, Part::Fractions)));
        let none = [
            "T1.nii.gz",
            "wc1T1.nii",
            "rc1T1.nii",
            "T1_seg_0.nii.gz",
            "c1.nii",
            "T1_pve_x.nii",
            "dataset.json",
            "_pve_0",
            ".nii",
            "sub-01_label-hippocampus_probseg.nii.gz",
            "wmparc.mgz",
            "c4T1.nii",
            "naseg.nii",
            "c1T1.mat",
        ];
        for name in none {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn maps_of_one_segmentation_have_one_key() {
        let key = |name: &str| kind(name).map(|(.., key)| key);
        assert_eq!(key("T1_fast_pve_0.nii.gz"), key("T1_fast_pve_2.nii.gz"));
        assert_eq!(key("sub-1_label-GM_run-2_probseg.nii"), key("sub-1_label-CSF_run-2_probseg.nii"));
        assert!(key("sub-1_label-GM_run-2_probseg.nii") != key("sub-1_label-GM_run-1_probseg.nii"));
    }

    #[test]
    fn spaces_of_atlases_are_told() {
        let space = |name: &str| by_name(name).and_then(|n| n.other_space);
        assert_eq!(
            space("sub-1_space-MNI152NLin2009cAsym_label-GM_probseg.nii.gz").as_deref(),
            Some("MNI152NLin2009cAsym")
        );
        assert_eq!(space("sub-1_space-T1w_label-GM_probseg.nii.gz"), None);
        assert_eq!(space("sub-1_label-GM_probseg.nii.gz"), None);
    }
}
