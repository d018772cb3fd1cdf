//! Narrow lines in what a fit left to residual and baseline.
//!
//! The excess is the spectrum without the fitted components: residual and baseline together, because a baseline that
//! evidence made flexible holds what the components lack. A stiff baseline is taken from it, and a line of the fitted
//! width is slid along the rest. Its height over that height's standard deviation is its significance. Where a line stands
//! out, it must still do so when the metabolites' own peaks, moved by up to some Hz either way, may explain it: faults of the
//! common lineshape are at every peak in proportion, a stranger is not.

use statrs::function::erf::erfc_inv;

use super::line::Template;
use super::stiff::Stiff;
use super::thresholds::{FALSE_ALARMS, LEAST_HEIGHT, LEAST_SHARE, LINESHAPE_REACH_HZ, MOST_LINES};
use crate::basis::names::{Kind, kind};
use crate::fit::FitResult;
use crate::fit::result::Curves;
use crate::signal::median::upper_median;

/// A line that no component has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Chemical shift (ppm) where the metabolites are at their own.
    pub ppm: f64,
    /// Height, in the data's units.
    pub height: f64,
    /// Height over its standard deviation.
    pub significance: f64,
}

/// What is searched.
struct Excess<'a> {
    ppm: &'a [f64],
    /// Spectrum without components.
    values: Vec<f64>,
    /// The metabolites' sum.
    metabolites: Vec<f64>,
    bin_hz: f64,
    fwhm_bins: f64,
    template: Template,
    noise_sd: f64,
}

/// Lines in the `curves` of a `fit` that its components, called `names`, do not have: the most significant first. `None`
/// where the spectrum cannot be searched (no linewidth, too few bins).
pub fn search(
    curves: &Curves,
    names: &[String],
    fit: &FitResult,
    basis_linewidth_hz: f64,
    f0_mhz: f64,
) -> Option<Vec<Line>> {
    let excess = Excess::new(curves, names, fit, basis_linewidth_hz, f0_mhz)?;
    let stiff = Stiff::new(excess.ppm)?;
    let rest = stiff.rest(&excess.values);
    let noise_sd = excess.noise_sd.max(robust_sd(&rest));
    let threshold = threshold(excess.ppm.len() as f64 / excess.fwhm_bins);
    let n = excess.ppm.len();
    let step = ((excess.fwhm_bins / 6.0) as usize).max(1);
    let stands_out = (0..n).step_by(step).any(|p| {
        let (first, line) = excess.template.at(p, n);
        let overlap: f64 = line.clone().zip(&rest[first..]).map(|(l, r)| l * r).sum();
        overlap > 0.0 && overlap > threshold * noise_sd * stiff.rest_of_line(first, line).max(0.0).sqrt()
    });
    if !stands_out {
        return Some(Vec::new());
    }
    // Where the data lie beside the components, as the fit found it.
    let beside_ppm = (fit.shift_hz - curves.shift_hz) / f0_mhz;
    let mut lines = excess.lines(&stiff, threshold);
    lines.iter_mut().for_each(|line| line.ppm += beside_ppm);
    Some(lines)
}

/// Significance that noise alone reaches somewhere among `n_places` in [`FALSE_ALARMS`] of all spectra.
pub fn threshold(n_places: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(2.0 * FALSE_ALARMS / n_places.max(1.0))
}

/// Standard deviation by the median of the absolute values, which few lines do not move.
fn robust_sd(values: &[f64]) -> f64 {
    upper_median(values.iter().map(|v| v.abs())) / 0.674_49
}

impl<'a> Excess<'a> {
    fn new(
        curves: &'a Curves,
        names: &[String],
        fit: &FitResult,
        basis_linewidth_hz: f64,
        f0_mhz: f64,
    ) -> Option<Self> {
        let ppm = curves.ppm.as_slice();
        let bin_hz = ppm.windows(2).next().map(|w| (w[0] - w[1]).abs() * f0_mhz).filter(|hz| *hz > 0.0)?;
        let fwhm_hz = fit.fwhm_hz.filter(|hz| hz.is_finite() && *hz > 0.0)?;
        let usable = fit.noise_sd > 0.0 && fit.noise_sd.is_finite() && curves.components.len() == names.len();
        if !usable {
            return None;
        }
        // Three bins at least: no line is sampled more coarsely.
        let fwhm_bins = (fwhm_hz / bin_hz).max(3.0);
        let lorentz_hz = fit.lorentz_hz.unwrap_or(0.5 * fwhm_hz) + basis_linewidth_hz;
        let mut values: Vec<f64> =
            curves.data.iter().zip(&curves.fit).zip(&curves.baseline).map(|((d, f), b)| d - f + b).collect();
        values.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
        let mut metabolites = vec![0.0; ppm.len()];
        for (component, _) in curves.components.iter().zip(names).filter(|(_, name)| kind(name) == Kind::Metabolite) {
            metabolites.iter_mut().zip(component).for_each(|(sum, value)| *sum += value);
        }
        let template = Template::new(fwhm_bins, lorentz_hz / bin_hz);
        Some(Self { ppm, values, metabolites, bin_hz, fwhm_bins, template, noise_sd: fit.noise_sd })
    }

    /// The significant lines, beside what the stiff baseline and the metabolites' lineshape explain: one after the other, each
    /// taken out before the next, because the stiff baseline rings beside a tall one. Dips are taken out, too, and are none.
    fn lines(&self, stiff: &Stiff, threshold: f64) -> Vec<Line> {
        let n = self.ppm.len();
        let mut explained = self.explained(stiff);
        let mut rest = self.values.clone();
        explained.iter().for_each(|column| take_out(column, &mut rest));
        let tallest = self.metabolites.iter().copied().fold(0.0, f64::max);
        let mut lines: Vec<(usize, Line)> = Vec::new();
        for _ in 0..2 * MOST_LINES {
            let noise_sd = self.noise_sd.max(robust_sd(&rest));
            let all = (0..n).filter_map(|p| Some((p, self.line_at(p, &rest, &explained, noise_sd)?)));
            let most = all.max_by(|a, b| a.1.significance.abs().total_cmp(&b.1.significance.abs()));
            let Some((p, line)) = most.filter(|(_, line)| line.significance.abs() > threshold) else { break };
            let is_tall = line.height > LEAST_HEIGHT * tallest && line.height > LEAST_SHARE * self.nearby(p);
            let is_new = lines.iter().all(|(other, _)| p.abs_diff(*other) as f64 > self.fwhm_bins);
            if is_tall && is_new {
                lines.push((p, line));
            }
            let (first, heights) = self.template.at(p, n);
            let mut column = vec![0.0; n];
            column[first..].iter_mut().zip(heights).for_each(|(c, h)| *c = h);
            if lines.len() == MOST_LINES || !add_to_basis(column, &mut explained) {
                break;
            }
            explained.last().into_iter().for_each(|column| take_out(column, &mut rest));
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// An orthonormal basis of what is no line of its own: the stiff baseline, and the metabolites beside their places.
    fn explained(&self, stiff: &Stiff) -> Vec<Vec<f64>> {
        let step = ((self.fwhm_bins / 3.0).round() as usize).max(1);
        let moves = (LINESHAPE_REACH_HZ / self.bin_hz / step as f64).round() as usize;
        let mut columns = stiff.columns();
        columns.push(self.metabolites.clone());
        for bins in (1..=moves).map(|k| k * step) {
            columns.push(moved(&self.metabolites, bins, 0));
            columns.push(moved(&self.metabolites, 0, bins));
        }
        let mut orthonormal: Vec<Vec<f64>> = Vec::with_capacity(columns.len() + MOST_LINES);
        columns.into_iter().for_each(|column| {
            add_to_basis(column, &mut orthonormal);
        });
        orthonormal
    }

    /// The line at bin `p`, `None` where it could hardly be told from what is explained.
    fn line_at(&self, p: usize, rest: &[f64], explained: &[Vec<f64>], noise_sd: f64) -> Option<Line> {
        let (first, line) = self.template.at(p, self.ppm.len());
        let squares: f64 = line.clone().map(|l| l * l).sum();
        let own = explained.iter().fold(squares, |own, column| {
            own - line.clone().zip(&column[first..]).map(|(l, q)| l * q).sum::<f64>().powi(2)
        });
        if own < LEAST_OWN * squares {
            return None;
        }
        let height = line.zip(&rest[first..]).map(|(l, r)| l * r).sum::<f64>() / own;
        Some(Line { ppm: self.ppm[p], height, significance: height * own.sqrt() / noise_sd })
    }

    /// The tallest that the metabolites are within 1.5 linewidths of bin `p`.
    fn nearby(&self, p: usize) -> f64 {
        let reach = (1.5 * self.fwhm_bins) as usize;
        let end = (p + reach + 1).min(self.metabolites.len());
        self.metabolites[p.saturating_sub(reach)..end].iter().copied().fold(0.0, f64::max)
    }
}

/// Part of a line's sum of squares that must be its own.
const LEAST_OWN: f64 = 0.15;

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Adds what of `column` is its own to an orthonormal basis; whether there was something.
fn add_to_basis(mut column: Vec<f64>, orthonormal: &mut Vec<Vec<f64>>) -> bool {
    let before = norm(&column);
    // Twice is enough (Kahan and Parlett).
    for _ in 0..2 {
        orthonormal.iter().for_each(|other| take_out(other, &mut column));
    }
    let after = norm(&column);
    let is_own = after > 1e-6 * before;
    if is_own {
        column.iter_mut().for_each(|v| *v /= after);
        orthonormal.push(column);
    }
    is_own
}

/// Takes the part along a unit vector out of `values`.
fn take_out(unit: &[f64], values: &mut [f64]) {
    let part: f64 = unit.iter().zip(values.iter()).map(|(u, v)| u * v).sum();
    values.iter_mut().zip(unit).for_each(|(v, u)| *v -= part * u);
}

/// `values` moved by so many bins, zeros coming in.
fn moved(values: &[f64], right: usize, left: usize) -> Vec<f64> {
    let n = values.len();
    (0..n).map(|p| (p + left).checked_sub(right).and_then(|from| values.get(from)).copied().unwrap_or(0.0)).collect()
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
