//! Voxels of many heads in a common space: shares that are known by hand, by site and over all, and what keeps a voxel out.

#![allow(clippy::too_many_lines, reason = "a list of cases")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use requant::formats::nifti;
use requant::store::{DatasetWriter, IfExists, RunRecord, SpectrumRow};

const GRID: [usize; 3] = [91, 109, 91];
const SPACE_MM: [[f64; 4]; 4] =
    [[-2.0, 0.0, 0.0, 90.0], [0.0, 2.0, 0.0, -126.0], [0.0, 0.0, 2.0, -72.0], [0.0, 0.0, 0.0, 1.0]];

/// A row whose voxel of 40 × 20 × 20 mm has its middle there: in the space, edges lie on voxels' edges for odd numbers.
fn row(subject: &str, site: &str, middle: [f64; 3]) -> SpectrumRow {
    let [x, y, z] = middle;
    SpectrumRow {
        spectrum_id: format!("sub-{subject}/svs"),
        source_path: format!("sub-{subject}/svs.nii.gz"),
        subject: Some(subject.to_owned()),
        site: Some(site.to_owned()),
        voi: Some("acc".to_owned()),
        method: "map".to_owned(),
        voxel_affine_mm: Some(vec![40.0, 0.0, 0.0, x, 0.0, 20.0, 0.0, y, 0.0, 0.0, 20.0, z]),
        ..SpectrumRow::default()
    }
}

fn dataset(folder: &Path, rows: Vec<SpectrumRow>) {
    let mut writer = DatasetWriter::create(folder, IfExists::Refuse).unwrap();
    rows.into_iter().for_each(|row| writer.spectrum(row).unwrap());
    writer.finish(RunRecord::new("cpu", 1)).unwrap();
}

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn itk(shift_lps: [f64; 3]) -> String {
    let [x, y, z] = shift_lps;
    format!(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n\
         Parameters: 1 0 0 0 1 0 0 0 1 {x} {y} {z}\nFixedParameters: 0 0 0\n"
    )
}

fn requant(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).arg("overlap").args(arguments).output().unwrap()
}

fn lines(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|r| header.iter().map(str::to_owned).zip(r.unwrap().iter().map(str::to_owned)).collect())
        .collect()
}

struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    fn new(rows: Vec<SpectrumRow>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        dataset(&dir.path().join("results"), rows);
        let space = nifti::image(GRID, Some(&SPACE_MM), &vec![0.0; GRID.iter().product()], "space").unwrap();
        put(dir.path(), "space.nii", space);
        Self { dir }
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, transforms: &str, more: &[&str]) -> Output {
        let [results, space, transforms, out] = ["results", "space.nii", transforms, "out"].map(|name| self.at(name));
        requant(&[&[results.as_str(), "--space", &space, "--transforms", &transforms, "--out", &out], more].concat())
    }
}

fn near(line: &BTreeMap<String, String>, column: &str, value: f64) {
    let found: f64 = line[column].parse().unwrap_or_else(|_| panic!("{column}: {}", line[column]));
    assert!((found - value).abs() < 1e-6, "{column}: {found} {value}");
}

#[test]
fn shares_in_the_core_are_those_of_boxes_moved_by_hand() {
    // In the common space the middles are at x = −9, 1 and 7: the head's own places differ.
    let mut second = row("2", "a", [5.0, 1.0, 4.0]);
    second.session = Some("x".to_owned());
    let mut again = row("1", "a", [0.0, 1.0, 1.0]);
    again.method = "lcmodel".to_owned();
    let mut grid = row("1", "a", [0.0; 3]);
    (grid.source_path, grid.spectrum_id, grid.grid_i, grid.voxel_i) =
        ("sub-1/mrsi.nii.gz".to_owned(), "sub-1/mrsi".to_owned(), Some(4), Some(1));
    let mut without = row("3", "b", [0.0; 3]);
    (without.source_path, without.voxel_affine_mm) = ("sub-3/other.nii.gz".to_owned(), None);
    let case = Case::new(vec![
        row("1", "a", [0.0, 1.0, 1.0]),
        again,
        second,
        row("3", "b", [8.0, 1.0, 1.0]),
        row("4", "b", [0.0, 0.0, 0.0]),
        row("5", "b", [500.0, 0.0, 0.0]),
        row("6", "b", [0.0, 0.0, 0.0]),
        grid,
        without,
    ]);
    // Points of the space are led to the head: by 9 to the right (ITK's x goes to the left).
    put(case.dir.path(), "d/sub-1/sub-1_from-T1w_to-MNI_mode-image_xfm.txt", itk([-9.0, 0.0, 0.0]));
    put(case.dir.path(), "d/sub-2/ses-x/sub-2_ses-x_from-T1w_to-MNI_mode-image_xfm.txt", itk([-4.0, 0.0, 3.0]));
    // The way back, as points of an image: head to space.
    put(case.dir.path(), "d/sub-3/sub-3_from-MNI_to-T1w_mode-image_xfm.txt", itk([1.0, 0.0, 0.0]));
    put(case.dir.path(), "d/sub-4/sub-4_from-T1w_to-MNI_mode-image_xfm.h5", "\u{89}HDF");
    put(case.dir.path(), "d/sub-5/sub-5_from-T1w_to-MNI_mode-image_xfm.txt", itk([0.0; 3]));
    let output = case.run("d", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let voxels = lines(&case.dir.path().join("out/voxels.tsv"));
    let status: Vec<&str> = voxels.iter().map(|line| line["status"].as_str()).collect();
    let expected = [
        "ok",
        "ok",
        "ok",
        "transform_not_affine",
        "voxel_outside_space",
        "no_transform",
        "voxel_of_a_grid",
        "voxel_has_no_place",
    ];
    assert_eq!(status, expected);
    assert!(voxels[3]["reason"].contains("sub-4_from-T1w_to-MNI_mode-image_xfm.h5"), "{}", voxels[3]["reason"]);
    assert!(said.contains("1 voxels left out (transform_not_affine)"), "{said}");
    for (line, middle) in voxels.iter().zip([[-9.0, 1.0, 1.0], [1.0, 1.0, 1.0], [7.0, 1.0, 1.0]]) {
        ["x_mm", "y_mm", "z_mm"].iter().zip(middle).for_each(|(column, value)| near(line, column, value));
        near(line, "volume_ml", 16.0);
        near(line, "share_in_space", 1.0);
    }
    // Along x: −29 to 11, −19 to 21, −13 to 27. Two of three cover −19 to 21, which are edges of the space's voxels.
    let core = 40.0 * 20.0 * 20.0;
    for (line, (shared, n)) in voxels.iter().zip([(30.0 * 20.0 * 20.0, 3), (core, 3), (34.0 * 20.0 * 20.0, 3)]) {
        near(line, "n_all", f64::from(n));
        near(line, "core_share_all", shared / core);
        near(line, "dice_all", 2.0 * shared / (2.0 * core));
    }
    let groups = lines(&case.dir.path().join("out/groups.tsv"));
    let all = groups.iter().find(|line| line["site"] == "all").unwrap();
    near(all, "core_ml", 16.0);
    near(all, "n", 3.0);
    let alone = groups.iter().find(|line| line["site"] == "b").unwrap();
    near(alone, "n", 1.0);
    near(alone, "core_share_mean", 1.0);
    // The map opens as an image in the space, which no reader takes for a scanner's, and sums to the voxels' volume.
    let packed = fs::read(case.dir.path().join("out").join(&all["density_map"])).unwrap();
    let map = nifti::parse(&packed, true).unwrap();
    assert_eq!(map.grid(), GRID);
    let values: Vec<f32> = map.data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let volume: f64 = values.iter().map(|v| f64::from(*v) * 8.0).sum();
    assert!((volume - core).abs() < 1e-2, "{volume}");
    assert!(values.contains(&1.0) && values.iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn flirt_needs_the_image_and_a_table_names_both() {
    let case = Case::new(vec![row("1", "a", [0.0, 0.0, 0.0]), row("2", "a", [0.0, 0.0, 0.0])]);
    // An image of 1 mm whose first voxel is at −5, −6, −7 and is not radiological; the head goes 3, 4, 5 further.
    let head = [[1.0, 0.0, 0.0, -5.0], [0.0, 1.0, 0.0, -6.0], [0.0, 0.0, 1.0, -7.0], [0.0, 0.0, 0.0, 1.0]];
    put(case.dir.path(), "heads/T1.nii", nifti::image([10, 12, 14], Some(&head), &[0.0; 1680], "T1").unwrap());
    put(case.dir.path(), "to_mni.mat", "1 0 0 83\n0 1 0 124\n0 0 1 70\n0 0 0 1\n");
    put(
        case.dir.path(),
        "list.tsv",
        "subject\ttransform_path\timage_path\nsub-1\tto_mni.mat\theads/T1.nii\n2\tto_mni.mat\t\n",
    );
    let output = case.run("list.tsv", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("no name says which way"), "{said}");
    let voxels = lines(&case.dir.path().join("out/voxels.tsv"));
    ["x_mm", "y_mm", "z_mm"].iter().zip([3.0, 4.0, 5.0]).for_each(|(column, value)| near(&voxels[0], column, value));
    assert_eq!((voxels[0]["transform_kind"].as_str(), voxels[0]["image"].as_str()), ("flirt", "T1.nii"));
    assert_eq!(voxels[1]["status"], "transform_needs_image");
    assert!(voxels[1]["reason"].contains("image_path"), "{}", voxels[1]["reason"]);
    // Nothing is written over without a word.
    assert_eq!(case.run("list.tsv", &[]).status.code(), Some(73));
    assert!(case.run("list.tsv", &["--overwrite"]).status.success());
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_what_to_give() {
    let case = Case::new(vec![row("1", "a", [0.0, 0.0, 0.0])]);
    put(case.dir.path(), "empty/readme", "");
    put(case.dir.path(), "wrong.tsv", "subject\ttransform\n1\tx\n");
    put(case.dir.path(), "other.tsv", "subject\ttransform_path\n9\tx.txt\n");
    for (transforms, code, word) in [
        ("empty", 2, "from-T1w_to-"),
        ("wrong.tsv", 2, "transform_path"),
        ("missing.tsv", 2, "cannot be read"),
        ("other.tsv", 1, "no transform of sub-1"),
    ] {
        let output = case.run(transforms, &["--overwrite"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(word), "{said}");
    }
}
