//! Reading a basis set of any form.

use std::path::Path;

use super::member::read_bytes;
use super::{BasisError, BasisSet, Grid, folder, lcmodel};

impl BasisSet {
    /// Reads an LCModel `.BASIS` file, a folder of LCModel `.RAW`, FSL-MRS JSON or NIfTI-MRS files, or
    /// one such file as a set of one member.
    ///
    /// # Errors
    /// A [`BasisError`] that names the file and what is wrong.
    pub fn read(path: &Path) -> Result<Self, BasisError> {
        Self::read_with(path, &Grid::default())
    }

    /// As [`BasisSet::read`], with what the caller knows about the set where its files do not say it.
    ///
    /// # Errors
    /// As [`BasisSet::read`].
    pub fn read_with(path: &Path, grid: &Grid) -> Result<Self, BasisError> {
        if path.is_dir() || folder::is_member(path) {
            folder::read(path, grid)
        } else {
            lcmodel::decode(&read_bytes(path)?, path, grid)
        }
    }
}
