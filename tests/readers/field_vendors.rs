//! Inputs of GE, Philips and Bruker scanners as sites send them: what readouts are, and what headers say.

use std::path::PathBuf;

use crate::common::small_files::{Pfile, edited_pfile, isthmus_pfile, pfile};
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Conditions, Samples, UNTESTED_FORMAT};
use requant::formats::{self, ge_pfile};

fn case(path: &str) -> PathBuf {
    crate::common::data().join("../cases/field").join(path)
}

fn read(path: &str) -> Acquisition {
    formats::read(&case(path)).unwrap_or_else(|e| panic!("{e}"))
}

fn mean(samples: &Samples, condition: usize) -> Vec<Complex64> {
    let [_, _, transients, _, points] = samples.shape();
    let mut sum = vec![Complex64::default(); points];
    for transient in 0..transients {
        let fid = samples.fid([0, condition, transient, 0]);
        sum.iter_mut().zip(fid).for_each(|(sum, z)| *sum += z / transients as f64);
    }
    sum
}

/// The tallest point of the magnitude spectrum between two chemical shifts, by a direct transform.
fn tallest(fid: &[Complex64], data: &Acquisition, low_ppm: f64, high_ppm: f64) -> (f64, f64) {
    let (dwell_s, f0_mhz) = (data.facts.dwell_s.unwrap(), data.facts.f0_mhz.unwrap());
    let height = |ppm: f64| {
        let turn = -2.0 * std::f64::consts::PI * requant::acquisition::hz_from_ppm(ppm, f0_mhz) * dwell_s;
        fid.iter().enumerate().map(|(n, z)| z * Complex64::from_polar(1.0, turn * n as f64)).sum::<Complex64>().norm()
    };
    let steps = ((high_ppm - low_ppm) / 2e-3).round() as usize;
    let all = (0..=steps).map(|i| low_ppm + 2e-3 * i as f64).map(|ppm| (ppm, height(ppm)));
    all.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

fn naa(data: &Acquisition, condition: usize) -> f64 {
    tallest(&mean(&data.samples, condition), data, 1.9, 2.12).1
}

/// TE and TR (µs).
fn times_us(data: &Acquisition) -> (f64, f64) {
    ((data.facts.te_s.unwrap() * 1e6).round(), (data.facts.tr_s.unwrap() * 1e6).round())
}

fn mixed(data: &Acquisition) -> Option<usize> {
    match data.editing.as_ref().unwrap().conditions {
        Conditions::Mixed(n) => n,
        Conditions::Apart => panic!("apart"),
    }
}

#[test]
fn real_ge_echoes_of_an_edited_sequence_are_conditions() {
    let data = read("ge-mega-two-echoes/P23456.7");
    assert_eq!(data.samples.shape(), [1, 2, 8, 2, 2048]);
    assert_eq!(data.condition_labels, ["on", "off"]);
    let editing = data.editing.as_ref().unwrap();
    assert_eq!(editing.conditions, Conditions::Apart);
    assert!((editing.pulses_ppm[0][0] - 1.94).abs() < 0.01 && (editing.pulses_ppm[1][0] - 7.49).abs() < 0.01);
    // The pulse takes NAA away.
    assert!(naa(&data, 1) > 3.0 * naa(&data, 0), "{} {}", naa(&data, 0), naa(&data, 1));
    let (ppm, _) = tallest(&mean(&data.samples, 1), &data, 1.7, 2.3);
    assert!((ppm - 2.01).abs() < 0.02, "{ppm}");
    let water = data.water.as_ref().unwrap();
    assert_eq!((water.samples.shape()[2], water.readouts.as_str()), (4, "frames 1 to 2 of 2 echoes"));
    assert_eq!((times_us(&data), data.facts.averages_on_scanner), ((68_000.0, 2e6), Some(1)));
    assert_eq!(water.samples.at([0, 0, 0, 0, 0]).re, 3_147_199.0);
}

#[test]
fn real_ge_frames_of_an_edited_sequence_are_not_one_condition() {
    let data = read("ge-mega-one-echo/P34567.7");
    assert_eq!((data.samples.shape(), mixed(&data)), ([1, 1, 8, 2, 2048], Some(2)));
    assert_eq!(data.water.as_ref().unwrap().samples.shape()[2], 2);
    assert!(data.remarks.iter().any(|r| r.contains("order")), "{:?}", data.remarks);
}

#[test]
fn real_ge_of_revision_31_is_read() {
    let data = read("ge-rev31.0-probe-p/P12345.7");
    assert_eq!((data.samples.shape(), data.editing.is_some()), ([1, 1, 4, 2, 2048], false));
    assert_eq!(data.water.as_ref().unwrap().samples.shape()[2], 2);
    assert_eq!(times_us(&data), (35_000.0, 2e6));
    assert_eq!(
        (data.facts.sequence.as_deref(), data.flags.as_slice()),
        (Some("PROBE-P"), [UNTESTED_FORMAT].as_slice())
    );
    let affine = data.affine_mm.unwrap();
    assert_eq!((affine[0][3], affine[1][3], affine[2][3]), (-3.5, 12.0, 41.0));
    let (ppm, _) = tallest(&mean(&data.samples, 0), &data, 1.7, 2.3);
    assert!((ppm - 2.01).abs() < 0.02, "{ppm}");
}

#[test]
fn real_philips_rows_of_an_edited_scan_are_not_one_condition() {
    for (folder, stem, rows, n) in [
        ("sdat-mega-interleaved", "megapress", 32, Some(2)),
        ("sdat-mega-blocks", "megapress", 32, Some(2)),
        ("sdat-mega-noisy", "megapress", 48, Some(2)),
        ("sdat-mega-two-rows", "megapress", 2, Some(2)),
        ("sdat-hermes", "hermes", 32, Some(4)),
    ] {
        let data = read(&format!("{folder}/sub-01_{stem}_act.SDAT"));
        assert_eq!((data.samples.shape(), mixed(&data)), ([1, 1, rows, 1, 2048], n), "{folder}");
        assert!(data.remarks.iter().any(|r| r.contains("the file's name")), "{:?}", data.remarks);
    }
}

#[test]
fn real_philips_averages_of_an_edited_raw_scan_are_not_one_condition() {
    let data = read("list-mega-interleaved/raw_megapress.data");
    assert_eq!((data.samples.shape(), mixed(&data)), ([1, 1, 16, 2, 2048], Some(2)));
    assert_eq!((times_us(&data), data.water.as_ref().unwrap().samples.shape()[2]), ((68_000.0, 2e6), 2));
}

#[test]
fn real_philips_decimal_commas_are_numbers() {
    let data = read("sdat-decimal-comma/a_raw_act.SDAT");
    assert_eq!(times_us(&data), (35_500.0, 2e6));
    let affine = data.affine_mm.unwrap();
    assert_eq!([affine[0][3], affine[1][3], affine[2][3]], [3.5, -12.5, 41.0]);
    assert!(data.remarks.is_empty(), "{:?}", data.remarks);
}

#[test]
fn real_bruker_references_are_in_the_method() {
    let data = read("bruker-pv360-reference-in-method/9/rawdata.job0");
    assert_eq!(data.samples.shape(), [1, 1, 8, 2, 2048]);
    let water = data.water.as_ref().unwrap();
    assert_eq!((water.samples.shape(), water.readouts.as_str()), ([1, 1, 1, 2, 2048], "PVM_RefScan of method"));
    assert_eq!(water.samples.at([0, 0, 0, 0, 0]), Complex64::new(3_147_202.0, -12.0));
    let size = (0..2).map(|coil| water.samples.at([0, 0, 0, coil, 0]).norm_sqr()).sum::<f64>().sqrt();
    assert!((size / (3000.0 * 1.166e3) - 1.0).abs() < 0.1, "{size}");
    let (ppm, _) = tallest(&mean(&data.samples, 0), &data, 1.7, 2.3);
    assert!((ppm - 2.01).abs() < 0.02, "{ppm}");
}

/// What a folder of a scan holds besides is no row of its own, and what is processed alone is one.
#[test]
fn real_bruker_processed_scans_do_not_vanish() {
    use requant::acquisition::FileKind;
    let scan = case("bruker-pv360-reference-in-method/9");
    for name in ["method", "acqp", "pdata/1/fid_proc.64", "pdata/1/fid_refscan.64"] {
        assert_eq!(formats::kind_of(&scan.join(name)), FileKind::Companion, "{name}");
    }
    let keep = tempfile::tempdir().unwrap();
    let copy = |name: &str, to: &str| {
        let to = keep.path().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(&to, std::fs::read(scan.join(name)).unwrap()).unwrap();
        to
    };
    let processed = copy("pdata/1/fid_proc.64", "9/pdata/1/fid_proc.64");
    assert_eq!(formats::read(&processed).unwrap_err().code(), "missing_companion");
    copy("method", "9/method");
    copy("acqp", "9/acqp");
    let reference = copy("pdata/1/fid_refscan.64", "9/pdata/1/fid_refscan.64");
    let again = copy("pdata/1/fid_proc.64", "9/pdata/2/fid_proc.64");
    assert_eq!(formats::kind_of(&processed), FileKind::Spectrum);
    assert_eq!(formats::kind_of(&again), FileKind::Companion);
    assert_eq!(formats::companions(&processed).len(), 3);
    let data = formats::read(&processed).unwrap();
    assert_eq!((data.samples.shape(), data.facts.averages_on_scanner), ([1, 1, 1, 1, 2048], Some(8)));
    let water = data.water.as_ref().unwrap();
    assert_eq!((water.samples.shape(), water.readouts.as_str()), ([1, 1, 1, 1, 2048], "fid_refscan.64"));
    let (ppm, _) = tallest(&mean(&data.samples, 0), &data, 1.7, 2.3);
    assert!((ppm - 2.01).abs() < 0.02, "{ppm}");
    std::fs::remove_file(reference).unwrap();
    assert!(formats::read(&processed).unwrap().water.is_none());
    // Of what is shown alone there is a row that says so; images are none.
    let shown = keep.path().join("10/pdata/1/2dseq");
    std::fs::create_dir_all(shown.parent().unwrap()).unwrap();
    std::fs::write(&shown, [1, 2, 3, 4]).unwrap();
    assert_eq!(formats::kind_of(&shown), FileKind::Other);
    std::fs::write(shown.with_file_name("visu_pars"), "##$VisuCoreDimDesc=( 1 )\nspectroscopic\n").unwrap();
    assert_eq!(formats::kind_of(&shown), FileKind::Spectrum);
    let error = formats::read(&shown).unwrap_err();
    assert!(error.code() == "unsupported" && error.to_string().contains("fid_proc.64"), "{error}");
    // Beside samples it is the same scan once more.
    std::fs::write(shown.with_file_name("fid_proc.64"), [0; 16]).unwrap();
    assert_eq!(formats::kind_of(&shown), FileKind::Companion);
}

const TWO_ECHOES: Pfile = Pfile {
    sequence: "gaba",
    echoes: 2,
    frames: 5,
    nex: 1,
    user4: 4.0,
    user19: 1.0,
    waveform: 2.0,
    pulses_hz: [-350.0, 359.0],
};

/// The first points of the transients of a condition, of the first coil.
fn heights(samples: &Samples, condition: usize) -> Vec<f64> {
    (0..samples.shape()[2]).map(|t| samples.at([0, condition, t, 0, 0]).re).collect()
}

#[test]
fn ge_echoes_have_a_baseline_each_and_any_number_of_frames() {
    let height = |echo: usize, frame: usize| (1000 * (1 + echo) + frame) as i32;
    let data = ge_pfile::decode(pfile(&TWO_ECHOES, height)).unwrap();
    assert_eq!(heights(&data.samples, 0), [1001.0, 1002.0, 1003.0, 1004.0]);
    assert_eq!(heights(&data.samples, 1), [2001.0, 2002.0, 2003.0, 2004.0]);
    assert_eq!(heights(&data.water.as_ref().unwrap().samples, 0), [1000.0, 2000.0]);
    assert_eq!(data.condition_labels, ["on", "off"]);
    // OFF may come first, and a reference need not be there.
    let reversed = Pfile { pulses_hz: [359.0, -350.0], user4: 5.0, user19: 0.0, ..TWO_ECHOES };
    let data = ge_pfile::decode(pfile(&reversed, height)).unwrap();
    assert_eq!(
        (data.condition_labels.join(" "), data.water.is_none(), data.n_transients()),
        ("off on".into(), true, 5)
    );
    assert_eq!(ge_pfile::decode(edited_pfile()).unwrap().n_conditions(), 2);
    // No pulse in the header: as the sequence is known to have them, and said.
    let silent = Pfile { pulses_hz: [0.0; 2], ..TWO_ECHOES };
    let data = ge_pfile::decode(pfile(&silent, height)).unwrap();
    assert!(data.condition_labels == ["on", "off"] && data.remarks.iter().any(|r| r.contains("do not tell")));
}

#[test]
fn ge_transients_of_alternating_sign_are_turned_over() {
    // NEX 2, each transient kept: 8 of the metabolites and 2 of water.
    let says = Pfile { frames: 10, nex: 2, user4: 8.0, user19: 1.0, ..TWO_ECHOES };
    let sign = |frame: usize| if frame.is_multiple_of(2) { 1 } else { -1 };
    let height = |echo: usize, frame: usize| sign(frame) * if frame < 2 { 90_000 } else { 1000 * (1 + echo as i32) };
    let data = ge_pfile::decode(pfile(&says, height)).unwrap();
    assert_eq!((heights(&data.samples, 0), heights(&data.samples, 1)), (vec![1000.0; 8], vec![2000.0; 8]));
    assert_eq!(heights(&data.water.as_ref().unwrap().samples, 0), [90_000.0; 4]);
    assert_eq!(data.facts.averages_on_scanner, Some(1));
    assert!(data.remarks.iter().any(|r| r.contains("opposite sign")), "{:?}", data.remarks);
    // Those that do not alternate are as they are.
    let data = ge_pfile::decode(pfile(&says, |_, _| 1000)).unwrap();
    assert_eq!(heights(&data.samples, 0), [1000.0; 8]);
    assert!(!data.remarks.iter().any(|r| r.contains("opposite sign")));
}

#[test]
fn ge_editing_of_four_conditions_is_left_to_the_data() {
    let height = |echo: usize, frame: usize| (10 * frame + echo) as i32;
    for (sequence, echoes, waveform) in [("gaba", 2, 19.0), ("gaba", 4, 0.0), ("hermes_x", 1, 0.0), ("hbcd", 2, 19.0)] {
        let says = Pfile { sequence, echoes, waveform, ..TWO_ECHOES };
        let data = ge_pfile::decode(pfile(&says, height)).unwrap();
        assert_eq!((data.n_conditions(), mixed(&data)), (1, Some(4)), "{sequence} {echoes}");
        // In the order in which they were measured: the echoes of a frame, then the next.
        let first: Vec<f64> = heights(&data.samples, 0).into_iter().take(4).collect();
        let all = (1..5).flat_map(|frame| (0..echoes as usize).map(move |echo| height(echo, frame)));
        assert_eq!(first, all.take(4).map(f64::from).collect::<Vec<_>>(), "{sequence} {echoes}");
    }
    // Of a sequence that is not known several echoes stay refused.
    for (sequence, echoes) in [("PROBE-P", 2), ("gaba", 3)] {
        let error = ge_pfile::decode(pfile(&Pfile { sequence, echoes, ..TWO_ECHOES }, height)).unwrap_err();
        assert_eq!(error, ge_pfile::DecodeError::Echoes { echoes: echoes as usize });
    }
    assert!(
        ge_pfile::decode(pfile(&Pfile { sequence: "jpress", echoes: 1, waveform: 0.0, ..TWO_ECHOES }, height))
            .unwrap()
            .editing
            .is_none()
    );
}

#[test]
fn ge_isthmus_is_press_and_hercules_with_their_water() {
    let press = ge_pfile::decode(isthmus_pfile()).unwrap();
    assert_eq!((press.n_transients(), press.n_conditions(), press.facts.te_s), (32, 1, Some(0.035)));
    assert_eq!(heights(&press.samples, 0)[..2], [101.0, 102.0]);
    let (name, hercules) = &press.further[0];
    assert_eq!((name.as_str(), hercules.n_transients(), hercules.n_conditions()), ("hercules80", 16, 4));
    assert_eq!((hercules.facts.te_s, hercules.facts.tr_s, hercules.facts.dwell_s), (Some(0.08), Some(2.0), Some(2e-4)));
    // Behind the second frame of water, and across the third.
    assert_eq!(heights(&hercules.samples, 1)[..2], [135.0, 139.0]);
    assert_eq!(heights(&hercules.samples, 0)[8], 167.0);
    assert_eq!(
        hercules.editing.as_ref().unwrap().pulses_ppm,
        [vec![4.58, 1.9], vec![4.18, 1.9], vec![4.58], vec![4.18]]
    );
    assert_eq!(heights(&press.water.as_ref().unwrap().samples, 0), [100_000.0]);
    assert_eq!(heights(&hercules.water.as_ref().unwrap().samples, 0), [60_000.0; 2]);
    let says = Pfile { sequence: "hbcd2", echoes: 1, frames: 99, user4: 96.0, user19: 3.0, ..TWO_ECHOES };
    let error = ge_pfile::decode(pfile(&says, |_, _| 100)).unwrap_err();
    assert!(error.code() == "unsupported" && error.to_string().contains("four parts"), "{error}");
}
