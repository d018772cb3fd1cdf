//! Figures of a solution that foretell errors which no standard deviation tells.

use super::evaluation::Evaluation;
use super::model::Model;
use super::parameters::MIN_GAUSS_HZ;
use crate::basis::names::{self, Kind};
use crate::fit::diagnostics::Diagnostics;
use crate::fit::linalg::symmetric;

/// Sums that studies report first, and single metabolites among them.
const MAJORS: [&str; 5] = ["tNAA", "tCr", "tCho", "Glx", "Ins"];
/// A baseline is as narrow as lines where smoothing over so many of their widths takes it away.
const NARROW_WIDTHS: f64 = 5.0;
/// Smallest width of a line in points of the spectrum.
const MIN_POINTS: f64 = 2.0;
/// Relative standard deviation of a major that is not there.
const LOST: f64 = 10.0;

/// What [`diagnostics`] is told of a solution.
pub(super) struct Told<'a> {
    /// Parameters.
    pub(super) x: &'a [f64],
    /// σ² of the objective, and of the measured noise, internal units.
    pub(super) variance: f64,
    pub(super) noise_variance: f64,
    pub(super) evaluation: &'a Evaluation,
    /// Inverse Hessian at the solution.
    pub(super) inverse: &'a [f64],
    pub(super) baseline_ed: f64,
    pub(super) fwhm_hz: f64,
}

/// The figures; those of a fit without any metabolite are not finite.
pub(super) fn diagnostics(model: &Model, told: &Told<'_>) -> Diagnostics {
    let n = model.band.n_window();
    let width = (told.fwhm_hz / model.band.bin_hz()).max(MIN_POINTS);
    let metabolites = rms(&curve(model, told, |kind| kind == Kind::Metabolite));
    let others = rms(&curve(model, told, |kind| kind != Kind::Metabolite));
    let mut baseline = vec![0.0; n];
    model.baseline.add_to(&told.x[model.layout.baseline()..], &mut baseline);
    let broad = smoothed(&baseline, NARROW_WIDTHS * width);
    let narrow: Vec<f64> = smoothed(&baseline, width).iter().zip(&broad).map(|(a, b)| a - b).collect();
    let residual = &told.evaluation.forward.residual[..];
    let noise = told.noise_variance.sqrt() * kernel_size(width);
    let lines: Vec<f64> = smoothed(residual, width).iter().map(|r| r / noise).collect();
    let strain = |value: f64, mean: f64, sd: f64| if sd > 0.0 { ((value - mean) / sd).abs() } else { 0.0 };
    let (x, layout, priors) = (told.x, &model.layout, &model.settings.priors);
    let majors = Majors::new(model, told);
    Diagnostics {
        baseline_ed_per_line: told.baseline_ed * width / n as f64,
        narrow_baseline: rms(&narrow) / metabolites,
        macromolecules: others / metabolites,
        residual_peak_sd: lines.iter().fold(0.0, |most, z| z.abs().max(most)),
        residual_structure: rms(&lines),
        own_strain_sd: own_strain(model, told),
        lorentz_strain_sd: strain(x[layout.common_width()], priors.lorentz_prior_hz[0], priors.lorentz_prior_hz[1]),
        phi1_strain_sd: strain(x[layout.phi1()], 0.0, priors.phi1_sd_deg_per_ppm.to_radians()),
        skew_strain_sd: strain(x[layout.skew()], 0.0, priors.skew_sd),
        width_correlation: majors.width_correlation,
        confusion: majors.confusion,
        major_sd: majors.sd,
        width_at_bound: x[layout.common_width()] <= 0.0 || x[layout.gauss()] <= MIN_GAUSS_HZ,
    }
}

/// Sum of the components of a kind.
fn curve(model: &Model, told: &Told<'_>, is_wanted: impl Fn(Kind) -> bool) -> Vec<f64> {
    let n = model.band.n_window();
    let mut sum = vec![0.0; n];
    for (k, _) in model.components.iter().enumerate().filter(|(_, c)| is_wanted(c.kind)) {
        let column = &told.evaluation.exact.values[k * n..(k + 1) * n];
        sum.iter_mut().zip(column).for_each(|(s, v)| *s += told.x[k] * v);
    }
    sum
}

fn own_strain(model: &Model, told: &Told<'_>) -> f64 {
    let (x, layout, n) = (told.x, &model.layout, model.band.n_window());
    let (mut sum, mut total) = (0.0, 0.0);
    for (k, component) in model.components.iter().enumerate().filter(|(_, c)| c.kind == Kind::Metabolite) {
        let size = x[k] * norm(&told.evaluation.exact.values[k * n..(k + 1) * n]);
        let shift = (x[layout.shift(k)] - x[layout.common_shift()]) / component.shift_sd_hz;
        let width = (x[layout.width(k)] - x[layout.common_width()]) / component.width_sd_hz;
        sum += size * (shift * shift + width * width);
        total += size;
    }
    if total > 0.0 { (0.5 * sum / total).sqrt() } else { 0.0 }
}

/// What the errors of the majors say.
struct Majors {
    width_correlation: f64,
    confusion: f64,
    sd: f64,
}

impl Majors {
    fn new(model: &Model, told: &Told<'_>) -> Self {
        let (m, n, w) = (model.layout.len(), model.band.n_window(), model.layout.common_width());
        let covariance = |i: usize, j: usize| symmetric(told.inverse, m, i, j);
        let present: Vec<String> = model.components.iter().map(|c| c.name.clone()).collect();
        let sums = names::sums(&present);
        let mut all = Self { width_correlation: 0.0, confusion: 1.0, sd: 0.0 };
        for major in MAJORS {
            let members: Vec<usize> = match sums.iter().find(|s| s.name == major) {
                Some(sum) => sum.members.clone(),
                None => present.iter().position(|name| name == major || name == &major[1..]).into_iter().collect(),
            };
            if members.is_empty() {
                continue;
            }
            let pairs = || members.iter().flat_map(|&i| members.iter().map(move |&j| (i, j)));
            let sd = pairs().map(|(i, j)| covariance(i, j)).sum::<f64>().max(0.0).sqrt();
            let with_width: f64 = members.iter().map(|&i| covariance(i, w)).sum();
            let value: f64 = members.iter().map(|&i| told.x[i]).sum();
            let mut column = vec![0.0; n];
            for &i in &members {
                let own = &told.evaluation.exact.values[i * n..(i + 1) * n];
                column.iter_mut().zip(own).for_each(|(c, v)| *c += told.x[i] * v);
            }
            // Nothing else unknown: the sum's own shape alone.
            let least = told.variance.sqrt() * value / norm(&column);
            all.sd = all.sd.max(if value > 0.0 { sd / value } else { LOST }.min(LOST));
            if sd > 0.0 {
                all.width_correlation = all.width_correlation.max(with_width.abs() / (sd * covariance(w, w).sqrt()));
            }
            if least > 0.0 && least.is_finite() {
                all.confusion = all.confusion.max(sd / least);
            }
        }
        all
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn rms(values: &[f64]) -> f64 {
    norm(values) / (values.len().max(1) as f64).sqrt()
}

/// Points of the box that is run twice over a curve to smooth it by a line of `width` points.
fn box_points(width: f64) -> usize {
    (width.round() as usize).max(1)
}

/// Standard deviation of white noise of sd 1 after [`smoothed`]: the root of the summed squares of two boxes' convolution.
fn kernel_size(width: f64) -> f64 {
    let m = box_points(width) as f64;
    ((2.0 * m * m + 1.0) / (3.0 * m * m * m)).sqrt()
}

/// Means over a box, twice: a triangle as wide at half its height as the box.
fn smoothed(values: &[f64], width: f64) -> Vec<f64> {
    let m = box_points(width);
    let once = |values: &[f64], back: usize| -> Vec<f64> {
        let mut before = vec![0.0; values.len() + 1];
        for (i, v) in values.iter().enumerate() {
            before[i + 1] = before[i] + v;
        }
        // Ends: as many points as there are.
        let mean = |i: usize| {
            let (from, to) = (i.saturating_sub(back), (i + m - back).min(values.len()));
            (before[to] - before[from]) / (to - from).max(1) as f64
        };
        (0..values.len()).map(mean).collect()
    };
    // Once to the left and once to the right: boxes of an even number of points stay in their place.
    once(&once(values, m / 2), (m - 1) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn smoothed_noise_has_the_size_that_is_expected_and_a_line_stands_in_its_place() {
        let mut random = Random::new(5, 0);
        let noise: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        for width in [2.0, 5.0, 8.0] {
            let size = rms(&smoothed(&noise, width));
            assert!((size / kernel_size(width) - 1.0).abs() < 0.05, "{width}: {size} {}", kernel_size(width));
            let mut line = vec![0.0; 101];
            line[50] = 1.0;
            let after = smoothed(&line, width);
            let place = (0..101).max_by(|&a, &b| after[a].total_cmp(&after[b]));
            assert_eq!(place, Some(50));
            assert!((after.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
