//! The evidence of a fit about its macromolecule pattern.

use super::component::Origin;
use super::model::Model;
use crate::fit::evidence::Evidence;
use crate::fit::linalg::symmetric;

/// At the solution `x`, whose unconstrained optimum lies at `x + free_step`, with the inverse Hessian. `None`
/// without a pattern, or where none of it was found.
pub(crate) fn evidence(model: &Model, x: &[f64], free_step: &[f64], inverse: &[f64]) -> Option<Evidence> {
    let (layout, m) = (&model.layout, model.layout.len());
    let members: Vec<(usize, usize)> = model
        .components
        .iter()
        .enumerate()
        .filter_map(|(k, c)| match c.origin {
            Origin::Pattern { group } => Some((k, group)),
            _ => None,
        })
        .collect();
    let at = |i: usize| x[i] + free_step[i];
    let scale = pattern_scale(&members, at)?;
    // Each deviation as a combination of parameters.
    let mut rows: Vec<Vec<(usize, f64)>> = Vec::with_capacity(3 * members.len());
    for &(own, _) in &members {
        let share = |&(k, w): &(usize, f64)| (layout.amplitude(k), -w / scale);
        let mut row: Vec<(usize, f64)> = mean_weights(&members).iter().map(share).collect();
        row.push((layout.amplitude(own), 1.0 / scale));
        rows.push(row);
    }
    let common = [(layout.common_shift(), -1.0), (layout.common_width(), -1.0)];
    rows.extend(members.iter().map(|&(k, _)| vec![(layout.shift(k), 1.0), common[0]]));
    rows.extend(members.iter().map(|&(k, _)| vec![(layout.width(k), 1.0), common[1]]));
    let value = |row: &Vec<(usize, f64)>| row.iter().map(|&(i, w)| w * at(i)).sum();
    let deviation = rows.iter().map(value).collect();
    // Covariance = R·H⁻¹·Rᵀ.
    let through: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| (0..m).map(|j| row.iter().map(|&(i, w)| w * symmetric(inverse, m, i, j)).sum()).collect())
        .collect();
    let covariance = through
        .iter()
        .flat_map(|t| rows.iter().map(move |row| row.iter().map(|&(i, w)| w * t[i]).sum::<f64>()))
        .collect();
    let common = [layout.common_width(), layout.skew(), layout.flatness()];
    let common = common.map(|i| (at(i), symmetric(inverse, m, i, i)));
    Some(Evidence { deviation, covariance, common })
}

/// The pattern's common scale is the mean over its groups of the mean over their peaks: the weight of each peak.
fn mean_weights(members: &[(usize, usize)]) -> Vec<(usize, f64)> {
    let mut groups: Vec<usize> = members.iter().map(|m| m.1).collect();
    groups.dedup();
    let size = |group: usize| members.iter().filter(|m| m.1 == group).count();
    members.iter().map(|&(k, group)| (k, 1.0 / (groups.len() * size(group)) as f64)).collect()
}

fn pattern_scale(members: &[(usize, usize)], at: impl Fn(usize) -> f64) -> Option<f64> {
    let scale: f64 = mean_weights(members).iter().map(|&(k, w)| w * at(k)).sum();
    let largest = members.iter().map(|&(k, _)| at(k).abs()).fold(0.0, f64::max);
    // Below a tenth of its own largest peak the scale is no scale.
    (scale > 0.1 * largest && scale.is_finite()).then_some(scale)
}
