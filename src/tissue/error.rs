//! Why there are no fractions, and what a person should know of those that there are.

/// Words of `qc_flags` that a voxel in an image raises.
pub mod flag {
    /// The spectrum's file does not say where the voxel is, or it is not localised.
    pub const VOXEL_HAS_NO_PLACE: &str = "voxel_has_no_place";
    /// No part of the voxel is in the image.
    pub const VOXEL_OUTSIDE_IMAGE: &str = "voxel_outside_image";
    /// A part of the voxel is outside of the image.
    pub const VOXEL_PARTLY_OUTSIDE_IMAGE: &str = "voxel_partly_outside_image";
    /// A part of the voxel is in the image and in no tissue.
    pub const VOXEL_OUTSIDE_TISSUE: &str = "voxel_outside_tissue";
}

/// Why a segmentation gives no fractions: the spectrum is fitted all the same, and its row is flagged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TissueError {
    /// A file cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// The maps lead into an atlas's space alone.
    #[error(
        "{file}: its transforms lead into the space of an atlas (qform_code {qform_code}, sform_code {sform_code}), where the \
         voxel is not; give the maps of the image as it was measured"
    )]
    NotInScannerSpace {
        /// The map.
        file: String,
        /// Code of its qform.
        qform_code: i32,
        /// Code of its sform.
        sform_code: i32,
    },
    /// Maps that are called those of an atlas's space.
    #[error(
        "{file}: by its name it is in the space {space}, where the voxel is not; give the maps of the image as it was measured"
    )]
    InOtherSpace {
        /// The map.
        file: String,
        /// The space.
        space: String,
    },
    /// A map without place.
    #[error(
        "{file}: {reason}; give the maps as the program wrote them, with the place of the image that was segmented"
    )]
    NoPlace {
        /// The map.
        file: String,
        /// What is wrong with its place.
        reason: String,
    },
    /// Maps that do not lie one upon another.
    #[error("{file} has another grid than {first}: {reason}; give maps of one segmentation")]
    OtherGrid {
        /// The map.
        file: String,
        /// The first one.
        first: String,
        /// What differs.
        reason: String,
    },
    /// Two maps that are one.
    #[error("{file} holds the same as {first}: give one map for each tissue")]
    Alike {
        /// The map.
        file: String,
        /// The other.
        first: String,
    },
    /// Numbers that are no shares.
    #[error(
        "{file}: its numbers go from {least} to {most}, so they are no shares from 0 to 1; give the maps unscaled, or with scl_slope"
    )]
    NotProbabilities {
        /// The map.
        file: String,
        /// The least number.
        least: f64,
        /// The largest one.
        most: f64,
    },
    /// Shares that are more than all.
    #[error(
        "{file}: with the other maps it sums to {sum:.3} within the voxel, which is more than all; are these maps of one segmentation?"
    )]
    MoreThanAll {
        /// The first map.
        file: String,
        /// The sum.
        sum: f64,
    },
    /// Labels that nobody explains.
    #[error("{file}: {reason}")]
    LabelsNotNamed {
        /// The file.
        file: String,
        /// What is not known, and what to do.
        reason: String,
    },
    /// Maps of which some are missing.
    #[error("{file}: {reason}; give one map for each of grey matter, white matter and CSF")]
    Incomplete {
        /// One of the maps, or their folder.
        file: String,
        /// What is missing.
        reason: String,
    },
    /// Several segmentations that could be meant.
    #[error("several segmentations could be meant ({}): name one in the column `segmentation_path` of a manifest", files.join(", "))]
    Ambiguous {
        /// The first file of each.
        files: Vec<String>,
    },
    /// A segmentation, of nobody knows whom.
    #[error(
        "{file}: nothing says whose segmentation this is, and there are spectra of several; name it in the column `segmentation_path` of a manifest"
    )]
    OfWhom {
        /// Its first file.
        file: String,
    },
    /// Fractions of one voxel for a grid of several.
    #[error(
        "{file}: one set of fractions, and the spectrum has {voxels} voxels; give tissue maps, from which each voxel's are measured"
    )]
    OfOneVoxel {
        /// The file.
        file: String,
        /// Voxels of the grid.
        voxels: usize,
    },
    /// None was found where one was asked for.
    #[error("no segmentation of {whom} in {folder}; name it in the column `segmentation_path` of a manifest")]
    None {
        /// Where was looked.
        folder: String,
        /// Subject and session.
        whom: String,
    },
    /// Fractions that are none.
    #[error("{file}: {reason}; give shares from 0 to 1 of grey matter, white matter and CSF that sum to 1")]
    BadFractions {
        /// Where they stand.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// More image voxels than are looked at.
    #[error("{file}: the voxels hold more than {most} of its voxels; is it as finely resolved as it says?")]
    TooFine {
        /// The first map.
        file: String,
        /// The most that are looked at.
        most: usize,
    },
}

impl TissueError {
    /// Stable snake_case word, under which rows have it in `qc_flags`.
    pub const fn flag(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "segmentation_unreadable",
            Self::NotInScannerSpace { .. } | Self::InOtherSpace { .. } => "segmentation_not_in_scanner_space",
            Self::NoPlace { .. } => "segmentation_has_no_place",
            Self::OtherGrid { .. } => "tissue_maps_differ_in_grid",
            Self::Alike { .. } => "tissue_maps_alike",
            Self::NotProbabilities { .. } | Self::MoreThanAll { .. } => "not_probabilities",
            Self::LabelsNotNamed { .. } => "labels_not_named",
            Self::Incomplete { .. } => "segmentation_incomplete",
            Self::Ambiguous { .. } => "ambiguous_segmentation",
            Self::OfWhom { .. } | Self::OfOneVoxel { .. } => "segmentation_of_whom",
            Self::None { .. } => "no_segmentation",
            Self::BadFractions { .. } => "bad_fractions",
            Self::TooFine { .. } => "segmentation_too_fine",
        }
    }
}
