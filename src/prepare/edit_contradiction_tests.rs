#![allow(clippy::unwrap_used, reason = "tests")]
use ndarray::Array5;

use crate::acquisition::{Acquisition, StatedEditing};
use crate::prepare::edit_order::arrange;
use crate::prepare::edit_test_scans::{PLAIN, POINTS, Row, mega, scan};
use crate::prepare::{Preparation, prepare};

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

fn is_contradicted(data: &Acquisition) -> bool {
    let of_all = prepare(data, None, 0).into_iter().map(|(_, spectrum)| spectrum.unwrap().record.flags);
    let flags: Vec<&str> = of_all.flatten().collect();
    flags.contains(&"edit_order_contradicted")
}

#[test]
fn a_transient_that_is_missing_contradicts_the_stated_order() {
    for missing in [3, 24, 36] {
        // Of 48 transients in turn; those behind the missing one are of the other condition.
        let row = |row: usize| mega(row, (row + usize::from(row >= missing)).is_multiple_of(2));
        let data = arranged(&scan(47, 2.0, row), "in_turn on off");
        let is_flagged = data.flags.contains(&"edit_order_contradicted");
        // All but three stand on the other side of what labels say, which tells as well.
        assert!(is_flagged || is_contradicted(&data), "{missing}");
        if missing > 3 {
            assert!(data.remarks[0].contains(" transients NAA is as tall as in the other"), "{:?}", data.remarks);
        }
    }
    // One of the last is missing: hardly anything is mixed.
    let data =
        arranged(&scan(47, 2.0, |row| mega(row, (row + usize::from(row >= 46)).is_multiple_of(2))), "in_turn on off");
    assert!(data.flags.is_empty() && !is_contradicted(&data), "{:?}", data.remarks);
    // Blocks of which one transient is missing.
    let blocks = scan(47, 2.0, |row| mega(row, (row + usize::from(row >= 4)) / 8 % 2 == 0));
    assert!(arranged(&blocks, "blocks_8 on off").flags.contains(&"edit_order_contradicted"));
}

#[test]
fn spoilt_transients_contradict_no_order() {
    let spoilt = |row: usize| match row.is_multiple_of(2) {
        is_on if row % 12 == 5 => Row { size: 0.1, ..mega(row, is_on) },
        is_on if row % 12 == 6 => Row { lipids: 150.0, ..mega(row, is_on) },
        is_on => mega(row, is_on),
    };
    for sd in [0.5, 2.0, 8.0, 30.0] {
        assert!(arranged(&scan(48, sd, spoilt), "in_turn on off").flags.is_empty(), "{sd}");
        // A pulse for glutathione, and a phantom without NAA.
        let steady = scan(48, sd, |row| mega(row, false));
        assert!(arranged(&steady, "in_turn gsh off").flags.is_empty(), "{sd}");
        let phantom = scan(48, sd, |_| Row { naa: 0.0, ..PLAIN });
        assert!(arranged(&phantom, "in_turn on off").flags.is_empty(), "{sd}");
    }
}

/// Transients that a file keeps apart, `condition` and `k` counted by it.
fn apart(n: usize, is_on: impl Fn(usize, usize) -> bool) -> Acquisition {
    let all = scan(2 * n, 2.0, |row| mega(row, is_on(row / n, row % n)));
    let samples =
        Array5::from_shape_fn((1, 2, n, 1, POINTS), |(_, c, k, _, p)| all.samples.at([0, 0, c * n + k, 0, p]));
    let mut data = Acquisition { facts: all.facts.clone(), ..Acquisition::from_samples("test", samples) };
    data.condition_labels = vec!["ON".to_owned(), "OFF".to_owned()];
    data
}

#[test]
fn conditions_that_a_file_states_are_held_against_the_data() {
    assert!(!is_contradicted(&apart(16, |condition, _| condition == 0)));
    // From the tenth on, each stands among those of the other condition.
    assert!(is_contradicted(&apart(16, |condition, k| (condition == 0) == (k < 10))));
    assert!(is_contradicted(&apart(16, |condition, k| (condition == 0) == (k < 8))));
}

/// ABBA, as the data show and as a manifest states it.
#[test]
fn on_off_off_on_is_an_order() {
    let abba = scan(32, 2.0, |row| mega(row, matches!(row % 4, 0 | 3)));
    let mut told = abba.clone();
    told.facts.sequence = Some("MEGA-PRESS".to_owned());
    arrange(&mut told, None, &Preparation::default(), &StatedEditing::default(), "x").unwrap();
    let stated = arranged(&abba, "abba on off");
    for data in [&told, &stated] {
        let turns = data.editing.as_ref().unwrap().turns.unwrap();
        assert_eq!((turns.to_string().as_str(), data.condition_labels.join(" ")), ("abba", "on off".to_owned()));
        assert!(data.flags.is_empty() && !is_contradicted(data), "{:?}", data.remarks);
        assert_eq!(data.samples.fid([0, 0, 1, 0]), abba.samples.fid([0, 0, 3, 0]));
        assert_eq!(data.samples.fid([0, 1, 1, 0]), abba.samples.fid([0, 0, 2, 0]));
    }
    assert!(arranged(&abba, "in_turn on off").flags.contains(&"edit_order_contradicted"));
}

/// A scan that is called edited, of which an export made rows from others.
#[test]
fn rows_made_of_others_are_not_read_as_conditions() {
    let two = scan(2, 2.0, |row| mega(row, row == 0));
    let rows = |weights: &[(f64, f64)]| {
        let samples = Array5::from_shape_fn((1, 1, weights.len(), 1, POINTS), |(_, _, t, _, k)| {
            let (a, b) = weights[t];
            a * two.samples.at([0, 0, 0, 0, k]) + b * two.samples.at([0, 0, 1, 0, k])
        });
        let mut data = Acquisition { samples: samples.into(), ..two.clone() };
        data.facts.sequence = Some("MEGA-PRESS".to_owned());
        data
    };
    let (on, off, difference, sum) = ((1.0, 0.0), (0.0, 1.0), (1.0, -1.0), (0.5, 0.5));
    for order in [&[on, off, difference][..], &[difference, on, off], &[on, off, sum, difference]] {
        let mut data = rows(order);
        arrange(&mut data, None, &Preparation::default(), &StatedEditing::default(), "x").unwrap();
        assert_eq!((data.condition_labels.join(" ").as_str(), data.n_transients()), ("on off", 1));
        assert!(data.remarks.iter().any(|r| r.contains("made them of the other rows")), "{:?}", data.remarks);
    }
    // What cannot be told is not said to be one condition.
    let mut data = rows(&[off, difference]);
    let error = arrange(&mut data, None, &Preparation::default(), &StatedEditing::default(), "x").unwrap_err();
    assert!(!error.to_string().contains("holds one condition"), "{error}");
}
