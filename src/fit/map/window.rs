//! The data of a spectrum as a fit compares them: the window, in internal units.

use num_complex::Complex64;

use super::model::Model;
use crate::fit::result::FitState;
use crate::signal::frequency::demodulate;

/// The largest datum in internal units; a tenth of it is 1, and λ is measured against that.
pub(super) const DATA_HEIGHT: f64 = 10.0;

/// The fitted bins of a finite `fid` moved by `shift_hz`, in internal units, and the factor to these.
pub(super) fn window(model: &Model, fid: &[Complex64], shift_hz: f64) -> Result<(Vec<Complex64>, f64), FitState> {
    let moved = demodulate(fid, shift_hz, model.band.dwell_s);
    let mut data = model.band.window_from_fid(&moved);
    let tallest = data.iter().map(|z| z.norm()).fold(0.0, f64::max);
    if !(tallest > 0.0 && tallest.is_finite()) {
        return Err(FitState::NoSignal);
    }
    let scale = DATA_HEIGHT / tallest;
    for z in &mut data {
        *z *= scale;
    }
    Ok((data, scale))
}
