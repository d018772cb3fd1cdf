//! The mean over transients of data whose coils are combined.

use ndarray::s;
use num_complex::Complex64;

use super::PrepareError;
use crate::acquisition::Acquisition;

/// Mean FID over the transients of one voxel and condition.
///
/// Always the mean, never the sum: amplitudes must not depend on the number of transients, or water
/// scaling fails.
pub fn averaged(data: &Acquisition, voxel: usize, condition: usize) -> Result<Vec<Complex64>, PrepareError> {
    if data.n_coils() > 1 {
        return Err(PrepareError::CoilsNotCombined { n_coils: data.n_coils() });
    }
    let n_transients = data.n_transients();
    let mut mean = vec![Complex64::default(); data.n_points()];
    for transient in 0..n_transients {
        let fid = data.samples.slice(s![voxel, condition, transient, 0, ..]);
        for (m, z) in mean.iter_mut().zip(fid) {
            *m += z;
        }
    }
    for m in &mut mean {
        *m /= n_transients.max(1) as f64;
    }
    Ok(mean)
}
