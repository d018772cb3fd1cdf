//! Least squares with bounds on normal equations: min ½xᵀHx − gᵀx, lower ≤ x ≤ upper.
//!
//! Active sets as in Lawson & Hanson, *Solving Least Squares Problems* (1974), chapter 23, with upper bounds beside
//! the lower ones (Stark & Parker 1995). Variables without bounds are always free, which makes it LCModel's
//! partially non-negative least squares.

use crate::fit::linalg;

/// H is not positive definite on the free variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Singular;

/// Relative size of a multiplier that counts as zero.
const ZERO_MULTIPLIER: f64 = 1e-11;
/// Added to the diagonal (relative) where a first factorisation fails.
const RIDGE: f64 = 1e-10;

/// The bound that a step meets first.
#[derive(Debug, Clone, Copy)]
struct Blocking {
    variable: usize,
    bound: f64,
    /// Part of the step up to there.
    fraction: f64,
}

/// Scratch, reused from system to system.
pub(super) struct Bounded {
    scale: Vec<f64>,
    free: Vec<usize>,
    is_free: Vec<bool>,
    sub: Vec<f64>,
    rhs: Vec<f64>,
    refused: Vec<bool>,
}

impl Bounded {
    pub(super) fn for_size(n: usize) -> Self {
        Self {
            scale: vec![0.0; n],
            free: Vec::with_capacity(n),
            is_free: vec![false; n],
            sub: vec![0.0; n * n],
            rhs: vec![0.0; n],
            refused: vec![false; n],
        }
    }

    /// Minimises over `x`, whose value on entry is where the search begins. `h` is a full symmetric matrix.
    /// Variables whose diagonal is zero, and those with equal bounds, stay where they are.
    pub(super) fn minimise(
        &mut self,
        h: &[f64],
        g: &[f64],
        lower: &[f64],
        upper: &[f64],
        x: &mut [f64],
    ) -> Result<(), Singular> {
        let n = g.len();
        let zero = ZERO_MULTIPLIER * self.begin(h, g, lower, upper, x);
        let mut entered = None;
        // Each round frees one variable or holds at least one: finite, and bounded here against rounding.
        for _ in 0..10 * n + 10 {
            self.solve_free(h, g, x)?;
            let blocking = self.blocking(lower, upper, x);
            // A variable that was let go and would turn back at once: rounding; leave it where it was.
            if let (Some(i), Some(Blocking { variable, fraction, .. })) = (entered, blocking)
                && i == variable
                && fraction <= 0.0
            {
                self.is_free[i] = false;
                self.refused[i] = true;
            } else if let Some(Blocking { variable, bound, fraction }) = blocking {
                for (&i, &z) in self.free.iter().zip(&self.rhs) {
                    x[i] += fraction * (z - x[i]);
                }
                x[variable] = bound;
                self.is_free[variable] = false;
                entered = None;
                continue;
            } else {
                for (&i, &z) in self.free.iter().zip(&self.rhs) {
                    x[i] = z;
                }
                self.refused[..n].fill(false);
            }
            entered = self.most_wanting(h, g, lower, upper, x, zero);
            match entered {
                Some(i) => self.is_free[i] = true,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Scales the variables, brings `x` within its bounds and frees what is between them; the largest scaled gradient.
    fn begin(&mut self, h: &[f64], g: &[f64], lower: &[f64], upper: &[f64], x: &mut [f64]) -> f64 {
        let n = g.len();
        let mut largest: f64 = 0.0;
        for i in 0..n {
            let d = h[i * n + i];
            self.scale[i] = if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 };
            largest = largest.max((g[i] * self.scale[i]).abs());
            x[i] = x[i].clamp(lower[i], upper[i]);
            self.is_free[i] = self.scale[i] > 0.0 && lower[i] < x[i] && x[i] < upper[i];
        }
        self.refused[..n].fill(false);
        largest
    }

    /// What ends the way from `x` to the solution on the free variables first.
    fn blocking(&self, lower: &[f64], upper: &[f64], x: &[f64]) -> Option<Blocking> {
        let mut first = None;
        let mut shortest = 1.0;
        for (&i, &z) in self.free.iter().zip(&self.rhs) {
            let bound = if z < lower[i] {
                lower[i]
            } else if z > upper[i] {
                upper[i]
            } else {
                continue;
            };
            let fraction = if z == x[i] { 0.0 } else { (bound - x[i]) / (z - x[i]) };
            if fraction < shortest {
                shortest = fraction;
                first = Some(Blocking { variable: i, bound, fraction });
            }
        }
        first
    }

    /// Solution on the free variables, the others held, into `rhs`.
    fn solve_free(&mut self, h: &[f64], g: &[f64], x: &[f64]) -> Result<(), Singular> {
        let n = g.len();
        self.free.clear();
        self.free.extend((0..n).filter(|&i| self.is_free[i]));
        let m = self.free.len();
        if m == 0 {
            return Ok(());
        }
        for (a, &i) in self.free.iter().enumerate() {
            let column = &h[i * n..(i + 1) * n];
            let mut rest = g[i];
            for j in 0..n {
                if !self.is_free[j] && x[j] != 0.0 {
                    rest -= column[j] * x[j];
                }
            }
            self.rhs[a] = rest * self.scale[i];
        }
        for ridge in [0.0, RIDGE] {
            for (a, &i) in self.free.iter().enumerate() {
                let column = &h[i * n..(i + 1) * n];
                for (b, &j) in self.free.iter().enumerate().skip(a) {
                    self.sub[a * m + b] = column[j] * self.scale[i] * self.scale[j];
                }
                self.sub[a * m + a] += ridge;
            }
            if linalg::cholesky(&mut self.sub, m).is_ok() {
                linalg::solve_lower(&self.sub, m, &mut self.rhs[..m], 1);
                linalg::solve_lower_transposed(&self.sub, m, &mut self.rhs[..m]);
                for (a, &i) in self.free.iter().enumerate() {
                    self.rhs[a] *= self.scale[i];
                }
                return Ok(());
            }
        }
        Err(Singular)
    }

    /// The held variable whose bound costs most.
    fn most_wanting(&self, h: &[f64], g: &[f64], lower: &[f64], upper: &[f64], x: &[f64], zero: f64) -> Option<usize> {
        let n = g.len();
        let mut best = (zero, None);
        for i in (0..n).filter(|&i| !self.is_free[i] && !self.refused[i] && lower[i] < upper[i]) {
            let column = &h[i * n..(i + 1) * n];
            let slope = (g[i] - column.iter().zip(x).map(|(a, b)| a * b).sum::<f64>()) * self.scale[i];
            let wanting = if x[i] <= lower[i] { slope } else { -slope };
            if wanting > best.0 {
                best = (wanting, Some(i));
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// A system with known solution: the one whose gradient is zero on free variables and points outwards on held.
    #[test]
    fn solutions_satisfy_the_conditions_of_kuhn_and_tucker() {
        let n = 9;
        for seed in 0..40_u64 {
            let mut state = 7 + seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
            };
            let a: Vec<f64> = (0..14 * n).map(|_| next()).collect();
            let mut h = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    h[i * n + j] = (0..14).map(|r| a[i * 14 + r] * a[j * 14 + r]).sum();
                }
            }
            let g: Vec<f64> = (0..n).map(|_| 3.0 * next()).collect();
            let lower: Vec<f64> = (0..n).map(|i| if i % 3 == 0 { f64::NEG_INFINITY } else { 0.0 }).collect();
            let upper: Vec<f64> = (0..n).map(|i| if i % 4 == 1 { 0.2 } else { f64::INFINITY }).collect();
            let mut x = vec![0.0; n];
            Bounded::for_size(n).minimise(&h, &g, &lower, &upper, &mut x).unwrap();
            for i in 0..n {
                let slope = g[i] - (0..n).map(|j| h[i * n + j] * x[j]).sum::<f64>();
                assert!(x[i] >= lower[i] && x[i] <= upper[i]);
                if x[i] > lower[i] && x[i] < upper[i] {
                    assert!(slope.abs() < 1e-8, "{seed} {i} {slope}");
                } else if x[i] == lower[i] {
                    assert!(slope <= 1e-8, "{seed} {i} {slope}");
                } else {
                    assert!(slope >= -1e-8, "{seed} {i} {slope}");
                }
            }
        }
    }
}
