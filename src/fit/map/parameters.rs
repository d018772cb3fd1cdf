//! Where each parameter lies in the vector that the solver moves, and its bounds.
//!
//! Shifts and widths are carried as totals: `F_k = f0 + f_k` and `u_k = W + w_k`. The data see only
//! the totals, the common `f0` and `W` are what the priors hold them together with, and the bound
//! `W + w_k ≥ 0` becomes a box.

use super::lineshape::N_KERNEL;

/// Smallest common Gaussian width (FWHM, Hz): the derivative for it vanishes at zero.
pub const MIN_GAUSS_HZ: f64 = 0.5;

/// Layout of the parameter vector for `n_components` components and `n_splines` splines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Number of components.
    pub n_components: usize,
    /// Number of baseline splines.
    pub n_splines: usize,
}

/// Parameters that all components share.
pub const N_COMMON: usize = 7 + N_KERNEL;

impl Layout {
    /// Index of the amplitude of component `k` (internal units, ≥ 0).
    pub fn amplitude(&self, k: usize) -> usize {
        k
    }
    /// Index of the total shift of component `k` (Hz).
    pub fn shift(&self, k: usize) -> usize {
        self.n_components + k
    }
    /// Index of the total Lorentzian width of component `k` (FWHM, Hz, ≥ 0).
    pub fn width(&self, k: usize) -> usize {
        2 * self.n_components + k
    }
    /// Index of the common shift (Hz).
    pub fn common_shift(&self) -> usize {
        3 * self.n_components
    }
    /// Index of the common Lorentzian width (FWHM, Hz, ≥ 0).
    pub fn common_width(&self) -> usize {
        3 * self.n_components + 1
    }
    /// Index of the common Gaussian width (FWHM, Hz, ≥ [`MIN_GAUSS_HZ`]).
    pub fn gauss(&self) -> usize {
        3 * self.n_components + 2
    }
    /// Index of the zero-order phase (rad).
    pub fn phi0(&self) -> usize {
        3 * self.n_components + 3
    }
    /// Index of the first-order phase (rad/ppm).
    pub fn phi1(&self) -> usize {
        3 * self.n_components + 4
    }
    /// Index of the cubic phase of the lineshape at 0.1 s (rad).
    pub fn skew(&self) -> usize {
        3 * self.n_components + 5
    }
    /// Index of the quartic damping of the lineshape at 0.1 s.
    pub fn flatness(&self) -> usize {
        3 * self.n_components + 6
    }
    /// Index of weight `j` of the lineshape's kernel (≥ 0).
    pub fn kernel(&self, j: usize) -> usize {
        3 * self.n_components + N_COMMON - N_KERNEL + j
    }
    /// Indices of all weights of the kernel.
    pub fn kernel_range(&self) -> std::ops::Range<usize> {
        self.kernel(0)..self.kernel(N_KERNEL)
    }
    /// Index of the first baseline coefficient; everything before it is the model proper.
    pub fn baseline(&self) -> usize {
        3 * self.n_components + N_COMMON
    }
    /// Length of the vector.
    pub fn len(&self) -> usize {
        self.baseline() + self.n_splines
    }
    /// Whether there is nothing to fit.
    pub fn is_empty(&self) -> bool {
        self.n_components == 0
    }
    /// Lower bound of parameter `i`.
    pub fn lower_bound(&self, i: usize) -> f64 {
        if i < self.n_components
            || (2 * self.n_components..3 * self.n_components).contains(&i)
            || i == self.common_width()
            || self.kernel_range().contains(&i)
        {
            0.0
        } else if i == self.gauss() {
            MIN_GAUSS_HZ
        } else {
            f64::NEG_INFINITY
        }
    }
}
