//! What the fitted lineshape kernel looks like: extrema, inflections, width (LCModel's NEXTRE, INFLEC and FINOUT).

use std::f64::consts::LN_2;

use super::lineshape::Kernel;

/// Part of the tallest point below which nothing counts (THRLIN).
const THRESHOLD: f64 = 0.1;

/// The kernel, its points `point_ppm` apart, smoothed with a Gaussian of FWHM `smoothing_ppm`, with `zeros` points of zero beyond either end.
fn smoothed(theta: &[f64], [point_ppm, smoothing_ppm]: [f64; 2], zeros: usize) -> Vec<f64> {
    let side = vec![0.0; zeros];
    let points = [side.clone(), Kernel::points(theta), side].concat();
    let n = points.len();
    let height = |d: usize| (-4.0 * LN_2 * (point_ppm / smoothing_ppm).powi(2) * (d * d) as f64).exp();
    let sum = 1.0 + 2.0 * (1..theta.len() + 5).map(height).sum::<f64>();
    (0..n).map(|i| (0..n).map(|k| points[k] * height(i.abs_diff(k))).sum::<f64>() / sum).collect()
}

/// Number of extrema; one that stands out neither itself nor by its neighbours does not count.
pub(super) fn n_extrema(theta: &[f64], [point_ppm, smoothing_ppm]: [f64; 2]) -> usize {
    let s = smoothed(theta, [point_ppm, smoothing_ppm], 1);
    let threshold = THRESHOLD * s.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let mut heights = vec![0.0];
    for w in s.windows(3) {
        if (w[1] - w[0]) * (w[2] - w[1]) < 0.0 {
            heights.push(w[1].abs());
        }
    }
    heights.push(0.0);
    heights.windows(3).filter(|w| w[1].max(w[2].min(w[0])) > threshold).count()
}

/// Number of inflections where the kernel stands out.
pub(super) fn n_inflections(theta: &[f64], [point_ppm, smoothing_ppm]: [f64; 2]) -> usize {
    let s = smoothed(theta, [point_ppm, smoothing_ppm], 2);
    let threshold = THRESHOLD * s.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let mut count = 0;
    let mut before = s[2];
    for w in s.windows(3).skip(1) {
        let curvature = w[0] - 2.0 * w[1] + w[2];
        if curvature * before < 0.0 && w[1].abs() > threshold {
            count += 1;
        }
        before = curvature;
    }
    count
}

/// Width at half maximum of the smoothed kernel (ppm), by linear interpolation.
pub(super) fn fwhm_ppm(theta: &[f64], [point_ppm, smoothing_ppm]: [f64; 2]) -> f64 {
    let s = smoothed(theta, [point_ppm, smoothing_ppm], 1);
    let (top, height) = s.iter().enumerate().fold((0, 0.0), |m, (i, v)| if *v > m.1 { (i, *v) } else { m });
    let half = 0.5 * height;
    let crossing = |inside: f64, outside: f64| (inside - half) / (inside - outside).max(f64::MIN_POSITIVE);
    let mut left = 0.0;
    for i in (1..=top).rev() {
        if s[i - 1] <= half {
            left = (top - i) as f64 + crossing(s[i], s[i - 1]);
            break;
        }
        left = (top - i + 1) as f64;
    }
    let mut right = 0.0;
    for i in top..s.len() - 1 {
        if s[i + 1] <= half {
            right = (i - top) as f64 + crossing(s[i], s[i + 1]);
            break;
        }
        right = (i + 1 - top) as f64;
    }
    (left + right) * point_ppm
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTHING_PPM: f64 = 0.013;

    fn kernel(points: &[f64]) -> Vec<f64> {
        let sum: f64 = points.iter().sum();
        let middle = points.len() / 2;
        points.iter().enumerate().filter(|(i, _)| *i != middle).map(|(_, v)| v / sum).collect()
    }

    #[test]
    fn a_bell_has_one_extremum_two_inflections_and_its_width() {
        let point_ppm = 0.01;
        let bell: Vec<f64> =
            (-9..=9).map(|n| (-4.0 * LN_2 * (f64::from(n) * point_ppm / 0.06).powi(2)).exp()).collect();
        let theta = kernel(&bell);
        assert_eq!(
            (n_extrema(&theta, [point_ppm, SMOOTHING_PPM]), n_inflections(&theta, [point_ppm, SMOOTHING_PPM])),
            (1, 2)
        );
        let expected = (0.06_f64.powi(2) + SMOOTHING_PPM.powi(2)).sqrt();
        assert!((fwhm_ppm(&theta, [point_ppm, SMOOTHING_PPM]) / expected - 1.0).abs() < 0.02);
    }

    #[test]
    fn two_bells_have_three_extrema() {
        let point_ppm = 0.01;
        let bell = |n: f64| (-4.0 * LN_2 * (n * point_ppm / 0.03).powi(2)).exp();
        let two: Vec<f64> = (-9..=9).map(|n| bell(f64::from(n) - 4.0) + bell(f64::from(n) + 4.0)).collect();
        let theta = kernel(&two);
        assert_eq!(n_extrema(&theta, [point_ppm, SMOOTHING_PPM]), 3);
        assert!(n_inflections(&theta, [point_ppm, SMOOTHING_PPM]) > 2);
    }
}
