//! Colours and sizes that pictures share, and why one cannot be drawn.

use plotters::style::RGBColor;
use thiserror::Error;

pub(super) const TEXT: RGBColor = RGBColor(20, 20, 20);
pub(super) const FAINT_TEXT: RGBColor = RGBColor(110, 110, 110);
pub(super) const LEFT_PX: f64 = 18.0;
pub(super) const TOP_PX: f64 = 40.0;
pub(super) const PLOT_WIDTH_PX: f64 = 680.0;
pub(super) const NAMES_WIDTH_PX: f64 = 96.0;
pub(super) const FONT_PX: f64 = 11.0;

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
