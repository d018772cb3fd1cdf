//! What sites really send, as folders: packed and renamed files, one scan in two formats, series of single transients,
//! scans that are folders, names of pairs. Cases of `../shared/cases/field`, and others of their kinds made here.

mod folders;
mod series;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use num_complex::Complex64;
use requant::acquisition::Acquisition;
use requant::corpus::{FindWarning, Found, LeftOutKind, Listing, Water, find};
use requant::formats::{self, Search, nifti_mrs};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_table};

use crate::common::data;
use crate::common::small_files::*;

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
