//! Of what tissue a voxel is, and what a person should know of it.

use super::error::flag;
use crate::quantify::Fractions;

/// Part of what is in the image that must be tissue.
pub const LEAST_TISSUE_SHARE: f64 = 0.9;
/// Part of a voxel below which it is nothing, or all.
const NOTHING: f64 = 1e-9;
const ALL: f64 = 1.0 - 1e-6;

/// Of what tissue a voxel is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoxelTissue {
    /// Shares of the three tissues; `None` where no tissue is in the voxel.
    pub fractions: Option<Fractions>,
    /// Share of the voxel that is tissue.
    pub tissue_share: Option<f64>,
    /// Share of the voxel that is in the image.
    pub share_in_image: Option<f64>,
    /// What a person should know.
    pub flags: Vec<&'static str>,
}

impl VoxelTissue {
    /// A voxel that somebody states the fractions of.
    pub fn stated(fractions: Fractions) -> Self {
        Self { fractions: Some(fractions), ..Self::default() }
    }

    /// A voxel of which nobody knows where it is.
    pub(super) fn without_place() -> Self {
        let mut voxel = Self::default();
        voxel.flags.push(flag::VOXEL_HAS_NO_PLACE);
        voxel
    }

    /// By the sums over a box: of the shares of its image voxels, and of those times their tissue.
    pub(super) fn new(volume: f64, covered: f64, tissue: [f64; 3]) -> Self {
        let total: f64 = tissue.iter().sum();
        let (share_in_image, tissue_share) = ((covered / volume).min(1.0), total / volume);
        let mut flags = Vec::new();
        if share_in_image <= NOTHING {
            flags.push(flag::VOXEL_OUTSIDE_IMAGE);
        } else if share_in_image < ALL {
            flags.push(flag::VOXEL_PARTLY_OUTSIDE_IMAGE);
        }
        if share_in_image > NOTHING && tissue_share < LEAST_TISSUE_SHARE * share_in_image {
            flags.push(flag::VOXEL_OUTSIDE_TISSUE);
        }
        let [gm, wm, csf] = tissue.map(|of| of / total);
        let fractions = (tissue_share > NOTHING).then_some(Fractions { gm, wm, csf });
        Self { fractions, tissue_share: Some(tissue_share), share_in_image: Some(share_in_image), flags }
    }
}
