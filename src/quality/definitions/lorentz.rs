//! A Lorentzian line with a phase over a constant, fitted to a real spectrum.

use faer::Mat;
use faer::linalg::solvers::SolveLstsq;

/// Steps of the fit.
const MOST_STEPS: usize = 100;
/// Relative change of the sum of squares at which it ends.
const DONE: f64 = 1e-12;
/// Damping of the first step, and where no step helps any more.
const DAMPING: (f64, f64) = (1e-3, 1e10);

/// Absorption, dispersion, width (ppm), place (ppm), constant.
type Line = [f64; 5];

/// Full width at half maximum (ppm) of the line that fits `points` (chemical shift, value) best; `None` where the fit leaves
/// the points behind.
pub(super) fn fwhm_ppm(points: &[(f64, f64)]) -> Option<f64> {
    let top = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (first, last) = (points.first()?.0, points.last()?.0);
    let scale = top.1.abs();
    if !(scale > 0.0 && scale.is_finite()) {
        return None;
    }
    let points: Vec<(f64, f64)> = points.iter().map(|p| (p.0, p.1 / scale)).collect();
    let start = [1.0, 0.0, 0.25 * (last - first).abs(), top.0, 0.0];
    let [.., width, place, _] = fit(&points, start);
    let is_inside = (first.min(last)..=first.max(last)).contains(&place) && width.abs() < (last - first).abs();
    (is_inside && width != 0.0).then_some(width.abs())
}

fn value([absorption, dispersion, width, place, constant]: Line, ppm: f64) -> f64 {
    let d = 2.0 * (ppm - place) / width;
    (absorption + dispersion * d) / (1.0 + d * d) + constant
}

/// Derivatives of [`value`].
fn slopes([absorption, dispersion, width, place, _]: Line, ppm: f64) -> Line {
    let d = 2.0 * (ppm - place) / width;
    let below = 1.0 / (1.0 + d * d);
    let along = below * (dispersion - 2.0 * d * (absorption + dispersion * d) * below);
    [below, d * below, -along * d / width, -2.0 * along / width, 1.0]
}

/// Levenberg and Marquardt's method.
fn fit(points: &[(f64, f64)], start: Line) -> Line {
    let squares = |line: Line| points.iter().map(|p| (p.1 - value(line, p.0)).powi(2)).sum::<f64>();
    let (mut line, mut before, mut damping) = (start, squares(start), DAMPING.0);
    for _ in 0..MOST_STEPS {
        let rows: Vec<Line> = points.iter().map(|p| slopes(line, p.0)).collect();
        let sizes: Vec<f64> = (0..5).map(|k| rows.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt()).collect();
        let right = Mat::from_fn(points.len() + 5, 1, |i, _| points.get(i).map_or(0.0, |p| p.1 - value(line, p.0)));
        let after = loop {
            let matrix = Mat::from_fn(points.len() + 5, 5, |i, k| match rows.get(i) {
                Some(row) => row[k],
                None if i - points.len() == k => damping.sqrt() * sizes[k],
                None => 0.0,
            });
            let step = matrix.qr().solve_lstsq(&right);
            let next: Line = std::array::from_fn(|k| line[k] + step[(k, 0)]);
            let after = squares(next);
            if after <= before {
                line = next;
                break after;
            }
            damping *= 4.0;
            if damping > DAMPING.1 {
                return line;
            }
        };
        let is_done = before - after <= DONE * before;
        (before, damping) = (after, damping / 5.0);
        if is_done {
            break;
        }
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_line_out_of_phase_over_a_constant_has_its_width() {
        let line = [3.0, -0.8, 0.045, 3.021, 0.4];
        let points: Vec<(f64, f64)> =
            (0..200).map(|i| 2.9 + 0.001 * f64::from(i)).map(|x| (x, value(line, x))).collect();
        assert!((fwhm_ppm(&points).unwrap() - 0.045).abs() < 1e-7);
        assert_eq!(fwhm_ppm(&[]), None);
        assert_eq!(fwhm_ppm(&[(1.0, 0.0), (2.0, 0.0)]), None);
    }
}
