//! Transients of one voxel, their coils combined, and the mean over them.

use num_complex::Complex64;
use rayon::prelude::*;

use super::coils::Weights;
use crate::acquisition::Acquisition;

/// The transients of one voxel and condition; without weights those of the first coil.
pub fn transients(
    data: &Acquisition,
    voxel: usize,
    condition: usize,
    weights: Option<&Weights>,
) -> Vec<Vec<Complex64>> {
    let series = data.series(voxel, condition);
    (0..data.n_transients())
        .into_par_iter()
        .map(|t| match weights {
            Some(weights) => weights.combine(series, t),
            None => series.fid(t, 0),
        })
        .collect()
}

/// Their mean.
///
/// Always the mean, never the sum: amplitudes must not depend on the number of transients, or water
/// scaling fails.
pub fn mean<T: AsRef<[Complex64]>>(transients: &[T]) -> Vec<Complex64> {
    let mut mean = transients.first().map(|fid| fid.as_ref().to_vec()).unwrap_or_default();
    for fid in transients.iter().skip(1) {
        for (m, z) in mean.iter_mut().zip(fid.as_ref()) {
            *m += z;
        }
    }
    for m in &mut mean {
        *m /= transients.len().max(1) as f64;
    }
    mean
}
