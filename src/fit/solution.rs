//! Where a fit ended, in its family's own parameters: what its curves are made from.

use super::peers::solution::Solution as PeersSolution;
use super::start::ShiftPhase;

/// A fit of one spectrum as its family holds it.
#[derive(Debug, Clone)]
pub(crate) enum Solution {
    /// The spectrum could not be fitted.
    None,
    /// Of `map`'s family.
    Map(MapSolution),
    /// Of the methods like other programs'.
    Peers(PeersSolution),
    /// Of the methods of peaks.
    Peaks(PeaksSolution),
}

/// Of `map`'s family.
#[derive(Debug, Clone)]
pub(crate) struct MapSolution {
    /// All parameters, in the order of the layout.
    pub(crate) parameters: Vec<f64>,
    /// Shift that was taken out of the data before the fit (Hz).
    pub(crate) start_shift_hz: f64,
    /// Factor from the data's units to internal ones.
    pub(crate) data_scale: f64,
}

/// Of the methods of peaks.
#[derive(Debug, Clone)]
pub(crate) struct PeaksSolution {
    /// Shift and phase that were taken out of the data.
    pub(crate) shift_phase: ShiftPhase,
    /// Chemical shifts and widths of the peaks, and their phase.
    pub(crate) nonlinear: Vec<f64>,
    /// Areas, then the background's.
    pub(crate) linear: Vec<f64>,
}
