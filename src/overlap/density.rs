//! How many of a group's voxels cover each place of the common space, and how much of each lies where most of them do.

use std::collections::HashMap;

use crate::tissue::overlap::ImageBox;

/// Share of the group's voxels that a place of its core lies in.
pub const CORE: f64 = 0.5;
/// Sums of shares that reach a half only without rounding reach it.
const ROUNDING: f64 = 1e-9;

/// Of each place of the grid that any voxel reaches: the share of voxels there, which is the mean of their shares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Density(HashMap<usize, f64>);

/// How a voxel lies to the core of its group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Share of the voxel that is in the core.
    pub core_share: f64,
    /// Dice coefficient of voxel and core: twice what they share over the sum of their volumes.
    pub dice: f64,
}

impl Density {
    /// That of voxels in a grid.
    pub fn of(voxels: &[&ImageBox], grid: [usize; 3]) -> Self {
        let mut sums = HashMap::new();
        for voxel in voxels {
            voxel.each_share(grid, &mut |[i, j, k], share| {
                *sums.entry(i + grid[0] * (j + grid[1] * k)).or_insert(0.0) += share;
                true
            });
        }
        let n = voxels.len().max(1) as f64;
        sums.values_mut().for_each(|sum| *sum /= n);
        Self(sums)
    }

    fn is_core(&self, place: usize) -> bool {
        self.0.get(&place).is_some_and(|density| *density >= CORE - ROUNDING)
    }

    /// Places of the core.
    pub fn n_core(&self) -> usize {
        self.0.values().filter(|density| **density >= CORE - ROUNDING).count()
    }

    /// How a voxel lies to the core.
    pub fn overlap(&self, voxel: &ImageBox, grid: [usize; 3]) -> Overlap {
        let mut inside = 0.0;
        voxel.each_share(grid, &mut |[i, j, k], share| {
            inside += if self.is_core(i + grid[0] * (j + grid[1] * k)) { share } else { 0.0 };
            true
        });
        let both = voxel.volume() + self.n_core() as f64;
        Overlap { core_share: inside / voxel.volume(), dice: 2.0 * inside / both }
    }

    /// As an image on the grid, zero where no voxel is.
    pub fn image(&self, grid: [usize; 3]) -> Vec<f32> {
        let mut all = vec![0.0; grid.iter().product()];
        for (place, density) in &self.0 {
            if let Some(value) = all.get_mut(*place) {
                *value = *density as f32;
            }
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::tissue::place::Affine;

    const GRID: [usize; 3] = [40, 40, 40];
    const IMAGE: Affine = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];

    /// A box of 20 × 10 × 10 whose first corner is `x` from the image's voxel 5.
    fn at(x: f64) -> ImageBox {
        let affine = [[20.0, 0.0, 0.0, 14.5 + x], [0.0, 10.0, 0.0, 9.5], [0.0, 0.0, 10.0, 9.5], [0.0, 0.0, 0.0, 1.0]];
        ImageBox::new(&affine, [0; 3], &IMAGE).unwrap()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }

    #[test]
    fn boxes_apart_by_known_steps_share_what_they_must() {
        // Three boxes at 0, 4 and 8: two of three cover 4 to 24, which is the core.
        let boxes = [at(0.0), at(4.0), at(8.0)];
        let all: Vec<&ImageBox> = boxes.iter().collect();
        let density = Density::of(&all, GRID);
        assert_eq!(density.n_core(), 2000);
        for (voxel, inside) in boxes.iter().zip([1600.0, 2000.0, 1600.0]) {
            let Overlap { core_share, dice } = density.overlap(voxel, GRID);
            near(core_share, inside / 2000.0);
            near(dice, 2.0 * inside / 4000.0);
        }
        let image = density.image(GRID);
        let of = |i: usize| f64::from(image[i + 40 * (9 + 40 * 9)]);
        for (i, n) in [(4, 0), (5, 1), (8, 1), (9, 2), (12, 2), (13, 3), (24, 3), (25, 2), (28, 2), (29, 1), (33, 0)] {
            assert!((of(i) - f64::from(n) / 3.0).abs() < 1e-6, "{i}: {}", of(i));
        }
        // Sum of the densities times voxels is the volume of all.
        near(density.0.values().sum::<f64>() * 3.0, 6000.0);
    }

    #[test]
    fn half_is_in_the_core_and_a_box_alone_is_its_own() {
        let [a, b] = [at(0.0), at(10.0)];
        let two = Density::of(&[&a, &b], GRID);
        assert_eq!(two.n_core(), 3000);
        near(two.overlap(&a, GRID).core_share, 1.0);
        near(two.overlap(&a, GRID).dice, 0.8);
        let one = Density::of(&[&a], GRID);
        assert_eq!(one.overlap(&a, GRID), Overlap { core_share: 1.0, dice: 1.0 });
        near(one.overlap(&at(5.0), GRID).core_share, 0.75);
    }

    #[test]
    fn a_turned_box_shares_the_known_part_of_its_like() {
        // Two squares of one middle, one turned by 45°, share 2(√2 − 1) of their area.
        let side = 16.0;
        let (s, c) = (side * std::f64::consts::FRAC_1_SQRT_2, side * std::f64::consts::FRAC_1_SQRT_2);
        let straight = [[side, 0.0, 0.0, 19.5], [0.0, side, 0.0, 19.5], [0.0, 0.0, 10.0, 19.5], [0.0, 0.0, 0.0, 1.0]];
        let turned = [[c, -s, 0.0, 19.5], [s, c, 0.0, 19.5], [0.0, 0.0, 10.0, 19.5], [0.0, 0.0, 0.0, 1.0]];
        let [straight, turned] = [straight, turned].map(|affine| ImageBox::new(&affine, [0; 3], &IMAGE).unwrap());
        let density = Density::of(&[&straight], GRID);
        near(density.overlap(&turned, GRID).core_share, 2.0 * (2.0_f64.sqrt() - 1.0));
    }
}
