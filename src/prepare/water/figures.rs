//! What is known of the water reference beside its amplitude.

/// Its numbers; `None` where there is no reference, or nothing to measure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Standard deviation of the amplitude (units of the data): of the fit, and of the transients about their mean.
    pub amplitude_sd: Option<f64>,
    /// Root mean square of the fit's residual over that of the samples.
    pub residual: Option<f64>,
    /// Full width at half maximum of its line (Hz).
    pub fwhm_hz: Option<f64>,
    /// Noise of a stored transient of the measurement over that of one of the reference, for equal bandwidths.
    pub noise_ratio: Option<f64>,
    /// Number of stored transients.
    pub n_transients: Option<usize>,
    /// Number of those that were averaged.
    pub n_kept: Option<usize>,
}
