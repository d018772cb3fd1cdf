//! Every reader against an independent decoding of the same bytes, and NAA where it belongs.

use std::path::Path;

use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, ppm_from_hz};
use requant::formats::{self, nifti, nifti_mrs};
use requant::prepare;
use rustfft::FftPlanner;
use serde_json::Value;

use crate::common::data;

fn reference(name: &str) -> Vec<Value> {
    let text = std::fs::read(data().join("expected").join(name)).unwrap();
    serde_json::from_slice::<Vec<Value>>(&text).unwrap()
}

fn complex(value: &Value) -> Complex64 {
    Complex64::new(value[0].as_f64().unwrap(), value[1].as_f64().unwrap())
}

/// Samples in the order of the file for one voxel: condition, transient, coil, point.
fn flat(data: &Acquisition) -> Vec<Complex64> {
    data.samples.iter().collect()
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
            read.samples = read.samples.to_array().mapv(|z| z * 8.0).into();
        }
        // BRUKER = T files are stored the other way: the reader turns them.
        let bruker = entry["header"].as_str().is_some_and(|h| h.contains("BRUKER= T"));
        assert_matches(file, &read, &entry, sdat || bruker);
        if sdat {
            let stated = |key: &str| entry[key].as_str().unwrap().trim().parse::<f64>().unwrap();
            assert!((read.facts.dwell_s.unwrap() * stated("sw") - 1.0).abs() < 1e-12, "{file}");
            assert!((read.facts.f0_mhz.unwrap() * 1e6 / stated("f0") - 1.0).abs() < 1e-12, "{file}");
            assert!((read.facts.te_s.unwrap() * 1e3 - stated("TE")).abs() < 1e-9, "{file}");
            assert!((read.facts.tr_s.unwrap() * 1e3 - stated("TR")).abs() < 1e-9, "{file}");
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
        assert!((read.facts.dwell_s.unwrap() / output["dwell_s"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{file}");
        assert!((read.facts.f0_mhz.unwrap() / output["f0_MHz"][0].as_f64().unwrap() - 1.0).abs() < 1e-9, "{file}");
        let first: Vec<Complex64> = output["first4"].as_array().unwrap().iter().map(complex).collect();
        let size = first.iter().map(|z| z.norm()).fold(0.0, f64::max);
        for (point, want) in first.iter().enumerate() {
            assert_close(file, read.samples.at([0, 0, 0, 0, point]), *want, size);
        }
        let norm = flat(&read).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        assert!((norm / output["l2norm"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{file}");
        // That reader of NIfTI shows a place where the file's codes state none.
        if read.affine_mm.is_some() {
            assert_place(file, &read, output);
        }
        checked += 1;
    }
    assert!(checked >= 7, "only {checked} files checked");
}

/// No entry of the references goes unused but for a reason.
#[test]
fn real_references_are_used_completely() {
    let mut own = std::collections::BTreeMap::new();
    for entry in reference("independent_reference.json") {
        let file = entry["file"].as_str().unwrap().to_owned();
        let lower = file.to_ascii_lowercase();
        let used = [".sdat", ".raw", ".h2o"].iter().any(|e| lower.ends_with(e))
            || (file.contains("-dicom/") && entry["reader"].as_str().unwrap().contains("5600"))
            || file.starts_with("ge-pfile/");
        if !used {
            own.insert(file, entry["reader"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert!(own.is_empty(), "independent reference: unused entries {own:?}");
    let mut excused = [0; 4];
    for entry in reference("spec2nii_reference.json") {
        let file = entry["file"].as_str().unwrap();
        let lower = file.to_ascii_lowercase();
        let vendor = ["siemens-rda/", "siemens-twix/", "siemens-dicom/", "ge-pfile/", "philips-sdat/", "jmrui/"];
        let is_used = file.starts_with("nifti-mrs/") || vendor.iter().any(|v| file.starts_with(v));
        // Its error only; wrong sign and values given by hand, as its README says; jMRUI text, checked with the other
        // three formats of its spectrum and below; refused here, too.
        let reasons = [
            !entry["outputs"].is_array(),
            lower.ends_with(".raw") || lower.ends_with(".h2o") || lower.ends_with("metab.nii"),
            lower.ends_with(".txt"),
            REFUSED.iter().any(|(start, ..)| file.starts_with(start)),
        ];
        match reasons.iter().position(|r| *r) {
            Some(reason) => excused[reason] += 1,
            None => assert!(is_used, "{file} is not used"),
        }
        // Text is stored in its file's own direction, and so is what this converter makes of it.
        if reasons[2] && !reasons[0] {
            let output = &entry["outputs"][0];
            let read = formats::read(&data().join(file)).unwrap();
            let norm = flat(&read).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
            assert!((norm / output["l2norm"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{file}: norm");
            assert!(
                (read.facts.dwell_s.unwrap() / output["dwell_s"].as_f64().unwrap() - 1.0).abs() < 1e-6,
                "{file}: dwell"
            );
            assert!(
                (read.facts.f0_mhz.unwrap() / output["f0_MHz"][0].as_f64().unwrap() - 1.0).abs() < 1e-6,
                "{file}: f0"
            );
            let first: Vec<Complex64> = output["first4"].as_array().unwrap().iter().map(complex).collect();
            let size = first.iter().map(|z| z.norm()).fold(0.0, f64::max);
            for (point, want) in first.iter().enumerate() {
                assert_close(file, read.samples.at([0, 0, 0, 0, point]), *want, size);
            }
        }
    }
    println!(
        "not used: {} errors, {} of wrong sign, {} text (checked here), {} refused",
        excused[0], excused[1], excused[2], excused[3]
    );
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

/// Where NAA lies as it stands, the common shift (ppm) that puts the three tallest singlets of brain (tNAA, tCr, tCho)
/// nearest to their places, and where NAA lies without it.
fn referenced_naa(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> (f64, f64, f64) {
    let n = 8 * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let height = |ppm: f64| {
        let bin = (requant::acquisition::hz_from_ppm(ppm, f0_mhz) * n as f64 * dwell_s).round() as i64;
        spectrum[bin.rem_euclid(n as i64) as usize].norm()
    };
    let tallest = |low: f64, high: f64| {
        let steps = ((high - low) / 5e-4) as usize;
        let places = (0..=steps).map(|i| low + 5e-4 * i as f64);
        places.max_by(|&a, &b| height(a).total_cmp(&height(b))).unwrap()
    };
    // The product, so that no single tall line decides.
    let fit = |shift: f64| [2.01, 3.027, 3.21].iter().map(|p| height(p + shift).ln()).sum::<f64>();
    let shifts = (-700..=700).map(|i| 5e-4 * f64::from(i));
    let shift = shifts.max_by(|&a, &b| fit(a).total_cmp(&fit(b))).unwrap();
    let naa = tallest(2.01 + shift - 0.15, 2.01 + shift + 0.15);
    (naa, shift, naa - shift)
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
        let spectrum = prepare::prepare(&read("act"), Some(&read("ref")), 0).remove(0).1.unwrap();
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
        assert_naa(file, &fid, read.facts.dwell_s.or(dwell_s).unwrap(), read.facts.f0_mhz.or(f0_mhz).unwrap());
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
        facts: Facts {
            dwell_s: Some(2.5e-4),
            f0_mhz: Some(123.25),
            nucleus: Some("1H".into()),
            te_s: Some(0.03),
            water_suppressed: Some(true),
            ..Facts::default()
        },
        condition_labels: vec!["ON".into(), "OFF".into()],
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    };
    let read = nifti_mrs::decode(&nifti_mrs::encode(&written), None).unwrap();
    assert_eq!(read.samples, written.samples);
    assert_eq!(
        (read.facts.dwell_s, read.facts.f0_mhz, read.facts.te_s),
        (written.facts.dwell_s, written.facts.f0_mhz, written.facts.te_s)
    );
    assert_eq!((read.condition_labels, read.facts.water_suppressed), (written.condition_labels, Some(true)));
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = formats::read(Path::new("nowhere/scan.nii.gz")).unwrap_err();
    assert_eq!(error.code(), "unreadable_file");
    assert!(error.to_string().contains("scan.nii.gz"));
}

#[test]
fn real_vendor_files_match_an_independent_decoding() {
    let mut checked = 0;
    for entry in reference("independent_reference.json") {
        let file = entry["file"].as_str().unwrap();
        let stated = |key: &str| {
            entry[key].as_f64().unwrap_or_else(|| entry[key].as_str().map_or(f64::NAN, |t| t.trim().parse().unwrap()))
        };
        // Without a preamble and file meta information, or only raw data: refused, see below.
        let dicom = file.contains("-dicom/") && entry["reader"].as_str().unwrap().contains("5600");
        let ge = file.starts_with("ge-pfile/");
        if !(dicom || ge) {
            continue;
        }
        if file.ends_with("SVS_XA60.dcm") {
            // The file itself is cut off within its samples: 682 of 1024 are there.
            assert_eq!(formats::read(&data().join(file)).unwrap_err().code(), "truncated");
            checked += 1;
            continue;
        }
        let read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        let water = read.water.as_ref().map(|w| w.samples.iter().collect::<Vec<_>>()).unwrap_or_default();
        // DICOM has the water behind the data, a P-file before them, behind a frame of its own (the baseline).
        let mut samples = flat(&read);
        if dicom {
            samples.extend(water);
            assert_eq!(samples.len() as u64, entry["shape_npts_last"][0].as_u64().unwrap() * read.n_points() as u64);
            let first: Vec<Complex64> = entry["first4"].as_array().unwrap().iter().map(complex).collect();
            for (got, want) in samples.iter().zip(&first) {
                assert_close(file, got.conj(), *want, want.norm().max(1e-12));
            }
            let last = complex(&entry["last1"]);
            let last_of_first = samples[read.n_points() - 1].conj();
            let last_of_all = samples[samples.len() - 1].conj();
            let near = |z: Complex64| (z - last).norm() <= 1e-5 * last.norm();
            assert!(near(last_of_first) || near(last_of_all), "{file}");
            assert!((read.facts.dwell_s.unwrap() * stated("sw_hz") - 1.0).abs() < 1e-9, "{file}");
            assert!((read.facts.f0_mhz.unwrap() / stated("f0") - 1.0).abs() < 1e-9, "{file}");
            let norm = samples.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
            assert!((norm / stated("l2norm") - 1.0).abs() < 1e-6, "{file}: {norm}");
        } else {
            samples.splice(0..0, water);
            let frames = entry["shape_npts_last"][1].as_u64().unwrap() - 1;
            assert_eq!(samples.len() as u64, frames * entry["shape_npts_last"][2].as_u64().unwrap(), "{file}");
            // The reference holds the baseline frame, too, which is no signal and in some files garbage.
            let bytes = std::fs::read(data().join(file)).unwrap();
            let header: usize = entry["reader"].as_str().unwrap().split_whitespace().nth(3).unwrap().parse().unwrap();
            let baseline: f64 = bytes[header..header + 8 * read.n_points()]
                .chunks_exact(4)
                .map(|b| f64::from(i32::from_le_bytes(b.try_into().unwrap())).powi(2))
                .sum();
            let norm = (samples.iter().map(|z| z.norm_sqr()).sum::<f64>() + baseline).sqrt();
            assert!((norm / stated("l2norm") - 1.0).abs() < 1e-5, "{file}: {norm}");
            assert_eq!(
                read.n_transients() + read.water.as_ref().unwrap().samples.len_of(ndarray::Axis(2)),
                frames as usize
            );
        }
        checked += 1;
    }
    assert!(checked >= 30, "only {checked} files checked");
}

#[test]
fn real_vendor_files_match_another_converter() {
    let (mut checked, mut placed) = (0, 0);
    for entry in reference("spec2nii_reference.json") {
        let file = entry["file"].as_str().unwrap();
        let vendor = ["siemens-rda/", "siemens-twix/", "siemens-dicom/", "ge-pfile/", "philips-sdat/", "jmrui/"];
        let outputs = entry["outputs"].as_array();
        let Some(outputs) = outputs.filter(|_| vendor.iter().any(|v| file.starts_with(v))) else { continue };
        let output = &outputs[0];
        if REFUSED.iter().any(|(start, ..)| file.starts_with(start)) {
            continue;
        }
        let mut read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        let name = file.rsplit('/').next().unwrap();
        // That converter keeps the water reference of this sequence as a second transient, the points before and behind
        // the signal, and takes jMRUI's hertz for megahertz.
        let twix = file.starts_with("siemens-twix/");
        let first: Vec<Complex64> = output["first4"].as_array().unwrap().iter().map(complex).collect();
        let size = first.iter().map(|z| z.norm()).fold(0.0, f64::max);
        let before = if name.contains("svslcosy") { 2 } else { 0 };
        if let Some(reference) = read.water.take().filter(|_| twix) {
            read.samples = reference.samples;
        }
        for (point, want) in first.iter().enumerate().skip(before) {
            assert_close(file, read.samples.at([0, 0, 0, 0, point - before]), *want, size);
        }
        if !twix {
            let norm = flat(&read).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
            assert!((norm / output["l2norm"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{file}: {norm}");
        }
        let close = |got: Option<f64>, want: &Value, scale: f64| {
            want.as_f64().is_none_or(|want| (got.unwrap() * scale / want - 1.0).abs() < 1e-4)
        };
        assert!(close(read.facts.dwell_s, &output["dwell_s"], 1.0), "{file}: {:?}", read.facts.dwell_s);
        let scale = if file.starts_with("jmrui/") { 1e6 } else { 1.0 };
        assert!(close(read.facts.f0_mhz, &output["f0_MHz"][0], scale), "{file}: {:?}", read.facts.f0_mhz);
        assert!(close(read.facts.te_s, &output["TE_s"], 1.0), "{file}: {:?}", read.facts.te_s);
        assert!(close(read.facts.tr_s, &output["TR_s"], 1.0), "{file}: {:?}", read.facts.tr_s);
        placed += usize::from(assert_place(file, &read, output));
        checked += 1;
    }
    println!("{checked} files, {placed} with a voxel in space");
    assert!(checked >= 43 && placed >= 42, "only {checked} files checked, {placed} with a voxel in space");
}

/// Whether the converter places the voxel in space; then the reader must do so, at the same place to its five digits.
fn assert_place(file: &str, read: &Acquisition, output: &Value) -> bool {
    let want: Vec<f64> = output["affine"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()))
        .collect();
    // What is not localised has an edge of 10 m by the standard.
    if want.len() != 16 || want[0] == 10_000.0 {
        return false;
    }
    let affine = read.affine_mm.unwrap_or_else(|| panic!("{file}: no place"));
    for (got, want) in affine.iter().flatten().zip(&want) {
        assert!((got - want).abs() < 3e-4, "{file}: {affine:?} where {want} is expected");
    }
    true
}

#[test]
fn real_files_of_every_format_convert_exactly() {
    let mut checked = 0;
    for folder in [
        "ge-pfile",
        "siemens-rda",
        "siemens-twix",
        "siemens-dicom",
        "philips-dicom",
        "philips-sdat",
        "jmrui",
        "varian",
        "nifti-mrs",
    ] {
        for entry in walkdir::WalkDir::new(data().join(folder)) {
            let entry = entry.unwrap();
            let Some(mut read) = entry.file_type().is_file().then(|| formats::read(entry.path()).ok()).flatten() else {
                continue;
            };
            let water = read.take_water();
            for data in [Some(&read), water.as_ref()].into_iter().flatten() {
                let back = nifti_mrs::decode(&nifti_mrs::encode(data), None).unwrap();
                let name = entry.path().display();
                assert!(back.samples == data.samples, "{name}");
                assert_eq!(
                    (back.facts.dwell_s, back.facts.f0_mhz, back.facts.te_s, back.facts.tr_s, back.facts.tm_s),
                    (data.facts.dwell_s, data.facts.f0_mhz, data.facts.te_s, data.facts.tr_s, data.facts.tm_s),
                    "{name}"
                );
                assert_eq!(
                    (back.facts.te1_s, back.facts.flip_angle_deg),
                    (data.facts.te1_s, data.facts.flip_angle_deg),
                    "{name}"
                );
                assert_eq!(
                    (&back.grid, &back.facts.sequence, &back.facts.vendor),
                    (&data.grid, &data.facts.sequence, &data.facts.vendor),
                    "{name}"
                );
                assert_eq!(
                    (&back.condition_labels, back.affine_mm),
                    (&data.condition_labels, data.affine_mm),
                    "{name}"
                );
                assert_eq!(
                    (back.facts.averages_on_scanner, back.facts.water_suppressed, &back.editing),
                    (data.facts.averages_on_scanner, data.facts.water_suppressed, &data.editing),
                    "{name}"
                );
                assert_eq!(back.processing.last().map(|p| p.details.as_str()), Some(data.format.to_string().as_str()));
                checked += 1;
            }
        }
    }
    println!("{checked} acquisitions");
    assert!(checked >= 80, "only {checked}");
}

/// What in the data is no spectrum, or damaged: the beginning of its path, the code of the refusal, and why.
const REFUSED: [(&str, &str, &str); 33] = [
    ("siemens-dicom/xa60/SVS_XA60.dcm", "truncated", "cut off within its samples: 682 of 1024 are there"),
    ("siemens-dicom/qa/seriesB/qa_unsuppressed_water.dcm", "bad_header", "a text conversion destroyed bytes above 127"),
    ("philips-dicom/raw_and_mrs/RAW.dcm", "unsupported", "Raw Data Storage of a spectroscopy scan"),
    ("philips-sdat/hermes-header-only/sub-01_hermes_act_noID.spar", "missing_companion", "a SPAR without its SDAT"),
    ("philips-sdat/7T-two-row/sub2_MRS.list", "missing_companion", "an index without its .data"),
    ("philips-sdat/press30-mm-sub01/sub-01_ses-01_T1w", "not_spectroscopy", "an image"),
    ("ge-pfile/rev20-3T/P36864.7.recv1.signal.dat", "unknown_format", "floats without a header: the vendor's average"),
    ("ge-pfile/rev20-3T/README.txt", "unknown_format", "text"),
    ("siemens-twix/LICENSE", "unknown_format", "text"),
    ("varian/", "unknown_format", "parameters and comments of the `fid` beside them"),
    ("nifti-mrs/mrsi-16x16/brain_seg.nii.gz", "not_spectroscopy", "an image"),
    ("same-spectrum-four-formats/metab.nii", "unsupported", "complex NIfTI without sign convention or frequency"),
    ("challenge2016/LICENCE", "unknown_format", "text"),
    ("challenge2016/basis/press3T_30ms.BASIS", "bad_file", "a basis set"),
    ("challenge2016/truth_mM.csv", "unknown_format", "a table"),
    ("challenge2016/fsl_mrs_newton_2.4.8_mM.csv", "unknown_format", "a table"),
    ("lcmodel-9p4T/LICENSE", "unknown_format", "text"),
    ("lcmodel-9p4T/fitsettings", "bad_file", "settings of LCModel"),
    ("lcmodel-9p4T/output/", "unknown_format", "results of LCModel"),
    ("lcmodel-output/", "unknown_format", "results of LCModel"),
    ("lcmodel-test/3t.basis", "bad_file", "a basis set"),
    ("lcmodel-test/control.file", "bad_file", "settings of LCModel"),
    ("lcmodel-test/out_ref_build.ps", "unknown_format", "a plot"),
    ("tarquin-output/", "unknown_format", "results of TARQUIN"),
    ("spin-systems/", "unknown_format", "spin systems"),
    ("basis/fida-mat-megapress/", "unknown_format", "basis set in MATLAB's format"),
    ("basis/fsl-json-7T/", "unknown_format", "basis set in JSON"),
    ("basis/lcmodel/", "bad_file", "basis sets"),
    ("basis/nifti-slaser-3T/", "unknown_format", "sidecars of a basis set, whose single metabolites are read"),
    ("basis/osprey-mat/", "unknown_format", "basis set in MATLAB's format"),
    ("benchmark/", "unknown_format", "sidecars, descriptions and truth beside the spectra"),
    ("expected/", "unknown_format", "references of these tests"),
    ("README.md", "unknown_format", "text"),
];

#[test]
fn real_every_file_is_read_or_refused_for_a_reason() {
    let (mut read, mut used) = (0, vec![0; REFUSED.len()]);
    let mut wrong = Vec::new();
    for entry in walkdir::WalkDir::new(data()).sort_by_file_name() {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let name = entry.path().strip_prefix(data()).unwrap().to_str().unwrap().to_owned();
        let code = formats::read(entry.path()).err().map(|e| e.code());
        let reason = REFUSED.iter().position(|(start, ..)| name.starts_with(start));
        match (code, reason) {
            (None, None) => read += 1,
            // A whole folder is listed where it holds both.
            (None, Some(k)) if REFUSED[k].0.ends_with('/') => read += 1,
            (Some(code), Some(k)) if code == REFUSED[k].1 => used[k] += 1,
            (code, _) => wrong.push(format!("{name}: {code:?}")),
        }
    }
    println!("{read} files read, {} refused", used.iter().sum::<usize>());
    assert!(wrong.is_empty(), "not as listed:\n{}", wrong.join("\n"));
    assert!(read >= 803, "only {read} files read");
    for ((start, ..), n) in REFUSED.iter().zip(used) {
        assert!(n > 0, "{start} is listed and not there");
    }
}

#[test]
fn real_pfile_gives_the_vendors_own_average() {
    let folder = data().join("ge-pfile/rev20-3T");
    let mut read = formats::read(&folder.join("P36864.7")).unwrap();
    let water = read.take_water().unwrap();
    assert_eq!((read.n_transients(), water.n_transients(), read.n_points()), (4, 2, 4096));
    assert_eq!(read.facts.sequence.as_deref(), Some("PROBE-P"));
    assert!((read.facts.te_s.unwrap() - 0.035).abs() < 1e-9 && (read.facts.dwell_s.unwrap() - 2e-4).abs() < 1e-12);
    let mean = |data: &Acquisition| -> Vec<Complex64> {
        let transients: Vec<Vec<Complex64>> = prepare::average::transients(data, 0, 0, None);
        prepare::average::mean(&transients)
    };
    let (metabolites, water) = (mean(&read), mean(&water));
    let bytes = std::fs::read(folder.join("P36864.7.recv1.signal.dat")).unwrap();
    let floats: Vec<f64> =
        bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect();
    let vendor: Vec<Complex64> = floats.chunks_exact(2).map(|z| Complex64::new(z[0], z[1])).collect();
    // The vendor turns the average by the water's phase and takes a part of the water's magnitude away.
    let n = 800;
    let turned: Vec<Complex64> =
        metabolites.iter().zip(&water).map(|(m, w)| m * w.conj() / w.norm().max(1e-300)).collect();
    let dot = |a: &dyn Fn(usize) -> Complex64, b: &dyn Fn(usize) -> Complex64| -> Complex64 {
        (0..n).map(|i| a(i).conj() * b(i)).sum()
    };
    let (m, w, v) = (|i: usize| turned[i], |i: usize| Complex64::new(water[i].norm(), 0.0), |i: usize| vendor[i]);
    let (mm, mw, ww, mv, wv) = (dot(&m, &m), dot(&m, &w), dot(&w, &w), dot(&m, &v), dot(&w, &v));
    let determinant = mm * ww - mw * mw.conj();
    let (a, b) = ((mv * ww - mw * wv) / determinant, (mm * wv - mw.conj() * mv) / determinant);
    let left: f64 = (0..n).map(|i| (vendor[i] - a * turned[i] - b * w(i)).norm_sqr()).sum();
    let all: f64 = (0..n).map(|i| vendor[i].norm_sqr()).sum();
    println!(
        "vendor = {a:.4} × average turned by the water's phase {b:+.4} × |water|; left over {:.4}",
        (left / all).sqrt()
    );
    assert!((left / all).sqrt() < 0.003 && a.im.abs() < 0.01 && b.re < 0.0);
}

/// Carriers are off by up to 25 Hz and cold phantoms' water by another 0.2 ppm, so that every spectrum is referenced to its own
/// three singlets first; the sign of the frequency axis, f0 and the dwell time are what then puts NAA at its place. GE's
/// revision 9 file is a phantom of acetate, creatine and lactate and has no NAA.
#[test]
fn real_brains_of_every_vendor_have_naa_at_two_ppm() {
    let mut lines = Vec::new();
    for (file, f0_mhz, dwell_s) in [
        ("philips-dicom/dynamics/dynamics.dcm", None, None),
        ("philips-dicom/Mouse_Anony/IM-0001-0002.dcm", None, None),
        ("philips-dicom/two_jobs_one_study-a/MRs.1.3.46.670589.11.20068.5.22.3.1.6696.2019020512414340628", None, None),
        ("philips-sdat/press35-sub01/sub-01_PRESS_35_act.sdat", None, None),
        ("philips-sdat/press35-sub02/sub-02_PRESS_35_act.sdat", None, None),
        ("philips-sdat/press30-mm-sub01/sub-01_ses-01_PRESS_raw-act_noID.SDAT", None, None),
        ("philips-sdat/7T-two-row/sub2_MRS.SDAT", None, None),
        ("siemens-rda/va25-1p5T/example.rda", None, None),
        ("siemens-rda/vb17-mega/Siemens1_OFF.rda", None, None),
        ("siemens-rda/vd13/SVS_30.rda", None, None),
        ("siemens-dicom/pat_data_sv/LN/MRS_se_30_saveall__LN_ECC_-_31/IM-0001-0001-0001.dcm", None, None),
        ("siemens-dicom/pat_data_sv/LN/MRS_se_30_saveall__LN_noECC_-_32/IM-0001-0001-0001.dcm", None, None),
        ("siemens-dicom/vd13-ima/SVS_30.IMA", None, None),
        (
            "siemens-dicom/xa20_test_data/3_ed/GSTTQA.MR.head_library.32.1.2021.02.18.18.06.50.499.37352691.dcm",
            None,
            None,
        ),
        ("ge-pfile/rev20-3T/P36864.7", None, None),
        ("varian/7T_STEAM_TE6ms_human.fid/fid", None, None),
        ("nifti-mrs/7T-raw-4coil/metab_raw.nii.gz", None, None),
        ("nifti-mrs/dw-invivo/metab.nii.gz", None, None),
        ("lcmodel-test/data.raw", Some(127.786142), Some(5e-4)),
    ] {
        let mut read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}"));
        (read.facts.f0_mhz, read.facts.dwell_s) = (read.facts.f0_mhz.or(f0_mhz), read.facts.dwell_s.or(dwell_s));
        let water = read.take_water();
        let spectrum = prepare::prepare(&read, water.as_ref(), 0).remove(0).1.unwrap();
        let (raw, shift, naa) = referenced_naa(&spectrum.fid, spectrum.dwell_s, spectrum.f0_mhz);
        lines.push((format!("{file}: NAA at {naa:.3} ppm, {raw:.3} before referencing by {shift:+.3}"), naa));
    }
    for (line, _) in &lines {
        println!("{line}");
    }
    let wrong: Vec<&String> = lines.iter().filter(|(_, naa)| (naa - 2.01).abs() > 0.03).map(|(line, _)| line).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn real_flip_angles_are_known_where_headers_state_them() {
    for file in [
        "siemens-rda/vd13/SVS_30.rda",
        "siemens-twix/sub-SiemensBrainPhantom_seq-svsse_ref-1_avg-1.twix",
        "siemens-dicom/xa20_test_data/3_ed/GSTTQA.MR.head_library.31.1.2021.02.18.18.06.50.499.37352680.dcm",
        "siemens-dicom/pat_data_sv/LN/MRS_se_30_saveall__LN_noECC_-_32/IM-0001-0001-0001.dcm",
        "philips-dicom/dynamics/dynamics.dcm",
        "philips-dicom/raw_and_mrs/MRs.dcm",
    ] {
        let read = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(read.facts.flip_angle_deg, Some(90.0), "{file}");
    }
}
