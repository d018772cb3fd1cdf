//! Reading a basis set of any form.

use std::path::Path;

use super::member::read_bytes;
use super::{BasisError, BasisSet, FirstPoint, Grid, folder, lcmodel};
use crate::printable::{LABEL_CHARS, printable, printable_label, printable_message};

/// Offset of a basis set's singlets beyond which it is moved to where they belong (ppm). The macromolecules
/// and lipids that a fit adds lie where they belong.
const REFERENCED_FROM_PPM: f64 = 0.01;

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
        let mut set = if path.is_dir() || folder::is_member(path) {
            folder::read(path, grid)
        } else {
            lcmodel::decode(&read_bytes(path)?, path, grid)
        }?;
        set.id = printable(&set.id, LABEL_CHARS);
        set.sequence = printable_label(set.sequence.take());
        set.remarks.iter_mut().for_each(|remark| *remark = printable_message(remark));
        Ok(set)
    }

    /// As [`BasisSet::read_with`], ready to be fitted: first samples in full, as every transform of a fit halves them,
    /// singlets at their chemical shifts and in phase ([`BasisSet::placed`]), each molecule once, and the width of its lines
    /// measured. Remarks say what had to be changed.
    ///
    /// # Errors
    /// As [`BasisSet::read`].
    pub fn read_for_fit(path: &Path, grid: &Grid) -> Result<Self, BasisError> {
        let set = Self::read_with(path, grid)?.with_sums_once(path)?.placed().with_first_point(FirstPoint::Full);
        let off = set.offset_ppm().is_some_and(|offset| offset.abs() > REFERENCED_FROM_PPM);
        let mut set = if off { set.referenced() } else { set };
        set.singlet_fwhm_hz = set.measured_linewidth_hz();
        Ok(set)
    }
}
