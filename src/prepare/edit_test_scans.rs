//! Scans for the tests of editing: brain-like transients with faults.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::f64::consts::PI;

use ndarray::Array5;
use num_complex::Complex64;

use crate::acquisition::{Acquisition, hz_from_ppm};
use crate::random::Random;

pub(super) const DWELL_S: f64 = 5e-4;
pub(super) const F0_MHZ: f64 = 123.2;
pub(super) const POINTS: usize = 1024;

/// One transient: height of NAA, of everything, of residual water and of lipids; shift (Hz) and phase.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) naa: f64,
    pub(super) size: f64,
    pub(super) water: f64,
    pub(super) lipids: f64,
    pub(super) shift_hz: f64,
    pub(super) phase: f64,
}

pub(super) const PLAIN: Row = Row { naa: 12.0, size: 1.0, water: 20.0, lipids: 0.0, shift_hz: 0.0, phase: 0.4 };

pub(super) fn scan(n: usize, sd: f64, row: impl Fn(usize) -> Row) -> Acquisition {
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

pub(super) fn mega(row: usize, is_on: bool) -> Row {
    Row { naa: if is_on { 1.0 } else { 12.0 }, shift_hz: 0.1 * row as f64, ..PLAIN }
}
