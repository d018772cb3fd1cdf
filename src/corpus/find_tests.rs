//! Which water reference a spectrum gets, where names and sidecars contradict.

use std::fs;

use super::*;
use crate::acquisition::FileKind;

/// A folder of empty files; those of NIfTI are spectra.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        write(dir.path(), file, "");
    }
    dir
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn look(path: &Path) -> FileKind {
    if path.to_string_lossy().ends_with(".nii.gz") { FileKind::Spectrum } else { FileKind::Other }
}

/// `name -> water` of each row, by the names of the files: `-` for none, the code where it is refused.
fn rows(input: &Path) -> (Vec<String>, Listing) {
    let listing = find(&[input.to_owned()], &look).unwrap();
    let name = |path: &str| path.rsplit('/').next().unwrap().replace(".nii.gz", "").replace("sub-01_", "");
    let row = |found: &Found| {
        let water = match (found.refusal(), &found.water_source_path) {
            (Some(refusal), _) => refusal.code.to_owned(),
            (None, Some(water)) => name(water),
            (None, None) => "-".to_owned(),
        };
        format!("{} -> {water}", name(&found.source_path))
    };
    (listing.found.iter().map(row).collect(), listing)
}

fn rows_of(names: &[&str]) -> Vec<String> {
    let files: Vec<String> = names.iter().map(|name| format!("sub-01/mrs/sub-01_{name}.nii.gz")).collect();
    let dir = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
    rows(dir.path()).0
}

#[test]
fn the_water_of_another_voxel_is_not_taken() {
    for key in ["vox", "loc", "desc", "Voxel", "voi"] {
        let name = |rest: &str| format!("{key}-{rest}");
        let files = [name("ACC_svs"), name("OCC_mrsref"), name("OCC_svs")];
        let expected = [format!("{key}-ACC_svs -> -"), format!("{key}-OCC_svs -> {key}-OCC_mrsref")];
        assert_eq!(rows_of(&files.each_ref().map(String::as_str)), expected);
        let alone = [format!("{key}-ACC_svs -> -"), format!("{key}-OCC_mrsref -> water_reference")];
        assert_eq!(rows_of(&files[..2].iter().map(String::as_str).collect::<Vec<_>>()), alone);
    }
    // What has more of the spectrum's labels is nearer; what is stated once contradicts nothing.
    assert_eq!(rows_of(&["vox-ACC_svs", "vox-ACC_mrsref", "mrsref"])[1], "vox-ACC_svs -> vox-ACC_mrsref");
    assert_eq!(rows_of(&["vox-ACC_svs", "mrsref"]), ["vox-ACC_svs -> mrsref"]);
    assert_eq!(rows_of(&["svs", "desc-w_mrsref"]), ["svs -> desc-w_mrsref"]);
    assert_eq!(rows_of(&["vox-ACC_svs", "vox-OCC_ref"])[0], "vox-ACC_svs -> -");
}

#[test]
fn the_water_of_another_acquisition_is_taken_where_no_other_spectrum_has_its_label() {
    let files = ["sub-01/mrs/sub-01_acq-press_svs.nii.gz", "sub-01/mrs/sub-01_acq-water_mrsref.nii.gz"];
    let dir = folder(&files);
    let (found, listing) = rows(dir.path());
    assert_eq!(found, ["acq-press_svs -> acq-water_mrsref"]);
    let [FindWarning::OtherAcquisition { water, n: 1, .. }] = &listing.warnings[..] else {
        panic!("{:?}", listing.warnings)
    };
    assert_eq!(water, "sub-01_acq-water_mrsref.nii.gz");
    // Another run's spectrum says as well what the label stands for.
    let other = ["acq-ACC_run-1_svs", "acq-OCC_run-1_mrsref", "acq-OCC_run-2_svs"];
    let expected = ["acq-ACC_run-1_svs -> -", "acq-OCC_run-1_mrsref -> water_reference", "acq-OCC_run-2_svs -> -"];
    assert_eq!(rows_of(&other), expected);
}

#[test]
fn a_sidecar_of_another_voxel_says_nothing() {
    let dir = folder(&[
        "sub-01/mrs/sub-01_vox-ACC_svs.nii.gz",
        "sub-01/mrs/sub-01_vox-OCC_svs.nii.gz",
        "sub-01/mrs/sub-01_vox-OCC_mrsref.nii.gz",
    ]);
    let json = r#"{"ReferenceSignal": "sub-01_vox-OCC_mrsref.nii.gz"}"#;
    write(dir.path(), "sub-01/mrs/sub-01_vox-OCC_svs.json", json);
    assert_eq!(rows(dir.path()).0, ["vox-ACC_svs -> -", "vox-OCC_svs -> vox-OCC_mrsref"]);
}

#[test]
fn a_spectrum_that_is_named_as_its_own_reference_is_a_row() {
    let (svs, water) = ("sub-01/mrs/sub-01_svs", "sub-01/mrs/sub-01_mrsref");
    let dir = folder(&[&format!("{svs}.nii.gz"), &format!("{water}.nii.gz"), "dataset_description.json"]);
    for named in [format!(r#""bids::{svs}.nii.gz""#), format!(r#"["bids::{water}.nii.gz", "bids::{svs}.nii.gz"]"#)] {
        write(dir.path(), &format!("{svs}.json"), &format!(r#"{{"ReferenceSignal": {named}}}"#));
        let (found, listing) = rows(dir.path());
        assert!(found.contains(&"svs -> missing_water_reference".to_owned()), "{found:?}");
        let refusal = listing.found.iter().filter_map(Found::refusal).find(|refusal| !refusal.is_skip).unwrap();
        assert!(refusal.message.contains("is the spectrum itself"), "{refusal:?}");
    }
}

#[test]
fn lines_of_a_manifest_that_name_one_another_are_rows() {
    let dir = folder(&["a.nii.gz", "b.nii.gz", "c.nii.gz", "d.nii.gz", "e.nii.gz", "w.nii.gz", "x/y.nii.gz"]);
    let table = "path,water_path\na.nii.gz,x/../a.nii.gz\nb.nii.gz,w.nii.gz\nc.nii.gz,d.nii.gz\nd.nii.gz,e.nii.gz\n\
                 e.nii.gz,c.nii.gz\nx/y.nii.gz,c.nii.gz\n";
    write(dir.path(), "m.csv", table);
    let (found, listing) = rows(&dir.path().join("m.csv"));
    let failed = |name: &str| format!("{name} -> missing_water_reference");
    assert_eq!(found, [failed("a"), "b -> w".to_owned(), failed("c"), failed("d"), failed("e"), "y -> c".to_owned()]);
    let message = |i: usize| listing.found[i].refusal().unwrap().message;
    assert!(
        message(0).contains("a.nii.gz is named as its water reference, but is the spectrum itself"),
        "{}",
        message(0)
    );
    assert!(message(2).contains("d.nii.gz is named as its water reference, but has this spectrum"), "{}", message(2));
}

#[test]
fn the_reference_of_another_subject_is_not_followed() {
    let dir = folder(&[
        "dataset_description.json",
        "sub-01/mrs/sub-01_svs.nii.gz",
        "sub-01/mrs/sub-01_mrsref.nii.gz",
        "sub-02/mrs/sub-02_svs.nii.gz",
        "sub-02/mrs/sub-02_mrsref.nii.gz",
    ]);
    let json = r#"{"ReferenceSignal": "bids::sub-02/mrs/sub-02_mrsref.nii.gz"}"#;
    write(dir.path(), "svs.json", json);
    let (found, listing) = rows(dir.path());
    let expected = ["mrsref -> water_reference", "svs -> missing_water_reference", "sub-02_svs -> sub-02_mrsref"];
    assert_eq!(found, expected);
    let refusal = listing.found[1].refusal().unwrap();
    let said =
        "sub-02/mrs/sub-02_mrsref.nii.gz is named as its water reference, but is of another subject (sub-02, and";
    assert!(!refusal.is_skip && refusal.message.contains(said), "{}", refusal.message);
}
