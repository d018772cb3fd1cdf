//! Where the voxel lies.

use super::layout::Layout;
use crate::formats::bytes::Bytes;
use crate::formats::geometry::{cross, difference, unit};

/// The voxel in space (mm, RAS+): its centre and size, axes along the localiser's rows, columns and normal.
pub(super) fn affine(bytes: &Bytes<'_>, layout: &Layout) -> Option<[[f64; 4]; 4]> {
    let vector = |at: usize| -> Option<[f64; 3]> {
        Some([f64::from(bytes.f32(at)?), f64::from(bytes.f32(at + 4)?), f64::from(bytes.f32(at + 8)?)])
    };
    let size = vector(layout.user8)?;
    let centre = vector(layout.user8 + 12)?;
    if !size.iter().all(|s| (1.0..1000.0).contains(s)) || !centre.iter().all(|c| c.abs() < 1000.0) {
        return None;
    }
    let (top_left, top_right, bottom_right) =
        (vector(layout.corners)?, vector(layout.corners + 12)?, vector(layout.corners + 24)?);
    let row = unit(difference(top_right, top_left))?;
    let column = unit(difference(bottom_right, top_right))?;
    // GE counts slices against the normal of rows and columns.
    let normal = cross(column, row);
    // Sizes are given along left-right, front-back and up-down: the axis nearest to each takes its size.
    let axes = [row, column, normal];
    let mut affine = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for (column_index, direction) in axes.iter().enumerate() {
        let largest = (0..3).max_by(|&a, &b| direction[a].abs().total_cmp(&direction[b].abs()))?;
        for k in 0..3 {
            affine[k][column_index] = direction[k] * size[largest];
        }
    }
    for k in 0..3 {
        affine[k][3] = centre[k];
    }
    Some(affine)
}
