//! No byte string may make a reader panic, or allocate more than the bytes justify.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::common::small_files::*;
use proptest::prelude::*;
use requant::basis::BasisSet;
use requant::formats::{
    self, dicom, ge_pfile, jmrui_binary, jmrui_text, lcmodel_raw, nifti_mrs, philips_sdat, siemens_rda, siemens_twix,
    varian,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        decode_all(&bytes);
    }

    #[test]
    fn random_text(text in "[ -~\n\t$&/='*.,0-9eEdD+-]{0,400}") {
        decode_all(text.as_bytes());
    }

    #[test]
    fn changed_sidecars(at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 0..3), cut in 0.0..1.0f64, key in 0..9usize, value in 0..8usize) {
        let keys = ["EchoTime", "EditCondition", "EditPulse", "SpectralWidth", "Manufacturer", "PulseSequenceType", "ResonantNucleus",
            "RepetitionTime", "SpectrometerFrequency"];
        let values = ["null", "[]", "{}", "-1e300", "[[[[1]]]]", "\"\"", "[\"a\", 3, null]", "{\"ON\": [{\"PulseOffset\": [1e99]}]}"];
        let mut json: serde_json::Value = serde_json::from_str(SIDECAR).unwrap();
        json[keys[key]] = serde_json::from_str(values[value]).unwrap();
        decode_with_sidecar(json.to_string().as_bytes());
        let mut bytes = SIDECAR.as_bytes().to_vec();
        for (place, byte) in at {
            let i = (place * bytes.len() as f64) as usize;
            bytes[i] = byte;
        }
        bytes.truncate((cut * bytes.len() as f64 * 1.2) as usize);
        decode_with_sidecar(&bytes);
    }

    #[test]
    fn cut_and_changed_files(which in 0..18usize, cut in 0.0..1.0f64, at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 0..6)) {
        let mut bytes = all().swap_remove(which).1;
        for (place, value) in at {
            let i = (place * bytes.len() as f64) as usize;
            bytes[i] = value;
        }
        bytes.truncate((cut * bytes.len() as f64 * 1.2) as usize);
        decode_all(&bytes);
    }

    #[test]
    fn changed_basis_sets(at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 1..8), cut in 0.5..1.2f64) {
        let mut bytes = requant::basis::write_lcmodel(&requant::basis::simulate::basis_set(&["NAA", "Cr", "Ins"], &requant::basis::simulate::Sequence::PulseAcquire {}, 123.2, 1e-3, 32, 1.0).unwrap()).into_bytes();
        for (place, value) in at {
            let i = (place * bytes.len() as f64) as usize;
            bytes[i] = value;
        }
        bytes.truncate((cut * bytes.len() as f64) as usize);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let _ = BasisSet::read(file.path());
    }
}

#[test]
fn undamaged_files_decode() {
    // Or the cases above would test nothing.
    assert_eq!(nifti_mrs::decode(&small_nifti(), None).unwrap().n_transients(), 2);
    assert_eq!(philips_sdat::decode(&[0; 256], SPAR.as_bytes()).unwrap().n_points(), 32);
    assert_eq!(lcmodel_raw::decode(small_raw().as_bytes()).unwrap().n_points(), 16);
    assert_eq!(jmrui_text::decode(small_jmrui().as_bytes()).unwrap().n_points(), 16);
    let rda = siemens_rda::decode(&small_rda()).unwrap();
    assert_eq!((rda.n_points(), rda.facts.te_s, rda.facts.dwell_s), (16, Some(0.03), Some(5e-4)));
    let pfile = ge_pfile::decode(small_pfile()).unwrap();
    assert_eq!(
        (pfile.n_coils(), pfile.n_transients(), pfile.water.unwrap().samples.len_of(ndarray::Axis(2))),
        (2, 2, 1)
    );
    assert_eq!(jmrui_binary::decode(&small_mrui()).unwrap().n_points(), 16);
    let varian = varian::decode(small_varian(), PROCPAR.as_bytes()).unwrap();
    assert_eq!((varian.n_transients(), varian.n_points(), varian.facts.tm_s), (2, 16, Some(0.02)));
    let twix = siemens_twix::decode(small_twix()).unwrap();
    assert_eq!((twix.n_coils(), twix.n_transients(), twix.n_points(), twix.facts.dwell_s), (2, 3, 32, Some(2.5e-4)));
    assert_eq!(twix.water.unwrap().samples.len_of(ndarray::Axis(2)), 1);
    let dicom = dicom::decode(&small_dicom()).unwrap();
    assert_eq!((dicom.n_transients(), dicom.n_points(), dicom.facts.sequence.as_deref()), (1, 32, Some("PRESS")));
    assert!(dicom.water.is_some());
}

#[test]
fn what_is_left_of_a_cut_twix_file_is_read_and_said() {
    let whole = small_twix();
    let scan = 192 + 2 * (32 + 8 * 32);
    // The end mark is gone, then half of the last transient, too.
    for (cut, transients) in [(192, 3), (192 + scan / 2, 2)] {
        let read = siemens_twix::decode(&whole[..whole.len() - cut]).unwrap();
        assert_eq!(read.n_transients(), transients);
        assert!(read.remarks.iter().any(|r| r.starts_with("truncated")), "{:?}", read.remarks);
    }
    assert_eq!(siemens_twix::decode(&whole[..whole.len() - 192 - 4 * scan]).unwrap_err().code(), "truncated");
}

#[test]
fn other_dicom_and_other_revisions_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut pfile = small_pfile();
    pfile[..4].copy_from_slice(&57.5_f32.to_le_bytes());
    let error = formats::read(&write("P1.7", &pfile)).unwrap_err();
    assert_eq!(error.code(), "unknown_revision");
    assert!(error.to_string().contains("57.5"), "{error}");
    let (dicom, image) = (small_dicom(), small_dicom_image());
    let error = formats::read(&write("image.dcm", &image)).unwrap_err();
    assert_eq!(error.code(), "not_spectroscopy");
    assert!(error.to_string().contains("1.2.840.10008.5.1.4.1.1.4.1"), "{error}");
    assert!(!formats::is_spectroscopy(&write("image2.dcm", &image)));
    // One of spectroscopy that lost its samples is a row that says so.
    let bare = write("bare.dcm", &dicom[..dicom.len() - 512 - 12]);
    assert_eq!((formats::is_spectroscopy(&bare), formats::read(&bare).unwrap_err().code()), (true, "unsupported"));
    assert!(formats::is_spectroscopy(&write("cut.dcm", &dicom[..dicom.len() - 100])));
    assert_eq!(formats::read(&write("cut.dcm", &dicom[..dicom.len() - 100])).unwrap_err().code(), "truncated");
}

/// An error, and quickly: nothing of the announced size was allocated.
fn refused_at_once(what: &str, decode: impl FnOnce() -> bool) {
    let started = Instant::now();
    assert!(!decode(), "{what} was accepted");
    assert!(started.elapsed() < Duration::from_millis(500), "{what} took {:?}", started.elapsed());
}

#[test]
fn headers_that_announce_more_than_there_is() {
    for points in [1_i64 << 40, i64::MAX, -1, 0] {
        let mut bytes = small_nifti();
        bytes[48..56].copy_from_slice(&points.to_le_bytes());
        refused_at_once("NIfTI", || nifti_mrs::decode(&bytes, None).is_ok());
    }
    for spar in [
        "samples : 1000000000\nrows : 999999999\nsample_frequency : 2000\nsynthesizer_frequency : 1e8\n",
        "samples : -5\nrows : 1\nsample_frequency : 2000\nsynthesizer_frequency : 1e8\n",
        "samples : 1e300\nrows : 1\nsample_frequency : 2000\nsynthesizer_frequency : 1e8\n",
    ] {
        refused_at_once("SPAR", || philips_sdat::decode(&[0; 256], spar.as_bytes()).is_ok());
    }
    let jmrui = small_jmrui().replace("PointsInDataset: 16", "PointsInDataset: 999999999");
    refused_at_once("jMRUI", || jmrui_text::decode(jmrui.as_bytes()).is_ok());
}

#[test]
fn a_gzip_bomb_is_not_unpacked() {
    // A small header, then 400 MB of zeros that no header announced: 400 kB compressed.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&small_nifti()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..400 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let started = Instant::now();
    let error = nifti_mrs::decode(&bomb, None).map(drop).unwrap_err();
    assert!(error.to_string().contains("unpacks to more"), "{error}");
    let decoding = started.elapsed();
    // Against unpacking it all on the same machine, so that a slow one makes no difference.
    let started = Instant::now();
    let unpacked = std::io::copy(&mut flate2::read::GzDecoder::new(bomb.as_slice()), &mut std::io::sink()).unwrap();
    assert!(unpacked > 400 << 20);
    assert!(decoding < started.elapsed() / 4, "{decoding:?} where unpacking it all takes {:?}", started.elapsed());
}

#[test]
fn empty_wrong_and_cut_files_say_what_they_are() {
    let keep = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = keep.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let png = b"\x89PNG\r\n\x1a\n and so on";
    assert_eq!(formats::read(&write("empty.nii", b"")).unwrap_err().code(), "empty_file");
    assert_eq!(formats::read(&write("image.nii.gz", png)).unwrap_err().code(), "bad_header");
    assert_eq!(formats::read(&write("image.txt", png)).unwrap_err().code(), "unknown_format");
    assert_eq!(formats::read(&write("alone.SDAT", png)).unwrap_err().code(), "missing_companion");
    write("cut.SPAR", SPAR.as_bytes());
    assert_eq!(formats::read(&write("cut.SDAT", &[0; 100])).unwrap_err().code(), "truncated");
    let nan = small_raw().replace("-5.000000E-1", "NaN");
    assert_eq!(formats::read(&write("nan.RAW", nan.as_bytes())).unwrap_err().code(), "bad_file");
    assert_eq!(formats::read(&write("empty.RAW", b"")).unwrap_err().code(), "empty_file");
}

/// What the long search of `benches/fuzz.rs` found.
#[test]
fn numbers_at_their_ends() {
    // Loop counters of 65535, and receivers from −32768 to 32767.
    let mut twix = small_twix();
    let first = twix.len() - 192 - 4 * (192 + 2 * (32 + 8 * 32));
    twix[first + 52..first + 54].copy_from_slice(&u16::MAX.to_le_bytes());
    assert!(siemens_twix::decode(&twix).unwrap_err().to_string().contains("65536 lines"));
    let mut pfile = small_pfile();
    pfile[200..202].copy_from_slice(&i16::MIN.to_le_bytes());
    pfile[202..204].copy_from_slice(&i16::MAX.to_le_bytes());
    assert_eq!(ge_pfile::decode(&pfile).unwrap_err().code(), "truncated");
    // A length of a gigabyte, which the library would make room for; and one of no whole numbers.
    let dicom = small_dicom();
    let place = |tag: [u8; 4]| dicom.windows(4).position(|w| w == tag).unwrap();
    let mut long = dicom.clone();
    let at = place([0x00, 0x56, 0x20, 0x00]) + 8;
    long[at..at + 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    assert_eq!(dicom::decode(&long).unwrap_err().code(), "truncated");
    let mut uneven = dicom.clone();
    uneven[place([0x18, 0x00, 0x98, 0x90]) + 6] = 30;
    assert_eq!(dicom::decode(&uneven).unwrap_err().code(), "truncated");
}
