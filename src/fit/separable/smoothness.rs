//! The λ of a P-spline from an effective dimension or from the modified AIC.

use super::super::linalg;
use super::bounded::Singular;
use super::objective::{Objective, Weights};
use super::problem::Problem;
use super::settings::{Baseline, Smoothness};

/// Effective dimension per ppm of the baseline while only what components share is fitted (ABfit).
pub(super) const COARSE_ED_PER_PPM: f64 = 1.0;

/// Range of λ that is searched, relative to the mean diagonal of BᵀB.
const RANGE: [f64; 2] = [1e-8, 1e12];

/// The splines' own normal matrix, from which effective dimensions follow.
pub(super) struct Dimension {
    gram: Vec<f64>,
    roughness: Vec<f64>,
    n: usize,
    /// Effective dimensions that are counted once: the two parts of complex data have the same.
    parts: f64,
    range_ppm: f64,
    scale: f64,
}

impl Dimension {
    /// Of the problem's baseline; `None` where it has no roughness. `columns`: the problem's, amplitudes first.
    pub(super) fn new(problem: &Problem<'_>, columns: &[f64]) -> Option<Self> {
        let (n, first, rows) = (problem.baseline.n, problem.members.len(), problem.grid.n_rows());
        if problem.baseline.roughness.is_empty() {
            return None;
        }
        let columns = &columns[first * rows..(first + n) * rows];
        let mut gram = vec![0.0; n * n];
        linalg::gram(columns, rows, n, &mut gram);
        let scale = (0..n).map(|i| gram[i * n + i]).sum::<f64>() / n as f64;
        let ppm = &problem.grid.ppm;
        let parts = if rows > problem.grid.n_observed { 2.0 } else { 1.0 };
        let roughness = problem.baseline.roughness.clone();
        Some(Self { gram, roughness, n, parts, range_ppm: ppm[0] - ppm[ppm.len() - 1], scale })
    }

    /// tr((BᵀB + λΩ)⁻¹BᵀB), for one part.
    fn of(&self, lambda: f64) -> f64 {
        let n = self.n;
        let mut scratch = linalg::Scratch::for_size(n);
        let mut sum: Vec<f64> = self.gram.iter().zip(&self.roughness).map(|(g, r)| g + lambda * r).collect();
        for i in 0..n {
            sum[i * n + i] += 1e-12 * self.scale;
        }
        let mut inverse = vec![0.0; n * n];
        if linalg::cholesky(&mut sum, n, &mut scratch).is_err() {
            return f64::NAN;
        }
        linalg::inverse_from_factor(&sum, n, &mut inverse, &mut scratch);
        let mut trace = 0.0;
        for i in 0..n {
            for j in 0..n {
                trace += linalg::symmetric(&inverse, n, i, j) * linalg::symmetric(&self.gram, n, i, j);
            }
        }
        trace / self.parts
    }

    /// λ with this effective dimension.
    fn lambda_of(&self, dimension: f64) -> f64 {
        let [mut low, mut high] = RANGE.map(|v| (v * self.scale).ln());
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.of(middle.exp()) > dimension {
                low = middle;
            } else {
                high = middle;
            }
        }
        (0.5 * (low + high)).exp()
    }

    pub(super) fn lambda_of_ed_per_ppm(&self, per_ppm: f64) -> f64 {
        self.lambda_of(per_ppm * self.range_ppm)
    }

    /// λ as the method's settings ask for it, at the nonlinear parameters `p`.
    pub(super) fn choose(
        &self,
        problem: &Problem<'_>,
        objective: &mut Objective,
        weights: &Weights,
        p: &[f64],
    ) -> Result<f64, Singular> {
        let Baseline::PSpline { smoothness, .. } = problem.model.settings.baseline else { return Ok(0.0) };
        match smoothness {
            Smoothness::Lambda(lambda) => Ok(lambda),
            Smoothness::EdPerPpm(per_ppm) => Ok(self.lambda_of_ed_per_ppm(per_ppm)),
            Smoothness::Ed(dimension) => Ok(self.lambda_of(dimension)),
            Smoothness::ModifiedAic { m, max_ed_per_ppm, min_ed, steps } => {
                let ends = [self.lambda_of_ed_per_ppm(max_ed_per_ppm), self.lambda_of(min_ed)].map(f64::ln);
                let points = problem.grid.n_rows() as f64;
                let mut best = (f64::INFINITY, ends[0].exp());
                let mut c = Vec::new();
                for step in 0..steps {
                    let part = step as f64 / (steps - 1).max(1) as f64;
                    let lambda = (ends[0] + part * (ends[1] - ends[0])).exp();
                    let tried = Weights { lambda, ..weights.clone() };
                    let linear = objective.linear(problem, p, &tried, &c)?;
                    let aic = linear.residual.ln() + m * 2.0 * self.of(lambda) / points;
                    if aic < best.0 {
                        best = (aic, lambda);
                    }
                    c = linear.c;
                }
                Ok(best.1)
            }
        }
    }
}
