//! Where a NIfTI file's voxels lie: its two forms, quaternion and matrix.

use crate::formats::geometry::{cross, dot};

/// Orientation fields.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geometry {
    /// Whether the quaternion holds.
    pub qform_code: i32,
    /// Whether the matrix holds.
    pub sform_code: i32,
    /// Quaternion b, c, d.
    pub quaternion: [f64; 3],
    /// Offset (mm).
    pub offset_mm: [f64; 3],
    /// Rows of the matrix (mm).
    pub srow: [[f64; 4]; 3],
}

/// Sum of the differences between the entries of both forms (mm) below which they are one transform, rounded twice.
const SAME_FORM_MM: f64 = 1e-3;
/// Codes of forms that lead into the scanner's space, or that of another image of the same scan (nifti1.h:
/// `NIFTI_XFORM_SCANNER_ANAT`, `NIFTI_XFORM_ALIGNED_ANAT`); those above lead into an atlas's.
const OF_THE_SCANNER: std::ops::RangeInclusive<i32> = 1..=2;

/// One of the two forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form {
    /// What space it leads to.
    pub code: i32,
    /// Voxel to space (mm).
    pub affine_mm: [[f64; 4]; 4],
}

impl Form {
    /// Whether it leads into the scanner's space.
    pub fn is_of_the_scanner(&self) -> bool {
        OF_THE_SCANNER.contains(&self.code)
    }
}

/// Both forms, those that are set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Forms {
    /// By the quaternion. Where the matrix says the same it is that, which has more digits.
    pub qform: Option<Form>,
    /// By the matrix.
    pub sform: Option<Form>,
}

impl Forms {
    /// The form that leads into the scanner's space, the quaternion's first, with its name.
    pub fn of_the_scanner(&self) -> Option<([[f64; 4]; 4], &'static str)> {
        let named = [(self.qform, "qform"), (self.sform, "sform")];
        named.into_iter().find_map(|(form, name)| Some((form.filter(Form::is_of_the_scanner)?.affine_mm, name)))
    }

    /// Mean distance (mm) of the corners of a grid between both forms; `None` unless both lead into the scanner's space.
    pub fn apart_mm(&self, grid: [usize; 3]) -> Option<f64> {
        let [a, b] = [self.qform, self.sform].map(|form| form.filter(Form::is_of_the_scanner));
        Some(corners_apart_mm(&a?.affine_mm, &b?.affine_mm, grid))
    }
}

/// Mean distance (mm) of the corners of a grid between two transforms.
pub(crate) fn corners_apart_mm(a: &[[f64; 4]; 4], b: &[[f64; 4]; 4], grid: [usize; 3]) -> f64 {
    let apart = |corner: usize| {
        let at = [0, 1, 2].map(|axis| if corner >> axis & 1 == 0 { -0.5 } else { grid[axis] as f64 - 0.5 });
        let along = |row: usize| {
            let turned: f64 = (0..3).map(|axis| (a[row][axis] - b[row][axis]) * at[axis]).sum();
            turned + a[row][3] - b[row][3]
        };
        [0, 1, 2].map(|row| along(row).powi(2)).iter().sum::<f64>().sqrt()
    };
    (0..8).map(apart).sum::<f64>() / 8.0
}

impl Geometry {
    /// Both forms, where their codes are above zero.
    pub(super) fn forms(&self, pixdim: &[f64; 8]) -> Forms {
        let [x, y, z] = self.srow;
        let matrix = [x, y, z, [0.0, 0.0, 0.0, 1.0]];
        let sform = (self.sform_code > 0).then_some(Form { code: self.sform_code, affine_mm: matrix });
        let by_quaternion = || {
            let affine_mm = self.quaternion_affine(pixdim);
            let entries = affine_mm.iter().flatten().zip(matrix.iter().flatten());
            let difference: f64 = entries.map(|(a, b)| (a - b).abs()).sum();
            let is_same = sform.is_some() && difference < SAME_FORM_MM;
            Form { code: self.qform_code, affine_mm: if is_same { matrix } else { affine_mm } }
        };
        Forms { qform: (self.qform_code > 0).then(by_quaternion), sform }
    }

    fn quaternion_affine(&self, pixdim: &[f64; 8]) -> [[f64; 4]; 4] {
        let [b, c, d] = self.quaternion;
        let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
        let r = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let handed = if pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let scale = [pixdim[1], pixdim[2], pixdim[3] * handed];
        let mut m = [[0.0; 4]; 4];
        for i in 0..3 {
            for j in 0..3 {
                m[i][j] = r[i][j] * scale[j];
            }
            m[i][3] = self.offset_mm[i];
        }
        m[3][3] = 1.0;
        m
    }
}

/// Sizes of the voxel (mm), handedness (1 or −1) and quaternion (b, c, d) of a transform, as a NIfTI header holds them;
/// `None` where its axes are not at right angles, which a quaternion cannot say.
pub(in crate::formats) fn quaternion(affine: &[[f64; 4]; 4]) -> Option<([f64; 3], f64, [f64; 3])> {
    let column = |j: usize| [affine[0][j], affine[1][j], affine[2][j]];
    let sizes = [0, 1, 2].map(|j| dot(column(j), column(j)).sqrt());
    if sizes.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return None;
    }
    let mut axes = [0, 1, 2].map(|j| column(j).map(|x| x / sizes[j]));
    let skew = dot(axes[0], axes[1]).abs() + dot(axes[0], axes[2]).abs() + dot(axes[1], axes[2]).abs();
    if skew > 1e-5 {
        return None;
    }
    let [x, y, z] = axes;
    let handed = if dot(cross(x, y), z) < 0.0 { -1.0 } else { 1.0 };
    axes[2] = z.map(|v| v * handed);
    let r = |i: usize, j: usize| axes[j][i];
    // The largest of the four squares makes the division safe.
    let trace = r(0, 0) + r(1, 1) + r(2, 2);
    let squares = [1.0 + trace, 1.0 + 2.0 * r(0, 0) - trace, 1.0 + 2.0 * r(1, 1) - trace, 1.0 + 2.0 * r(2, 2) - trace];
    let largest = (0..4).max_by(|&i, &j| squares[i].total_cmp(&squares[j]))?;
    let s = 2.0 * squares[largest].max(0.0).sqrt();
    let products = match largest {
        0 => [0.25 * s, (r(2, 1) - r(1, 2)) / s, (r(0, 2) - r(2, 0)) / s, (r(1, 0) - r(0, 1)) / s],
        1 => [(r(2, 1) - r(1, 2)) / s, 0.25 * s, (r(0, 1) + r(1, 0)) / s, (r(0, 2) + r(2, 0)) / s],
        2 => [(r(0, 2) - r(2, 0)) / s, (r(0, 1) + r(1, 0)) / s, 0.25 * s, (r(1, 2) + r(2, 1)) / s],
        _ => [(r(1, 0) - r(0, 1)) / s, (r(0, 2) + r(2, 0)) / s, (r(1, 2) + r(2, 1)) / s, 0.25 * s],
    };
    let sign = if products[0] < 0.0 { -1.0 } else { 1.0 };
    Some((sizes, handed, [1, 2, 3].map(|k| sign * products[k])))
}
