//! Widths of lines.

/// Width of a Voigt line to 0.02 % (Olivero & Longbothum 1977, <https://doi.org/10.1016/0022-4073(77)90161-3>).
pub fn voigt_fwhm_hz(lorentz_hz: f64, gauss_hz: f64) -> f64 {
    0.5346 * lorentz_hz + (0.2166 * lorentz_hz * lorentz_hz + gauss_hz * gauss_hz).sqrt()
}
