//! What the pictures on the pages of benchmarks and of methods share: their width, and how one is drawn.

use super::canvas::{Canvas, with_size_in_px};

pub(crate) use super::theme::{AXIS, BAND, FAINT_TEXT as FAINT, GRID, TEXT};
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
