//! What one spectrum says about what its corpus shares: macromolecules and the common linewidth.

/// Parameters that all components of a spectrum share and that are learned.
pub const N_SHARED: usize = 3;

/// Deviations of a spectrum's macromolecule peaks from the pattern that its priors hold them to, and how well they are
/// known, everything else in the fit being free.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// For each of n peaks the area relative to the pattern's, less 1; then n shifts (Hz, positive towards lower
    /// ppm), then n extra widths (Lorentzian FWHM, Hz). Bounds released: a width may come out negative.
    pub deviation: Vec<f64>,
    /// Their posterior covariance `[3n × 3n]`.
    pub covariance: Vec<f64>,
    /// Value and posterior variance of what all components share: Lorentzian width beyond the basis set's (FWHM, Hz),
    /// skew and flatness of the lineshape.
    pub common: [(f64, f64); N_SHARED],
}
