//! The lineshape that components share, as a factor s(t) of their FIDs, with its derivatives.

use std::f64::consts::{LN_2, PI};
use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftDirection};

use super::grid::Grid;
use crate::signal::fft::{signed_bin, transform};

/// s(t) on the samples of an FID.
pub(super) enum Shape {
    /// 1.
    None,
    /// A free kernel over frequency.
    Kernel(Kernel),
    /// Pseudo-Voigt with a width that changes over the line.
    Asymmetric(Asymmetric),
}

impl Shape {
    /// s(t) at the parameters `theta`.
    pub(super) fn factor(&self, theta: &[f64], out: &mut [Complex64]) {
        match self {
            Self::None => out.fill(Complex64::new(1.0, 0.0)),
            Self::Kernel(kernel) => kernel.factor(theta, out),
            Self::Asymmetric(shape) => shape.factor(theta, out),
        }
    }

    /// ∂s/∂θ of parameter `j`.
    pub(super) fn derivative(&self, theta: &[f64], j: usize, out: &mut [Complex64]) {
        match self {
            Self::None => out.fill(Complex64::default()),
            Self::Kernel(kernel) => out.copy_from_slice(&kernel.derivatives[j]),
            Self::Asymmetric(shape) => shape.derivative(theta, j, out),
        }
    }
}

/// S over frequency at `−n_side..=n_side` times `step` bins, ΣS = 1; the centre is what the others leave of 1.
/// The spectrum convolved with it is Σ S_n·M(k + n·step), the FID multiplied by Σ S_n·exp(−2πi·n·step·t·bin).
pub(super) struct Kernel {
    pub(super) n_side: usize,
    /// Bins between two points.
    pub(super) step: usize,
    /// FWHM of the Gaussian that it is smoothed with before its shape is looked at (ppm).
    pub(super) smoothing_ppm: f64,
    derivatives: Vec<Vec<Complex64>>,
}

impl Kernel {
    /// On FIDs with samples at `time_s`; bins are `bin_hz` wide.
    pub(super) fn new(n_side: usize, step: usize, smoothing_ppm: f64, bin_hz: f64, time_s: &[f64]) -> Self {
        let offsets = (-(n_side as i64)..=n_side as i64).filter(|&n| n != 0);
        let derivatives = offsets
            .map(|n| {
                let turn = -2.0 * PI * (n * step as i64) as f64 * bin_hz;
                time_s.iter().map(|t| Complex64::cis(turn * t) - 1.0).collect()
            })
            .collect();
        Self { n_side, step, smoothing_ppm, derivatives }
    }

    /// A Gaussian of `fwhm` bins, its centre left out.
    pub(super) fn gaussian(&self, fwhm: f64) -> Vec<f64> {
        let height = |n: i64| {
            if fwhm < 0.5 {
                return 0.0;
            }
            (-4.0 * LN_2 * ((n * self.step as i64) as f64 / fwhm).powi(2)).exp()
        };
        let side: Vec<f64> = (-(self.n_side as i64)..=self.n_side as i64).filter(|&n| n != 0).map(height).collect();
        let sum = 1.0 + side.iter().sum::<f64>();
        side.into_iter().map(|s| s / sum).collect()
    }

    fn factor(&self, theta: &[f64], out: &mut [Complex64]) {
        out.fill(Complex64::new(1.0, 0.0));
        for (derivative, s) in self.derivatives.iter().zip(theta) {
            for (o, d) in out.iter_mut().zip(derivative) {
                *o += d * *s;
            }
        }
    }

    /// The points of the kernel in order, its centre put in.
    pub(super) fn points(theta: &[f64]) -> Vec<f64> {
        let half = theta.len() / 2;
        let centre = 1.0 - theta.iter().sum::<f64>();
        theta[..half].iter().copied().chain([centre]).chain(theta[half..].iter().copied()).collect()
    }

    /// Rows (coefficients, constant) whose squares are the penalty on second differences, with a zero beyond either
    /// end: |row·θ − constant|² (SETUP of LCModel).
    pub(super) fn second_differences(&self) -> Vec<(Vec<f64>, f64)> {
        let (m, half) = (2 * self.n_side as i64, self.n_side as i64);
        let row = |middle: i64| {
            let (mut coefficients, mut constant) = (vec![0.0; m as usize], 0.0);
            for (offset, weight) in [(-1, 1.0), (0, -2.0), (1, 1.0)] {
                let n = middle + offset;
                if n == 0 {
                    // The centre is 1 − Σθ.
                    coefficients.iter_mut().for_each(|c| *c -= weight);
                    constant -= weight;
                } else if n.abs() <= half {
                    let index = if n < 0 { n + half } else { n + half - 1 };
                    coefficients[index as usize] += weight;
                }
            }
            (coefficients, constant)
        };
        (-half - 1..=half + 1).map(row).collect()
    }
}

/// Pseudo-Voigt over frequency, all Gaussian, with FWHM 2w/(1 + e^{−a·f}) at f Hz from its centre (ABfit: Wilson 2021,
/// <https://doi.org/10.1002/mrm.28385>; Stancik & Brauns 2008). Parameters: w (Hz), a (1/Hz·Hz: per Hz of f).
pub(super) struct Asymmetric {
    bin_hz: f64,
    /// Where t = 0 is among the samples.
    origin: usize,
    inverse: Arc<dyn Fft<f64>>,
}

impl Asymmetric {
    pub(super) fn new(grid: &Grid) -> Self {
        let n = grid.n_line();
        Self {
            bin_hz: 1.0 / (n as f64 * grid.carried_dwell_s()),
            origin: grid.origin(),
            inverse: transform(n, FftDirection::Inverse),
        }
    }

    /// FID of the line `value` over frequency, twice as finely as an FID's own transform.
    fn fid_of(&self, value: impl Fn(f64) -> f64, out: &mut [Complex64]) {
        let n = self.inverse.len();
        let mut line: Vec<Complex64> =
            (0..n).map(|k| Complex64::new(value(signed_bin(k, n) * self.bin_hz), 0.0)).collect();
        self.inverse.process(&mut line);
        let (negative, positive) = out.split_at_mut(self.origin);
        negative.copy_from_slice(&line[n - self.origin..]);
        positive.copy_from_slice(&line[..positive.len()]);
    }

    fn parts(theta: &[f64], f: f64) -> (f64, f64, f64, f64) {
        let (w, a) = (theta[0], theta[1]);
        let e = (-a * f).exp();
        let width = 2.0 * w / (1.0 + e);
        let line = (-4.0 * LN_2 * (f / width).powi(2)).exp();
        // d line / d width; width's own derivatives by w and a.
        let by_width = if line > 0.0 { line * 8.0 * LN_2 * f * f / width.powi(3) } else { 0.0 };
        let width_by_w = 2.0 / (1.0 + e);
        let width_by_a = if e.is_finite() { 2.0 * w * f * e / (1.0 + e).powi(2) } else { 0.0 };
        (line, by_width, width_by_w, width_by_a)
    }

    fn factor(&self, theta: &[f64], out: &mut [Complex64]) {
        self.fid_of(|f| Self::parts(theta, f).0, out);
        let first = out[self.origin];
        out.iter_mut().for_each(|z| *z /= first);
    }

    fn derivative(&self, theta: &[f64], j: usize, out: &mut [Complex64]) {
        let mut line = vec![Complex64::default(); out.len()];
        self.fid_of(|f| Self::parts(theta, f).0, &mut line);
        let by = |f: f64| {
            let (_, by_width, by_w, by_a) = Self::parts(theta, f);
            by_width * if j == 0 { by_w } else { by_a }
        };
        self.fid_of(by, out);
        // Derivative of a quotient by its own sample at t = 0.
        let (first, slope) = (line[self.origin], out[self.origin]);
        for (o, l) in out.iter_mut().zip(&line) {
            *o = (*o - l * slope / first) / first;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::derivative_tests::{DWELL_S, F0_MHZ, N_POINTS, settings};
    use super::super::settings::Domain;
    use super::*;

    fn check(shape: &Shape, theta: &[f64], n: usize, step: f64) {
        let mut numeric = vec![Complex64::default(); n];
        let mut closed = numeric.clone();
        let (mut up, mut down) = (numeric.clone(), numeric.clone());
        for j in 0..theta.len() {
            let mut moved = theta.to_vec();
            moved[j] += step;
            shape.factor(&moved, &mut up);
            moved[j] -= 2.0 * step;
            shape.factor(&moved, &mut down);
            for i in 0..n {
                numeric[i] = (up[i] - down[i]) / (2.0 * step);
            }
            shape.derivative(theta, j, &mut closed);
            let tallest = closed.iter().map(|z| z.norm()).fold(0.0, f64::max);
            for (a, b) in closed.iter().zip(&numeric) {
                assert!((a - b).norm() < 1e-6 * tallest, "parameter {j}: {a} {b}");
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        for domain in [Domain::RealSpectrum, Domain::Time] {
            let grid = Grid::in_domain(&settings("abfit", |_| {}), domain, N_POINTS, DWELL_S, F0_MHZ).unwrap();
            let kernel = Kernel::new(4, 2, 0.013, 1.0 / (2.0 * N_POINTS as f64 * DWELL_S), &grid.time_s);
            let theta = kernel.gaussian(5.0);
            check(&Shape::Kernel(kernel), &theta, grid.n_carried(), 1e-4);
            check(&Shape::Asymmetric(Asymmetric::new(&grid)), &[6.0, 0.1], grid.n_carried(), 1e-4);
            check(&Shape::Asymmetric(Asymmetric::new(&grid)), &[4.0, 0.0], grid.n_carried(), 1e-4);
        }
    }

    #[test]
    fn the_penalty_of_a_kernel_is_that_of_its_padded_points() {
        let kernel = Kernel::new(5, 1, 0.013, 1.0, &[]);
        let theta: Vec<f64> = (0..10).map(|i| 0.01 * f64::from((i * 7) % 5)).collect();
        let mut padded = vec![0.0, 0.0];
        padded.extend(Kernel::points(&theta));
        padded.extend([0.0, 0.0]);
        let direct: f64 = padded.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum();
        let rows: f64 = kernel
            .second_differences()
            .iter()
            .map(|(row, constant)| (row.iter().zip(&theta).map(|(a, b)| a * b).sum::<f64>() - constant).powi(2))
            .sum();
        assert!((direct - rows).abs() < 1e-12);
        assert_eq!(kernel.second_differences().len(), 13);
    }
}
