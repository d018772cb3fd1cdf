//! Free evolution of coupled protons, exact at any strength of coupling.
//!
//! H / 2π = Σ ν_q I_qz + Σ J_qr (I_q · I_r) in the frame that rotates at the carrier, with
//! ν = (δ − 4.65 ppm)·f0. It is real and symmetric and keeps the number of spins that are down, so every
//! block is diagonalised by itself (Levitt, Spin Dynamics, 2nd ed., chapters 14 and 17).

use std::f64::consts::TAU;

use faer::{Mat, Side, c64};

use super::operators::{Density, Space};

/// Eigenvalues and eigenvectors of the Hamiltonian, block by block.
#[derive(Debug, Clone)]
pub(super) struct Hamiltonian {
    blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
struct Block {
    energies_hz: Vec<f64>,
    /// Columns are eigenvectors.
    vectors: Mat<f64>,
}

/// exp(−2πiHt), block by block; symmetric, as H is real and symmetric.
#[derive(Debug, Clone)]
pub(super) struct Propagation {
    pub(super) blocks: Vec<Mat<c64>>,
}

/// The eigenvalues did not converge (the input held numbers that are not finite).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoConvergence;

/// A line of the spectrum: what one pair of eigenstates gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RawLine {
    /// Frequency in the sign convention of [`crate::acquisition`] (Hz).
    pub(super) frequency_hz: f64,
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Hamiltonian {
    /// The Hamiltonian for proton offsets from the carrier (Hz, positive towards higher ppm) and
    /// couplings (two spins, Hz).
    pub(super) fn new(
        space: &Space,
        offsets_hz: &[f64],
        couplings: &[(usize, usize, f64)],
    ) -> Result<Self, NoConvergence> {
        if offsets_hz.iter().chain(couplings.iter().map(|(_, _, j)| j)).any(|x| !x.is_finite()) {
            return Err(NoConvergence);
        }
        let mut blocks = Vec::with_capacity(space.blocks().len());
        for rows in space.blocks() {
            let mut h = Mat::<f64>::zeros(rows.len(), rows.len());
            for column in rows.clone() {
                let state = space.state(column);
                let zeeman: f64 = offsets_hz.iter().enumerate().map(|(q, nu)| nu * Space::m(state, q)).sum();
                let here = column - rows.start;
                h[(here, here)] += zeeman;
                for &(q, r, j_hz) in couplings {
                    h[(here, here)] += j_hz * Space::m(state, q) * Space::m(state, r);
                    if (state >> q ^ state >> r) & 1 == 1 {
                        // The flip-flop term ½J(I⁺I⁻ + I⁻I⁺).
                        let flipped = space.row(state ^ (1 << q) ^ (1 << r)) - rows.start;
                        h[(flipped, here)] += 0.5 * j_hz;
                    }
                }
            }
            let eigen = h.self_adjoint_eigen(Side::Lower).map_err(|_| NoConvergence)?;
            blocks.push(Block {
                energies_hz: eigen.S().column_vector().iter().copied().collect(),
                vectors: eigen.U().to_owned(),
            });
        }
        Ok(Self { blocks })
    }

    /// Free evolution for `duration_s` as a matrix.
    pub(super) fn propagation(&self, duration_s: f64) -> Propagation {
        let of_block = |block: &Block| {
            let n = block.energies_hz.len();
            let vectors = Mat::from_fn(n, n, |i, j| c64::new(block.vectors[(i, j)], 0.0));
            let turned =
                Mat::from_fn(n, n, |i, j| c64::cis(-TAU * block.energies_hz[j] * duration_s) * vectors[(i, j)]);
            turned * vectors.transpose()
        };
        Propagation { blocks: self.blocks.iter().map(of_block).collect() }
    }

    /// Lets `rho` evolve freely for `duration_s`.
    pub(super) fn evolve(&self, space: &Space, rho: &mut Density, duration_s: f64) {
        for (b, rows) in space.blocks().iter().enumerate() {
            for (c, columns) in space.blocks().iter().enumerate() {
                if !rho.holds(space, b, c) {
                    continue;
                }
                let (left, right) = (&self.blocks[b], &self.blocks[c]);
                let mut re = rho.re.as_mut().submatrix_mut(rows.start, columns.start, rows.len(), columns.len());
                let mut im = rho.im.as_mut().submatrix_mut(rows.start, columns.start, rows.len(), columns.len());
                let mut x = left.vectors.transpose() * re.as_ref() * &right.vectors;
                let mut y = left.vectors.transpose() * im.as_ref() * &right.vectors;
                for j in 0..columns.len() {
                    for i in 0..rows.len() {
                        let (s, c) = (-TAU * (left.energies_hz[i] - right.energies_hz[j]) * duration_s).sin_cos();
                        let (u, v) = (x[(i, j)], y[(i, j)]);
                        x[(i, j)] = u * c - v * s;
                        y[(i, j)] = u * s + v * c;
                    }
                }
                re.copy_from(&left.vectors * x * right.vectors.transpose());
                im.copy_from(&left.vectors * y * right.vectors.transpose());
            }
        }
    }

    /// The lines that a receiver sees from `rho` on: Tr(ρ(t) F⁻), normalised to 1 per proton that a 90°
    /// pulse has turned from equilibrium.
    ///
    /// ρ_ab turns with exp(−2πi(E_a − E_b)t). For elements of order +1 that is exp(−2πi(δ − 4.65)·f0·t),
    /// the sign convention of [`crate::acquisition`].
    pub(super) fn lines(&self, space: &Space, rho: &Density) -> Vec<RawLine> {
        let per_proton = 4.0 / space.dimension() as f64;
        let mut lines = Vec::new();
        for (b, (rows, columns)) in space.blocks().iter().zip(&space.blocks()[1..]).enumerate() {
            if !rho.holds(space, b, b + 1) {
                continue;
            }
            let (left, right) = (&self.blocks[b], &self.blocks[b + 1]);
            let re = rho.re.as_ref().submatrix(rows.start, columns.start, rows.len(), columns.len());
            let im = rho.im.as_ref().submatrix(rows.start, columns.start, rows.len(), columns.len());
            let re = left.vectors.transpose() * re * &right.vectors;
            let im = left.vectors.transpose() * im * &right.vectors;
            // F⁻ from these rows (one spin more is down) back: its transpose has the shape of ρ's block.
            let mut lowering = Mat::<f64>::zeros(rows.len(), columns.len());
            for i in rows.clone() {
                for q in (0..space.n_spins()).filter(|q| space.state(i) >> q & 1 == 0) {
                    let j = space.row(space.state(i) | 1 << q);
                    lowering[(i - rows.start, j - columns.start)] = 1.0;
                }
            }
            let lowering = left.vectors.transpose() * lowering * &right.vectors;
            for j in 0..columns.len() {
                for i in 0..rows.len() {
                    let weight = per_proton * lowering[(i, j)];
                    lines.push(RawLine {
                        frequency_hz: right.energies_hz[j] - left.energies_hz[i],
                        re: weight * re[(i, j)],
                        im: weight * im[(i, j)],
                    });
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn strongly_coupled_evolution_keeps_trace_hermiticity_and_norm() {
        let space = Space::new(4);
        let couplings = [(0, 1, -14.8), (0, 2, 6.4), (1, 2, 8.5), (2, 3, -15.9), (1, 3, 6.9)];
        let h = Hamiltonian::new(&space, &[-75.0, -71.0, -67.0, 30.0], &couplings).unwrap();
        let mut rho = Density::equilibrium(&space);
        let norm = |rho: &Density| rho.re.squared_norm_l2() + rho.im.squared_norm_l2();
        let start = norm(&rho);
        for step in 0..5 {
            rho.rotate(&space, 0b1111, 1.1 + f64::from(step), 0.4);
            rho.rotate(&space, 0b0101, 0.7, -1.0);
            h.evolve(&space, &mut rho, 0.013);
            assert!((norm(&rho) - start).abs() < 1e-11 * start);
            let trace: f64 = (0..16).map(|i| rho.re[(i, i)]).sum();
            assert!(trace.abs() < 1e-12);
            for i in 0..16 {
                for j in 0..16 {
                    assert!((rho.re[(i, j)] - rho.re[(j, i)]).abs() < 1e-12);
                    assert!((rho.im[(i, j)] + rho.im[(j, i)]).abs() < 1e-12);
                }
            }
        }
        // It went somewhere.
        assert!(rho.im.squared_norm_l2() > 0.1 * start);
    }

    #[test]
    fn energies_of_a_pair_are_the_textbooks() {
        let space = Space::new(2);
        let (a, b, j) = (40.0, 28.0, 9.0);
        let h = Hamiltonian::new(&space, &[a, b], &[(0, 1, j)]).unwrap();
        let root = 0.5 * ((a - b) * (a - b) + j * j).sqrt();
        let expected =
            [vec![0.5 * (a + b) + 0.25 * j], vec![-0.25 * j - root, -0.25 * j + root], vec![-0.5 * (a + b) + 0.25 * j]];
        for (block, expected) in h.blocks.iter().zip(expected) {
            for (e, x) in block.energies_hz.iter().zip(expected) {
                assert!((e - x).abs() < 1e-12, "{e} {x}");
            }
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_an_error() {
        let space = Space::new(2);
        assert_eq!(Hamiltonian::new(&space, &[f64::NAN, 0.0], &[]).unwrap_err(), NoConvergence);
    }
}
