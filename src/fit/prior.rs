//! Soft priors on ratios of amplitudes (`usual_ratios.rs` has the tables of them).
//!
//! A row reads (Σ num − r·Σ den) / (sd · scale) → 0 in units of σ, with `scale` the weighted sum of
//! its denominator (and further terms), frozen from an earlier solution so that the row stays linear
//! (LCModel 6.3, CHRATO).

use super::map::constants::{LEAST_ROW_SCALE, MOST_ROW_YIELD};

/// Priors that are off by more standard deviations of their own than this are strained: data and prior contradict one
/// another.
pub(crate) const STRAINED_SD: f64 = 3.0;

/// One row; terms are (component, weight).
#[derive(Debug, Clone)]
pub struct RatioRow {
    /// How people know it, e.g. `GABA / Big3 = 0.03 ± 0.03`.
    pub label: String,
    /// Terms of the row itself: numerator minus ratio × denominator.
    pub terms: Vec<(usize, f64)>,
    /// Terms of the scale.
    pub scale_terms: Vec<(usize, f64)>,
    /// Standard deviation of the ratio.
    pub sd: f64,
    /// What it is for.
    pub kind: RowKind,
    /// How it yields to data that can tell; `None`: it does not.
    pub yields: Option<Yields>,
}

/// How a row yields to data that can tell: its standard deviation is 1 + (SNR/`snr`)⁴ times what it is where noise
/// hides the metabolite.
///
/// A usual ratio helps where noise hides a weak metabolite. Where noise is low it would only pull what a study looks for: a
/// difference between groups comes back by the part P²/(P² + D²), with P the row's standard deviation and D the data's.
#[derive(Debug, Clone)]
pub struct Yields {
    /// SNR at which the standard deviation is doubled.
    pub snr: f64,
    /// Tallest point of each metabolite at amplitude 1 and usual widths.
    pub heights: Vec<(usize, f64)>,
}

impl Yields {
    /// Factor of the standard deviation at the amplitudes `c`, for noise of standard deviation `noise_sd`.
    fn factor(&self, c: &[f64], noise_sd: f64) -> f64 {
        let tallest = self.heights.iter().fold(0.0, |most: f64, &(k, height)| most.max(height * c[k]));
        (1.0 + (tallest / (2.0 * noise_sd * self.snr)).powi(4)).min(MOST_ROW_YIELD)
    }
}

/// What a soft row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A usual ratio, of LCModel's table: what a study may find otherwise.
    Usual,
    /// Keeps the macromolecule pattern, or what lies beside a measured one, together.
    Pattern,
}

impl RatioRow {
    /// 1 / (sd · scale) at the amplitudes `c`, for noise of standard deviation `noise_sd` in a point of the spectrum. A scale
    /// of zero (nothing found yet) is replaced by a thousandth of all amplitudes, as LCModel does; 0 switches the row off.
    pub fn weight(&self, c: &[f64], noise_sd: f64) -> f64 {
        let scale: f64 = self.scale_terms.iter().map(|&(k, w)| w * c[k].max(0.0)).sum();
        let floor = LEAST_ROW_SCALE * c.iter().map(|v| v.max(0.0)).sum::<f64>();
        let scale = scale.max(floor);
        let sd = self.sd * self.yields.as_ref().map_or(1.0, |yields| yields.factor(c, noise_sd));
        if scale > 0.0 { 1.0 / (sd * scale) } else { 0.0 }
    }

    /// Value of the row, not yet weighted, at the amplitudes `c`.
    pub fn value(&self, c: &[f64]) -> f64 {
        self.terms.iter().map(|&(k, w)| w * c[k]).sum()
    }
}

/// The terms of a − b.
pub(super) fn minus(a: &[(usize, f64)], b: &[(usize, f64)]) -> Vec<(usize, f64)> {
    let mut terms: Vec<(usize, f64)> = b.iter().map(|&(k, w)| (k, -w)).collect();
    for &(k, w) in a {
        match terms.iter_mut().find(|(i, _)| *i == k) {
            Some(term) => term.1 += w,
            None => terms.push((k, w)),
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_yields_where_noise_is_low() {
        let yields = Yields { snr: 25.0, heights: vec![(0, 2.0), (1, 0.5)] };
        let row = RatioRow {
            label: String::new(),
            terms: vec![(1, 1.0), (0, -0.1)],
            scale_terms: vec![(0, 1.0)],
            sd: 0.1,
            kind: RowKind::Usual,
            yields: Some(yields),
        };
        // The tallest is 2·10 high: SNR 25 for noise of 0.4, 50 for 0.2, nothing to speak of for 40.
        let c = [10.0, 1.0];
        let weight = |noise_sd| row.weight(&c, noise_sd);
        assert!((weight(40.0) - 1.0).abs() < 1e-6);
        assert!((weight(0.4) - 0.5).abs() < 1e-12);
        assert!((weight(0.2) - 1.0 / MOST_ROW_YIELD).abs() < 1e-12);
    }
}
