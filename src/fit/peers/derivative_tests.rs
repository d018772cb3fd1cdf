//! Every column of the Jacobian against finite differences, in every domain and with every part of the model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::f64::consts::PI;

use ndarray::Array2;
use num_complex::Complex64;

use super::evaluation::Evaluation;
use super::model::Model;
use super::settings::{Baseline, Domain, GroupBy, Samples, Settings, Turns};
use super::setup::pose;
use super::solution::Setup;
use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;
use crate::fit::Method;

pub(super) const F0_MHZ: f64 = 123.2;
pub(super) const DWELL_S: f64 = 5e-4;
pub(super) const N_POINTS: usize = 512;

pub(super) fn basis() -> BasisSet {
    let names = ["NAA", "Cr", "GPC", "Ins"];
    let ppm = [2.01, 3.03, 3.22, 3.56];
    let sample = |(row, n): (usize, usize)| {
        let t = n as f64 * DWELL_S;
        Complex64::cis(2.0 * PI * hz_from_ppm(ppm[row], F0_MHZ) * t) * (3.0 * (-PI * t).exp())
    };
    BasisSet {
        id: "singlets".to_owned(),
        metabolites: names.map(str::to_owned).to_vec(),
        fids: Array2::from_shape_fn((names.len(), N_POINTS), sample),
        dwell_s: DWELL_S,
        f0_mhz: F0_MHZ,
        te_s: Some(0.03),
        sequence: None,
        linewidth_hz: None,
        fwhmba_ppm: None,
        singlet_fwhm_hz: None,
        sha256: String::new(),
        remarks: Vec::new(),
    }
}

pub(super) fn settings(name: &str, change: impl FnOnce(&mut Settings)) -> Settings {
    let Method::Peers(mut settings) = Method::built_in(name).unwrap().unwrap() else { panic!("{name}") };
    change(&mut settings);
    *settings
}

/// Columns at parameters away from where they start, and the model's values a step either way.
fn check(settings: &Settings) {
    let model = Model::new(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03), settings).unwrap();
    let setup = Setup { fwhm_full_ppm: 0.05, fwhm_ppm: 0.05, height: 2.0, turned: [0.3, 0.02], splines_per_ppm: 0.0 };
    let data = vec![Complex64::new(1.0, 0.0); model.grid.n_observed];
    let problem = pose(&model, &model.grid, data, &setup);
    let (n_linear, rows) = (problem.n_linear(), problem.grid.n_rows());
    let c: Vec<f64> = (0..n_linear).map(|j| 0.5 + 0.1 * (j % 7) as f64).collect();
    let p: Vec<f64> = problem
        .layout
        .parameters
        .iter()
        .enumerate()
        .map(|(i, q)| (q.start + 0.7 * q.step * (1.0 + (i % 3) as f64 / 3.0)).clamp(q.lower, q.upper))
        .collect();
    let mut evaluation = Evaluation::new(&problem);
    let mut value = |p: &[f64]| {
        evaluation.linear_columns(&problem, p);
        let mut sum = vec![0.0; rows];
        for (j, v) in c.iter().enumerate() {
            sum.iter_mut().zip(&evaluation.columns[j * rows..]).for_each(|(s, a)| *s += v * a);
        }
        sum
    };
    let numeric: Vec<Vec<f64>> = (0..p.len())
        .map(|i| {
            let h = 1e-4 * problem.layout.parameters[i].step;
            let mut moved = p.clone();
            moved[i] += h;
            let up = value(&moved);
            moved[i] -= 2.0 * h;
            let down = value(&moved);
            up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * h)).collect()
        })
        .collect();
    evaluation.linear_columns(&problem, &p);
    evaluation.nonlinear_columns(&problem, &p, &c);
    for (i, numeric) in numeric.iter().enumerate().filter(|(i, _)| !problem.layout.parameters[*i].is_fixed) {
        let closed = &evaluation.columns[(n_linear + i) * rows..(n_linear + i + 1) * rows];
        let tallest = closed.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(tallest > 0.0 && closed.iter().all(|v| v.is_finite()), "{}: parameter {i} does nothing", settings.name);
        for (a, b) in closed.iter().zip(numeric) {
            // The second-order error of the difference, and rounding over a step of 1e-4.
            assert!((a - b).abs() < 1e-5 * tallest, "{}: parameter {i}: {a} {b}", settings.name);
        }
    }
}

#[test]
fn columns_are_those_of_finite_differences() {
    for name in ["lcmodel", "fsl", "abfit", "abfit-reg", "osprey", "tarquin", "varpro"] {
        check(&settings(name, |_| {}));
    }
}

#[test]
fn columns_of_samples_are_those_of_finite_differences() {
    check(&settings("fsl", |s| {
        s.domain = Domain::Time;
        s.samples = Some(Samples { first_s: 0.01, first_samples: 5, last_fraction: 0.5, without_water: false });
        s.baseline = Baseline::None {};
        s.phase.max_phi1_deg_per_ppm = 0.0;
        s.own.max_shift_ppm = 0.03;
        s.own.damping_per_s = [2.0, 10.0];
    }));
}

#[test]
fn columns_are_those_of_finite_differences_where_everything_is_free() {
    check(&settings("abfit-reg", |s| {
        s.groups.by = GroupBy::Kind;
        s.groups.damping_per_s = [3.0, 50.0];
        s.groups.gauss_per_s = [8.0, 80.0];
        s.phase.max_phi1_deg_per_ppm = 20.0;
        s.phase.turns = Turns::Model;
        s.components.lineshape_on_added = false;
    }));
}
