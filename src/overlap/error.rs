//! Why voxels cannot be compared in a common space.

use std::path::PathBuf;

use crate::output_path::OutputPathError;
use crate::printable::printable_path;
use crate::store::ReadTableError;

/// Why there is no overlap at all.
#[derive(Debug, thiserror::Error)]
pub enum OverlapError {
    /// The tables cannot be read.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// The image of the common space cannot be used.
    #[error(
        "--space {}: {reason}; give the image that the transforms lead to, such as the template",
        printable_path(path)
    )]
    Space {
        /// The image.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The transforms cannot be found.
    #[error("--transforms {}: {reason}", printable_path(path))]
    Transforms {
        /// Folder or table.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// No voxel gets into the common space.
    #[error("no voxel of the {n} gets into the common space: {}", reasons.join("; "))]
    None {
        /// Voxels in the tables.
        n: usize,
        /// Why, with the number of voxels.
        reasons: Vec<String>,
    },
    /// The output folder holds something.
    #[error(
        "{}: the output folder is not empty; give another --out, or --overwrite to replace files in it",
        printable_path(path)
    )]
    OutputExists {
        /// The folder.
        path: PathBuf,
    },
    /// A name leads out of the output folder.
    #[error(transparent)]
    Name(#[from] OutputPathError),
    /// The system refuses.
    #[error(
        "{}: cannot be written ({source}); check that the path is right and that there is space",
        printable_path(path)
    )]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl OverlapError {
    /// Exit code of the program for this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(e) if e.is_absent() => 66,
            Self::Read(_) | Self::None { .. } => 1,
            Self::Space { .. } | Self::Transforms { .. } => 2,
            Self::OutputExists { .. } | Self::Name(_) | Self::Write { .. } => 73,
        }
    }
}

/// Why one voxel is not in the common space: its row says so, the others go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TransformError {
    /// It cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// It bends space, or is several transforms in one file.
    #[error("{file}: {what}, which moves a box to what is no box; {remedy}")]
    NotAffine {
        /// Its name.
        file: String,
        /// What it is.
        what: &'static str,
        /// What to give.
        remedy: &'static str,
    },
    /// It is no transform that is read here.
    #[error("{file}: {reason}; give an affine transform as text (ITK, ANTs) or FLIRT's matrix (.mat)")]
    Unknown {
        /// Its name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// FLIRT's matrices are nothing without their images.
    #[error(
        "{file}: FLIRT's matrix leads from the voxels of an image to those of another, and {reason}; name the image that was registered in the column `image_path` of the table, or give its folder with --image"
    )]
    NeedsImage {
        /// Its name.
        file: String,
        /// What is wrong with the image.
        reason: String,
    },
    /// None was found.
    #[error("no transform of {whom}; BIDS calls it sub-…_from-T1w_to-…_mode-image_xfm.txt, or name it in a table")]
    None {
        /// Subject and session.
        whom: String,
    },
    /// Several could be meant.
    #[error("several transforms could be meant ({}); name one in a table", files.join(", "))]
    Ambiguous {
        /// Their names.
        files: Vec<String>,
    },
    /// The spectrum has no place.
    #[error("the spectrum's file does not say where its voxel is")]
    NoPlace,
    /// It is one voxel of many.
    #[error("a voxel of a grid: grids have no region of their own")]
    Grid,
    /// It lies elsewhere.
    #[error("the voxel lies outside of the common space's image: does the transform lead from this head there?")]
    Outside,
}

impl TransformError {
    /// Word for the table.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "transform_unreadable",
            Self::NotAffine { .. } => "transform_not_affine",
            Self::Unknown { .. } => "transform_unknown",
            Self::NeedsImage { .. } => "transform_needs_image",
            Self::None { .. } => "no_transform",
            Self::Ambiguous { .. } => "ambiguous_transform",
            Self::NoPlace => "voxel_has_no_place",
            Self::Grid => "voxel_of_a_grid",
            Self::Outside => "voxel_outside_space",
        }
    }
}
