//! How much a file holds, told by its header: what decides about the memory that it takes.

use crate::acquisition::Acquisition;

/// Files of up to this length are read to learn what they hold, where their format has no cheaper way (bytes).
pub(super) const READ_TO_LEARN: u64 = 4 << 20;
/// Held for each byte of a file that is decoded as a whole: its bytes, what was parsed of them (a number of text takes two
/// characters at least, and eight bytes), and the samples.
pub(super) const HELD_PER_BYTE: u64 = 12;

/// What a file holds; where a short look does not tell, no less than it can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Extents of the grid of voxels.
    pub grid: [usize; 3],
    /// Conditions that are analysed apart.
    pub conditions: usize,
    /// Transients of each.
    pub transients: usize,
    /// Receive coils.
    pub coils: usize,
    /// Points of each free induction decay.
    pub points: usize,
    /// Held while any part of the file is read, however few voxels are asked for (bytes).
    pub whole_bytes: u64,
    /// Held for each sample of the voxels that are asked for (bytes); 0 where `whole_bytes` has them.
    pub sample_bytes: u64,
}

impl Extent {
    /// That of what was read of a file, which is held as a whole.
    pub fn of(data: &Acquisition, whole_bytes: u64) -> Self {
        let water = data.water.as_ref().map_or(0, |water| water.samples.shape()[2]);
        Self {
            grid: data.grid,
            conditions: data.n_conditions(),
            transients: data.n_transients() + water,
            coils: data.n_coils(),
            points: data.n_points(),
            whole_bytes,
            sample_bytes: 0,
        }
    }

    /// One spectrum with as many points as `length` bytes can hold: those of two 16-bit integers each.
    pub fn at_most(length: u64) -> Self {
        let points = usize::try_from(length / 4).unwrap_or(usize::MAX);
        let whole_bytes = length.saturating_mul(HELD_PER_BYTE);
        Self { grid: [1; 3], conditions: 1, transients: 1, coils: 1, points, whole_bytes, sample_bytes: 0 }
    }
}
