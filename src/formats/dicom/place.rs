//! Where the voxel lies.

use std::borrow::Cow;

use dicom_object::{InMemDicomObject, Tag};

use super::tags::*;
use super::values::{item, number, numbers, positive};
use crate::formats::geometry::{affine_from_lps, affine_from_philips};

/// What a position is that an object states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// The centre of the first voxel (PS3.3 C.7.6.16.2; single voxels lie about it).
    Centre,
    /// The corner of the first voxel within its plane (United Imaging; spec2nii).
    Corner,
}

/// The voxel in space, from the groups of all frames or of the first, else from what stands outside of them, else from
/// Philips' own.
pub(super) fn affine(object: &InMemDicomObject, stated: Stated) -> Option<[[f64; 4]; 4]> {
    in_groups(object, stated).or_else(|| philips(object))
}

/// A functional group of all frames, else of the first one.
fn group(object: &InMemDicomObject, sequence: Tag) -> Option<InMemDicomObject> {
    [SHARED_GROUPS, FRAME_GROUPS].into_iter().find_map(|groups| {
        let groups = item(object, groups)?;
        item(&groups, sequence).map(Cow::into_owned)
    })
}

fn in_groups(object: &InMemDicomObject, stated: Stated) -> Option<[[f64; 4]; 4]> {
    let find = |sequence: Tag| group(object, sequence);
    let outside = |tag: Tag, sequence: Tag| find(sequence).filter(|group| group.element(tag).is_ok());
    let place = outside(ORIENTATION, ORIENTATION_SEQUENCE);
    let axes: [f64; 6] = numbers(place.as_ref().unwrap_or(object), ORIENTATION)?;
    let place = outside(POSITION, POSITION_SEQUENCE);
    let position: [f64; 3] = numbers(place.as_ref().unwrap_or(object), POSITION)?;
    let (row, column) = ([axes[0], axes[1], axes[2]], [axes[3], axes[4], axes[5]]);
    if let Some(extents) = philips_extents(object) {
        let nearest = |axis: [f64; 3]| (0..3).max_by(|&a, &b| axis[a].abs().total_cmp(&axis[b].abs()));
        let (x, y) = (nearest(row)?, nearest(column)?);
        let z = (0..3).find(|k| ![x, y].contains(k))?;
        return Some(affine_from_lps(row, column, position, [extents[x], extents[y], extents[z]]));
    }
    let measures = find(MEASURES_SEQUENCE);
    let of = |tag: Tag| measures.as_ref().filter(|measures| measures.element(tag).is_ok()).unwrap_or(object);
    // The first spacing is that between rows.
    let [between_rows, between_columns]: [f64; 2] = numbers(of(PIXEL_SPACING), PIXEL_SPACING)?;
    let thickness = number(of(SLICE_THICKNESS), SLICE_THICKNESS)?;
    let centre = match stated {
        Stated::Centre => position,
        Stated::Corner => [0, 1, 2].map(|k| position[k] + 0.5 * (row[k] * between_columns + column[k] * between_rows)),
    };
    Some(affine_from_lps(row, column, centre, [between_columns, between_rows, thickness]))
}

/// Philips' pixel spacing is that of a square around the voxel; what it is itself, private attributes say.
fn philips_extents(object: &InMemDicomObject) -> Option<[f64; 3]> {
    let volume = item(object, PHILIPS_VOLUME)?;
    triple(PHILIPS_EXTENTS.map(|tag| positive(&volume, tag)))
}

/// Philips' own voxel, as its SPAR files state it.
fn philips(object: &InMemDicomObject) -> Option<[[f64; 4]; 4]> {
    let volume = item(object, PHILIPS_VOLUME)?;
    let of = |tags: [Tag; 3]| triple(tags.map(|tag| number(&volume, tag)));
    Some(affine_from_philips(philips_extents(object)?, of(PHILIPS_CENTRE)?, of(PHILIPS_ANGLES)?))
}

fn triple(values: [Option<f64>; 3]) -> Option<[f64; 3]> {
    Some([values[0]?, values[1]?, values[2]?])
}
