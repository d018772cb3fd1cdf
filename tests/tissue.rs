//! Of what tissue voxels are: against exact overlaps by another program, and what must happen where there are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use requant::formats;
use requant::store::{SpectrumRow, read_table};
use requant::tissue::find::{Search, Wanted, find};
use requant::tissue::kinds::Kind;
use requant::tissue::{Measured, Segmentation, Source, Transform, VoxelBox, VoxelTissue, measure};

/// Tolerance of the cases for exact volumes.
const EXACT: f64 = 1e-5;
/// The one case whose box reaches out of the image. It is aligned with the image, so its share can be told by hand: along the
/// first axis it goes from −10.5 to 15.1 image voxels, and the image begins at −0.5. The table has 0.609607, which is off.
const PARTLY_OUTSIDE: (&str, f64) = ("fast/partly_outside_volume", 15.6 / 25.6);

fn cases() -> PathBuf {
    common::data().join("../cases/tissue")
}

/// A table of the cases: a map of columns for each line.
fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(cases().join(name)).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let line = |record: csv::StringRecord| header.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| line(record.unwrap())).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

fn voxels(path: &Path) -> Vec<Option<VoxelBox>> {
    let data = formats::read(path).unwrap();
    let [nx, ny, nz] = data.grid;
    let all = (0..nx).flat_map(|i| (0..ny).flat_map(move |j| (0..nz).map(move |k| [i, j, k])));
    all.map(|index| data.affine_mm.map(|affine_mm| VoxelBox { affine_mm, index })).collect()
}

fn source(folder: &Path) -> Source {
    let wanted = Wanted { path: Path::new("x"), subject: None, session: None, stated: None };
    find(&[wanted], &Search::At(folder.to_owned())).remove(0)
}

/// What a folder's segmentation says of a file's voxels, or the word under which rows have why not.
fn measured(folder: &Path, spectrum: &Path, first: Transform) -> Result<Measured, &'static str> {
    match source(folder) {
        Source::Files(found) => measure(&found, &voxels(spectrum), first).map_err(|e| e.flag()),
        Source::Fault(error) => Err(error.flag()),
        other => panic!("{other:?}"),
    }
}

fn check(tissue: &VoxelTissue, row: &BTreeMap<String, String>, tolerance: f64, what: &str) {
    let is = |got: Option<f64>, column: &str| match (got, number(row, column)) {
        (Some(got), Some(want)) => assert!((got - want).abs() < tolerance, "{what} {column}: {got} {want}"),
        (None, None) => {}
        (got, want) => panic!("{what} {column}: {got:?} {want:?}"),
    };
    is(tissue.fractions.map(|f| f.gm), "f_gm");
    is(tissue.fractions.map(|f| f.wm), "f_wm");
    is(tissue.fractions.map(|f| f.csf), "f_csf");
    for (got, column) in [(tissue.tissue_share, "tissue_share"), (tissue.share_in_image, "share_in_image")] {
        if what == PARTLY_OUTSIDE.0 {
            assert!((got.unwrap() - PARTLY_OUTSIDE.1).abs() < 1e-7, "{what} {column}: {got:?}");
        } else if row.contains_key(column) {
            is(got, column);
        }
    }
}

#[test]
fn fractions_of_every_kind_of_segmentation_are_exact() {
    let rows = table("expected.csv");
    let numbers: BTreeMap<&str, &BTreeMap<String, String>> =
        rows.iter().map(|row| (row["case"].as_str(), row)).collect();
    for row in &rows {
        let (case, must) = (row["case"].as_str(), row["must"].as_str());
        let folder = cases().join(row["files"].split('/').next().unwrap());
        let voxel = row["voxel"].split(" = ").last().unwrap().split(' ').next().unwrap();
        let found = measured(&folder, &cases().join(voxel), Transform::Qform);
        if let Some((_, error)) = must.split_once("error ") {
            let word = error.split([' ', '(']).next().unwrap();
            assert_eq!(found.unwrap_err(), word, "{case}");
            continue;
        }
        let found = found.unwrap_or_else(|word| panic!("{case}: {word}"));
        let [tissue] = &found.voxels[..] else { panic!("{case}: {} voxels", found.voxels.len()) };
        let flags = [
            ("voxel_outside_tissue", "voxel_outside_tissue"),
            ("voxel_partly_outside_image", "voxel_partly_outside_image"),
            ("voxel_outside_image", "voxel_outside_image"),
            ("voxel_has_no_place", "voxel_has_no_place"),
        ];
        for (flag, word) in flags {
            assert_eq!(tissue.flags.contains(&flag), must.contains(word), "{case}: {:?}", tissue.flags);
        }
        assert_eq!(found.flags.contains(&"transforms_disagree"), must.contains("flag transforms_disagree"), "{case}");
        match case.split_once(" with ") {
            // These state no numbers of their own.
            Some((base, _)) if must.starts_with("fractions as") => {
                check(tissue, numbers[base], EXACT, case);
            }
            _ if must.starts_with("null") && number(row, "share_in_image").is_none() => {
                assert_eq!((tissue.fractions, tissue.share_in_image), (None, None), "{case}");
            }
            _ => check(tissue, row, EXACT, case),
        }
        if let (Some(fractions), Some(want)) = (tissue.fractions, number(row, "gm_ratio")) {
            let ratio = fractions.gm / (fractions.gm + fractions.wm);
            assert!((ratio - want).abs() < EXACT, "{case}: {ratio} {want}");
        }
    }
}

#[test]
fn a_reoriented_image_gives_the_same_fractions() {
    let of = |folder: &str| {
        let found = measured(&cases().join(folder), &cases().join("voxel_sub01.nii.gz"), Transform::Qform).unwrap();
        found.voxels[0].fractions.unwrap()
    };
    let native = of("native_uint8");
    for folder in ["reoriented_RAS", "reoriented_LAS", "reoriented_LIP"] {
        let other = of(folder);
        let apart = [native.gm - other.gm, native.wm - other.wm, native.csf - other.csf].map(f64::abs);
        assert!(apart.iter().all(|x| *x < 1e-6), "{folder}: {apart:?}");
    }
}

#[test]
fn fractions_that_can_be_told_by_hand_are_exact() {
    for row in table("expected_analytic.csv") {
        let found = measured(&cases().join("analytic"), &cases().join(&row["voxel"]), Transform::Qform).unwrap();
        check(&found.voxels[0], &row, EXACT, &row["case"]);
        let fractions = found.voxels[0].fractions.unwrap();
        for (got, column) in [(fractions.gm, "f_gm_hand"), (fractions.wm, "f_wm_hand"), (fractions.csf, "f_csf_hand")] {
            if let Some(want) = number(&row, column) {
                assert!((got - want).abs() < 1e-6, "{} {column}: {got} {want}", row["case"]);
            }
        }
    }
}

#[test]
fn every_voxel_of_a_grid_has_its_own_fractions() {
    let found = measured(&cases().join("fast"), &cases().join("fast/grid_5x4.nii.gz"), Transform::Qform).unwrap();
    let rows = table("expected_grid_5x4.csv");
    assert_eq!(found.voxels.len(), rows.len());
    for (tissue, row) in found.voxels.iter().zip(&rows) {
        check(tissue, row, EXACT, &format!("{} {}", row["voxel_i"], row["voxel_j"]));
    }
}

#[test]
fn every_voxel_of_a_measured_grid_has_its_own_fractions() {
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(cases().join("mrsi-16x16_affine.json")).unwrap()).unwrap();
    let affine_mm = [0, 1, 2, 3].map(|r| [0, 1, 2, 3].map(|c| json["affine_ras_mm"][r][c].as_f64().unwrap()));
    let rows = table("expected_mrsi-16x16.csv");
    // Some of the 256, as a debug build takes its time.
    let rows: Vec<_> = rows.iter().skip(3).step_by(6).collect();
    let boxes: Vec<Option<VoxelBox>> = rows
        .iter()
        .map(|row| ["voxel_i", "voxel_j", "voxel_k"].map(|column| row[column].parse().unwrap()))
        .map(|index| Some(VoxelBox { affine_mm, index }))
        .collect();
    let Source::Files(segmentation) = source(&common::data().join("nifti-mrs/mrsi-16x16/brain_seg.nii.gz")) else {
        panic!("not found")
    };
    assert_eq!(segmentation.kind, Kind::FslFastLabels);
    let found = measure(&segmentation, &boxes, Transform::Qform).unwrap();
    // The table's numbers are those of 512 points in each voxel, on hard labels: each is off by some points, their mean is not.
    let (mut most, mut sum, mut n) = (0.0_f64, 0.0, 0.0);
    for (tissue, row) in found.voxels.iter().zip(&rows) {
        let what = format!("{} {}", row["voxel_i"], row["voxel_j"]);
        let (got, want) = (tissue.tissue_share.unwrap(), number(row, "tissue_share").unwrap());
        assert!((got - want).abs() < 0.02, "{what}: {got} {want}");
        assert_eq!(tissue.flags.contains(&"voxel_outside_tissue"), got < 0.9, "{what}");
        if let Some(fractions) = tissue.fractions.filter(|_| want > 0.5) {
            let off = [("f_gm", fractions.gm), ("f_wm", fractions.wm), ("f_csf", fractions.csf)]
                .map(|(column, got)| got - number(row, column).unwrap());
            most = off.iter().fold(most, |most, x| most.max(x.abs()));
            (sum, n) = (sum + off[0], n + 1.0);
        }
    }
    assert!(n > 15.0 && most < 0.02 && (sum / n).abs() < 0.002, "{n} {most} {}", sum / n);
}

/// Philips' own voxel, in files that do not say how values are stored.
#[test]
fn a_place_among_values_without_type_is_found() {
    let shared = common::data();
    for (file, edges_mm) in [
        ("philips-dicom/dynamics/dynamics.dcm", None),
        ("../cases/field/dicom-philips-implicit-vr/SVS.dcm", None),
        ("philips-dicom/raw_and_mrs/MRs.dcm", Some([25.0, 15.0, 15.0])),
    ] {
        let data = formats::read(&shared.join(file)).unwrap();
        let affine = data.affine_mm.unwrap_or_else(|| panic!("{file}: {:?}", data.remarks));
        let edges = [0, 1, 2].map(|c| (0..3).map(|r| affine[r][c].powi(2)).sum::<f64>().sqrt());
        assert!(edges.iter().all(|edge| (5.0..60.0).contains(edge)), "{file}: {edges:?}");
        if let Some(wanted) = edges_mm {
            assert!((0..3).all(|i| f64::abs(edges[i] - wanted[i]) < 1e-3), "{file}: {edges:?}");
        }
        assert_eq!(data.placed_by, Some("header"), "{file}");
    }
}

#[test]
fn which_transform_counts_is_a_setting() {
    let of = |transform| {
        measured(&cases().join("qform_sform_both_scanner_differ"), &cases().join("voxel_sub01.nii.gz"), transform)
            .unwrap()
    };
    let (qform, sform) = (of(Transform::Qform), of(Transform::Sform));
    assert!(qform.voxels != sform.voxels);
    assert!(qform.transforms_differ_mm.unwrap() > 1.0 && qform.transforms_differ_mm == sform.transforms_differ_mm);
    for (found, word) in [(qform, "the qform was taken"), (sform, "the sform was taken")] {
        assert!(found.remarks.iter().any(|remark| remark.contains(word)), "{:?}", found.remarks);
    }
}

#[test]
fn stated_fractions_are_taken_brought_to_one_or_refused() {
    let of = |name: &str| {
        let segmentation = Segmentation {
            kind: Kind::FslSegmentation,
            files: vec![cases().join("given").join(name)],
            table: None,
            shown_as: name.to_owned(),
            remarks: Vec::new(),
        };
        measure(&segmentation, &[None], Transform::Qform).map_err(|e| e.flag())
    };
    let as_is = of("segmentation.json").unwrap();
    let fractions = as_is.voxels[0].fractions.unwrap();
    assert_eq!(([fractions.gm, fractions.wm, fractions.csf], as_is.remarks.len()), ([0.3899, 0.5639, 0.0462], 0));
    let normalised = of("segmentation_sum_097.json").unwrap();
    let fractions = normalised.voxels[0].fractions.unwrap();
    assert!((fractions.gm - 0.38 / 0.97).abs() < 1e-12 && normalised.remarks.len() == 1);
    for wrong in ["segmentation_negative.json", "segmentation_percent.json", "segmentation_sum_080.json"] {
        assert_eq!(of(wrong).unwrap_err(), "bad_fractions", "{wrong}");
    }
}

/// Files of a segmentation that somebody damaged.
#[test]
fn maps_that_are_damaged_or_no_maps_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let put = |change: &dyn Fn(usize, &mut Vec<u8>)| {
        for (n, name) in ["c1T1.nii", "c2T1.nii", "c3T1.nii"].iter().enumerate() {
            let mut map = image([4, 4, 4], 16, &[0.3_f32; 64].map(f32::to_le_bytes).concat());
            // No two tissues are alike.
            map[352..356].copy_from_slice(&(0.1 * n as f32).to_le_bytes());
            change(n, &mut map);
            fs::write(folder.path().join(name), map).unwrap();
        }
        let Source::Files(found) = source(folder.path()) else { panic!("not found") };
        let mut affine_mm = [[0.0; 4]; 4];
        (0..3).for_each(|i| (affine_mm[i][i], affine_mm[i][3]) = (2.0, 1.5));
        measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).map_err(|e| e.flag())
    };
    let whole = put(&|_, _| {}).unwrap();
    assert!((whole.voxels[0].fractions.unwrap().gm - 1.0 / 3.0).abs() < 1e-6);
    type Change = dyn Fn(usize, &mut Vec<u8>);
    let changes: [(&str, &Change); 9] = [
        ("segmentation_unreadable", &|n, map| {
            if n == 1 {
                map.truncate(400)
            }
        }),
        ("segmentation_unreadable", &|n, map| {
            if n == 2 {
                map.clear()
            }
        }),
        ("segmentation_unreadable", &|_, map| map[70..72].copy_from_slice(&32_i16.to_le_bytes())),
        ("segmentation_unreadable", &|_, map| map[40..50].copy_from_slice(&[4, 0, 4, 0, 4, 0, 2, 0, 2, 0])),
        ("segmentation_has_no_place", &|_, map| map[252..256].fill(0)),
        ("segmentation_not_in_scanner_space", &|_, map| map[252..256].copy_from_slice(&[3, 0, 4, 0])),
        ("tissue_maps_differ_in_grid", &|n, map| {
            if n == 2 {
                map[268..272].copy_from_slice(&1.0_f32.to_le_bytes())
            }
        }),
        ("tissue_maps_alike", &|_, map| map[352..356].copy_from_slice(&0.1_f32.to_le_bytes())),
        ("not_probabilities", &|n, map| {
            if n == 0 {
                map[352..356].copy_from_slice(&(-5.0_f32).to_le_bytes())
            }
        }),
    ];
    for (word, change) in changes {
        assert_eq!(put(change).unwrap_err(), word);
    }
    // Three maps that are all of the voxel each.
    let all = put(&|n, map| {
        map[352..].copy_from_slice(&[1.0_f32; 64].map(f32::to_le_bytes).concat());
        map[352..356].copy_from_slice(&(0.1 * n as f32).to_le_bytes());
    });
    assert_eq!(all.unwrap_err(), "not_probabilities");
}

/// An image of NIfTI-1 with voxels of 1 mm, its qform the scanner's.
fn image(grid: [i16; 3], datatype: i16, data: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 352];
    file[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (n, extent) in [3, grid[0], grid[1], grid[2]].into_iter().enumerate() {
        file[40 + 2 * n..42 + 2 * n].copy_from_slice(&extent.to_le_bytes());
    }
    file[70..72].copy_from_slice(&datatype.to_le_bytes());
    for n in 0..4 {
        file[76 + 4 * n..80 + 4 * n].copy_from_slice(&1.0_f32.to_le_bytes());
    }
    file[108..112].copy_from_slice(&352.0_f32.to_le_bytes());
    file[252] = 1;
    file[344..348].copy_from_slice(b"n+1\0");
    file.extend_from_slice(data);
    file
}

/// FreeSurfer's own format: the same labels and place as in NIfTI give the same fractions.
#[test]
fn an_image_of_freesurfer_is_read_as_its_program_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<u8> = (0..60).map(|i| [3, 41, 4, 2][i % 4]).collect();
    let (grid, size) = ([5_usize, 4, 3], [1.0_f32, 1.5, 2.0]);
    // The first axis to the left, the second down, the third to the front, as FreeSurfer has it.
    let axes = [[-1.0_f32, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]];
    let centre = [1.0_f32, 2.0, 3.0];
    let mut mgh = vec![0; 284];
    for (n, number) in [1, 5, 4, 3, 1, 0, 0].into_iter().enumerate() {
        mgh[4 * n..4 * n + 4].copy_from_slice(&i32::to_be_bytes(number));
    }
    mgh[28..30].copy_from_slice(&1_i16.to_be_bytes());
    let floats = size.into_iter().chain(axes.into_iter().flatten()).chain(centre);
    for (n, number) in floats.enumerate() {
        mgh[30 + 4 * n..34 + 4 * n].copy_from_slice(&number.to_be_bytes());
    }
    mgh.extend(&labels);
    let mut nifti = image([5, 4, 3], 2, &labels);
    // The same place as a matrix.
    nifti[252..256].copy_from_slice(&[0, 0, 1, 0]);
    for row in 0..3 {
        let columns = [0, 1, 2].map(|c| axes[c][row] * size[c]);
        let offset = centre[row] - (0..3).map(|c| columns[c] * grid[c] as f32 / 2.0).sum::<f32>();
        for (c, number) in columns.into_iter().chain([offset]).enumerate() {
            let at = 280 + 16 * row + 4 * c;
            nifti[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
    }
    let affine_mm = [[2.0, 0.5, 0.0, 1.2], [-0.5, 2.0, 0.3, 2.4], [0.0, -0.3, 2.0, 2.6], [0.0, 0.0, 0.0, 1.0]];
    let of = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let Source::Files(found) = source(&path) else { panic!("not found") };
        measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).map_err(|e| e.flag())
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &mgh).unwrap();
    let packed = packed.finish().unwrap();
    let expected = of("aseg.nii", &nifti).unwrap().voxels;
    assert!(expected[0].fractions.is_some_and(|f| f.gm > 0.05 && f.wm > 0.05 && f.csf > 0.05), "{expected:?}");
    assert_eq!(of("aseg.mgh", &mgh).unwrap().voxels, expected);
    assert_eq!(of("aseg.mgz", &packed).unwrap().voxels, expected);
    // Cut off, without place, and of several images.
    assert_eq!(of("aseg.mgh", &mgh[..300]).unwrap_err(), "segmentation_unreadable");
    assert_eq!(of("aseg.mgz", &packed[..packed.len() / 2]).unwrap_err(), "segmentation_unreadable");
    let with = |at: usize, byte: u8| {
        let mut other = mgh.clone();
        other[at] = byte;
        of("aseg.mgh", &other).unwrap_err()
    };
    assert_eq!((with(29, 0), with(19, 2)), ("segmentation_has_no_place", "segmentation_unreadable"));
}

#[test]
fn a_voxel_is_drawn_on_an_image_in_three_planes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("voxel.svg");
    let image = cases().join("fast/T1_fast_pve_1.nii.gz");
    let draw = |voxel: &str, image: &Path, more: &[&str]| {
        let voxel = cases().join(voxel);
        let mut args = vec!["plot", "--voxel", voxel.to_str().unwrap(), "--image", image.to_str().unwrap()];
        args.extend(["--out", out.to_str().unwrap()]);
        args.extend(more);
        requant(&args)
    };
    let drawn = draw("fast/voxel_oblique.nii.gz", &image, &[]);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let svg = fs::read_to_string(&out).unwrap();
    assert_eq!((svg.matches("data:image/png").count(), svg.matches("<polyline").count()), (3, 3));
    for word in ["sagittal", "coronal", "axial", "voxel_oblique.nii.gz"] {
        assert!(svg.contains(word), "{word}");
    }
    assert!(draw("fast/grid_5x4.nii.gz", &image, &["--select", "4,3,0"]).status.success());
    assert_eq!(draw("fast/grid_5x4.nii.gz", &image, &["--select", "5,3,0"]).status.code(), Some(2));
    assert_eq!(draw("voxel_unlocalised.nii.gz", &image, &[]).status.code(), Some(1));
    assert_eq!(
        draw("voxel_sub01.nii.gz", &cases().join("no_transform/T1_fast_pve_1.nii.gz"), &[]).status.code(),
        Some(1)
    );
}

/// Every type of numbers, in both orders of bytes, scaled or not.
#[test]
fn labels_are_read_from_every_type_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("T1_seg.nii");
    let labels: Vec<u8> = (0..64).map(|i| 1 + i % 3).collect();
    let mut affine_mm = [[0.0; 4]; 4];
    (0..3).for_each(|i| (affine_mm[i][i], affine_mm[i][3]) = (4.0, 1.5));
    let of = |file: &[u8]| {
        fs::write(&path, file).unwrap();
        let Source::Files(found) = source(&path) else { panic!("not found") };
        let found = measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).unwrap();
        found.voxels[0].fractions.unwrap()
    };
    macro_rules! bytes {
        ($type:ty) => {
            labels.iter().flat_map(|label| (*label as $type).to_le_bytes()).collect::<Vec<u8>>()
        };
    }
    let all: [(i16, Vec<u8>); 10] = [
        (2, bytes!(u8)),
        (4, bytes!(i16)),
        (8, bytes!(i32)),
        (16, bytes!(f32)),
        (64, bytes!(f64)),
        (256, bytes!(i8)),
        (512, bytes!(u16)),
        (768, bytes!(u32)),
        (1024, bytes!(i64)),
        (1280, bytes!(u64)),
    ];
    // 22 of 64 voxels are the first label.
    let expected = [21.0 / 64.0, 21.0 / 64.0, 22.0 / 64.0];
    for (datatype, data) in all {
        let mut file = image([4, 4, 4], datatype, &data);
        let got = of(&file);
        let is = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{datatype}: {got} {want}");
        is(got.gm, expected[0]);
        is(got.wm, expected[1]);
        is(got.csf, expected[2]);
        // With a slope that changes nothing, and the other order of bytes.
        let size = data.len() / 64;
        file[112..116].copy_from_slice(&1.0_f32.to_le_bytes());
        let swapped = big_endian(&file, size);
        assert_eq!(of(&swapped), got, "{datatype}");
    }
}

/// The same file with its bytes in the other order.
fn big_endian(file: &[u8], element: usize) -> Vec<u8> {
    let mut swapped = file.to_vec();
    let mut turn = |from: usize, size: usize, n: usize| {
        (0..n).for_each(|i| swapped[from + i * size..from + (i + 1) * size].reverse());
    };
    turn(0, 4, 1);
    turn(40, 2, 8);
    turn(70, 2, 1);
    turn(76, 4, 8);
    turn(108, 4, 3);
    turn(252, 2, 2);
    turn(256, 4, 18);
    turn(352, element, 64);
    swapped
}

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).env_remove("SLURM_ARRAY_TASK_ID").output().unwrap()
}

/// The rows of a run, which are not fitted: there is no basis set for their headers.
fn rows(input: &Path, more: &[&str]) -> Vec<SpectrumRow> {
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("out");
    let mut args = vec!["run", input.to_str().unwrap(), "--engine", "cpu", "--out", to.to_str().unwrap()];
    args.extend(more);
    let output = requant(&args);
    read_table(&to).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}

/// A dataset of two subjects, each with a voxel and the maps of its head in derivatives.
fn dataset() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("dataset_description.json"), r#"{"Name": "x", "BIDSVersion": "1.10.0"}"#).unwrap();
    copy(&cases().join("voxel_sub01.nii.gz"), &dir.path().join("sub-01/mrs/sub-01_svs.nii.gz"));
    copy(&cases().join("spm_sub02/voxel_sub02.nii.gz"), &dir.path().join("sub-02/mrs/sub-02_svs.nii.gz"));
    for tissue in ["GM", "WM", "CSF"] {
        let name = format!("sub-01_label-{tissue}_probseg.nii.gz");
        copy(&cases().join("bids_probseg").join(&name), &dir.path().join("derivatives/prep/sub-01/anat").join(&name));
    }
    for map in ["c1", "c2", "c3"] {
        let name = format!("{map}sub-02_T1w.nii.gz");
        copy(&cases().join("spm_sub02").join(&name), &dir.path().join("derivatives/spm/sub-02").join(&name));
    }
    dir
}

#[test]
fn a_run_finds_the_maps_of_each_subject_in_the_derivatives() {
    let dir = dataset();
    let found = rows(dir.path(), &[]);
    let of = |subject: &str| found.iter().find(|row| row.subject.as_deref() == Some(subject)).unwrap();
    let (one, two) = (of("01"), of("02"));
    assert!((one.f_gm.unwrap() - 0.389833).abs() < EXACT && (two.f_gm.unwrap() - 0.422702).abs() < EXACT);
    assert!((one.f_gm.unwrap() + one.f_wm.unwrap() + one.f_csf.unwrap() - 1.0).abs() < 1e-12);
    assert!((one.gm_ratio.unwrap() - one.f_gm.unwrap() / (one.f_gm.unwrap() + one.f_wm.unwrap())).abs() < 1e-12);
    assert_eq!(
        (one.segmentation_kind.as_deref(), two.segmentation_kind.as_deref()),
        (Some("bids_probseg"), Some("spm"))
    );
    assert_eq!(two.segmentation_path.as_deref(), Some("derivatives/spm/sub-02/c1sub-02_T1w.nii.gz"));
    assert_eq!(two.segmentation_sha256.as_ref().unwrap().len(), 64);
    assert!((one.voxel_ml.unwrap() - 20.28).abs() < 1e-3);
    assert_eq!((one.voxel_placed_by.as_deref(), one.share_in_image), (Some("qform"), Some(1.0)));
    for row in rows(dir.path(), &["--tissue", "none"]) {
        assert_eq!((row.f_gm, row.segmentation_kind), (None, None));
        assert!(row.voxel_ml.is_some());
    }
}

#[test]
fn a_segmentation_of_another_subject_does_not_pass() {
    let dir = dataset();
    // The second subject's maps under the first one's name.
    let folder = dir.path().join("derivatives/prep/sub-01/anat");
    for (tissue, map) in [("GM", "c1"), ("WM", "c2"), ("CSF", "c3")] {
        let to = folder.join(format!("sub-01_label-{tissue}_probseg.nii.gz"));
        copy(&cases().join(format!("spm_sub02/{map}sub-02_T1w.nii.gz")), &to);
    }
    // As far away as heads are that lay otherwise.
    let voxel = dir.path().join("sub-01/mrs/sub-01_svs.nii.gz");
    copy(&cases().join("fast/voxel_outside_volume.nii.gz"), &voxel);
    let found = rows(&dir.path().join("sub-01"), &[]);
    let [row] = &found[..] else { panic!("{} rows", found.len()) };
    let is_told = row.qc_flags.iter().any(|f| ["voxel_outside_image", "voxel_outside_tissue"].contains(&f.as_str()));
    assert!(is_told, "{:?} {:?}", row.qc_flags, row.f_gm);
    // And by its name: nothing is taken that is called another's.
    fs::remove_dir_all(dir.path().join("derivatives/prep")).unwrap();
    let found = rows(&dir.path().join("sub-01"), &["--tissue", dir.path().join("derivatives").to_str().unwrap()]);
    assert!(
        found[0].f_gm.is_none() && found[0].qc_flags.contains(&"no_segmentation".to_owned()),
        "{:?}",
        found[0].qc_flags
    );
}

#[test]
fn a_manifest_names_segmentations_or_states_fractions() {
    let dir = dataset();
    let line = |subject: &str, more: &str| format!("sub-{subject}/mrs/sub-{subject}_svs.nii.gz,{more}\n");
    let write = |name: &str, columns: &str, lines: &[String]| {
        let path = dir.path().join(name);
        fs::write(&path, format!("path,{columns}\n{}", lines.concat())).unwrap();
        rows(&path, &[])
    };
    let named = write(
        "named.csv",
        "segmentation_path",
        &[line("01", "derivatives/prep/sub-01/anat/sub-01_label-WM_probseg.nii.gz"), line("02", "derivatives/spm")],
    );
    assert!((named[0].f_gm.unwrap() - 0.389833).abs() < EXACT && (named[1].f_gm.unwrap() - 0.422702).abs() < EXACT);
    let lost = write("lost.csv", "segmentation_path", &[line("01", "none/here.nii.gz")]);
    assert!(
        lost[0].f_gm.is_none() && lost[0].qc_flags.contains(&"segmentation_unreadable".to_owned()),
        "{:?}",
        lost[0].qc_flags
    );
    let stated = write("stated.csv", "f_gm,f_wm,f_csf", &[line("01", "0.5,0.3,0.2"), line("02", "0.5,0.3,0.12")]);
    assert_eq!((stated[0].f_gm, stated[0].segmentation_kind.as_deref()), (Some(0.5), Some("manifest")));
    assert!((stated[1].f_gm.unwrap() - 0.5 / 0.92).abs() < 1e-12);
    assert!(stated[1].warnings.iter().any(|w| w.contains("brought to 1")), "{:?}", stated[1].warnings);
    for wrong in ["50,30,20", "0.5,0.3,", "0.4,0.3,0.1", "0.6,0.5,-0.1", "a,0.5,0.5"] {
        let refused = write("wrong.csv", "f_gm,f_wm,f_csf", &[line("01", wrong)]);
        assert_eq!(refused[0].error_code.as_deref(), Some("manifest_line"), "{wrong}");
    }
}

#[test]
fn a_changed_map_is_no_old_result() {
    let dir = dataset();
    let out = dir.path().join("../").join(format!("{}-out", dir.path().file_name().unwrap().to_string_lossy()));
    let (input, to) = (dir.path().to_str().unwrap(), out.to_str().unwrap());
    let args = ["run", input, "--engine", "cpu", "--out", to];
    let first = requant(&args);
    assert!(out.join("run.json").is_file(), "{}", String::from_utf8_lossy(&first.stderr));
    let again = [&args[..], &["--resume"]].concat();
    let same = requant(&again);
    assert!(
        String::from_utf8_lossy(&same.stdout).contains("complete already"),
        "{}",
        String::from_utf8_lossy(&same.stderr)
    );
    // The same spectra, other maps.
    let maps = dir.path().join("derivatives/spm/sub-02");
    copy(&maps.join("c3sub-02_T1w.nii.gz"), &maps.join("c1sub-02_T1w.nii.gz"));
    let changed = requant(&again);
    let told = String::from_utf8_lossy(&changed.stderr).into_owned();
    assert!(!changed.status.success() && told.contains("sub-02"), "{told}");
    // Nor is another search.
    let other = requant(&[&again[..], &["--tissue", "none"]].concat());
    assert!(!other.status.success() && String::from_utf8_lossy(&other.stderr).contains("--tissue"));
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_grid_has_a_row_a_voxel_with_its_own_fractions() {
    let maps = cases().join("fast");
    let found = rows(&maps.join("grid_5x4.nii.gz"), &["--tissue", maps.to_str().unwrap()]);
    let expected = table("expected_grid_5x4.csv");
    assert_eq!(found.len(), expected.len());
    for row in &found {
        let at = [row.voxel_i, row.voxel_j, row.voxel_k].map(|i| i.unwrap().to_string());
        let wanted = expected.iter().find(|r| ["voxel_i", "voxel_j", "voxel_k"].map(|c| r[c].clone()) == at).unwrap();
        assert!((row.f_gm.unwrap() - number(wanted, "f_gm").unwrap()).abs() < EXACT, "{at:?}");
    }
}

#[test]
fn a_voxel_of_ten_metres_or_without_place_has_no_fractions() {
    let maps = cases().join("native_uint8");
    for (file, word) in [("voxel_sub01_no_place", "neither qform nor sform"), ("voxel_unlocalised", "edges")] {
        let found = rows(&cases().join(format!("{file}.nii.gz")), &["--tissue", maps.to_str().unwrap()]);
        let row = &found[0];
        assert_eq!((row.f_gm, row.voxel_ml, row.voxel_placed_by.as_ref()), (None, None, None), "{file}");
        assert!(row.qc_flags.contains(&"voxel_has_no_place".to_owned()), "{file}: {:?}", row.qc_flags);
        assert!(row.warnings.iter().any(|w| w.contains(word)), "{file}: {:?}", row.warnings);
    }
    // Two transforms that differ, and the matrix alone.
    for (file, flag, word) in [
        ("voxel_sub01_qform_sform_differ", true, "the qform was taken"),
        ("voxel_sub01_sform_only", false, "from the sform"),
    ] {
        let found = rows(&cases().join(format!("{file}.nii.gz")), &["--tissue", maps.to_str().unwrap()]);
        assert!((found[0].f_gm.unwrap() - 0.389833).abs() < EXACT, "{file}");
        assert_eq!(found[0].qc_flags.contains(&"transforms_disagree".to_owned()), flag, "{file}");
        assert!(found[0].warnings.iter().any(|w| w.contains(word)), "{file}: {:?}", found[0].warnings);
    }
}

#[test]
fn a_folder_that_is_not_there_ends_the_command() {
    let output = requant(&[
        "run",
        cases().join("voxel_sub01.nii.gz").to_str().unwrap(),
        "--out",
        "/tmp/never",
        "--tissue",
        "nowhere",
    ]);
    assert_eq!(output.status.code(), Some(66));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere"));
}
