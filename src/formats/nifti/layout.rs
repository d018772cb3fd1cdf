//! Where the fields of a NIfTI header lie, and their widths.
//!
//! Layouts: `nifti1.h` (348 bytes) and `nifti2.h` (540 bytes) of the NIfTI Data Format Working Group.

use crate::formats::bytes::{Bytes, Order};

/// Places of the fields of one version's header (bytes from the file's beginning).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) struct Layout {
    /// Length of the header, which is also its first field (`sizeof_hdr`).
    pub(in crate::formats) size: usize,
    /// What tells that the data follow in the same file, and where that stands.
    pub(in crate::formats) magic: usize,
    pub(in crate::formats) magic_text: &'static [u8],
    pub(in crate::formats) datatype: usize,
    pub(in crate::formats) bitpix: usize,
    /// Eight numbers: how many dimensions, then their extents.
    pub(in crate::formats) dim: usize,
    /// Eight numbers: handedness, then the spacings.
    pub(in crate::formats) pixdim: usize,
    pub(in crate::formats) vox_offset: usize,
    pub(in crate::formats) scl_slope: usize,
    pub(in crate::formats) qform_code: usize,
    pub(in crate::formats) sform_code: usize,
    /// Three numbers (b, c, d), then the offset (mm) behind them.
    pub(in crate::formats) quatern: usize,
    pub(in crate::formats) qoffset: usize,
    /// Three rows of four.
    pub(in crate::formats) srow: usize,
    pub(in crate::formats) xyzt_units: usize,
    /// Text of 80 bytes.
    pub(in crate::formats) descrip: usize,
    /// Text of 16 bytes.
    pub(in crate::formats) intent_name: usize,
    /// Bytes of an extent, and of a number.
    pub(in crate::formats) extent_bytes: usize,
    pub(in crate::formats) number_bytes: usize,
}

pub(super) const NIFTI1: Layout = Layout {
    size: 348,
    magic: 344,
    magic_text: b"n+1\0",
    dim: 40,
    datatype: 70,
    bitpix: 72,
    pixdim: 76,
    vox_offset: 108,
    scl_slope: 112,
    xyzt_units: 123,
    descrip: 148,
    qform_code: 252,
    sform_code: 254,
    quatern: 256,
    qoffset: 268,
    srow: 280,
    intent_name: 328,
    extent_bytes: 2,
    number_bytes: 4,
};

pub(in crate::formats) const NIFTI2: Layout = Layout {
    size: 540,
    magic: 4,
    magic_text: b"n+2\0\r\n\x1a\n",
    datatype: 12,
    bitpix: 14,
    dim: 16,
    pixdim: 104,
    vox_offset: 168,
    scl_slope: 176,
    qform_code: 344,
    sform_code: 348,
    quatern: 352,
    qoffset: 376,
    srow: 400,
    xyzt_units: 500,
    descrip: 240,
    intent_name: 508,
    extent_bytes: 8,
    number_bytes: 8,
};

/// Bytes of `intent_name`.
pub(super) const INTENT_BYTES: usize = 16;

/// A header of known layout and byte order, long enough for all fields.
pub(super) struct Fields<'a> {
    pub(super) bytes: Bytes<'a>,
    pub(super) order: Order,
    pub(super) layout: Layout,
}

impl<'a> Fields<'a> {
    /// By the first field; `None` where it is that of neither version in either byte order.
    pub(super) fn of(header: &'a [u8]) -> Option<Self> {
        [NIFTI1, NIFTI2]
            .into_iter()
            .flat_map(|layout| [Order::Little, Order::Big].map(|order| (layout, order)))
            .map(|(layout, order)| Self { bytes: Bytes::new(header, order), order, layout })
            .find(|fields| fields.bytes.u32(0) == u32::try_from(fields.layout.size).ok())
    }

    fn is_first(&self) -> bool {
        self.layout == NIFTI1
    }

    /// A number of `pixdim`, `quatern`, `qoffset` or `srow`, `index` behind `field`.
    pub(super) fn number(&self, field: usize, index: usize) -> f64 {
        let at = field + self.layout.number_bytes * index;
        let number = if self.is_first() { self.bytes.f32(at).map(f64::from) } else { self.bytes.f64(at) };
        number.unwrap_or(0.0)
    }

    /// A number of `dim`.
    pub(super) fn extent(&self, index: usize) -> i64 {
        let at = self.layout.dim + self.layout.extent_bytes * index;
        let extent = if self.is_first() { self.bytes.i16(at).map(i64::from) } else { self.bytes.i64(at) };
        extent.unwrap_or(0)
    }

    /// `qform_code` or `sform_code`.
    pub(super) fn code(&self, at: usize) -> i32 {
        let code = if self.is_first() { self.bytes.i16(at).map(i32::from) } else { self.bytes.i32(at) };
        code.unwrap_or(0)
    }

    pub(super) fn xyzt_units(&self) -> i32 {
        let at = self.layout.xyzt_units;
        let units = if self.is_first() { self.bytes.all().get(at).map(|b| i32::from(*b)) } else { self.bytes.i32(at) };
        units.unwrap_or(0)
    }

    /// Where the data begin; the first version has a float.
    pub(super) fn vox_offset(&self) -> i64 {
        let at = self.layout.vox_offset;
        if self.is_first() { self.number(at, 0) as i64 } else { self.bytes.i64(at).unwrap_or(0) }
    }
}
