//! Files of one series that hold one transient each, put together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ndarray::Axis;

use super::alike::likeness;
use super::error::ReadError;
use super::strengths::{Differing, differing};
use super::{read, reader_of};
use crate::acquisition::{AXIS_TRANSIENT, Acquisition, Samples};

/// A transient so many times stronger than the others is none of theirs, whatever the noise: water has no suppression there.
const ALIKE: f64 = 4.0;

/// Reads single transients of one measurement from as many files, in this order.
///
/// # Errors
/// [`ReadError`] if one of the files cannot be read, or they do not belong together.
pub fn read_series(first: &Path, others: &[PathBuf]) -> Result<Acquisition, ReadError> {
    let mut data = read(first)?;
    if others.is_empty() {
        return Ok(data);
    }
    let wrong = |reason: String| ReadError::Series { path: first.to_owned(), n: others.len(), reason };
    let mut parts = vec![data.samples.clone()];
    for path in others {
        let part = read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if part.samples.shape() != data.samples.shape() || likeness(&part) != likeness(&data) {
            return Err(wrong(format!("{name} differs from the first in what its header states")));
        }
        let new: Vec<&'static str> = part.flags.into_iter().filter(|flag| !data.flags.contains(flag)).collect();
        data.flags.extend(new);
        parts.push(part.samples);
    }
    let name = |at: usize| {
        let path = at.checked_sub(1).and_then(|at| others.get(at)).map_or(first, PathBuf::as_path);
        path.file_name().unwrap_or_default().to_string_lossy()
    };
    if let Some(at) = unlike(&parts) {
        let name = name(at);
        let reason = format!("{name} is {ALIKE} times stronger or weaker than the others: is it a water reference?");
        return Err(wrong(reason));
    }
    if let Some(Differing { strong, weak, factor }) = differing(&parts, &data.facts) {
        let by = if factor < 100.0 { format!("{factor:.2}") } else { "many".to_owned() };
        return Err(wrong(format!(
            "their metabolites differ in strength for certain: {} has {by} times those of {}, as with diffusion weighting or \
             T2 preparation; name each file on a line of its own in a manifest",
            name(strong),
            name(weak)
        )));
    }
    let missing = missing(first, others);
    if !missing.is_empty() {
        let numbers: Vec<String> = missing.iter().take(8).map(ToString::to_string).collect();
        data.flags.push("incomplete_series");
        data.remarks.push(format!("incomplete: instances {} of the series are not there", numbers.join(", ")));
    }
    let shape = data.samples.shape();
    let each = data.samples.len_of(Axis(AXIS_TRANSIENT));
    let all = [shape[0], shape[1], each * parts.len(), shape[3], shape[4]];
    data.remarks.push(format!("{} files of one series were put together, a transient each", parts.len()));
    data.samples = Samples::stored_in_parts(all, move |[voxel, condition, transient, coil], points| {
        parts[transient / each].points([voxel, condition, transient % each, coil], points)
    });
    Ok(data)
}

/// The numbers below the last one that no file of the series has.
fn missing(first: &Path, others: &[PathBuf]) -> Vec<u32> {
    let number = |path: &Path| Some(reader_of(path).ok()?.member(path)?.instance);
    let there: BTreeSet<u32> =
        [first].into_iter().chain(others.iter().map(PathBuf::as_path)).filter_map(number).collect();
    let last = there.last().copied().unwrap_or(0);
    // A damaged number must not make a list of millions.
    (1..last).filter(|n| !there.contains(n)).take(others.len() + 9).collect()
}

/// The first part that is far stronger or weaker than the median of all.
fn unlike(parts: &[Samples]) -> Option<usize> {
    let strengths: Vec<f64> =
        parts.iter().map(|part| part.fid([0; 4]).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt()).collect();
    let mut sorted = strengths.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    strengths.iter().position(|s| !(median / ALIKE..=median * ALIKE).contains(s))
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;

    use super::*;

    fn transient(height: f64) -> Samples {
        Array5::from_elem((1, 1, 1, 1, 8), Complex64::new(height, 0.0)).into()
    }

    #[test]
    fn what_is_unlike_the_others_is_found() {
        let parts = |heights: &[f64]| unlike(&heights.iter().map(|h| transient(*h)).collect::<Vec<_>>());
        assert_eq!(parts(&[1.0, 1.2, 0.8, 1.1]), None);
        assert_eq!(parts(&[1.0, 1.2, 90.0, 1.1]), Some(2));
        assert_eq!(parts(&[90.0, 1.0]), Some(1));
        assert_eq!(parts(&[1.0, 0.0, 1.0]), Some(1));
    }
}
