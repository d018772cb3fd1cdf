//! Affine transforms of files as they move points: from the scanner's space, in which the T1 and the voxels lie, to a common one.
//!
//! Everywhere here space is NIfTI's: x to the right, y to the front, z up (mm). ITK's axes point to the left, to the back and
//! up, and its transforms lead points of the fixed image to the moving one (ITK Software Guide, book 1, 3.9 and 4.1). FLIRT's
//! lead from voxels of the input to voxels of the reference, in mm from the first voxel, the first axis turned round where the
//! image is not radiological (FSL, "FLIRT FAQ").

use std::path::Path;

use super::error::TransformError;
use super::itk;
use crate::printable::{PATH_CHARS, printable};
use crate::regular_file;
use crate::tissue::place::{Affine, inverse};

/// Largest file of an affine transform: the longest have a few kilobytes.
const MOST_BYTES: u64 = 1 << 20;

/// Which way a transform leads, as BIDS derivatives name it (`from-T1w_to-MNI…_mode-image`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// From the head to the common space, and not the other way.
    pub is_from_head: bool,
    /// Of points, and not of images: an image is moved by where its new points come from.
    pub is_of_points: bool,
}

impl Default for Direction {
    /// What a registration of a T1 onto a template writes.
    fn default() -> Self {
        Self { is_from_head: true, is_of_points: false }
    }
}

/// A grid in space: its extents, and voxel to space (mm).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Extents.
    pub grid: [usize; 3],
    /// Voxel to space (mm).
    pub affine_mm: Affine,
}

/// Kinds of transforms.
const ITK: &str = "itk";
pub(super) const FLIRT: &str = "flirt";

/// A transform, and how it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToCommon {
    /// Points of the scanner's space to points of the common one (mm).
    pub affine_mm: Affine,
    /// `itk` or `flirt`.
    pub kind: &'static str,
}

/// Endings of files that bend space, or hold several transforms.
const NOT_AFFINE: [(&str, &str); 5] = [
    (".h5", "a composite transform (HDF5)"),
    (".nii.gz", "a field of displacements"),
    (".nii", "a field of displacements"),
    (".mgz", "a field of displacements"),
    (".m3z", "a field of displacements"),
];
const TAKE_THE_AFFINE: &str = "give its affine part (ANTs: …0GenericAffine.mat; of a composite, CompositeTransformUtil --disassemble \
                               writes it), or register anew with an affine transform";

/// Reads a transform. `image`, `common`: what FLIRT's matrices need.
///
/// # Errors
/// [`TransformError`]: it cannot be read, is not affine, or lacks its images.
pub fn read(
    path: &Path,
    direction: Direction,
    image: Result<Geometry, String>,
    common: &Geometry,
) -> Result<ToCommon, TransformError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = printable(&name, PATH_CHARS);
    let lower = name.to_ascii_lowercase();
    if let Some((_, what)) = NOT_AFFINE.iter().find(|(end, _)| lower.ends_with(end)) {
        return Err(TransformError::NotAffine { file, what, remedy: TAKE_THE_AFFINE });
    }
    let unknown = |reason: &str| TransformError::Unknown { file: file.clone(), reason: reason.to_owned() };
    let bytes = regular_file::bytes(path, MOST_BYTES)
        .map_err(|e| TransformError::Unreadable { file: file.clone(), reason: e.to_string() })?;
    let itk = match itk::decode(&bytes) {
        Ok(found) => found,
        Err(itk::Fault::Several) => {
            let what = "several transforms in one file";
            return Err(TransformError::NotAffine { file, what, remedy: TAKE_THE_AFFINE });
        }
        Err(itk::Fault::Other(kind)) => return Err(unknown(&format!("its transform is {kind}"))),
        Err(itk::Fault::Damaged(why)) => return Err(unknown(why)),
    };
    let singular = || unknown("it flattens space");
    if let Some(affine_mm) = itk {
        let back = inverse(&affine_mm).ok_or_else(singular)?;
        let leads_to_common = direction.is_from_head == direction.is_of_points;
        let affine_mm = if leads_to_common { affine_mm } else { back };
        return Ok(ToCommon { affine_mm, kind: ITK });
    }
    let matrix = matrix(&bytes).ok_or_else(|| unknown("it is neither ITK's text nor four lines of four numbers"))?;
    let image = image.map_err(|reason| TransformError::NeedsImage { file: file.clone(), reason })?;
    let [input, reference] = if direction.is_from_head { [&image, common] } else { [common, &image] };
    let forward = from_flirt(&matrix, input, reference).ok_or_else(singular)?;
    let back = inverse(&forward).ok_or_else(singular)?;
    Ok(ToCommon { affine_mm: if direction.is_from_head { forward } else { back }, kind: FLIRT })
}

/// Four lines of four numbers, the last of them 0 0 0 1.
fn matrix(bytes: &[u8]) -> Option<Affine> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let row = |line: &str| -> Option<[f64; 4]> {
        let numbers: Option<Vec<f64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let rows: Option<Vec<[f64; 4]>> = lines.into_iter().map(row).collect();
    let matrix: Affine = rows?.try_into().ok()?;
    let is_affine = matrix[3] == [0.0, 0.0, 0.0, 1.0] && matrix.iter().flatten().all(|x| x.is_finite());
    is_affine.then_some(matrix)
}

/// FLIRT's matrix as it moves points of space: space of the image → its voxels → mm of FSL → mm of FSL → voxels → space.
fn from_flirt(matrix: &Affine, image: &Geometry, common: &Geometry) -> Option<Affine> {
    let to_fsl = product(&fsl(image), &inverse(&image.affine_mm)?);
    let from_fsl = product(&common.affine_mm, &inverse(&fsl(common))?);
    Some(product(&from_fsl, &product(matrix, &to_fsl)))
}

/// Voxel to mm as FSL counts them: from the first voxel, on the first axis from the last one where the image is not radiological.
fn fsl(image: &Geometry) -> Affine {
    let m = &image.affine_mm;
    let edge = |c: usize| (0..3).map(|r| m[r][c].powi(2)).sum::<f64>().sqrt();
    let column = |c: usize| [m[0][c], m[1][c], m[2][c]];
    let [a, b, c] = [column(0), column(1), column(2)];
    let volume =
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
    let mut scaled = [[0.0; 4]; 4];
    (0..3).for_each(|axis| scaled[axis][axis] = edge(axis));
    scaled[3][3] = 1.0;
    if volume > 0.0 {
        scaled[0][3] = edge(0) * (image.grid[0] as f64 - 1.0);
        scaled[0][0] = -edge(0);
    }
    scaled
}

/// The transform that does `second` after `first`.
pub(super) fn product(second: &Affine, first: &Affine) -> Affine {
    let entry = |r: usize, c: usize| (0..4).map(|k| second[r][k] * first[k][c]).sum::<f64>();
    std::array::from_fn(|r| std::array::from_fn(|c| entry(r, c)))
}

#[cfg(test)]
#[path = "transform_tests.rs"]
mod tests;
