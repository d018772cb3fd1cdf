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
    /// Where the image header begins, which has the last four fields, and the field that says so.
    pub(super) image: usize,
    image_field: usize,
    /// Whether real files of it were at hand.
    pub(super) is_tested: bool,
}

/// Editing pulses, counted from `user8` of the image header: their kind (`user19`), and their offsets (Hz) in `user20`, `user21`.
pub(super) const WAVEFORM: usize = 44;
pub(super) const PULSES: [usize; 2] = [48, 52];
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
/// No image header begins earlier.
const LEAST_IMAGE: usize = 1024;
/// Bytes of the sequence's name.
pub(super) const PSD_NAME_BYTES: usize = 33;
pub(super) const SPECTRAL_WIDTH: usize = 368;
pub(super) const CSI_EXTENTS: usize = 374;
pub(super) const MPS_FREQ: usize = 424;
/// The raw header's fields moved by so much with revision 26. Those before the receivers moved a little more.
const SHIFT_26: usize = 64;
const SHIFT_26_COUNTS: usize = 76;

pub(super) fn layout(revision: f32) -> Option<(Layout, Order)> {
    let old = |data: Option<usize>, image: usize, tr: usize, psd_name: usize, user8: usize, corners: usize| Layout {
        data,
        shift: 0,
        data_field: 1468,
        tr,
        psd_name,
        user8,
        corners,
        image,
        image_field: 1504,
        is_tested: false,
    };
    // The image header is one block: its fields keep their distances.
    let new = |image: usize| Layout {
        data: None,
        shift: SHIFT_26,
        data_field: 4,
        tr: image + 1056,
        psd_name: image + 1632,
        user8: image + 388,
        corners: image + 720,
        image,
        image_field: 40,
        is_tested: false,
    };
    Some(match revision.trunc() as i32 {
        7 => (old(Some(39_984), 0, 39_140, 39_260, 39_396, 39_100), Order::Big),
        9 => (Layout { is_tested: true, ..old(Some(61_464), 0, 60_128, 60_248, 60_384, 60_088) }, Order::Little),
        11 => (old(Some(66_072), 0, 65_024, 65_374, 64_620, 64_952), Order::Little),
        12 => (old(None, 0, 65_024, 65_374, 64_620, 64_952), Order::Little),
        14 | 15 => (old(None, 143_860, 144_572, 145_132, 144_008, 144_340), Order::Little),
        16..=19 => (old(None, 143_860, 144_620, 145_180, 144_056, 144_388), Order::Little),
        revision @ 20..=25 => {
            let layout = old(None, 147_340, 148_396, 148_972, 147_728, 148_060);
            (Layout { is_tested: revision == 20, ..layout }, Order::Little)
        }
        26 => (new(198_180), Order::Little),
        // From 27.001 on, as 28 has it.
        27 if revision < 27.0005 => (new(198_180), Order::Little),
        27..=30 => (new(206_372), Order::Little),
        31 => (new(206_676), Order::Little),
        _ => return None,
    })
}

/// The revision, from the first four bytes: files were big-endian before revision 9.
pub(super) fn revision(file: &[u8]) -> Option<f32> {
    let little = Bytes::new(file, Order::Little).f32(0)?;
    let big = Bytes::new(file, Order::Big).f32(0)?;
    [little, big].into_iter().find(|r| (5.0..100.0).contains(r))
}

/// Whether a header that begins with a known revision has fields that only spectroscopy's can have: what tells a P-file by
/// content alone.
pub(super) fn is_plausible(head: &[u8]) -> bool {
    let Some((layout, order)) = revision(head).and_then(layout) else { return false };
    let bytes = Bytes::new(head, order);
    let short = |field: usize, low: i16, high: i16| {
        bytes.i16(layout.count(field)).is_some_and(|value| (low..=high).contains(&value))
    };
    let is_width = bytes.f32(layout.raw(SPECTRAL_WIDTH)).is_some_and(|hz| (200.0..=100_000.0).contains(&hz));
    // Tenths of a hertz: 0.2 to 20 T.
    let is_f0 = bytes.u32(layout.raw(MPS_FREQ)).is_some_and(|f| (80_000_000..4_000_000_000).contains(&f));
    let begin = layout.data.map_or_else(|| bytes.u32(layout.data_field).map(|at| at as usize), Some);
    let is_begin = begin.is_some_and(|at| (30_000..4_000_000).contains(&at));
    let is_points = bytes.u16(layout.count(FRAME_SIZE)).is_some_and(|n| (64..=32_768).contains(&n));
    let is_size = bytes.i16(layout.count(POINT_SIZE)).is_some_and(|n| n == 2 || n == 4);
    is_width && is_f0 && is_begin && is_points && is_size && short(NECHOES, 1, 64) && short(NFRAMES, 1, i16::MAX)
}

impl Layout {
    /// The same with the image header where the file itself says that it begins, if there is one.
    pub(super) fn located(self, bytes: &Bytes<'_>) -> Self {
        let own = bytes.i32(self.image_field).and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        if self.image == 0 || own == self.image || !(LEAST_IMAGE..bytes.all().len()).contains(&own) {
            return self;
        }
        let moved = |field: usize| (own + field).saturating_sub(self.image);
        let moved = Self {
            tr: moved(self.tr),
            psd_name: moved(self.psd_name),
            user8: moved(self.user8),
            corners: moved(self.corners),
            image: own,
            ..self
        };
        let has_header = |layout: &Self| {
            bytes.text(layout.psd_name, PSD_NAME_BYTES).is_some() && bytes.i32(layout.tr).is_some_and(|tr| tr > 0)
        };
        if has_header(&moved) && !has_header(&self) { moved } else { self }
    }

    /// Place of a field of the raw header's beginning, before the receivers.
    pub(super) fn count(&self, field: usize) -> usize {
        if self.shift > 0 { field + SHIFT_26_COUNTS } else { field }
    }

    /// Place of a field of the raw header from the receivers on.
    pub(super) fn raw(&self, field: usize) -> usize {
        field + self.shift
    }
}
