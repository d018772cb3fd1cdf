//! What is asked for, and what was written.

use std::path::PathBuf;

use crate::store::IfExists;

/// What to compare.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The dataset of a finished run.
    pub results: PathBuf,
    /// Image of the common space.
    pub space: PathBuf,
    /// Folder of transforms, or a table of them.
    pub transforms: PathBuf,
    /// Images of the heads, which FLIRT's matrices need, and folders of such.
    pub images: Vec<PathBuf>,
    /// Folder to write to.
    pub out: PathBuf,
    /// What to do if it holds something.
    pub if_exists: IfExists,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Tables and images.
    pub files: Vec<PathBuf>,
    /// Voxels in the common space, and all.
    pub n: [usize; 2],
    /// What somebody who looks at them should know.
    pub notes: Vec<String>,
}
