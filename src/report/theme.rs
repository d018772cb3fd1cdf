//! Colours and sizes that all pictures share, and why one cannot be drawn.

use plotters::style::RGBColor;
use thiserror::Error;

// Those of the page of a run by day; Okabe & Ito's, which colour-blind people tell apart.
pub(crate) const TEXT: RGBColor = RGBColor(27, 31, 36);
pub(crate) const FAINT_TEXT: RGBColor = RGBColor(89, 98, 109);
pub(crate) const GRID: RGBColor = RGBColor(229, 232, 236);
pub(crate) const AXIS: RGBColor = RGBColor(130, 138, 147);
pub(crate) const BAND: RGBColor = RGBColor(241, 243, 245);
pub(super) const DATA: RGBColor = RGBColor(63, 70, 78);
pub(super) const FIT: RGBColor = RGBColor(213, 94, 0);
pub(super) const BASELINE: RGBColor = RGBColor(0, 120, 90);
pub(super) const METABOLITE: RGBColor = RGBColor(0, 104, 165);
pub(super) const MACROMOLECULE: RGBColor = RGBColor(140, 70, 130);
pub(super) const NOISE_BAND: RGBColor = RGBColor(246, 235, 216);
/// What came before, or what others say.
pub(super) const REFERENCE: RGBColor = RGBColor(150, 157, 165);

pub(super) const LEFT_PX: f64 = 18.0;
pub(super) const TOP_PX: f64 = 40.0;
pub(super) const PLOT_WIDTH_PX: f64 = 560.0;
pub(super) const NAMES_WIDTH_PX: f64 = 104.0;
pub(super) const FONT_PX: f64 = 11.0;
/// Height over width of A4.
pub(super) const A4: f64 = 297.0 / 210.0;

/// Why a fit cannot be drawn.
#[derive(Debug, Error, PartialEq)]
pub enum PlotError {
    /// A curve has another length than the axis.
    #[error("`{curve}` has {length} points, the ppm axis {expected}; all curves must be as long")]
    Length {
        /// The curve.
        curve: String,
        /// Its length.
        length: usize,
        /// Length of the axis.
        expected: usize,
    },
    /// The axis has fewer than two points, or points that are not finite, or no extent.
    #[error("the ppm axis must have at least two different, finite values")]
    Axis,
    /// There is not one finite number in the data.
    #[error("the data have no finite value to draw")]
    NoData,
    /// The drawing library failed.
    #[error("the picture could not be drawn: {0}")]
    Backend(String),
}

/// Least and largest finite value; `None` if there is none.
pub(super) fn extent<'a>(values: impl IntoIterator<Item = &'a f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |range, v| match range {
        None => Some((*v, *v)),
        Some((low, high)) => Some((f64::min(low, *v), f64::max(high, *v))),
    })
}

/// Height of the panel with an overlay (px).
pub(super) const OVERLAY_PX: f64 = 220.0;
