//! Where a run takes the voxels' tissue from.

use super::error::RunError;
use crate::tissue::Transform;
use crate::tissue::find::Search;

/// Where a run takes the voxels' tissue from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TissueOptions {
    /// Where segmentations are looked for.
    pub search: Search,
    /// Which of an image's two forms counts where they disagree.
    pub transform: Transform,
}

impl TissueOptions {
    /// An error where nothing is there to look into.
    pub(super) fn check(&self) -> Result<(), RunError> {
        match &self.search {
            Search::At(path) if !path.exists() => Err(RunError::NoTissue { path: path.clone() }),
            Search::None | Search::Auto | Search::At(_) => Ok(()),
        }
    }

    /// In words, without where anything lies, for the plan of a run.
    pub(super) fn said(&self) -> String {
        let search = match self.search {
            Search::None => "none",
            Search::Auto => "auto",
            Search::At(_) => "a folder",
        };
        format!("{search} {:?}", self.transform)
    }
}
