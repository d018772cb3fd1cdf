//! Words of the column `qc_flags` about the voxel's place and the tissue in it. The spectrum is fitted all the same.

use super::entry::{Entry, Kind};
use crate::acquisition::TRANSFORMS_DISAGREE;
use crate::quantify::LEAST_SHARE_IN_IMAGE;
use crate::tissue::flag;
use crate::tissue::place::APART_MM;
use crate::tissue::sums::MOST_SHARE;
use crate::tissue::voxel_tissue::LEAST_TISSUE_SHARE;

/// All flags of places and tissue.
pub(super) fn entries() -> Vec<Entry> {
    let mut all = of_places();
    all.extend(of_searches());
    all.extend(of_maps());
    all
}

fn entry(code: &'static str, threshold: impl Into<String>, meaning: &'static str, remedy: &'static str) -> Entry {
    Entry { code, kind: Kind::Flag, threshold: threshold.into(), meaning, remedy }
}

fn of_places() -> Vec<Entry> {
    vec![
        entry(
            TRANSFORMS_DISAGREE,
            format!(
                "qform and sform of the spectrum's file, or of the segmentation, put its corners more than {APART_MM} mm apart"
            ),
            "A NIfTI file states its place twice, and both lead into the scanner's space (code 1 or 2). The qform was taken. \
             `transforms_differ_mm` has the distance for the segmentation, `warnings` for both.",
            "Find out which program changed one of them. `--tissue-transform sform` takes the segmentation's other one.",
        ),
        entry(
            flag::VOXEL_HAS_NO_PLACE,
            "a segmentation is there, and the spectrum's file does not say where the voxel is, or one of its edges is 1000 mm or more",
            "Nobody knows what tissue was measured. NIfTI-MRS writes an edge of 10 m for a dimension without localisation.",
            "Convert the data again from what the scanner exported, or state `f_gm`, `f_wm` and `f_csf` in a manifest.",
        ),
        entry(
            flag::VOXEL_OUTSIDE_IMAGE,
            "`share_in_image` is 0",
            "The voxel does not touch the segmented image: it is the image of another head or session, or one of both has a wrong place.",
            "Compare subject and session of both (`segmentation_path`), and look at the voxel on the image.",
        ),
        entry(
            flag::VOXEL_PARTLY_OUTSIDE_IMAGE,
            format!(
                "`share_in_image` < 1; below {LEAST_SHARE_IN_IMAGE} no concentration is corrected by the fractions"
            ),
            "The fractions are those of the part within the image.",
            "Segment an image that covers the voxel; if it should, compare subject and session of both.",
        ),
        entry(
            flag::VOXEL_OUTSIDE_TISSUE,
            format!("`tissue_share` < {LEAST_TISSUE_SHARE} × `share_in_image`"),
            "A part of the voxel is in the image and in no tissue: it reaches out of the brain, the brain was cut too small, or the \
             image is another head's.",
            "Look at the voxel on the segmentation. The fractions are those of the tissue alone.",
        ),
    ]
}

fn of_searches() -> Vec<Entry> {
    vec![
        entry(
            "no_segmentation",
            "`--tissue` names a folder, or a manifest a segmentation, and none there is of the subject and session",
            "There are no tissue fractions.",
            "Name it in the column `segmentation_path` of a manifest.",
        ),
        entry(
            "ambiguous_segmentation",
            "several segmentations of the subject and session could be meant",
            "There are no tissue fractions: requant never guesses between segmentations. Maps of shares go before labels, and those \
             of the session before those of no session.",
            "Name one in the column `segmentation_path` of a manifest, or give its folder with `--tissue`.",
        ),
        entry(
            "segmentation_of_whom",
            "nothing in the names says whose segmentation it is, or fractions of one voxel could be those of several, or are given for a grid",
            "There are no tissue fractions.",
            "Name it in the column `segmentation_path` of a manifest, or put it into a folder called as the subject (`sub-…`).",
        ),
        entry(
            "segmentation_incomplete",
            "one of the maps of grey matter, white matter and CSF is missing, or there are more than three classes",
            "There are no tissue fractions.",
            "Put the missing map beside the others (FAST: `_pve_0`, `_pve_1`, `_pve_2`; SPM: `c1`, `c2`, `c3`); segment into three classes.",
        ),
        entry(
            "bad_fractions",
            "stated fractions are negative, not there, or sum to less than 0.9 or more than 1.1",
            "There are no tissue fractions.",
            "Correct them: shares from 0 to 1, not per cent.",
        ),
    ]
}

fn of_maps() -> Vec<Entry> {
    vec![
        entry(
            "segmentation_unreadable",
            "a file of the segmentation cannot be opened, is damaged, or is no image of numbers",
            "There are no tissue fractions; `warnings` says why.",
            "Copy or export the file again.",
        ),
        entry(
            "segmentation_not_in_scanner_space",
            "the segmentation's transforms, or its name, lead into the space of an atlas (codes 3, 4, 5; `space-MNI…`)",
            "The voxel is not in that space, so there are no tissue fractions.",
            "Give the maps of the image as it was measured.",
        ),
        entry(
            "segmentation_has_no_place",
            "neither qform nor sform of the segmentation is set, or what they say cannot be right",
            "Nobody knows where the image lies, so there are no tissue fractions.",
            "Give the maps as the program wrote them; some tools take the place away.",
        ),
        entry(
            "tissue_maps_differ_in_grid",
            "the three maps have different extents or places",
            "They are not of one segmentation, so there are no tissue fractions.",
            "Give the maps of one segmentation, on one grid.",
        ),
        entry(
            "tissue_maps_alike",
            "two of the three maps are the same file, byte for byte",
            "One tissue's map is missing, so there are no tissue fractions.",
            "Copy the maps again.",
        ),
        entry(
            "not_probabilities",
            format!("a map goes beyond {MOST_SHARE} or below zero, or the three sum to more than 1 in the voxel"),
            "Its numbers are no shares from 0 to 1 (per cent, or bytes without `scl_slope`), so there are no tissue fractions.",
            "Export the maps as shares, or with their slope.",
        ),
        entry(
            "labels_not_named",
            "a segmentation with labels has no table that says what they are, or labels that it does not name, or is not what its \
             name says",
            "1, 2, 3 are grey matter, white matter and CSF to BIDS, but CSF, grey and white matter to FAST: requant does not guess.",
            "Put the table (`…_dseg.tsv` with `index` and `name`) beside it.",
        ),
        entry(
            "segmentation_too_fine",
            "the voxels hold more than 33 million voxels of the image",
            "There are no tissue fractions.",
            "Give maps on a coarser grid: those of 0.5 mm are fine enough.",
        ),
    ]
}
