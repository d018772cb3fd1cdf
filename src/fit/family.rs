//! What every family of methods gives of its models.

use num_complex::Complex64;

use super::result::FitResult;

/// Limits of a method that a result may run into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest common shift (ppm).
    pub max_shift_ppm: f64,
    /// Largest effective dimension of the baseline, where it is limited.
    pub max_baseline_ed: Option<f64>,
}

/// Fits one FID after the other with the same scratch.
pub type Fitter<'a> = Box<dyn FnMut(&[Complex64]) -> FitResult + Send + 'a>;
