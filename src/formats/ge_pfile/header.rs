//! The header: the layout of its revision, and what it says about the frames.

use super::error::DecodeError;
use super::layout::{
    CSI_EXTENTS, FRAME_SIZE, Layout, NAVS, NECHOES, NFRAMES, POINT_SIZE, PSD_NAME_BYTES, PULSES, RECEIVERS, USER4,
    USER19, WAVEFORM, layout, revision,
};
use crate::formats::bytes::Bytes;

/// Name of the format.
pub const NAME: &str = "GE P-file";

/// What the header says about the frames.
pub(super) struct Frames {
    pub(super) points: usize,
    /// Echoes, each of which has a baseline and frames of its own.
    pub(super) echoes: usize,
    /// Frames of one coil and echo, its baseline not counted; those without water suppression come first.
    pub(super) total: usize,
    pub(super) reference: usize,
    /// Bytes of a real or imaginary part.
    pub(super) point_size: usize,
    pub(super) coils: usize,
    /// Transients that the scanner averaged into a frame.
    pub(super) averages: f64,
    /// Where the first coil's baseline begins.
    pub(super) data: usize,
}

/// A header field that cannot be right is an error that names it.
pub(super) fn checked(field: &'static str, value: f64, low: f64, high: f64) -> Result<f64, DecodeError> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(DecodeError::Field { field, value }) }
}

/// A file's header.
pub(super) struct Header<'a> {
    pub(super) revision: f32,
    pub(super) layout: Layout,
    pub(super) bytes: Bytes<'a>,
}

/// The header, what it says about the frames, and what had to be assumed.
pub(super) fn header(file: &[u8]) -> Result<(Header<'_>, Frames, Option<String>), DecodeError> {
    let revision = revision(file).ok_or(DecodeError::NoRevision)?;
    let (layout, order) = layout(revision).ok_or(DecodeError::Revision { revision })?;
    let bytes = Bytes::new(file, order);
    let layout = layout.located(&bytes);
    let (frames, remark) = frames(&bytes, &layout)?;
    Ok((Header { revision, layout, bytes }, frames, remark))
}

/// What the header says about the frames, and what had to be assumed.
fn frames(bytes: &Bytes<'_>, layout: &Layout) -> Result<(Frames, Option<String>), DecodeError> {
    let truncated = |needed: usize| DecodeError::Truncated { got: bytes.all().len(), needed };
    let short = |at: usize| bytes.i16(at).ok_or(truncated(at + 2));
    let float = |at: usize| bytes.f32(at).map(f64::from).ok_or(truncated(at + 4));
    let echoes = usize::try_from(short(layout.count(NECHOES))?).unwrap_or(1).max(1);
    let voxels: usize = (0..3)
        .map(|i| short(layout.raw(CSI_EXTENTS) + 2 * i).map(|n| usize::try_from(n).unwrap_or(1).max(1)))
        .product::<Result<usize, _>>()?;
    if voxels > 1 {
        return Err(DecodeError::Grid { voxels });
    }
    let points = bytes.u16(layout.count(FRAME_SIZE)).ok_or(truncated(layout.count(FRAME_SIZE) + 2))?;
    let points = checked("frame_size", f64::from(points), 64.0, 65535.0)? as usize;
    let total = checked("nframes", f64::from(short(layout.count(NFRAMES))?), 1.0, 32767.0)? as usize;
    let point_size = match short(layout.count(POINT_SIZE))? {
        2 => 2,
        4 => 4,
        other => return Err(DecodeError::Field { field: "point_size", value: f64::from(other) }),
    };
    let averages = f64::from(short(layout.count(NAVS))?).max(1.0);
    let coils = coils(bytes, layout.raw(RECEIVERS)).ok_or(truncated(layout.raw(RECEIVERS) + 16))?;
    let (user4, user19) = (float(layout.raw(USER4))?, float(layout.raw(USER19))?);
    let (reference, remark) = reference_frames(total, averages, user4, user19);
    // Each transient is a frame of its own.
    let averages = if (total - reference.min(total)) as f64 == user4 { 1.0 } else { averages };
    let data = match layout.data {
        Some(data) => data,
        None => bytes.i32(layout.data_field).and_then(|at| usize::try_from(at).ok()).ok_or(truncated(1472))?,
    };
    Ok((Frames { points, echoes, total, reference, point_size, coils, averages, data }, remark))
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
        // Each transient was kept, of both kinds or of all but the reference.
        (Some(reference), _, Some(all))
            if nex > 1.0
                && (reference + all == frames || (reference as f64).mul_add(nex, all as f64) == frames as f64) =>
        {
            (
                frames - all,
                Some(format!("of {frames} frames {all} were taken as water-suppressed: each transient was kept")),
            )
        }
        // Or the reference's were.
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

impl Header<'_> {
    /// The sequence's name; some files have its path.
    pub(super) fn sequence(&self) -> Option<String> {
        self.bytes.text(self.layout.psd_name, PSD_NAME_BYTES)
    }

    /// Kind of the editing pulses; 0 where there are none.
    pub(super) fn waveform(&self) -> Option<f64> {
        self.bytes.f32(self.layout.user8 + WAVEFORM).map(f64::from).filter(|kind| kind.is_finite())
    }

    /// Offsets (Hz) of the editing pulses of both conditions from water; `None` where the header states none.
    pub(super) fn pulses_hz(&self) -> Option<[f64; 2]> {
        let [first, second] = PULSES.map(|at| self.bytes.f32(self.layout.user8 + at).map(f64::from));
        let pulses = [first?, second?];
        (pulses.iter().all(|hz| hz.is_finite()) && pulses[0] != pulses[1]).then_some(pulses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        // The seed's protocol: 16 and 128 transients, 8 a frame.
        assert_eq!(reference_frames(18, 8.0, 128.0, 2.0), (2, None));
        assert_eq!(reference_frames(24, 2.0, 32.0, 8.0), (8, None));
        assert_eq!(reference_frames(24, 2.0, 32.0, 0.0).0, 8);
        // No transient was added to another: both kinds, or those with water suppression.
        assert_eq!(reference_frames(336, 8.0, 320.0, 2.0).0, 16);
        assert_eq!(reference_frames(322, 8.0, 320.0, 2.0).0, 2);
        assert_eq!(reference_frames(10, 1.0, f64::NAN, 2.0).0, 2);
        assert_eq!(reference_frames(10, 1.0, -1.0, 99.0).0, 0);
    }
}
