//! No byte string may make a reader panic, or allocate more than the bytes justify.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::io::Write;
use std::time::{Duration, Instant};

use ndarray::Array5;
use num_complex::Complex64;
use proptest::prelude::*;
use requant::acquisition::{Acquisition, Format};
use requant::basis::BasisSet;
use requant::formats::{self, jmrui_text, lcmodel_control, lcmodel_raw, nifti_mrs, philips_sdat, plain_text};

fn small_nifti() -> Vec<u8> {
    let samples = Array5::from_shape_fn((1, 1, 2, 1, 32), |(_, _, t, _, p)| Complex64::new(p as f64, t as f64));
    let data = Acquisition {
        dwell_s: Some(5e-4),
        f0_mhz: Some(123.2),
        ..Acquisition::from_samples(Format::NiftiMrs, samples)
    };
    nifti_mrs::encode(&data)
}

const SPAR: &str = "! comment\nsamples : 32\nrows : 1\nsynthesizer_frequency : 127750896\nsample_frequency : 2000\n\
                    echo_time : 35\nrepetition_time : 2000\nnucleus : \"1H\"\n";

fn small_raw() -> String {
    let mut text = String::from(
        " $SEQPAR\n ECHOT=30. HZPPPM=123.2 SEQ='PRESS'\n $END\n $NMID\n ID='x', FMTDAT='(2E15.6)'\n VOLUME=1. TRAMP=1.\n $END\n",
    );
    for i in 0..16 {
        text += &format!("{:15.6E}{:15.6E}\n", f64::from(i), -0.5);
    }
    text
}

fn small_jmrui() -> String {
    let mut text = String::from(
        "jMRUI Data Textfile\n\nPointsInDataset: 16\nDatasetsInFile: 1\nSamplingInterval: 2.5E-1\n\
         TransmitterFrequency: 1.2322E8\n\nSignal and FFT\nsig(real)\tsig(imag)\nSignal 1 out of 1 in file\n",
    );
    for i in 0..16 {
        text += &format!("{i}.5\t-{i}.25\n");
    }
    text
}

/// Everything that decodes bytes.
fn decode_all(bytes: &[u8]) {
    let _ = nifti_mrs::decode(bytes, None);
    let _ = nifti_mrs::is_spectroscopy(bytes);
    let _ = philips_sdat::decode(bytes, SPAR.as_bytes());
    let _ = philips_sdat::decode(&[0; 256], bytes);
    let _ = lcmodel_raw::decode(bytes);
    let _ = lcmodel_control::parse(bytes);
    let _ = jmrui_text::decode(bytes);
    let _ = plain_text::decode(bytes);
}

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
    fn cut_and_changed_files(which in 0..4usize, cut in 0.0..1.0f64, at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 0..6)) {
        let mut bytes = match which {
            0 => small_nifti(),
            1 => small_raw().into_bytes(),
            2 => small_jmrui().into_bytes(),
            _ => SPAR.as_bytes().to_vec(),
        };
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
    assert_eq!(nifti_mrs::decode(&bomb, None).unwrap().n_points(), 32);
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
    assert_eq!(formats::read(&write("empty.nii", b"")).unwrap_err().code(), "bad_header");
    assert_eq!(formats::read(&write("image.nii.gz", png)).unwrap_err().code(), "bad_header");
    assert_eq!(formats::read(&write("image.txt", png)).unwrap_err().code(), "unknown_format");
    assert_eq!(formats::read(&write("alone.SDAT", png)).unwrap_err().code(), "missing_companion");
    write("cut.SPAR", SPAR.as_bytes());
    assert_eq!(formats::read(&write("cut.SDAT", &[0; 100])).unwrap_err().code(), "truncated");
    let nan = small_raw().replace("-5.000000E-1", "NaN");
    assert_eq!(formats::read(&write("nan.RAW", nan.as_bytes())).unwrap_err().code(), "bad_file");
    assert_eq!(formats::read(&write("empty.RAW", b"")).unwrap_err().code(), "bad_file");
}
