//! Which files become spectra, and which water reference each gets.

#![allow(clippy::print_stderr, reason = "a test fails by panicking and says so when it is skipped")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use requant::acquisition::FileKind;
use requant::corpus::{FindError, FindWarning, Found, Listing, Problem, Water, find};

/// A folder of the shared data.
fn data(folder: &str) -> PathBuf {
    let root = std::env::var_os("REQUANT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = root.join(folder);
    assert!(path.exists(), "{} is missing: set REQUANT_TEST_DATA, or leave tests named real_* out", path.display());
    path
}

fn kind(is_spectroscopy: bool) -> FileKind {
    if is_spectroscopy { FileKind::Spectrum } else { FileKind::Other }
}

/// Stands for the readers: extensions, and for NIfTI (version 1 and 2) the intent name of
/// NIfTI-MRS.
fn is_spectroscopy(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
    if name.ends_with(".nii.gz") || name.ends_with(".nii") {
        let Ok(file) = fs::File::open(path) else {
            return false;
        };
        let mut header = [0; 540];
        let read = if name.ends_with(".gz") {
            flate2::read::GzDecoder::new(file).read_exact(&mut header)
        } else {
            (&file).read_exact(&mut header)
        };
        let intent_name = if header[..4] == 540_i32.to_le_bytes() { 508 } else { 328 };
        return read.is_ok() && header[intent_name..].starts_with(b"mrs_v");
    }
    [".sdat", ".spar", ".raw", ".rda"].iter().any(|extension| name.ends_with(extension)) || (name.ends_with("ws.txt"))
}

fn search(inputs: &[PathBuf]) -> Listing {
    find(inputs, &|path: &Path| kind(is_spectroscopy(path))).unwrap()
}

/// `source path -> water`, with `-` for none.
fn pairs(listing: &Listing) -> Vec<String> {
    listing
        .found
        .iter()
        .map(|found| {
            let water = match (&found.problem, &found.water) {
                (Some(Problem::LoneReference), _) => "lone reference".to_owned(),
                (Some(problem), _) => problem.to_string(),
                (None, Water::None) => "-".to_owned(),
                (None, Water::Paired(path)) => {
                    assert!(path.is_file());
                    found.water_source_path.clone().unwrap()
                }
                (None, other) => format!("{other:?}"),
            };
            format!("{} -> {water}", found.source_path)
        })
        .collect()
}

fn touch(dir: &Path, files: &[&str]) {
    for file in files {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

/// A folder with empty files; those with an extension that a reader exists for are spectra.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), files);
    dir
}

fn by_extension(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".nii.gz") || name.ends_with(".SDAT") || name.ends_with(".RAW")
}

fn search_names(dir: &Path) -> Listing {
    find(&[dir.to_owned()], &|path: &Path| kind(by_extension(path))).unwrap()
}

fn only(listing: &Listing, source_path: &str) -> Found {
    listing.found.iter().find(|found| found.source_path == source_path).unwrap().clone()
}

#[test]
fn real_philips_exports() {
    let dir = data("philips-sdat");
    let listing = search(&[dir]);
    let mm = "press30-mm-sub01/sub-01_ses-01_PRESS";
    // A header without data is no pair of files and stays a row that says so on reading.
    assert_eq!(
        pairs(&listing),
        [
            "7T-two-row/sub2_MRS.SDAT -> -".to_owned(),
            "hermes-header-only/sub-01_hermes_act_noID.spar -> -".to_owned(),
            "phantom-dbiex/DBIEX_10_1_raw_act.SDAT -> phantom-dbiex/DBIEX_10_1_raw_ref.SDAT".to_owned(),
            "phantom-te30/svs_30_WS.SDAT -> phantom-te30/svs_30_ref.SDAT".to_owned(),
            "phantom-te30-128avg/philips_spar_sdat_WS.SDAT -> phantom-te30-128avg/philips_spar_sdat_W.SDAT".to_owned(),
            format!("{mm}-Inverted_TI-600_raw-act_noID.SDAT -> {mm}-Inverted_TI-600_raw-ref_noID.SDAT"),
            format!("{mm}_raw-act_noID.SDAT -> {mm}_raw-ref_noID.SDAT"),
            "press35-sub01/sub-01_PRESS_35_act.sdat -> press35-sub01/sub-01_PRESS_35_ref.sdat".to_owned(),
            "press35-sub02/sub-02_PRESS_35_act.sdat -> press35-sub02/sub-02_PRESS_35_ref.sdat".to_owned(),
        ]
    );
    let inverted = &listing.found[5];
    assert_eq!(inverted.id, format!("{mm}-Inverted_TI-600_raw-act_noID"));
    assert_eq!((inverted.subject.as_deref(), inverted.session.as_deref()), (Some("01"), Some("01")));
    assert!(listing.warnings.is_empty());
}

#[test]
fn real_fitting_challenge() {
    let dir = data("challenge2016");
    let listing = search(&[dir.join("lcmodel")]);
    let mut expected: Vec<String> = [1, 2, 4, 5, 7, 9, 11, 12, 14, 15, 16, 18, 19, 21, 22, 24, 26, 27]
        .iter()
        .map(|n| format!("dataset{n}.RAW -> dataset{n}.H2O"))
        .collect();
    expected.sort();
    let mut got = pairs(&listing);
    got.sort();
    assert_eq!(got, expected);

    let name = "Cr_10mM_test_water_scaling";
    assert_eq!(
        pairs(&search(&[dir.join("cr-10mM")])),
        [format!("{name}.RAW -> {name}.H2O"), format!("{name}_WS.txt -> {name}_nWS.txt")]
    );
    assert_eq!(
        pairs(&search(&[dir.join("jmrui")])),
        ["dataset1_WS.txt -> dataset1_nWS.txt", "dataset4_WS.txt -> dataset4_nWS.txt"]
    );
}

#[test]
fn real_lcmodel_test_has_no_water() {
    let dir = data("lcmodel-test");
    assert_eq!(pairs(&search(&[dir])), ["data.raw -> -"]);
}

#[test]
fn real_nifti_mrs_collection() {
    let dir = data("nifti-mrs");
    // The reference of four coils belongs to the raw transients of equal name; the combined spectra
    // beside it are processed on another scale and get none. The segmentation is no row.
    assert_eq!(
        pairs(&search(&[dir])),
        [
            "7T-32coil-water/sub-01_ses-01_SVS-ref.nii.gz -> lone reference",
            "7T-raw-4coil/metab.nii.gz -> -",
            "7T-raw-4coil/metab_int_freq.nii.gz -> -",
            "7T-raw-4coil/metab_raw.nii.gz -> 7T-raw-4coil/wref_raw.nii.gz",
            "dw-invivo/metab.nii.gz -> dw-invivo/water.nii.gz",
            "dw-synthetic-drift/synthetic.nii.gz -> -",
            "mega-synthetic/jdifference_nifti_SMART_MRS_EX.nii.gz -> -",
            "mrsi-16x16/2D_MRSI_from_rds.nii.gz -> -",
        ]
    );
}

#[test]
fn real_siemens_exports() {
    let dir = data("siemens-rda/vb17-mega");
    // `dif` and `diff` are not the same name.
    assert_eq!(
        pairs(&search(&[dir])),
        [
            "Siemens1_OFF.rda -> -",
            "Siemens1_ON.rda -> -",
            "np_dif_water.rda -> lone reference",
            "np_diff_spec.rda -> -",
            "np_off_spec.rda -> np_off_water.rda",
            "np_on_spec.rda -> np_on_water.rda",
        ]
    );
}

#[test]
fn real_benchmark_bids_sets() {
    let dir = data("benchmark");
    let listing = search(&[dir]);
    assert_eq!(listing.found.len(), 60 + 60 + 60 + 40 + 80);
    for found in &listing.found {
        let subject = found.subject.as_ref().unwrap();
        let set = found.source_path.split('/').next().unwrap();
        let stem = format!("{set}/sub-{subject}/mrs/sub-{subject}");
        assert_eq!(found.id, format!("{stem}_svs"));
        assert_eq!(found.water_source_path, Some(format!("{stem}_mrsref.nii.gz")));
        assert_eq!(found.refusal(), None);
    }
}

#[test]
fn real_a_single_file_finds_its_partner() {
    let dir = data("philips-sdat/press35-sub01");
    let listing = search(&[dir.join("sub-01_PRESS_35_act.sdat")]);
    assert_eq!(pairs(&listing), ["sub-01_PRESS_35_act.sdat -> sub-01_PRESS_35_ref.sdat"]);
    let listing = search(&[dir.join("sub-01_PRESS_35_ref.sdat")]);
    assert_eq!(pairs(&listing), ["sub-01_PRESS_35_ref.sdat -> lone reference"]);
}

#[test]
fn real_the_same_file_by_two_inputs_is_one_spectrum() {
    let dir = folder(&["a/x.SDAT", "a/y.SDAT"]);
    let inputs = [dir.path().to_owned(), dir.path().join("a/x.SDAT"), dir.path().join("a")];
    let listing = find(&inputs, &|path: &Path| kind(by_extension(path))).unwrap();
    assert_eq!(pairs(&listing), ["a/x.SDAT -> -", "a/y.SDAT -> -"]);
}

#[test]
fn reference_signal_of_the_sidecar_goes_first() {
    let dir = folder(&[
        "dataset_description.json",
        "sub-01/mrs/sub-01_svs.nii.gz",
        "sub-01/mrs/sub-01_mrsref.nii.gz",
        "sub-01/mrs/sub-01_acq-far_mrsref.nii.gz",
    ]);
    let sidecar = dir.path().join("sub-01/mrs/sub-01_svs.json");
    let svs = "sub-01/mrs/sub-01_svs.nii.gz";
    let far = "sub-01/mrs/sub-01_acq-far_mrsref.nii.gz";

    assert_eq!(
        only(&search_names(dir.path()), svs).water_source_path.as_deref(),
        Some("sub-01/mrs/sub-01_mrsref.nii.gz")
    );
    for json in [
        format!("{{\"ReferenceSignal\": \"bids::{far}\"}}"),
        format!("{{\"ReferenceSignal\": [\"bids::{far}\"]}}"),
        "{\"ReferenceSignal\": \"sub-01_acq-far_mrsref.nii.gz\"}".to_owned(),
    ] {
        fs::write(&sidecar, json).unwrap();
        let found = only(&search_names(dir.path()), svs);
        assert_eq!(found.water_source_path.as_deref(), Some(far));
    }

    fs::write(&sidecar, "{\"ReferenceSignal\": \"bids::sub-01/mrs/gone_mrsref.nii.gz\"}").unwrap();
    let refusal = only(&search_names(dir.path()), svs).refusal().unwrap();
    assert_eq!((refusal.is_skip, refusal.code), (false, "missing_water_reference"));
    assert!(refusal.message.contains("sub-01/mrs/gone_mrsref.nii.gz"));
    assert!(!refusal.message.contains(dir.path().to_str().unwrap()));

    fs::write(&sidecar, "{broken").unwrap();
    let listing = search_names(dir.path());
    assert!(matches!(listing.warnings[..], [FindWarning::Sidecar { .. }]));
    assert!(matches!(only(&listing, svs).water, Water::Paired(_)));
}

#[test]
fn sidecars_are_inherited_and_the_nearest_wins() {
    let dir = folder(&[
        "dataset_description.json",
        "sub-01/mrs/sub-01_acq-press_svs.nii.gz",
        "sub-01/mrs/sub-01_acq-a_mrsref.nii.gz",
        "sub-01/mrs/sub-01_acq-b_mrsref.nii.gz",
    ]);
    let water = |letter: &str| format!("sub-01/mrs/sub-01_acq-{letter}_mrsref.nii.gz");
    let state = |file: &str, letter: &str| {
        let text = format!("{{\"ReferenceSignal\": \"bids::{}\"}}", water(letter));
        fs::write(dir.path().join(file), text).unwrap();
    };
    let found = || only(&search_names(dir.path()), "sub-01/mrs/sub-01_acq-press_svs.nii.gz");

    let refusal = found().refusal().unwrap();
    assert_eq!(refusal.code, "ambiguous_water_reference");
    assert!(refusal.message.contains("sub-01_acq-a_mrsref.nii.gz, sub-01_acq-b_mrsref.nii.gz"));
    state("acq-other_svs.json", "b");
    assert!(matches!(found().water, Water::Ambiguous(_)));
    state("svs.json", "b");
    assert_eq!(found().water_source_path, Some(water("b")));
    state("acq-press_svs.json", "a");
    assert_eq!(found().water_source_path, Some(water("a")));
    state("sub-01/mrs/sub-01_acq-press_svs.json", "b");
    assert_eq!(found().water_source_path, Some(water("b")));
}

#[test]
fn acquisition_labels_may_differ_unless_they_name_another_spectrum() {
    let dir = folder(&[
        "sub-01/mrs/sub-01_acq-press_svs.nii.gz",
        "sub-01/mrs/sub-01_acq-mega_svs.nii.gz",
        "sub-01/mrs/sub-01_acq-press_mrsref.nii.gz",
        "sub-02/mrs/sub-02_acq-press_svs.nii.gz",
        "sub-02/mrs/sub-02_acq-water_mrsref.nii.gz",
        "sub-03/mrs/sub-03_voi-acc_svs.nii.gz",
        "sub-03/mrs/sub-03_voi-occ_mrsref.nii.gz",
    ]);
    assert_eq!(
        pairs(&search_names(dir.path())),
        [
            "sub-01/mrs/sub-01_acq-mega_svs.nii.gz -> -",
            "sub-01/mrs/sub-01_acq-press_svs.nii.gz -> sub-01/mrs/sub-01_acq-press_mrsref.nii.gz",
            "sub-02/mrs/sub-02_acq-press_svs.nii.gz -> sub-02/mrs/sub-02_acq-water_mrsref.nii.gz",
            "sub-03/mrs/sub-03_voi-acc_svs.nii.gz -> -",
            "sub-03/mrs/sub-03_voi-occ_mrsref.nii.gz -> lone reference",
        ]
    );
    let found = only(&search_names(dir.path()), "sub-03/mrs/sub-03_voi-acc_svs.nii.gz");
    assert_eq!(found.voi.as_deref(), Some("acc"));
}

#[test]
fn lone_references_and_ambiguous_pairs_say_what_to_do() {
    let dir = folder(&["x_ref.SDAT", "y_WS.SDAT", "y_W.SDAT", "y_nWS.SDAT"]);
    let listing = search_names(dir.path());
    assert_eq!(listing.found.len(), 2);
    let lone = listing.found[0].refusal().unwrap();
    assert_eq!((lone.is_skip, lone.code), (true, "water_reference"));
    assert!(lone.message.contains("manifest"));
    let ambiguous = listing.found[1].refusal().unwrap();
    assert_eq!((ambiguous.is_skip, ambiguous.code), (false, "ambiguous_water_reference"));
    for word in ["y_WS.SDAT", "y_W.SDAT, y_nWS.SDAT", "water_path"] {
        assert!(ambiguous.message.contains(word), "{}", ambiguous.message);
    }
}

#[test]
fn what_is_no_raw_data_is_left_out() {
    let dir = folder(&[
        "a/dataset_description.json",
        "a/sub-01/mrs/sub-01_svs.nii.gz",
        "a/derivatives/sub-01/mrs/sub-01_svs.nii.gz",
        "a/sourcedata/sub-01/raw_act.SDAT",
        "a/.git/annex/hidden.SDAT",
        "a/sub-01/mrs/.sub-01_svs.nii.gz",
        "b/derivatives/kept.SDAT",
    ]);
    let listing = search_names(dir.path());
    assert_eq!(pairs(&listing), ["a/sub-01/mrs/sub-01_svs.nii.gz -> -", "b/derivatives/kept.SDAT -> -"]);
    assert_eq!(listing.warnings.len(), 2);
    assert!(listing.warnings.iter().all(|w| matches!(w, FindWarning::BidsFolder { .. })));
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;
    let dir = folder(&["data/x.SDAT", "study/y.SDAT"]);
    let study = dir.path().join("study");
    symlink(dir.path().join("data"), study.join("linked")).unwrap();
    symlink(&study, study.join("loop")).unwrap();
    symlink("gone.nii.gz", study.join("sub-01_svs.nii.gz")).unwrap();
    symlink("gone.txt", study.join("notes.txt")).unwrap();
    let listing = search_names(&study);
    let got = pairs(&listing);
    assert_eq!(got.len(), 3);
    assert_eq!(got[0], "linked/x.SDAT -> -");
    assert!(got[1].contains("datalad get"), "{}", got[1]);
    assert_eq!(got[2], "y.SDAT -> -");
    assert_eq!(listing.found[1].refusal().unwrap().code, "unreadable_file");
    assert_eq!(listing.warnings.len(), 2);
    assert!(listing.warnings.iter().any(|w| matches!(w, FindWarning::Loop { .. })));
}

#[test]
fn files_that_would_be_one_keep_their_extension_and_inputs_that_clash_are_refused() {
    let dir = folder(&["a/x.SDAT", "a/x.RAW", "a/y.RAW", "b/x.SDAT"]);
    let listing = find(&[dir.path().join("a")], &|path: &Path| kind(by_extension(path))).unwrap();
    assert_eq!(listing.found.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["x.RAW", "x.SDAT", "y"]);
    assert!(listing.warnings.iter().any(|w| matches!(w, FindWarning::KeptExtension { n: 2, .. })));
    let inputs = [dir.path().join("a/x.SDAT"), dir.path().join("b")];
    let error = find(&inputs, &|path: &Path| kind(by_extension(path))).unwrap_err();
    assert!(matches!(error, FindError::DuplicateId { ref id, .. } if id == "x"));
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn no_input_is_an_error_of_its_own() {
    let dir = folder(&["notes.txt", "t1.dcm"]);
    let error = find(&[dir.path().to_owned()], &|path: &Path| kind(by_extension(path))).unwrap_err();
    assert!(matches!(error, FindError::NoInput { ref seen, .. } if seen == "2 other"));
    assert_eq!(error.exit_code(), 66);
    let error = find(&[dir.path().join("gone")], &|path: &Path| kind(by_extension(path))).unwrap_err();
    assert!(matches!(error, FindError::NotThere { .. }));
    assert_eq!(error.exit_code(), 66);
    assert_eq!(find(&[], &|path: &Path| kind(by_extension(path))).unwrap_err().exit_code(), 66);
}

fn manifest(dir: &Path, text: &str) -> Result<Listing, FindError> {
    let path = dir.join("lists/m.csv");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    find(&[path], &|path: &Path| kind(by_extension(path)))
}

#[test]
fn manifests_lead_anywhere_but_ids_do_not() {
    let dir = folder(&["data/x.RAW", "data/x.H2O", "data/y.RAW", "data/z_ref.RAW", "data/far.H2O"]);
    let listing = manifest(
        dir.path(),
        "path,water_path,subject,site,te_s,dwell_s,f0_mhz,basis,age\n\
         ../data/x.RAW,,sub-07,here,0.03,0.00025,123.2,my.basis,33\n\
         ../data/sub/../y.RAW,../data/far.H2O,,,,,,,\n\
         ../data/z_ref.RAW,,,,,,,,\n\
         ../data/far.H2O,,,,,,,,\n",
    );
    // `sub` does not exist, so the system finds no way through it.
    let listing = listing.unwrap();
    assert_eq!(listing.found[1].refusal().unwrap().code, "manifest_line");
    fs::create_dir(dir.path().join("data/sub")).unwrap();
    let listing = find(&[dir.path().join("lists/m.csv")], &|path: &Path| kind(by_extension(path))).unwrap();
    assert_eq!(
        pairs(&listing),
        ["../data/x.RAW -> ../data/x.H2O", "../data/y.RAW -> ../data/far.H2O", "../data/z_ref.RAW -> -"]
    );
    let x = &listing.found[0];
    assert_eq!((x.id.as_str(), x.subject.as_deref(), x.site.as_deref()), ("data/x", Some("07"), Some("here")));
    assert_eq!(x.overrides.facts.te_s, Some(0.03));
    assert_eq!(x.overrides.facts.dwell_s, Some(0.00025));
    assert_eq!(x.overrides.facts.f0_mhz, Some(123.2));
    assert!(x.overrides.basis.as_ref().unwrap().ends_with("lists/my.basis"));
    assert!(listing.found.iter().all(|found| !found.id.contains("..")));
    assert!(matches!(&listing.warnings[..], [FindWarning::ListedReference { .. }]), "{:?}", listing.warnings);
    assert_eq!((&listing.carried[..], x.overrides.carried["x_age"].as_str()), (&["x_age".to_owned()][..], "33"));
}

#[test]
fn faulty_lines_of_a_manifest_are_rows() {
    let dir = folder(&["x.RAW", "x.H2O", "y.RAW"]);
    let listing = manifest(
        dir.path(),
        "path,water_path,te_s,id\n../x.RAW,none,0.03,../../up\n../gone.RAW,,,\n../y.RAW,../no.H2O,,\n,,0.03,\n,,,\n",
    )
    .unwrap();
    let codes: Vec<&str> = listing.found.iter().map(|f| f.refusal().unwrap().code).collect();
    assert_eq!(codes, ["manifest_line", "manifest_line", "missing_water_reference", "manifest_line"]);
    assert!(listing.found.iter().all(|found| !found.id.contains("..") && !found.id.is_empty()));
    assert!(listing.found[1].refusal().unwrap().message.starts_with("line 3 "));
}

#[test]
fn manifests_may_give_ids_and_deny_water() {
    let dir = folder(&["x.RAW", "x.H2O"]);
    let text = "path,water_path,id\n../x.RAW,none,dry\n../x.RAW,,wet\n";
    let listing = manifest(dir.path(), text).unwrap();
    let ids: Vec<&str> = listing.found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["dry", "wet"]);
    assert_eq!(pairs(&listing), ["../x.RAW -> -", "../x.RAW -> ../x.H2O"]);
}

#[test]
fn parquet_manifests_are_read() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
    let dir = folder(&["x.RAW", "y.RAW"]);
    let batch = RecordBatch::try_from_iter([
        ("path", Arc::new(StringArray::from(vec!["x.RAW", "y.RAW"])) as ArrayRef),
        ("te_s", Arc::new(Float64Array::from(vec![Some(0.03), None]))),
        ("subject", Arc::new(Int64Array::from(vec![Some(7), None]))),
    ])
    .unwrap();
    let path = dir.path().join("m.parquet");
    let file = fs::File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let listing = find(&[path], &|path: &Path| kind(by_extension(path))).unwrap();
    assert_eq!(pairs(&listing), ["x.RAW -> -", "y.RAW -> -"]);
    assert_eq!(listing.found[0].overrides.facts.te_s, Some(0.03));
    assert_eq!(listing.found[0].subject.as_deref(), Some("7"));
    assert_eq!((listing.found[1].overrides.facts.te_s, listing.found[1].subject.as_deref()), (None, None));
}
