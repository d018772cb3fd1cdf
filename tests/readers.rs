//! Every reader against an independent decoding of the same bytes, and NAA where it belongs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod common;

use std::path::Path;

use common::data;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, ppm_from_hz};
use requant::formats::{self, nifti, nifti_mrs};
use requant::prepare;
use rustfft::FftPlanner;
use serde_json::Value;

fn reference(name: &str) -> Vec<Value> {
    let text = std::fs::read(data().join("expected").join(name)).unwrap();
    serde_json::from_slice::<Vec<Value>>(&text).unwrap()
}

fn complex(value: &Value) -> Complex64 {
    Complex64::new(value[0].as_f64().unwrap(), value[1].as_f64().unwrap())
}

/// Samples in the order of the file for one voxel: condition, transient, coil, point.
fn flat(data: &Acquisition) -> Vec<Complex64> {
    data.samples.iter().copied().collect()
}

/// Text files hold six digits and the reference was rounded to single precision: 2e-6 of the largest
/// of the first samples.
fn assert_close(file: &str, got: Complex64, want: Complex64, size: f64) {
    assert!((got - want).norm() <= 2e-6 * size, "{file}: {got} where {want} is expected");
}

fn assert_matches(file: &str, data: &Acquisition, entry: &Value, conjugated: bool) {
    let shape = entry["shape_npts_last"].as_array().unwrap();
    assert_eq!(data.n_points() as u64, shape[1].as_u64().unwrap(), "{file}");
    assert_eq!(data.n_conditions() as u64, shape[0].as_u64().unwrap(), "{file}");
    let samples = flat(data);
    let turn = |z: Complex64| if conjugated { z.conj() } else { z };
    let first: Vec<Complex64> = entry["first4"].as_array().unwrap().iter().map(complex).collect();
    let size = first.iter().map(|z| z.norm()).fold(0.0, f64::max);
    for (got, want) in samples.iter().zip(&first) {
        assert_close(file, turn(*got), *want, size);
    }
    let last = complex(&entry["last1"]);
    // The last sample of the first row or of the file, depending on the number of rows.
    let candidates = [samples[data.n_points() - 1], samples[samples.len() - 1]];
    assert!(candidates.iter().any(|z| (turn(*z) - last).norm() <= 2e-6 * size), "{file}: last sample");
    let norm = samples.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
    let want = entry["l2norm"].as_f64().unwrap();
    assert!((norm / want - 1.0).abs() < 1e-5, "{file}: norm {norm} where {want} is expected");
}

#[test]
fn real_sdat_and_lcmodel_files_match_an_independent_decoding() {
    let mut checked = 0;
    for entry in reference("independent_reference.json") {
        let file = entry["file"].as_str().unwrap();
        let lower = file.to_ascii_lowercase();
        let sdat = lower.ends_with(".sdat");
        if !(sdat || lower.ends_with(".raw") || lower.ends_with(".h2o")) {
            continue;
        }
        let mut read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        // LCModel scales data with TRAMP/VOLUME, and so does the reader; one file has a volume of 8.
        if entry["header"].as_str().is_some_and(|h| h.contains("volume=8.0")) {
            read.samples.mapv_inplace(|z| z * 8.0);
        }
        // BRUKER = T files are stored the other way: the reader turns them.
        let bruker = entry["header"].as_str().is_some_and(|h| h.contains("BRUKER= T"));
        assert_matches(file, &read, &entry, sdat || bruker);
        if sdat {
            let stated = |key: &str| entry[key].as_str().unwrap().trim().parse::<f64>().unwrap();
            assert!((read.dwell_s.unwrap() * stated("sw") - 1.0).abs() < 1e-12, "{file}");
            assert!((read.f0_mhz.unwrap() * 1e6 / stated("f0") - 1.0).abs() < 1e-12, "{file}");
            assert!((read.te_s.unwrap() * 1e3 - stated("TE")).abs() < 1e-9, "{file}");
            assert!((read.tr_s.unwrap() * 1e3 - stated("TR")).abs() < 1e-9, "{file}");
        }
        checked += 1;
    }
    assert!(checked >= 60, "only {checked} files checked");
}

#[test]
fn real_nifti_mrs_files_match_another_converter() {
    let mut checked = 0;
    for entry in reference("spec2nii_reference.json") {
        let file = entry["file"].as_str().unwrap();
        let Some(output) = entry["outputs"].get(0).filter(|_| file.starts_with("nifti-mrs/")) else { continue };
        let read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        let count: u64 = output["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product();
        assert_eq!(read.samples.len() as u64, count, "{file}");
        assert!((read.dwell_s.unwrap() / output["dwell_s"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{file}");
        assert!((read.f0_mhz.unwrap() / output["f0_MHz"][0].as_f64().unwrap() - 1.0).abs() < 1e-9, "{file}");
        let first: Vec<Complex64> = output["first4"].as_array().unwrap().iter().map(complex).collect();
        let size = first.iter().map(|z| z.norm()).fold(0.0, f64::max);
        for (point, want) in first.iter().enumerate() {
            assert_close(file, read.samples[(0, 0, 0, 0, point)], *want, size);
        }
        let norm = flat(&read).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        assert!((norm / output["l2norm"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{file}");
        checked += 1;
    }
    assert!(checked >= 7, "only {checked} files checked");
}

/// The tallest point (ppm) between 1.8 and 2.2 ppm of the magnitude spectrum.
fn naa_ppm(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> f64 {
    let n = 8 * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let ppm = |k: usize| {
        let signed = if k < n / 2 { k as f64 } else { k as f64 - n as f64 };
        ppm_from_hz(signed / (n as f64 * dwell_s), f0_mhz)
    };
    let inside = (0..n).filter(|&k| (1.8..=2.2).contains(&ppm(k)));
    ppm(inside.max_by(|&a, &b| spectrum[a].norm().total_cmp(&spectrum[b].norm())).unwrap())
}

fn assert_naa(file: &str, fid: &[Complex64], dwell_s: f64, f0_mhz: f64) {
    let ppm = naa_ppm(fid, dwell_s, f0_mhz);
    println!("{file}: NAA at {ppm:.3} ppm");
    assert!((ppm - 2.01).abs() <= 0.03, "{file}: NAA at {ppm} ppm");
}

#[test]
fn real_naa_lies_at_two_ppm_in_every_format() {
    // Philips SDAT, after eddy-current correction, which puts water at 4.65 ppm.
    for i in [1, 2] {
        let folder = data().join(format!("philips-sdat/press35-sub0{i}"));
        let read = |kind: &str| formats::read(&folder.join(format!("sub-0{i}_PRESS_35_{kind}.sdat"))).unwrap();
        let spectrum = prepare::prepare(&read("act"), Some(&read("ref")), 0, 0).unwrap();
        assert_naa("SDAT", &spectrum.fid, spectrum.dwell_s, spectrum.f0_mhz);
    }
    for (file, dwell_s, f0_mhz) in [
        ("nifti-mrs/7T-raw-4coil/metab.nii.gz", None, None),
        ("benchmark/voigt/sub-0001/mrs/sub-0001_svs.nii.gz", None, None),
        ("same-spectrum-four-formats/metab.RAW", Some(8.33e-5), None),
        ("same-spectrum-four-formats/metab_jmrui.txt", None, None),
        ("same-spectrum-four-formats/metab.txt", Some(8.33e-5), Some(297.219948)),
        ("challenge2016/jmrui/dataset1_WS.txt", None, None),
        ("challenge2016/lcmodel/dataset1.RAW", Some(2.5e-4), Some(123.2)),
    ] {
        let read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        let fid = flat(&read);
        assert_naa(file, &fid, read.dwell_s.or(dwell_s).unwrap(), read.f0_mhz.or(f0_mhz).unwrap());
    }
}

#[test]
fn real_one_spectrum_in_four_formats_is_equal() {
    let folder = data().join("same-spectrum-four-formats");
    // Its header has VOLUME = 8, by which LCModel and the reader divide.
    let raw: Vec<Complex64> =
        flat(&formats::read(&folder.join("metab.RAW")).unwrap()).iter().map(|z| z * 8.0).collect();
    let size = raw.iter().map(|z| z.norm()).fold(0.0, f64::max);
    for other in ["metab_jmrui.txt", "metab.txt"] {
        let samples = flat(&formats::read(&folder.join(other)).unwrap());
        assert_eq!(samples.len(), raw.len(), "{other}");
        for (a, b) in samples.iter().zip(&raw) {
            // Seven digits in all of them.
            assert!((a - b).norm() < 1e-6 * size, "{other}: {a} {b}");
        }
    }
    // A complex NIfTI without the MRS extension defines no sign convention: refused with a reason, but its
    // samples are the same up to conjugation.
    let refused = formats::read(&folder.join("metab.nii")).unwrap_err();
    assert_eq!(refused.code(), "unsupported");
    assert!(refused.to_string().contains("spec2nii"), "{refused}");
    let plain = nifti::parse(&std::fs::read(folder.join("metab.nii")).unwrap(), true).unwrap();
    let part = |i: usize| f64::from_le_bytes(plain.data[8 * i..8 * i + 8].try_into().unwrap());
    for (i, z) in raw.iter().enumerate() {
        let stored = Complex64::new(part(2 * i), part(2 * i + 1));
        assert!((stored.conj() - z).norm() < 1e-6 * size, "sample {i}: {stored} {z}");
    }
}

#[test]
fn real_images_are_told_from_spectra() {
    for image in [
        "nifti-mrs/mrsi-16x16/brain_seg.nii.gz",
        "philips-sdat/press30-mm-sub01/sub-01_ses-01_T1w_scanner-space_FSL-skull-stripped.nii.gz",
    ] {
        let path = data().join(image);
        assert!(!formats::is_spectroscopy(&path), "{image}");
        assert!(formats::read(&path).unwrap_err().is_not_spectroscopy(), "{image}");
    }
    assert!(formats::is_spectroscopy(&data().join("nifti-mrs/mrsi-16x16/2D_MRSI_from_rds.nii.gz")));
}

#[test]
fn real_dimensions_have_their_roles() {
    let read = |file: &str| formats::read(&data().join("nifti-mrs").join(file)).unwrap();
    let shape = |d: &Acquisition| (d.n_voxels(), d.n_conditions(), d.n_transients(), d.n_coils());
    assert_eq!(shape(&read("7T-raw-4coil/metab_raw.nii.gz")), (1, 1, 16, 4));
    assert_eq!(shape(&read("7T-32coil-water/sub-01_ses-01_SVS-ref.nii.gz")), (1, 1, 1, 32));
    assert_eq!(shape(&read("dw-invivo/metab.nii.gz")), (1, 9, 24, 1));
    let mega = read("mega-synthetic/jdifference_nifti_SMART_MRS_EX.nii.gz");
    assert_eq!(
        (shape(&mega), mega.condition_labels.as_slice()),
        ((1, 2, 3, 1), ["ON".into(), "OFF".into()].as_slice())
    );
    let grid = read("mrsi-16x16/2D_MRSI_from_rds.nii.gz");
    assert_eq!((shape(&grid), grid.grid), ((256, 1, 1, 1), [16, 16, 1]));
}

#[test]
fn what_is_written_reads_back() {
    let samples = ndarray::Array5::from_shape_fn((1, 2, 3, 1, 64), |(_, c, t, _, p)| {
        Complex64::new(f64::from(c as u8) + f64::from(p as u8), f64::from(t as u8) - 0.5)
    });
    let written = Acquisition {
        dwell_s: Some(2.5e-4),
        f0_mhz: Some(123.25),
        nucleus: Some("1H".into()),
        te_s: Some(0.03),
        water_suppressed: Some(true),
        condition_labels: vec!["ON".into(), "OFF".into()],
        ..Acquisition::from_samples(requant::acquisition::Format::NiftiMrs, samples)
    };
    let read = nifti_mrs::decode(&nifti_mrs::encode(&written), None).unwrap();
    assert_eq!(read.samples, written.samples);
    assert_eq!((read.dwell_s, read.f0_mhz, read.te_s), (written.dwell_s, written.f0_mhz, written.te_s));
    assert_eq!((read.condition_labels, read.water_suppressed), (written.condition_labels, Some(true)));
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = formats::read(Path::new("nowhere/scan.nii.gz")).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(error.to_string().contains("scan.nii.gz"));
}
