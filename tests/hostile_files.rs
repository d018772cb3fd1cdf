//! No byte string may make a reader panic, or allocate more than the bytes justify.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::io::Write;
use std::time::{Duration, Instant};

use ndarray::Array5;
use num_complex::Complex64;
use proptest::prelude::*;
use requant::acquisition::{Acquisition, Format};
use requant::basis::BasisSet;
use requant::formats::{
    self, dicom, ge_pfile, jmrui_binary, jmrui_text, lcmodel_control, lcmodel_raw, nifti_mrs, philips_sdat, plain_text,
    siemens_rda, siemens_twix, varian,
};

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

fn small_rda() -> Vec<u8> {
    let mut file = b">>> Begin of header <<<\r\nPatientName: nobody\r\nTE: 30,0\r\nTR: 2000.0\r\nDwellTime: 500\r\n\
        MRFrequency: 123.25\r\nNucleus: 1H\r\nVectorSize: 16\r\nCSIMatrixSize[0]: 1\r\n>>> End of header <<<\r\n"
        .to_vec();
    (0..32).for_each(|i| file.extend(f64::from(i).to_le_bytes()));
    file
}

fn small_pfile() -> Vec<u8> {
    const DATA: usize = 149_788;
    let mut file = vec![0; DATA];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &20.006_f32.to_le_bytes());
    for (at, value) in [(70, 1_i16), (72, 8), (74, 3), (80, 64), (82, 4), (200, 0), (202, 1)] {
        put(at, &value.to_le_bytes());
    }
    for (at, value) in [(232, 16.0_f32), (292, 1.0), (368, 5000.0)] {
        put(at, &value.to_le_bytes());
    }
    for (at, value) in [(424, 1_277_625_150_u32), (1468, DATA as u32), (148_396, 2_000_000), (148_404, 35_000)] {
        put(at, &value.to_le_bytes());
    }
    put(148_972, b"PROBE-P");
    // Two coils of a baseline, one frame of water and two of metabolites.
    (0..2 * 4 * 64 * 2).for_each(|i: i32| file.extend(i.to_le_bytes()));
    file
}

fn small_mrui() -> Vec<u8> {
    let mut header = [0.0; 64];
    (header[1], header[2], header[5]) = (16.0, 0.5, 123.2e6);
    header.iter().copied().chain((0..32).map(f64::from)).flat_map(f64::to_be_bytes).collect()
}

fn small_varian() -> Vec<u8> {
    let mut file: Vec<u8> = [2_i32, 1, 32, 4, 128, 156].iter().flat_map(|v| v.to_be_bytes()).collect();
    file.extend([0_u8, 0, 0, 0x19]);
    file.extend(1_i32.to_be_bytes());
    for _ in 0..2 {
        file.extend([0; 28]);
        (0..32).for_each(|i| file.extend((i as f32).to_be_bytes()));
    }
    file
}

const PROCPAR: &str = "sw 1 1 1e5 0 0 2 1 11 1 64\n1 5000 \n0 \nsfrq 1 1 1e5 0 0 2 1 11 1 64\n1 123.2 \n0 \n\
                       tm 1 1 1e5 0 0 2 1 11 1 64\n1 0.02 \n0 \n";

/// Two coils, one transient of water and three of metabolites, of VD.
fn small_twix() -> Vec<u8> {
    const HEADER: usize = 10_240;
    let protocol =
        b"sRXSPEC.alDwellTime[0] = 250000\nalTE[0] = 30000\nsTXSPEC.asNucleusInfo[0].lFrequency = 123250000\n";
    let mut parts = b"MeasYaps\0".to_vec();
    parts.extend((protocol.len() as u32).to_le_bytes());
    parts.extend(protocol);
    let mut file = vec![0; HEADER];
    file[4] = 1;
    file[16..24].copy_from_slice(&(HEADER as u64).to_le_bytes());
    let length = 8 + parts.len();
    file.extend((length as u32).to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend(parts);
    for scan in 0..4_u16 {
        let mut header = [0_u8; 192];
        let dma = 192 + 2 * (32 + 8 * 32_u32);
        header[..4].copy_from_slice(&dma.to_le_bytes());
        header[40] = 8;
        header[48..50].copy_from_slice(&32_u16.to_le_bytes());
        header[50..52].copy_from_slice(&2_u16.to_le_bytes());
        header[62..64].copy_from_slice(&u16::from(scan > 0).to_le_bytes());
        header[64..66].copy_from_slice(&scan.to_le_bytes());
        file.extend(header);
        for coil in 0..2 {
            file.extend([0; 32]);
            let height = if scan == 0 { 100.0_f32 } else { 1.0 };
            (0..64).for_each(|i| file.extend((height * (1.0 + coil as f32) / (1.0 + i as f32)).to_le_bytes()));
        }
    }
    let mut end = [0_u8; 192];
    end[40] = 1;
    end[0] = 192;
    file.extend(end);
    file
}

/// MR Spectroscopy Storage, explicit little-endian, two frames of 32 points (metabolites and water) by Philips.
fn small_dicom() -> Vec<u8> {
    let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
        let mut bytes: Vec<u8> = [group.to_le_bytes(), number.to_le_bytes()].concat();
        bytes.extend(vr);
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(b' ');
        }
        if [b"OF", b"OB", b"SQ"].contains(&vr) {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        } else {
            bytes.extend((value.len() as u16).to_le_bytes());
        }
        bytes.extend(value);
        bytes
    };
    let uid = b"1.2.840.10008.5.1.4.1.1.4.2\0";
    let meta = [
        element(2, 2, b"UI", uid),
        element(2, 3, b"UI", b"1.2.3\0"),
        element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0"),
        element(2, 0x12, b"UI", b"1.2.4\0"),
    ]
    .concat();
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(element(2, 0, b"UL", &(meta.len() as u32).to_le_bytes()));
    file.extend(meta);
    let samples: Vec<u8> = (0..128).flat_map(|i| (i as f32).to_le_bytes()).collect();
    for (group, number, vr, value) in [
        (0x0008, 0x0016, b"UI", uid.to_vec()),
        (0x0008, 0x0070, b"LO", b"Philips".to_vec()),
        (0x0018, 0x9052, b"FD", 2000.0_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9054, b"CS", b"PRESS".to_vec()),
        (0x0018, 0x9098, b"FD", 127.75_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9100, b"CS", b"1H".to_vec()),
        (0x0018, 0x9199, b"CS", b"YES".to_vec()),
        (0x0028, 0x0008, b"IS", b"2".to_vec()),
        (0x0028, 0x9002, b"UL", 32_u32.to_le_bytes().to_vec()),
        (0x5600, 0x0020, b"OF", samples),
    ] {
        file.extend(element(group, number, vr, &value));
    }
    file
}

/// Everything that decodes bytes.
fn decode_all(bytes: &[u8]) {
    let _ = siemens_rda::decode(bytes);
    let _ = ge_pfile::decode(bytes);
    let _ = jmrui_binary::decode(bytes);
    let _ = varian::decode(bytes, PROCPAR.as_bytes());
    let _ = varian::decode(&small_varian(), bytes);
    let _ = siemens_twix::decode(bytes);
    let _ = dicom::decode(bytes);
    let _ = (siemens_twix::looks_like(bytes), ge_pfile::looks_like(bytes), dicom::looks_like(bytes));
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
    fn cut_and_changed_files(which in 0..9usize, cut in 0.0..1.0f64, at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 0..6)) {
        let mut bytes = match which {
            0 => small_nifti(),
            1 => small_raw().into_bytes(),
            2 => small_jmrui().into_bytes(),
            3 => small_rda(),
            4 => small_mrui(),
            5 => small_varian(),
            6 => small_twix(),
            7 => small_dicom(),
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
    let rda = siemens_rda::decode(&small_rda()).unwrap();
    assert_eq!((rda.n_points(), rda.te_s, rda.dwell_s), (16, Some(0.03), Some(5e-4)));
    let pfile = ge_pfile::decode(&small_pfile()).unwrap();
    assert_eq!((pfile.n_coils(), pfile.n_transients(), pfile.water.unwrap().len_of(ndarray::Axis(2))), (2, 2, 1));
    assert_eq!(jmrui_binary::decode(&small_mrui()).unwrap().n_points(), 16);
    let varian = varian::decode(&small_varian(), PROCPAR.as_bytes()).unwrap();
    assert_eq!((varian.n_transients(), varian.n_points(), varian.tm_s), (2, 16, Some(0.02)));
    let twix = siemens_twix::decode(&small_twix()).unwrap();
    assert_eq!((twix.n_coils(), twix.n_transients(), twix.n_points(), twix.dwell_s), (2, 3, 32, Some(2.5e-4)));
    assert_eq!(twix.water.unwrap().len_of(ndarray::Axis(2)), 1);
    let dicom = dicom::decode(&small_dicom()).unwrap();
    assert_eq!((dicom.n_transients(), dicom.n_points(), dicom.sequence.as_deref()), (1, 32, Some("PRESS")));
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
    // Without its samples the object is an image, or anything else.
    let dicom = small_dicom();
    let image = &dicom[..dicom.len() - 512 - 12];
    let error = formats::read(&write("image.dcm", image)).unwrap_err();
    assert_eq!(error.code(), "not_spectroscopy");
    assert!(error.to_string().contains("1.2.840.10008.5.1.4.1.1.4.2"), "{error}");
    assert!(!formats::is_spectroscopy(&write("image2.dcm", image)));
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
