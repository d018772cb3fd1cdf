//! Voxels in space.

/// Voxel-to-scanner transform (mm, RAS+) of a voxel grid whose first axis runs along `row`, the second along `column`
/// (unit vectors in DICOM's axes, LPS), with the first voxel's centre at `position` (mm, LPS) and the voxels' `size` (mm).
pub(crate) fn affine_from_lps(row: [f64; 3], column: [f64; 3], position: [f64; 3], size: [f64; 3]) -> [[f64; 4]; 4] {
    let normal = [
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    ];
    let ras = [-1.0, -1.0, 1.0];
    let mut affine = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for k in 0..3 {
        affine[k] = [
            ras[k] * row[k] * size[0],
            ras[k] * column[k] * size[1],
            ras[k] * normal[k] * size[2],
            ras[k] * position[k],
        ];
    }
    affine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axial_voxel_keeps_its_size_and_turns_two_axes() {
        let affine = affine_from_lps([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [10.0, 20.0, 30.0], [2.0, 3.0, 4.0]);
        assert_eq!(affine[0], [-2.0, 0.0, 0.0, -10.0]);
        assert_eq!(affine[1], [0.0, -3.0, 0.0, -20.0]);
        assert_eq!(affine[2], [0.0, 0.0, 4.0, 30.0]);
    }
}
