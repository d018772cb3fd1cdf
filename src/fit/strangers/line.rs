//! The shape of a line on evenly spaced bins.

use std::f64::consts::LN_2;

/// Half-widths of the template in linewidths: beyond, a Lorentzian is below 2 % of its height.
const REACH_WIDTHS: f64 = 4.0;

/// A line of height 1 at a bin and on both sides of it.
pub(super) struct Template {
    /// Heights at 0, 1, 2 … bins from the middle.
    heights: Vec<f64>,
}

impl Template {
    /// A Voigt line of `fwhm` bins whose Lorentzian part is `lorentz` bins wide, as the pseudo-Voigt function of Thompson,
    /// Cox and Hastings (J Appl Cryst 1987;20:79).
    pub(super) fn new(fwhm: f64, lorentz: f64) -> Self {
        let l = (lorentz / fwhm).clamp(0.0, 1.0);
        let share = 1.36603 * l - 0.47719 * l * l + 0.11116 * l * l * l;
        let n = (REACH_WIDTHS * fwhm).ceil() as usize;
        let heights = (0..=n)
            .map(|k| {
                let u = (2.0 * k as f64 / fwhm).powi(2);
                share / (1.0 + u) + (1.0 - share) * (-LN_2 * u).exp()
            })
            .collect();
        Self { heights }
    }

    /// The line at bin `middle` of `n`: its first bin, and its heights from there on.
    pub(super) fn at(&self, middle: usize, n: usize) -> (usize, impl Iterator<Item = f64> + Clone + '_) {
        let reach = self.heights.len() - 1;
        let (first, end) = (middle.saturating_sub(reach), (middle + reach + 1).min(n));
        (first, (first..end).map(move |p| self.heights[p.abs_diff(middle)]))
    }
}
