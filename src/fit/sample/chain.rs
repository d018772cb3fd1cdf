//! Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011, arXiv:1206.1901) in coordinates in which the posterior is nearly
//! a unit Gaussian: the Laplace approximation is the mass matrix. Bounds are walls ([`Shape`]) from which
//! trajectories bounce (section 5.1 of Neal 2011).

use super::walls::Shape;
use crate::random::Random;

/// Acceptance that the step is adapted to during warm-up (Neal 2011, section 5.4.3: 0.65 is optimal, higher is safer where
/// curvature varies).
const TARGET_ACCEPTANCE: f64 = 0.8;
/// Leapfrog steps of a trajectory, least and most: random, so that no direction comes back to where it started. At the step
/// that is adapted (about 0.3) the middle is a quarter of a period of the unit Gaussian.
const LEAPFROG_STEPS: (usize, usize) = (3, 8);
/// Length of the first step.
const FIRST_STEP: f64 = 0.3;

/// Draws of one chain, one after the other, each of all parameters.
///
/// `potential(x, gradient)` is minus the logarithm of the density and fills the gradient. The chain starts a random straight
/// way from the shape's centre, adapts its step over `n_warmup` trajectories (dual averaging: Hoffman & Gelman 2014,
/// section 3.2) and keeps the `n_draws` that follow.
pub(super) fn chain(
    mut potential: impl FnMut(&[f64], &mut [f64]) -> f64,
    shape: &Shape<'_>,
    (n_warmup, n_draws): (usize, usize),
    random: &mut Random,
) -> Vec<f64> {
    let n = shape.n();
    let mut gradient = vec![0.0; n];
    let mut at = |place: &Place| {
        let mut slope = std::mem::take(&mut gradient);
        let energy = potential(&place.x, &mut slope);
        gradient.clone_from(&slope);
        shape.whiten(&mut slope);
        (energy, slope)
    };
    let mut momentum: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let mut now = Place { z: vec![0.0; n], x: shape.centre().to_vec() };
    now.drift(shape, &mut momentum, 1.0);
    let (mut energy, mut slope) = at(&now);
    let mut adaptation = Adaptation::new(FIRST_STEP);
    let mut draws = Vec::with_capacity(n_draws * n);
    for draw in 0..n_warmup + n_draws {
        let step = if draw < n_warmup { adaptation.step } else { adaptation.averaged() };
        let (mut next, mut next_energy, mut next_slope) = (now.clone(), energy, slope.clone());
        momentum.iter_mut().for_each(|p| *p = random.normal());
        let before = energy + kinetic(&momentum);
        let (least, most) = LEAPFROG_STEPS;
        let n_steps = least + (random.uniform() * (most - least + 1) as f64) as usize;
        for _ in 0..n_steps.min(most) {
            kick(&mut momentum, &next_slope, 0.5 * step);
            next.drift(shape, &mut momentum, step);
            (next_energy, next_slope) = at(&next);
            kick(&mut momentum, &next_slope, 0.5 * step);
        }
        let after = next_energy + kinetic(&momentum);
        let acceptance = if after.is_finite() { (before - after).exp().min(1.0) } else { 0.0 };
        if random.uniform() < acceptance {
            (now, energy, slope) = (next, next_energy, next_slope);
        }
        if draw < n_warmup {
            adaptation.learn(acceptance);
        } else {
            draws.extend_from_slice(&now.x);
        }
    }
    draws
}

/// A point, in whitened coordinates and as parameters.
#[derive(Clone)]
struct Place {
    z: Vec<f64>,
    x: Vec<f64>,
}

impl Place {
    /// Straight on for `time`, bouncing.
    fn drift(&mut self, shape: &Shape<'_>, momentum: &mut [f64], time: f64) {
        shape.drift(&mut self.z, &self.x, momentum, time);
        shape.place(&self.z, &mut self.x);
    }
}

fn kick(momentum: &mut [f64], slope: &[f64], time: f64) {
    momentum.iter_mut().zip(slope).for_each(|(p, g)| *p -= time * g);
}

fn kinetic(momentum: &[f64]) -> f64 {
    0.5 * momentum.iter().map(|p| p * p).sum::<f64>()
}

/// Dual averaging of the step's logarithm, with the constants of Hoffman & Gelman 2014.
struct Adaptation {
    step: f64,
    start: f64,
    error: f64,
    average: f64,
    count: f64,
}

impl Adaptation {
    fn new(step: f64) -> Self {
        Self { step, start: step.ln(), error: 0.0, average: step.ln(), count: 0.0 }
    }

    fn learn(&mut self, acceptance: f64) {
        const GAMMA: f64 = 0.05;
        const T0: f64 = 10.0;
        const KAPPA: f64 = 0.75;
        self.count += 1.0;
        let share = 1.0 / (self.count + T0);
        self.error = (1.0 - share) * self.error + share * (TARGET_ACCEPTANCE - acceptance);
        let log_step = (self.start - self.count.sqrt() / GAMMA * self.error).clamp(-5.0, 0.5);
        let weight = self.count.powf(-KAPPA);
        self.average = weight * log_step + (1.0 - weight) * self.average;
        self.step = log_step.exp();
    }

    fn averaged(&self) -> f64 {
        self.average.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlated_gaussian_comes_back_from_a_wrong_shape() {
        // Variances 1 and 4, correlation 0.8; the shape that the chain is given knows half of that.
        let (v1, v2, cov) = (1.0, 4.0, 1.6);
        let determinant = v1 * v2 - cov * cov;
        let (a, b, c) = (v2 / determinant, v1 / determinant, -cov / determinant);
        let potential = |u: &[f64], g: &mut [f64]| {
            let (x, y) = (u[0] - 3.0, u[1] + 1.0);
            g[0] = a * x + c * y;
            g[1] = b * y + c * x;
            0.5 * (a * x * x + b * y * y) + c * x * y
        };
        let factor = [1.0, 0.0, 0.0, 0.6];
        let shape = Shape::new(&factor, &[2.0, 0.0], []);
        let draws = chain(potential, &shape, (300, 20_000), &mut Random::new(1, 0));
        let n = draws.len() as f64 / 2.0;
        let mean = |i: usize| draws.iter().skip(i).step_by(2).sum::<f64>() / n;
        let (mx, my) = (mean(0), mean(1));
        let product = |i: usize, j: usize, mi: f64, mj: f64| {
            draws.chunks_exact(2).map(|d| (d[i] - mi) * (d[j] - mj)).sum::<f64>() / n
        };
        // 20,000 draws, nearly independent: 1.5 % of a variance is three standard errors of a mean of squares.
        assert!((mx - 3.0).abs() < 0.03 && (my + 1.0).abs() < 0.06, "{mx} {my}");
        assert!((product(0, 0, mx, mx) - v1).abs() < 0.05, "{}", product(0, 0, mx, mx));
        assert!((product(1, 1, my, my) - v2).abs() < 0.2, "{}", product(1, 1, my, my));
        assert!((product(0, 1, mx, my) - cov).abs() < 0.1, "{}", product(0, 1, mx, my));
    }

    #[test]
    fn a_cut_gaussian_has_its_known_moments() {
        // Unit variances, correlation −0.9, both cut at zero, one above as well, from a centre on the walls' corner: the two
        // compete, and the chain must wander along the ridge. The referee is a grid.
        const CEILING: f64 = 1.25;
        let rho = -0.9_f64;
        let scale = 1.0 / (1.0 - rho * rho);
        let energy = |x: f64, y: f64| {
            let (x, y) = (x - 0.3, y - 0.5);
            0.5 * scale * (x * x + y * y - 2.0 * rho * x * y)
        };
        let potential = |u: &[f64], g: &mut [f64]| {
            let (x, y) = (u[0] - 0.3, u[1] - 0.5);
            g[0] = scale * (x - rho * y);
            g[1] = scale * (y - rho * x);
            energy(u[0], u[1])
        };
        // Factor of the inverse covariance.
        let a = scale.sqrt();
        let factor = [a, -rho * a, 0.0, 1.0];
        let shape = Shape::new(&factor, &[0.0, 0.8], [[0.0, CEILING], [0.0, f64::INFINITY]]);
        let draws = chain(potential, &shape, (300, 40_000), &mut Random::new(2, 0));
        assert!(draws.chunks_exact(2).all(|d| (-1e-9..=CEILING + 1e-9).contains(&d[0]) && d[1] > -1e-9));
        let n = draws.len() as f64 / 2.0;
        let mean = |f: &dyn Fn(f64, f64) -> f64| draws.chunks_exact(2).map(|d| f(d[0], d[1])).sum::<f64>() / n;
        let grid: Vec<f64> = (0..400).map(|i| (f64::from(i) + 0.5) * 0.0125).collect();
        let integral = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            grid.iter()
                .flat_map(|&x| grid.iter().map(move |&y| (x, y)))
                .filter(|(x, _)| *x < CEILING)
                .map(|(x, y)| f(x, y) * (-energy(x, y)).exp())
                .sum()
        };
        let all = integral(&|_, _| 1.0);
        let moments: [&dyn Fn(f64, f64) -> f64; 4] = [&|x, _| x, &|_, y| y, &|x, _| x * x, &|x, y| x * y];
        for f in moments {
            let (found, expected) = (mean(f), integral(f) / all);
            assert!((found / expected - 1.0).abs() < 0.03, "{found} instead of {expected}");
        }
    }
}
