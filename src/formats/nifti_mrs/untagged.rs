//! Dimensions without a tag: the standard has a default for each, which those who write files do not always know.

use num_complex::Complex64;
use serde_json::{Map, Value};

use super::dimensions::{DEFAULTS, Role, extent};
use super::keys::first;
use crate::acquisition::Acquisition;
use crate::formats::nifti::Nifti;

/// Part of a signal, from its beginning, that is compared.
const BEGINNING: usize = 16;
/// Coils differ in phase and strength; transients by no more (fraction of the first one's signal). Two coils may be alike by
/// chance more easily than many.
const ALIKE: f64 = 0.4;
const TWO_ALIKE: f64 = 0.15;
/// The beginning of a signal holds at least so many times the power of its end.
const SIGNAL: f64 = 4.0;

/// What was taken for what, and whether coils look like transients.
pub(super) fn remarks(data: &Acquisition, nifti: &Nifti, roles: &[Role; 3], meta: &Map<String, Value>) -> Vec<String> {
    let is_untagged = |i: &usize| {
        nifti.shape[i + 4] > 1 && first(meta.get(&format!("dim_{}", i + 5))).and_then(Value::as_str).is_none()
    };
    let said = (0..3).filter(is_untagged).map(|i| {
        let (key, n) = (format!("dim_{}", i + 5), nifti.shape[i + 4]);
        let what = match roles[i] {
            Role::Coil => "coils",
            Role::Condition => "conditions",
            Role::Transient | Role::Step => "transients",
        };
        let taken = format!("{key} has no tag: its {n} entries were taken for {what} ({}), the standard's default", DEFAULTS[i]);
        if roles[i] == Role::Coil && extent(nifti, roles, Role::Coil) == n && are_alike(data) {
            return format!(
                "{taken}; but they are alike in strength and phase, as transients are: if they are, state `\"{key}\": \"DIM_DYN\"`, \
                 or DIM_EDIT for conditions of editing"
            );
        }
        taken
    });
    said.collect()
}

/// Whether all coils have the signal of the first one, in strength and phase.
fn are_alike(data: &Acquisition) -> bool {
    let [_, _, _, coils, points] = data.samples.shape();
    let wanted = (points / BEGINNING).max(1);
    let fids: Vec<Vec<Complex64>> = (0..coils).map(|coil| data.samples.fid([0, 0, 0, coil])).collect();
    let Some(first) = fids.first().filter(|fid| fid.len() == points && points > 2 * wanted) else { return false };
    let power = |part: &[Complex64]| part.iter().map(|z| z.norm_sqr()).sum::<f64>();
    let own = power(&first[..wanted]);
    let most = if coils > 2 { ALIKE } else { TWO_ALIKE };
    let gain = |fid: &Vec<Complex64>| -> Complex64 {
        let product: Complex64 = first[..wanted].iter().zip(fid).map(|(a, b)| a.conj() * b).sum();
        product / own
    };
    own > SIGNAL * power(&first[points - wanted..]) && fids.iter().all(|fid| (gain(fid) - 1.0).norm() < most)
}
