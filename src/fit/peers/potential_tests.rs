#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::super::derivative_tests::{DWELL_S, F0_MHZ, N_POINTS, basis, settings};
use super::super::model::Model;
use super::super::objective::Objective;
use super::super::problem::SoftRow;
use super::super::settings::{GroupBy, Settings, Turns};
use super::super::setup::pose;
use super::super::solution::Setup;
use super::*;

/// Energy against the objective that the fit minimises, gradient against finite differences of the energy.
fn check(settings: &Settings) {
    let model = Model::new(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03), settings).unwrap();
    let setup = Setup { fwhm_full_ppm: 0.05, fwhm_ppm: 0.05, height: 2.0, turned: [0.3, 0.02], splines_per_ppm: 0.0 };
    let data = (0..model.grid.n_observed).map(|j| Complex64::cis(0.1 * j as f64) * 3.0).collect();
    let problem = pose(&model, &model.grid, data, &setup);
    let soft = vec![SoftRow { terms: vec![(0, 1.0), (1, -0.5)], target: 0.3, weight: 2.0, in_sigma: true, row: None }];
    let weights = Weights { sigma: 0.7, alpha_baseline: 0.02, alpha_shape: 10.0, lambda: 0.5, soft };
    let p: Vec<f64> = (problem.layout.parameters.iter().enumerate())
        .map(|(i, q)| (q.start + 0.7 * q.step * (1.0 + (i % 3) as f64 / 3.0)).clamp(q.lower, q.upper))
        .collect();
    let linear = Objective::new(&problem).linear(&problem, &p, &weights, &[]).unwrap();
    let mut potential = Potential::new(&problem, &weights, 0.25);
    let mut x: Vec<f64> = linear.c.iter().chain(&p).copied().collect();
    let (mut gradient, mut ignored) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let energy = potential.at(&x, &mut ignored);
    let name = &settings.name;
    assert!((energy / (2.0 * linear.objective) - 1.0).abs() < 1e-10, "{name}: {energy} {}", linear.objective);

    for (i, v) in x[..problem.n_linear()].iter_mut().enumerate() {
        *v += 0.3 + 0.1 * (i % 4) as f64;
    }
    potential.at(&x, &mut gradient);
    let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    for i in 0..x.len() {
        let parameter = i.checked_sub(problem.n_linear()).map(|i| &problem.layout.parameters[i]);
        if parameter.is_some_and(|q| q.is_fixed) {
            assert_eq!(gradient[i], 0.0);
            continue;
        }
        let step = 1e-4 * parameter.map_or(1.0, |q| q.step);
        let mut value = |sign: f64| {
            let mut moved = x.clone();
            moved[i] += sign * step;
            potential.at(&moved, &mut ignored)
        };
        let expected = (value(1.0) - value(-1.0)) / (2.0 * step);
        // The second-order error of the difference, and rounding of energies near 1e6 over a step of 1e-4.
        assert!(
            (gradient[i] - expected).abs() < 1e-5 * expected.abs() + 1e-7 * largest,
            "{name}: {i}: {} {expected}",
            gradient[i]
        );
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    for name in ["lcmodel", "fsl", "abfit", "abfit-reg", "osprey", "tarquin", "varpro"] {
        check(&settings(name, |_| {}));
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences_where_everything_is_free() {
    check(&settings("abfit-reg", |s| {
        s.groups.by = GroupBy::Kind;
        s.groups.damping_per_s = [3.0, 50.0];
        s.groups.gauss_per_s = [8.0, 80.0];
        s.phase.max_phi1_deg_per_ppm = 20.0;
        s.phase.turns = Turns::Model;
        s.components.lineshape_on_added = false;
    }));
}
