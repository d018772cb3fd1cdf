//! The tables of a run that images are made of.

use crate::store::{MetaboliteRow, RunRecord, SpectrumRow};

/// The tables of a run, and what of them is drawn.
pub(super) struct Source {
    pub(super) run: RunRecord,
    pub(super) spectra: Vec<SpectrumRow>,
    pub(super) metabolites: Vec<MetaboliteRow>,
}

/// Rows of one metabolite in a grid: of the table, and the voxels that they are of.
pub(super) type Rows = Vec<(usize, usize)>;
