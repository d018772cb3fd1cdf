//! Which voxel of a water reference lies where one of the data does.
//!
//! Two files of one grid may store it along other axes, or from the other end. Where both say where their voxels are, each
//! voxel is paired with the one in its place; else by its number, if the grids have the same extents.

use std::ops::Range;

use ndarray::Axis;

use crate::acquisition::{AXIS_VOXEL, Acquisition};
use crate::prepare::error::PrepareError;

/// What programs write where no voxel was measured is larger than any head (ml).
pub const NO_VOXEL_ML: f64 = 1e6;
/// Distance of two centres, in voxels along an axis, from which a neighbour is as near.
const NEIGHBOUR: f64 = 0.5;

type Affine = [[f64; 4]; 4];

/// The orders in which three axes may stand.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Where in a reference the voxels of a grid are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaterVoxels {
    grid: [usize; 3],
    /// Number of the voxel that belongs to the first one, and how far the next along each axis is from it.
    first: isize,
    steps: [isize; 3],
}

impl WaterVoxels {
    /// Of the grid of `data` in that of `water`.
    ///
    /// # Errors
    /// [`PrepareError::WaterGrid`] and [`PrepareError::WaterPlace`]: not the same voxels.
    pub fn of(data: &Acquisition, water: &Acquisition) -> Result<Self, PrepareError> {
        let by_number = Self::along(data.grid, data.grid, [0, 1, 2], [false; 3]);
        // Of single voxels a flag tells how they differ.
        let is_single = data.n_voxels() == 1 && water.n_voxels() == 1;
        let is_alike = data.grid == water.grid;
        if is_single || is_alike && data.affine_mm == water.affine_mm {
            return Ok(by_number);
        }
        let other_extents = PrepareError::WaterGrid { water: water.grid, data: data.grid };
        let Some((own, other)) = placed(data).zip(placed(water)) else {
            return is_alike.then_some(by_number).ok_or(other_extents);
        };
        let mut best: Option<(f64, Self)> = None;
        for order in ORDERS.into_iter().filter(|order| (0..3).all(|i| water.grid[order[i]] == data.grid[i])) {
            for turn in 0..8_u8 {
                let is_reversed = [0, 1, 2].map(|i| turn >> i & 1 == 1);
                let apart = apart(own, other, data.grid, order, is_reversed);
                // The first of equals is the simplest.
                if apart.is_finite() && best.as_ref().is_none_or(|(least, _)| apart < least - 1e-6) {
                    best = Some((apart, Self::along(data.grid, water.grid, order, is_reversed)));
                }
            }
        }
        match best {
            Some((apart, found)) if apart < NEIGHBOUR => Ok(found),
            Some((voxels, _)) => Err(PrepareError::WaterPlace { voxels }),
            None => Err(other_extents),
        }
    }

    /// Axis `i` of the data is axis `order[i]` of the reference.
    fn along(grid: [usize; 3], water: [usize; 3], order: [usize; 3], is_reversed: [bool; 3]) -> Self {
        let strides = [1, water[0], water[0] * water[1]];
        let mut first = 0;
        let steps = [0, 1, 2].map(|i| {
            let stride = if grid[i] > 1 { strides[order[i]] as isize } else { 0 };
            if is_reversed[i] {
                first += stride * (grid[i] as isize - 1);
                -stride
            } else {
                stride
            }
        });
        Self { grid, first, steps }
    }

    /// The voxel of the reference that belongs to `voxel` of the data.
    pub fn voxel(&self, voxel: usize) -> usize {
        let [nx, ny, _] = self.grid;
        let index = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
        let number = self.first + (0..3).map(|i| self.steps[i] * index[i] as isize).sum::<isize>();
        number.max(0) as usize
    }

    /// The voxels of `water` that `voxels` of the data need, if it does not hold them all.
    pub fn lacking(&self, voxels: Range<usize>, water: &Acquisition) -> Option<Range<usize>> {
        let n = self.grid.iter().product::<usize>();
        let numbers = || (voxels.start..voxels.end.min(n)).map(|voxel| self.voxel(voxel));
        let needed = numbers().min()?..numbers().max()? + 1;
        let held = water.first_voxel..water.first_voxel + water.samples.len_of(Axis(AXIS_VOXEL));
        (needed.start < held.start || needed.end > held.end).then_some(needed)
    }
}

/// The transform of a file that places voxels.
fn placed(data: &Acquisition) -> Option<&Affine> {
    let affine_mm = data.affine_mm.as_ref()?;
    let [a, b, c] = [0, 1, 2].map(|i| column(affine_mm, i));
    let normal = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
    let volume_ml = dot(a, normal).abs() / 1000.0;
    (volume_ml > 0.0 && volume_ml < NO_VOXEL_ML).then_some(affine_mm)
}

/// How far centres are apart at most, in voxels of the data along their axes. Being linear, that is so at a corner.
fn apart(own: &Affine, water: &Affine, grid: [usize; 3], order: [usize; 3], is_reversed: [bool; 3]) -> f64 {
    let mut most = 0.0_f64;
    for corner in 0..8_u8 {
        let index = [0, 1, 2].map(|i| if corner >> i & 1 == 1 { grid[i] - 1 } else { 0 });
        let mut of_water = [0.0; 3];
        for i in 0..3 {
            of_water[order[i]] = if is_reversed[i] { grid[i] - 1 - index[i] } else { index[i] } as f64;
        }
        let (own_mm, water_mm) = (at(own, index.map(|i| i as f64)), at(water, of_water));
        let between = [0, 1, 2].map(|i| water_mm[i] - own_mm[i]);
        for axis in [0, 1, 2].map(|i| column(own, i)) {
            let voxels = dot(between, axis).abs() / dot(axis, axis);
            // A number that is none must not pass for near.
            most = if voxels.is_finite() { most.max(voxels) } else { f64::INFINITY };
        }
    }
    most
}

fn at(affine_mm: &Affine, index: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|row| {
        let [x, y, z, origin] = affine_mm[row];
        dot([x, y, z], index) + origin
    })
}

fn column(affine_mm: &Affine, i: usize) -> [f64; 3] {
    [0, 1, 2].map(|row| affine_mm[row][i])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;

    use super::*;

    fn grid(extents: [usize; 3], affine_mm: Option<Affine>) -> Acquisition {
        let n = extents.iter().product();
        let samples = Array5::zeros((n, 1, 1, 1, 2));
        Acquisition { grid: extents, affine_mm, ..Acquisition::from_samples("test", samples) }
    }

    /// Voxels of 10 mm along x, y and z, the first at this place.
    fn affine([x, y, z]: [f64; 3]) -> Affine {
        [[10.0, 0.0, 0.0, x], [0.0, 10.0, 0.0, y], [0.0, 0.0, 10.0, z], [0.0, 0.0, 0.0, 1.0]]
    }

    fn numbers(data: &Acquisition, water: &Acquisition) -> Vec<usize> {
        let found = WaterVoxels::of(data, water).unwrap();
        (0..data.n_voxels()).map(|voxel| found.voxel(voxel)).collect()
    }

    #[test]
    fn voxels_are_paired_by_their_places() {
        let own = affine([-15.0, -5.0, 0.0]);
        let data = grid([4, 2, 1], Some(own));
        assert_eq!(numbers(&data, &grid([4, 2, 1], Some(own))), (0..8).collect::<Vec<_>>());
        // Stored from the other end.
        let mut backwards = own;
        (backwards[0][0], backwards[0][3]) = (-10.0, 15.0);
        assert_eq!(numbers(&data, &grid([4, 2, 1], Some(backwards))), [3, 2, 1, 0, 7, 6, 5, 4]);
        // Its columns are the data's rows.
        let mut turned = own;
        (0..3).for_each(|row| turned[row].swap(0, 1));
        assert_eq!(numbers(&data, &grid([2, 4, 1], Some(turned))), [0, 2, 4, 6, 1, 3, 5, 7]);
        // A little beside is another export, or a head that moved.
        assert_eq!(numbers(&data, &grid([4, 2, 1], Some(affine([-11.0, -5.0, 0.0])))), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn other_voxels_are_no_pairs() {
        let data = grid([4, 2, 1], Some(affine([0.0; 3])));
        let of = |extents, affine| WaterVoxels::of(&data, &grid(extents, affine)).map_err(|e| e.code());
        assert_eq!(of([8, 1, 1], None), Err("water_mismatch"));
        assert_eq!(of([8, 1, 1], Some(affine([0.0; 3]))), Err("water_mismatch"));
        assert_eq!(of([4, 2, 1], Some(affine([10.0, 0.0, 0.0]))), Err("water_mismatch"));
        assert_eq!(of([1, 1, 1], None), Err("water_mismatch"));
        // Nobody says that these lie elsewhere.
        assert!(of([4, 2, 1], None).is_ok());
        assert!(
            of([4, 2, 1], Some([[1e5, 0.0, 0.0, 0.0], [0.0, 1e5, 0.0, 0.0], [0.0, 0.0, 1e5, 0.0], [0.0; 4]])).is_ok()
        );
    }

    #[test]
    fn a_part_of_a_reference_says_what_it_lacks() {
        let data = grid([4, 1, 1], Some(affine([0.0; 3])));
        let mut backwards = affine([30.0, 0.0, 0.0]);
        backwards[0][0] = -10.0;
        let mut water = grid([4, 1, 1], Some(backwards));
        let found = WaterVoxels::of(&data, &water).unwrap();
        assert_eq!(found.lacking(0..9, &water), None);
        water.samples = Array5::zeros((1, 1, 1, 1, 2)).into();
        assert_eq!(found.lacking(0..1, &water), Some(3..4));
        water.first_voxel = 3;
        assert_eq!(found.lacking(0..1, &water), None);
    }
}
