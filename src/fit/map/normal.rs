//! The normal equations of the penalised problem: data, priors and baseline penalty.
//!
//! ```text
//! Q = |d−m|²/σ² + λ·|D₂b|² + Σ((F_k−f0)/σ_f)² + Σ((u_k−W)/σ_w)² + (φ1/σ_φ1)² + soft ratio rows
//! ```

use super::columns::{Columns, Precision, n_columns, parameter_of_column};
use super::evaluation::Evaluation;
use super::forward::Forward;
use super::lineshape::N_KERNEL;
use super::model::Model;
use crate::fit::linalg::{add_symmetric, gram, products_in_groups};

/// Standard deviations of the priors that only keep the system regular where the data say nothing:
/// far wider than anything that occurs.
mod weak {
    /// Common shift after the start value has been taken out (Hz).
    pub(super) const SHIFT_HZ: f64 = 30.0;
    /// Common widths (Hz).
    pub(super) const WIDTH_HZ: f64 = 30.0;
    /// Zero-order phase (rad).
    pub(super) const PHI0_RAD: f64 = 10.0;
    /// Baseline coefficients (a tenth of the tallest datum is 1).
    pub(super) const BASELINE: f64 = 1e4;
}

/// Weights of the objective.
#[derive(Debug, Clone)]
pub struct Weights {
    /// σ², internal units.
    pub variance: f64,
    /// Baseline smoothness λ.
    pub lambda: f64,
    /// Weight of each soft row ([`crate::fit::prior::RatioRow::weight`]).
    pub rows: Vec<f64>,
    /// Half the derivative of ln|H| for the common Lorentzian width and the Gaussian one (`marginal.rs`): it
    /// enters Q as a linear term. Zero at the mode.
    pub volume: [f64; 2],
    /// Precision of the kernel's prior over what it is without a kernel, 0 … 1 (`kernel_share`).
    pub kernel_share: f64,
}

impl Weights {
    /// What the linear term adds to Q at `x`.
    fn volume_cost(&self, model: &Model, x: &[f64]) -> f64 {
        let [lorentz, gauss] = self.volume;
        2.0 * (lorentz * x[model.layout.common_width()] + gauss * x[model.layout.gauss()])
    }
}

/// Twice the exponent of the kernel's prior: a Cauchy distribution of six dimensions.
const KERNEL_EXPONENT: f64 = N_KERNEL as f64 + 1.0;

/// Precision of the prior of the kernel's weights at `x`, over what it is without a kernel.
///
/// The prior is a Cauchy distribution with scale ε for all weights together, −2 ln p = 7·ln(1 + |s|²/ε²): it holds a kernel
/// that the data hardly need at zero, and leaves one that they ask for nearly alone. As a quadratic with the same slope it
/// has the precision 7/(ε² + |s|²), by which such a prior is solved for (iteratively reweighted least squares).
pub(crate) fn kernel_share(model: &Model, x: &[f64]) -> f64 {
    let scale = model.settings.priors.kernel_scale;
    let size: f64 = x[model.layout.kernel_range()].iter().map(|s| s * s).sum();
    if scale > 0.0 { 1.0 / (1.0 + size / (scale * scale)) } else { 1.0 }
}

/// JᵀJ and Jᵀr of the data, not yet divided by σ².
pub struct DataNormal {
    /// Lower triangle, column-major, all parameters.
    pub jtj: Vec<f64>,
    /// Jᵀr.
    pub jtr: Vec<f64>,
    /// |r|².
    pub rss: f64,
}

impl DataNormal {
    /// Scratch for `model`.
    pub fn new(model: &Model) -> Self {
        let m = model.layout.len();
        Self { jtj: vec![0.0; m * m], jtr: vec![0.0; m], rss: 0.0 }
    }

    /// Everything at `x`, where `evaluation` has filled its exact columns last.
    pub fn assemble_exact(&mut self, model: &Model, x: &[f64], evaluation: &mut Evaluation) {
        self.assemble(model, x, &mut evaluation.forward, &evaluation.exact);
    }

    /// Everything at `x`, where `forward` was evaluated last and which `columns` stand for.
    pub(super) fn assemble<T: Precision>(
        &mut self,
        model: &Model,
        x: &[f64],
        forward: &mut Forward,
        columns: &Columns<T>,
    ) {
        self.set_gradient(model, x, forward);
        let layout = &model.layout;
        let (m, n_win, n_col) = (layout.len(), model.band.n_window(), n_columns(model) - 1);
        let (first, nb) = (layout.baseline(), layout.n_splines);
        let mut products = vec![T::zero(); n_col * n_col];
        gram(&columns.values, n_win, n_col, &mut products);
        let mut projections = vec![T::zero(); nb * n_col];
        let (splines, groups) = (T::splines(&model.baseline), &model.baseline.groups);
        products_in_groups(splines, &columns.values[..n_win * n_col], n_win, groups, &mut projections);
        for j in 0..n_col {
            let pj = parameter_of_column(layout, j);
            for i in j..n_col {
                self.jtj[pj * m + parameter_of_column(layout, i)] = products[j * n_col + i].widened();
            }
            let own = &projections[j * nb..(j + 1) * nb];
            self.jtj[pj * m + first..(pj + 1) * m].iter_mut().zip(own).for_each(|(out, v)| *out = v.widened());
        }
        for j in 0..nb {
            for i in j..nb {
                self.jtj[(first + j) * m + first + i] = model.baseline.gram[j * nb + i];
            }
        }
    }

    /// The gradient at `x`, where `forward` was evaluated last; JᵀJ stays.
    pub(super) fn set_gradient(&mut self, model: &Model, x: &[f64], forward: &mut Forward) {
        forward.gradient(model, x, &mut self.jtr);
        self.jtr.iter_mut().for_each(|g| *g = -*g);
        self.rss = forward.rss;
    }

    /// Half the Hessian of Q into `h` and half its falling gradient at `x` into `g`.
    pub fn penalised(&self, model: &Model, x: &[f64], weights: &Weights, h: &mut [f64], g: &mut [f64]) {
        let m = model.layout.len();
        let inverse_variance = 1.0 / weights.variance;
        for (column, (h, jtj)) in h.chunks_exact_mut(m).zip(self.jtj.chunks_exact(m)).enumerate() {
            h[column..].iter_mut().zip(&jtj[column..]).for_each(|(h, j)| *h = j * inverse_variance);
        }
        for (g, j) in g.iter_mut().zip(&self.jtr) {
            *g = j * inverse_variance;
        }
        for_each_prior(model, x, weights, |terms, weight, value| {
            for (a, &(i, wi)) in terms.iter().enumerate() {
                g[i] -= weight * weight * wi * value;
                for &(j, wj) in &terms[..=a] {
                    add_symmetric(h, m, i, j, weight * weight * wi * wj);
                }
            }
        });
        g[model.layout.common_width()] -= weights.volume[0];
        g[model.layout.gauss()] -= weights.volume[1];
        let (first, nb) = (model.layout.baseline(), model.layout.n_splines);
        let b = &x[first..];
        for j in 0..nb {
            for i in j..nb {
                let p = weights.lambda * model.baseline.penalty[j * nb + i];
                if p != 0.0 {
                    h[(first + j) * m + first + i] += p;
                    g[first + i] -= p * b[j];
                    if i != j {
                        g[first + j] -= p * b[i];
                    }
                }
            }
            h[(first + j) * m + first + j] += 1.0 / (weak::BASELINE * weak::BASELINE);
        }
    }
}

/// The prior part of Q at `x`, with the linear term of the marginal estimate.
pub fn prior_cost(model: &Model, x: &[f64], weights: &Weights) -> f64 {
    let mut sum = weights.lambda * model.baseline.roughness(&x[model.layout.baseline()..]);
    for_each_prior(model, x, weights, |_, weight, value| sum += (weight * value).powi(2));
    sum + weights.volume_cost(model, x)
}

/// Calls `row(terms, weight, value)` for every prior row; the row's part of Q is (weight · value)².
pub(crate) fn for_each_prior(
    model: &Model,
    x: &[f64],
    weights: &Weights,
    mut row: impl FnMut(&[(usize, f64)], f64, f64),
) {
    let layout = &model.layout;
    let (f0, w) = (layout.common_shift(), layout.common_width());
    for (k, component) in model.components.iter().enumerate() {
        let (f, u) = (layout.shift(k), layout.width(k));
        row(&[(f, 1.0), (f0, -1.0)], 1.0 / component.shift_sd_hz, x[f] - x[f0]);
        row(&[(u, 1.0), (w, -1.0)], 1.0 / component.width_sd_hz, x[u] - x[w]);
    }
    let mut single = |i: usize, sd: f64, mean: f64| {
        if sd > 0.0 {
            row(&[(i, 1.0)], 1.0 / sd, x[i] - mean);
        }
    };
    let priors = &model.settings.priors;
    single(layout.phi1(), priors.phi1_sd_deg_per_ppm.to_radians(), 0.0);
    single(layout.skew(), priors.skew_sd, 0.0);
    single(layout.flatness(), priors.flatness_sd, 0.0);
    for i in layout.kernel_range() {
        single(i, priors.kernel_scale / (KERNEL_EXPONENT * weights.kernel_share).sqrt(), 0.0);
    }
    single(f0, weak::SHIFT_HZ, 0.0);
    single(w, priors.lorentz_prior_hz[1], priors.lorentz_prior_hz[0]);
    single(layout.gauss(), weak::WIDTH_HZ, model.settings.start.gauss_hz);
    single(layout.phi0(), weak::PHI0_RAD, 0.0);
    for (r, &weight) in model.rows.iter().zip(&weights.rows) {
        if weight > 0.0 {
            row(&r.terms, weight, r.value(x));
        }
    }
}
