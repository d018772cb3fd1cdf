//! Weighted least squares with the linear parameters solved for at every step.
//!
//! Levenberg–Marquardt over all parameters, of whose step places, widths and phase are taken; areas and background then
//! follow (variable projection in Kaufman's form). Bounds hold by an active set: who lies on one and wants beyond stays.

use super::target::Target;
use crate::fit::linalg::{self, NotPositiveDefinite, symmetric};

const FIRST_DAMPING: f64 = 1e-3;
/// Damping beyond which no step is worth trying.
const MOST_DAMPING: f64 = 1e9;

/// Where a fit stopped.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    /// Places and widths (ppm), phase (rad).
    pub(super) p: Vec<f64>,
    /// Areas and background.
    pub(super) c: Vec<f64>,
    /// Weighted sum of squares.
    pub(super) rss: f64,
    pub(super) n_iterations: usize,
    pub(super) converged: bool,
}

/// Jacobian (linear parameters, then places, widths and phase) and residual at a point, each row times the root of its
/// weight.
pub(super) struct Weighted {
    pub(super) jacobian: Vec<f64>,
    pub(super) residual: Vec<f64>,
}

impl Weighted {
    pub(super) fn new(target: &Target, y: &[f64], p: &[f64], c: &[f64]) -> Self {
        let rows = target.n_rows();
        let columns = target.columns(p);
        let mut residual = y.to_vec();
        for (column, c) in columns.linear.chunks_exact(rows).zip(c) {
            residual.iter_mut().zip(column).for_each(|(r, v)| *r -= c * v);
        }
        let mut jacobian = columns.linear;
        for (i, column) in columns.derivatives.chunks_exact(rows).enumerate() {
            jacobian.extend(column.iter().map(|v| v * c[i / 2]));
        }
        let by_phase = jacobian.len();
        jacobian.resize(by_phase + rows, 0.0);
        for (column, c) in columns.by_phase.chunks_exact(rows).zip(c) {
            jacobian[by_phase..].iter_mut().zip(column).for_each(|(sum, v)| *sum += c * v);
        }
        let roots: Vec<f64> = target.weights.iter().map(|w| w.sqrt()).collect();
        for column in jacobian.chunks_exact_mut(rows).chain(std::iter::once(residual.as_mut_slice())) {
            column.iter_mut().zip(&roots).for_each(|(v, root)| *v *= root);
        }
        Self { jacobian, residual }
    }

    /// JᵀJ of all columns, lower triangle.
    pub(super) fn gram(&self, n: usize) -> Vec<f64> {
        let mut h = vec![0.0; n * n];
        linalg::gram(&self.jacobian, self.residual.len(), n, &mut h);
        h
    }

    fn gradient(&self) -> Vec<f64> {
        let rows = self.residual.len();
        self.jacobian.chunks_exact(rows).map(|column| dot(column, &self.residual)).collect()
    }
}

/// The least weighted sum of squares for the window `y`.
pub(super) fn minimise(
    target: &Target,
    y: &[f64],
    max_iterations: usize,
    tolerance: f64,
) -> Result<Solution, NotPositiveDefinite> {
    let (bounds, n_linear) = (target.bounds(), target.n_linear());
    let n = n_linear + bounds.len();
    let start = target.start();
    let (c, rss) = linear(target, y, &start)?;
    let mut now = Solution { p: start, c, rss, n_iterations: 0, converged: false };
    let mut damping = FIRST_DAMPING;
    while now.n_iterations < max_iterations && !now.converged {
        now.n_iterations += 1;
        let weighted = Weighted::new(target, y, &now.p, &now.c);
        let (h, g) = (weighted.gram(n), weighted.gradient());
        let moves = |i: usize| {
            let Some(j) = i.checked_sub(n_linear) else { return true };
            let ([low, high], at) = (bounds[j], now.p[j]);
            // A peak without area has no place.
            h[i * n + i] > 0.0 && low < high && !(at <= low && g[i] < 0.0) && !(at >= high && g[i] > 0.0)
        };
        let free: Vec<usize> = (0..n).filter(|&i| moves(i)).collect();
        loop {
            let step = solve(&h, n, &free, &g, damping)?;
            let clamped = |j: usize| (now.p[j] + step[n_linear + j]).clamp(bounds[j][0], bounds[j][1]);
            let trial: Vec<f64> = (0..bounds.len()).map(clamped).collect();
            let (c, rss) = linear(target, y, &trial)?;
            if rss <= now.rss {
                now.converged = now.rss - rss <= tolerance * now.rss;
                (now.p, now.c, now.rss) = (trial, c, rss);
                damping *= 0.1;
                break;
            }
            damping *= 10.0;
            if damping > MOST_DAMPING {
                now.converged = true;
                break;
            }
        }
    }
    Ok(now)
}

/// Areas and background at places, widths and phase `p`, and the weighted sum of squares.
fn linear(target: &Target, y: &[f64], p: &[f64]) -> Result<(Vec<f64>, f64), NotPositiveDefinite> {
    let n = target.n_linear();
    let mut weighted = Weighted::new(target, y, p, &vec![0.0; n]);
    weighted.jacobian.truncate(n * target.n_rows());
    let all: Vec<usize> = (0..n).collect();
    let c = solve(&weighted.gram(n), n, &all, &weighted.gradient(), 0.0)?;
    let rows = target.n_rows();
    for (column, c) in weighted.jacobian.chunks_exact(rows).zip(&c) {
        weighted.residual.iter_mut().zip(column).for_each(|(r, v)| *r -= c * v);
    }
    Ok((c, dot(&weighted.residual, &weighted.residual)))
}

/// Solution of (H + damping·diag H)·x = g on the indices `free`; zero elsewhere.
fn solve(h: &[f64], n: usize, free: &[usize], g: &[f64], damping: f64) -> Result<Vec<f64>, NotPositiveDefinite> {
    let factor = Factor::new(h, n, free, damping)?;
    let mut rhs: Vec<f64> = free.iter().zip(&factor.scale).map(|(&i, s)| g[i] * s).collect();
    linalg::solve_lower(&factor.lower, free.len(), &mut rhs, 1);
    linalg::solve_lower_transposed(&factor.lower, free.len(), &mut rhs);
    let mut x = vec![0.0; n];
    for ((&i, s), value) in free.iter().zip(&factor.scale).zip(rhs) {
        x[i] = value * s;
    }
    Ok(x)
}

/// Inverse of H on the indices `free`, all elements.
pub(super) fn inverse(h: &[f64], n: usize, free: &[usize]) -> Result<Vec<f64>, NotPositiveDefinite> {
    let Factor { lower, scale } = Factor::new(h, n, free, 0.0)?;
    let m = free.len();
    let mut half = vec![0.0; m * m];
    linalg::inverse_from_factor(&lower, m, &mut half, &mut linalg::Scratch::for_size(m));
    Ok((0..m * m).map(|k| symmetric(&half, m, k % m, k / m) * scale[k % m] * scale[k / m]).collect())
}

/// Cholesky factor of H + damping·diag H, scaled to ones on the diagonal.
struct Factor {
    lower: Vec<f64>,
    scale: Vec<f64>,
}

impl Factor {
    fn new(h: &[f64], n: usize, free: &[usize], damping: f64) -> Result<Self, NotPositiveDefinite> {
        let m = free.len();
        let scale: Vec<f64> = free.iter().map(|&i| 1.0 / h[i * n + i].max(f64::MIN_POSITIVE).sqrt()).collect();
        let mut lower = vec![0.0; m * m];
        for (b, &j) in free.iter().enumerate() {
            for (a, &i) in free.iter().enumerate().skip(b) {
                lower[b * m + a] = symmetric(h, n, i, j) * scale[a] * scale[b];
            }
            lower[b * m + b] += damping;
        }
        linalg::cholesky(&mut lower, m)?;
        Ok(Self { lower, scale })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
