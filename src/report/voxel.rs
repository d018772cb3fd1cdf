//! A voxel drawn on an image of the head, in the three planes through its middle.

use std::path::Path;

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas, with_size_in_px};
use super::png::{base64, grey_png};
use super::theme::{FAINT_TEXT, FONT_PX, LEFT_PX, PlotError, TEXT, TOP_PX};
use crate::formats::image::{Image, ImageError};
use crate::printable::{PATH_CHARS, printable};
use crate::tissue::place::{Affine, Place, Transform, place};
use crate::tissue::{TissueError, VoxelBox};

/// Height of a plane (px).
const PLANE_PX: f64 = 260.0;
const GAP_PX: f64 = 16.0;
const BELOW_PX: f64 = 34.0;
/// Size of a pixel of the picture (mm), and the most of them along an edge.
const PIXEL_MM: f64 = 1.0;
const MOST_PIXELS: f64 = 400.0;
/// Part of the pixels that are darker than the darkest grey, and than white.
const WINDOW: [f64; 2] = [0.02, 0.99];
const OUTLINE: RGBColor = RGBColor(230, 80, 20);
/// Each plane: its name, the axis (right, front, head) that it cuts, those across and up, and what stands at its edges.
const PLANES: [(&str, usize, [usize; 2], [&str; 2]); 3] =
    [("sagittal", 0, [1, 2], ["P", "A"]), ("coronal", 1, [0, 2], ["L", "R"]), ("axial", 2, [0, 1], ["L", "R"])];

/// Why a voxel cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum VoxelPlotError {
    /// The image cannot be read.
    #[error("{file}: {source}")]
    Image {
        /// Its name.
        file: String,
        /// Why.
        source: ImageError,
    },
    /// The image is not in the scanner's space.
    #[error(transparent)]
    Place(#[from] TissueError),
    /// The drawing failed.
    #[error(transparent)]
    Plot(#[from] PlotError),
}

/// A plane through the middle of the voxel.
struct Plane {
    axis: usize,
    across: [usize; 2],
    /// Its lower corner (mm) and its extents (pixels).
    from: [f64; 2],
    extents: [usize; 2],
    values: Vec<f64>,
}

/// Draws a voxel on the image at `path` as SVG; `title` stands above.
///
/// # Errors
/// [`VoxelPlotError`]: the image cannot be read or has no place in the scanner's space, or the drawing fails.
pub fn voxel_plot(path: &Path, voxel: &VoxelBox, title: &str, first: Transform) -> Result<String, VoxelPlotError> {
    let file = printable(&path.file_name().unwrap_or_default().to_string_lossy(), PATH_CHARS);
    let unreadable = |source| VoxelPlotError::Image { file: file.clone(), source };
    let image = Image::open(path).map_err(unreadable)?;
    image.check_length().map_err(unreadable)?;
    let place = place(&file, image.grid(), &image.forms(), first)?;
    let corners = corners(&voxel.affine_mm, voxel.index.map(|i| i as f64 - 0.5), [1.0; 3]);
    let middle = [0, 1, 2].map(|i| corners.iter().map(|c| c[i]).sum::<f64>() / 8.0);
    let mut planes = planes(&place, &corners, middle);
    fill(&mut planes, image, &place, middle).map_err(unreadable)?;
    let mut svg = String::new();
    let drawn = draw(&planes, &corners, middle, title, &mut svg).map_err(PlotError::Backend)?;
    Ok(with_pictures(with_size_in_px(&svg, drawn.width_px, drawn.height_px), &planes, &drawn.at_px)?)
}

/// The corners (mm) of a block of `size` voxels from `from` on, in a fixed order: bit by axis.
fn corners(m: &Affine, from: [f64; 3], size: [f64; 3]) -> [[f64; 3]; 8] {
    std::array::from_fn(|corner| {
        let at = [0, 1, 2].map(|axis| from[axis] + if corner >> axis & 1 == 1 { size[axis] } else { 0.0 });
        [0, 1, 2].map(|r| (0..3).map(|c| m[r][c] * at[c]).sum::<f64>() + m[r][3])
    })
}

/// The planes, as large as image and voxel together.
fn planes(place: &Place, voxel: &[[f64; 3]; 8], middle: [f64; 3]) -> Vec<Plane> {
    let image = corners(&place.affine_mm, [-0.5; 3], place.grid.map(|n| n as f64));
    let ends = |axis: usize| {
        let all = || image.iter().chain(voxel).map(|corner| corner[axis]);
        let half_mm = 0.5 * MOST_PIXELS * PIXEL_MM;
        let low = all().fold(f64::INFINITY, f64::min).max(middle[axis] - half_mm);
        (low, all().fold(f64::NEG_INFINITY, f64::max).min(middle[axis] + half_mm))
    };
    let plane = |(_, axis, across, _): &(&str, usize, [usize; 2], [&str; 2])| {
        let ends = across.map(ends);
        let extents = ends.map(|(low, high)| ((high - low) / PIXEL_MM).clamp(1.0, MOST_PIXELS) as usize);
        let values = vec![0.0; extents[0] * extents[1]];
        Plane { axis: *axis, across: *across, from: ends.map(|(low, _)| low), extents, values }
    };
    PLANES.iter().map(plane).collect()
}

/// Takes the value of the nearest image voxel for each pixel, in one pass over the file.
fn fill(planes: &mut [Plane], image: Image, place: &Place, middle: [f64; 3]) -> Result<(), ImageError> {
    let Some(to_image) = place.inverse() else { return Ok(()) };
    let grid = place.grid;
    let mut wanted: Vec<(usize, usize, usize)> = Vec::new();
    for (p, plane) in planes.iter().enumerate() {
        for pixel in 0..plane.values.len() {
            let mut mm = middle;
            for (n, at) in [pixel % plane.extents[0], pixel / plane.extents[0]].into_iter().enumerate() {
                mm[plane.across[n]] = plane.from[n] + PIXEL_MM * (at as f64 + 0.5);
            }
            let at = [0, 1, 2].map(|r| (0..3).map(|c| to_image[r][c] * mm[c]).sum::<f64>() + to_image[r][3]);
            let at = at.map(f64::round);
            if (0..3).all(|axis| at[axis] >= 0.0 && at[axis] < grid[axis] as f64) {
                let [i, j, k] = at.map(|x| x as usize);
                wanted.push((i + grid[0] * (j + grid[1] * k), p, pixel));
            }
        }
    }
    wanted.sort_unstable();
    let mut left = wanted.as_slice();
    image.scan(|index, value| {
        while let [(at, plane, pixel), rest @ ..] = left
            && *at == index
        {
            planes[*plane].values[*pixel] = if value.is_finite() { value } else { 0.0 };
            left = rest;
        }
    })
}

/// What was drawn: the page's size, and where each picture belongs.
struct Drawn {
    width_px: f64,
    height_px: f64,
    at_px: Vec<[f64; 4]>,
}

fn draw(
    planes: &[Plane],
    voxel: &[[f64; 3]; 8],
    middle: [f64; 3],
    title: &str,
    svg: &mut String,
) -> Result<Drawn, String> {
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
            let at = [0, 1].map(|n| scale * (point[plane.across[n]] - plane.from[n]) / PIXEL_MM);
            (left + at[0], bottom - at[1])
        };
        let outline: Vec<(f64, f64)> = cut(voxel, plane, middle).iter().map(on_page).collect();
        canvas.line(&outline, OUTLINE, 1.5)?;
        let below = bottom + 12.0;
        canvas.text(
            &format!("{name} {:.0} mm", middle[axis]),
            (left + 0.5 * width, below),
            Align::Centre,
            FONT_PX,
            TEXT,
        )?;
        canvas.text(low, (left, below), Align::Left, FONT_PX, FAINT_TEXT)?;
        canvas.text(high, (left + width, below), Align::Right, FONT_PX, FAINT_TEXT)?;
        left += width + GAP_PX;
    }
    canvas.finish()?;
    Ok(Drawn { width_px, height_px, at_px })
}

/// The closed outline of a voxel in a plane: where its edges cross it, in turn about their middle.
fn cut(voxel: &[[f64; 3]; 8], plane: &Plane, middle: [f64; 3]) -> Vec<[f64; 3]> {
    let height = |corner: usize| voxel[corner][plane.axis] - middle[plane.axis];
    let mut points = Vec::new();
    for (a, b) in (0..8).flat_map(|a| [1, 2, 4].map(|bit| (a, a | bit))).filter(|(a, b)| a != b) {
        let (above, below) = (height(a), height(b));
        if (above > 0.0) != (below > 0.0) {
            let t = above / (above - below);
            points.push([0, 1, 2].map(|i| voxel[a][i] + t * (voxel[b][i] - voxel[a][i])));
        }
    }
    let angle = |point: &[f64; 3]| {
        let [x, y] = plane.across.map(|axis| point[axis] - middle[axis]);
        y.atan2(x)
    };
    points.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    points.extend(points.first().copied());
    points
}

/// Puts the greys behind the lines.
fn with_pictures(svg: String, planes: &[Plane], at_px: &[[f64; 4]]) -> Result<String, PlotError> {
    let mut all: Vec<f64> = planes.iter().flat_map(|plane| &plane.values).copied().filter(|v| *v > 0.0).collect();
    all.sort_by(f64::total_cmp);
    let quantile = |part: f64| all.get((part * all.len() as f64) as usize).or(all.last()).copied().unwrap_or(0.0);
    let [dark, white] = WINDOW.map(quantile);
    let grey = |value: &f64| (255.0 * ((value - dark) / (white - dark).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)) as u8;
    let mut pictures = String::new();
    for (plane, [x, y, width, height]) in planes.iter().zip(at_px) {
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
