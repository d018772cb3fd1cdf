//! Where the voxels of a file are, and of what tissue.

use std::collections::BTreeMap;

use crate::acquisition::Acquisition;
use crate::tissue::VoxelTissue;
use crate::tissue::place::Affine;

/// Where the voxels of a measurement are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoxelPlace {
    /// Voxel to scanner (mm).
    pub affine_mm: Affine,
    /// What stated it.
    pub by: &'static str,
}

impl VoxelPlace {
    pub(super) fn of(data: &Acquisition) -> Option<Self> {
        Some(Self { affine_mm: data.affine_mm?, by: data.placed_by.unwrap_or("header") })
    }

    /// Volume of one voxel (ml).
    pub(super) fn volume_ml(&self) -> f64 {
        let m = &self.affine_mm;
        let determinant = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
        determinant.abs() / 1000.0
    }
}

/// What is known of the tissue of a measurement's voxels.
#[derive(Debug, Clone, Default)]
pub struct FileTissue {
    /// Kind of the segmentation, or `manifest`.
    pub(super) kind: Option<&'static str>,
    pub(super) path: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) transforms_differ_mm: Option<f64>,
    /// The voxels, by their places on the grid; of a measurement of one voxel that is the origin.
    pub(super) voxels: BTreeMap<[usize; 3], VoxelTissue>,
}

impl FileTissue {
    pub(super) fn of(&self, voxel: Option<[usize; 3]>) -> Option<&VoxelTissue> {
        self.voxels.get(&voxel.unwrap_or_default())
    }
}
