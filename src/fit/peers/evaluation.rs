//! The forward model and its derivatives, column by column.
//!
//! ```text
//! Ŷ = P ⊙ [ Σ_l c_l·F{ m_l · E_l · s_l } + B b ]        (the baseline outside of P where it does not turn)
//! E_l(t) = exp(−(γ_g + γ_l)t + i(ε_g + ε_l)t − g_g²t²),   P = exp(i(φ0 + φ1(δ − pivot)))
//! ```
//!
//! s_l is the common lineshape, or 1. F is the transform to what is compared ([`super::grid`]); where that are samples, φ1
//! delays the m_l ([`super::delay`]).

use num_complex::Complex64;

use super::delay::Delay;
use super::grid::Scratch;
use super::problem::Problem;
use super::settings::Domain;

/// −i: a shift's derivative is that of a damping turned by it.
const MINUS_I: Complex64 = Complex64::new(0.0, -1.0);

/// Columns at some parameters, and the scratch that they need.
pub(super) struct Evaluation {
    /// Column-major: amplitudes, baseline, nonlinear parameters.
    pub(super) columns: Vec<f64>,
    /// Observed components before the phases, one after the other.
    pub(super) spectra: Vec<Complex64>,
    modulated: Vec<Complex64>,
    pub(super) phase: Vec<Complex64>,
    shape: Vec<Complex64>,
    gauss: Vec<Vec<f64>>,
    fid: Vec<Complex64>,
    sum: Vec<Complex64>,
    pub(super) observed: Vec<Complex64>,
    transform: Scratch,
    delay: Option<Delay>,
}

impl Evaluation {
    pub(super) fn new(problem: &Problem<'_>) -> Self {
        let (grid, members) = (problem.grid, problem.members.len());
        let (n, m) = (grid.n_carried(), grid.n_observed);
        let zero = Complex64::default();
        Self {
            columns: vec![0.0; grid.n_rows() * (problem.n_linear() + problem.layout.len())],
            spectra: vec![zero; members * m],
            modulated: vec![zero; members * n],
            phase: vec![zero; m],
            shape: vec![zero; n],
            gauss: vec![vec![0.0; n]; problem.layout.groups.len()],
            fid: vec![zero; n],
            sum: vec![zero; n],
            observed: vec![zero; m],
            transform: grid.scratch(),
            delay: Delay::new(problem),
        }
    }

    /// The columns of amplitudes and baseline at the nonlinear parameters `p`.
    pub(super) fn linear_columns(&mut self, problem: &Problem<'_>, p: &[f64]) {
        let grid = problem.grid;
        let (n, m, rows) = (grid.n_carried(), grid.n_observed, grid.n_rows());
        problem.phase(p, &mut self.phase);
        if let Some(delay) = &mut self.delay {
            delay.turn(p[problem.layout.phi1()]);
        }
        problem.shape.factor(&p[..problem.layout.n_shape], &mut self.shape);
        problem.gauss(p, &mut self.gauss);
        for k in 0..problem.members.len() {
            let modulated = &mut self.modulated[k * n..(k + 1) * n];
            modulated.copy_from_slice(self.delay.as_ref().map_or_else(|| problem.fid(k), |d| d.fid(k)));
            problem.broaden(k, p, &self.gauss, modulated);
            if problem.component(k).takes_lineshape && problem.layout.n_shape > 0 {
                for ((o, z), s) in self.fid.iter_mut().zip(modulated.iter()).zip(&self.shape) {
                    *o = z * s;
                }
            } else {
                self.fid.copy_from_slice(modulated);
            }
            let spectrum = &mut self.spectra[k * m..(k + 1) * m];
            grid.observe_carried(&self.fid, &mut self.transform, spectrum);
            let turned = spectrum.iter().zip(&self.phase).map(|(s, p)| s * p);
            grid.real_rows(turned, &mut self.columns[k * rows..(k + 1) * rows]);
        }
        let first = problem.members.len();
        let phase = problem.turns_baseline.then_some(self.phase.as_slice());
        for j in 0..problem.baseline.n {
            let column = &mut self.columns[(first + j) * rows..(first + j + 1) * rows];
            problem.baseline.column(j, grid, phase, column);
        }
    }

    /// The columns of the nonlinear parameters, after [`Self::linear_columns`] at the same `p`, for the linear
    /// parameters `c`.
    pub(super) fn nonlinear_columns(&mut self, problem: &Problem<'_>, p: &[f64], c: &[f64]) {
        let layout = &problem.layout;
        let members = problem.members.len();
        if layout.n_shape > 0 {
            self.sum_of(problem, c, |k| problem.component(k).takes_lineshape, false);
            let sum = std::mem::take(&mut self.sum);
            for j in 0..layout.n_shape {
                problem.shape.derivative(&p[..layout.n_shape], j, &mut self.fid);
                self.fid.iter_mut().zip(&sum).for_each(|(d, s)| *d *= s);
                self.observe_fid(problem);
                self.put(problem, j, Complex64::new(1.0, 0.0));
            }
            self.sum = sum;
        }
        self.phase_columns(problem, p, c);
        for (group, places) in layout.groups.iter().enumerate() {
            if places.shift.is_none() && places.damping.is_none() && places.gauss.is_none() {
                continue;
            }
            self.sum_of(problem, c, |k| problem.component(k).group == group, true);
            self.weighted_by_time(problem, 1);
            self.put_rates(problem, places.damping, places.shift, 1.0);
            if let Some(i) = places.gauss {
                self.weighted_by_time(problem, 2);
                self.put(problem, i, Complex64::new(2.0 * p[i], 0.0));
            }
        }
        for k in 0..members {
            let places = layout.own[k];
            if places.shift.is_none() && places.damping.is_none() {
                continue;
            }
            let chosen = k;
            self.sum_of(problem, c, |k| k == chosen, true);
            self.weighted_by_time(problem, 1);
            self.put_rates(problem, places.damping, places.shift, 1.0);
        }
    }

    /// Σ c·m·E of the members that `take` says, with the lineshape where `shaped`.
    fn sum_of(&mut self, problem: &Problem<'_>, c: &[f64], take: impl Fn(usize) -> bool, shaped: bool) {
        let n = problem.grid.n_carried();
        self.sum.fill(Complex64::default());
        for k in (0..problem.members.len()).filter(|&k| c[k] != 0.0 && take(k)) {
            let modulated = &self.modulated[k * n..(k + 1) * n];
            if shaped && problem.layout.n_shape > 0 && problem.component(k).takes_lineshape {
                for ((o, z), s) in self.sum.iter_mut().zip(modulated).zip(&self.shape) {
                    *o += z * s * c[k];
                }
            } else {
                for (o, z) in self.sum.iter_mut().zip(modulated) {
                    *o += z * c[k];
                }
            }
        }
    }

    /// Observes −t^power times the sum.
    fn weighted_by_time(&mut self, problem: &Problem<'_>, power: i32) {
        for ((o, s), t) in self.fid.iter_mut().zip(&self.sum).zip(&problem.grid.time_s) {
            *o = s * -t.powi(power);
        }
        self.observe_fid(problem);
    }

    fn observe_fid(&mut self, problem: &Problem<'_>) {
        problem.grid.observe_carried(&self.fid, &mut self.transform, &mut self.observed);
    }

    fn put_rates(&mut self, problem: &Problem<'_>, damping: Option<usize>, shift: Option<usize>, factor: f64) {
        if let Some(i) = damping {
            self.put(problem, i, Complex64::new(factor, 0.0));
        }
        if let Some(i) = shift {
            self.put(problem, i, MINUS_I * factor);
        }
    }

    /// P ⊙ observed × `factor` as the column of nonlinear parameter `i`.
    fn put(&mut self, problem: &Problem<'_>, i: usize, factor: Complex64) {
        let rows = problem.grid.n_rows();
        let at = (problem.n_linear() + i) * rows;
        let values = self.observed.iter().zip(&self.phase).map(|(s, p)| s * p * factor);
        problem.grid.real_rows(values, &mut self.columns[at..at + rows]);
    }

    fn phase_columns(&mut self, problem: &Problem<'_>, p: &[f64], c: &[f64]) {
        let (grid, layout) = (problem.grid, &problem.layout);
        let (m, members) = (grid.n_observed, problem.members.len());
        let mut total = std::mem::take(&mut self.observed);
        if problem.turns_baseline {
            problem.baseline.sum(&c[members..], &mut total);
        } else {
            total.fill(Complex64::default());
        }
        for k in (0..members).filter(|&k| c[k] != 0.0) {
            for (o, s) in total.iter_mut().zip(&self.spectra[k * m..(k + 1) * m]) {
                *o += s * c[k];
            }
        }
        self.observed = total;
        self.put(problem, layout.phi0(), -MINUS_I);
        if grid.domain == Domain::Time {
            self.delay_sum(problem, p, c);
            self.observe_fid(problem);
        } else {
            for (o, ppm) in self.observed.iter_mut().zip(&grid.ppm) {
                *o *= ppm - problem.pivot_ppm;
            }
        }
        self.put(problem, layout.phi1(), -MINUS_I);
    }

    /// Σ c·∂m/∂φ1·E without its factor i: zero where there is no first-order phase.
    fn delay_sum(&mut self, problem: &Problem<'_>, p: &[f64], c: &[f64]) {
        self.fid.fill(Complex64::default());
        let Some(delay) = &mut self.delay else { return };
        for k in (0..problem.members.len()).filter(|&k| c[k] != 0.0) {
            delay.derivative(k, &mut self.sum);
            problem.broaden(k, p, &self.gauss, &mut self.sum);
            let shaped = problem.layout.n_shape > 0 && problem.component(k).takes_lineshape;
            for ((o, z), s) in self.fid.iter_mut().zip(&self.sum).zip(&self.shape) {
                *o += if shaped { z * s } else { *z } * c[k];
            }
        }
    }
}
