//! Every file under INPUT becomes a row or is counted by what it is.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::common::small_files::*;
use requant::fit::Method;
use requant::run::{Inputs, Progress, RunOptions, run_found};
use requant::store::{PlannedRow, SpectrumRow, read_run, read_table};

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).env_remove("SLURM_ARRAY_TASK_ID").output().unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n")
}

/// Extensions that a format has to itself, and those under which others have text.
const OWN: [&str; 13] = ["7", "dcm", "IMA", "twix", "rda", "nii", "nii.gz", "SDAT", "SPAR", "raw", "mrui", "dat", "mr"];

/// An image as a scanner writes it: DICOM without samples, NIfTI of real numbers.
fn images() -> [(&'static str, Vec<u8>); 2] {
    let mut nifti = small_nifti();
    // Data type and bits of a voxel: 32-bit floats.
    nifti[12..14].copy_from_slice(&16_i16.to_le_bytes());
    nifti[14..16].copy_from_slice(&32_i16.to_le_bytes());
    [("image.dcm", small_dicom_image()), ("t1.nii", nifti)]
}

/// Packed and renamed files, one scan twice, and a series of two transients.
fn packed_and_numbered(put: &mut impl FnMut(&str, &[u8], &'static str)) {
    for (name, bytes) in [("p.7.gz", gzip(&small_pfile())), ("p.anon", small_pfile()), ("t_copy", small_twix())] {
        put(&format!("packed/{name}"), &bytes, "row");
    }
    put("packed/notes.txt.gz", &gzip(b"nothing to see\n"), "other");
    put("packed/bad.gz", &[&gzip(b"nothing")[..10], &[0xff; 20]].concat(), "unreadable");
    put("packed/export.zip", b"PK\x03\x04\x14\0\0\0", "row");
    put("twice/p.7", &small_pfile(), "row");
    put("twice/p.7.gz", &gzip(&small_pfile()), "row");
    for (number, what) in [("1", "row"), ("2", "part_of_series")] {
        put(&format!("series/{number}.dcm"), &small_transient(number), what);
    }
}

/// What is made: by path, what must come of it (`row`, or the kind that is counted).
fn folder_of_everything(folder: &Path) -> BTreeMap<String, &'static str> {
    let mut all: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8], what: &'static str| {
        write(folder, name, bytes);
        all.insert(name.to_owned(), what);
    };
    let noise: Vec<u8> = (0..3000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for extension in OWN {
        let stem = extension.replace('.', "_");
        for (content, bytes) in [("empty", &[][..]), ("zero", &[0; 3000]), ("noise", &noise), ("cut", &noise[..7])] {
            put(&format!("{content}/{stem}/{content}_{stem}.{extension}"), bytes, "row");
        }
    }
    for (name, bytes) in small_files() {
        put(&format!("good/{name}"), &bytes, "row");
    }
    for (name, bytes) in images() {
        put(&format!("anat/{name}"), &bytes, "image");
    }
    put("good/x.SPAR", SPAR.as_bytes(), "companion");
    put("good/varian/procpar", PROCPAR.as_bytes(), "companion");
    put("good/bruker/method", METHOD.as_bytes(), "companion");
    put("good/bruker/acqp", ACQP.as_bytes(), "companion");
    put("good/n.json", b"{}", "companion");
    put("svs.json", b"{}", "companion");
    put("good/x_ref.SDAT", &[1; 256], "water_reference");
    put("good/x_ref.SPAR", SPAR.as_bytes(), "companion");
    put("lone/fid", &[0; 64], "row");
    put("sub-01/mrs/sub-01_svs.txt", b"", "row");
    packed_and_numbered(&mut put);
    put("notes.txt", b"nothing to see\n", "other");
    put("timing.dat", b"onset duration\n", "other");
    put("README", b"read me\n", "other");
    put("paper.pdf", &noise, "other");
    put("participants.tsv", b"participant_id\n", "other");
    put("empty.txt", b"", "empty");
    put("DONE", b"", "empty");
    put("pointer.dat", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "row");
    put(".hidden.SDAT", b"x", "hidden");
    fs::create_dir_all(folder.join(".git/objects")).unwrap();
    all.insert(".git".to_owned(), "hidden");
    for (name, what) in [("pipe.dcm", "row"), ("pipe.txt", "not_a_file"), ("pipe.pdf", "not_a_file")] {
        fifo(&folder.join(name));
        all.insert(name.to_owned(), what);
    }
    for (name, what) in [("gone.rda", "row"), ("gone.pdf", "unreadable"), ("gone_folder", "unreadable")] {
        symlink("nowhere", folder.join(name)).unwrap();
        all.insert(name.to_owned(), what);
    }
    symlink(folder, folder.join("loop")).unwrap();
    all.insert("loop".to_owned(), "not_searched");
    all
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A transient of a series, of the instance with this number.
fn small_transient(number: &str) -> Vec<u8> {
    let samples: Vec<u8> = (0..128).flat_map(|i| (1.0 / (1.0 + i as f32)).to_le_bytes()).collect();
    dicom_file(&[
        (0x0018, 0x9052, b"FD", 2000.0_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9098, b"FD", 123.25_f64.to_le_bytes().to_vec()),
        (0x0020, 0x000e, b"UI", b"1.2.3.4\0".to_vec()),
        (0x0020, 0x0013, b"IS", number.as_bytes().to_vec()),
        (0x0028, 0x0008, b"IS", b"1".to_vec()),
        (0x0028, 0x9002, b"UL", 64_u32.to_le_bytes().to_vec()),
        (0x5600, 0x0020, b"OF", samples),
    ])
}

fn small_files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("n.nii", small_nifti()),
        ("x.SDAT", vec![1; 256]),
        ("l.RAW", small_raw().into_bytes()),
        ("j.txt", small_jmrui().into_bytes()),
        ("r.rda", small_rda()),
        ("p.7", small_pfile()),
        ("m.mrui", small_mrui()),
        ("varian/fid", small_varian()),
        ("bruker/fid", small_bruker()),
        ("t.dat", small_twix()),
        ("d.dcm", small_dicom()),
        ("exported/1234", small_dicom()),
    ]
}

/// Number of files, and of folders that are not looked into, below `folder`.
fn n_seen(folder: &Path) -> usize {
    let is_closed = |path: &Path| path.file_name().unwrap() == ".git" || fs::read_dir(path).is_err();
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| if e.file_type().unwrap().is_dir() && !is_closed(&e.path()) { n_seen(&e.path()) } else { 1 })
        .sum()
}

/// Everything, and what nobody but root may read, with what must come of each.
fn input(folder: &Path) -> BTreeMap<String, &'static str> {
    let mut expected = folder_of_everything(folder);
    if !is_root() {
        for (name, what) in [("locked.IMA", "row"), ("locked_too.SDAT", "row"), ("locked.txt", "unreadable")] {
            write(folder, name, b"secret");
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o000)).unwrap();
            expected.insert(name.to_owned(), what);
        }
        write(folder, "closed/deep/x.dcm", b"");
        fs::set_permissions(folder.join("closed/deep"), fs::Permissions::from_mode(0o000)).unwrap();
        expected.insert("closed/deep".to_owned(), "unreadable");
    }
    expected
}

/// Lets the folder be taken away.
fn unlock(folder: &Path) {
    if !is_root() {
        fs::set_permissions(folder.join("closed/deep"), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_plan_lists_every_file_once() {
    let keep = tempfile::tempdir().unwrap();
    let (folder, out) = (keep.path().join("in"), keep.path().join("out"));
    let expected = input(&folder);
    let planned = requant(&["plan", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--engine", "cpu"]);
    assert!(planned.status.success(), "{planned:?}");
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for row in read_table::<PlannedRow>(&out).unwrap() {
        let what =
            if row.status.as_deref() == Some("left_out") { row.error_message.unwrap() } else { "row".to_owned() };
        // A file of several conditions has several rows.
        let before = found.insert(row.source_path.clone(), what.clone());
        assert!(before.is_none_or(|b| b == "row" && what == "row"), "{} twice", row.source_path);
    }
    for (path, what) in &expected {
        assert_eq!(found.get(path).map(String::as_str), Some(*what), "{path}");
    }
    assert_eq!((found.len(), found.len()), (expected.len(), n_seen(&folder)));
    let text = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(text.contains("left out:") && text.contains("not_a_file"), "{text}");
    unlock(&folder);
}

#[test]
fn rows_and_what_is_counted_are_all_files() {
    let keep = tempfile::tempdir().unwrap();
    let (folder, out) = (keep.path().join("in"), keep.path().join("out"));
    let expected = input(&folder);
    let ran = requant(&["run", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--engine", "cpu"]);
    // No spectrum of these can be fitted.
    assert_eq!(ran.status.code(), Some(65), "{ran:?}");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(text.contains("left out: ") && text.contains("2 image"), "{text}");
    let record = read_run(&out).unwrap();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for what in expected.values().filter(|what| **what != "row") {
        *counted.entry((*what).to_owned()).or_insert(0) += 1;
    }
    assert_eq!(record.inputs.left_out, counted);
    assert_eq!(record.inputs.n_files + counted.values().sum::<usize>(), n_seen(&folder));
    let rows: Vec<SpectrumRow> = read_table(&out).unwrap();
    let code_of: BTreeMap<String, Option<String>> =
        rows.into_iter().map(|row| (row.source_path, row.error_code)).collect();
    for (path, code) in [
        ("empty/dcm/empty_dcm.dcm", "empty_file"),
        ("zero/7/zero_7.7", "unknown_format"),
        ("noise/IMA/noise_IMA.IMA", "unknown_format"),
        ("pointer.dat", "unknown_format"),
        ("pipe.dcm", "unreadable_file"),
        ("gone.rda", "unreadable_file"),
        ("sub-01/mrs/sub-01_svs.txt", "empty_file"),
    ] {
        assert_eq!(code_of[path].as_deref(), Some(code), "{path}");
    }
    if !is_root() {
        assert_eq!(code_of["locked.IMA"].as_deref(), Some("unreadable_file"));
    }
    unlock(&folder);
}

struct Silent;

impl Progress for Silent {
    fn found(&self, _: usize) {}
    fn advanced(&self, _: usize) {}
}

#[test]
fn a_file_that_vanishes_after_the_search_is_a_row() {
    let keep = tempfile::tempdir().unwrap();
    let input = keep.path().join("in");
    write(&input, "stays.nii", &small_nifti());
    write(&input, "goes.nii", &small_nifti());
    write(&input, "goes_too.SDAT", &[1; 256]);
    write(&input, "goes_too.SPAR", SPAR.as_bytes());
    let method = Method::built_in("map").unwrap().unwrap();
    let options = RunOptions::new(vec![input.clone()], vec![method], keep.path().join("out")).unwrap();
    let inputs = Inputs::find(&options).unwrap();
    for name in ["goes.nii", "goes_too.SDAT", "goes_too.SPAR"] {
        fs::remove_file(input.join(name)).unwrap();
    }
    run_found(&options, &inputs, &requant::engine::CpuEngine, &Silent).unwrap();
    let rows: Vec<SpectrumRow> = read_table(&options.out).unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows.iter().filter(|row| row.source_path.starts_with("goes")) {
        let code = row.error_code.as_deref().unwrap();
        assert!(["unreadable_file", "missing_companion"].contains(&code), "{code}");
    }
}

#[test]
fn bids_names_the_spectra_that_no_participant_has() {
    let keep = tempfile::tempdir().unwrap();
    let (input, out) = (keep.path().join("in"), keep.path().join("out"));
    write(&input, "stray.nii", &small_nifti());
    let bids = ["bids", input.to_str().unwrap(), out.to_str().unwrap(), "participant", "--engine", "cpu"];
    let nothing = requant(&bids);
    assert_eq!(nothing.status.code(), Some(66), "{nothing:?}");
    write(&input, "sub-01/mrs/sub-01_svs.nii", &small_nifti());
    let some = requant(&bids);
    assert_eq!(some.status.code(), Some(0), "{some:?}");
    let told = String::from_utf8_lossy(&some.stderr).into_owned();
    assert!(told.contains("1 spectra without a subject label") && told.contains("stray.nii"), "{told}");
}
