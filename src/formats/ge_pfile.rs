//! GE P-files: a header whose layout depends on the revision, then frames of integers, coil after coil.
//!
//! Each coil has a baseline frame, then frames without water suppression, then those with it. Offsets of the fields:
//! GE's `rdbm.h` and `imagedb.h`, as the open readers of P-files have them. Samples are taken as they are.

use ndarray::Array5;
use num_complex::Complex64;

use super::bytes::{Bytes, Order};
use crate::acquisition::{Acquisition, Format, UNTESTED_FORMAT};

/// Why a P-file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The layout of this revision is not known.
    #[error(
        "P-file revision {revision} is not known (known are 7 to 30); convert it with the vendor's or another tool"
    )]
    Revision {
        /// As the file has it.
        revision: f32,
    },
    /// A header field cannot be right.
    #[error("the header field {field} is {value}, which cannot be right; export the file again")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What it says.
        value: f64,
    },
    /// Shorter than the header says.
    #[error("{got} bytes where the header announces {needed}; the file is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// A grid of voxels.
    #[error("spectroscopic imaging ({voxels} voxels) is not read from P-files; convert it to NIfTI-MRS first")]
    Grid {
        /// Voxels.
        voxels: usize,
    },
    /// Several echoes, as of some edited sequences.
    #[error(
        "{echoes} echoes: how their frames are interleaved differs between sequences; convert it to NIfTI-MRS first"
    )]
    Echoes {
        /// Echoes.
        echoes: i16,
    },
    /// No frame with water suppression.
    #[error("no frames but {reference} of the water reference; is it a prescan?")]
    NoFrames {
        /// Frames of the reference.
        reference: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Revision { .. } => "unknown_revision",
            Self::Field { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
            Self::Grid { .. } | Self::Echoes { .. } => "unsupported",
            Self::NoFrames { .. } => "no_signal",
        }
    }
}

/// Where the fields of one family of revisions lie (bytes from the file's beginning).
struct Layout {
    /// Data begin here; `None`: where the header says.
    data: Option<usize>,
    /// Offset of the fields of the raw header beyond their place before revision 26.
    shift: usize,
    /// Field that says where the data begin.
    data_field: usize,
    tr: usize,
    psd_name: usize,
    user8: usize,
    corners: usize,
    /// Whether real files of it were at hand.
    is_tested: bool,
}

/// TE comes two fields after TR.
const TE_AFTER_TR: usize = 8;
const NECHOES: usize = 70;
const NAVS: usize = 72;
const NFRAMES: usize = 74;
const FRAME_SIZE: usize = 80;
const POINT_SIZE: usize = 82;
const RECEIVERS: usize = 200;
const USER4: usize = 232;
const USER19: usize = 292;
const SPECTRAL_WIDTH: usize = 368;
const CSI_EXTENTS: usize = 374;
const MPS_FREQ: usize = 424;
/// The raw header's fields moved by so much with revision 26. Those before the receivers moved a little more.
const SHIFT_26: usize = 64;
const SHIFT_26_COUNTS: usize = 76;

fn layout(revision: f32) -> Option<(Layout, Order)> {
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
fn revision(file: &[u8]) -> Option<f32> {
    let little = Bytes::new(file, Order::Little).f32(0)?;
    let big = Bytes::new(file, Order::Big).f32(0)?;
    [little, big].into_iter().find(|r| (5.0..100.0).contains(r))
}

/// Whether the file may be a P-file, by its first bytes.
pub fn looks_like(head: &[u8]) -> bool {
    // A revision is a small decimal fraction; text and other formats give such a float by chance only.
    revision(head).is_some_and(|r| (r * 1e3 - (r * 1e3).round()).abs() < 0.05)
}

/// Decodes a file; frames without water suppression become the water reference.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let truncated = |needed: usize| DecodeError::Truncated { got: file.len(), needed };
    let revision = revision(file).ok_or(DecodeError::Revision { revision: 0.0 })?;
    let (layout, order) = layout(revision).ok_or(DecodeError::Revision { revision })?;
    let bytes = Bytes::new(file, order);
    let counts = if layout.shift > 0 { SHIFT_26_COUNTS } else { 0 };
    let short = |at: usize| bytes.i16(at).ok_or(truncated(at + 2));
    let float = |at: usize| bytes.f32(at).map(f64::from).ok_or(truncated(at + 4));
    let checked = |field: &'static str, value: f64, low: f64, high: f64| {
        if (low..=high).contains(&value) { Ok(value) } else { Err(DecodeError::Field { field, value }) }
    };

    let echoes = short(NECHOES + counts)?;
    if echoes > 1 {
        return Err(DecodeError::Echoes { echoes });
    }
    let voxels: usize = (0..3)
        .map(|i| short(CSI_EXTENTS + layout.shift + 2 * i).map(|n| usize::try_from(n).unwrap_or(1).max(1)))
        .product::<Result<usize, _>>()?;
    if voxels > 1 {
        return Err(DecodeError::Grid { voxels });
    }
    let points = bytes.u16(FRAME_SIZE + counts).ok_or(truncated(FRAME_SIZE + counts + 2))?;
    let points = checked("frame_size", f64::from(points), 64.0, 65535.0)? as usize;
    let frames = checked("nframes", f64::from(short(NFRAMES + counts)?), 1.0, 32767.0)? as usize;
    let point_size = match short(POINT_SIZE + counts)? {
        2 => 2,
        4 => 4,
        other => return Err(DecodeError::Field { field: "point_size", value: f64::from(other) }),
    };
    let nex = f64::from(short(NAVS + counts)?).max(1.0);
    let coils = coils(&bytes, RECEIVERS + layout.shift).ok_or(truncated(RECEIVERS + layout.shift + 16))?;
    let user4 = float(USER4 + layout.shift)?;
    let user19 = float(USER19 + layout.shift)?;
    let (reference, remark) = reference_frames(frames, nex, user4, user19);
    let metabolite = frames - reference;
    if metabolite == 0 {
        return Err(DecodeError::NoFrames { reference });
    }

    let data = match layout.data {
        Some(data) => data,
        None => bytes.i32(layout.data_field).and_then(|at| usize::try_from(at).ok()).ok_or(truncated(1472))?,
    };
    let frame_bytes = 2 * point_size * points;
    let coil_bytes = frame_bytes * (frames + 1);
    let needed = coil_bytes.checked_mul(coils).and_then(|n| n.checked_add(data));
    if needed.is_none_or(|n| n > file.len()) {
        return Err(truncated(needed.unwrap_or(usize::MAX)));
    }
    let sample = |coil: usize, frame: usize, point: usize| {
        let at = data + coil * coil_bytes + (frame + 1) * frame_bytes + 2 * point_size * point;
        let part = |at: usize| match point_size {
            2 => bytes.i16(at).map(f64::from),
            _ => bytes.i32(at).map(f64::from),
        };
        Complex64::new(part(at).unwrap_or(0.0), part(at + point_size).unwrap_or(0.0))
    };
    let shape = |n: usize| (1, 1, n, coils, points);
    let samples = Array5::from_shape_fn(shape(metabolite), |(_, _, t, c, p)| sample(c, reference + t, p));
    let mut acquisition = Acquisition::from_samples(Format::GePfile, samples);
    if reference > 0 {
        acquisition.water = Some(Array5::from_shape_fn(shape(reference), |(_, _, t, c, p)| sample(c, t, p)));
    }
    let width_hz = checked("spectral_width", float(SPECTRAL_WIDTH + layout.shift)?, 100.0, 1e6)?;
    acquisition.dwell_s = Some(1.0 / width_hz);
    let seconds = |at: usize| bytes.i32(at).filter(|us| *us > 0).map(|us| f64::from(us) * 1e-6);
    acquisition.f0_mhz =
        bytes.u32(MPS_FREQ + layout.shift).map(|f| f64::from(f) * 1e-7).filter(|f| (4.0..1300.0).contains(f));
    acquisition.tr_s = seconds(layout.tr);
    acquisition.te_s = seconds(layout.tr + TE_AFTER_TR);
    acquisition.sequence = bytes.text(layout.psd_name, 33);
    acquisition.vendor = Some("GE".to_owned());
    acquisition.nucleus = Some("1H".to_owned());
    acquisition.water_suppressed = Some(true);
    acquisition.averages_on_scanner = Some(nex as usize);
    acquisition.affine_mm = affine(&bytes, &layout);
    acquisition.remarks.extend(remark);
    if !layout.is_tested {
        acquisition.flags.push(UNTESTED_FORMAT);
        acquisition
            .remarks
            .push(format!("P-file revision {revision} was read by its published layout; no file of it was at hand"));
    }
    Ok(acquisition)
}

/// Number of receivers, from up to four ranges.
fn coils(bytes: &Bytes<'_>, at: usize) -> Option<usize> {
    let mut coils = 0;
    for i in 0..4 {
        let (start, stop) = (bytes.i16(at + 4 * i)?, bytes.i16(at + 4 * i + 2)?);
        if (start, stop) != (0, 0) && stop >= start {
            coils += usize::from(stop.abs_diff(start)) + 1;
        }
    }
    Some(coils.clamp(1, 256))
}

/// Frames without water suppression: `user19` counts them, `user4` the transients with it, `nex` of which make a frame.
fn reference_frames(frames: usize, nex: f64, user4: f64, user19: f64) -> (usize, Option<String>) {
    let count = |x: f64| if (0.0..=frames as f64).contains(&x) { Some(x.round() as usize) } else { None };
    match (count(user19), count(user4 / nex), count(user4)) {
        (Some(reference), Some(metabolite), _) if reference + metabolite == frames => (reference, None),
        // Each transient was kept, or the reference's were.
        (_, Some(metabolite), _) if metabolite > 0 && metabolite < frames && user4 / nex == (user4 / nex).round() => {
            let text = format!("of {frames} frames {metabolite} were taken as water-suppressed (user4 / NEX)");
            (frames - metabolite, Some(text))
        }
        (Some(reference), ..) => {
            let text = format!("of {frames} frames {reference} were taken as the water reference (user19)");
            (reference, Some(text))
        }
        _ => {
            (0, Some("the header does not say which frames are the water reference: all were taken as data".to_owned()))
        }
    }
}

/// The voxel in space (mm, RAS+): its centre and size, axes along the localiser's rows, columns and normal.
fn affine(bytes: &Bytes<'_>, layout: &Layout) -> Option<[[f64; 4]; 4]> {
    let vector = |at: usize| -> Option<[f64; 3]> {
        Some([f64::from(bytes.f32(at)?), f64::from(bytes.f32(at + 4)?), f64::from(bytes.f32(at + 8)?)])
    };
    let size = vector(layout.user8)?;
    let centre = vector(layout.user8 + 12)?;
    if !size.iter().all(|s| (1.0..1000.0).contains(s)) || !centre.iter().all(|c| c.abs() < 1000.0) {
        return None;
    }
    let (top_left, top_right, bottom_right) =
        (vector(layout.corners)?, vector(layout.corners + 12)?, vector(layout.corners + 24)?);
    let row = unit(difference(top_right, top_left))?;
    let column = unit(difference(bottom_right, top_right))?;
    // GE counts slices against the normal of rows and columns.
    let normal = cross(column, row);
    // Sizes are given along left-right, front-back and up-down: the axis nearest to each takes its size.
    let axes = [row, column, normal];
    let mut affine = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
    for (column_index, direction) in axes.iter().enumerate() {
        let largest = (0..3).max_by(|&a, &b| direction[a].abs().total_cmp(&direction[b].abs()))?;
        for k in 0..3 {
            affine[k][column_index] = direction[k] * size[largest];
        }
    }
    for k in 0..3 {
        affine[k][3] = centre[k];
    }
    Some(affine)
}

fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn unit(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 1e-6).then(|| a.map(|x| x / length))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        // The seed's protocol: 16 and 128 transients, 8 a frame.
        assert_eq!(reference_frames(18, 8.0, 128.0, 2.0), (2, None));
        assert_eq!(reference_frames(24, 2.0, 32.0, 8.0), (8, None));
        assert_eq!(reference_frames(24, 2.0, 32.0, 0.0).0, 8);
        assert_eq!(reference_frames(10, 1.0, f64::NAN, 2.0).0, 2);
        assert_eq!(reference_frames(10, 1.0, -1.0, 99.0).0, 0);
    }

    #[test]
    fn unknown_revisions_are_named() {
        let mut file = vec![0; 4096];
        file[..4].copy_from_slice(&42.5_f32.to_le_bytes());
        let error = decode(&file).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("42.5"), "{error}");
        file[..4].copy_from_slice(&20.006_f32.to_le_bytes());
        assert!(matches!(decode(&file), Err(DecodeError::Field { .. } | DecodeError::Truncated { .. })));
        assert!(decode(&[]).is_err());
    }
}
