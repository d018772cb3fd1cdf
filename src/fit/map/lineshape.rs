//! The lineshape that all components share: a Voigt line, skewed and flattened, times a kernel.
//!
//! The kernel is a sum of lines at a few frequencies around the common one (shim that splits or skews lines):
//!
//! ```text
//! K(t) = 1 + Σ_j s_j·(e^{2πi·ν_j·t} − 1),  s_j ≥ 0
//! ```
//!
//! Its area is one for any weights, so that amplitudes keep their meaning. LCModel's kernel (Provencher 1993) is free in
//! sign; here weights are not negative, because a kernel with negative lobes makes lines narrower, and then nothing tells
//! it from a smaller Lorentzian width.

use std::f64::consts::PI;

use num_complex::Complex64;

/// Number of weights of the kernel.
pub(crate) const N_KERNEL: usize = 6;
/// Frequencies of the weights, in units of the spacing.
const KERNEL_NODES: [f64; N_KERNEL] = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0];
/// Time (s) in which skew and flatness of the lineshape are counted.
const LINESHAPE_TIME_S: f64 = 0.1;

/// The lineshape's functions of time at the samples of a band FID.
pub(crate) struct Lineshape {
    /// q₃: (t/0.1 s)³, levelling off beyond 0.2 s where no signal is left to say anything about it.
    pub(crate) skew_time: Vec<f64>,
    /// q₄: (t/0.1 s)⁴, likewise.
    pub(crate) flat_time: Vec<f64>,
    /// e^{2πi·ν_j·t} − 1, one weight after the other; empty where there is no kernel.
    pub(crate) kernel_time: Vec<Complex64>,
    /// Frequencies ν_j (Hz), rising.
    pub(crate) kernel_hz: [f64; N_KERNEL],
}

impl Lineshape {
    /// At the times `time_s`, with a kernel of `spacing_hz` if `has_kernel`.
    pub(crate) fn new(time_s: &[f64], spacing_hz: f64, has_kernel: bool) -> Self {
        let level = |tau: f64| 1.0 + (tau / 2.0).powi(4);
        let tau = time_s.iter().map(|t| t / LINESHAPE_TIME_S);
        let kernel_hz = KERNEL_NODES.map(|node| node * spacing_hz);
        let at = |nu: f64| time_s.iter().map(move |t| Complex64::from_polar(1.0, 2.0 * PI * nu * t) - 1.0);
        Self {
            skew_time: tau.clone().map(|u| u.powi(3) / level(u)).collect(),
            flat_time: tau.map(|u| u.powi(4) / level(u)).collect(),
            kernel_time: if has_kernel { kernel_hz.into_iter().flat_map(at).collect() } else { Vec::new() },
            kernel_hz,
        }
    }

    /// Whether lines have a kernel.
    pub(crate) fn has_kernel(&self) -> bool {
        !self.kernel_time.is_empty()
    }

    /// The weights as results tell them: none where there is no kernel.
    pub(crate) fn told(&self, weights: &[f64]) -> Vec<f64> {
        if self.has_kernel() { weights.to_vec() } else { Vec::new() }
    }

    /// Distance between the kernel's frequencies (Hz).
    pub(crate) fn spacing_hz(&self) -> Option<f64> {
        self.has_kernel().then_some(self.kernel_hz[N_KERNEL / 2])
    }

    /// e^{2πi·ν_j·t} − 1 of each weight, `n` samples each.
    pub(crate) fn kernel_terms(&self, n: usize) -> std::slice::ChunksExact<'_, Complex64> {
        self.kernel_time.chunks_exact(n.max(1))
    }

    /// K(t) at the `weights` into `kernel`.
    pub(crate) fn kernel(&self, weights: &[f64], kernel: &mut [Complex64]) {
        kernel.fill(Complex64::new(1.0, 0.0));
        for (term, &weight) in self.kernel_terms(kernel.len()).zip(weights).filter(|(_, w)| **w != 0.0) {
            for (k, e) in kernel.iter_mut().zip(term) {
                *k += e * weight;
            }
        }
    }

    /// Width at half height (FWHM, Hz) of a line of these Lorentzian and Gaussian widths with the kernel's `weights`:
    /// between the outermost places of half its height, each line of the kernel as a pseudo-Voigt (Thompson, Cox &
    /// Hastings 1987).
    pub(crate) fn fwhm_hz(&self, lorentz_hz: f64, gauss_hz: f64, weights: &[f64]) -> f64 {
        let single = crate::signal::linewidth::voigt_fwhm_hz(lorentz_hz, gauss_hz);
        if !self.has_kernel() || weights.iter().all(|w| *w == 0.0) || single <= 0.0 {
            return single;
        }
        let part = (lorentz_hz / single).clamp(0.0, 1.0);
        let eta = 1.36603 * part - 0.47719 * part * part + 0.11116 * part.powi(3);
        let line = |nu: f64| {
            let u = (2.0 * nu / single).powi(2);
            let lorentz = 2.0 / (PI * single) / (1.0 + u);
            let gauss = 2.0 / single * (std::f64::consts::LN_2 / PI).sqrt() * (-std::f64::consts::LN_2 * u).exp();
            eta * lorentz + (1.0 - eta) * gauss
        };
        let centre = 1.0 - weights.iter().sum::<f64>();
        let height = |nu: f64| {
            centre * line(nu) + self.kernel_hz.iter().zip(weights).map(|(n, w)| w * line(nu - n)).sum::<f64>()
        };
        let reach = self.kernel_hz[N_KERNEL - 1] + single;
        let step = single / 200.0;
        let n = (2.0 * reach / step).ceil() as usize;
        let at = |i: usize| -reach + step * i as f64;
        let half = 0.5 * (0..=n).map(|i| height(at(i))).fold(0.0, f64::max);
        let first = (0..=n).find(|&i| height(at(i)) >= half);
        let last = (0..=n).rev().find(|&i| height(at(i)) >= half);
        first.zip(last).map_or(single, |(first, last)| at(last) - at(first) + step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_has_area_one_and_its_terms_are_its_derivatives() {
        let time_s: Vec<f64> = (0..64).map(|i| f64::from(i) * 2e-3).collect();
        let lineshape = Lineshape::new(&time_s, 3.0, true);
        let mut weights = [0.1, 0.0, 0.2, 0.05, 0.0, 0.3];
        let mut kernel = vec![Complex64::default(); 64];
        lineshape.kernel(&weights, &mut kernel);
        assert_eq!(kernel[0], Complex64::new(1.0, 0.0));
        let before = kernel.clone();
        weights[2] += 1e-3;
        lineshape.kernel(&weights, &mut kernel);
        for ((now, before), term) in kernel.iter().zip(&before).zip(&lineshape.kernel_time[2 * 64..]) {
            assert!(((now - before) / 1e-3 - term).norm() < 1e-9);
        }
    }

    #[test]
    fn a_split_line_is_as_wide_as_its_branches_are_apart() {
        let lineshape = Lineshape::new(&[0.0], 3.0, true);
        assert!((lineshape.fwhm_hz(2.0, 4.0, &[0.0; N_KERNEL]) - 5.18).abs() < 0.02);
        // Half of the line 6 Hz away: two branches of 1 Hz each.
        let wide = lineshape.fwhm_hz(0.2, 1.0, &[0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
        assert!((wide - 7.1).abs() < 0.2, "{wide}");
    }
}
