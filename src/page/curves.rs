//! Curves in few bytes: whole numbers, differences of what is smooth, then deflate.

use serde::Serialize;

use super::metabolites::Metabolites;
use crate::basis::names::{Kind, kind};
use crate::store::CurveRow;

/// Most points of a curve: more than a screen has for it.
const MOST_POINTS: usize = 640;
/// Steps between zero and the largest value of a picture: finer than a pixel, also when one zooms.
const STEPS: f64 = 8000.0;
/// A component is drawn in coarser steps.
const COARSER: f64 = 4.0;
/// A component that is nowhere higher than this (in its steps) is at zero.
const ZERO: i16 = 2;
/// Points of a small picture.
pub(super) const THUMB_POINTS: usize = 64;
/// Name of the sum of what is no metabolite.
const SHARED: &str = "macromolecules and lipids";

/// What tells the numbers of one spectrum apart.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Layout {
    /// Points, and chemical shift of the first and the last (ppm).
    n: usize,
    ppm: [f64; 2],
    /// Signal of one step.
    unit: f64,
    /// Components in their order.
    names: Vec<String>,
    /// Components at zero.
    zero: Vec<String>,
}

/// The numbers of one spectrum, and its small picture.
pub(super) struct Packed {
    pub(super) layout: Layout,
    pub(super) bytes: Vec<u8>,
    pub(super) thumb: Vec<u8>,
}

/// Packs the curves of a row; `None` where they are not of one length, or not finite.
pub(super) fn pack(row: &CurveRow, found: &Metabolites) -> Option<Packed> {
    let (ppm, data, fit) = (row.ppm.as_ref()?, row.data.as_ref()?, row.fit.as_ref()?);
    let flat = vec![0.0; ppm.len()];
    let baseline = row.baseline.as_ref().unwrap_or(&flat);
    let is_sound = |curve: &[f32]| curve.len() == ppm.len() && curve.iter().all(|v| v.is_finite());
    if ppm.len() < 2 || ![ppm, data, fit, baseline].into_iter().all(|curve| is_sound(curve)) {
        return None;
    }
    let stride = ppm.len().div_ceil(MOST_POINTS);
    let thin = |curve: &[f32]| -> Vec<f64> { curve.iter().step_by(stride).map(|v| f64::from(*v)).collect() };
    let [ppm, data, fit, baseline] = [ppm, data, fit, baseline].map(|curve| thin(curve));
    let largest = data.iter().chain(&fit).chain(&baseline).fold(0.0_f64, |most, v| most.max(v.abs()));
    let unit = if largest > 0.0 { largest / STEPS } else { 1.0 };
    let fit_steps = steps(&fit, unit);
    let residual: Vec<i16> = steps(&data, unit).iter().zip(&fit_steps).map(|(d, f)| d.saturating_sub(*f)).collect();
    let mut curves = vec![curved(&fit_steps), residual, curved(&steps(&baseline, unit))];
    let (mut names, mut zero) = (Vec::new(), Vec::new());
    for (name, curve) in components(row, found, ppm.len(), &thin) {
        let steps = steps(&curve, COARSER * unit);
        if steps.iter().all(|v| v.unsigned_abs() < ZERO.unsigned_abs()) {
            zero.push(name);
        } else {
            names.push(name);
            curves.push(curved(&steps));
        }
    }
    let ends = [ppm[0], ppm[ppm.len() - 1]].map(|v| (v * 1e5).round() / 1e5);
    let layout = Layout { n: ppm.len(), ppm: ends, unit: super::numbers::rounded(unit)?, names, zero };
    Some(Packed { layout, bytes: planes(&curves), thumb: thumb(&data, &fit) })
}

/// Metabolites, then what is none as one curve.
fn components(
    row: &CurveRow,
    found: &Metabolites,
    n: usize,
    thin: &dyn Fn(&[f32]) -> Vec<f64>,
) -> Vec<(String, Vec<f64>)> {
    let mut shared = vec![0.0; n];
    let mut has_shared = false;
    let mut all = Vec::new();
    for (name, curve) in row.component_names.iter().zip(&row.components) {
        let curve = thin(curve);
        if curve.len() != n {
            continue;
        }
        let is_metabolite =
            found.number(name).map_or_else(|| kind(name) == Kind::Metabolite, |at| found.is_metabolite(at));
        if is_metabolite {
            all.push((name.clone(), curve));
        } else {
            has_shared = true;
            shared.iter_mut().zip(curve).for_each(|(sum, v)| *sum += v);
        }
    }
    if has_shared {
        all.push((SHARED.to_owned(), shared));
    }
    all
}

fn steps(curve: &[f64], unit: f64) -> Vec<i16> {
    // Saturates, and what is no number is zero.
    curve.iter().map(|v| (v / unit).round() as i16).collect()
}

/// Differences of differences, which are small for smooth curves.
fn curved(steps: &[i16]) -> Vec<i16> {
    let (mut last, mut slope) = (0_i16, 0_i16);
    steps
        .iter()
        .map(|v| {
            let new = v.wrapping_sub(last);
            let bend = new.wrapping_sub(slope);
            (last, slope) = (*v, new);
            bend
        })
        .collect()
}

/// All low bytes, then all high ones: zigzag makes the high ones zero.
fn planes(curves: &[Vec<i16>]) -> Vec<u8> {
    let zigzag = |v: &i16| ((*v << 1) ^ (*v >> 15)).to_le_bytes();
    let pairs: Vec<[u8; 2]> = curves.iter().flatten().map(zigzag).collect();
    pairs.iter().map(|pair| pair[0]).chain(pairs.iter().map(|pair| pair[1])).collect()
}

/// Data, then fit, where the fit is highest in each of some parts, in 255 steps.
fn thumb(data: &[f64], fit: &[f64]) -> Vec<u8> {
    let (low, high) = data.iter().chain(fit).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    let range = (high - low).max(f64::MIN_POSITIVE);
    let places: Vec<usize> = (0..THUMB_POINTS)
        .map(|part| {
            let from = part * fit.len() / THUMB_POINTS;
            let to = ((part + 1) * fit.len() / THUMB_POINTS).clamp(from + 1, fit.len());
            (from..to).max_by(|a, b| fit[*a].total_cmp(&fit[*b])).unwrap_or(from)
        })
        .collect();
    let small = |curve: &[f64]| -> Vec<u8> {
        places.iter().map(|at| (255.0 * (curve[*at] - low) / range).round() as u8).collect()
    };
    [small(data), small(fit)].concat()
}
