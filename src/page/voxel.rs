//! Voxels on images of the head: small pictures of three planes, which a row's piece holds behind its curves.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::spectra::Spectra;
use crate::printable::{PATH_CHARS, printable};
use crate::report::planes::{PLANES, Plane, Slices, slices};
use crate::store::SpectrumRow;
use crate::tissue::anatomy::Anatomy;
use crate::tissue::place::Affine;
use crate::tissue::{Transform, VoxelBox};

/// Where images of the head are looked for.
#[derive(Debug, Clone, Default)]
pub struct Images {
    /// Folders, and images.
    pub places: Vec<PathBuf>,
    /// Which of an image's transforms counts where both are the scanner's and disagree.
    pub transform: Transform,
}

/// Most rows with pictures (some 10 kB each): of more every second, third …
const MOST_PICTURES: usize = 1024;
/// Voxels that are cut out of an image in one pass over it: what is kept for each of their pixels fits into some 60 MB.
const PER_PASS: usize = 8;
/// Points of a plane in a pixel of the picture, along each axis.
const COARSER: usize = 2;
/// Greys of a picture: more cost bytes and show noise.
const LEVELS: f64 = 63.0;

/// A voxel on an image.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) head: Head,
    /// Greys of the planes, one after the other, from the top left; each row as differences from left to right.
    pub(super) bytes: Vec<u8>,
}

/// What tells the bytes apart.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Head {
    image: String,
    most: f64,
    bytes: usize,
    planes: Vec<PlaneHead>,
}

#[derive(Debug, Clone, Serialize)]
struct PlaneHead {
    name: &'static str,
    /// Place of the plane along the axis that it cuts (mm).
    at_mm: f64,
    ends: [&'static str; 2],
    /// Pixels across and down.
    extents: [usize; 2],
    /// Of the voxel (pixels from the top left).
    outline: Vec<[f64; 2]>,
}

/// What became of the pictures.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    pub(super) of_row: BTreeMap<usize, Picture>,
    /// Why some are missing.
    pub(super) notes: Vec<String>,
}

/// The pictures of the rows whose voxel has a place, and for whose head an image is found.
pub(super) fn read(spectra: &Spectra, images: &Images) -> Pictures {
    let anatomy = Anatomy::find(&images.places);
    let heads: HashSet<Option<&str>> = spectra.rows.iter().map(|s| s.row.subject.as_deref()).collect();
    let mut image_of: HashMap<_, Option<&Path>> = HashMap::new();
    let mut of_image: BTreeMap<&Path, Vec<(usize, VoxelBox)>> = BTreeMap::new();
    let placed: Vec<(usize, &Path, VoxelBox)> = (0..spectra.rows.len())
        .filter_map(|row| {
            let spectrum = &spectra.rows[row];
            let of = (spectrum.row.subject.as_deref(), spectrum.row.session.as_deref());
            let image = *image_of.entry(of).or_insert_with(|| anatomy.of(of.0, of.1, heads.len() == 1));
            Some((row, image?, voxel_of(&spectrum.row)?))
        })
        .collect();
    let stride = placed.len().div_ceil(MOST_PICTURES).max(1);
    for &(row, image, voxel) in placed.iter().step_by(stride) {
        of_image.entry(image).or_default().push((row, voxel));
    }
    let all: Vec<Pictures> = of_image.into_par_iter().map(|(image, rows)| of_one(image, &rows, images)).collect();
    let mut found = Pictures::default();
    for one in all {
        found.of_row.extend(one.of_row);
        found.notes.extend(one.notes);
    }
    if stride > 1 {
        let n = placed.len();
        found
            .notes
            .push(format!("the voxel of every {stride}th of {n} rows is drawn; `requant plot --voxel` draws any"));
    }
    found
}

/// Where a row's voxel is.
pub(super) fn voxel_of(row: &SpectrumRow) -> Option<VoxelBox> {
    let [a, b, c] = row.voxel_affine_mm.as_deref()?.as_chunks::<4>().0 else { return None };
    let affine_mm: Affine = [*a, *b, *c, [0.0, 0.0, 0.0, 1.0]];
    let index = [row.voxel_i, row.voxel_j, row.voxel_k].map(|i| i.unwrap_or(0) as usize);
    affine_mm.iter().flatten().all(|x| x.is_finite()).then_some(VoxelBox { affine_mm, index })
}

/// The pictures of one image; rows of one voxel share theirs.
fn of_one(image: &Path, rows: &[(usize, VoxelBox)], images: &Images) -> Pictures {
    let name = printable(&image.file_name().unwrap_or_default().to_string_lossy(), PATH_CHARS);
    let key = |voxel: &VoxelBox| (voxel.affine_mm.map(|row| row.map(f64::to_bits)), voxel.index);
    let mut place = HashMap::new();
    let mut voxels = Vec::new();
    for (_, voxel) in rows {
        place.entry(key(voxel)).or_insert_with(|| {
            voxels.push(*voxel);
            voxels.len() - 1
        });
    }
    let mut made = Vec::new();
    for some in voxels.chunks(PER_PASS) {
        match slices(image, some, images.transform) {
            Ok(found) => made.extend(found.iter().map(|slices| picture(slices, &name))),
            Err(error) => {
                return Pictures { notes: vec![format!("no voxel is drawn on {error}")], ..Pictures::default() };
            }
        }
    }
    let of_row = rows.iter().filter_map(|(row, voxel)| Some((*row, made.get(*place.get(&key(voxel))?)?.clone())));
    Pictures { of_row: of_row.collect(), notes: Vec::new() }
}

fn picture(slices: &Slices, image: &str) -> Picture {
    let window = slices.window();
    let mut bytes = Vec::new();
    let planes = slices.planes.iter().zip(PLANES).map(|(plane, (name, axis, _, ends))| {
        let extents = plane.extents.map(|n| (n / COARSER).max(1));
        bytes.extend(greys(plane, extents, window));
        let height = plane.extents[1] as f64;
        let on_picture = |point: &[f64; 3]| {
            let [x, y] = plane.pixels(point);
            [x, height - y].map(|at| (10.0 * at / COARSER as f64).round() / 10.0)
        };
        let outline = slices.outline(plane).iter().map(on_picture).collect();
        PlaneHead { name, at_mm: slices.middle[axis].round(), ends, extents, outline }
    });
    let planes = planes.collect();
    Picture { head: Head { image: image.to_owned(), most: LEVELS, bytes: bytes.len(), planes }, bytes }
}

/// Means of blocks of pixels, as differences along their rows, the uppermost row first.
fn greys(plane: &Plane, extents: [usize; 2], [dark, white]: [f64; 2]) -> Vec<u8> {
    let width = plane.extents[0];
    let mut all = Vec::with_capacity(extents[0] * extents[1]);
    for y in 0..extents[1] {
        let mut last = 0_u8;
        for x in 0..extents[0] {
            let block = (0..COARSER * COARSER).filter_map(|n| {
                let [dx, dy] = [n % COARSER, n / COARSER];
                // Its pixels from the top: where the height is odd the lowest row is left out.
                let row = plane.extents[1].checked_sub(1 + COARSER * y + dy)?;
                let column = COARSER * x + dx;
                (column < width).then(|| plane.values.get(row * width + column).copied())?
            });
            let (sum, n) = block.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
            let mean = sum / n.max(1) as f64;
            let part = (mean - dark) / (white - dark).max(f64::MIN_POSITIVE);
            let grey = (LEVELS * part.clamp(0.0, 1.0)).round() as u8;
            all.push(grey.wrapping_sub(last));
            last = grey;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_are_means_of_blocks_from_the_top() {
        // Five across and four up: the last column has no partner and is left out.
        let values: Vec<f64> = (0..20).map(f64::from).collect();
        let plane = Plane { axis: 2, across: [0, 1], from: [0.0; 2], extents: [5, 4], values };
        let greys = greys(&plane, [2, 2], [0.0, LEVELS]);
        // Rows 2 and 3 from below are the upper ones: means of 10 11 15 16 and of 12 13 17 18.
        assert_eq!(greys, [13, 2, 3, 2]);
    }
}
