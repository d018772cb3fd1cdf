//! What a fit knows about how far it can be trusted, beside the errors of its amplitudes.

/// Figures of one fit that go along with errors which no standard deviation tells.
///
/// None of them uses the truth. `docs/reference/map.md` says how each is made, [`crate::quality::score`] what of an error they
/// foretell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diagnostics {
    /// Effective dimensions of the baseline for each width of a line: near 1 the baseline can be a line.
    pub baseline_ed_per_line: f64,
    /// Size (root mean square) of what of the baseline is as narrow as lines, relative to the metabolites'.
    pub narrow_baseline: f64,
    /// Size of macromolecules and lipids relative to the metabolites'.
    pub macromolecules: f64,
    /// Tallest place of the residual as a line of the fitted width would stand there, in standard deviations of the noise.
    pub residual_peak_sd: f64,
    /// Root mean square of the residual smoothed by the width of a line, in standard deviations of the noise: 1 for noise.
    pub residual_structure: f64,
    /// Root mean square, over metabolites weighted by what they add to the spectrum, of how many standard deviations their own
    /// shifts and widths are off.
    pub own_strain_sd: f64,
    /// How far the common Lorentzian width is from what is expected (standard deviations).
    pub lorentz_strain_sd: f64,
    /// The same of the first-order phase.
    pub phi1_strain_sd: f64,
    /// The same of the skewness.
    pub skew_strain_sd: f64,
    /// Correlation of the errors of the major amplitudes with that of the common Lorentzian width, the largest.
    pub width_correlation: f64,
    /// Posterior standard deviation of a major amplitude over what it would be if nothing else were unknown, the largest.
    pub confusion: f64,
    /// Relative posterior standard deviation of a major sum, the largest.
    pub major_sd: f64,
    /// Whether a common width is at its bound.
    pub width_at_bound: bool,
}

impl Diagnostics {
    /// All figures with their names, in order.
    pub fn figures(&self) -> [(&'static str, f64); 13] {
        [
            ("baseline_ed_per_line", self.baseline_ed_per_line),
            ("narrow_baseline", self.narrow_baseline),
            ("macromolecules", self.macromolecules),
            ("residual_peak_sd", self.residual_peak_sd),
            ("residual_structure", self.residual_structure),
            ("own_strain_sd", self.own_strain_sd),
            ("lorentz_strain_sd", self.lorentz_strain_sd),
            ("phi1_strain_sd", self.phi1_strain_sd),
            ("skew_strain_sd", self.skew_strain_sd),
            ("width_correlation", self.width_correlation),
            ("confusion", self.confusion),
            ("major_sd", self.major_sd),
            ("width_at_bound", f64::from(u8::from(self.width_at_bound))),
        ]
    }
}
