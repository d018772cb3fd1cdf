//! The density matrix at one coherence order: the blocks beside the diagonal by that order, and nothing else.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par, c64};

use super::propagator::Propagator;
use crate::basis::simulate::hamiltonian::Propagation;
use crate::basis::simulate::operators::{Density, Space};

/// Blocks (b, b + order) of a density matrix, by b.
#[derive(Debug, Clone)]
pub(super) struct Coherence {
    order: i32,
    blocks: Vec<Option<Mat<c64>>>,
}

/// The column block of a row block.
fn column(row: usize, order: i32, n: usize) -> Option<usize> {
    usize::try_from(i32::try_from(row).ok()? + order).ok().filter(|c| *c < n)
}

impl Coherence {
    /// What `density` holds at `order`.
    pub(super) fn of(space: &Space, density: &Density, order: i32) -> Self {
        let blocks = space.blocks();
        let part = |b: usize| {
            let (rows, columns) = (&blocks[b], &blocks[column(b, order, blocks.len())?]);
            Some(Mat::from_fn(rows.len(), columns.len(), |i, j| {
                let (i, j) = (rows.start + i, columns.start + j);
                c64::new(density.re[(i, j)], density.im[(i, j)])
            }))
        };
        Self { order, blocks: (0..blocks.len()).map(part).collect() }
    }

    /// The whole matrix, for the receiver.
    pub(super) fn density(&self, space: &Space) -> Density {
        let mut density = Density::of_order(space, self.order);
        let blocks = space.blocks();
        for (b, block) in self.blocks.iter().enumerate() {
            if let (Some(block), Some(c)) = (block, column(b, self.order, blocks.len())) {
                for j in 0..block.ncols() {
                    for i in 0..block.nrows() {
                        let at = (blocks[b].start + i, blocks[c].start + j);
                        density.re[at] = block[(i, j)].re;
                        density.im[at] = block[(i, j)].im;
                    }
                }
            }
        }
        density
    }

    /// Free evolution.
    pub(super) fn evolve(&mut self, free: &Propagation) {
        let n = self.blocks.len();
        for b in 0..n {
            let Some(c) = column(b, self.order, n) else { continue };
            if let Some(block) = &mut self.blocks[b] {
                // The propagators are symmetric, so that the conjugate is the adjoint.
                let left = &free.blocks[b] * &*block;
                *block = left * free.blocks[c].as_ref().conjugate();
            }
        }
    }

    /// What a pulse makes of it at another order.
    pub(super) fn pulsed(&self, space: &Space, pulse: &Propagator, order: i32) -> Self {
        let (blocks, whole) = (space.blocks(), space.dimension());
        // Columns are rows of U.
        let u = pulse.transposed();
        let mut right = Mat::<c64>::zeros(whole, whole);
        for (b, block) in self.blocks.iter().enumerate() {
            let (Some(block), Some(c)) = (block, column(b, self.order, blocks.len())) else { continue };
            let rows = &blocks[b];
            let adjoint = u.subrows(blocks[c].start, blocks[c].len()).conjugate();
            let into = right.as_mut().subrows_mut(rows.start, rows.len());
            matmul(into, Accum::Replace, block.as_ref(), adjoint, c64::ONE, Par::Seq);
        }
        let part = |b: usize| {
            let (rows, columns) = (&blocks[b], &blocks[column(b, order, blocks.len())?]);
            let left: MatRef<'_, c64> = u.subcols(rows.start, rows.len()).transpose();
            let mut made = Mat::<c64>::zeros(rows.len(), columns.len());
            let right = right.as_ref().subcols(columns.start, columns.len());
            matmul(made.as_mut(), Accum::Replace, left, right, c64::ONE, Par::Seq);
            Some(made)
        };
        Self { order, blocks: (0..blocks.len()).map(part).collect() }
    }

    /// The mean of several, in their order.
    pub(super) fn mean(all: &[Self]) -> Option<Self> {
        let mut sum = all.first()?.clone();
        for other in &all[1..] {
            for (into, from) in sum.blocks.iter_mut().zip(&other.blocks) {
                if let (Some(into), Some(from)) = (into, from) {
                    *into += from;
                }
            }
        }
        let weight = c64::new(1.0 / all.len() as f64, 0.0);
        for block in sum.blocks.iter_mut().flatten() {
            for j in 0..block.ncols() {
                block.col_mut(j).iter_mut().for_each(|z| *z *= weight);
            }
        }
        Some(sum)
    }
}
