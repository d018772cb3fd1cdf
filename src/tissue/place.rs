//! Where an image lies: which of its two forms is the scanner's.

use serde::{Deserialize, Serialize};

use super::error::TissueError;
use crate::formats::nifti::{Form, Forms, corners_apart_mm};

/// Voxel to space (mm).
pub type Affine = [[f64; 4]; 4];

/// Distance (mm) between both forms from which a person should know of it: less is rounding.
pub const APART_MM: f64 = 0.1;
/// Edges of an image's voxels that can be right (mm).
const EDGES_MM: std::ops::RangeInclusive<f64> = 0.02..=30.0;
/// Distance (mm) of the corners of two maps up to which they lie one upon another.
const SAME_GRID_MM: f64 = 1e-2;

/// Which form counts where both lead into the scanner's space and disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The quaternion.
    #[default]
    Qform,
    /// The matrix.
    Sform,
}

/// An image in the scanner's space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Extents of its grid.
    pub grid: [usize; 3],
    /// Voxel to scanner (mm).
    pub affine_mm: Affine,
    /// Which form that is.
    pub by: Transform,
    /// Mean distance (mm) of its corners between both forms, where both are the scanner's.
    pub apart_mm: Option<f64>,
}

/// Where an image lies, by its forms.
///
/// # Errors
/// [`TissueError`]: no form is set, those that are lead elsewhere, or the place cannot be right.
pub fn place(file: &str, grid: [usize; 3], forms: &Forms, first: Transform) -> Result<Place, TissueError> {
    let by = |which: Transform| {
        let form = match which {
            Transform::Qform => forms.qform,
            Transform::Sform => forms.sform,
        };
        form.filter(Form::is_of_the_scanner).map(|form| (form.affine_mm, which))
    };
    let other = if first == Transform::Qform { Transform::Sform } else { Transform::Qform };
    let no_place = |reason: String| TissueError::NoPlace { file: file.to_owned(), reason };
    let Some((affine_mm, by)) = by(first).or_else(|| by(other)) else {
        let code = |form: Option<Form>| form.map_or(0, |form| form.code);
        return Err(match (code(forms.qform), code(forms.sform)) {
            (0, 0) => no_place("neither qform nor sform is set, so nobody knows where it lies".to_owned()),
            (qform_code, sform_code) => {
                TissueError::NotInScannerSpace { file: file.to_owned(), qform_code, sform_code }
            }
        });
    };
    let edges_mm = [0, 1, 2].map(|j| (0..3).map(|i| affine_mm[i][j].powi(2)).sum::<f64>().sqrt());
    let is_finite = affine_mm.iter().flatten().all(|entry| entry.is_finite());
    if !is_finite || !edges_mm.iter().all(|edge| EDGES_MM.contains(edge)) || inverse(&affine_mm).is_none() {
        let [a, b, c] = edges_mm;
        return Err(no_place(format!("its voxels have edges of {a:.3} × {b:.3} × {c:.3} mm, which cannot be right")));
    }
    Ok(Place { grid, affine_mm, by, apart_mm: forms.apart_mm(grid) })
}

impl Place {
    /// Scanner (mm) to voxel.
    pub fn inverse(&self) -> Option<Affine> {
        inverse(&self.affine_mm)
    }

    /// What differs between the grids of two maps.
    pub(super) fn differs_from(&self, other: &Self) -> Option<String> {
        if self.grid != other.grid {
            return Some(format!("{:?} voxels where that has {:?}", self.grid, other.grid));
        }
        let apart_mm = corners_apart_mm(&self.affine_mm, &other.affine_mm, self.grid);
        // Not a number is no agreement either.
        (apart_mm.is_nan() || apart_mm > SAME_GRID_MM)
            .then(|| format!("its corners lie {apart_mm:.2} mm from that one's"))
    }
}

/// The inverse of an affine transform; `None` where it flattens space.
pub(crate) fn inverse(m: &Affine) -> Option<Affine> {
    let minor = |r: [usize; 2], c: [usize; 2]| m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]];
    const OTHERS: [[usize; 2]; 3] = [[1, 2], [2, 0], [0, 1]];
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(OTHERS[0], OTHERS[c])).sum();
    let scale: f64 = (0..3).map(|c| (0..3).map(|r| m[r][c].powi(2)).sum::<f64>().sqrt()).product();
    // Relative to the edges: what is left of the volume when the axes are at right angles.
    if !determinant.is_finite() || determinant.abs() <= 1e-6 * scale {
        return None;
    }
    let mut inverse = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for (r, row) in inverse.iter_mut().enumerate().take(3) {
        for c in 0..3 {
            row[c] = minor(OTHERS[c], OTHERS[r]) / determinant;
        }
        row[3] = -(0..3).map(|c| row[c] * m[c][3]).sum::<f64>();
    }
    Some(inverse)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(code: i32, x: f64) -> Form {
        Form {
            code,
            affine_mm: [[1.0, 0.0, 0.0, x], [0.0, 0.0, -2.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        }
    }

    #[test]
    fn the_form_of_the_scanner_counts_whichever_it_is() {
        let x = |qform: Option<Form>, sform: Option<Form>, first: Transform| {
            place("x", [4; 3], &Forms { qform, sform }, first).map(|p| (p.affine_mm[0][3], p.by, p.apart_mm))
        };
        let by = |qform: (i32, f64), sform: (i32, f64)| {
            let form = |(code, x): (i32, f64)| (code > 0).then(|| at(code, x));
            x(form(qform), form(sform), Transform::Qform).map_err(|e| e.flag())
        };
        assert_eq!(by((1, 1.0), (4, 2.0)), Ok((1.0, Transform::Qform, None)));
        assert_eq!(by((4, 1.0), (1, 2.0)), Ok((2.0, Transform::Sform, None)));
        assert_eq!(by((0, 1.0), (2, 2.0)), Ok((2.0, Transform::Sform, None)));
        assert_eq!(by((2, 1.0), (1, 4.0)), Ok((1.0, Transform::Qform, Some(3.0))));
        for (qform, sform) in [(4, 4), (3, 0), (0, 5), (99, 0)] {
            assert_eq!(by((qform, 1.0), (sform, 2.0)), Err("segmentation_not_in_scanner_space"), "{qform} {sform}");
        }
        assert_eq!(by((0, 1.0), (0, 2.0)), Err("segmentation_has_no_place"));
        let first = x(Some(at(1, 1.0)), Some(at(1, 2.0)), Transform::Sform).unwrap();
        assert_eq!(first, (2.0, Transform::Sform, Some(1.0)));
    }

    #[test]
    fn places_that_cannot_be_right_are_none() {
        let with = |change: &dyn Fn(&mut Affine)| {
            let mut form = at(1, 0.0);
            change(&mut form.affine_mm);
            place("x", [4; 3], &Forms { qform: Some(form), sform: None }, Transform::Qform).unwrap_err().flag()
        };
        let changes: [&dyn Fn(&mut Affine); 5] =
            [&|m| m[0][0] = f64::NAN, &|m| m[0][3] = f64::INFINITY, &|m| m[0][0] = 0.0, &|m| m[1][2] = 1000.0, &|m| {
                (m[0][0], m[2][0]) = (0.0, 1.0)
            }];
        for change in changes {
            assert_eq!(with(change), "segmentation_has_no_place");
        }
    }

    #[test]
    fn an_inverse_leads_back() {
        let m = [[0.9, 0.1, -0.3, 10.0], [-0.2, 1.4, 0.2, -20.0], [0.5, 0.3, -2.0, 7.0], [0.0, 0.0, 0.0, 1.0]];
        let n = inverse(&m).unwrap();
        for r in 0..4 {
            for c in 0..4 {
                let product: f64 = (0..4).map(|k| m[r][k] * n[k][c]).sum();
                assert!((product - f64::from(u8::from(r == c))).abs() < 1e-14, "{r} {c} {product}");
            }
        }
    }
}
