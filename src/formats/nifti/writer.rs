//! Writes NIfTI files: headers of both versions, and images whole.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

use super::layout::{Layout, NIFTI1};
use super::quaternion;

/// Value of `qform_code` and `sform_code`: aligned with the scanner's or another's axes.
const ALIGNED: i32 = 2;
/// Four bytes behind the header say whether extensions follow.
pub(in crate::formats) const EXTENDER_BYTES: usize = 4;
/// Value of `xyzt_units` for the unit of space.
pub(in crate::formats) const MILLIMETRES: i32 = 2;
/// `NIFTI_TYPE_FLOAT32` (nifti1.h).
const FLOAT32: i16 = 16;
/// Bytes of `descrip`; the last one is a zero.
const DESCRIPTION_BYTES: usize = 80;
/// Edge (mm) of a voxel of an image without a place: what viewers take then.
const UNPLACED_MM: f64 = 1.0;

/// The bytes of a file that is being written.
pub(in crate::formats) struct Writer {
    pub(in crate::formats) bytes: Vec<u8>,
    layout: Layout,
}

impl Writer {
    /// A header of zeros and `behind` more bytes, behind which the data begin.
    pub(in crate::formats) fn new(layout: Layout, behind: usize) -> Self {
        Self { bytes: vec![0; layout.size + behind], layout }
    }

    pub(in crate::formats) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn is_first(&self) -> bool {
        self.layout == NIFTI1
    }

    /// Number `index` of a field of numbers.
    pub(in crate::formats) fn number(&mut self, field: usize, index: usize, value: f64) {
        let at = field + self.layout.number_bytes * index;
        if self.is_first() {
            self.put(at, &(value as f32).to_le_bytes());
        } else {
            self.put(at, &value.to_le_bytes());
        }
    }

    /// Number `index` of `dim`.
    fn extent(&mut self, index: usize, extent: usize) {
        let at = self.layout.dim + self.layout.extent_bytes * index;
        if self.is_first() {
            self.put(at, &(extent as i16).to_le_bytes());
        } else {
            self.put(at, &(extent as i64).to_le_bytes());
        }
    }

    /// `qform_code` or `sform_code`.
    fn code(&mut self, at: usize, code: i32) {
        if self.is_first() {
            self.put(at, &(code as i16).to_le_bytes());
        } else {
            self.put(at, &code.to_le_bytes());
        }
    }

    pub(in crate::formats) fn units(&mut self, units: i32) {
        let at = self.layout.xyzt_units;
        if self.is_first() {
            self.put(at, &[units as u8]);
        } else {
            self.put(at, &units.to_le_bytes());
        }
    }

    /// What viewers show of a file: letters of ASCII, as many as there is room for.
    fn description(&mut self, text: &str) {
        let at = self.layout.descrip;
        let letters = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c as u8 } else { b'_' });
        let letters: Vec<u8> = letters.take(DESCRIPTION_BYTES - 1).collect();
        self.put(at, &letters);
    }

    /// Everything but units and the voxel's place; spacings are 1.
    pub(in crate::formats) fn header(&mut self, extents: &[usize], datatype: i16, element_bytes: i16) {
        self.put(0, &(self.layout.size as i32).to_le_bytes());
        self.put(self.layout.magic, self.layout.magic_text);
        self.put(self.layout.datatype, &datatype.to_le_bytes());
        self.put(self.layout.bitpix, &(8 * element_bytes).to_le_bytes());
        self.extent(0, extents.len());
        for i in 1..=7 {
            self.extent(i, extents.get(i - 1).copied().unwrap_or(1));
            self.number(self.layout.pixdim, i, 1.0);
        }
        let data_at = self.bytes.len();
        if self.is_first() {
            self.number(self.layout.vox_offset, 0, data_at as f64);
        } else {
            self.put(self.layout.vox_offset, &(data_at as i64).to_le_bytes());
        }
        self.number(self.layout.scl_slope, 0, 1.0);
    }

    /// Sizes, quaternion (where the axes are at right angles) and matrix of the voxel; without a place, edges of `unplaced_mm`
    /// and no form.
    pub(in crate::formats) fn place(&mut self, affine: Option<&[[f64; 4]; 4]>, unplaced_mm: f64) {
        let layout = self.layout;
        let rotation = affine.and_then(quaternion);
        let (sizes, handed) = match (affine, rotation) {
            (_, Some((sizes, handed, _))) => (sizes, handed),
            (Some(affine), None) => ([0, 1, 2].map(|j| (0..3).map(|i| affine[i][j].powi(2)).sum::<f64>().sqrt()), 1.0),
            (None, None) => ([unplaced_mm; 3], 1.0),
        };
        self.number(layout.pixdim, 0, handed);
        for (i, size) in sizes.into_iter().enumerate() {
            self.number(layout.pixdim, i + 1, size);
        }
        let Some(affine) = affine else { return };
        if let Some((_, _, rotation)) = rotation {
            self.code(layout.qform_code, ALIGNED);
            for i in 0..3 {
                self.number(layout.quatern, i, rotation[i]);
                self.number(layout.qoffset, i, affine[i][3]);
            }
        }
        self.code(layout.sform_code, ALIGNED);
        for (i, value) in affine.iter().take(3).flatten().enumerate() {
            self.number(layout.srow, i, *value);
        }
    }
}

/// An image of single precision as a NIfTI-1 file, which every viewer opens: `values` on their grid, the first index fastest,
/// and what they are in a few words.
///
/// `None` where the grid is larger than such a file can say, or has another number of values.
pub fn image(grid: [usize; 3], affine_mm: Option<&[[f64; 4]; 4]>, values: &[f32], what: &str) -> Option<Vec<u8>> {
    let n = grid.iter().try_fold(1_usize, |product, extent| product.checked_mul(*extent))?;
    if n != values.len() || grid.iter().any(|extent| i16::try_from(*extent).is_err()) {
        return None;
    }
    let mut file = Writer::new(NIFTI1, EXTENDER_BYTES);
    file.header(&grid, FLOAT32, 4);
    file.units(MILLIMETRES);
    file.description(what);
    file.place(affine_mm, UNPLACED_MM);
    file.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Some(file.bytes)
}

/// The same bytes as a `.nii.gz` holds them; no time and no name, so that equal files stay equal.
///
/// # Errors
/// The compressor fails, which it does not do in memory.
pub fn packed(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(1));
    encoder.write_all(file)?;
    encoder.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn an_image_is_read_back_with_its_place() {
        let oblique = [[-9.0, 1.2, 0.0, 80.0], [1.2, 9.0, 0.0, -60.0], [0.0, 0.0, 15.0, 12.5], [0.0, 0.0, 0.0, 1.0]];
        let sheared = [[10.0, 3.0, 0.0, 1.0], [0.0, 10.0, 0.0, 2.0], [0.0, 0.0, 10.0, 3.0], [0.0, 0.0, 0.0, 1.0]];
        let values: Vec<f32> = (0..24).map(|i| if i == 5 { f32::NAN } else { i as f32 }).collect();
        for (affine, has_quaternion) in [(oblique, true), (sheared, false)] {
            let file = image([4, 3, 2], Some(&affine), &values, "").unwrap();
            for file in [packed(&file).unwrap(), file] {
                let read = parse(&file, true).unwrap();
                assert_eq!((read.grid(), read.datatype, read.big_endian), ([4, 3, 2], FLOAT32, false));
                assert_eq!((read.n_dims, read.scaling), (3, [1.0, 0.0]));
                let wanted: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                assert_eq!(read.data, wanted);
                let forms = read.forms();
                assert_eq!(forms.qform.is_some(), has_quaternion);
                for form in [forms.qform, forms.sform].into_iter().flatten() {
                    assert!(form.is_of_the_scanner());
                    let pairs = form.affine_mm.iter().flatten().zip(affine.iter().flatten());
                    assert!(pairs.clone().all(|(is, was)| (is - was).abs() < 1e-5), "{form:?}");
                }
            }
        }
    }

    #[test]
    fn an_image_without_a_place_says_so() {
        let long = format!("tNAA (mmol/kg), é{}", "x".repeat(90));
        let file = image([2, 1, 1], None, &[1.0, 2.0], &long).unwrap();
        let read = parse(&file, false).unwrap();
        assert_eq!((read.forms().qform, read.forms().sform), (None, None));
        assert_eq!(&file[344..348], b"n+1\0");
        let said = format!("tNAA (mmol/kg), _{}\0", "x".repeat(62));
        assert_eq!(&file[148..228], said.as_bytes());
    }

    #[test]
    fn what_a_header_cannot_say_is_refused() {
        assert!(image([2, 1, 1], None, &[1.0], "").is_none());
        assert!(image([40_000, 1, 1], None, &vec![0.0; 40_000], "").is_none());
        assert!(image([usize::MAX, 2, 1], None, &[], "").is_none());
    }
}
