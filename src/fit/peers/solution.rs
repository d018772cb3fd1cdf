//! Where a fit ended: what its curves are made from.

/// What the problem of one spectrum depends on beside the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setup {
    pub(crate) fwhm_full_ppm: f64,
    pub(crate) fwhm_ppm: f64,
    pub(crate) height: f64,
    pub(crate) turned: [f64; 2],
    /// Density of P-splines (1/ppm) where it is not the method's; 0: it is.
    pub(crate) splines_per_ppm: f64,
}

/// A fit of one spectrum in the model's own parameters.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) setup: Setup,
    /// Nonlinear parameters, in the order of the layout.
    pub(crate) nonlinear: Vec<f64>,
    /// Amplitudes, then the baseline's.
    pub(crate) linear: Vec<f64>,
    /// Shift that was taken out of the data before the fit (Hz).
    pub(crate) start_shift_hz: f64,
    /// Factor from the data's units to internal ones.
    pub(crate) data_scale: f64,
}
