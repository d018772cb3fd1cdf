//! A voxel drawn on an image of the head, in the three planes through its middle.

use std::path::Path;

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas, with_size_in_px};
use super::planes::{PLANES, Slices, VoxelPlotError, slices};
use super::png::{base64, grey_png};
use super::theme::{FAINT_TEXT, FONT_PX, LEFT_PX, PlotError, TEXT, TOP_PX};
use crate::printable::{PATH_CHARS, printable};
use crate::tissue::VoxelBox;
use crate::tissue::place::Transform;

/// Height of a plane (px).
const PLANE_PX: f64 = 260.0;
const GAP_PX: f64 = 16.0;
const BELOW_PX: f64 = 34.0;
const OUTLINE: RGBColor = RGBColor(230, 80, 20);

/// Draws a voxel on the image at `path` as SVG; `title` stands above.
///
/// # Errors
/// [`VoxelPlotError`]: the image cannot be read or has no place in the scanner's space, or the drawing fails.
pub fn voxel_plot(path: &Path, voxel: &VoxelBox, title: &str, first: Transform) -> Result<String, VoxelPlotError> {
    let mut svg = String::new();
    for found in slices(path, std::slice::from_ref(voxel), first)? {
        let drawn = draw(&found, title, &mut svg).map_err(PlotError::Backend)?;
        svg = with_pictures(with_size_in_px(&svg, drawn.width_px, drawn.height_px), &found, &drawn.at_px)?;
    }
    Ok(svg)
}

/// What was drawn: the page's size, and where each picture belongs.
struct Drawn {
    width_px: f64,
    height_px: f64,
    at_px: Vec<[f64; 4]>,
}

fn draw(slices: &Slices, title: &str, svg: &mut String) -> Result<Drawn, String> {
    let planes = &slices.planes;
    let tallest = planes.iter().map(|plane| plane.extents[1]).max().unwrap_or(1).max(1);
    let scale = PLANE_PX / tallest as f64;
    let widths: Vec<f64> = planes.iter().map(|plane| scale * plane.extents[0] as f64).collect();
    let width_px = 2.0 * LEFT_PX + widths.iter().sum::<f64>() + GAP_PX * (planes.len() as f64 - 1.0);
    let height_px = TOP_PX + PLANE_PX + BELOW_PX;
    let canvas = Canvas::new(svg, width_px, height_px)?;
    canvas.text(&printable(title, PATH_CHARS), (LEFT_PX, 18.0), Align::Left, 13.0, TEXT)?;
    let (mut left, mut at_px) = (LEFT_PX, Vec::new());
    for ((plane, width), (name, axis, _, [low, high])) in planes.iter().zip(&widths).zip(PLANES) {
        let height = scale * plane.extents[1] as f64;
        let bottom = TOP_PX + height;
        at_px.push([left, TOP_PX, *width, height]);
        let on_page = |point: &[f64; 3]| {
            let [x, y] = plane.pixels(point);
            (left + scale * x, bottom - scale * y)
        };
        let outline: Vec<(f64, f64)> = slices.outline(plane).iter().map(on_page).collect();
        canvas.line(&outline, OUTLINE, 1.5)?;
        let below = bottom + 12.0;
        let middle_mm = slices.middle[axis];
        canvas.text(&format!("{name} {middle_mm:.0} mm"), (left + 0.5 * width, below), Align::Centre, FONT_PX, TEXT)?;
        canvas.text(low, (left, below), Align::Left, FONT_PX, FAINT_TEXT)?;
        canvas.text(high, (left + width, below), Align::Right, FONT_PX, FAINT_TEXT)?;
        left += width + GAP_PX;
    }
    canvas.finish()?;
    Ok(Drawn { width_px, height_px, at_px })
}

/// Puts the greys behind the lines.
fn with_pictures(svg: String, slices: &Slices, at_px: &[[f64; 4]]) -> Result<String, PlotError> {
    let [dark, white] = slices.window();
    let grey = |value: &f64| (255.0 * ((value - dark) / (white - dark).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)) as u8;
    let mut pictures = String::new();
    for (plane, [x, y, width, height]) in slices.planes.iter().zip(at_px) {
        // From the top: the highest first.
        let rows = plane.values.chunks_exact(plane.extents[0].max(1)).rev();
        let pixels: Vec<u8> = rows.flat_map(|row| row.iter().map(grey)).collect();
        let png = grey_png(plane.extents[0], &pixels).map_err(|e| PlotError::Backend(e.to_string()))?;
        let [x, y, width, height] = [x, y, width, height].map(|px| px * Canvas::UNITS_PER_PX);
        pictures += &format!(
            "<image x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>\n",
            base64(&png)
        );
    }
    // Behind the page's background, before all else.
    match svg.find("<rect").and_then(|rect| Some(rect + svg[rect..].find("/>")? + 2)) {
        Some(at) => Ok(format!("{}\n{pictures}{}", &svg[..at], &svg[at..])),
        None => Err(PlotError::Backend("the page has no background".to_owned())),
    }
}
