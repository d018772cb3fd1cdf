//! Voxels on images of the head: whose image is taken, and where the voxel is drawn on it.

use std::fs;
use std::path::Path;

use requant::page::{self, Images, PageOptions, SubjectOptions};
use requant::store::{DatasetWriter, IfExists, RunRecord};
use serde_json::Value;

use super::{detail, json, options, synthetic};

const GRID: [usize; 3] = [60, 70, 64];
/// Lower corner and edges of the voxel, in voxels of the image.
const FROM: [usize; 3] = [20, 10, 30];
const EDGES: [usize; 3] = [20, 30, 16];

/// An image of 1 mm whose first voxel is at −30, −40, −20 mm: bright where the voxel is, grey around it, black at the edges.
fn image(path: &Path) {
    let mut file = vec![0; 352];
    file[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (n, extent) in [3, GRID[0], GRID[1], GRID[2]].into_iter().enumerate() {
        file[40 + 2 * n..42 + 2 * n].copy_from_slice(&i16::try_from(extent).unwrap().to_le_bytes());
    }
    (file[70], file[72], file[252]) = (2, 8, 1);
    for n in 0..4 {
        file[76 + 4 * n..80 + 4 * n].copy_from_slice(&1.0_f32.to_le_bytes());
    }
    file[108..112].copy_from_slice(&352.0_f32.to_le_bytes());
    for (n, mm) in [-30.0_f32, -40.0, -20.0].into_iter().enumerate() {
        file[268 + 4 * n..272 + 4 * n].copy_from_slice(&mm.to_le_bytes());
    }
    file[344..348].copy_from_slice(b"n+1\0");
    for at in 0..GRID.iter().product() {
        let cell = [at % GRID[0], at / GRID[0] % GRID[1], at / (GRID[0] * GRID[1])];
        let is_in = (0..3).all(|n| (FROM[n]..FROM[n] + EDGES[n]).contains(&cell[n]));
        let is_edge = (0..3).any(|n| cell[n] < 4 || cell[n] + 4 >= GRID[n]);
        file.push(if is_in { 200 } else { u8::from(!is_edge) * 40 });
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file).unwrap();
}

/// Rows of three people, of whom the second has a voxel without place.
fn dataset(folder: &Path) {
    let mut writer = DatasetWriter::create(folder, IfExists::Refuse).unwrap();
    for i in 0..3 {
        let mut row = synthetic::spectrum(i, 1, "map");
        let middle = [0, 1, 2].map(|n| [-30.0, -40.0, -20.0][n] + FROM[n] as f64 + 0.5 * (EDGES[n] as f64 - 1.0));
        let line = |n: usize| {
            (0..4).map(move |c| {
                if c == 3 {
                    middle[n]
                } else if c == n {
                    EDGES[n] as f64
                } else {
                    0.0
                }
            })
        };
        row.voxel_affine_mm = (i != 1).then(|| (0..3).flat_map(line).collect());
        writer.spectrum(row).unwrap();
    }
    writer.finish(RunRecord::new("cpu", 1)).unwrap();
}

/// A plane of a piece: the grey of each pixel from the top left.
struct Plane {
    name: String,
    greys: Vec<u8>,
    extents: [usize; 2],
    outline: Vec<[f64; 2]>,
}

fn planes(piece: &Value) -> Vec<Plane> {
    let (head, bytes) = detail(piece.as_str().unwrap());
    let n = usize::try_from(head["voxel"]["bytes"].as_u64().unwrap()).unwrap();
    let mut left = &bytes[bytes.len() - n..];
    let plane = |plane: &Value| {
        let extents: [usize; 2] = serde_json::from_value(plane["extents"].clone()).unwrap();
        let (own, rest) = left.split_at(extents[0] * extents[1]);
        left = rest;
        let row = |row: &[u8]| {
            let add = |last: &mut u8, d: &u8| {
                *last = last.wrapping_add(*d);
                Some(*last)
            };
            row.iter().scan(0_u8, add).collect::<Vec<u8>>()
        };
        let greys = own.chunks_exact(extents[0]).flat_map(row).collect();
        let outline = serde_json::from_value(plane["outline"].clone()).unwrap();
        Plane { name: plane["name"].as_str().unwrap().to_owned(), greys, extents, outline }
    };
    let found = head["voxel"]["planes"].as_array().unwrap().iter().map(plane).collect();
    assert!(left.is_empty());
    found
}

#[test]
fn voxels_are_drawn_where_they_are_and_on_nobody_elses_head() {
    let (results, bids) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    dataset(results.path());
    image(&bids.path().join("sub-0000/anat/sub-0000_T1w.nii"));
    image(&bids.path().join("sub-0001/anat/sub-0001_T1w.nii"));
    image(&bids.path().join("sub-0007/anat/sub-0007_T1w.nii"));
    let images = Images { places: vec![bids.path().to_owned()], ..Images::default() };
    let options = PageOptions { images, ..options() };
    let files = page::write(results.path(), &results.path().join("report.html"), &options).unwrap();
    let inside = json(&fs::read_to_string(&files[0]).unwrap(), "inside");
    // The second has no place, of the third no image is there.
    for row in ["1", "2"] {
        assert!(detail(inside[row].as_str().unwrap()).0["voxel"].is_null(), "{row}");
    }
    let comparison = page::Comparison::read(results.path()).unwrap();
    let of_subject = SubjectOptions { images: options.images.clone(), ..SubjectOptions::default() };
    for (subject, n) in [("0000", 3), ("0001", 0), ("0002", 0)] {
        let out = results.path().join(format!("sub-{subject}.html"));
        page::write_subject(results.path(), subject, &comparison, &out, &of_subject).unwrap();
        let page = fs::read_to_string(&out).unwrap();
        assert_eq!(page.matches("href=\"data:image/png").count(), n, "{subject}");
        assert_eq!(page.contains("<h3>Voxel</h3>"), n > 0, "{subject}");
    }
    let across = [("sagittal", [1, 2]), ("coronal", [0, 2]), ("axial", [0, 1])];
    for (Plane { name, greys, extents, outline }, (plane, axes)) in planes(&inside["0"]).into_iter().zip(across) {
        assert_eq!((name.as_str(), extents), (plane, axes.map(|axis| GRID[axis] / 2)));
        // Two image voxels are a pixel; rows go down.
        let ends = axes.map(|axis| [FROM[axis] as f64 / 2.0, (FROM[axis] + EDGES[axis]) as f64 / 2.0]);
        let (left, right) = (ends[0][0], ends[0][1]);
        let (top, bottom) = (extents[1] as f64 - ends[1][1], extents[1] as f64 - ends[1][0]);
        let extreme = |n: usize, pick: fn(f64, f64) -> f64, from: f64| outline.iter().map(|p| p[n]).fold(from, pick);
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        let box_of = [
            extreme(0, f64::min, least),
            extreme(0, f64::max, most),
            extreme(1, f64::min, least),
            extreme(1, f64::max, most),
        ];
        for (found, want) in box_of.into_iter().zip([left, right, top, bottom]) {
            assert!((found - want).abs() <= 0.051, "{name}: {box_of:?}");
        }
        for (at, grey) in greys.iter().enumerate() {
            let [x, y] = [at % extents[0], at / extents[0]].map(|i| i as f64);
            let is_in = x >= left && x + 1.0 <= right && y >= top && y + 1.0 <= bottom;
            assert_eq!(*grey == 63, is_in, "{name} {x} {y}: {grey}");
        }
    }
}

#[test]
fn an_image_that_cannot_be_read_is_told_on_the_page() {
    let (results, bids) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    dataset(results.path());
    fs::create_dir_all(bids.path().join("sub-0000")).unwrap();
    fs::write(bids.path().join("sub-0000/sub-0000_T1w.nii"), "no image").unwrap();
    let images = Images { places: vec![bids.path().to_owned()], ..Images::default() };
    let options = PageOptions { images, ..options() };
    let files = page::write(results.path(), &results.path().join("report.html"), &options).unwrap();
    let page = fs::read_to_string(&files[0]).unwrap();
    assert!(page.contains("no voxel is drawn on sub-0000_T1w.nii"), "the page does not say why");
}
