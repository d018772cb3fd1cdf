//! Dimensions whose entries do not simply add up: steps of ISIS have signs, and steps of a phase cycle may.

use num_complex::Complex64;
use serde_json::{Map, Value};

use super::dimensions::{DEFAULTS, Role, extent};
use super::error::DecodeError;
use super::keys::first;
use crate::acquisition::{Acquisition, Series};
use crate::formats::nifti::Nifti;

const PHASE_CYCLE: &str = "DIM_PHASE_CYCLE";
/// More steps than any phase cycle has.
const MOST_STEPS: usize = 64;
/// The beginning of a signal holds at least so many times the power of its end.
const SIGNAL: f64 = 4.0;
/// How many times more power the steps must have with turned phases for the receiver's phase to be missing.
const CANCELS: f64 = 100.0;
const CANCELS_ALL: f64 = 1e4;

/// The sign of each step of ISIS: as the dimension's header gives it, else by the order of the sequence's authors (Ordidge et
/// al., J Magn Reson 66:283, 1986): inversions of the slices counted as binary numbers, each a minus. Empty without such a
/// dimension.
pub(super) fn signs(
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
    remarks: &mut Vec<String>,
) -> Result<Vec<f64>, DecodeError> {
    let n = extent(nifti, roles, Role::Step);
    if n <= 1 {
        return Ok(Vec::new());
    }
    let dimensions: Vec<usize> = (5..=7).filter(|i| roles[i - 5] == Role::Step && nifti.shape[i - 1] > 1).collect();
    let dimension = dimensions.first().copied().unwrap_or(5);
    let unknown = DecodeError::Signs { steps: n, dimension };
    if dimensions.len() > 1 {
        return Err(unknown);
    }
    if let Some(header) = meta.get(&format!("dim_{dimension}_header")).and_then(Value::as_object)
        && !header.is_empty()
    {
        // What the header says of the steps in another form is not guessed at.
        return header.values().find_map(|value| stated(value, n)).ok_or(unknown);
    }
    if ![2, 4, 8].contains(&n) {
        return Err(unknown);
    }
    let signs: Vec<f64> = (0..n).map(|step| if step.count_ones() % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let shown: Vec<&str> = signs.iter().map(|sign| if *sign > 0.0 { "+" } else { "-" }).collect();
    remarks.push(format!("DIM_ISIS states no signs: its {n} steps were added in the usual order, {}", shown.join(" ")));
    Ok(signs)
}

/// Signs as numbers, as texts or as inversions of each slice (`[[0, 0, 0], [1, 0, 0], …]`).
fn stated(value: &Value, n: usize) -> Option<Vec<f64>> {
    let all = value.get("Value").unwrap_or(value).as_array().filter(|all| all.len() == n)?;
    let is_on = |slice: &Value| match slice {
        Value::Bool(on) => Some(*on),
        other => other.as_f64().filter(|v| [0.0, 1.0].contains(v)).map(|v| v == 1.0),
    };
    let sign = |step: &Value| match step {
        Value::Number(number) => number.as_f64().filter(|v| v.abs() == 1.0),
        Value::String(text) => match text.trim() {
            "+" | "+1" | "1" => Some(1.0),
            "-" | "-1" | "−" => Some(-1.0),
            _ => None,
        },
        Value::Array(slices) if !slices.is_empty() => {
            let on: Vec<bool> = slices.iter().map(is_on).collect::<Option<_>>()?;
            Some(if on.iter().filter(|on| **on).count() % 2 == 0 { 1.0 } else { -1.0 })
        }
        _ => None,
    };
    let signs: Vec<f64> = all.iter().map(sign).collect::<Option<_>>()?;
    // All alike would be the plain mean, in which there is everything but the voxel.
    (signs.iter().sum::<f64>() == 0.0).then_some(signs)
}

/// An error where a sequence that selects its voxel by signed steps has entries that would be averaged in such a number.
/// Combined data have one entry, or a dimension that is called ISIS.
pub(super) fn check_isis(
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
    sequence: Option<&str>,
) -> Result<(), DecodeError> {
    let Some(sequence) = sequence.filter(|name| name.to_uppercase().contains("ISIS")) else { return Ok(()) };
    if roles.contains(&Role::Step) {
        return Ok(());
    }
    for i in (0..3).filter(|i| roles[*i] == Role::Transient) {
        let entries = nifti.shape[i + 4];
        if [2, 4].contains(&entries) || entries > 0 && entries.is_multiple_of(8) {
            let tag = first(meta.get(&format!("dim_{}", i + 5))).and_then(Value::as_str).unwrap_or(DEFAULTS[i]);
            return Err(DecodeError::Isis { sequence: sequence.to_owned(), tag: tag.to_owned(), entries });
        }
    }
    Ok(())
}

/// Where the steps of a phase cycle cancel one another and add up with turned phases, the receiver did not follow.
pub(super) fn check_phase_cycle(
    data: &Acquisition,
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
) -> Result<(), DecodeError> {
    let is_cycle = |i: usize| first(meta.get(&format!("dim_{i}"))).and_then(Value::as_str) == Some(PHASE_CYCLE);
    let Some(dimension) = (5..=7).find(|i| is_cycle(*i) && nifti.shape[i - 1] > 1) else { return Ok(()) };
    let steps = nifti.shape[dimension - 1];
    // Of a grid's voxels some hold nothing.
    if steps > MOST_STEPS || data.n_voxels() != 1 {
        return Ok(());
    }
    // Transients run over all dimensions that are averaged, the first fastest.
    let inner: usize = (5..dimension).filter(|i| roles[i - 5] == Role::Transient).map(|i| nifti.shape[i - 1]).product();
    for condition in 0..data.n_conditions() {
        if cancels(data.series(0, condition), steps, inner) {
            return Err(DecodeError::PhaseCycle { steps });
        }
    }
    Ok(())
}

/// Whether there is signal with phases that turn from step to step, and none, or next to none, without.
fn cancels(own: Series<'_>, steps: usize, inner: usize) -> bool {
    let (transients, coils, points) = own.dim();
    let quarter = points / 4;
    if quarter == 0 {
        return false;
    }
    // Power at the beginning and the end, for each turn of the phase.
    let mut powers = vec![(0.0, 0.0); steps];
    for coil in 0..coils {
        let mut sums = vec![vec![Complex64::default(); points]; steps];
        for transient in 0..transients {
            let sum = &mut sums[transient / inner.max(1) % steps];
            sum.iter_mut().zip(own.fid(transient, coil)).for_each(|(s, z)| *s += z);
        }
        for (turn, (start, end)) in powers.iter_mut().enumerate() {
            let phase = |step: usize| {
                Complex64::from_polar(1.0, -2.0 * std::f64::consts::PI * (turn * step % steps) as f64 / steps as f64)
            };
            for point in (0..quarter).chain(points - quarter..points) {
                let sum: Complex64 = sums.iter().enumerate().map(|(step, fid)| fid[point] * phase(step)).sum();
                *(if point < quarter { &mut *start } else { &mut *end }) += sum.norm_sqr();
            }
        }
    }
    let Some(((plain, tail), turned)) = powers.split_first() else { return false };
    let strongest = turned.iter().map(|(start, _)| *start).fold(0.0, f64::max);
    let is_noise = *plain < SIGNAL * tail;
    strongest > CANCELS_ALL * plain || is_noise && strongest > CANCELS * plain
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;
    use serde_json::json;

    use super::*;

    #[test]
    fn signs_as_headers_give_them() {
        for (value, expected) in [
            (json!([1, -1]), Some(vec![1.0, -1.0])),
            (json!({"Value": ["+", "-"], "Description": "x"}), Some(vec![1.0, -1.0])),
            (json!([[0, 0], [1, 1], [1, 0], [false, true]]), Some(vec![1.0, 1.0, -1.0, -1.0])),
            (json!([1, 1]), None),
            (json!([1, 2]), None),
            (json!("+-"), None),
        ] {
            let n = expected.as_ref().map_or(2, Vec::len);
            assert_eq!(stated(&value, n), expected, "{value}");
        }
    }

    #[test]
    fn cycles_without_the_receivers_phase_are_found() {
        let decay = |point: usize| (-0.1 * point as f64).exp();
        let noise = |t: usize, point: usize| 1e-3 * ((t * 7919 + point * 104_729) as f64).sin();
        let data = |steps: usize, turn: usize| {
            let fid = move |t: usize, point: usize| {
                let phase = 2.0 * std::f64::consts::PI * (turn * (t % steps)) as f64 / steps as f64;
                Complex64::from_polar(decay(point), phase) + noise(t, point)
            };
            let samples = Array5::from_shape_fn((1, 1, 2 * steps, 1, 64), |(_, _, t, _, p)| fid(t, p));
            Acquisition::from_samples("test", samples)
        };
        for steps in [2, 4, 8, 16] {
            assert!(!cancels(data(steps, 0).series(0, 0), steps, 1), "{steps}");
            assert!(cancels(data(steps, 1).series(0, 0), steps, 1), "{steps}");
        }
        // Signal from outside that the cycle is there to cancel, ten times as tall.
        let (wanted, outside) = (data(4, 0), data(4, 2));
        let both = wanted.samples.to_array() + outside.samples.to_array().mapv(|z| 10.0 * z);
        assert!(!cancels(Acquisition::from_samples("test", both).series(0, 0), 4, 1));
    }
}
