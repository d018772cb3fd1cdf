//! Steps that are added with signs: SPECIAL, whose voxel is the difference of a step without and one with inversion.

use super::circles::{self, Placed};
use super::readouts::{Readout, Readouts, index, varies};
use super::sort::{Scan, Sorted, Transient};
use crate::acquisition::Facts;
use crate::formats::loops::{IN_TURN, Steps};
use crate::signal::magnitudes::{METABOLITES_PPM, Magnitudes};

/// How many times stronger the steps that the table adds with − must be than those with + for the table to be wrong.
const CONTRADICTS: f64 = 1.02;

/// The measurements that steps give, one a voxel. An amplitude is that of one transient.
pub(super) fn combined(
    scan: &Scan<'_>,
    rule: &Steps,
    sorted: Sorted,
    facts: &Facts,
    remarks: &mut Vec<String>,
) -> Vec<Sorted> {
    let n = rule.voxels.first().map_or(0, Vec::len);
    let of_condition = |c: &Vec<Transient>| circles(scan, rule, n, plain(c), remarks);
    let circles: Vec<Vec<Vec<Readout>>> = sorted.conditions.iter().map(of_condition).collect();
    let water = sorted.water.map(|(water, words)| (circles_of_water(scan, &water, n), words));
    if water.as_ref().is_some_and(|(water, _)| water.is_empty()) {
        remarks.push(format!(
            "the water reference has fewer readouts than {n} steps: it holds more than the voxel, and was left out"
        ));
    }
    let voxels = rule.voxels.iter().map(|signs| {
        let turn = if is_contradicted(signs, &circles, scan.readouts, facts) { -1.0 } else { 1.0 };
        let with_signs = |circles: &[Vec<Readout>]| -> Vec<Transient> {
            let weigh = |(r, sign): (&Readout, &f64)| (*r, turn * sign / n as f64);
            circles.iter().map(|circle| circle.iter().zip(signs).map(weigh).collect()).collect()
        };
        let text: Vec<&str> = signs.iter().map(|sign| if turn * sign > 0.0 { "+" } else { "−" }).collect();
        remarks.push(format!("steps were added with the signs {}", text.join(" ")));
        let steps_of_water = water.clone().filter(|(water, _)| !water.is_empty());
        Sorted {
            conditions: circles.iter().map(|c| with_signs(c)).collect(),
            labels: sorted.labels.clone(),
            editing: sorted.editing.clone(),
            water: None,
            signed_water: steps_of_water.map(|(water, words)| (with_signs(&water), words)),
        }
    });
    voxels.collect()
}

/// The readout of each transient.
fn plain(transients: &[Transient]) -> Vec<Readout> {
    transients.iter().flatten().map(|(r, _)| *r).collect()
}

/// Readouts of a circle of `n` steps each; says which are missing or left out.
fn circles(
    scan: &Scan<'_>,
    rule: &Steps,
    n: usize,
    readouts: Vec<Readout>,
    remarks: &mut Vec<String>,
) -> Vec<Vec<Readout>> {
    let along = rule.along.iter().find(|name| *name == IN_TURN || varies(&readouts, name));
    let Some(counter) = along.and_then(|name| index(name)) else {
        let placed = scan.placed(&readouts, n, remarks);
        return circles::whole(&placed.readouts, n, "steps", remarks);
    };
    let of_step = |step: usize| readouts.iter().filter(move |r| usize::from(r.counters[counter]) == step).copied();
    let steps: Vec<Vec<Readout>> = (0..n).map(|step| of_step(step).collect()).collect();
    let of_each = steps.iter().map(Vec::len).min().unwrap_or(0);
    let left = readouts.len() - n * of_each;
    if left > 0 {
        remarks.push(format!("{left} readouts of steps that others lack were left out"));
    }
    (0..of_each).map(|k| steps.iter().map(|step| step[k]).collect()).collect()
}

/// The same of the water reference, whose number the header does not say.
fn circles_of_water(scan: &Scan<'_>, water: &[Readout], n: usize) -> Vec<Vec<Readout>> {
    let placed = Placed::new(water, &scan.row.transients, n, &[]);
    circles::whole(&placed.readouts, n, "steps", &mut Vec::new())
}

/// Whether the data say that signs are the other way round. What is outside the voxel adds to it in steps without inversion
/// and takes from it in those with: the former, which are to have +, are the stronger ones.
fn is_contradicted(signs: &[f64], circles: &[Vec<Vec<Readout>>], readouts: &Readouts, facts: &Facts) -> bool {
    let (Some(dwell_s), Some(f0_mhz)) = (facts.dwell_s, facts.f0_mhz) else { return false };
    let strength = |wanted: f64| -> f64 {
        let all = circles.iter().flatten().flat_map(|circle| circle.iter().zip(signs));
        let steps: Transient = all.filter(|(_, sign)| **sign == wanted).map(|(r, _)| (*r, 1.0)).collect();
        let tallest = |coil| {
            Magnitudes::new(&readouts.sum(&steps, coil, 0..readouts.points), dwell_s, f0_mhz).tallest(METABOLITES_PPM)
        };
        (0..readouts.coils).map(|coil| tallest(coil).powi(2)).sum::<f64>().sqrt()
    };
    strength(-1.0) > CONTRADICTS * strength(1.0)
}
