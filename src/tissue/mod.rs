//! Of what tissue the voxels are: segmentations of images of the same head, and the voxel's box in them.
//!
//! [`find`] says which files belong to a spectrum, [`kinds`] knows them by their names, [`labels`] what their numbers mean.
//! `measure` reads them once for all voxels of a head and weighs each image voxel by its share that is inside a voxel's
//! box ([`overlap`]). Nothing is guessed: what a segmentation does not say is a [`TissueError`].

pub mod anatomy;
mod error;
pub mod find;
pub mod given;
pub mod kinds;
pub mod labels;
mod matching;
pub mod measure;
pub mod overlap;
pub mod place;
pub mod source;
pub mod sums;
mod table;
pub mod voxel_tissue;
pub(crate) mod words;

pub use error::{TissueError, flag};
pub use measure::{Measured, VoxelBox, measure};
pub use place::Transform;
pub use source::{Segmentation, Source};
pub use voxel_tissue::VoxelTissue;
