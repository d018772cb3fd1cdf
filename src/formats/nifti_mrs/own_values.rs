//! What the headers of dimensions (`dim_N_header`) state entry by entry: times, and whether water was suppressed.

use serde_json::{Map, Value};

use super::dimensions::{Role, value_at};
use super::error::DecodeError;
use super::keys::SAME;
use crate::acquisition::{Acquisition, Reference, Samples};
use crate::formats::nifti::Nifti;
use crate::formats::times::Times;

/// Times that a header may state of each entry.
const TIMES: [&str; 4] = ["EchoTime", "RepetitionTime", "MixingTime", "InversionTime"];
/// More values than these are not spelt out.
const SPELT_OUT: usize = 4;

/// The numbers of a key of the header of dimension `i + 5`, one an entry; `None` where they are not all there, or all alike.
fn differing(nifti: &Nifti, meta: &Map<String, Value>, i: usize, key: &str) -> Option<Vec<f64>> {
    let stated = header(meta, i)?.get(key)?;
    let number = |index| value_at(stated, index)?.as_f64().filter(|v: &f64| v.is_finite() && *v > 0.0);
    let all: Vec<f64> = (0..nifti.shape[i + 4]).map(number).collect::<Option<_>>()?;
    let one = *all.first()?;
    all.iter().any(|other| (other - one).abs() > SAME * one).then_some(all)
}

fn header(meta: &Map<String, Value>, i: usize) -> Option<&Map<String, Value>> {
    meta.get(&format!("dim_{}_header", i + 5))?.as_object()
}

/// An error where entries of other times would be averaged or added.
pub(super) fn check(nifti: &Nifti, roles: &[Role; 3], meta: &Map<String, Value>) -> Result<(), DecodeError> {
    for i in (0..3).filter(|i| roles[*i] != Role::Condition) {
        for key in TIMES {
            let Some(values) = differing(nifti, meta, i, key) else { continue };
            let mut listed: Vec<String> = values.iter().take(SPELT_OUT).map(f64::to_string).collect();
            if values.len() > SPELT_OUT {
                listed.push("…".to_owned());
            }
            return Err(DecodeError::Times { dimension: i + 5, key, values: listed.join(", ") });
        }
    }
    Ok(())
}

/// The times of each condition, where the headers of its dimensions state some; and for each dimension whether they tell all
/// of its entries apart.
pub(super) fn times(nifti: &Nifti, roles: &[Role; 3], meta: &Map<String, Value>) -> Option<(Vec<Times>, [bool; 3])> {
    let of = |i: usize, key: &str| differing(nifti, meta, i, key).filter(|_| roles[i] == Role::Condition);
    let stated: Vec<[Option<Vec<f64>>; 3]> =
        (0..3).map(|i| [of(i, TIMES[0]), of(i, TIMES[1]), of(i, TIMES[2])]).collect();
    if stated.iter().flatten().all(Option::is_none) {
        return None;
    }
    let tell_apart = std::array::from_fn(|i| {
        let entry = |k: usize| stated[i].each_ref().map(|values| values.as_ref().map(|v| v[k]));
        stated[i].iter().any(Option::is_some) && (0..nifti.shape[i + 4]).all(|a| (0..a).all(|b| entry(a) != entry(b)))
    });
    let n: usize = (0..3).filter(|i| roles[*i] == Role::Condition).map(|i| nifti.shape[i + 4]).product();
    let all = (0..n).map(|condition| {
        let mut rest = condition;
        let mut found = [None; 3];
        for i in (0..3).filter(|i| roles[*i] == Role::Condition) {
            let index = rest % nifti.shape[i + 4];
            rest /= nifti.shape[i + 4];
            for (found, values) in found.iter_mut().zip(&stated[i]) {
                *found = values.as_ref().map(|values| values[index]).or(*found);
            }
        }
        let [te_s, tr_s, tm_s] = found;
        Times { te_s, tr_s, tm_s }
    });
    Some((all.collect(), tell_apart))
}

/// Takes out of the transients those whose header says that water was not suppressed: they are the water reference.
pub(super) fn water_apart(
    mut data: Acquisition,
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
) -> Acquisition {
    let mut inner = 1;
    for i in (0..3).filter(|i| roles[*i] == Role::Transient) {
        let n = nifti.shape[i + 4];
        let stated =
            header(meta, i).and_then(|h| ["WaterSuppressed", "WaterSuppression"].iter().find_map(|key| h.get(*key)));
        let of = |index: usize| stated.and_then(|stated| value_at(stated, index)?.as_bool());
        let suppressed: Option<Vec<bool>> = (0..n).map(of).collect();
        if let Some(suppressed) = suppressed {
            let of_transient = |wanted: bool| -> Vec<usize> {
                (0..data.n_transients()).filter(|t| suppressed[t / inner % n] == wanted).collect()
            };
            let (kept, water) = (of_transient(true), of_transient(false));
            if kept.is_empty() || water.is_empty() {
                data.facts.water_suppressed = suppressed.first().copied();
                return data;
            }
            let readouts = format!("{} transients without water suppression, by dim_{}_header", water.len(), i + 5);
            data.water = Some(Reference::new(transients(&data.samples, water, 1), readouts));
            data.samples = transients(&data.samples, kept, data.n_conditions());
            data.facts.water_suppressed = Some(true);
            return data;
        }
        inner *= n;
    }
    data
}

/// Some transients of the first conditions.
fn transients(samples: &Samples, places: Vec<usize>, conditions: usize) -> Samples {
    let [voxels, _, _, coils, points] = samples.shape();
    let all = samples.clone();
    let shape = [voxels, conditions, places.len(), coils, points];
    Samples::stored_in_parts(shape, move |[voxel, condition, transient, coil], points| {
        all.points([voxel, condition, places.get(transient).copied().unwrap_or_default(), coil], points)
    })
}
