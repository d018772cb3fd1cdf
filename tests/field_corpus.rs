//! What sites really send, as folders: packed and renamed files, one scan in two formats, series of single transients,
//! scans that are folders, names of pairs. Cases of `../shared/cases/field`, and others of their kinds made here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::data;
use common::small_files::*;
use num_complex::Complex64;
use requant::acquisition::Acquisition;
use requant::corpus::{FindWarning, Found, LeftOutKind, Listing, Water, find};
use requant::formats::{self, Search, nifti_mrs};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_table};

fn case(name: &str) -> PathBuf {
    data().join("../cases/field").join(name)
}

fn search(folder: &Path) -> Listing {
    find(&[folder.to_owned()], &Search).unwrap()
}

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).env_remove("SLURM_ARRAY_TASK_ID").output().unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Files of a listing by path: `ready`, the code of a refusal, with the water reference behind.
fn rows(listing: &Listing) -> BTreeMap<String, String> {
    let state = |found: &Found| match (found.refusal(), &found.water_source_path) {
        (Some(refusal), _) => refusal.code.to_owned(),
        (None, Some(water)) => format!("water {water}"),
        (None, None) => "ready".to_owned(),
    };
    listing.found.iter().map(|found| (found.source_path.clone(), state(found))).collect()
}

fn left_out(listing: &Listing) -> BTreeMap<String, LeftOutKind> {
    listing.left_out.iter().map(|one| (one.source_path.clone(), one.kind)).collect()
}

fn expect(listing: &Listing, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(path, state)| ((*path).to_owned(), (*state).to_owned())).collect();
    assert_eq!(rows(listing), expected);
}

/// A spectrum with water of this height, and its noise.
fn scan(water: f64) -> Acquisition {
    let dwell_s = 5e-4;
    let line = |ppm: f64, height: f64, t: f64| {
        let hz = requant::acquisition::hz_from_ppm(ppm, 123.25);
        Complex64::from_polar(height * (-15.0 * t).exp(), std::f64::consts::TAU * hz * t)
    };
    let samples = ndarray::Array5::from_shape_fn((1, 1, 1, 1, 512), |(.., p)| {
        let t = p as f64 * dwell_s;
        let noise = (p * 40_503 % 4096) as f64 / 4096.0 - 0.5;
        line(2.01, 30.0, t) + line(3.03, 20.0, t) + line(4.65, water, t) + Complex64::new(noise, -noise)
    });
    let mut data = Acquisition::from_samples(nifti_mrs::NAME, samples);
    data.facts.dwell_s = Some(dwell_s);
    data.facts.f0_mhz = Some(123.25);
    data.facts.te_s = Some(0.03);
    data.facts.tr_s = Some(2.0);
    data.facts.nucleus = Some("1H".to_owned());
    data
}

/// The same as RDA.
fn rda(data: &Acquisition, more: &str) -> Vec<u8> {
    let facts = &data.facts;
    let header = format!(
        ">>> Begin of header <<<\r\n{more}TE: {}\r\nTR: {}\r\nDwellTime: {}\r\nMRFrequency: {}\r\nNucleus: 1H\r\n\
         VectorSize: {}\r\nCSIMatrixSize[0]: 1\r\n>>> End of header <<<\r\n",
        1e3 * facts.te_s.unwrap(),
        1e3 * facts.tr_s.unwrap(),
        1e6 * facts.dwell_s.unwrap(),
        facts.f0_mhz.unwrap(),
        data.n_points()
    );
    let samples = data.samples.iter().flat_map(|z| [z.re.to_le_bytes(), z.im.to_le_bytes()]).flatten();
    header.into_bytes().into_iter().chain(samples).collect()
}

/// What a made DICOM file of a series says.
#[derive(Clone, Copy)]
struct Instance {
    series: &'static str,
    number: u32,
    te_ms: f64,
    height: f32,
    protocol: &'static str,
}

const ONE: Instance = Instance { series: "1.2.3.4", number: 1, te_ms: 30.0, height: 1.0, protocol: "svs_se_30" };

/// A transient as a file of its own, by Siemens XA.
fn transient(instance: Instance) -> Vec<u8> {
    let samples: Vec<u8> = (0..128)
        .flat_map(|i| (instance.height * (1.0 + 0.01 * instance.number as f32) / (1.0 + i as f32)).to_le_bytes())
        .collect();
    dicom_file(&[
        (0x0008, 0x0070, b"LO", b"Siemens".to_vec()),
        (0x0018, 0x1030, b"LO", instance.protocol.as_bytes().to_vec()),
        (0x0018, 0x9052, b"FD", 2000.0_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9098, b"FD", 123.25_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9100, b"CS", b"1H".to_vec()),
        (0x0020, 0x000d, b"UI", b"1.2.9\0".to_vec()),
        (0x0020, 0x000e, b"UI", format!("{}\0", instance.series).into_bytes()),
        (0x0020, 0x0013, b"IS", instance.number.to_string().into_bytes()),
        (0x0028, 0x0008, b"IS", b"1".to_vec()),
        (0x0028, 0x9002, b"UL", 64_u32.to_le_bytes().to_vec()),
        (0x2001, 0x1025, b"LO", instance.te_ms.to_string().into_bytes()),
        (0x5600, 0x0020, b"OF", samples),
    ])
}

#[test]
fn real_packed_and_renamed_files_are_read_like_any() {
    let folder = case("names-and-packing");
    let listing = search(&folder);
    let water = "Süb 01/séance – A/press 35_raw_ref.SDAT";
    expect(
        &listing,
        &[
            ("Süb 01/séance – A/press 35_raw_act.SDAT", &format!("water {water}")),
            ("sub-02/P12345.7.anon", "ready"),
            ("sub-02/P12345.7.gz", "ready"),
            ("sub-02/P12345_renamed", "ready"),
            ("sub-02/meas_svs_se_30.dat.gz", "ready"),
            ("sub-02/twixwithoutext", "ready"),
            ("sub-03/scan_WS.dcm", "water sub-03/scan_noWS.dcm"),
        ],
    );
    let read = |name: &str| formats::read(&folder.join("sub-02").join(name)).unwrap();
    let [packed, renamed, bare] = ["P12345.7.gz", "P12345.7.anon", "P12345_renamed"].map(read);
    assert_eq!((packed.n_transients(), packed.format), (4, "GE P-file"));
    assert!(packed.samples == renamed.samples && renamed.samples == bare.samples);
    let [packed, bare] = ["meas_svs_se_30.dat.gz", "twixwithoutext"].map(read);
    assert_eq!((packed.n_transients(), bare.format), (8, "Siemens twix"));
    assert!(packed.samples == bare.samples);
    assert_eq!(listing.found.iter().find(|f| f.source_path.ends_with("7.gz")).unwrap().id, "sub-02/P12345");
}

#[test]
fn every_format_is_read_packed_and_most_under_any_name() {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path();
    let all: [(&str, Vec<u8>, bool); 10] = [
        ("p.7", small_pfile(), true),
        ("t.dat", small_twix(), true),
        ("vb.dat", small_vb_twix(), true),
        ("d.dcm", small_dicom(), true),
        ("c.IMA", small_csa_dicom(), true),
        ("r.rda", small_rda(), true),
        ("n.nii", small_nifti(), true),
        ("l.RAW", small_raw().into_bytes(), false),
        ("m.mrui", small_mrui(), false),
        ("x.SDAT", vec![1; 256], false),
    ];
    for (name, bytes, has_signature) in &all {
        write(folder, &format!("plain/{name}"), bytes);
        write(folder, &format!("packed/{name}.gz"), &gzip(bytes));
        if *has_signature {
            let stem = name.split('.').next().unwrap();
            for renamed in
                [format!("{stem}.bak"), format!("{stem}.txt"), format!("{stem}_copy"), format!("{stem}.x.gz")]
            {
                let bytes = if renamed.ends_with("gz") { gzip(bytes) } else { bytes.clone() };
                write(folder, &format!("{stem}/{renamed}"), &bytes);
            }
        }
    }
    write(folder, "plain/x.SPAR", SPAR.as_bytes());
    write(folder, "packed/x.SPAR.gz", &gzip(SPAR.as_bytes()));
    let listing = search(folder);
    // Copies of one stem and format are one scan.
    let n_same = listing.found.iter().filter(|f| f.refusal().is_some_and(|r| r.code == "same_scan")).count();
    assert_eq!((listing.found.len(), n_same), (10 + 10 + 7 * 4, 7 * 2));
    for (name, _, has_signature) in &all {
        let plain = formats::read(&folder.join("plain").join(name)).unwrap();
        let packed = formats::read(&folder.join("packed").join(format!("{name}.gz"))).unwrap();
        assert!(plain.samples == packed.samples && plain.format == packed.format, "{name}");
        assert_eq!(plain.facts, packed.facts);
        let stem = name.split('.').next().unwrap();
        for renamed in ["bak", "txt", "x.gz"].iter().filter(|_| *has_signature) {
            let renamed = formats::read(&folder.join(stem).join(format!("{stem}.{renamed}"))).unwrap();
            assert!(plain.samples == renamed.samples, "{name}");
        }
    }
}

/// Contents of all kinds that are no spectra.
fn junk() -> Vec<(&'static str, Vec<u8>)> {
    let noise = |seed: u32| -> Vec<u8> {
        let mut state = seed;
        (0..9000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    };
    let with = |begin: &[u8], seed: u32| [begin, &noise(seed)].concat();
    let floats =
        |first: f32| -> Vec<u8> { (0..4000).flat_map(|i| (first + 0.25 * (i % 97) as f32).to_le_bytes()).collect() };
    let integers = |first: &[u32]| -> Vec<u8> {
        first.iter().copied().chain((0..4000).map(|i| i * 7 % 5000)).flat_map(u32::to_le_bytes).collect()
    };
    vec![
        ("a.png", with(b"\x89PNG\r\n\x1a\n", 1)),
        ("a.jpg", with(b"\xff\xd8\xff\xe0", 2)),
        ("a.pdf", with(b"%PDF-1.7\n", 3)),
        ("a.docx", with(b"PK\x03\x04\x14\0", 4)),
        ("a.xlsx", with(b"PK\x03\x04\x14\0", 5)),
        ("a.npz", with(b"PK\x03\x04\x14\0", 6)),
        ("a.npy", with(b"\x93NUMPY\x01\0", 7)),
        ("a.mat", with(b"MATLAB 5.0 MAT-file, Platform: GLNXA64", 8)),
        ("a.h5", with(b"\x89HDF\r\n\x1a\n", 9)),
        ("a.tif", with(b"II*\0", 10)),
        ("a.bmp", with(b"BM", 11)),
        ("a.wav", with(b"RIFF", 12)),
        ("a.exe", with(b"MZ", 13)),
        ("a.so", with(b"\x7fELF", 14)),
        ("a.sqlite", with(b"SQLite format 3\0", 15)),
        ("a.pkl", with(b"\x80\x04", 16)),
        ("a.bin", noise(17)),
        ("b.bin", vec![0; 9000]),
        ("c.bin", floats(20.0)),
        ("d.bin", floats(26.002)),
        ("e.bin", floats(16.0)),
        ("f.bin", integers(&[0, 1, 5, 6, 16, 0])),
        ("g.bin", integers(&[0, 2, 1, 1, 10_240, 0])),
        ("h.bin", integers(&[4096, 5])),
        ("i.bin", with(b"\x02\0\x10\0UL\0\0", 18)),
        ("j.bin", with(b"\x08\0\x05\0CS\x0a\0ISO", 19)),
        ("k.bin", with(b"\x1f\x8b\x08", 20)),
        ("a.csv", b"1.0,2.0\n3.0,4.0\n".to_vec()),
        ("a.tsv", b"1.0\t2.0\n3.0\t4.0\n".to_vec()),
        ("a_physio.tsv.gz", gzip(b"1.0\t2.0\n3.0\t4.0\n")),
        ("a.json", b"{\"EchoTime\": 0.03}".to_vec()),
        ("a.xml", b"<?xml version=\"1.0\"?><a/>".to_vec()),
        ("a.html", b"<!doctype html><p>jMRUI Data Textfile".to_vec()),
        ("a.md", b"# jMRUI\n>>> Begin of header <<<\n".to_vec()),
        ("a.log", b"meas_MID00123_FID4_svs_se_30.dat was copied\n".to_vec()),
        ("a.m", b"$SEQPAR is read here\n".to_vec()),
        ("a.bval", b"0 1000\n".to_vec()),
        ("a.mnc", with(b"CDF\x01", 21)),
        ("a.mgz", gzip(&noise(22))),
        ("a.gz", gzip(&noise(23))),
        ("a.edf", with(b"0       ", 24)),
        ("notes", b"see the other folder\n".to_vec()),
    ]
}

#[test]
fn junk_of_all_kinds_is_no_row() {
    let keep = tempfile::tempdir().unwrap();
    for (name, bytes) in junk() {
        write(keep.path(), name, &bytes);
    }
    let mut image = small_nifti();
    image[12..14].copy_from_slice(&16_i16.to_le_bytes());
    image[14..16].copy_from_slice(&32_i16.to_le_bytes());
    write(keep.path(), "t1.bak", &image);
    write(keep.path(), "spectrum.nii", &small_nifti());
    let listing = search(keep.path());
    expect(&listing, &[("spectrum.nii", "ready")]);
    let other = left_out(&listing).into_values().filter(|kind| *kind == LeftOutKind::Other).count();
    assert_eq!(other, junk().len() + 1);
}

#[test]
fn archives_are_rows_that_say_to_unpack_them() {
    let keep = tempfile::tempdir().unwrap();
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    let all = [
        ("a.zip", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("sub-01/P12345.7.zip", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("b.tar", tar.clone()),
        ("c.tar.gz", gzip(&tar)),
        ("d.tgz", gzip(&tar)),
        ("e.7z", b"7z\xbc\xaf\x27\x1c\0".to_vec()),
        ("f.rar", b"Rar!\x1a\x07\0".to_vec()),
        ("g_ref.dat.bz2", b"BZh91AY".to_vec()),
        ("h.dat.xz", b"\xfd7zXZ\0\0".to_vec()),
        ("i.dat.zst", b"\x28\xb5\x2f\xfd\0\0".to_vec()),
        ("export", b"PK\x03\x04\x14\0\0\0".to_vec()),
    ];
    for (name, bytes) in &all {
        write(keep.path(), name, bytes);
    }
    let listing = search(keep.path());
    expect(&listing, &all.each_ref().map(|(name, _)| (*name, "packed_archive")));
    let refusal = listing.found[0].refusal().unwrap();
    assert!(refusal.message.starts_with("a.zip: ") && refusal.message.contains("unpack it"), "{}", refusal.message);
    let named = requant(&["inspect", keep.path().join("f.rar").to_str().unwrap()]);
    assert_eq!(named.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&named.stderr).contains("unpack it"), "{named:?}");
}

#[test]
fn a_packed_bomb_is_a_row() {
    let keep = tempfile::tempdir().unwrap();
    let (input, out) = (keep.path().join("in"), keep.path().join("out"));
    let bomb = |head: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(head).unwrap();
        let zeros = vec![0; 1 << 20];
        (0..400).for_each(|_| packed.write_all(&zeros).unwrap());
        packed.finish().unwrap()
    };
    let pfile = small_pfile();
    write(&input, "a.7.gz", &bomb(&pfile[..20_000]));
    write(&input, "b.rda.gz", &bomb(b">>> Begin of header <<<\r\n"));
    write(&input, "c.dat.gz", &bomb(&small_twix()));
    write(&input, "d.dcm.gz", &bomb(&small_dicom()));
    write(&input, "e.7.gz", &gzip(&pfile)[..2000]);
    let args =
        ["plan", input.to_str().unwrap(), "--out", out.to_str().unwrap(), "--engine", "cpu", "--memory", "300MiB"];
    let planned = requant(&args);
    assert!(planned.status.success(), "{planned:?}");
    let rows: Vec<requant::store::PlannedRow> = read_table(&out).unwrap();
    let codes: Vec<&str> = rows.iter().map(|row| row.error_code.as_deref().unwrap()).collect();
    let large = "too_large_for_memory";
    assert_eq!(codes, [large, large, large, large, "unreadable_file"]);
    assert!(rows[4].error_message.as_deref().unwrap().contains("gzip packing is damaged"), "{:?}", rows[4]);
}

#[test]
fn real_one_stem_of_two_scans_keeps_the_extensions() {
    // Two scanners' files under one stem: dwell time, TR and frequency differ.
    let folder = case("same-stem-two-formats");
    let files = ["sub-01_svs.dcm", "sub-01_svs.rda"];
    for inputs in [vec![folder.clone()], files.iter().map(|name| folder.join(name)).collect()] {
        let listing = find(&inputs, &Search).unwrap();
        let ids: Vec<&str> = listing.found.iter().map(|found| found.id.as_str()).collect();
        assert_eq!(ids, files);
        assert!(listing.found.iter().all(|found| found.refusal().is_none()));
        assert!(listing.warnings.iter().any(|w| matches!(w, FindWarning::KeptExtension { n: 2, .. })));
    }
}

#[test]
fn one_scan_in_two_formats_is_one_spectrum_and_a_row_that_says_so() {
    let keep = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: Vec<u8>| write(keep.path(), name, &bytes);
    let spectrum = scan(40.0);
    put("a/x.nii", nifti_mrs::encode(&spectrum));
    put("a/x.rda", rda(&spectrum, ""));
    // Its water reference, exported under the same stem.
    put("b/x.nii", nifti_mrs::encode(&spectrum));
    put("b/x.rda", rda(&scan(40_000.0), ""));
    let mut later = scan(40.0);
    later.facts.te_s = Some(0.144);
    put("c/x.nii", nifti_mrs::encode(&spectrum));
    put("c/x.rda", rda(&later, ""));
    // What cannot be read proves nothing.
    put("d/x.nii", nifti_mrs::encode(&spectrum));
    put("d/x.rda", rda(&spectrum, "")[..900].to_vec());
    // With water references in both formats, and packed.
    put("e/x_act.nii.gz", gzip(&nifti_mrs::encode(&spectrum)));
    put("e/x_ref.nii.gz", gzip(&nifti_mrs::encode(&scan(40_000.0))));
    put("e/X_act.rda", rda(&spectrum, ""));
    put("e/X_ref.rda", rda(&scan(40_000.0), ""));
    let listing = search(keep.path());
    expect(
        &listing,
        &[
            ("a/x.nii", "same_scan"),
            ("a/x.rda", "ready"),
            ("b/x.nii", "ready"),
            ("b/x.rda", "ready"),
            ("c/x.nii", "ready"),
            ("c/x.rda", "ready"),
            ("d/x.nii", "ready"),
            ("d/x.rda", "ready"),
            ("e/X_act.rda", "water e/X_ref.rda"),
            ("e/x_act.nii.gz", "same_scan"),
        ],
    );
    let refusal = listing.found[0].refusal().unwrap();
    assert!(refusal.is_skip && refusal.message.contains("x.rda"), "{}", refusal.message);
    // A manifest's lines are what somebody wants.
    write(keep.path(), "m.csv", b"path\na/x.nii\na/x.rda\n");
    let listing = find(&[keep.path().join("m.csv")], &Search).unwrap();
    expect(&listing, &[("a/x.nii", "ready"), ("a/x.rda", "ready")]);
}

#[test]
fn real_transients_in_files_of_one_series_are_one_spectrum() {
    let folder = case("dicom-xa-one-file-per-average");
    let listing = search(&folder);
    expect(&listing, &[("00001.dcm", "ready")]);
    let parts = left_out(&listing);
    for name in ["00002.dcm", "00003.dcm", "00004.dcm"] {
        assert_eq!(parts[name], LeftOutKind::PartOfSeries);
    }
    let found = &listing.found[0];
    let all = formats::read_series(&found.path, &found.parts).unwrap();
    assert_eq!((all.n_transients(), all.n_coils(), all.n_points()), (4, 1, 2048));
    for (transient, name) in ["00001.dcm", "00002.dcm", "00003.dcm", "00004.dcm"].iter().enumerate() {
        let one = formats::read(&folder.join(name)).unwrap();
        assert_eq!(all.samples.fid([0, 0, transient, 0]), one.samples.fid([0; 4]));
    }
    assert!(
        all.flags.is_empty() && all.remarks.iter().any(|r| r.contains("4 files of one series")),
        "{:?}",
        all.remarks
    );
    // A manifest's line is a measurement, too, and each line where it names them all.
    let work = tempfile::tempdir().unwrap();
    let named = folder.join("00001.dcm").display().to_string();
    write(work.path(), "m.csv", format!("path\n{named}\n").as_bytes());
    let listing = find(&[work.path().join("m.csv")], &Search).unwrap();
    assert_eq!(listing.found[0].parts, found.parts);
    let all: String = (1..=4).map(|n| format!("{}\n", folder.join(format!("0000{n}.dcm")).display())).collect();
    write(work.path(), "m.csv", format!("path\n{all}").as_bytes());
    let listing = find(&[work.path().join("m.csv")], &Search).unwrap();
    assert!(listing.found.len() == 4 && listing.found.iter().all(|found| found.parts.is_empty()));
}

/// Files that are numbered alike, of which only some are one measurement.
fn numbered_files(folder: &Path) {
    let put = |name: &str, instance: Instance| write(folder, name, &transient(instance));
    let of = |number: u32| Instance { number, ..ONE };
    // In the order of their numbers, not of their names.
    for (name, number) in [("a/IM1.dcm", 3), ("a/IM2.dcm", 1), ("a/IM3.dcm", 2)] {
        put(name, of(number));
    }
    put("b/1", of(1));
    put("b/2", Instance { te_ms: 68.0, ..of(2) });
    put("c/1.dcm", of(1));
    put("c/2.dcm", Instance { series: "1.2.3.5", ..of(2) });
    for number in [1, 2] {
        put(&format!("edited/{number}.dcm"), Instance { protocol: "MEGA_press_68", ..of(number) });
        put(&format!("named_{}.dcm", ["on", "off"][number as usize - 1]), of(number));
    }
    put("copies/1.dcm", of(1));
    put("copies/2.dcm", of(1));
    for (name, number) in [("twice/1.dcm", 1), ("twice/2.dcm", 2), ("twice/3.dcm", 2)] {
        put(name, of(number));
    }
    for number in [1, 2, 3] {
        put(&format!("ref/{number}.dcm"), Instance { height: if number == 1 { 300.0 } else { 1.0 }, ..of(number) });
    }
    for number in [1, 2, 5] {
        put(&format!("gap/{number}.dcm"), of(number));
    }
    for number in [1, 3] {
        put(&format!("broken/{number}.dcm"), of(number));
    }
    let broken = transient(of(2));
    write(folder, "broken/2.dcm", &broken[..broken.len() - 100]);
}

#[test]
fn only_what_is_alike_is_put_together() {
    let keep = tempfile::tempdir().unwrap();
    numbered_files(keep.path());
    let listing = search(keep.path());
    let apart = ["b/1", "b/2", "broken/2.dcm", "c/1.dcm", "c/2.dcm", "copies/1.dcm", "copies/2.dcm", "edited/1.dcm"];
    let named = ["edited/2.dcm", "named_off.dcm", "named_on.dcm"];
    let first = ["a/IM2.dcm", "broken/1.dcm", "gap/1.dcm", "ref/1.dcm"];
    let mut expected: Vec<(&str, &str)> =
        [&apart[..], &named, &first].concat().into_iter().map(|path| (path, "ready")).collect();
    expected.push(("twice/1.dcm", "bad_series"));
    expect(&listing, &expected);
    assert_eq!(listing.found.len() + listing.left_out.len(), 3 + 2 + 2 + 2 + 2 + 2 + 3 + 3 + 3 + 3);
    let same = listing.warnings.iter().filter(|w| matches!(w, FindWarning::SameInstance { n: 1, .. })).count();
    assert_eq!(same, 1);
}

#[test]
fn series_are_read_in_order_and_say_what_is_wrong() {
    let keep = tempfile::tempdir().unwrap();
    numbered_files(keep.path());
    let listing = search(keep.path());
    let read = |path: &str| {
        let found = listing.found.iter().find(|found| found.source_path == path).unwrap();
        formats::read_series(&found.path, &found.parts)
    };
    let ordered = read("a/IM2.dcm").unwrap();
    let firsts: Vec<f64> = (0..3).map(|t| ordered.samples.fid([0, 0, t, 0])[0].re).collect();
    assert!(firsts.is_sorted() && firsts[0] < firsts[2], "{firsts:?}");
    assert!(ordered.flags.is_empty());
    let strong = read("ref/1.dcm").unwrap_err();
    assert!(strong.code() == "bad_series" && strong.to_string().contains("water reference"), "{strong}");
    for (path, missing) in [("gap/1.dcm", "3, 4"), ("broken/1.dcm", "2")] {
        let data = read(path).unwrap();
        assert_eq!(data.flags, ["incomplete_series"]);
        assert!(data.remarks.iter().any(|r| r.contains(missing)), "{:?}", data.remarks);
    }
    assert!(read("broken/2.dcm").is_err());
}

#[test]
fn rda_files_are_a_series_if_their_headers_say_so() {
    let keep = tempfile::tempdir().unwrap();
    let times = "StudyTime: 101010.0\r\nSeriesDate: 20200101\r\nSeriesTime: 101112.0\r\nSeriesNumber: 7\r\n";
    for number in [1, 2, 3] {
        let name = format!("x_{number}.rda");
        write(&keep.path().join("a"), &name, &rda(&scan(40.0), &format!("{times}InstanceNumber: {number}\r\n")));
        // As anonymised: a number may be anybody's.
        write(
            &keep.path().join("b"),
            &name,
            &rda(&scan(40.0), &format!("SeriesNumber: 7\r\nInstanceNumber: {number}\r\n")),
        );
    }
    let listing = search(keep.path());
    let all = ["a/x_1.rda", "b/x_1.rda", "b/x_2.rda", "b/x_3.rda"];
    expect(&listing, &all.map(|path| (path, "ready")));
    assert_eq!(listing.found[0].parts.len(), 2);
}

#[test]
fn every_file_of_a_series_is_among_the_inputs_of_its_row() {
    let keep = tempfile::tempdir().unwrap();
    let input = keep.path().join("in");
    let run = |out: &str| -> SpectrumRow {
        let out = keep.path().join(out);
        let ran = requant(&["run", input.to_str().unwrap(), "--out", out.to_str().unwrap(), "--engine", "cpu"]);
        assert!([0, 65].contains(&ran.status.code().unwrap()), "{ran:?}");
        let mut rows: Vec<SpectrumRow> = read_table(&out).unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    for number in [1, 2, 3] {
        write(&input, &format!("{number}.dcm"), &transient(Instance { number, ..ONE }));
    }
    let before = run("before");
    assert_eq!((before.source_path.as_str(), before.n_transients), ("1.dcm", Some(3)));
    assert_eq!(before.inputs_sha256, run("again").inputs_sha256);
    write(&input, "3.dcm", &transient(Instance { number: 3, height: 1.5, ..ONE }));
    let after = run("after");
    assert_ne!(before.inputs_sha256, after.inputs_sha256);
    assert_eq!(before.source_sha256, after.source_sha256);
}

/// A folder of Bruker's, and others of which only one is a scan.
fn scan_folders(folder: &Path) {
    for scan in ["study/5", "study/6"] {
        write(folder, &format!("{scan}/fid"), &small_bruker());
        write(folder, &format!("{scan}/method"), METHOD.as_bytes());
        write(folder, &format!("{scan}/acqp"), ACQP.as_bytes());
    }
    for scan in ["steam.fid", "steam_w.fid"] {
        write(folder, &format!("{scan}/fid"), &small_varian());
        write(folder, &format!("{scan}/procpar"), PROCPAR.as_bytes());
    }
    write(folder, "empty/notes.txt", b"nothing");
    fs::create_dir(folder.join("void")).unwrap();
}

#[test]
fn a_folder_that_is_a_scan_stands_where_a_file_may() {
    let keep = tempfile::tempdir().unwrap();
    let at = |name: &str| keep.path().join(name);
    scan_folders(keep.path());
    write(
        keep.path(),
        "m.csv",
        b"path,water_path\nsteam.fid,steam_w.fid\nstudy/5,study/6\nstudy/5/fid,none\nempty,\nstudy,\nsteam.fid,void\n",
    );
    let listing = find(&[at("m.csv")], &Search).unwrap();
    let files: Vec<(&str, Option<&str>)> =
        listing.found.iter().map(|f| (f.source_path.as_str(), f.water_source_path.as_deref())).collect();
    assert_eq!(
        files[..3],
        [("steam.fid/fid", Some("steam_w.fid/fid")), ("study/5/fid", Some("study/6/fid")), ("study/5/fid", None)]
    );
    for at in [3, 4] {
        let refusal = listing.found[at].refusal().unwrap();
        assert_eq!(refusal.code, "manifest_line");
        assert!(refusal.message.contains("folder without a scan"), "{}", refusal.message);
    }
    // As INPUT each has an id of its own.
    let listing = find(&[at("steam.fid"), at("steam_w.fid"), at("study/5")], &Search).unwrap();
    let ids: Vec<&str> = listing.found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["steam.fid/fid", "5/fid"]);
    assert_eq!(listing.found[0].water_source_path.as_deref(), Some("steam_w.fid/fid"));
    assert_eq!(listing.left_out.len(), 1 + 4);
    for (folder, format) in [("steam.fid", "Varian"), ("study/6", "Bruker ParaVision")] {
        let inspected = requant(&["inspect", at(folder).to_str().unwrap()]);
        let told = String::from_utf8_lossy(&inspected.stdout).into_owned();
        assert!(inspected.status.success() && told.contains(format) && told.contains("read with"), "{inspected:?}");
    }
    for folder in ["empty", "study"] {
        for command in ["inspect", "fit"] {
            let refused = requant(&[command, at(folder).to_str().unwrap()]);
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(1), "{told}");
            assert!(told.contains("folder without a scan of its own"), "{told}");
        }
    }
}

#[test]
fn real_folders_of_scans_are_inspected_like_files() {
    let folder = data().join("varian/7T_STEAM_TE6ms_human.fid");
    assert_eq!(formats::read(&folder).unwrap().samples, formats::read(&folder.join("fid")).unwrap().samples);
    let bruker = case("bruker-pv360-reference-in-method");
    let scan = walk(&bruker).into_iter().find(|path| path.ends_with("method")).unwrap();
    let scan = scan.parent().unwrap();
    assert_eq!(formats::read(scan).unwrap().format, "Bruker ParaVision");
}

/// All files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn series_folders_pair_by_their_names() {
    let keep = tempfile::tempdir().unwrap();
    let put = |name: &str, instance: Instance| write(keep.path(), name, &transient(instance));
    for (series, folder) in
        ["1.1", "1.2", "1.3", "1.4"].iter().zip(["svs_se_30", "SVS_SE_30_W", "press_0005", "press_wref_0006"])
    {
        put(&format!("s1/{folder}/00001.dcm"), Instance { series, ..ONE });
    }
    // A series of transients with its reference, which is one as well.
    for number in [1, 2] {
        put(&format!("s2/svs_ws/{number}.dcm"), Instance { series: "2.1", number, ..ONE });
        put(&format!("s2/svs_nws/{number}.dcm"), Instance { series: "2.2", number, ..ONE });
    }
    // Nobody's, and two that could be.
    put("s3/svs_w/1.dcm", Instance { series: "3.1", ..ONE });
    for (series, folder) in [("4.1", "svs"), ("4.2", "svs_w"), ("4.3", "svs_wref")] {
        put(&format!("s4/{folder}/1.dcm"), Instance { series, ..ONE });
    }
    // Two spectra in one folder belong to nobody else's.
    for (series, file) in [("5.1", "svs/a.dcm"), ("5.2", "svs/b.dcm"), ("5.3", "svs_w/a.dcm")] {
        put(&format!("s5/{file}"), Instance { series, ..ONE });
    }
    let listing = search(keep.path());
    expect(
        &listing,
        &[
            ("s1/press_0005/00001.dcm", "water s1/press_wref_0006/00001.dcm"),
            ("s1/svs_se_30/00001.dcm", "water s1/SVS_SE_30_W/00001.dcm"),
            ("s2/svs_ws/1.dcm", "water s2/svs_nws/1.dcm"),
            ("s3/svs_w/1.dcm", "ready"),
            ("s4/svs/1.dcm", "ambiguous_water_reference"),
            ("s5/svs/a.dcm", "ready"),
            ("s5/svs/b.dcm", "ready"),
            ("s5/svs_w/a.dcm", "ready"),
        ],
    );
    let series = listing.found.iter().find(|found| found.source_path == "s2/svs_ws/1.dcm").unwrap();
    assert_eq!((series.parts.len(), series.water_parts.len()), (1, 1));
    assert!(matches!(&series.water, Water::Paired(path) if path.ends_with("svs_nws/1.dcm")));
}

#[test]
fn series_pair_by_what_their_headers_call_them() {
    let keep = tempfile::tempdir().unwrap();
    let put = |name: &str, series: &'static str, protocol: &'static str| {
        write(keep.path(), name, &transient(Instance { series, protocol, ..ONE }));
    };
    // In one folder, and in folders whose names say nothing.
    put("a/IM0001", "1.1", "svs_se_30");
    put("a/IM0002", "1.2", "svs_se_30_WREF");
    put("b/SER1/IM0001", "2.1", "press_ws");
    put("b/SER2/IM0001", "2.2", "press_nws");
    // Several files of one series, of which nobody knows which is meant.
    put("c/x.dcm", "3.1", "svs");
    put("c/y.dcm", "3.1", "svs");
    put("c/z.dcm", "3.2", "svs_w");
    let listing = search(keep.path());
    expect(
        &listing,
        &[
            ("a/IM0001", "water a/IM0002"),
            ("b/SER1/IM0001", "water b/SER2/IM0001"),
            ("c/x.dcm", "ready"),
            ("c/y.dcm", "ready"),
            ("c/z.dcm", "ready"),
        ],
    );
}

/// A dataset in the names of a large consortium: the reference's suffix is `ref`, and each acquisition has its own.
#[test]
fn real_consortium_names_are_paired_and_scaled() {
    let keep = tempfile::tempdir().unwrap();
    let (input, out) = (keep.path().join("in"), keep.path().join("out"));
    let set = data().join("benchmark/hard");
    let copy = |from: &str, to: &str| {
        for extension in ["nii.gz", "json"] {
            let bytes = fs::read(set.join(format!("{from}.{extension}"))).unwrap();
            write(&input, &format!("{to}.{extension}"), &bytes);
        }
    };
    write(&input, "dataset_description.json", b"{\"Name\": \"x\", \"BIDSVersion\": \"1.10.0\"}");
    let stem = "sub-0001/ses-V02/mrs/sub-0001_ses-V02";
    for (subject, acq) in [("sub-0019", "acq-shortTE_run-1"), ("sub-0013", "acq-hercules_run-1")] {
        copy(&format!("{subject}/mrs/{subject}_svs"), &format!("{stem}_{acq}_svs"));
        copy(&format!("{subject}/mrs/{subject}_mrsref"), &format!("{stem}_{acq}_ref"));
    }
    copy("sub-0019/mrs/sub-0019_svs", &format!("{stem}_acq-shortTE_run-2_svs"));
    let listing = search(&input);
    let row = |acq: &str| format!("{stem}_{acq}.nii.gz");
    let water = |acq: &str| format!("water {}", row(&format!("{acq}_ref")));
    let expected: BTreeMap<String, String> = [
        (row("acq-hercules_run-1_svs"), water("acq-hercules_run-1")),
        (row("acq-shortTE_run-1_svs"), water("acq-shortTE_run-1")),
        (row("acq-shortTE_run-2_svs"), "ready".to_owned()),
    ]
    .into();
    assert_eq!(rows(&listing), expected);
    let alone = keep.path().join("one");
    for name in ["svs.nii.gz", "svs.json", "ref.nii.gz", "ref.json"] {
        let (from, to) = (format!("{stem}_acq-shortTE_run-1_{name}"), format!("{stem}_acq-shortTE_{name}"));
        write(&alone, &to, &fs::read(input.join(from)).unwrap());
    }
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let ran = requant(&["run", &text(&alone), "--out", &text(&out), "--engine", "cpu", "--sequence", "PRESS"]);
    assert!(ran.status.success(), "{ran:?}");
    let spectra: Vec<SpectrumRow> = read_table(&out).unwrap();
    assert_eq!((spectra.len(), spectra[0].status), (1, Status::Ok), "{:?}", spectra[0].error_message);
    let metabolites: Vec<MetaboliteRow> = read_table(&out).unwrap();
    assert!(metabolites.iter().any(|row| row.metabolite == "tNAA"));
    assert!(metabolites.iter().all(|row| row.conc_lcmodel_mmol_per_kg.is_some()));
}
