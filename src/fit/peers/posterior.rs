//! Draws from the posterior of one spectrum around a solution ([`crate::fit::sample`]).

use num_complex::Complex64;

use super::objective::{Objective, Weights};
use super::parameter::Parameter;
use super::potential::Potential;
use super::problem::Problem;
use super::remote::Remote;
use super::solver::Point;
use crate::fit::sample::{Draws, Laplace};

/// Draws around `point` of a fit of `fid`, which is their seed; `None` where the normal equations have no Cholesky
/// factor. σ, penalties and soft rows are held, and all is counted in the fit's own variance, as the method's errors are.
/// A `remote` device evaluates in f32: its chains part from the native ones, and agree with them in distribution.
pub(super) fn draws(
    problem: &Problem<'_>,
    objective: &mut Objective,
    weights: &Weights,
    point: &Point,
    fid: &[Complex64],
    remote: Option<Box<dyn Remote>>,
) -> Option<Draws> {
    let p = &point.p;
    let linear = objective.linear(problem, p, weights, &point.linear.c).ok()?;
    let variance = linear.sd * linear.sd;
    let (members, n_linear) = (problem.members.len(), problem.n_linear());
    let n = n_linear + problem.layout.len();
    objective.system(problem, p, &linear, weights);
    let mut precision: Vec<f64> = objective.h[..n * n].iter().map(|h| h / variance).collect();
    for (i, parameter) in problem.layout.parameters.iter().enumerate() {
        let diagonal = (n_linear + i) * (n + 1);
        if parameter.is_fixed {
            for j in 0..n {
                precision[(n_linear + i) * n + j] = 0.0;
                precision[j * n + n_linear + i] = 0.0;
            }
            precision[diagonal] = 1.0;
        } else {
            precision[diagonal] += known_without_data(parameter);
        }
    }
    let amplitudes = (0..members).map(|_| [0.0, f64::INFINITY]);
    let baseline = (members..n_linear).map(|_| [f64::NEG_INFINITY, f64::INFINITY]);
    let nonlinear = problem.layout.parameters.iter().map(|q| [q.lower, q.upper]);
    let x: Vec<f64> = linear.c.iter().chain(p).copied().collect();
    let laplace = Laplace { precision, centre: &x, bounds: amplitudes.chain(baseline).chain(nonlinear).collect() };
    let mut potential = Potential::new(problem, weights, variance).on(remote);
    let fixed: Vec<usize> =
        problem.layout.parameters.iter().enumerate().filter(|(_, q)| q.is_fixed).map(|(i, _)| n_linear + i).collect();
    let mut held = x.clone();
    // Fixed parameters are idle unit Gaussians.
    let energy = |at: &[f64], gradient: &mut [f64]| {
        held.copy_from_slice(at);
        fixed.iter().for_each(|&i| held[i] = x[i]);
        let mut value = potential.at(&held, gradient);
        for &i in &fixed {
            gradient[i] = at[i] - x[i];
            value += 0.5 * gradient[i].powi(2);
        }
        value
    };
    Draws::new(energy, laplace, &problem.model.settings.sampling, fid, members)
}

/// Inverse variance that a parameter has from its bounds alone, or from how far a fit steps: only what makes the chains'
/// coordinates regular where the data say nothing, as of the shift of a component at zero.
fn known_without_data(parameter: &Parameter) -> f64 {
    /// Standard deviations of a parameter without bounds, in its steps.
    const STEPS: f64 = 20.0;
    let range = parameter.upper - parameter.lower;
    if range.is_finite() && range > 0.0 { 12.0 / (range * range) } else { (STEPS * parameter.step).powi(-2) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::super::settings::{Macromolecules, Settings};
    use super::super::{Model, fit};
    use crate::engine::known_spectra;
    use crate::fit::Method;
    use crate::fit::sample::settings::Uncertainty;

    fn settings(name: &str) -> Settings {
        let Method::Peers(mut settings) = Method::built_in(name).unwrap().unwrap() else { panic!("{name}") };
        settings.uncertainty = Uncertainty::Sample;
        settings.sampling.draws = 500;
        // Nothing that these spectra do not have: broad components at their bound would cut the posterior of what they
        // overlap.
        settings.components.macromolecules = Macromolecules::None;
        settings.components.lipids = false;
        *settings
    }

    #[test]
    fn where_the_posterior_is_nearly_gaussian_draws_have_the_laplace_deviation() {
        let (basis, fids) = known_spectra(2);
        for name in ["lcmodel-fast", "lcmodel", "fsl", "abfit-reg"] {
            let settings = settings(name);
            let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
            let result = fit(&model, &fids[1]);
            let mut n = 0;
            for a in result.amplitudes.iter().filter(|a| a.value > 10.0 * a.sd_posterior) {
                let sampled = a.sampled.as_ref().unwrap();
                assert!(sampled.rhat < 1.05 && sampled.effective_draws > 200.0, "{name} {} {sampled:?}", a.name);
                let ratio = sampled.sd / a.sd_posterior;
                assert!((ratio - 1.0).abs() < 0.1, "{name} {} {ratio}", a.name);
                n += 1;
            }
            assert!(n >= 8, "{name}: {n}");
            // The seed is the spectrum: the same draws again.
            assert_eq!(fit(&model, &fids[1]).amplitudes, result.amplitudes);
        }
    }
}
