//! Where the fields of a P-file's header lie, by revision: GE's `rdbm.h` and `imagedb.h`, as the open readers have them.

use crate::formats::bytes::{Bytes, Order};

/// Where the fields of one family of revisions lie (bytes from the file's beginning).
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Data begin here; `None`: where the header says.
    pub(super) data: Option<usize>,
    /// Offset of the fields of the raw header beyond their place before revision 26.
    pub(super) shift: usize,
    /// Field that says where the data begin.
    pub(super) data_field: usize,
    pub(super) tr: usize,
    pub(super) psd_name: usize,
    pub(super) user8: usize,
    pub(super) corners: usize,
    /// Whether real files of it were at hand.
    pub(super) is_tested: bool,
}

/// TE comes two fields after TR.
pub(super) const TE_AFTER_TR: usize = 8;
pub(super) const NECHOES: usize = 70;
pub(super) const NAVS: usize = 72;
pub(super) const NFRAMES: usize = 74;
pub(super) const FRAME_SIZE: usize = 80;
pub(super) const POINT_SIZE: usize = 82;
pub(super) const RECEIVERS: usize = 200;
pub(super) const USER4: usize = 232;
pub(super) const USER19: usize = 292;
/// Bytes of the sequence's name.
pub(super) const PSD_NAME_BYTES: usize = 33;
pub(super) const SPECTRAL_WIDTH: usize = 368;
pub(super) const CSI_EXTENTS: usize = 374;
pub(super) const MPS_FREQ: usize = 424;
/// The raw header's fields moved by so much with revision 26. Those before the receivers moved a little more.
const SHIFT_26: usize = 64;
const SHIFT_26_COUNTS: usize = 76;

pub(super) fn layout(revision: f32) -> Option<(Layout, Order)> {
    let old = |data: Option<usize>, tr: usize, psd_name: usize, user8: usize, corners: usize| Layout {
        data,
        shift: 0,
        data_field: 1468,
        tr,
        psd_name,
        user8,
        corners,
        is_tested: false,
    };
    let new = |tr: usize, psd_name: usize, user8: usize, corners: usize| Layout {
        data: None,
        shift: SHIFT_26,
        data_field: 4,
        tr,
        psd_name,
        user8,
        corners,
        is_tested: false,
    };
    Some(match revision.trunc() as i32 {
        7 => (old(Some(39_984), 39_140, 39_260, 39_396, 39_100), Order::Big),
        9 => (Layout { is_tested: true, ..old(Some(61_464), 60_128, 60_248, 60_384, 60_088) }, Order::Little),
        11 => (old(Some(66_072), 65_024, 65_374, 64_620, 64_952), Order::Little),
        12 => (old(None, 65_024, 65_374, 64_620, 64_952), Order::Little),
        14 | 15 => (old(None, 144_572, 145_132, 144_008, 144_340), Order::Little),
        16..=19 => (old(None, 144_620, 145_180, 144_056, 144_388), Order::Little),
        revision @ 20..=25 => {
            (Layout { is_tested: revision == 20, ..old(None, 148_396, 148_972, 147_728, 148_060) }, Order::Little)
        }
        26 | 27 => (new(199_236, 199_812, 198_568, 198_900), Order::Little),
        28..=30 => (new(207_428, 208_004, 206_760, 207_092), Order::Little),
        _ => return None,
    })
}

/// The revision, from the first four bytes: files were big-endian before revision 9.
pub(super) fn revision(file: &[u8]) -> Option<f32> {
    let little = Bytes::new(file, Order::Little).f32(0)?;
    let big = Bytes::new(file, Order::Big).f32(0)?;
    [little, big].into_iter().find(|r| (5.0..100.0).contains(r))
}

impl Layout {
    /// Place of a field of the raw header's beginning, before the receivers.
    pub(super) fn count(&self, field: usize) -> usize {
        if self.shift > 0 { field + SHIFT_26_COUNTS } else { field }
    }

    /// Place of a field of the raw header from the receivers on.
    pub(super) fn raw(&self, field: usize) -> usize {
        field + self.shift
    }
}
