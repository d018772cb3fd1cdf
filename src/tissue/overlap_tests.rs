#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

const IMAGE: Affine = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];

fn turned(size: [f64; 3], centre: [f64; 3], angles: [f64; 3]) -> Affine {
    let ((sa, ca), (sb, cb), (sc, cc)) = (angles[0].sin_cos(), angles[1].sin_cos(), angles[2].sin_cos());
    let r = [
        [cb * cc, -cb * sc, sb],
        [ca * sc + sa * sb * cc, ca * cc - sa * sb * sc, -sa * cb],
        [sa * sc - ca * sb * cc, sa * cc + ca * sb * sc, ca * cb],
    ];
    let mut m = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for i in 0..3 {
        for j in 0..3 {
            m[i][j] = r[i][j] * size[j];
        }
        m[i][3] = centre[i];
    }
    m
}

fn shares(voxel: &Affine, grid: [usize; 3]) -> Vec<([usize; 3], f64)> {
    let mut all = Vec::new();
    ImageBox::new(voxel, [0; 3], &IMAGE).unwrap().each_share(grid, &mut |cell, share| {
        all.push((cell, share));
        true
    });
    all
}

#[test]
fn shares_of_turned_boxes_sum_to_their_volume() {
    for step in 0..60 {
        let x = f64::from(step);
        let size = [3.0 + 0.11 * x, 9.0 - 0.1 * x, 0.3 + 0.2 * x];
        let angles = [0.05 * x, 0.7 - 0.03 * x, 0.4 * x];
        let centre = [15.0 + 0.013 * x, 15.5 - 0.02 * x, 14.0 + 0.07 * x];
        let sum: f64 = shares(&turned(size, centre, angles), [32; 3]).iter().map(|(_, share)| share).sum();
        let volume: f64 = size.iter().product();
        assert!((sum / volume - 1.0).abs() < 1e-12, "{step}: {sum} of {volume}");
    }
}

#[test]
fn shares_of_aligned_boxes_are_products() {
    // Faces on voxels' faces, on their middles, and between.
    for (low, high) in
        [([2.5, 3.5, 4.5], [5.5, 6.5, 9.5]), ([2.0, 3.0, 4.0], [5.0, 6.0, 9.0]), ([2.2, 3.9, 4.5], [2.3, 6.1, 9.0])]
    {
        let size = [0, 1, 2].map(|i| high[i] - low[i]);
        let voxel = turned(size, [0, 1, 2].map(|i| 0.5 * (low[i] + high[i])), [0.0; 3]);
        let along = |axis: usize, i: usize| (high[axis].min(i as f64 + 0.5) - low[axis].max(i as f64 - 0.5)).max(0.0);
        let found = shares(&voxel, [12; 3]);
        let sum: f64 = found.iter().map(|(_, share)| share).sum();
        assert!((sum - size.iter().product::<f64>()).abs() < 1e-12);
        for (cell, share) in found {
            let expected: f64 = (0..3).map(|axis| along(axis, cell[axis])).product();
            assert!((share - expected).abs() < 1e-12, "{cell:?}: {share} {expected}");
        }
    }
}

/// A referee of its own kind: points inside, counted.
#[test]
fn shares_are_those_of_counted_points() {
    let voxel = turned([4.0, 2.5, 3.0], [6.1, 5.8, 6.4], [0.4, -0.3, 0.9]);
    let inside = inverse(&voxel).unwrap();
    const N: usize = 24;
    for (cell, share) in shares(&voxel, [12; 3]) {
        let mut n = 0;
        for at in 0..N * N * N {
            let offset = [at % N, at / N % N, at / (N * N)].map(|i| (i as f64 + 0.5) / N as f64 - 0.5);
            let x = [0, 1, 2].map(|i| cell[i] as f64 + offset[i]);
            let is_in =
                (0..3).all(|r| (dot([inside[r][0], inside[r][1], inside[r][2]], x) + inside[r][3]).abs() <= 0.5);
            n += usize::from(is_in);
        }
        let counted = n as f64 / (N * N * N) as f64;
        assert!((share - counted).abs() < 0.01, "{cell:?}: {share} {counted}");
    }
}

#[test]
fn a_box_within_one_voxel_and_one_outside() {
    let tiny = shares(&turned([0.2, 0.1, 0.3], [4.1, 4.0, 3.9], [0.5, 0.2, 0.1]), [8; 3]);
    assert_eq!(tiny.len(), 1);
    assert!((tiny[0].1 - 0.006).abs() < 1e-15);
    assert_eq!(shares(&turned([2.0; 3], [40.0, 4.0, 4.0], [0.1; 3]), [8; 3]), []);
    assert_eq!(shares(&turned([2.0; 3], [-1e30, 4.0, 1e300], [0.1; 3]), [8; 3]), []);
    assert!(ImageBox::new(&turned([2.0, 0.0, 2.0], [4.0; 3], [0.0; 3]), [0; 3], &IMAGE).is_none());
    assert!(ImageBox::new(&turned([2.0; 3], [f64::NAN; 3], [0.0; 3]), [0; 3], &IMAGE).is_none());
}
