//! The command with segmentations: derivatives, manifests, grids, changed maps, drawings.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use requant::store::{SpectrumRow, read_table};

use super::{EXACT, cases, number, table};

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
    assert_eq!((svg.matches("data:image/png").count(), svg.matches("<path").count()), (3, 3));
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
