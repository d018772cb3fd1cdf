#![allow(clippy::unwrap_used, reason = "tests")]
use std::f64::consts::PI;

use ndarray::Array5;

use crate::acquisition::{Acquisition, StatedEditing, hz_from_ppm};
use crate::prepare::edit_order::arrange;
use crate::prepare::{Preparation, prepare};
use crate::random::Random;
use num_complex::Complex64;

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.2;
const POINTS: usize = 1024;

/// One transient: height of NAA, of everything, of residual water and of lipids; shift (Hz) and phase.
#[derive(Clone, Copy)]
struct Row {
    naa: f64,
    size: f64,
    water: f64,
    lipids: f64,
    shift_hz: f64,
    phase: f64,
}

const PLAIN: Row = Row { naa: 12.0, size: 1.0, water: 20.0, lipids: 0.0, shift_hz: 0.0, phase: 0.4 };

fn scan(n: usize, sd: f64, row: impl Fn(usize) -> Row) -> Acquisition {
    let mut random = Random::new(17, 0);
    let mut rows = Vec::new();
    for number in 0..n {
        let Row { naa, size, water, lipids, shift_hz, phase } = row(number);
        for k in 0..POINTS {
            let t = k as f64 * DWELL_S;
            let line = |ppm: f64, area: f64, width: f64| {
                let turn = 2.0 * PI * (hz_from_ppm(ppm, F0_MHZ) + shift_hz) * t + phase;
                Complex64::from_polar(area * (-PI * width * t).exp(), turn)
            };
            let body = line(2.01, naa, 6.0) + line(3.03, 7.5, 6.0) + line(3.22, 4.0, 6.0) + line(2.05, 2.0, 30.0);
            let rest = line(4.68, water, 10.0) + line(1.3, lipids, 30.0) + line(2.05, 0.2 * lipids, 30.0);
            rows.push(size * body + rest + Complex64::new(random.normal(), random.normal()) * sd);
        }
    }
    let samples = Array5::from_shape_fn((1, 1, n, 1, POINTS), |(_, _, t, _, k)| rows[t * POINTS + k]);
    let mut data = Acquisition::from_samples("test", samples);
    (data.facts.dwell_s, data.facts.f0_mhz) = (Some(DWELL_S), Some(F0_MHZ));
    data
}

fn mega(row: usize, is_on: bool) -> Row {
    Row { naa: if is_on { 1.0 } else { 12.0 }, shift_hz: 0.1 * row as f64, ..PLAIN }
}

fn is_flagged(data: &Acquisition) -> bool {
    let spectrum = prepare(data, None, 0).remove(0).1.unwrap();
    spectrum.record.flags.contains(&"transients_differ_in_turn")
}

#[test]
fn editing_under_another_name_is_noticed() {
    for n in [8, 16, 64] {
        assert!(is_flagged(&scan(n, 2.0, |row| mega(row, row % 2 == 0))), "{n}");
    }
    assert!(is_flagged(&scan(64, 2.0, |row| mega(row, row / 4 % 2 == 1))));
    assert!(is_flagged(&scan(32, 2.0, |row| mega(row, matches!(row % 4, 0 | 3)))));
    // A transient that is not there does not shift the others.
    let mut broken = scan(32, 2.0, |row| mega(row, row % 2 == 0));
    let samples = Array5::from_shape_fn((1, 1, 32, 1, POINTS), |(_, _, t, _, k)| match t {
        11 => Complex64::new(f64::NAN, 0.0),
        _ => broken.samples.at([0, 0, t, 0, k]),
    });
    broken.samples = samples.into();
    assert!(is_flagged(&broken));
    // Too few to have a rhythm.
    assert!(!is_flagged(&scan(6, 2.0, |row| mega(row, row % 2 == 0))));
}

#[test]
fn unedited_scans_with_faults_are_not() {
    let drift = |row: usize| Row { shift_hz: 0.2 * row as f64, phase: 0.05 * row as f64, ..PLAIN };
    let cycled = |row: usize| Row { phase: PI * (row % 2) as f64, ..PLAIN };
    // Cycles that add and subtract residual water.
    let water = |row: usize| Row { water: if row.is_multiple_of(2) { 60.0 } else { -30.0 }, ..PLAIN };
    let moved = |row: usize| Row { size: if row < 20 { 1.0 } else { 0.4 }, shift_hz: (row / 20) as f64 * 6.0, ..PLAIN };
    let skull = |row: usize| Row { lipids: if row < 16 { 0.0 } else { 150.0 }, ..PLAIN };
    let breath =
        |row: usize| Row { size: 1.0 + 0.3 * (row as f64 * 1.7).sin(), shift_hz: 2.0 * (row % 2) as f64, ..PLAIN };
    let phantom = |row: usize| Row { naa: 0.0, shift_hz: 0.1 * row as f64, ..PLAIN };
    let rows: [(&str, &dyn Fn(usize) -> Row); 7] = [
        ("drift", &drift),
        ("cycled", &cycled),
        ("water", &water),
        ("moved", &moved),
        ("skull", &skull),
        ("breath", &breath),
        ("phantom", &phantom),
    ];
    for (name, row) in rows {
        for sd in [0.5, 4.0, 30.0] {
            assert!(!is_flagged(&scan(32, sd, row)), "{name}, {sd}");
        }
    }
}

fn arranged(data: &Acquisition, order: &str) -> Acquisition {
    let mut data = data.clone();
    data.facts.sequence = Some("MEGA-PRESS".to_owned());
    let stated = StatedEditing::parse(None, Some(order)).unwrap();
    arrange(&mut data, None, &Preparation::default(), &stated, "x").unwrap();
    data
}

#[test]
fn a_stated_order_that_the_data_refute_is_flagged() {
    let flags = |data: &Acquisition, order: &str| {
        let data = arranged(data, order);
        assert_eq!(data.flags.len(), data.remarks.len(), "{:?}", data.remarks);
        // Once, although labels may contradict as well.
        let of_all = prepare(&data, None, 0).into_iter().map(|(_, spectrum)| spectrum.unwrap().record.flags);
        let again = of_all.flatten().any(|flag| flag == "edit_order_contradicted");
        (data.flags.contains(&"edit_order_contradicted"), again)
    };
    let turn = scan(32, 2.0, |row| mega(row, row % 2 == 0));
    let blocks = scan(32, 2.0, |row| mega(row, row / 8 % 2 == 0));
    for order in ["in_turn on off", "in_turn 1.9 7.5"] {
        assert_eq!(flags(&turn, order), (false, false), "{order}");
        assert_eq!(flags(&blocks, order), (true, false), "{order}");
    }
    for order in ["blocks_8 on off", "halves on off", "blocks_2 1.9 7.5"] {
        assert_eq!(flags(&turn, order), (true, false), "{order}");
    }
    assert_eq!(flags(&blocks, "blocks_8 on off"), (false, false));
    // Labels the wrong way round are told by NAA, as ever.
    assert_eq!(flags(&turn, "in_turn off on"), (false, true));
    // A pulse for glutathione leaves NAA: nothing is refuted.
    let steady = scan(32, 2.0, |row| mega(row, false));
    assert_eq!(flags(&steady, "in_turn gsh off"), (false, false));
    let said = arranged(&turn, "halves on off").remarks.remove(0);
    assert!(said.contains("`in_turn`") && said.contains("`blocks_16`"), "{said}");
}
