//! Coefficients of the quality score, written by `cargo bench --profile dev --bench accuracy -- --calibrate`.

/// Logarithm of the error that is expected where all terms are 0.
pub(super) const INTERCEPT: f64 = -0.7184;
/// Name, floor and coefficient of each term.
pub(super) const TERMS: [(&str, f64, f64); 6] = [
    ("major_sd", 0.005, 0.9600),
    ("lorentz_strain_sd", 0.5, 0.1448),
    ("own_strain_sd", 0.3, 0.0523),
    ("confusion", 0.1, 0.1634),
    ("residual_peak_sd", 1.0, 0.3112),
    ("skew_strain_sd", 0.5, 0.1159),
];
/// Expected error above which a fit is doubtful (%).
pub const FLAG_ABOVE_PERCENT: f64 = 17.85;
