//! The readouts of a measurement: a header each (MDH), then the samples of every coil.

use std::ops::Range;

use num_complex::Complex64;

use super::error::DecodeError;
use crate::formats::bytes::{Bytes, FileBytes, Order};

/// Bits of a readout's evaluation mask.
mod flag {
    /// The last of the measurement; it holds no signal.
    pub(super) const ACQUISITION_END: u64 = 1;
    /// Feedback of the scanner's loop in real time.
    const REALTIME_FEEDBACK: u64 = 1 << 1;
    const HIGH_PASS_FEEDBACK: u64 = 1 << 2;
    /// Data of another kind than samples (physiology), as long as their own header says.
    pub(super) const SYNC_DATA: u64 = 1 << 5;
    const PHASE_CORRECTION: u64 = 1 << 21;
    const NOISE_SCAN: u64 = 1 << 25;
    /// Readouts that hold no signal of the measurement.
    pub(super) const NO_SIGNAL: u64 =
        REALTIME_FEEDBACK | HIGH_PASS_FEEDBACK | SYNC_DATA | PHASE_CORRECTION | NOISE_SCAN;
}

/// Bits of a readout's first word that hold its length; those above are flags.
const LENGTH_BITS: usize = 0x1ff_ffff;
/// Bytes of a sample: two floats.
const SAMPLE_BYTES: usize = 8;
/// Loop counters in the order of the header: how tables call them, and people.
pub(super) const COUNTERS: [(&str, &str); 14] = [
    ("lin", "line"),
    ("ave", "average"),
    ("sli", "slice"),
    ("par", "partition"),
    ("eco", "echo"),
    ("phs", "phase"),
    ("rep", "repetition"),
    ("set", "set"),
    ("seg", "segment"),
    ("ida", "ida"),
    ("idb", "idb"),
    ("idc", "idc"),
    ("idd", "idd"),
    ("ide", "ide"),
];

/// Sizes and places of one version's headers (bytes).
#[derive(Debug)]
pub(super) struct Layout {
    /// Header of a readout; none in VB, where each coil's samples have one.
    scan: usize,
    /// Header of a coil's samples.
    channel: usize,
    mask: usize,
    samples: usize,
    counters: usize,
    /// Parameters that sequences hand to the reconstruction, and free ones.
    ice: usize,
    free: usize,
    /// Whether real files of it were at hand.
    pub(super) is_tested: bool,
}

pub(super) const VB: Layout =
    Layout { scan: 0, channel: 128, mask: 20, samples: 28, counters: 32, ice: 80, free: 88, is_tested: false };
pub(super) const VD: Layout =
    Layout { scan: 192, channel: 32, mask: 40, samples: 48, counters: 52, ice: 128, free: 176, is_tested: true };

/// Counters of phase encoding.
const LINE: usize = 0;
const PARTITION: usize = 3;
/// Among the parameters for the reconstruction of VD and later: points before the echo.
const ICE_POINTS_BEFORE: usize = 4;
/// Points before an echo are no more than one in so many.
const FEW_BEFORE: usize = 16;

/// One readout: which it is, and where its samples begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readout {
    pub(super) counters: [u16; COUNTERS.len()],
    /// Which of all that hold signal, from 1.
    pub(super) number: usize,
    at: usize,
}

/// Place of a counter.
pub(super) fn index(name: &str) -> Option<usize> {
    COUNTERS.iter().position(|(counter, _)| *counter == name)
}

/// Whether a counter takes several values.
pub(super) fn varies(readouts: &[Readout], name: &str) -> bool {
    let Some(i) = index(name) else { return false };
    readouts.first().is_some_and(|first| readouts.iter().any(|r| r.counters[i] != first.counters[i]))
}

/// What all readouts have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Points that are stored.
    stored: usize,
    coils: usize,
    /// Points before and behind the signal.
    before: usize,
    behind: usize,
}

/// What a readout's header says of points before the echo, beside the cut-off.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    centre_column: usize,
    ice: usize,
    free: usize,
}

impl Before {
    fn new(bytes: Bytes<'_>, layout: &Layout, at: usize) -> Self {
        let number = |place: usize| bytes.u16(at + place).map_or(0, usize::from);
        // VB has four parameters for the reconstruction, none of which is this.
        let has_ice = layout.free - layout.ice > 2 * ICE_POINTS_BEFORE;
        Self {
            centre_column: number(layout.counters + 2 * (COUNTERS.len() + 2)),
            ice: if has_ice { number(layout.ice + 2 * ICE_POINTS_BEFORE) } else { 0 },
            free: number(layout.free),
        }
    }
}

/// Points and coils of a readout, by the header at `at`.
pub(super) fn points_and_coils(bytes: Bytes<'_>, layout: &Layout, at: usize) -> Option<(usize, usize)> {
    let at = at.checked_add(layout.samples)?;
    Some((bytes.u16(at)?.into(), bytes.u16(at + 2)?.into()))
}

/// The readouts of a measurement that hold signal.
#[derive(Debug, Clone)]
pub(super) struct Readouts {
    file: FileBytes,
    pub(super) all: Vec<Readout>,
    /// Whether the measurement's end was there.
    pub(super) is_complete: bool,
    before: Before,
    /// Points that are stored, and those of them that are cut off before the signal.
    stored: usize,
    cut_off: usize,
    /// Points of a signal.
    pub(super) points: usize,
    pub(super) coils: usize,
    /// From a readout to its first coil's first point, and from coil to coil (bytes).
    first: usize,
    coil_bytes: usize,
}

impl Readouts {
    /// Walks through the readouts from `at` on.
    pub(super) fn walk(file: FileBytes, layout: &Layout, mut at: usize) -> Result<Self, DecodeError> {
        let bytes = Bytes::new(&file, Order::Little);
        let length = file.len();
        let mut all: Vec<Readout> = Vec::new();
        let mut shape: Option<Shape> = None;
        let mut is_complete = false;
        let mut marks = Before::default();
        while let Some((mask, n)) = bytes.u64(at.saturating_add(layout.mask)).zip(bytes.u16(at + layout.samples)) {
            if mask & flag::ACQUISITION_END != 0 {
                is_complete = true;
                break;
            }
            let dma = bytes.u32(at).unwrap_or(0) as usize & LENGTH_BITS;
            let coils = usize::from(bytes.u16(at + layout.samples + 2).unwrap_or(0));
            let block = layout.channel + SAMPLE_BYTES * usize::from(n);
            let size = if mask & flag::SYNC_DATA != 0 { dma } else { layout.scan + coils * block };
            if size == 0 || at + size > length {
                break;
            }
            if mask & flag::NO_SIGNAL == 0 && n > 0 && coils > 0 {
                let number = |i: usize| bytes.u16(at + layout.counters + 2 * i).unwrap_or(0);
                let cut = |i: usize| usize::from(number(COUNTERS.len() + i));
                let this = Shape { stored: usize::from(n), coils, before: cut(0), behind: cut(1) };
                if shape.is_none() {
                    marks = Before::new(bytes, layout, at);
                }
                let first = *shape.get_or_insert(this);
                if first != this {
                    let text = |s: Shape| format!("{} × {}", s.stored, s.coils);
                    return Err(DecodeError::Shapes { first: text(first), other: text(this) });
                }
                let number_of = all.len() + 1;
                all.push(Readout { counters: std::array::from_fn(number), number: number_of, at: at + layout.scan });
            }
            at += if layout.scan == 0 { size } else { dma.max(size) };
        }
        let shape = shape.filter(|s| s.stored > s.before + s.behind);
        let Shape { stored, coils, before, behind } = shape.ok_or(DecodeError::NoTransients { bytes: length })?;
        let readouts = Self {
            file,
            all,
            is_complete,
            before: marks,
            stored,
            cut_off: before,
            points: stored - before - behind,
            coils,
            first: layout.channel + SAMPLE_BYTES * before,
            coil_bytes: layout.channel + SAMPLE_BYTES * stored,
        };
        readouts.single_voxel()
    }

    /// These, unless they are of spectroscopic imaging.
    fn single_voxel(self) -> Result<Self, DecodeError> {
        match self.all.iter().map(|r| r.counters[LINE].max(r.counters[PARTITION])).max() {
            Some(last) if last > 0 => Err(DecodeError::Imaging { lines: usize::from(last) + 1 }),
            _ => Ok(self),
        }
    }

    /// Leaves out points before the echo that are counted in one of `sources`, and those behind a signal of `vector` points
    /// (with or without double oversampling); says so.
    pub(super) fn begin_at_echo(&mut self, sources: &[String], vector: Option<usize>) -> Option<String> {
        let Before { centre_column, ice, free } = self.before;
        let wanted = vector.map(|n| if self.stored >= 2 * n { 2 * n } else { n }).filter(|n| *n <= self.stored);
        let found = sources.iter().map(|source| match source.as_str() {
            "centre_column" => (centre_column, "centre column"),
            "ice_and_free_parameter" => (ice + free, "parameters of the readouts"),
            _ => (free, "free parameter of the readouts"),
        });
        let (before, source) = found.into_iter().find(|(n, _)| *n > 0)?;
        let more = before.checked_sub(self.cut_off).filter(|more| *more > 0)?;
        let is_room = wanted.is_none_or(|n| before + n <= self.stored);
        if before > self.stored / FEW_BEFORE || more >= self.points || (source != "centre column" && !is_room) {
            return Some(format!("{source} {before}: no number of points before the echo; all points were kept"));
        }
        self.first += SAMPLE_BYTES * more;
        self.points -= more;
        let behind = wanted.and_then(|n| self.points.checked_sub(n)).unwrap_or(0);
        self.points -= behind;
        Some(format!("{before} points before the echo ({source}) and {behind} behind the signal were left out"))
    }

    /// Some samples of a coil in our convention.
    fn samples(&self, readout: &Readout, coil: usize, points: Range<usize>) -> Vec<Complex64> {
        let first = readout.at + self.first + coil * self.coil_bytes;
        let bytes = Bytes::new(&self.file, Order::Little);
        let mut samples = bytes.complex32s(first + SAMPLE_BYTES * points.start, points.len());
        samples.iter_mut().for_each(|z| *z = z.conj());
        samples
    }

    /// Some samples of readouts of a coil added with weights, in our convention.
    pub(super) fn sum(&self, readouts: &[(Readout, f64)], coil: usize, points: Range<usize>) -> Vec<Complex64> {
        if let [(readout, 1.0)] = readouts {
            return self.samples(readout, coil, points);
        }
        let mut sum = vec![Complex64::default(); points.len()];
        for (readout, weight) in readouts {
            let fid = self.samples(readout, coil, points.clone());
            sum.iter_mut().zip(fid).for_each(|(sum, z)| *sum += weight * z);
        }
        sum
    }

    /// Root of the mean square of the first points over all coils of `group`.
    pub(super) fn strength(&self, group: &[Readout]) -> f64 {
        /// The signal's beginning, where it is strongest.
        const POINTS: usize = 16;
        let points = self.points.min(POINTS);
        let of_coil = |r: &Readout, c: usize| self.samples(r, c, 0..points).iter().map(|z| z.norm_sqr()).sum::<f64>();
        let parts = group.iter().flat_map(|r| (0..self.coils).map(move |c| (r, c)));
        let sum: f64 = parts.map(|(r, c)| of_coil(r, c)).sum();
        (sum / group.len().max(1) as f64).sqrt()
    }
}
