//! Voxels in space, and the vectors for it.

/// Scalar product.
pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Vector product.
pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// From `b` to `a`.
pub(crate) fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// The direction of a vector; `None` for one without length.
pub(crate) fn unit(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 1e-6).then(|| a.map(|x| x / length))
}

/// Voxel-to-scanner transform (mm, RAS+) of a voxel grid whose first axis runs along `row`, the second along `column`
/// (unit vectors in DICOM's axes, LPS), with the first voxel's centre at `position` (mm, LPS) and the voxels' `size` (mm).
pub(crate) fn affine_from_lps(row: [f64; 3], column: [f64; 3], position: [f64; 3], size: [f64; 3]) -> [[f64; 4]; 4] {
    let normal = cross(row, column);
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

/// Voxel-to-scanner transform (mm, RAS+) of a voxel by Philips' `size` (mm), offset of its `centre` (mm from the isocentre) and
/// `angles` (degrees), each along or about left–right, front–back and foot–head. Its axes are left, posterior and head.
pub(crate) fn affine_from_philips(size: [f64; 3], centre: [f64; 3], angles: [f64; 3]) -> [[f64; 4]; 4] {
    let (a, b, c) = ((-angles[0]).to_radians(), (-angles[1]).to_radians(), angles[2].to_radians());
    // Each angle turns about an axis that those before have turned (Rx·Ry·Rz), as the plane orientation in DICOM files of
    // the same scanners shows.
    let (sa, ca, sb, cb, sc, cc) = (a.sin(), a.cos(), b.sin(), b.cos(), c.sin(), c.cos());
    let rotation = [
        [cb * cc, -cb * sc, sb],
        [ca * sc + sa * sb * cc, ca * cc - sa * sb * sc, -sa * cb],
        [sa * sc - ca * sb * cc, sa * cc + ca * sb * sc, ca * cb],
    ];
    let centre = [-centre[0], -centre[1], centre[2]];
    let mut affine = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for row in 0..3 {
        for column in 0..3 {
            affine[row][column] = rotation[row][column] * size[column];
        }
        affine[row][3] = centre[row];
    }
    affine
}

/// Directions of readout and phase encoding (LPS) of a slab with the unit vector `normal`, rotated by `in_plane_rad` about
/// it: Siemens' patient coordinates (IDEA: `fGSLCalcPRS`). The main orientation is that of the normal's largest part.
pub(crate) fn siemens_axes(normal: [f64; 3], in_plane_rad: f64) -> Option<([f64; 3], [f64; 3])> {
    let [x, y, z] = normal;
    let phase = if z.abs() >= x.abs() && z.abs() >= y.abs() {
        let length = y.hypot(z);
        [0.0, z / length, -y / length]
    } else {
        let length = x.hypot(y);
        if y.abs() >= x.abs() { [y / length, -x / length, 0.0] } else { [-y / length, x / length, 0.0] }
    };
    let read = cross(normal, phase);
    let (s, c) = in_plane_rad.sin_cos();
    let phase = [0, 1, 2].map(|k| c * phase[k] - s * read[k]);
    let read = cross(normal, phase);
    read.iter().chain(&phase).all(|v| v.is_finite()).then_some((read, phase))
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

    #[test]
    fn a_rotated_voxel_has_the_axes_that_the_scanner_wrote_beside_it() {
        // From a real header: normal, rotation and, elsewhere in it, the two axes to six digits.
        let (read, phase) = siemens_axes([-0.057355, -0.289682, 0.955403], -2.893191).unwrap_or_default();
        for (got, want) in read.iter().zip([0.967711, -0.251409, -0.018134]) {
            assert!((got - want).abs() < 2e-6, "{read:?}");
        }
        for (got, want) in phase.iter().zip([-0.245450, -0.923514, -0.294748]) {
            assert!((got - want).abs() < 2e-6, "{phase:?}");
        }
    }
}
