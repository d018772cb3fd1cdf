//! Baselines: their columns, and the matrix of their roughness.

use num_complex::Complex64;

use super::grid::Grid;
use super::settings::{Baseline as Kind, Domain};
use crate::fit::baseline::{Baseline as Splines, ORDER};

/// Smallest number of splines (LCModel's NBCKMN).
const FEWEST_SPLINES: usize = 6;

/// A baseline on the points that are compared.
#[derive(Clone)]
pub(super) struct Baseline {
    /// Number of coefficients.
    pub(super) n: usize,
    /// Values, one function after the other; the real and the imaginary part of complex data have their own.
    functions: Vec<Vec<f64>>,
    /// Whether each function stands for real and imaginary part apart.
    parts: bool,
    /// Matrix of the roughness, full, `n` × `n`; empty where there is none.
    pub(super) roughness: Vec<f64>,
}

impl Baseline {
    pub(super) fn none() -> Self {
        Self { n: 0, functions: Vec::new(), parts: false, roughness: Vec::new() }
    }

    /// The baseline of `kind`; `width_ppm` is the width of the start's lines and `height` the data's root mean
    /// square, in which LCModel's splines are counted. `in_start`: the one of the start's own fits.
    pub(super) fn new(kind: &Kind, grid: &Grid, width_ppm: f64, height: f64, in_start: bool) -> Self {
        let parts = grid.domain != Domain::RealSpectrum;
        let (high, low) = (grid.ppm[0], grid.ppm[grid.ppm.len() - 1]);
        match *kind {
            Kind::None {} | Kind::SmoothedResidual { .. } => Self::none(),
            Kind::Polynomial { order } => {
                let middle = 0.5 * (high + low);
                let functions = (0..=order)
                    .map(|k| {
                        let x = grid.ppm.iter().map(|ppm| (ppm - middle) / (high - middle));
                        x.map(|x| height * legendre(k, x)).collect()
                    })
                    .collect();
                Self::of(functions, parts, Vec::new())
            }
            Kind::Spline { spacing_ppm, spacing_widths, start_spacing_widths, .. } => {
                let widths = if in_start { start_spacing_widths } else { spacing_widths };
                let spacing = spacing_ppm.max(width_ppm * widths);
                let n = (((high - low) / spacing).round() as usize + ORDER - 1).max(FEWEST_SPLINES);
                let intervals = n + 1 - ORDER;
                let distance = (high - low) / intervals as f64;
                // Of unit area over ppm.
                let functions = spline_functions(grid, intervals, height / distance);
                let n = functions.len();
                let scale = distance.powi(-8);
                let roughness = lcmodel_roughness(n).into_iter().map(|v| v * scale).collect();
                Self::of(functions, parts, roughness)
            }
            Kind::PSpline { per_ppm, .. } => {
                let intervals = ((high - low) * per_ppm).round().max(1.0) as usize;
                let functions = spline_functions(grid, intervals, height);
                let n = functions.len();
                Self::of(functions, parts, second_differences(n))
            }
        }
    }

    fn of(functions: Vec<Vec<f64>>, parts: bool, one: Vec<f64>) -> Self {
        let m = functions.len();
        let n = if parts { 2 * m } else { m };
        let mut roughness = one;
        if parts && !roughness.is_empty() {
            let mut both = vec![0.0; n * n];
            for i in 0..m {
                for j in 0..m {
                    both[i * n + j] = roughness[i * m + j];
                    both[(i + m) * n + j + m] = roughness[i * m + j];
                }
            }
            roughness = both;
        }
        Self { n, functions, parts, roughness }
    }

    /// Values of the functions, one function after the other.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.functions.iter().flatten().copied()
    }

    /// Column `j`; `phase` turns it, or is `None` where the baseline does not turn with the phases.
    pub(super) fn column(&self, j: usize, grid: &Grid, phase: Option<&[Complex64]>, out: &mut [f64]) {
        let m = self.functions.len();
        let unit = if j < m { Complex64::new(1.0, 0.0) } else { Complex64::new(0.0, 1.0) };
        let values = &self.functions[j % m];
        match phase {
            Some(phase) => grid.real_rows(values.iter().zip(phase).map(|(v, p)| p * unit * *v), out),
            None => grid.real_rows(values.iter().map(|v| unit * *v), out),
        }
    }

    /// Complex value of the baseline before the phases, at each point.
    pub(super) fn sum(&self, coefficients: &[f64], out: &mut [Complex64]) {
        out.fill(Complex64::default());
        let m = self.functions.len();
        for (j, &b) in coefficients.iter().enumerate() {
            let factor = if self.parts && j >= m { Complex64::new(0.0, b) } else { Complex64::new(b, 0.0) };
            for (o, v) in out.iter_mut().zip(&self.functions[j % m.max(1)]) {
                *o += factor * *v;
            }
        }
    }

    /// Re Σ q·(function) over the points, for each coefficient.
    pub(super) fn project(&self, q: &[Complex64], out: &mut [f64]) {
        let m = self.functions.len();
        for (j, o) in out.iter_mut().enumerate() {
            let function = self.functions[j % m].iter().zip(q);
            *o = if self.parts && j >= m {
                -function.map(|(v, z)| v * z.im).sum::<f64>()
            } else {
                function.map(|(v, z)| v * z.re).sum()
            };
        }
    }

    /// bᵀ·roughness·b.
    pub(super) fn penalty(&self, coefficients: &[f64]) -> f64 {
        if self.roughness.is_empty() {
            return 0.0;
        }
        let rows = self.roughness.chunks(self.n);
        rows.zip(coefficients).map(|(row, b)| b * row.iter().zip(coefficients).map(|(r, c)| r * c).sum::<f64>()).sum()
    }
}

fn spline_functions(grid: &Grid, intervals: usize, height: f64) -> Vec<Vec<f64>> {
    let range = grid.ppm[0] - grid.ppm[grid.ppm.len() - 1];
    let splines = Splines::new(&grid.ppm, intervals as f64 / range);
    let mut functions = vec![vec![0.0; grid.ppm.len()]; splines.n_splines];
    for (k, (&first, values)) in splines.first.iter().zip(&splines.values).enumerate() {
        for (a, v) in values.iter().enumerate() {
            functions[first + a][k] = height * v;
        }
    }
    functions
}

/// LCModel's matrix of ∫B″B″ on unit knots, up to a factor (GBACKG): the ends have no boundary conditions. Taken with
/// its negative eigenvalues, of which there are none but rounding.
fn lcmodel_roughness(n: usize) -> Vec<f64> {
    let mut g = vec![0.0; n * n];
    let mut put = |i: usize, j: usize, v: f64| {
        g[i * n + j] = v;
        g[j * n + i] = v;
    };
    for i in 0..n {
        put(i, i, 16.0);
        if i + 1 < n {
            put(i, i + 1, -9.0);
        }
        if i + 3 < n {
            put(i, i + 3, 1.0);
        }
    }
    for (i, j, v) in [(0, 0, 2.0), (0, 1, -3.0), (1, 1, 8.0), (1, 2, -6.0), (2, 2, 14.0)] {
        put(i, j, v);
        put(n - 1 - i, n - 1 - j, v);
    }
    g
}

/// D₂ᵀD₂.
fn second_differences(n: usize) -> Vec<f64> {
    let mut p = vec![0.0; n * n];
    for row in 0..n.saturating_sub(2) {
        for (a, va) in [1.0, -2.0, 1.0].into_iter().enumerate() {
            for (b, vb) in [1.0, -2.0, 1.0].into_iter().enumerate() {
                p[(row + a) * n + row + b] += va * vb;
            }
        }
    }
    p
}

/// Legendre polynomial of order `k`.
fn legendre(k: usize, x: f64) -> f64 {
    let (mut before, mut now) = (1.0, x);
    if k == 0 {
        return before;
    }
    for i in 1..k {
        let i = i as f64;
        (before, now) = (now, ((2.0 * i + 1.0) * x * now - i * before) / (i + 1.0));
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_not_rough() {
        for n in [6, 9, 28] {
            let line: Vec<f64> = (0..n).map(|i| 2.0 - 0.3 * i as f64).collect();
            let g = lcmodel_roughness(n);
            let value =
                |v: &[f64]| -> f64 { (0..n).map(|i| (0..n).map(|j| v[i] * g[i * n + j] * v[j]).sum::<f64>()).sum() };
            assert!(value(&line).abs() < 1e-9, "{n}: {}", value(&line));
            let bent: Vec<f64> = (0..n).map(|i| (i as f64).powi(2)).collect();
            assert!(value(&bent) > 1.0);
        }
    }

    #[test]
    fn legendre_polynomials_are_one_at_one() {
        for k in 0..6 {
            assert!((legendre(k, 1.0) - 1.0).abs() < 1e-12);
        }
        assert!((legendre(2, 0.5) - (-0.125)).abs() < 1e-12);
    }
}
