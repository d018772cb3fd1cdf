//! Inputs of GE, Philips and Bruker scanners as sites send them: what readouts are, and what headers say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use std::path::PathBuf;

use num_complex::Complex64;
use requant::acquisition::{Acquisition, Conditions, Samples, UNTESTED_FORMAT};
use requant::formats;

fn case(path: &str) -> PathBuf {
    common::data().join("../cases/field").join(path)
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
