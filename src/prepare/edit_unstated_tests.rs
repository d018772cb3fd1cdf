#![allow(clippy::unwrap_used, reason = "tests")]
use std::f64::consts::PI;

use ndarray::Array5;
use num_complex::Complex64;

use crate::acquisition::Acquisition;
use crate::prepare::edit_test_scans::{PLAIN, POINTS, Row, mega, scan};
use crate::prepare::prepare;

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
    // Too few to have an order.
    assert!(!is_flagged(&scan(3, 2.0, |row| mega(row, row % 2 == 0))));
}

#[test]
fn blocks_and_halves_without_naa_are_noticed_from_one_circle_on() {
    for (n, block) in [(4, 1), (4, 2), (16, 8), (24, 4), (32, 8), (48, 24)] {
        for sd in [0.5, 2.0] {
            assert!(is_flagged(&scan(n, sd, |row| mega(row, row / block % 2 == 1))), "{n} {block} {sd}");
        }
    }
    // What is left of NAA in half a scan with lipids, in a worse shim, or of another size, is no editing.
    for n in [4, 8, 48] {
        let half = |row: usize| Row { naa: 5.0, lipids: 60.0, ..mega(row, row < n / 2) };
        assert!(!is_flagged(&scan(n, 2.0, half)), "{n}");
        assert!(!is_flagged(&scan(n, 2.0, |row| Row { size: if row < n / 2 { 0.2 } else { 1.0 }, ..PLAIN })), "{n}");
    }
}

/// ON, OFF and their difference, in this order or another.
#[test]
fn a_difference_among_its_conditions_is_noticed() {
    let two = scan(2, 2.0, |row| mega(row, row == 0));
    for order in [[0, 1, 2], [2, 0, 1], [1, 0, 2]] {
        let samples = Array5::from_shape_fn((1, 1, 3, 1, POINTS), |(_, _, t, _, k)| {
            let at = |row| two.samples.at([0, 0, row, 0, k]);
            if order[t] == 2 { 0.5 * (at(0) - at(1)) } else { at(order[t]) }
        });
        assert!(is_flagged(&Acquisition { samples: samples.into(), ..two.clone() }), "{order:?}");
    }
    assert!(!is_flagged(&scan(3, 2.0, |_| PLAIN)));
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
