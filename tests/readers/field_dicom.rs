//! DICOM objects as sites send them: the cases of `../shared/cases`, and others of their kinds made here.

mod others;

use std::path::PathBuf;

use num_complex::Complex64;
use requant::acquisition::{Acquisition, Conditions, UNTESTED_FORMAT, ppm_from_hz};
use requant::formats::{self, is_spectroscopy};
use requant::prepare;
use rustfft::FftPlanner;

use crate::common::data;

fn case(path: &str) -> PathBuf {
    data().join("../cases").join(path)
}

fn read(path: &str) -> Acquisition {
    formats::read(&case(path)).unwrap_or_else(|e| panic!("{e}"))
}

fn near(got: Option<f64>, want: f64) {
    assert!(got.is_some_and(|got| (got / want - 1.0).abs() < 1e-6), "{got:?} where {want} is stated");
}

/// Numbers of transients and conditions, and of the water reference's transients.
fn extents(data: &Acquisition) -> (usize, usize, usize) {
    (data.n_transients(), data.n_conditions(), data.water.as_ref().map_or(0, |water| water.samples.shape()[2]))
}

/// The tallest point (ppm) of the magnitude spectrum within a band, of the mean of all transients of a condition.
fn tallest(data: &Acquisition, condition: usize, band: (f64, f64)) -> (f64, f64) {
    let n = 8 * data.n_points();
    let mut mean = vec![Complex64::default(); n];
    for t in 0..data.n_transients() {
        for (sum, z) in mean.iter_mut().zip(data.samples.fid([0, condition, t, 0])) {
            *sum += z / data.n_transients() as f64;
        }
    }
    FftPlanner::new().plan_fft_forward(n).process(&mut mean);
    let (dwell_s, f0) = (data.facts.dwell_s.unwrap(), data.facts.f0_mhz.unwrap());
    let ppm = |k: usize| {
        let signed = if k < n / 2 { k as f64 } else { k as f64 - n as f64 };
        ppm_from_hz(signed / (n as f64 * dwell_s), f0)
    };
    let inside = (0..n).filter(|&k| (band.0..=band.1).contains(&ppm(k)));
    let top = inside.max_by(|&a, &b| mean[a].norm().total_cmp(&mean[b].norm())).unwrap();
    (ppm(top), mean[top].norm())
}

fn amplitude(data: &Acquisition) -> f64 {
    data.samples.at([0, 0, 0, 0, 0]).norm()
}

#[test]
fn real_classic_philips_object_is_read() {
    let data = read("field/dicom-philips-classic/IM_0001.dcm");
    assert!(is_spectroscopy(&case("field/dicom-philips-classic/IM_0001.dcm")));
    assert_eq!((data.n_points(), extents(&data)), (1024, (1, 1, 0)));
    near(data.facts.dwell_s, 5e-4);
    near(data.facts.f0_mhz, 127.75);
    near(data.facts.te_s, 0.035);
    near(data.facts.tr_s, 2.0);
    let (naa, _) = tallest(&data, 0, (0.5, 4.0));
    assert!((naa - 2.01).abs() < 0.03, "{naa}");
    assert_eq!(data.facts.sequence.as_deref(), Some("PRESS"));
    assert_eq!(data.flags, [UNTESTED_FORMAT]);
}

#[test]
fn real_philips_object_in_implicit_form_has_values_by_their_type() {
    for file in ["field/dicom-philips-implicit-vr/SVS.dcm", "field-real/SVS.dcm"] {
        let data = read(file);
        near(data.facts.te_s, 0.035_406_398_773);
        near(data.facts.tr_s, 2.0);
        near(data.facts.f0_mhz, 127.767_224);
        assert_eq!((extents(&data), data.facts.sequence.as_deref()), ((1, 1, 1), Some("PRESS")));
        // Philips' extents (20 mm each) about the stated place, LPS turned to RAS.
        let affine = data.affine_mm.unwrap();
        let expected = [[-20.0, 0.0, 0.0, -32.171_398], [0.0, -20.0, 0.0, -11.839_465], [0.0, 0.0, 20.0, 74.386_299]];
        for (got, want) in affine.iter().flatten().zip(expected.iter().flatten()) {
            assert!((got - want).abs() < 1e-4, "{affine:?}");
        }
        let water = data.water.as_ref().unwrap();
        assert_eq!((water.readouts.as_str(), water.te_s), ("frame 2", None));
    }
}

#[test]
fn real_philips_edited_object_is_sorted_by_what_its_frames_say() {
    let mut data = read("field/dicom-philips-mega/IM_0001.dcm");
    assert_eq!(extents(&data), (8, 2, 2));
    assert_eq!(data.condition_labels, ["on", "off"]);
    assert_eq!(data.editing.as_ref().map(|editing| editing.conditions), Some(Conditions::Apart));
    near(data.facts.te_s, 0.035);
    // NAA is there with the pulse off alone.
    let [on, off] = [0, 1].map(|condition| tallest(&data, condition, (1.9, 2.1)).1);
    assert!(off > 3.0 * on, "{on} {off}");
    assert_eq!(data.water.as_ref().unwrap().readouts, "frames 17 to 18");
    let water = data.take_water().unwrap();
    assert!((amplitude(&water) - 2983.0).abs() < 0.1 * 2983.0, "{}", amplitude(&water));
    let prepared = prepare::prepare(&data, Some(&water), 0);
    let names: Vec<String> = prepared.iter().filter_map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["on", "off", "diff", "sum"]);
}

#[test]
fn real_siemens_va_object_is_read_like_the_rda_of_its_software() {
    let rda = formats::read(&data().join("siemens-rda/va25-1p5T/example.rda")).unwrap();
    // Who took the person out of the first took its protocol along.
    for (file, suppressed) in
        [("field/dicom-siemens-va25/VA25.IMA", None), ("field-real/siemens_ima_WS.ima", Some(true))]
    {
        assert!(is_spectroscopy(&case(file)));
        let read = read(file);
        assert_eq!((read.n_points(), extents(&read)), (2048, (1, 1, 0)));
        near(read.facts.f0_mhz, 63.683_831);
        near(read.facts.dwell_s, 5e-4);
        // Another phantom of the same protocol.
        let same = |a: &Acquisition| {
            let facts = &a.facts;
            (
                facts.te_s,
                facts.tr_s,
                facts.dwell_s,
                facts.sequence.clone(),
                facts.nucleus.clone(),
                facts.averages_on_scanner,
            )
        };
        assert_eq!(same(&read), same(&rda));
        assert_eq!(read.facts.water_suppressed, suppressed);
        let (got, want) = (read.affine_mm.unwrap(), rda.affine_mm.unwrap());
        assert!(got.iter().flatten().zip(want.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} {want:?}");
        // The same lines at the same places with the same heights, so the sign is that of the RDA.
        for band in [(1.78, 1.96), (2.8, 2.95), (3.7, 3.82), (3.86, 3.98)] {
            let ((a, tall_a), (b, tall_b)) = (tallest(&read, 0, band), tallest(&rda, 0, band));
            assert!((a - b).abs() < 0.04 && (tall_a / tall_b - 1.0).abs() < 0.25, "{file}: {a} {b} {tall_a} {tall_b}");
        }
    }
}

#[test]
fn real_united_imaging_object_is_stored_as_we_want_it() {
    let mut data = read("field/dicom-uih/uih.dcm");
    assert_eq!(extents(&data), (1, 1, 1));
    let (naa, _) = tallest(&data, 0, (0.5, 4.0));
    assert!((naa - 2.01).abs() < 0.03, "{naa}");
    near(data.facts.te_s, 0.035);
    assert_eq!((data.facts.sequence.as_deref(), data.flags.as_slice()), (Some("svs_press"), &[UNTESTED_FORMAT][..]));
    let water = data.take_water().unwrap();
    let (ppm, _) = tallest(&water, 0, (0.0, 9.0));
    assert!((ppm - 4.65).abs() < 0.1 && amplitude(&water) > 5.0 * amplitude(&data), "{ppm}");
}

#[test]
fn real_csa_pair_says_which_of_them_has_no_water_suppression() {
    let [on, off] = ["WS", "noWS"].map(|kind| read(&format!("field-real/spinal_cord_sLASER_longTE_{kind}.dcm")));
    assert_eq!((on.facts.water_suppressed, off.facts.water_suppressed), (Some(true), Some(false)));
    for data in [&on, &off] {
        near(data.facts.te_s, 0.041_68);
        assert_eq!((data.n_points(), data.facts.sequence.as_deref()), (4096, Some("eja_svs_slaser")));
    }
    assert_eq!((on.facts.tr_s, off.facts.tr_s), (Some(4.13), Some(3.68)));
    assert!(amplitude(&off) > 10.0 * amplitude(&on));
    assert_eq!(on.affine_mm, off.affine_mm);
}

#[test]
fn real_siemens_xa_object_in_vivo_has_naa_at_two_ppm() {
    let data = read("field-real/sub-217_ses-MRI1_voi-ACC_acq-pres_svs.dcm");
    near(data.facts.te_s, 0.03);
    near(data.facts.tr_s, 3.0);
    // The carrier is off by some hertz: choline and creatine tell how far.
    let [naa, cr, cho] = [(1.85, 2.15), (2.9, 3.12), (3.13, 3.35)].map(|band| tallest(&data, 0, band).0);
    let shift = 0.5 * (cr - 3.027 + cho - 3.21);
    assert!((naa - shift - 2.01).abs() < 0.03, "{naa} {cr} {cho}");
    assert!(data.affine_mm.is_some() && data.facts.water_suppressed != Some(false));
}

#[test]
fn real_series_of_water_references_are_told_from_spectra() {
    let folder = data().join("siemens-dicom");
    let suppressed = |file: &str| formats::read(&folder.join(file)).unwrap().facts.water_suppressed;
    let xa = |number: &str, uid: &str| {
        suppressed(&format!(
            "xa20_test_data/1_ed/GSTTQA.MR.head_library.{number}.1.2021.02.18.18.06.50.499.373526{uid}.dcm"
        ))
    };
    assert_eq!([xa("23", "14"), xa("24", "25"), xa("25", "36")], [Some(false), Some(true), Some(true)]);
    let ve = |kind: &str| suppressed(&format!("pat_data_sv/LN/MRS_se_30_saveall__LN_{kind}/IM-0001-0001-0001.dcm"));
    assert_eq!([ve("ref_-_30"), ve("ECC_-_31"), ve("noECC_-_32")], [Some(false), Some(true), Some(true)]);
    let series = |which: &str| suppressed(&format!("18112113/post_upgrade_sv_export_enhanced/{which}"));
    assert_eq!([series("A/79574888"), series("B/79574899")], [Some(true), Some(false)]);
}

#[test]
fn real_single_averages_are_put_together_and_steps_of_weighting_are_not() {
    let names = ["00001.dcm", "00002.dcm", "00003.dcm", "00004.dcm"];
    let folder = tempfile::tempdir().unwrap();
    let put_together = |heights: [f32; 4]| {
        for (name, height) in names.iter().zip(heights) {
            let mut file = std::fs::read(case("field/dicom-xa-one-file-per-average").join(name)).unwrap();
            // Spectroscopy data: group, element, type, two bytes unused, length.
            let at = file.windows(6).position(|w| w == b"\x00\x56\x20\x00OF").unwrap() + 12;
            let length = u32::from_le_bytes(file[at - 4..at].try_into().unwrap()) as usize;
            for part in file[at..at + length].as_chunks_mut::<4>().0 {
                *part = (f32::from_le_bytes(*part) * height).to_le_bytes();
            }
            std::fs::write(folder.path().join(name), file).unwrap();
        }
        let paths = names.map(|name| folder.path().join(name));
        formats::read_series(&paths[0], &paths[1..])
    };
    assert_eq!(extents(&put_together([1.0; 4]).unwrap()).0, 4);
    assert_eq!(extents(&put_together([1.0, -0.95, 1.05, 0.9]).unwrap()).0, 4);
    // One that a movement spoiled is for later steps to leave out.
    assert_eq!(extents(&put_together([1.0, 1.0, 0.5, 1.0]).unwrap()).0, 4);
    for steps in [[1.0, 0.55, 0.4, 0.3], [0.3, 0.4, 0.55, 1.0], [1.0, 0.5, 1.0, 0.5]] {
        let refused = put_together(steps).unwrap_err();
        assert_eq!(refused.code(), "bad_series");
        assert!(refused.to_string().contains("differ in strength"), "{refused}");
    }
}
