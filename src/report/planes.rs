//! The three planes through the middle of a voxel, cut out of an image of the head, with the voxel's outline in each.

use std::path::Path;

use super::theme::PlotError;
use crate::formats::image::{Image, ImageError};
use crate::printable::{PATH_CHARS, printable};
use crate::tissue::place::{Affine, Place, Transform, place};
use crate::tissue::{TissueError, VoxelBox};

/// Size of a pixel (mm), and the most of them along an edge.
pub(crate) const PIXEL_MM: f64 = 1.0;
const MOST_PIXELS: f64 = 400.0;
/// Part of the pixels that are darker than the darkest grey, and than white.
const WINDOW: [f64; 2] = [0.02, 0.99];
/// Each plane: its name, the axis (right, front, head) that it cuts, those across and up, and what stands at its edges.
pub(crate) const PLANES: [(&str, usize, [usize; 2], [&str; 2]); 3] =
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

/// A plane through the middle of a voxel.
pub(crate) struct Plane {
    pub(crate) axis: usize,
    pub(crate) across: [usize; 2],
    /// Its lower corner (mm) and its extents (pixels).
    pub(crate) from: [f64; 2],
    pub(crate) extents: [usize; 2],
    /// From the lower corner on, row by row.
    pub(crate) values: Vec<f64>,
}

/// A voxel in an image.
pub(crate) struct Slices {
    /// In the order of [`PLANES`].
    pub(crate) planes: Vec<Plane>,
    /// The voxel's middle (mm).
    pub(crate) middle: [f64; 3],
    corners: [[f64; 3]; 8],
}

/// The planes of voxels in the image at `path`, which is read once.
///
/// # Errors
/// [`VoxelPlotError`]: the image cannot be read or has no place in the scanner's space.
pub(crate) fn slices(path: &Path, voxels: &[VoxelBox], first: Transform) -> Result<Vec<Slices>, VoxelPlotError> {
    let file = printable(&path.file_name().unwrap_or_default().to_string_lossy(), PATH_CHARS);
    let unreadable = |source| VoxelPlotError::Image { file: file.clone(), source };
    let image = Image::open(path).map_err(unreadable)?;
    image.check_length().map_err(unreadable)?;
    let place = place(&file, image.grid(), &image.forms(), first)?;
    let cut = |voxel: &VoxelBox| {
        let corners = corners(&voxel.affine_mm, voxel.index.map(|i| i as f64 - 0.5), [1.0; 3]);
        let middle = [0, 1, 2].map(|i| corners.iter().map(|c| c[i]).sum::<f64>() / 8.0);
        Slices { planes: planes(&place, &corners, middle), middle, corners }
    };
    let mut all: Vec<Slices> = voxels.iter().map(cut).collect();
    fill(&mut all, image, &place).map_err(unreadable)?;
    Ok(all)
}

impl Slices {
    /// The closed outline of the voxel in a plane (mm, right, front, head).
    pub(crate) fn outline(&self, plane: &Plane) -> Vec<[f64; 3]> {
        cut(&self.corners, plane, self.middle)
    }

    /// Values of the darkest grey and of white.
    pub(crate) fn window(&self) -> [f64; 2] {
        let mut all: Vec<f64> =
            self.planes.iter().flat_map(|plane| &plane.values).copied().filter(|v| *v > 0.0).collect();
        all.sort_by(f64::total_cmp);
        WINDOW.map(|part| all.get((part * all.len() as f64) as usize).or(all.last()).copied().unwrap_or(0.0))
    }
}

impl Plane {
    /// Where a point (mm) is in it, in pixels from the lower corner.
    pub(crate) fn pixels(&self, point: &[f64; 3]) -> [f64; 2] {
        [0, 1].map(|n| (point[self.across[n]] - self.from[n]) / PIXEL_MM)
    }
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
fn fill(all: &mut [Slices], image: Image, place: &Place) -> Result<(), ImageError> {
    let Some(to_image) = place.inverse() else { return Ok(()) };
    let grid = place.grid;
    let mut wanted: Vec<(usize, usize, usize)> = Vec::new();
    for (n, slices) in all.iter().enumerate() {
        for (p, plane) in slices.planes.iter().enumerate() {
            for pixel in 0..plane.values.len() {
                let mut mm = slices.middle;
                for (n, at) in [pixel % plane.extents[0], pixel / plane.extents[0]].into_iter().enumerate() {
                    mm[plane.across[n]] = plane.from[n] + PIXEL_MM * (at as f64 + 0.5);
                }
                let at = [0, 1, 2].map(|r| (0..3).map(|c| to_image[r][c] * mm[c]).sum::<f64>() + to_image[r][3]);
                let at = at.map(f64::round);
                if (0..3).all(|axis| at[axis] >= 0.0 && at[axis] < grid[axis] as f64) {
                    let [i, j, k] = at.map(|x| x as usize);
                    wanted.push((i + grid[0] * (j + grid[1] * k), PLANES.len() * n + p, pixel));
                }
            }
        }
    }
    wanted.sort_unstable();
    let mut left = wanted.as_slice();
    image.scan(|index, value| {
        while let [(at, plane, pixel), rest @ ..] = left
            && *at == index
        {
            let values = &mut all[plane / PLANES.len()].planes[plane % PLANES.len()].values;
            values[*pixel] = if value.is_finite() { value } else { 0.0 };
            left = rest;
        }
    })
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
