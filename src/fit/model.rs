//! A model of whichever family: what spectra of one basis set, grid and method share.

use num_complex::Complex64;

use super::family::{Fitter, Limits};
use super::result::{Curves, FitResult};
use super::{map, peaks, peers};

/// What spectra of one basis set, grid and method share. Families give the same verbs; what only one of them has is
/// reached by its variant.
pub enum Model {
    /// Of `map`'s family.
    Map(map::Model),
    /// Of the methods that are like other programs'.
    Peers(peers::Model),
    /// Of the methods that fit peaks without a basis set.
    Peaks(peaks::Model),
}

impl Model {
    /// Something that fits one FID after the other with the same scratch.
    pub fn fitter(&self) -> Fitter<'_> {
        match self {
            Self::Map(model) => model.fitter(),
            Self::Peers(model) => model.fitter(),
            Self::Peaks(model) => model.fitter(),
        }
    }

    /// The curves of a fit of `fid`.
    pub fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        match self {
            Self::Map(model) => model.curves(fid, fit),
            Self::Peers(model) => model.curves(fid, fit),
            Self::Peaks(model) => model.curves(fid, fit),
        }
    }

    /// Names of the components in the order of the amplitudes.
    pub fn component_names(&self) -> Vec<String> {
        match self {
            Self::Map(model) => model.component_names(),
            Self::Peers(model) => model.component_names(),
            Self::Peaks(model) => model.component_names(),
        }
    }

    /// What the soft priors between amplitudes say; peaks have none.
    pub fn row_labels(&self) -> Vec<String> {
        match self {
            Self::Map(model) => model.row_labels(),
            Self::Peers(model) => model.row_labels(),
            Self::Peaks(_) => Vec::new(),
        }
    }

    /// Linewidth that the basis set already carries (FWHM, Hz); `None` where unknown, and without a basis set.
    pub fn basis_linewidth_hz(&self) -> Option<f64> {
        match self {
            Self::Map(model) => model.basis_linewidth_hz,
            Self::Peers(model) => model.basis_linewidth_hz,
            Self::Peaks(_) => None,
        }
    }

    /// What results may run into.
    pub fn limits(&self) -> Limits {
        match self {
            Self::Map(model) => model.limits(),
            Self::Peers(model) => model.limits(),
            Self::Peaks(model) => model.limits(),
        }
    }

    /// Name of another condition of the same voxel that completes a result; `None` where a spectrum stands alone.
    pub fn companion(&self) -> Option<&str> {
        match self {
            Self::Peaks(model) => model.companion(),
            Self::Map(_) | Self::Peers(_) => None,
        }
    }

    /// Completes the `fit` of `fid` by the companion.
    pub fn complete(&self, fit: &mut FitResult, fid: &[Complex64], companion: &[Complex64]) {
        if let Self::Peaks(model) = self {
            model.complete(fit, fid, companion);
        }
    }
}

impl From<map::Model> for Model {
    fn from(model: map::Model) -> Self {
        Self::Map(model)
    }
}
