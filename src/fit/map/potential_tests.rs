#![allow(clippy::unwrap_used, reason = "tests")]
use super::potential::Potential;
use crate::engine::known_spectra;
use crate::fit::map::fit;
use crate::fit::map::model::Model;
use crate::fit::map::problem::Problem;
use crate::fit::map::settings::{Estimate, Macromolecules, Settings};
use crate::fit::map::workspace::Workspace;
use crate::fit::sample::settings::Uncertainty;

fn model(change: impl FnOnce(&mut Settings)) -> (Model, Vec<Vec<num_complex::Complex64>>) {
    let (basis, fids) = known_spectra(2);
    let mut settings = Settings::map().unwrap();
    change(&mut settings);
    let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
    (model, fids)
}

#[test]
fn the_potentials_gradient_is_that_of_finite_differences() {
    let (model, fids) = model(|s| s.priors.flatness_sd = 0.1);
    let problem = Problem::new(&model, &fids[0]).unwrap();
    let mut weights = problem.start_weights(&model);
    weights.rows = vec![0.3; model.rows.len()];
    let mut x = problem.start_parameters(&model);
    for (i, value) in x.iter_mut().enumerate() {
        *value += 0.05 + 0.01 * (i % 7) as f64;
    }
    let mut potential = Potential::new(&model, &problem.data, &weights, &x);
    let (mut gradient, mut ignored) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    potential.at(&x, &mut gradient);
    let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    for i in 0..x.len() {
        let step = 1e-5 * x[i].abs().max(0.1);
        let mut value = |sign: f64| {
            let mut moved = x.clone();
            moved[i] += sign * step;
            potential.at(&moved, &mut ignored)
        };
        let expected = (value(1.0) - value(-1.0)) / (2.0 * step);
        // Differences of values near 1e4: 1e-8 of the largest derivative is rounding.
        assert!(
            (gradient[i] - expected).abs() < 1e-5 * expected.abs() + 1e-7 * largest,
            "{i}: {} {expected}",
            gradient[i]
        );
    }
}

#[test]
fn where_the_posterior_is_nearly_gaussian_draws_have_the_laplace_deviation() {
    // Nothing that these spectra do not have: broad components and the kernel's weights at their bound would cut the
    // posterior of what they overlap.
    let (model, fids) = model(|s| {
        s.priors.kernel_scale = 0.0;
        s.estimate = Estimate::Mode;
        s.uncertainty = Uncertainty::Sample;
        s.sampling.draws = 1000;
        s.components.macromolecules = Macromolecules::None;
        s.components.lipids = false;
    });
    let mut workspace = Workspace::new(&model);
    let result = fit(&model, &fids[1], &mut workspace);
    // Amplitudes of metabolites ten standard deviations above their bound.
    let mut n = 0;
    for a in result.amplitudes.iter().filter(|a| a.value > 10.0 * a.sd_posterior) {
        let sampled = a.sampled.as_ref().unwrap();
        assert!(sampled.rhat < 1.05 && sampled.effective_draws > 200.0, "{} {sampled:?}", a.name);
        assert!((sampled.sd / a.sd_posterior - 1.0).abs() < 0.1, "{} {} {sampled:?}", a.name, a.sd_posterior);
        n += 1;
    }
    assert!(n >= 5, "{n}");
    // The seed is the spectrum: the same draws again.
    assert_eq!(fit(&model, &fids[1], &mut workspace).amplitudes, result.amplitudes);
}
