//! What a file's header says: its fields, its extensions and where the data lie.

use super::layout::{Fields, INTENT_BYTES, Layout};
use super::place::{Forms, Geometry};
use crate::formats::bytes::{Bytes, Order};

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
    /// The system does not give the bytes.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// More than is read of any file.
    #[error("the header announces {bytes} bytes of data; files of more than {MOST_DATA} are not read: split it")]
    TooLarge {
        /// Bytes announced.
        bytes: u64,
    },
    /// A gzip stream that does not end.
    #[error("unpacks to more than the {needed} bytes of data that its header announces; export the file again")]
    Longer {
        /// Bytes announced.
        needed: usize,
    },
    /// The system has no memory for it.
    #[error("there is no memory for its {bytes} bytes; run it on a machine with more")]
    Memory {
        /// Bytes asked for.
        bytes: usize,
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
    /// Slope and intercept of the stored numbers; a slope of 0 stands for none.
    pub scaling: [f64; 2],
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

/// Most bytes of data that a file may hold, packed or not: a bomb must fill neither the memory nor the time.
pub const MOST_DATA: u64 = 4 << 30;

/// Bytes in which a header lies, with its extensions: a search of folders reads no more of each file.
pub(in crate::formats) const HEADER_BYTES: usize = 1 << 16;

/// The type of the elements of a file that begins as NIfTI-1 or -2 in one file does, in either order of bytes.
pub(in crate::formats) fn datatype_by_magic(head: &[u8]) -> Option<i16> {
    let two = |at: usize| head.get(at..at + 2)?.try_into().ok();
    // Length of the header, place and text of the magic, place of the type.
    [(348_i32, 344, b"n+1\0", 70), (540, 4, b"n+2\0", 12)].into_iter().find_map(|(size, magic_at, magic, at)| {
        let has_magic = head.get(magic_at..magic_at + 4) == Some(magic);
        match head.get(..4)? {
            begin if has_magic && begin == size.to_le_bytes() => two(at).map(i16::from_le_bytes),
            begin if has_magic && begin == size.to_be_bytes() => two(at).map(i16::from_be_bytes),
            _ => None,
        }
    })
}

/// The header's fields, its layout, and where the data begin.
pub(super) fn header(bytes: &[u8]) -> Result<(Nifti, Layout, usize), NiftiError> {
    let fields = Fields::of(bytes).ok_or(NiftiError::NotNifti)?;
    let layout = fields.layout;
    if bytes.len() < layout.size {
        return Err(NiftiError::Truncated { what: "header", got: bytes.len(), needed: layout.size });
    }
    let (n_dims, shape) = shape(&fields)?;
    let data_offset = usize::try_from(fields.vox_offset())
        .ok()
        .filter(|o| *o >= layout.size && (*o as u64) < MOST_DATA)
        .ok_or_else(|| bad("vox_offset", fields.vox_offset(), layout.vox_offset))?;
    let triple = |field: usize| std::array::from_fn(|i| fields.number(field, i));
    let geometry = Geometry {
        qform_code: fields.code(layout.qform_code),
        sform_code: fields.code(layout.sform_code),
        quaternion: triple(layout.quatern),
        offset_mm: triple(layout.qoffset),
        srow: std::array::from_fn(|r| std::array::from_fn(|c| fields.number(layout.srow, 4 * r + c))),
    };
    let intent = &bytes[layout.intent_name..layout.intent_name + INTENT_BYTES];
    let nifti = Nifti {
        shape,
        n_dims,
        datatype: fields.bytes.i16(layout.datatype).unwrap_or(0),
        pixdim: std::array::from_fn(|i| fields.number(layout.pixdim, i)),
        xyzt_units: fields.xyzt_units(),
        scaling: [0, 1].map(|i| fields.number(layout.scl_slope, i)),
        geometry,
        intent_name: intent.iter().take_while(|b| **b != 0).map(|&b| char::from(b)).collect(),
        extensions: Vec::new(),
        big_endian: fields.order == Order::Big,
        data: Vec::new(),
    };
    Ok((nifti, layout, data_offset))
}

/// Number of dimensions, and the extents of all seven.
fn shape(fields: &Fields<'_>) -> Result<(usize, [usize; 7]), NiftiError> {
    let at = fields.layout.dim;
    let n_dims = usize::try_from(fields.extent(0))
        .ok()
        .filter(|n| (1..=7).contains(n))
        .ok_or_else(|| bad("dim[0]", fields.extent(0), at))?;
    let mut shape = [1; 7];
    for (i, extent) in shape.iter_mut().enumerate().take(n_dims) {
        let stated = fields.extent(i + 1);
        *extent = usize::try_from(stated).ok().filter(|n| *n > 0).ok_or_else(|| bad("dim", stated, at))?;
    }
    Ok((n_dims, shape))
}

fn bad(field: &'static str, value: i64, offset: usize) -> NiftiError {
    NiftiError::Field { field, value: value.to_string(), offset }
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

pub(super) fn data_length(nifti: &Nifti) -> Result<usize, NiftiError> {
    let element = element_bytes(nifti.datatype).ok_or_else(|| NiftiError::Field {
        field: "datatype",
        value: nifti.datatype.to_string(),
        offset: 12,
    })?;
    let bytes = nifti.shape.iter().try_fold(element, |n, &d| n.checked_mul(d));
    let bytes =
        bytes.ok_or_else(|| NiftiError::Field { field: "dim", value: format!("{:?}", nifti.shape), offset: 16 })?;
    if bytes as u64 > MOST_DATA {
        return Err(NiftiError::TooLarge { bytes: bytes as u64 });
    }
    Ok(bytes)
}

pub(super) fn extensions(
    bytes: &[u8],
    nifti: &Nifti,
    layout: Layout,
    data_offset: usize,
) -> Result<Vec<Extension>, NiftiError> {
    let mut found = Vec::new();
    // Four bytes after the header: the first says whether extensions follow.
    if bytes.get(layout.size).copied().unwrap_or(0) == 0 {
        return Ok(found);
    }
    let numbers = Bytes::new(bytes, if nifti.big_endian { Order::Big } else { Order::Little });
    let word = |at: usize| numbers.i32(at).unwrap_or(0);
    let mut at = layout.size + 4;
    while at + 8 <= data_offset.min(bytes.len()) {
        let length = usize::try_from(word(at)).unwrap_or(0);
        if length < 8 || at + length > data_offset {
            return Err(NiftiError::Field { field: "extension size", value: word(at).to_string(), offset: at });
        }
        let content = bytes.get(at + 8..at + length).ok_or(NiftiError::Truncated {
            what: "header extension",
            got: bytes.len() - at,
            needed: length,
        })?;
        found.push(Extension { code: word(at + 4), content: content.to_vec() });
        at += length;
    }
    Ok(found)
}

impl Nifti {
    /// Where its two forms put the voxels.
    pub fn forms(&self) -> Forms {
        self.geometry.forms(&self.pixdim)
    }

    /// What stored numbers are to be multiplied by, where they are scaled: a slope of 0 stands for none.
    pub fn slope(&self) -> Option<f64> {
        Some(self.scaling[0]).filter(|slope| slope.is_finite() && *slope != 0.0)
    }

    /// What is to be added to them then.
    pub fn intercept(&self) -> Option<f64> {
        self.slope().and(Some(self.scaling[1]).filter(|intercept| intercept.is_finite() && *intercept != 0.0))
    }

    /// Extents of the grid of voxels.
    pub fn grid(&self) -> [usize; 3] {
        [self.shape[0], self.shape[1], self.shape[2]]
    }
}
