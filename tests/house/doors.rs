//! Wherever a path can stand, a FIFO, a device or a folder in its place is told within two seconds.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::small_files::*;
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts};
use requant::formats::nifti_mrs;

const LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bad {
    Fifo,
    Zero,
    Folder,
}

impl Bad {
    const ALL: [Self; 3] = [Self::Fifo, Self::Zero, Self::Folder];

    fn put(self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Self::Fifo => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            Self::Zero => symlink("/dev/zero", path).unwrap(),
            Self::Folder => fs::create_dir(path).unwrap(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Fifo => "it is a FIFO",
            Self::Zero => "it is a device",
            Self::Folder => "it is a folder",
        }
    }
}

/// A spectrum that gets as far as its basis set.
fn line() -> Vec<u8> {
    let samples = Array5::from_shape_fn((1, 1, 1, 1, 1024), |(.., p)| {
        let noise = (p * 40_503 % 4096) as f64 / 4096.0 - 0.5;
        Complex64::from_polar(1000.0 * (-(p as f64) / 100.0).exp(), 0.7 * p as f64) + Complex64::new(noise, -noise)
    });
    let facts = Facts { dwell_s: Some(5e-4), f0_mhz: Some(123.2), nucleus: Some("1H".to_owned()), ..Facts::default() };
    nifti_mrs::encode(&Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) })
}

/// What must come of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    /// The output says what it is; whether the command fails, depends on what else there is.
    Always,
    /// The same; but a folder is not wrong there.
    UnlessFolder,
    /// The command fails.
    Fails,
}
use Told::{Always, Fails, UnlessFolder};

/// A place: its name, the file that stands there, the files around it, and the command (`{}` is the folder).
type Place<'a> = (&'a str, &'a str, Vec<(&'a str, &'a [u8])>, &'a str, Told);

const LCMODEL_TABLE_CSV: &[u8] = b"id,metab,conc,crlb_pct\nx,NAA,10,5\n";
const SVS: &str = "d/sub-01/mrs/sub-01_svs.nii";

fn inputs<'a>(nii: &'a [u8], raw: &'a [u8], varian: &'a [u8], bruker: &'a [u8], list: &'a [u8]) -> Vec<Place<'a>> {
    let run = "run {}/d --engine cpu --out {}/out";
    let manifest = "run {}/m.csv --engine cpu --out {}/out";
    vec![
        ("INPUT", "x.7", vec![], "run {}/x.7 --engine cpu --out {}/out", UnlessFolder),
        ("a spectrum in a folder", "d/x.dcm", vec![], run, UnlessFolder),
        ("a BIDS spectrum", SVS, vec![], run, UnlessFolder),
        ("a header without extension", "d/fid", vec![("d/procpar", PROCPAR.as_bytes())], run, UnlessFolder),
        ("a sidecar", "d/x.json", vec![("d/x.nii", nii)], run, Always),
        ("an inherited sidecar", "d/svs.json", vec![(SVS, nii), ("d/dataset_description.json", b"{}")], run, Always),
        ("participants.tsv", "d/participants.tsv", vec![(SVS, nii)], run, Always),
        ("a SPAR", "d/x.SPAR", vec![("d/x.SDAT", &[0; 256])], run, Always),
        ("an SDAT", "d/x.SDAT", vec![("d/x.SPAR", SPAR.as_bytes())], run, UnlessFolder),
        (
            "a water reference",
            "d/x_ref.SDAT",
            vec![("d/x_act.SDAT", &[1; 256]), ("d/x_act.SPAR", SPAR.as_bytes()), ("d/x_ref.SPAR", SPAR.as_bytes())],
            run,
            UnlessFolder,
        ),
        ("a .list", "d/x.list", vec![("d/x.data", list)], run, Always),
        ("procpar", "d/procpar", vec![("d/fid", varian)], run, Always),
        ("method", "d/method", vec![("d/fid", bruker), ("d/acqp", ACQP.as_bytes())], run, Always),
        ("acqp", "d/acqp", vec![("d/fid", bruker), ("d/method", METHOD.as_bytes())], run, Always),
        ("a control file", "d/x.control", vec![("d/x.RAW", raw)], "inspect {}/d/x.RAW", UnlessFolder),
        ("a text manifest", "m.csv", vec![], manifest, Fails),
        ("a Parquet manifest", "m.parquet", vec![], "run {}/m.parquet --engine cpu --out {}/out", Fails),
        ("a manifest's path", "x.nii", vec![("m.csv", b"path\nx.nii\n")], manifest, Always),
        (
            "a manifest's water",
            "w.nii",
            vec![("x.nii", nii), ("m.csv", b"path,water_path\nx.nii,w.nii\n")],
            manifest,
            Always,
        ),
        (
            "a manifest's basis",
            "b.basis",
            vec![("x.nii", nii), ("m.csv", b"path,basis,dwell_s,f0_mhz\nx.nii,b.basis,5e-4,123.2\n")],
            manifest,
            UnlessFolder,
        ),
    ]
}

fn arguments<'a>(nii: &'a [u8], raw: &'a [u8]) -> Vec<Place<'a>> {
    let run = |more: &str| -> &'static str { format!("run {{}}/x.nii --engine cpu --out {{}}/out {more}").leak() };
    let x = || vec![("x.nii", nii)];
    vec![
        ("--basis", "b.basis", x(), run("--basis {}/b.basis"), Fails),
        ("a basis set's member", "b/NAA.raw", vec![("x.nii", nii), ("b/Cr.raw", raw)], run("--basis {}/b"), Always),
        ("--method", "m.toml", x(), run("--method {}/m.toml"), Always),
        ("--config", "c.toml", x(), run("--config {}/c.toml"), Always),
        (
            "--bids-filter-file",
            "f.json",
            x(),
            "bids {}/x.nii {}/out participant --engine cpu --bids-filter-file {}/f.json",
            Always,
        ),
        ("--learned", "l", x(), run("--learned {}/l"), Fails),
        ("a part of --learned", "l/learned/part-00000.parquet", x(), run("--learned {}/l"), Always),
        ("fit", "x.nii", vec![], "fit {}/x.nii", Fails),
        ("fit --water", "w.nii", x(), "fit {}/x.nii --water {}/w.nii", Always),
        ("inspect", "x.nii", vec![], "inspect {}/x.nii", Always),
        ("convert", "x.nii", vec![], "convert {}/x.nii {}/y.nii", Always),
        ("basis show", "b.basis", vec![], "basis show {}/b.basis", Fails),
        ("simulate --recipe", "r.toml", vec![], "simulate --recipe {}/r.toml --out {}/out", Always),
        (
            "basis simulate --spin-systems",
            "s.toml",
            vec![],
            "basis simulate --sequence press --te 30 --field-t 3 --out {}/b.basis --spin-systems {}/s.toml",
            Always,
        ),
        ("compare with a file", "r.csv", vec![], "compare {}/r.csv --truth {}/t.csv", Fails),
        ("compare with a folder's file", "r/x.csv", vec![], "compare {}/r --truth {}/t.csv", Fails),
        (
            "a part of a run",
            "r/metabolites/part-00000.parquet",
            vec![("t.csv", b"id,NAA\n")],
            "compare {}/r --truth {}/t.csv",
            Always,
        ),
        ("compare --truth", "t.csv", vec![("r.csv", LCMODEL_TABLE_CSV)], "compare {}/r.csv --truth {}/t.csv", Always),
        ("run.json", "r/run.json", vec![], "status {}/r", Fails),
        (
            "a set's truth",
            "data/benchmark/mine/truth.csv",
            vec![],
            "benchmark --engine cpu --data {}/data --only mine --out {}/out",
            Always,
        ),
    ]
}

/// Runs the command in `folder`; its output and whether it failed, or `None` where it had to be killed.
fn run(folder: &Path, command: &str) -> Option<(String, bool)> {
    let log = folder.join("log");
    let file = File::create(&log).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_requant"))
        .args(command.split(' ').map(|word| word.replace("{}", folder.to_str().unwrap())))
        .env_remove("SLURM_ARRAY_TASK_ID")
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some((fs::read_to_string(&log).unwrap(), !status.success()));
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn hold(places: &[Place<'_>]) {
    let mut wrong = Vec::new();
    for (name, bad_path, around, command, told) in places {
        for bad in Bad::ALL {
            if (*told, bad) == (UnlessFolder, Bad::Folder) {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            for (path, bytes) in around {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            bad.put(&folder.path().join(bad_path));
            let says = match run(folder.path(), command) {
                None => Some("had to be killed".to_owned()),
                Some((_, failed)) if *told == Fails && failed => None,
                Some((output, _)) => (*told == Fails || !output.contains(bad.word())).then_some(output),
            };
            wrong.extend(says.map(|says| format!("{name}, {bad:?}: {says}")));
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn inputs_and_what_belongs_to_them() {
    let (list_samples, _) = small_list();
    hold(&inputs(&line(), small_raw().as_bytes(), &small_varian(), &small_bruker(), &list_samples));
}

#[test]
fn arguments_and_what_they_lead_to() {
    hold(&arguments(&line(), small_raw().as_bytes()));
}

/// Files that open what requant itself wrote, or what the system says about this process.
const OPEN_THEIR_OWN: [&str; 5] =
    ["regular_file.rs", "benchmark/one_set.rs", "store/disk.rs", "store/lock.rs", "store/provenance.rs"];

#[test]
fn one_place_opens_files_from_outside() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut opened = Vec::new();
    for entry in walkdir::WalkDir::new(&source) {
        let path = entry.unwrap().into_path();
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".rs") || name.ends_with("tests.rs") || OPEN_THEIR_OWN.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in ["fs::read(", "fs::read_to_string(", "File::open(", "Reader::from_path(", "File::options("] {
            opened.extend(code.contains(word).then(|| format!("{name}: {word}")));
        }
    }
    assert!(opened.is_empty(), "use crate::regular_file: {opened:?}");
}
