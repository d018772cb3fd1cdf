//! Residual water in single transients, where it hides what they are aligned by.

use num_complex::Complex64;
use rayon::prelude::*;

use super::align::typical;
use crate::signal::water_removal::{peaks, remove_from_transient};

/// Water is removed from transients where its peak is so many times the tallest of the metabolites. Below that the
/// reference to which they are aligned is enough.
const TOWERS: f64 = 5.0;

/// Transients without water, for alignment and rejection, where water towers over the metabolites in most of them. Else
/// its tail would be aligned, and its changes would look like faults. `None` where they can be taken as they are.
pub fn without_water(transients: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<Vec<Vec<Complex64>>> {
    let (water, fitted) = peaks(transients.get(typical(transients))?, dwell_s, f0_mhz);
    (transients.len() > 1 && water > TOWERS * fitted).then(|| {
        let mut without = transients.to_vec();
        without.par_iter_mut().for_each(|fid| {
            remove_from_transient(fid, dwell_s, f0_mhz);
        });
        without
    })
}
