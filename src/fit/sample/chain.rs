//! Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011, arXiv:1206.1901) in coordinates in which the posterior is nearly
//! a unit Gaussian: the Laplace approximation is the mass matrix. Bounds are walls ([`Shape`]) from which
//! trajectories bounce (section 5.1 of Neal 2011).

use super::walls::Shape;
use crate::interrupt;
use crate::random::Random;

/// Acceptance that the step is adapted to during warm-up (Neal 2011, section 5.4.3: 0.65 is optimal, higher is safer where
/// curvature varies).
const TARGET_ACCEPTANCE: f64 = 0.8;
/// Length of a trajectory, least and most: random, so that no direction comes back to where it started; the middle is a
/// quarter of a period of the unit Gaussian, after which a draw has forgotten the one before.
const LENGTH: (f64, f64) = (0.8, 2.4);
/// Most leapfrog steps of a trajectory, where the step had to become small.
const MOST_STEPS: usize = 20;
/// Length of the first step.
const FIRST_STEP: f64 = 0.3;
/// Part of the warm-up after which the coordinates are scaled to what the chain has seen since its first quarter.
const SCALED_AFTER: f64 = 0.6;

/// Draws of one chain, one after the other, each of all parameters.
///
/// `potential(x, gradient)` is minus the logarithm of the density and fills the gradient. The chain starts a random straight
/// way from the shape's centre, adapts its step (dual averaging: Hoffman & Gelman 2014, section 3.2) and the scale of each
/// coordinate over `n_warmup` trajectories, and keeps the `n_draws` that follow.
pub(super) fn chain(
    mut potential: impl FnMut(&[f64], &mut [f64]) -> f64,
    shape: &Shape,
    (n_warmup, n_draws): (usize, usize),
    random: &mut Random,
) -> Vec<f64> {
    let n = shape.n();
    let mut momentum: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let mut walk = Walk::new(&mut potential, shape.clone());
    walk.now.drift(&walk.shape, &mut momentum, 1.0);
    walk.arrive();
    let mut adaptation = Adaptation::new(FIRST_STEP);
    let n_scaling = (SCALED_AFTER * n_warmup as f64) as usize;
    let mut seen = Vec::new();
    for draw in 0..n_warmup {
        adaptation.learn(walk.trajectory(adaptation.step, random));
        if (n_scaling / 4..n_scaling).contains(&draw) {
            seen.push(walk.now.z.clone());
        }
        if draw + 1 == n_scaling {
            walk.rescale(&spreads(&seen));
            adaptation = Adaptation::new(adaptation.averaged());
        }
    }
    let mut draws = Vec::with_capacity(n_draws * n);
    for _ in 0..n_draws {
        walk.trajectory(adaptation.averaged(), random);
        draws.extend_from_slice(&walk.now.x);
    }
    draws
}

/// Standard deviation of each coordinate, held towards 1 as ten more draws would in its logarithm.
fn spreads(seen: &[Vec<f64>]) -> Vec<f64> {
    let count = seen.len() as f64;
    let one = |i: usize| {
        let mean = seen.iter().map(|z| z[i]).sum::<f64>() / count;
        let variance = seen.iter().map(|z| (z[i] - mean).powi(2)).sum::<f64>() / count;
        if variance > 0.0 { variance.powf(0.5 * count / (count + 10.0)) } else { 1.0 }
    };
    (0..seen.first().map_or(0, Vec::len)).map(one).collect()
}

/// A chain on its way.
struct Walk<'a, P> {
    potential: &'a mut P,
    shape: Shape,
    now: Place,
    energy: f64,
    /// Gradient of the energy by the coordinates.
    slope: Vec<f64>,
}

impl<'a, P: FnMut(&[f64], &mut [f64]) -> f64> Walk<'a, P> {
    fn new(potential: &'a mut P, shape: Shape) -> Self {
        let n = shape.n();
        let now = Place { z: vec![0.0; n], x: shape.centre().to_vec() };
        Self { potential, shape, now, energy: f64::INFINITY, slope: vec![0.0; n] }
    }

    /// Energy and slope at a place.
    fn at(&mut self, place: &Place, slope: &mut [f64]) -> f64 {
        let energy = (self.potential)(&place.x, slope);
        self.shape.whiten(slope);
        energy
    }

    /// Energy and slope where the chain stands.
    fn arrive(&mut self) {
        let (now, mut slope) = (self.now.clone(), std::mem::take(&mut self.slope));
        self.energy = self.at(&now, &mut slope);
        self.slope = slope;
    }

    /// Tries a trajectory in steps of `step`; returns the probability with which its end is accepted. The chain stays where
    /// it is once somebody asked to stop.
    fn trajectory(&mut self, step: f64, random: &mut Random) -> f64 {
        if interrupt::asked() {
            return 0.0;
        }
        let (mut next, mut energy, mut slope) = (self.now.clone(), self.energy, self.slope.clone());
        let mut momentum: Vec<f64> = self.slope.iter().map(|_| random.normal()).collect();
        let before = energy + kinetic(&momentum);
        let (least, most) = LENGTH;
        let length = least + random.uniform() * (most - least);
        let n_steps = ((length / step) as usize).clamp(1, MOST_STEPS);
        for _ in 0..n_steps {
            kick(&mut momentum, &slope, 0.5 * step);
            next.drift(&self.shape, &mut momentum, step);
            energy = self.at(&next, &mut slope);
            kick(&mut momentum, &slope, 0.5 * step);
        }
        let after = energy + kinetic(&momentum);
        let acceptance = if after.is_finite() { (before - after).exp().min(1.0) } else { 0.0 };
        if random.uniform() < acceptance {
            (self.now, self.energy, self.slope) = (next, energy, slope);
        }
        acceptance
    }

    /// Coordinates in which what spread by `spreads` has unit spread.
    fn rescale(&mut self, spreads: &[f64]) {
        self.shape = self.shape.scaled(spreads);
        self.now.z.iter_mut().zip(spreads).for_each(|(z, s)| *z /= s);
        self.arrive();
    }
}

/// A point, in whitened coordinates and as parameters.
#[derive(Clone)]
struct Place {
    z: Vec<f64>,
    x: Vec<f64>,
}

impl Place {
    /// Straight on for `time`, bouncing.
    fn drift(&mut self, shape: &Shape, momentum: &mut [f64], time: f64) {
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
        let shape = Shape::new(factor.to_vec(), &[2.0, 0.0], vec![[f64::NEG_INFINITY, f64::INFINITY]; 2]);
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
        let shape = Shape::new(factor.to_vec(), &[0.0, 0.8], vec![[0.0, CEILING], [0.0, f64::INFINITY]]);
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
