//! The order of edit conditions, told by the data: right, or said to be unknown, and never wrong.
//!
//! Simulated measurements at the noise of single transients in vivo, with drift, motion, residual water that varies, spoilt
//! transients. By day a part of them; `REQUANT_EDIT_ORDERS=400` for all.

#![allow(clippy::indexing_slicing, reason = "tests")]

use std::f64::consts::PI;

use crate::common::Normal;
use ndarray::Array5;
use num_complex::Complex64;
use rayon::prelude::*;
use requant::acquisition::{Acquisition, StatedEditing, Turns, hz_from_ppm};
use requant::prepare::edit_order::arrange;
use requant::prepare::{Preparation, PrepareError};

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 127.75;
const POINTS: usize = 1024;

/// Lines of one condition: chemical shift (ppm), area, width beyond the common one (Hz).
fn lines(gaba: bool, glutathione: bool) -> Vec<(f64, f64, f64)> {
    let mut lines = vec![
        (3.03, 7.5, 0.0),
        (3.92, 5.5, 0.0),
        (3.22, 2.2, 0.0),
        (3.55, 2.5, 3.0),
        (3.62, 2.5, 3.0),
        (0.92, 6.0, 25.0),
        (1.30, 4.0, 30.0),
        (2.05, 2.5, 25.0),
        (3.0, 3.0, 30.0),
        (2.35, 3.0, 6.0),
        (3.75, 3.0, 5.0),
    ];
    lines.push((2.01, if gaba { 0.8 } else { 12.0 }, 0.0));
    lines.push((3.0, if gaba { 1.2 } else { -0.3 }, 8.0));
    lines.push((2.6, if glutathione { 1.5 } else { -0.8 }, 6.0));
    lines
}

/// One measurement and how it was made.
struct Made {
    data: Acquisition,
    turns: Option<Turns>,
    without_naa: Vec<bool>,
    with_glutathione: Vec<bool>,
    snr: f64,
}

/// What disturbs a measurement.
struct Faults {
    drift_hz: f64,
    /// Residual water at t = 0.
    water: f64,
    phase: f64,
    /// Standard deviation of the noise.
    sd: f64,
}

/// Transients of the kinds `conditions` says: bit 0 has the pulse for GABA, bit 1 that for glutathione.
fn rows(
    conditions: &[usize],
    kinds: &[Vec<Complex64>; 4],
    faults: &Faults,
    random: &mut Normal,
) -> Vec<Vec<Complex64>> {
    let t = |k: usize| k as f64 * DWELL_S;
    let mut wander = 0.0;
    let of = |(row, kind): (usize, &usize)| {
        wander += 0.05 * random.next();
        let shift = faults.drift_hz * row as f64 / conditions.len() as f64 + 0.7 * random.next();
        let turn = faults.phase + wander + 0.1 * random.next();
        let size = if random.uniform() < 0.02 { 0.5 } else { 1.0 + 0.03 * random.next() };
        // The pulse for glutathione takes water away, too.
        let left = faults.water * (1.0 + 0.1 * random.next()) * if *kind >= 2 { 0.4 } else { 1.0 };
        let water_phase = 0.3 * random.next();
        let fid = (0..POINTS).map(|k| {
            let residual = Complex64::from_polar(left * (-PI * 8.0 * t(k)).exp(), water_phase + 2.0 * PI * 4.0 * t(k));
            let all = size * kinds[*kind][k] + residual;
            all * Complex64::from_polar(1.0, turn + 2.0 * PI * shift * t(k))
                + Complex64::new(faults.sd * random.next(), faults.sd * random.next())
        });
        fid.collect()
    };
    conditions.iter().enumerate().map(of).collect()
}

fn made(seed: u64, n_conditions: usize) -> Made {
    let mut random = Normal(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut uniform = |low: f64, high: f64| low + (high - low) * random.uniform();
    let is_edited = uniform(0.0, 1.0) > 0.2;
    let n = [16, 32, 40, 64, 96][uniform(0.0, 4.999) as usize];
    let block = match uniform(0.0, 1.0) {
        u if u < 0.4 => 1,
        u if u < 0.7 => n / n_conditions,
        _ => [2, 4, 8].into_iter().filter(|b| n % (b * n_conditions) == 0).nth(seed as usize % 2).unwrap_or(2),
    };
    let turns = Turns::blocks(n_conditions, block);
    let (without_naa, with_glutathione): (Vec<bool>, Vec<bool>) = match n_conditions {
        2 if uniform(0.0, 1.0) < 0.5 => (vec![true, false], vec![false; 2]),
        2 => (vec![false, true], vec![false; 2]),
        _ => [
            (vec![true, true, false, false], vec![false, true, true, false]),
            (vec![true, false, false, true], vec![false, false, true, true]),
            (vec![false, true, false, true], vec![true, false, false, true]),
            (vec![true, false, true, false], vec![true, true, false, false]),
        ][uniform(0.0, 3.999) as usize]
            .clone(),
    };
    let snr = uniform(4.0, 25.0);
    let (width, drift_hz, water) = (uniform(4.0, 9.0), uniform(-10.0, 10.0), 12.0 * uniform(0.0, 20.0));
    let (apart_ppm, phase) = (uniform(-0.1, 0.1), uniform(-PI, PI));
    let t = |k: usize| k as f64 * DWELL_S;
    let signal = |gaba: bool, glutathione: bool| -> Vec<Complex64> {
        let at = |k: usize| -> Complex64 {
            let line = |(ppm, area, more): &(f64, f64, f64)| {
                let decay = (-PI * (0.5 * width + more) * t(k) - (0.5 * PI * width * t(k)).powi(2) / 2.77).exp();
                Complex64::from_polar(area * decay, 2.0 * PI * hz_from_ppm(ppm + apart_ppm, F0_MHZ) * t(k))
            };
            lines(gaba, glutathione).iter().map(line).sum()
        };
        (0..POINTS).map(at).collect()
    };
    let kinds = [signal(false, false), signal(true, false), signal(false, true), signal(true, true)];
    // Height of NAA's line over the noise of the spectrum.
    let height: f64 =
        (0..POINTS).map(|k| 12.0 * (-PI * 0.5 * width * t(k) - (0.5 * PI * width * t(k)).powi(2) / 2.77).exp()).sum();
    let sd = height / snr / (POINTS as f64).sqrt();
    let conditions: Vec<usize> = (0..n)
        .map(|row| match turns.condition(row) {
            condition if is_edited => {
                usize::from(without_naa[condition]) + 2 * usize::from(with_glutathione[condition])
            }
            _ => 0,
        })
        .collect();
    let rows = rows(&conditions, &kinds, &Faults { drift_hz, water, phase, sd }, &mut random);
    let samples = Array5::from_shape_fn((1, 1, n, 1, POINTS), |(_, _, row, _, k)| rows[row][k]);
    let mut data = Acquisition::from_samples("simulated", samples);
    data.facts.dwell_s = Some(DWELL_S);
    data.facts.f0_mhz = Some(F0_MHZ);
    data.facts.sequence = Some(if n_conditions == 2 { "MEGA-PRESS" } else { "HERMES" }.to_owned());
    Made { data, turns: is_edited.then_some(turns), without_naa, with_glutathione, snr }
}

/// What was told, beside what is so.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Right,
    CannotTell,
    Wrong,
}

/// Whether conditions that were told hold what they are said to hold, whatever they are called.
fn outcome(made: &Made) -> Outcome {
    let mut data = made.data.clone();
    let n = data.n_transients();
    let before = data.samples.clone();
    let told = arrange(&mut data, None, &Preparation::default(), &StatedEditing::default(), "scan");
    match (told, made.turns) {
        (Err(PrepareError::EditConditions { .. }), None) => Outcome::Right,
        (Err(PrepareError::EditOrder { .. }), _) => Outcome::CannotTell,
        (Err(error), _) => panic!("{error}"),
        (Ok(()), None) => Outcome::Wrong,
        (Ok(()), Some(turns)) => {
            let pulses = &data.editing.as_ref().unwrap().pulses_ppm;
            let has = |c: usize, ppm: f64| pulses[c].contains(&ppm);
            let told_glutathione = (0..data.n_conditions()).any(|c| has(c, 4.56));
            let mut is_right = true;
            for condition in 0..data.n_conditions() {
                for k in 0..data.n_transients() {
                    let fid = data.samples.fid([0, condition, k, 0]);
                    let row = (0..n).find(|row| before.fid([0, 0, *row, 0]) == fid).unwrap();
                    let truth = turns.condition(row);
                    is_right &= has(condition, 1.9) == made.without_naa[truth];
                    is_right &= !told_glutathione || has(condition, 4.56) == made.with_glutathione[truth];
                }
            }
            if is_right { Outcome::Right } else { Outcome::Wrong }
        }
    }
}

fn check(n_conditions: usize) {
    let n: u64 = std::env::var("REQUANT_EDIT_ORDERS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let all: Vec<(u64, f64, bool, Outcome)> = (0..n)
        .into_par_iter()
        .map(|seed| {
            let made = made(1000 * n_conditions as u64 + seed, n_conditions);
            (seed, made.snr, made.turns.is_some(), outcome(&made))
        })
        .collect();
    let count = |wanted: Outcome, from: f64| all.iter().filter(|(_, snr, _, o)| *o == wanted && *snr >= from).count();
    let above = all.iter().filter(|(_, snr, ..)| *snr >= 8.0).count();
    let (wrong, unknown) = (count(Outcome::Wrong, 0.0), count(Outcome::CannotTell, 8.0));
    println!(
        "{n_conditions} conditions, {n} measurements: {} right, {} unknown ({unknown} of {above} above SNR 8), {wrong} wrong",
        count(Outcome::Right, 0.0),
        count(Outcome::CannotTell, 0.0)
    );
    for (seed, snr, is_edited, outcome) in all.iter().filter(|(.., o)| *o != Outcome::Right) {
        println!("  seed {seed}: SNR {snr:.1}, edited {is_edited}: {outcome:?}");
    }
    assert_eq!(wrong, 0);
    assert!(unknown as f64 <= 0.05 * above as f64);
}

#[test]
fn two_conditions_are_told_or_said_to_be_unknown() {
    check(2);
}

#[test]
fn four_conditions_are_told_or_said_to_be_unknown() {
    check(4);
}
