//! Why a model cannot be built, whichever family it is of.

use super::band::BandError;
use crate::basis::BasisError;

/// Why a model cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The window does not fit the data.
    #[error(transparent)]
    Band(#[from] BandError),
    /// The basis set cannot be brought to the grid of the data.
    #[error(transparent)]
    Basis(#[from] BasisError),
    /// No component has signal in the window.
    #[error("no member of the basis set has signal in the window; is it for another nucleus or protocol?")]
    EmptyBasis,
}
