//! The state space of a group of coupled protons and the density matrix in it.
//!
//! Basis states are products of "up" and "down", ordered by how many spins are down: the Hamiltonian
//! keeps that number, so it consists of blocks, and the block that an element of the density matrix
//! lies in is its coherence order.

use std::f64::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use faer::Mat;
use num_complex::Complex64;

/// Product states of `n_spins` spins ½ in the order in which matrices have them.
#[derive(Debug, Clone)]
pub(super) struct Space {
    n_spins: usize,
    /// For each row of a matrix its state; bit q set: spin q is down.
    states: Vec<usize>,
    /// The inverse: row of each state.
    rows: Vec<usize>,
    /// Rows with 0, 1, …, `n_spins` spins down.
    blocks: Vec<Range<usize>>,
}

impl Space {
    pub(super) fn new(n_spins: usize) -> Self {
        let mut states: Vec<usize> = (0..1 << n_spins).collect();
        states.sort_by_key(|s| s.count_ones());
        let mut rows = vec![0; states.len()];
        for (row, state) in states.iter().enumerate() {
            rows[*state] = row;
        }
        let start = |down: usize| states.partition_point(|s| (s.count_ones() as usize) < down);
        let blocks = (0..=n_spins).map(|down| start(down)..start(down + 1)).collect();
        Self { n_spins, states, rows, blocks }
    }

    pub(super) fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of states.
    pub(super) fn dimension(&self) -> usize {
        self.states.len()
    }

    /// Rows of each block, by number of spins down.
    pub(super) fn blocks(&self) -> &[Range<usize>] {
        &self.blocks
    }

    /// State (bits) of a row.
    pub(super) fn state(&self, row: usize) -> usize {
        self.states[row]
    }

    /// Row of a state.
    pub(super) fn row(&self, state: usize) -> usize {
        self.rows[state]
    }

    /// Magnetic quantum number of spin `q` in `state`.
    pub(super) fn m(state: usize, q: usize) -> f64 {
        if state >> q & 1 == 0 { 0.5 } else { -0.5 }
    }
}

/// A density matrix (without the part proportional to unity), real and imaginary parts apart.
#[derive(Debug, Clone)]
pub(super) struct Density {
    pub(super) re: Mat<f64>,
    pub(super) im: Mat<f64>,
    /// Coherence orders that may be other than zero, from −n to n.
    occupied: Vec<bool>,
}

impl Density {
    /// Thermal equilibrium: F_z.
    pub(super) fn equilibrium(space: &Space) -> Self {
        let n = space.dimension();
        let mut re = Mat::zeros(n, n);
        for row in 0..n {
            re[(row, row)] = (0..space.n_spins).map(|q| Space::m(space.state(row), q)).sum();
        }
        let mut occupied = vec![false; 2 * space.n_spins + 1];
        occupied[space.n_spins] = true;
        Self { re, im: Mat::zeros(n, n), occupied }
    }

    /// An empty matrix that may hold one coherence order.
    pub(super) fn of_order(space: &Space, order: i32) -> Self {
        let n = space.dimension();
        let occupied = (0..=2 * space.n_spins).map(|k| k as i32 - space.n_spins as i32 == order).collect();
        Self { re: Mat::zeros(n, n), im: Mat::zeros(n, n), occupied }
    }

    /// Whether elements of the coherence order `column block − row block` may be other than zero.
    pub(super) fn holds(&self, space: &Space, row_block: usize, column_block: usize) -> bool {
        self.occupied[space.n_spins + column_block - row_block]
    }

    /// Keeps one coherence order alone, as gradients or a phase cycle do. Order +1 is what the
    /// receiver detects.
    pub(super) fn keep_order(&mut self, space: &Space, order: i32) {
        for (b, rows) in space.blocks.iter().enumerate() {
            for (c, columns) in space.blocks.iter().enumerate() {
                if c as i32 - b as i32 == order {
                    continue;
                }
                for j in columns.clone() {
                    for i in rows.clone() {
                        self.re[(i, j)] = 0.0;
                        self.im[(i, j)] = 0.0;
                    }
                }
            }
        }
        for (k, occupied) in self.occupied.iter_mut().enumerate() {
            *occupied &= k as i32 - space.n_spins as i32 == order;
        }
    }

    /// Rotates the spins in `targets` (bits) by `flip_rad` about the axis at `phase_rad` from x.
    pub(super) fn rotate(&mut self, space: &Space, targets: usize, flip_rad: f64, phase_rad: f64) {
        let (c, s) = cos_sin_half(flip_rad);
        // exp(−iθ(I_x cos φ + I_y sin φ)) of a spin ½: c on the diagonal, these beside it.
        let up_from_down = Complex64::from_polar(s, -phase_rad) * -Complex64::i();
        let down_from_up = Complex64::from_polar(s, phase_rad) * -Complex64::i();
        let n = space.dimension();
        for bit in (0..space.n_spins).map(|q| 1 << q).filter(|bit| targets & bit != 0) {
            let pairs: Vec<(usize, usize)> = (0..n)
                .filter(|state| state & bit == 0)
                .map(|state| (space.row(state), space.row(state | bit)))
                .collect();
            for j in 0..n {
                for &(up, down) in &pairs {
                    let (a, b) = (self.at(up, j), self.at(down, j));
                    self.set(up, j, a * c + up_from_down * b);
                    self.set(down, j, down_from_up * a + b * c);
                }
            }
            for &(up, down) in &pairs {
                for i in 0..n {
                    let (a, b) = (self.at(i, up), self.at(i, down));
                    self.set(i, up, a * c + up_from_down.conj() * b);
                    self.set(i, down, down_from_up.conj() * a + b * c);
                }
            }
        }
        if targets != 0 {
            self.occupied.fill(true);
        }
    }

    fn at(&self, i: usize, j: usize) -> Complex64 {
        Complex64::new(self.re[(i, j)], self.im[(i, j)])
    }

    fn set(&mut self, i: usize, j: usize, value: Complex64) {
        self.re[(i, j)] = value.re;
        self.im[(i, j)] = value.im;
    }
}

/// Cosine and sine of half the angle, exact for the flip angles that sequences are made of: the 6e-17
/// that rounding leaves of cos(π/2) would put dust on every coherence order.
fn cos_sin_half(flip_rad: f64) -> (f64, f64) {
    use std::f64::consts::{FRAC_PI_2, PI};
    let exact =
        [(PI, (0.0, 1.0)), (FRAC_PI_2, (FRAC_1_SQRT_2, FRAC_1_SQRT_2)), (-FRAC_PI_2, (FRAC_1_SQRT_2, -FRAC_1_SQRT_2))];
    match exact.iter().find(|(angle, _)| *angle == flip_rad) {
        Some((_, values)) => *values,
        None => ((0.5 * flip_rad).cos(), (0.5 * flip_rad).sin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_binomial_sizes() {
        let space = Space::new(4);
        let sizes: Vec<usize> = space.blocks().iter().map(Range::len).collect();
        assert_eq!(sizes, [1, 4, 6, 4, 1]);
        for row in 0..16 {
            assert_eq!(space.row(space.state(row)), row);
        }
    }

    #[test]
    fn ninety_about_y_turns_z_into_x() {
        let space = Space::new(1);
        let mut rho = Density::equilibrium(&space);
        rho.rotate(&space, 1, std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2);
        for (i, j, value) in [(0, 0, 0.0), (0, 1, 0.5), (1, 0, 0.5), (1, 1, 0.0)] {
            assert!((rho.at(i, j) - value).norm() < 1e-15, "{i} {j}");
        }
    }

    #[test]
    fn keeping_one_order_leaves_its_blocks_alone() {
        let space = Space::new(2);
        let mut rho = Density::equilibrium(&space);
        rho.rotate(&space, 3, 1.0, 0.3);
        let before = rho.clone();
        rho.keep_order(&space, 1);
        for i in 0..4 {
            for j in 0..4 {
                let order = space.state(j).count_ones() as i32 - space.state(i).count_ones() as i32;
                let expected = if order == 1 { before.at(i, j) } else { Complex64::ZERO };
                assert_eq!(rho.at(i, j), expected);
            }
        }
    }
}
