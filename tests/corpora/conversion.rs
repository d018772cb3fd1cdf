//! Folders and manifests as NIfTI-MRS and as BIDS datasets: nothing of a sample is lost, nobody is taken for another, and what
//! is not known is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts};
use requant::formats::{self, nifti_mrs};
use serde_json::Value;

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn convert(from: &Path, to: &Path, options: &[&str]) -> (i32, String) {
    let output = requant(&[&["convert", text(from), text(to)], options].concat());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said.into_owned())
}

/// Rows of conversion.tsv: source, files, status and code.
fn table(path: &Path) -> Vec<[String; 4]> {
    let all = fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        [cells[0], cells[1], cells[2], cells[3]].map(str::to_owned)
    };
    all.lines().skip(1).map(row).collect()
}

fn facts() -> Facts {
    Facts {
        dwell_s: Some(5e-4),
        f0_mhz: Some(123.2),
        te_s: Some(0.03),
        tr_s: Some(2.0),
        te1_s: Some(0.011),
        refocus_s: Some(5.2e-3),
        flip_angle_deg: Some(85.0),
        averages_on_scanner: Some(4),
        sequence: Some("PRESS".to_owned()),
        vendor: Some("Siemens".to_owned()),
        nucleus: Some("1H".to_owned()),
        ..Facts::default()
    }
}

fn put(path: &Path, height: f64, facts: Facts) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let samples = Array5::from_shape_fn((1, 1, 3, 2, 128), |(_, _, t, c, p)| {
        // No float holds these exactly.
        Complex64::new(height / (3.0 + (t + 2 * c + p) as f64), -height / 7.0 + p as f64)
    });
    let data = Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) };
    fs::write(path, nifti_mrs::encode(&data)).unwrap();
}

#[test]
fn a_folder_keeps_its_names_and_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (folder.path().join("scans"), folder.path().join("out"));
    put(&scans.join("a/one.nii"), 1.0, facts());
    put(&scans.join("a/one_ref.nii"), 100.0, Facts { water_suppressed: Some(false), ..facts() });
    put(&scans.join("b two/one.nii"), 2.0, facts());
    fs::write(scans.join("b two/empty.nii"), b"").unwrap();
    let (code, said) = convert(&scans, &out, &[]);
    assert_eq!(code, 0, "{said}");
    for (from, to) in [("a/one", "a/one"), ("a/one_ref", "a/one_ref"), ("b two/one", "b_two/one")] {
        let from = formats::read(&scans.join(format!("{from}.nii"))).unwrap();
        let to = formats::read(&out.join(format!("{to}.nii.gz"))).unwrap();
        assert_eq!(from.samples, to.samples);
        assert_eq!(from.facts, to.facts);
    }
    let rows = table(&out.join("conversion.tsv"));
    let of = |source: &str| rows.iter().find(|row| row[0] == source).unwrap_or_else(|| panic!("{source}: {rows:?}"));
    assert_eq!(of("a/one.nii")[1..], ["a/one.nii.gz a/one_ref.nii.gz", "ok", "n/a"]);
    assert_eq!(of("b two/empty.nii")[1..], ["n/a", "failed", "empty_file"]);
    assert!(said.contains("2 of 3 converted to 3 files, 1 failed"), "{said}");
    // What is there is never written into.
    assert_eq!(convert(&scans, &out, &[]).0, 73);
    // A folder is no file, and a new folder needs no overwriting.
    assert_eq!(convert(&scans, &folder.path().join("one.nii"), &[]).0, 1);
    assert_eq!(convert(&scans, &folder.path().join("new"), &["--overwrite"]).0, 2);
}

#[test]
fn subjects_are_known_or_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (folder.path().join("scans"), folder.path().join("out"));
    for (path, height) in [("x/01/s.nii", 1.0), ("y/01/s.nii", 2.0), ("y/a-1/s.nii", 3.0), ("y/a1/s.nii", 4.0)] {
        put(&scans.join(path), height, facts());
    }
    put(&scans.join("x/02/late.nii"), 5.0, Facts { te_s: None, ..facts() });
    put(&scans.join("x/03/s.nii"), 6.0, facts());
    put(&scans.join("x/03/t.nii"), 7.0, facts());
    // Nobody says whose they are.
    let (code, said) = convert(&scans, &out, &["--bids"]);
    assert_eq!(code, 65, "{said}");
    assert!(said.contains("fill in `subject` in a manifest"), "{said}");
    assert!(table(&out.join("code/conversion.tsv")).iter().all(|row| row[3] == "bids_labels"));

    let out = folder.path().join("dataset");
    let (code, said) = convert(&scans, &out, &["--bids", "--site-from", "{site}/{subject}/*"]);
    assert_eq!(code, 0, "{said}");
    let rows: BTreeMap<String, [String; 4]> =
        table(&out.join("code/conversion.tsv")).into_iter().map(|row| (row[0].clone(), row)).collect();
    let written = |source: &str| rows[source][1].as_str();
    // Two people of one label are two people.
    assert_eq!(written("x/01/s.nii"), "sub-x01/mrs/sub-x01_svs.nii.gz");
    assert_eq!(written("y/01/s.nii"), "sub-y01/mrs/sub-y01_svs.nii.gz");
    // Two labels that BIDS cannot tell apart are not one person.
    assert_eq!([&rows["y/a-1/s.nii"][2], &rows["y/a1/s.nii"][2]], ["ok", "failed"]);
    assert_eq!(rows["x/02/late.nii"][2..], ["failed", "missing_field"]);
    assert!(said.contains("x/02/late.nii: not known: te_s"), "{said}");
    assert_eq!(written("x/03/s.nii"), "sub-x03/mrs/sub-x03_run-1_svs.nii.gz");
    assert_eq!(written("x/03/t.nii"), "sub-x03/mrs/sub-x03_run-2_svs.nii.gz");
    let people = fs::read_to_string(out.join("participants.tsv")).unwrap();
    assert_eq!(people, "participant_id\tsite\nsub-x01\tx\nsub-x03\tx\nsub-y01\ty\nsub-ya1\ty\n");
}

#[test]
fn a_manifest_says_what_the_dataset_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, out) = (folder.path().join("scans"), folder.path().join("out"));
    put(&scans.join("p.nii"), 1.0, Facts { te_s: None, ..facts() });
    put(&scans.join("w.nii"), 9.0, Facts { te_s: None, ..facts() });
    let manifest = scans.join("sites.csv");
    let lines = "path,subject,session,site,voi,te_s,water_path,group\np.nii,7,2,north,acc,0.035,w.nii,patient\n";
    fs::write(&manifest, lines).unwrap();
    let (code, said) = convert(&manifest, &out, &["--bids"]);
    assert_eq!(code, 0, "{said}");
    let name = "sub-7/ses-2/mrs/sub-7_ses-2_voi-acc";
    let json = |path: String| -> Value { serde_json::from_slice(&fs::read(out.join(path)).unwrap()).unwrap() };
    let sidecar = json(format!("{name}_svs.json"));
    assert_eq!(sidecar["EchoTime"], 0.035);
    assert_eq!(sidecar["ReferenceSignal"], format!("bids::{name}_mrsref.nii.gz"));
    assert_eq!(json(format!("{name}_mrsref.json"))["ResonantNucleus"], "1H");
    let people = fs::read_to_string(out.join("participants.tsv")).unwrap();
    assert_eq!(people, "participant_id\tgroup\tsite\nsub-7\tpatient\tnorth\n");
    let meanings = json("participants.json".to_owned());
    assert!(["group", "site"].iter().all(|column| meanings[column]["Description"].is_string()), "{meanings}");
    let data = formats::read(&out.join(format!("{name}_svs.nii.gz"))).unwrap();
    assert_eq!((data.facts.te_s, data.facts.refocus_s), (Some(0.035), Some(5.2e-3)));
    assert!(!data.remarks.iter().any(|remark| remark.contains("sidecar")), "{:?}", data.remarks);
}

/// A simulated corpus has the sidecars that a valid dataset needs, and converts to itself.
#[test]
fn a_dataset_becomes_the_same_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, out) = (folder.path().join("corpus"), folder.path().join("out"));
    assert!(requant(&["simulate", "--out", text(&corpus), "--subjects", "3"]).status.success());
    let (code, said) = convert(&corpus, &out, &["--bids"]);
    assert_eq!(code, 0, "{said}");
    let mrs = |root: &Path| -> Vec<PathBuf> {
        let all = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
        let all = all.map(|entry| entry.path().strip_prefix(root).unwrap().to_owned());
        all.filter(|path| path.starts_with("sub-0001") && path.extension().is_some()).collect()
    };
    assert_eq!(mrs(&corpus).len(), 4);
    assert_eq!(mrs(&corpus), mrs(&out));
    for path in mrs(&corpus) {
        if path.extension().is_some_and(|e| e == "json") {
            let own: Value = serde_json::from_slice(&fs::read(corpus.join(&path)).unwrap()).unwrap();
            for key in ["ResonantNucleus", "SpectrometerFrequency", "SpectralWidth", "EchoTime"] {
                assert!(!own[key].is_null(), "{}: {key}", path.display());
            }
            continue;
        }
        let (from, to) = (formats::read(&corpus.join(&path)).unwrap(), formats::read(&out.join(&path)).unwrap());
        assert_eq!((from.samples, from.facts, from.affine_mm), (to.samples, to.facts, to.affine_mm));
    }
    assert_eq!(fs::read_to_string(corpus.join(".bidsignore")).unwrap().lines().next(), Some("basis"));
}
