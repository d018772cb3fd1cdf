//! Voxels of many heads in a common space: how well those of a region overlap.
//!
//! [`write()`] is the whole of it. [`transform`] reads a head's affine transform, `find` says whose it is, `placed` moves a voxel by it, [`density`] adds up
//! the voxels of a group and measures each against the place where most of them are, `output` puts it on the disk. This is
//! the check that Osprey (`osp_plotCoreg`'s group maps) and Gannet users make by hand; shares are exact, as those of tissue are.

mod asked;
pub mod density;
mod error;
mod find;
mod itk;
mod output;
mod placed;
pub mod transform;

use std::collections::{BTreeMap, BTreeSet};

pub use asked::{Asked, Written};
pub use error::{OverlapError, TransformError};
use find::Transforms;
use placed::{Heads, Voxel, placed, space};
pub use transform::Geometry;

use crate::store::{SpectrumRow, Status, read_run, read_table};

/// Compares the voxels of a finished run, each against those of its region, and writes tables and density maps.
///
/// # Errors
/// [`OverlapError`]: nothing can be compared, or it cannot be written. What is wrong with one voxel stands in its row.
pub fn write(asked: &Asked) -> Result<Written, OverlapError> {
    let run = read_run(&asked.results)?;
    output::refuse(asked)?;
    let space = space(&asked.space)?;
    let transforms = Transforms::find(&asked.transforms)?;
    let rows: Vec<SpectrumRow> = read_table(&asked.results)?;
    let heads = Heads::new(&rows, &asked.images);
    // Methods and sub-spectra share their voxel.
    let mut seen = BTreeSet::new();
    let is_first = |row: &&SpectrumRow| {
        let voxel = (row.source_path.clone(), row.voxel_i, row.voxel_j, row.voxel_k);
        row.status != Status::Skipped && seen.insert(voxel)
    };
    let voxels: Vec<Voxel<'_>> = rows
        .iter()
        .filter(is_first)
        .map(|row| Voxel { row, placed: placed(row, &transforms, &heads, &space) })
        .collect();
    if voxels.iter().all(|voxel| voxel.placed.is_err()) {
        return Err(none(&voxels));
    }
    let mut written = output::write(asked, &space, &voxels, Some(run.run_id.as_str()))?;
    let unnamed = voxels.iter().filter_map(|voxel| voxel.placed.as_ref().ok()).filter(|p| !p.is_named).count();
    if unnamed > 0 {
        written.notes.push(format!(
            "of {unnamed} voxels no name says which way the transform leads: it was taken for that of a T1 registered onto the common \
             space (ITK: fixed image the space, moving image the T1; FLIRT: -in the T1, -ref the space)"
        ));
    }
    Ok(written)
}

/// Why nothing was placed, with the number of voxels of each reason.
fn none(voxels: &[Voxel<'_>]) -> OverlapError {
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for error in voxels.iter().filter_map(|voxel| voxel.placed.as_ref().err()) {
        reasons.entry(error.status()).or_insert_with(|| (0, error.to_string())).0 += 1;
    }
    let reasons = reasons.into_values().map(|(n, words)| format!("{words} ({n} of them)")).collect();
    OverlapError::None { n: voxels.len(), reasons }
}
