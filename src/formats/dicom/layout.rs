//! How samples lie in MR Spectroscopy Storage (DICOM PS3.3 A.36.3) and in Philips' classic object.

use dicom_object::InMemDicomObject;

use super::error::DecodeError;
use super::stored::{Stored, samples};
use super::tags::*;
use super::values::{count, item};

/// Samples with what the object says of them.
pub(super) struct Layout {
    pub(super) stored: Stored,
    /// Columns and rows.
    pub(super) plane: [usize; 2],
    pub(super) frames: usize,
    /// What is to be told.
    pub(super) remarks: Vec<String>,
}

/// The layout of a standard object.
pub(super) fn standard(object: &InMemDicomObject, bytes: &[u8], is_conjugate: bool) -> Result<Layout, DecodeError> {
    let points = count(object, POINT_COLUMNS).ok_or(DecodeError::Field { field: "Data Point Columns" })?;
    if count(object, POINT_ROWS).unwrap_or(1) > 1 {
        return Err(DecodeError::Field { field: "Data Point Rows (two-dimensional spectroscopy)" });
    }
    let plane = [COLUMNS, ROWS].map(|tag| count(object, tag).unwrap_or(1));
    let voxels = plane[0].saturating_mul(plane[1]);
    // Old Philips objects have twice the samples of their one frame, and do not count them.
    let there = bytes.len() / 8 / voxels.saturating_mul(points).max(1);
    let frames = count(object, FRAMES).unwrap_or(there.max(1));
    let kept = samples(bytes, frames.saturating_mul(voxels), points)?;
    let left = bytes.len() - kept.len();
    let remarks = (left >= 8)
        .then(|| format!("{left} bytes after the last announced sample were not read"))
        .into_iter()
        .collect();
    Ok(Layout { stored: Stored { bytes: kept, points, plane: voxels, is_conjugate }, plane, frames, remarks })
}

/// The layout of Philips' classic object: its points stand in several places, its frames nowhere.
pub(super) fn classic(object: &InMemDicomObject, bytes: &[u8]) -> Result<Layout, DecodeError> {
    let first = item(object, PHILIPS_FRAMES);
    let of = |tag| count(object, tag).or_else(|| first.as_ref().and_then(|item| count(item, tag)));
    if PHASE_STEPS.into_iter().any(|tag| of(tag).is_some_and(|steps| steps > 1)) {
        return Err(DecodeError::Unread {
            what: "a grid in Philips' classic spectroscopy object",
            instead: "export SDAT and SPAR, or MR Spectroscopy Storage",
        });
    }
    let all = bytes.len() / 8;
    let points = of(PHILIPS_POINTS).or_else(|| of(POINT_COLUMNS)).unwrap_or(all);
    let frames = all / points.max(1);
    if frames == 0 || frames * points * 8 != bytes.len() {
        return Err(DecodeError::Truncated { got: all, needed: (frames + 1).saturating_mul(points) });
    }
    let stored = Stored { bytes: samples(bytes, frames, points)?, points, plane: 1, is_conjugate: true };
    Ok(Layout { stored, plane: [1, 1], frames, remarks: Vec::new() })
}
