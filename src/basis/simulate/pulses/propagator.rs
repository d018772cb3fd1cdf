//! What a shaped pulse does to a group of coupled protons at one position.

use faer::linalg::matmul::matmul;
use faer::prelude::{Reborrow as _, ReborrowMut as _};
use faer::{Accum, Mat, MatMut, MatRef, Par, c64};

use super::spin_half::Rotation;
use super::waveform::Waveform;
use crate::basis::simulate::hamiltonian::Propagation;
use crate::basis::simulate::operators::Space;

/// The propagator of a pulse, with the rows of its matrix one after another.
#[derive(Debug, Clone)]
pub(super) struct Propagator {
    dimension: usize,
    rows: Vec<c64>,
}

/// A pulse in place: what does not depend on the position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Played<'a> {
    pub(super) waveform: &'a Waveform,
    /// Phase of its axis from x (rad).
    pub(super) phase_rad: f64,
    /// Its carrier in the frame of [`crate::acquisition`]'s carrier (Hz).
    pub(super) carrier_hz: f64,
    /// Intervals of the splitting.
    pub(super) intervals: usize,
}

impl Played<'_> {
    /// Turns of a spin in every interval. The pulse's phase is that of its middle; its gradient is rephased before and
    /// after by half its area, which refocusing pulses do not see and pulses of 90° need.
    fn turns(&self, offset_hz: f64, slice_hz: f64) -> Vec<Rotation> {
        let (pulse, n) = (self.waveform, self.intervals);
        let (half_s, interval_s) = (0.5 * pulse.duration_s, pulse.duration_s / n as f64);
        let rephase = Rotation::about_z(-slice_hz * pulse.mean_gradient() * half_s);
        let phase_turns = self.phase_rad / std::f64::consts::TAU;
        (0..n)
            .map(|k| {
                let (from_s, to_s) = (interval_s * k as f64, interval_s * (k + 1) as f64);
                let into = Rotation::about_z(-self.carrier_hz * (from_s - half_s) - phase_turns);
                let out = Rotation::about_z(self.carrier_hz * (to_s - half_s) + phase_turns);
                let mut turned =
                    into.then(pulse.rotation(from_s, to_s, offset_hz - self.carrier_hz, slice_hz)).then(out);
                if k == 0 {
                    turned = rephase.then(turned);
                }
                if k + 1 == n {
                    turned = turned.then(rephase);
                }
                turned
            })
            .collect()
    }
}

impl Propagator {
    /// The pulse on protons at `offsets_hz`, at a position whose gradient adds `slice_hz`. `half` and `whole` are what
    /// couplings do in half an interval and in a whole one.
    pub(super) fn new(
        space: &Space,
        played: &Played<'_>,
        offsets_hz: &[f64],
        slice_hz: f64,
        (half, whole): (&Propagation, &Propagation),
    ) -> Self {
        // Protons of the same shift turn alike.
        let mut turns: Vec<Vec<Rotation>> = Vec::with_capacity(offsets_hz.len());
        for (q, offset) in offsets_hz.iter().enumerate() {
            let same = offsets_hz[..q].iter().position(|other| other == offset);
            turns.push(same.map_or_else(|| played.turns(*offset, slice_hz), |k| turns[k].clone()));
        }
        let n = space.dimension();
        let mut this = Self { dimension: n, rows: vec![c64::ZERO; n * n] };
        for (rows, block) in space.blocks().iter().zip(&half.blocks) {
            for j in 0..rows.len() {
                for i in 0..rows.len() {
                    this.rows[(rows.start + j) * n + rows.start + i] = block[(i, j)];
                }
            }
        }
        let pairs = pairs(space);
        let mut scratch = Mat::<c64>::zeros(n, space.blocks().iter().map(ExactSizeIterator::len).max().unwrap_or(1));
        for k in 0..played.intervals {
            for (spin, pairs) in pairs.iter().enumerate() {
                this.turn(pairs, turns[spin][k]);
            }
            let coupled = if k + 1 == played.intervals { half } else { whole };
            this.couple(space, coupled, &mut scratch);
        }
        this
    }

    /// Turns one spin: pairs of rows that differ in it.
    fn turn(&mut self, pairs: &[(usize, usize)], turned: Rotation) {
        let n = self.dimension;
        let Rotation { a, b } = turned;
        let (a_conj, minus_b_conj) = (a.conj(), -b.conj());
        for &(up, down) in pairs {
            // "Up" stands before "down" in the order of states.
            let (before, from) = self.rows.split_at_mut(down * n);
            let (up, down) = (&mut before[up * n..(up + 1) * n], &mut from[..n]);
            for (x, y) in up.iter_mut().zip(down) {
                let (u, d) = (*x, *y);
                *x = a * u + b * d;
                *y = minus_b_conj * u + a_conj * d;
            }
        }
    }

    /// Lets couplings act: block by block of the total spin along z.
    fn couple(&mut self, space: &Space, coupled: &Propagation, scratch: &mut Mat<c64>) {
        let n = self.dimension;
        let mut u = MatMut::from_column_major_slice_mut(&mut self.rows, n, n);
        for (rows, block) in space.blocks().iter().zip(&coupled.blocks) {
            let mut into = scratch.as_mut().subcols_mut(0, rows.len());
            let mut part = u.rb_mut().subcols_mut(rows.start, rows.len());
            // Of transposes: (E·U)ᵀ = Uᵀ·E, as E is symmetric.
            matmul(into.rb_mut(), Accum::Replace, part.rb(), block.as_ref(), c64::ONE, Par::Seq);
            part.copy_from(into.rb());
        }
    }

    /// The transpose of its matrix.
    pub(super) fn transposed(&self) -> MatRef<'_, c64> {
        MatRef::from_column_major_slice(&self.rows, self.dimension, self.dimension)
    }
}

/// For each spin the rows with it up, each with the row that differs in it alone.
fn pairs(space: &Space) -> Vec<Vec<(usize, usize)>> {
    (0..space.n_spins())
        .map(|q| {
            let up = (0..space.dimension()).filter(|row| space.state(*row) >> q & 1 == 0);
            up.map(|row| (row, space.row(space.state(row) | 1 << q))).collect()
        })
        .collect()
}
