//! NIfTI-1 and NIfTI-2 containers: header, extensions and the place of the data. What the numbers mean
//! is for [`super::nifti_mrs`] to say.
//!
//! Layouts: `nifti1.h` (348 bytes) and `nifti2.h` (540 bytes) of the NIfTI Data Format Working Group.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// Why a file is no usable NIfTI.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NiftiError {
    /// Neither `sizeof_hdr` of NIfTI-1 nor NIfTI-2, in either byte order.
    #[error("not a NIfTI file: its first four bytes are neither 348 nor 540")]
    NotNifti,
    /// The gzip stream is broken.
    #[error("the gzip stream is broken after {got} bytes; copy or export the file again")]
    Gzip {
        /// Bytes that came out.
        got: usize,
    },
    /// Less data than the header says.
    #[error("{what}: {got} bytes where the header announces {needed}; the file is cut off")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Bytes there.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// A header field that cannot be right.
    #[error("header field {field} = {value} at byte {offset} cannot be right; export the file again")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: String,
        /// Where it is.
        offset: usize,
    },
}

/// A header extension.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// What kind (44: NIfTI-MRS).
    pub code: i32,
    /// Content, padding included.
    pub content: Vec<u8>,
}

/// A parsed file; `data` is everything that the header announces.
#[derive(Debug, Clone, PartialEq)]
pub struct Nifti {
    /// Extents of up to seven dimensions, 1 where there is none.
    pub shape: [usize; 7],
    /// Number of dimensions as the header says.
    pub n_dims: usize,
    /// Element type (32: complex64, 1792: complex128).
    pub datatype: i16,
    /// Grid spacings; `pixdim[4]` is the dwell time.
    pub pixdim: [f64; 8],
    /// Units of space and time.
    pub xyzt_units: i32,
    /// Transforms and their codes.
    pub geometry: Geometry,
    /// Name of the data's intent (`mrs_v0_9`).
    pub intent_name: String,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// Whether numbers are stored with the most significant byte first.
    pub big_endian: bool,
    /// Bytes of the data.
    pub data: Vec<u8>,
}

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

/// Largest file that is unpacked (bytes): a bomb must not fill the memory.
const MAX_UNPACKED: u64 = 4 << 30;

struct Fields<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut out = [0; N];
        if let Some(slice) = self.bytes.get(offset..offset + N) {
            out.copy_from_slice(slice);
        }
        if self.big_endian {
            out.reverse();
        }
        out
    }
    fn i16(&self, offset: usize) -> i16 {
        i16::from_le_bytes(self.array(offset))
    }
    fn i32(&self, offset: usize) -> i32 {
        i32::from_le_bytes(self.array(offset))
    }
    fn i64(&self, offset: usize) -> i64 {
        i64::from_le_bytes(self.array(offset))
    }
    fn f32(&self, offset: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.array(offset)))
    }
    fn f64(&self, offset: usize) -> f64 {
        f64::from_le_bytes(self.array(offset))
    }
}

/// Parses a file, gzipped or plain. With `with_data` false the data stay empty (and are not unpacked).
pub fn parse(file: &[u8], with_data: bool) -> Result<Nifti, NiftiError> {
    let gzipped = file.starts_with(&[0x1f, 0x8b]);
    // The header first: it says how much there is to unpack.
    let head = if gzipped { unpack(file, 1 << 16, true)? } else { file[..file.len().min(1 << 16)].to_vec() };
    let (mut nifti, data_offset) = header(&head)?;
    let needed = data_length(&nifti)?;
    let end = data_offset.saturating_add(needed);
    let all;
    let bytes: &[u8] = if gzipped {
        let limit = if with_data { end as u64 } else { data_offset as u64 };
        all = unpack(file, limit.min(MAX_UNPACKED), !with_data)?;
        &all
    } else {
        file
    };
    nifti.extensions = extensions(bytes, &nifti, data_offset)?;
    if with_data {
        let data = bytes.get(data_offset..end).ok_or_else(|| NiftiError::Truncated {
            what: "data",
            got: bytes.len().saturating_sub(data_offset),
            needed,
        })?;
        nifti.data = data.to_vec();
    }
    Ok(nifti)
}

fn unpack(file: &[u8], limit: u64, tolerate_end: bool) -> Result<Vec<u8>, NiftiError> {
    let mut out = Vec::new();
    match MultiGzDecoder::new(file).take(limit).read_to_end(&mut out) {
        Ok(_) => Ok(out),
        // What came out before the break may hold the header.
        Err(_) if tolerate_end && out.len() >= 540 => Ok(out),
        Err(_) => Err(NiftiError::Gzip { got: out.len() }),
    }
}

fn header(bytes: &[u8]) -> Result<(Nifti, usize), NiftiError> {
    let little = Fields { bytes, big_endian: false };
    let big = Fields { bytes, big_endian: true };
    let (version, f) = match (little.i32(0), big.i32(0)) {
        (348, _) => (1, little),
        (540, _) => (2, little),
        (_, 348) => (1, big),
        (_, 540) => (2, big),
        _ => return Err(NiftiError::NotNifti),
    };
    let size = if version == 1 { 348 } else { 540 };
    if bytes.len() < size {
        return Err(NiftiError::Truncated { what: "header", got: bytes.len(), needed: size });
    }
    let dim_offset = if version == 1 { 40 } else { 16 };
    let dim = |i: usize| if version == 1 { i64::from(f.i16(40 + 2 * i)) } else { f.i64(16 + 8 * i) };
    let bad = |field, value: i64, offset| NiftiError::Field { field, value: value.to_string(), offset };
    let n_dims = usize::try_from(dim(0))
        .ok()
        .filter(|n| (1..=7).contains(n))
        .ok_or_else(|| bad("dim[0]", dim(0), dim_offset))?;
    let mut shape = [1; 7];
    for (i, extent) in shape.iter_mut().enumerate().take(n_dims) {
        *extent =
            usize::try_from(dim(i + 1)).ok().filter(|n| *n > 0).ok_or_else(|| bad("dim", dim(i + 1), dim_offset))?;
    }
    let pixdim = std::array::from_fn(|i| if version == 1 { f.f32(76 + 4 * i) } else { f.f64(104 + 8 * i) });
    let text = |offset: usize| -> String {
        bytes[offset..offset + 16].iter().take_while(|b| **b != 0).map(|&b| char::from(b)).collect()
    };
    let (vox_offset, geometry, datatype, xyzt_units, intent_name) = if version == 1 {
        let geometry = Geometry {
            qform_code: f.i16(252).into(),
            sform_code: f.i16(254).into(),
            quaternion: std::array::from_fn(|i| f.f32(256 + 4 * i)),
            offset_mm: std::array::from_fn(|i| f.f32(268 + 4 * i)),
            srow: std::array::from_fn(|r| std::array::from_fn(|c| f.f32(280 + 16 * r + 4 * c))),
        };
        (f.f32(108) as i64, geometry, f.i16(70), i32::from(bytes[123]), text(328))
    } else {
        let geometry = Geometry {
            qform_code: f.i32(344),
            sform_code: f.i32(348),
            quaternion: std::array::from_fn(|i| f.f64(352 + 8 * i)),
            offset_mm: std::array::from_fn(|i| f.f64(376 + 8 * i)),
            srow: std::array::from_fn(|r| std::array::from_fn(|c| f.f64(400 + 32 * r + 8 * c))),
        };
        (f.i64(168), geometry, f.i16(12), f.i32(500), text(508))
    };
    let data_offset = usize::try_from(vox_offset)
        .ok()
        .filter(|o| *o >= size && (*o as u64) < MAX_UNPACKED)
        .ok_or_else(|| bad("vox_offset", vox_offset, if version == 1 { 108 } else { 168 }))?;
    let big_endian = f.big_endian;
    let nifti = Nifti {
        shape,
        n_dims,
        datatype,
        pixdim,
        xyzt_units,
        geometry,
        intent_name,
        extensions: Vec::new(),
        big_endian,
        data: Vec::new(),
    };
    Ok((nifti, data_offset))
}

/// Bytes of one element.
pub fn element_bytes(datatype: i16) -> Option<usize> {
    Some(match datatype {
        2 | 256 => 1,
        4 | 512 => 2,
        8 | 16 | 768 => 4,
        32 | 64 | 1024 | 1280 => 8,
        1536 | 1792 => 16,
        128 => 3,
        2304 => 4,
        2048 => 32,
        _ => return None,
    })
}

fn data_length(nifti: &Nifti) -> Result<usize, NiftiError> {
    let element = element_bytes(nifti.datatype).ok_or_else(|| NiftiError::Field {
        field: "datatype",
        value: nifti.datatype.to_string(),
        offset: 12,
    })?;
    nifti
        .shape
        .iter()
        .try_fold(element, |n, &d| n.checked_mul(d))
        .filter(|n| (*n as u64) <= MAX_UNPACKED)
        .ok_or_else(|| NiftiError::Field { field: "dim", value: format!("{:?}", nifti.shape), offset: 16 })
}

fn extensions(bytes: &[u8], nifti: &Nifti, data_offset: usize) -> Result<Vec<Extension>, NiftiError> {
    let size = if bytes.len() >= 4 && (bytes[0] == 92 || bytes[3] == 92) { 348 } else { 540 };
    let mut found = Vec::new();
    // Four bytes after the header: the first says whether extensions follow.
    if bytes.get(size).copied().unwrap_or(0) == 0 {
        return Ok(found);
    }
    let f = Fields { bytes, big_endian: nifti.big_endian };
    let mut at = size + 4;
    while at + 8 <= data_offset.min(bytes.len()) {
        let length = usize::try_from(f.i32(at)).unwrap_or(0);
        if length < 8 || at + length > data_offset {
            return Err(NiftiError::Field { field: "extension size", value: f.i32(at).to_string(), offset: at });
        }
        let content = bytes.get(at + 8..at + length).ok_or(NiftiError::Truncated {
            what: "header extension",
            got: bytes.len() - at,
            needed: length,
        })?;
        found.push(Extension { code: f.i32(at + 4), content: content.to_vec() });
        at += length;
    }
    Ok(found)
}

/// Mean distance (mm) of a voxel's corners between the two forms below which they are one transform, rounded twice.
const SAME_FORM_MM: f64 = 1e-3;

impl Nifti {
    /// Voxel-to-scanner transform (mm) and which of the two forms it comes from: the quaternion where its code is above
    /// zero, else the matrix where its code is. Where both say the same, the matrix has more digits.
    pub fn affine_mm(&self) -> Option<([[f64; 4]; 4], &'static str)> {
        let g = &self.geometry;
        let matrix = [g.srow[0], g.srow[1], g.srow[2], [0.0, 0.0, 0.0, 1.0]];
        if g.qform_code > 0 {
            let m = self.quaternion_affine();
            let difference: f64 = m.iter().flatten().zip(matrix.iter().flatten()).map(|(a, b)| (a - b).abs()).sum();
            Some((if g.sform_code > 0 && difference < SAME_FORM_MM { matrix } else { m }, "qform"))
        } else if g.sform_code > 0 {
            Some((matrix, "sform"))
        } else {
            None
        }
    }

    fn quaternion_affine(&self) -> [[f64; 4]; 4] {
        let [b, c, d] = self.geometry.quaternion;
        let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
        let r = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let handed = if self.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let scale = [self.pixdim[1], self.pixdim[2], self.pixdim[3] * handed];
        let mut m = [[0.0; 4]; 4];
        for i in 0..3 {
            for j in 0..3 {
                m[i][j] = r[i][j] * scale[j];
            }
            m[i][3] = self.geometry.offset_mm[i];
        }
        m[3][3] = 1.0;
        m
    }
}

/// Sizes of the voxel (mm), handedness (1 or −1) and quaternion (b, c, d) of a transform, as a NIfTI header holds them;
/// `None` where its axes are not at right angles, which a quaternion cannot say.
pub(super) fn quaternion(affine: &[[f64; 4]; 4]) -> Option<([f64; 3], f64, [f64; 3])> {
    let column = |j: usize| [affine[0][j], affine[1][j], affine[2][j]];
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
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
    let cross = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
    let handed = if dot(cross, z) < 0.0 { -1.0 } else { 1.0 };
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
