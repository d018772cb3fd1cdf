//! What is left of a spectrum, smoothed: the baseline that programs show after a fit of samples.

use std::f64::consts::PI;

use super::settings::Smoothing;

/// Standard deviations at which a Gaussian ends.
const GAUSSIAN_ENDS: f64 = 2.5;

/// `values` smoothed; `points_per_bin` says how finely they are zero-filled. Where the window ends, what lies in it counts.
pub(super) fn smoothed(values: &[f64], smoothing: Smoothing, points_per_bin: f64) -> Vec<f64> {
    let weights: Vec<f64> = match smoothing {
        Smoothing::CosineHalfWidthBins(bins) => {
            let reach = (bins * points_per_bin).round();
            (0..=reach as usize).map(|k| (k as f64 * PI / (2.0 * reach + 2.0)).cos()).collect()
        }
        Smoothing::GaussianSdBins(bins) => {
            let sd = bins * points_per_bin;
            (0..=(GAUSSIAN_ENDS * sd).round() as usize).map(|k| (-0.5 * (k as f64 / sd).powi(2)).exp()).collect()
        }
    };
    (0..values.len())
        .map(|i| {
            let from = i.saturating_sub(weights.len() - 1);
            let to = (i + weights.len()).min(values.len());
            let (mut sum, mut total) = (0.0, 0.0);
            for (k, v) in values.iter().enumerate().take(to).skip(from) {
                let weight = weights[k.abs_diff(i)];
                sum += weight * v;
                total += weight;
            }
            sum / total
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_and_a_point_becomes_the_window() {
        for smoothing in [Smoothing::CosineHalfWidthBins(5.0), Smoothing::GaussianSdBins(3.0)] {
            assert!(smoothed(&[2.0; 50], smoothing, 2.0).iter().all(|v| (v - 2.0).abs() < 1e-12));
            let mut point = [0.0; 101];
            point[50] = 1.0;
            let shape = smoothed(&point, smoothing, 2.0);
            assert!((shape.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let (half, ratio) = match smoothing {
                // A cosine falls to a half at 2/3 of where it would end, 11 points from its centre …
                Smoothing::CosineHalfWidthBins(_) => (7, (7.0 * PI / 22.0).cos()),
                // … and a Gaussian of 6 points as here at 7.
                Smoothing::GaussianSdBins(_) => (7, (-49.0_f64 / 72.0).exp()),
            };
            assert!((shape[50 + half] / shape[50] - ratio).abs() < 1e-12);
            assert!(shape[50] > shape[51] && shape[50 + 16] == 0.0);
        }
    }
}
