//! Amplitudes and their sums, with their errors.

use std::f64::consts::PI;

use super::super::problem::Problem;
use super::inverse::Inverse;
use crate::basis::names::{Kind, sums};
use crate::fit::result::Amplitude;

/// What amplitudes are made from.
pub(super) struct Amplitudes<'a, 'm> {
    pub(super) problem: &'a Problem<'m>,
    pub(super) p: &'a [f64],
    pub(super) c: &'a [f64],
    /// Amplitudes with their bounds released.
    pub(super) released: &'a [f64],
    /// Inverse of the normal equations with the bounds of amplitudes released, …
    pub(super) free: &'a Inverse,
    /// … with amplitudes at zero left out, …
    pub(super) bound: &'a Inverse,
    /// … and without rows between amplitudes, bounds released.
    pub(super) noise: &'a Inverse,
}

impl Amplitudes<'_, '_> {
    /// Components first, then sums. `variance`: of the fit, `noise_variance`: measured, both of a row; `unit`: from internal
    /// units to those of the results.
    pub(super) fn all(&self, variance: f64, noise_variance: f64, unit: f64) -> Vec<Amplitude> {
        let n = self.problem.members.len();
        let shared = self.problem.layout.groups.clone();
        let sd = |inverse: &Inverse, members: &[usize], variance: f64| {
            let sum: f64 =
                members.iter().flat_map(|&i| members.iter().map(move |&j| (i, j))).map(|(i, j)| inverse.at(i, j)).sum();
            (sum.max(0.0) * variance).sqrt() * unit
        };
        let entry = |name: &str, kind: Kind, members: &[usize]| {
            let at_bound = members.iter().all(|&k| self.c[k] <= 0.0);
            let posterior = if at_bound { self.free } else { self.bound };
            Amplitude {
                name: name.to_owned(),
                kind,
                is_sum: false,
                members: Vec::new(),
                value: members.iter().map(|&k| self.c[k]).sum::<f64>() * unit,
                free: members.iter().map(|&k| self.released[k]).sum::<f64>() * unit,
                sd_noise: sd(self.noise, members, noise_variance),
                sd_posterior: sd(posterior, members, variance),
                at_bound,
                shift_hz: None,
                lorentz_hz: None,
                sampled: None,
                sd_lcmodel: Some(sd(self.bound, members, variance)),
                prior_pull_sd: None,
                width_prior_pull_sd: None,
            }
        };
        let mut all: Vec<Amplitude> = (0..n)
            .map(|k| {
                let component = self.problem.component(k);
                let (damping, shift) = self.problem.rates(k, self.p);
                let common = shared.get(component.group).and_then(|g| g.shift).map_or(0.0, |i| self.p[i]);
                Amplitude {
                    shift_hz: Some((shift - common) / (2.0 * PI)),
                    lorentz_hz: Some(damping / PI),
                    ..entry(&component.name, component.kind, &[k])
                }
            })
            .collect();
        let names: Vec<String> = all.iter().map(|a| a.name.clone()).collect();
        for sum in sums(&names) {
            let kind = sum.members.first().map_or(Kind::Metabolite, |&k| all[k].kind);
            let total = entry(sum.name, kind, &sum.members);
            all.push(Amplitude { is_sum: true, members: sum.members, ..total });
        }
        all
    }
}
