//! What the pictures on the pages of benchmarks and of methods share: their colours and width, and how one is drawn.

use plotters::style::RGBColor;

use super::canvas::{Canvas, with_size_in_px};

pub(crate) const TEXT: RGBColor = RGBColor(25, 25, 25);
pub(crate) const FAINT: RGBColor = RGBColor(105, 105, 105);
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);
pub(crate) const AXIS: RGBColor = RGBColor(120, 120, 120);
pub(crate) const BAND: RGBColor = RGBColor(246, 246, 246);
/// Width of a picture (px).
pub(crate) const WIDTH_PX: f64 = 1000.0;

/// The SVG of what `draw` draws on a canvas of this size (px).
pub(crate) fn drawn(
    width: f64,
    height: f64,
    draw: impl Fn(&Canvas<'_>) -> Result<(), String>,
) -> Result<String, String> {
    let mut svg = String::new();
    let canvas = Canvas::new(&mut svg, width, height)?;
    draw(&canvas)?;
    canvas.finish()?;
    Ok(with_size_in_px(&svg, width, height))
}
