//! How many samples an object holds, and its samples as they are stored.

use dicom_object::InMemDicomObject;
use num_complex::Complex64;

use super::csa::Csa;
use super::error::DecodeError;
use super::tags::{COLUMNS, FRAMES, POINT_COLUMNS, ROWS};
use super::values::number;
use crate::acquisition::Samples;
use crate::formats::bytes::{Bytes, FileBytes, Order};

/// What a header says about the samples.
pub(super) struct Size {
    pub(super) points: usize,
    /// Columns and rows.
    pub(super) grid: [usize; 2],
    pub(super) frames: usize,
}

/// Of a standard object, else of Siemens' private one.
pub(super) fn size_of(object: &InMemDicomObject) -> Option<Size> {
    let count = |n: Option<f64>| n.filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize);
    let extent = |n: Option<f64>| count(n).unwrap_or(1);
    if let Some(points) = count(number(object, POINT_COLUMNS)) {
        let grid = [COLUMNS, ROWS].map(|tag| extent(number(object, tag)));
        return Some(Size { points, grid, frames: extent(number(object, FRAMES)) });
    }
    let csa = Csa::of(object)?;
    let grid = ["Columns", "Rows"].map(|name| extent(csa.number(name)));
    Some(Size { points: count(csa.number("DataPointColumns"))?, grid, frames: extent(csa.number("NumberOfFrames")) })
}

/// `rows` of `points` samples as they are stored.
pub(super) fn samples(bytes: &[u8], rows: usize, points: usize) -> Result<FileBytes, DecodeError> {
    let got = bytes.len() / 8;
    let needed = rows.saturating_mul(points);
    if got < needed || needed == 0 {
        return Err(DecodeError::Truncated { got, needed });
    }
    Ok(FileBytes::from(&bytes[..8 * needed]))
}

/// One row of `points` samples.
pub(super) fn row(bytes: &[u8], row: usize, points: usize) -> impl Iterator<Item = Complex64> + '_ {
    let bytes = Bytes::new(bytes, Order::Little);
    (row * points..(row + 1) * points).map(move |i| bytes.complex32(8 * i).unwrap_or_default())
}

/// Samples of `points` points, frame by frame, each frame a plane of voxels.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) bytes: FileBytes,
    pub(super) points: usize,
    /// Voxels of a frame.
    pub(super) plane: usize,
    /// Whether they are the conjugate of our convention.
    pub(super) is_conjugate: bool,
}

impl Stored {
    fn fid(&self, number: usize) -> Vec<Complex64> {
        let samples = row(&self.bytes, number, self.points);
        if self.is_conjugate { samples.map(|z| z.conj()).collect() } else { samples.collect() }
    }

    /// Frames as the slices of a grid, one transient each.
    pub(super) fn slices(&self, frames: Vec<usize>) -> Samples {
        let stored = self.clone();
        Samples::stored([frames.len() * self.plane, 1, 1, 1, self.points], move |[voxel, ..]| {
            stored.fid(frames[voxel / stored.plane] * stored.plane + voxel % stored.plane)
        })
    }

    /// Frames of a single voxel by conditions, as many of each.
    pub(super) fn transients(&self, conditions: Vec<Vec<usize>>) -> Samples {
        let stored = self.clone();
        let transients = conditions.first().map_or(0, Vec::len);
        Samples::stored([1, conditions.len(), transients, 1, self.points], move |[_, condition, transient, _]| {
            stored.fid(conditions[condition][transient])
        })
    }

    /// Mean size of the first points of a frame.
    pub(super) fn height(&self, frame: usize) -> f64 {
        const POINTS: usize = 16;
        let n = self.points.clamp(1, POINTS);
        row(&self.bytes, frame * self.plane, self.points).take(n).map(|z| z.norm()).sum::<f64>() / n as f64
    }
}
