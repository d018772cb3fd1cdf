//! What priors did to a solution: how far rows between amplitudes pulled each, and which priors are strained.

use super::super::bounded::Singular;
use super::super::objective::{Linear, Objective, Weights};
use super::super::problem::Problem;
use crate::fit::prior::STRAINED_SD;
use crate::fit::result::Amplitude;

/// Says of each amplitude how far rows between amplitudes pulled it: what one Gauss–Newton step from the solution comes to
/// with them, less the same without, in `sd_posterior`s. Everything else stays: penalties, σ and the bounds.
pub(super) fn tell(
    problem: &Problem<'_>,
    objective: &mut Objective,
    (p, weights): (&[f64], &Weights),
    linear: &Linear,
    unit: f64,
    amplitudes: &mut [Amplitude],
) -> Result<(), Singular> {
    let n = problem.members.len();
    let mut after = |weights: &Weights| -> Result<Vec<f64>, Singular> {
        objective.step(problem, p, linear, weights, 0.0)?;
        Ok(objective.x[..n].to_vec())
    };
    let pulled: Vec<f64> = if weights.soft.is_empty() {
        vec![0.0; n]
    } else {
        let with = after(weights)?;
        let without = after(&Weights { soft: Vec::new(), ..weights.clone() })?;
        with.iter().zip(&without).map(|(with, without)| with - without).collect()
    };
    for (k, amplitude) in amplitudes.iter_mut().enumerate() {
        let own = [k];
        let members: &[usize] = if amplitude.is_sum { &amplitude.members } else { &own };
        let pulled: f64 = members.iter().map(|&k| pulled[k]).sum();
        let pull = if pulled == 0.0 { 0.0 } else { pulled * unit / amplitude.sd_posterior };
        amplitude.prior_pull_sd = Some(pull).filter(|pull| pull.is_finite());
    }
    Ok(())
}

/// Priors that are off by more than [`STRAINED_SD`] of their own standard deviations, in words. Rows that follow a solution
/// (TARQUIN, Osprey) have none.
pub(super) fn strained(problem: &Problem<'_>, (p, weights): (&[f64], &Weights), linear: &Linear) -> Vec<String> {
    let layout = &problem.layout;
    let rows = weights.soft.iter().filter_map(|row| {
        let value: f64 = row.terms.iter().map(|&(k, w)| w * linear.c[k]).sum();
        let is_off = (row.weight * (value - row.target)).abs() > STRAINED_SD;
        row.row.filter(|_| is_off).and_then(|i| problem.model.rows.get(i)).map(|row| row.label.clone())
    });
    let is_off = |i: usize| layout.parameters[i].deviation(p[i]).abs() > STRAINED_SD;
    let own = layout.own.iter().enumerate().flat_map(|(k, places)| {
        let name = &problem.component(k).name;
        let named = |what: &'static str, place: Option<usize>| {
            place.filter(|&i| is_off(i)).map(|_| format!("own {what} of {name}"))
        };
        [named("shift", places.shift), named("width", places.damping)].into_iter().flatten()
    });
    let phi1 = Some(layout.phi1()).filter(|&i| is_off(i)).map(|_| "phi1".to_owned());
    rows.chain(phi1).chain(own).collect()
}
