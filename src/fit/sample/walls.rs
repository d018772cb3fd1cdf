//! The coordinates that chains walk in, and the walls in them.
//!
//! x = centre + L⁻ᵀ·z, with L the factor of the inverse covariance of the Laplace approximation, so that z is nearly a unit
//! Gaussian. A bound of a parameter is a plane in z; its normal is that parameter's row of L⁻ᵀ, turned towards what is
//! allowed, and the products of normals are the covariance again.

use crate::fit::linalg;

/// A trajectory that bounces more often within one step stays where it is: it is caught in a corner.
const MOST_BOUNCES: usize = 1000;

/// Shape of the Laplace approximation, and the bounds of its parameters.
#[derive(Clone)]
pub(crate) struct Shape {
    /// Lower, column-major.
    factor: Vec<f64>,
    centre: Vec<f64>,
    bounds: Vec<[f64; 2]>,
    walls: Vec<Wall>,
    /// Products of the walls' normals, [wall × wall].
    products: Vec<f64>,
}

#[derive(Clone)]
struct Wall {
    parameter: usize,
    bound: f64,
    /// 1 where the parameter is kept above its bound, −1 where below.
    side: f64,
    normal: Vec<f64>,
}

impl Wall {
    fn distance(&self, x: &[f64]) -> f64 {
        self.side * (x[self.parameter] - self.bound)
    }

    /// Puts the parameter back where it lies behind the wall.
    fn keep(&self, x: &mut [f64]) {
        if self.distance(x) < 0.0 {
            x[self.parameter] = self.bound;
        }
    }
}

impl Shape {
    /// `factor` is lower, column-major; `bounds` are how low and how high each parameter may be, infinite where it is free.
    /// The centre is moved to where they are kept.
    pub(super) fn new(factor: Vec<f64>, centre: &[f64], bounds: Vec<[f64; 2]>) -> Self {
        let n = centre.len();
        let mut centre = centre.to_vec();
        let wall = |(parameter, bound, side): (usize, f64, f64)| {
            let mut normal = vec![0.0; n];
            normal[parameter] = side;
            linalg::solve_lower(&factor, n, &mut normal, 1);
            Wall { parameter, bound, side, normal }
        };
        let sides = |(parameter, [low, high]): (usize, [f64; 2])| [(parameter, low, 1.0), (parameter, high, -1.0)];
        let finite = |(_, bound, _): &(usize, f64, f64)| bound.is_finite();
        let walls: Vec<Wall> = bounds.iter().copied().enumerate().flat_map(sides).filter(finite).map(wall).collect();
        walls.iter().for_each(|w| w.keep(&mut centre));
        let products = walls.iter().flat_map(|a| walls.iter().map(|b| dot(&a.normal, &b.normal))).collect();
        Self { factor, centre, bounds, walls, products }
    }

    /// The same with each coordinate in units of `spreads`.
    pub(super) fn scaled(&self, spreads: &[f64]) -> Self {
        let mut factor = self.factor.clone();
        for (column, spread) in factor.chunks_exact_mut(self.n()).zip(spreads) {
            column.iter_mut().for_each(|v| *v /= spread);
        }
        Self::new(factor, &self.centre, self.bounds.clone())
    }

    /// Number of parameters.
    pub(super) fn n(&self) -> usize {
        self.centre.len()
    }

    /// Where z is zero.
    pub(super) fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// The parameters at `z`.
    pub(super) fn place(&self, z: &[f64], x: &mut [f64]) {
        x.copy_from_slice(z);
        linalg::solve_lower_transposed(&self.factor, self.n(), x);
        for (x, c) in x.iter_mut().zip(&self.centre) {
            *x += c;
        }
        // Rounding must not put a parameter behind its wall.
        self.walls.iter().for_each(|w| w.keep(x));
    }

    /// A gradient over the parameters becomes one over z.
    pub(super) fn whiten(&self, gradient: &mut [f64]) {
        linalg::solve_lower(&self.factor, self.n(), gradient, 1);
    }

    /// Moves `z` (the parameters `x`) along `momentum` for `time`, and turns the momentum at every wall on the way.
    pub(super) fn drift(&self, z: &mut [f64], x: &[f64], momentum: &mut [f64], time: f64) {
        let n_walls = self.walls.len();
        let mut distance: Vec<f64> = self.walls.iter().map(|w| w.distance(x)).collect();
        let mut speed: Vec<f64> = self.walls.iter().map(|w| dot(&w.normal, momentum)).collect();
        let (mut left, mut bounces) = (time, 0);
        loop {
            let hit = (0..n_walls)
                .filter(|&k| speed[k] < 0.0)
                .map(|k| (k, (distance[k] / -speed[k]).max(0.0)))
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .filter(|&(_, after)| after < left);
            let Some((wall, after)) = hit else { break };
            bounces += 1;
            if bounces > MOST_BOUNCES {
                return;
            }
            advance(z, momentum, after);
            advance(&mut distance, &speed, after);
            left -= after;
            let turn = -2.0 * speed[wall] / self.products[wall * n_walls + wall];
            advance(momentum, &self.walls[wall].normal, turn);
            advance(&mut speed, &self.products[wall * n_walls..][..n_walls], turn);
        }
        advance(z, momentum, left);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Adds `speed` × `time`.
fn advance(place: &mut [f64], speed: &[f64], time: f64) {
    place.iter_mut().zip(speed).for_each(|(p, v)| *p += v * time);
}
