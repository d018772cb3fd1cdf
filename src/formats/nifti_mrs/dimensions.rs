//! What a NIfTI-MRS file's dimensions above the fourth mean, and the samples in our order.

use std::ops::Range;

use num_complex::Complex64;
use serde_json::{Map, Value, json};

use super::editing::is_edit;
use super::error::DecodeError;
use super::keys::{COMPLEX64, ISIS, first};
use crate::acquisition::Samples;
use crate::formats::bytes::{Bytes, Order};
use crate::formats::nifti::Nifti;

/// What becomes of a dimension above the fourth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Coil,
    /// Averaged: repetitions, phase cycles, repeated measurements.
    Transient,
    /// Added with signs into one transient: ISIS.
    Step,
    /// Analysed apart: edit conditions, indirect and user-defined dimensions.
    Condition,
}

/// What dimensions without a tag are by the standard.
pub(super) const DEFAULTS: [&str; 3] = ["DIM_COIL", "DIM_DYN", "DIM_INDIRECT_0"];

pub(super) fn roles(nifti: &Nifti, meta: &Map<String, Value>) -> Result<[Role; 3], DecodeError> {
    let mut roles = [Role::Transient; 3];
    for (i, role) in roles.iter_mut().enumerate() {
        let key = format!("dim_{}", i + 5);
        let tag = first(meta.get(&key)).and_then(Value::as_str).unwrap_or(DEFAULTS[i]);
        *role = match tag {
            "DIM_COIL" => Role::Coil,
            "DIM_DYN" | "DIM_MEAS" | "DIM_PHASE_CYCLE" => Role::Transient,
            ISIS => Role::Step,
            _ if tag == "DIM_EDIT" || tag == "DIM_METCYCLE" => Role::Condition,
            _ if tag.starts_with("DIM_INDIRECT") || tag.starts_with("DIM_USER") => Role::Condition,
            _ if nifti.shape[i + 4] == 1 => Role::Transient,
            _ => return Err(DecodeError::Tag { key }),
        };
    }
    Ok(roles)
}

/// Extent of all dimensions of one role together.
pub(super) fn extent(nifti: &Nifti, roles: &[Role; 3], role: Role) -> usize {
    (0..3).filter(|&i| roles[i] == role).map(|i| nifti.shape[i + 4]).product()
}

/// Extents in our order: voxels, conditions, transients, coils and points.
pub(super) fn extents(nifti: &Nifti, roles: &[Role; 3]) -> [usize; 5] {
    let size = |role| extent(nifti, roles, role);
    let voxels = nifti.shape[..3].iter().product();
    [voxels, size(Role::Condition), size(Role::Transient), size(Role::Coil), nifti.shape[3]]
}

/// The samples of `voxels` voxels, whose stored data are `data`; steps are added with `signs` to their mean.
pub(super) fn samples(nifti: &Nifti, roles: &[Role; 3], signs: Vec<f64>, data: Vec<u8>, voxels: usize) -> Samples {
    let [_, conditions, transients, coils, points] = extents(nifti, roles);
    let order = if nifti.big_endian { Order::Big } else { Order::Little };
    let (roles, shape, is_single) = (*roles, nifti.shape, nifti.datatype == COMPLEX64);
    let points_of_step = move |at: [usize; 4], step: usize, wanted: Range<usize>| -> Vec<Complex64> {
        let [voxel, condition, transient, coil] = at;
        let bytes = Bytes::new(&data, order);
        let mut left =
            [(Role::Condition, condition), (Role::Transient, transient), (Role::Coil, coil), (Role::Step, step)];
        let mut first = voxel;
        let mut stride = voxels * points;
        for (i, role) in roles.iter().enumerate() {
            let n = shape[i + 4];
            if let Some((_, rest)) = left.iter_mut().find(|(r, _)| r == role) {
                first += (*rest % n) * stride;
                *rest /= n;
            }
            stride *= n;
        }
        if is_single && voxels == 1 {
            return bytes.complex32s(8 * (first + wanted.start), wanted.len());
        }
        let sample = |point: usize| match first + voxels * point {
            index if is_single => bytes.complex32(8 * index),
            index => bytes.complex64(16 * index),
        };
        wanted.map(|point| sample(point).unwrap_or_default()).collect()
    };
    let shape = [voxels, conditions, transients, coils, points];
    let slope = nifti.slope().unwrap_or(1.0);
    let points_of_step = move |at: [usize; 4], step: usize, wanted: Range<usize>| -> Vec<Complex64> {
        let mut stored = points_of_step(at, step, wanted);
        if slope != 1.0 {
            stored.iter_mut().for_each(|z| *z *= slope);
        }
        stored
    };
    Samples::stored_in_parts(shape, move |at, wanted| match signs.len() {
        0 | 1 => points_of_step(at, 0, wanted),
        n => {
            let mut mean = vec![Complex64::default(); wanted.len()];
            for (step, sign) in signs.iter().enumerate() {
                let of_step = points_of_step(at, step, wanted.clone());
                mean.iter_mut().zip(of_step).for_each(|(m, z)| *m += z * (sign / n as f64));
            }
            mean
        }
    })
}

/// A label for each condition: of edit conditions the names in `edit`, if they are stated, else the values that
/// `dim_N_header` gives, else the index. Dimensions whose entries are `told` apart otherwise have no part in it.
pub(super) fn labels(
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
    edit: Option<&[String]>,
    told: [bool; 3],
) -> Vec<String> {
    let n = extent(nifti, roles, Role::Condition);
    if n == 1 {
        return vec![String::new()];
    }
    (0..n)
        .map(|condition| {
            let mut rest = condition;
            let mut parts = Vec::new();
            for i in (0..3).filter(|&i| roles[i] == Role::Condition && nifti.shape[i + 4] > 1) {
                let index = rest % nifti.shape[i + 4];
                rest /= nifti.shape[i + 4];
                if told[i] {
                    continue;
                }
                let named = edit.filter(|_| is_edit(meta, i + 5)).and_then(|names| names.get(index).cloned());
                parts.push(named.unwrap_or_else(|| label(meta.get(&format!("dim_{}_header", i + 5)), index)));
            }
            parts.join(",")
        })
        .collect()
}

/// Number of edit conditions: extent of the dimension that says so, 1 without one.
pub(super) fn n_edit(nifti: &Nifti, meta: &Map<String, Value>) -> usize {
    (5..=7).filter(|i| is_edit(meta, *i)).map(|i| nifti.shape[i - 1]).product()
}

fn label(header: Option<&Value>, index: usize) -> String {
    let Some((name, value)) = header.and_then(Value::as_object).and_then(|h| h.iter().next()) else {
        return index.to_string();
    };
    match value_at(value, index) {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => format!("{name}={number}"),
        // Vectors (gradient directions) would make unreadable ids.
        _ => format!("{name}={index}"),
    }
}

/// What the value of a key in a dimension's header says of one entry: of a list, or of a start with an increment.
pub(super) fn value_at(value: &Value, index: usize) -> Option<Value> {
    let value = value.get("Value").unwrap_or(value);
    match (value.get(index), value.get("start"), value.get("increment")) {
        (Some(v), _, _) => Some(v.clone()),
        (None, Some(s), Some(d)) => Some(json!(s.as_f64().unwrap_or(0.0) + index as f64 * d.as_f64().unwrap_or(0.0))),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;

    use super::*;
    use crate::acquisition::Acquisition;
    use crate::formats::nifti::layout::NIFTI2;
    use crate::formats::nifti_mrs::{DecodeError, NAME, decode, encode};

    #[test]
    fn samples_are_scaled_as_the_header_says() {
        let samples =
            Array5::from_shape_fn((1, 1, 3, 2, 5), |(_, _, t, c, p)| Complex64::new((10 * t + p) as f64, -(c as f64)));
        let file = encode(&Acquisition::from_samples(NAME, samples.clone()));
        let scaled = |slope: f64, intercept: f64| {
            let mut file = file.clone();
            file[NIFTI2.scl_slope..][..8].copy_from_slice(&slope.to_le_bytes());
            file[NIFTI2.scl_slope + 8..][..8].copy_from_slice(&intercept.to_le_bytes());
            decode(&file, None)
        };
        let remark = |data: &Acquisition| data.remarks.iter().find(|r| r.contains("scl_slope")).cloned();
        for (slope, intercept, factor) in [
            (1.0, 0.0, 1.0),
            (0.0, 0.0, 1.0),
            // Without a slope there is no scaling at all.
            (0.0, 3.0, 1.0),
            (f64::NAN, f64::NAN, 1.0),
            (0.25, 0.0, 0.25),
            (-2.0, f64::NAN, -2.0),
        ] {
            let data = scaled(slope, intercept).unwrap();
            assert_eq!(data.samples.to_array(), &samples * Complex64::from(factor), "{slope} {intercept}");
            assert_eq!(remark(&data).is_some(), factor != 1.0, "{slope} {intercept}");
        }
        for slope in [1.0, 0.5] {
            let refused = scaled(slope, 3.0).unwrap_err();
            assert!(matches!(refused, DecodeError::Intercept { .. }) && refused.code() == "bad_header", "{slope}");
        }
    }
}
