//! GE P-files: a header whose layout depends on the revision, then frames of integers, coil after coil.
//!
//! Each coil has a baseline frame, then frames without water suppression, then those with it. Samples are
//! taken as they are.

mod layout;
mod place;

use std::path::Path;

use num_complex::Complex64;

use super::bytes::{Bytes, FileBytes};
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_at, bytes_of, length_of};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts, Reference, Samples, UNTESTED_FORMAT};
use layout::{
    CSI_EXTENTS, FRAME_SIZE, Layout, MPS_FREQ, NAVS, NECHOES, NFRAMES, POINT_SIZE, PSD_NAME_BYTES, RECEIVERS,
    SPECTRAL_WIDTH, TE_AFTER_TR, USER4, USER19, layout, revision,
};

/// Name of the format.
pub const NAME: &str = "GE P-file";

/// Why a P-file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The file does not begin with a revision.
    #[error("the file does not begin with the revision of a P-file; it is another format, or damaged")]
    NoRevision,
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
            Self::Revision { .. } | Self::NoRevision => "unknown_revision",
            Self::Field { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
            Self::Grid { .. } | Self::Echoes { .. } => "unsupported",
            Self::NoFrames { .. } => "no_signal",
        }
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct GePfile;

impl Reader for GePfile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.7`, revisions 7 to 30, with water-suppressed and reference frames",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, sequence, vendor, averages, voxel",
            limits: "no grids, no several echoes; real files were at hand of revisions 9 and 20, others are flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(probe.ends_with(&[".7"]))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".7"]) && looks_like(probe.head())
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let head = bytes_at(path, 0, MOST_HEADER).map_err(io)?;
        let (_, frames, _) = header(&head).map_err(|e| ReadError::content(path, e.code(), e))?;
        Ok(Extent {
            grid: [1; 3],
            conditions: 1,
            transients: frames.total,
            coils: frames.coils,
            points: frames.points,
            whole_bytes: length_of(path),
            sample_bytes: 0,
        })
    }
}

/// Whether the file may be a P-file, by its first bytes.
pub fn looks_like(head: &[u8]) -> bool {
    // A revision is a small decimal fraction; text and other formats give such a float by chance only.
    revision(head).is_some_and(|r| (r * 1e3 - (r * 1e3).round()).abs() < 0.05)
}

/// No header is longer (bytes).
const MOST_HEADER: u64 = 1 << 20;

/// What the header says about the frames.
struct Frames {
    points: usize,
    /// Frames of one coil, its baseline not counted; those without water suppression come first.
    total: usize,
    reference: usize,
    /// Bytes of a real or imaginary part.
    point_size: usize,
    coils: usize,
    /// Transients that the scanner averaged into a frame.
    averages: f64,
    /// Where the first coil's baseline begins.
    data: usize,
}

/// A header field that cannot be right is an error that names it.
fn checked(field: &'static str, value: f64, low: f64, high: f64) -> Result<f64, DecodeError> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(DecodeError::Field { field, value }) }
}

/// Decodes a file; frames without water suppression become the water reference.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(file: impl Into<FileBytes>) -> Result<Acquisition, DecodeError> {
    let file = file.into();
    let (Header { revision, layout, bytes }, frames, remark) = header(&file)?;
    let Frames { points, point_size, coils, reference, data, .. } = frames;
    let frame_bytes = 2 * point_size * points;
    let coil_bytes = frame_bytes * (frames.total + 1);
    let needed = coil_bytes.checked_mul(coils).and_then(|n| n.checked_add(data));
    if needed.is_none_or(|n| n > file.len()) {
        return Err(DecodeError::Truncated { got: file.len(), needed: needed.unwrap_or(usize::MAX) });
    }
    // `n` frames of each coil from `first` on.
    let samples = |first: usize, n: usize| {
        let (file, order) = (file.clone(), bytes.order());
        Samples::stored([1, 1, n, coils, points], move |[_, _, transient, coil]| {
            let bytes = Bytes::new(&file, order);
            let part = |at: usize| match point_size {
                2 => bytes.i16(at).map(f64::from),
                _ => bytes.i32(at).map(f64::from),
            };
            let frame = data + coil * coil_bytes + (first + transient + 1) * frame_bytes;
            let sample = |at: usize| Complex64::new(part(at).unwrap_or(0.0), part(at + point_size).unwrap_or(0.0));
            (0..points).map(|point| sample(frame + 2 * point_size * point)).collect()
        })
    };
    let mut acquisition = Acquisition::from_samples(NAME, samples(reference, frames.total - reference));
    if reference > 0 {
        acquisition.water = Some(Reference::new(samples(0, reference), format!("frames 1 to {reference}")));
    }
    acquisition.facts = facts(&bytes, &layout, frames.averages)?;
    acquisition.affine_mm = place::affine(&bytes, &layout);
    acquisition.remarks.extend(remark);
    if !layout.is_tested {
        acquisition.flags.push(UNTESTED_FORMAT);
        acquisition
            .remarks
            .push(format!("P-file revision {revision} was read by its published layout; no file of it was at hand"));
    }
    Ok(acquisition)
}

/// A file's header.
struct Header<'a> {
    revision: f32,
    layout: Layout,
    bytes: Bytes<'a>,
}

/// The header, what it says about the frames, and what had to be assumed.
fn header(file: &[u8]) -> Result<(Header<'_>, Frames, Option<String>), DecodeError> {
    let revision = revision(file).ok_or(DecodeError::NoRevision)?;
    let (layout, order) = layout(revision).ok_or(DecodeError::Revision { revision })?;
    let bytes = Bytes::new(file, order);
    let (frames, remark) = frames(&bytes, &layout)?;
    Ok((Header { revision, layout, bytes }, frames, remark))
}

/// What the header says about the frames, and what had to be assumed.
fn frames(bytes: &Bytes<'_>, layout: &Layout) -> Result<(Frames, Option<String>), DecodeError> {
    let truncated = |needed: usize| DecodeError::Truncated { got: bytes.all().len(), needed };
    let short = |at: usize| bytes.i16(at).ok_or(truncated(at + 2));
    let float = |at: usize| bytes.f32(at).map(f64::from).ok_or(truncated(at + 4));
    let echoes = short(layout.count(NECHOES))?;
    if echoes > 1 {
        return Err(DecodeError::Echoes { echoes });
    }
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
    if reference == total {
        return Err(DecodeError::NoFrames { reference });
    }
    let data = match layout.data {
        Some(data) => data,
        None => bytes.i32(layout.data_field).and_then(|at| usize::try_from(at).ok()).ok_or(truncated(1472))?,
    };
    Ok((Frames { points, total, reference, point_size, coils, averages, data }, remark))
}

/// Units of the header: frequencies in tenths of a hertz, times in microseconds.
fn facts(bytes: &Bytes<'_>, layout: &Layout, averages: f64) -> Result<Facts, DecodeError> {
    let width = layout.raw(SPECTRAL_WIDTH);
    let truncated = DecodeError::Truncated { got: bytes.all().len(), needed: width + 4 };
    let width_hz = checked("spectral_width", bytes.f32(width).map(f64::from).ok_or(truncated)?, 100.0, 1e6)?;
    let seconds = |at: usize| bytes.i32(at).filter(|us| *us > 0).map(|us| f64::from(us) * 1e-6);
    let f0_mhz = bytes.u32(layout.raw(MPS_FREQ)).map(|f| f64::from(f) * 1e-7);
    Ok(Facts {
        dwell_s: Some(1.0 / width_hz),
        f0_mhz: f0_mhz.filter(|f| (4.0..1300.0).contains(f)),
        tr_s: seconds(layout.tr),
        te_s: seconds(layout.tr + TE_AFTER_TR),
        sequence: bytes.text(layout.psd_name, PSD_NAME_BYTES),
        vendor: Some("GE".to_owned()),
        nucleus: Some("1H".to_owned()),
        water_suppressed: Some(true),
        averages_on_scanner: Some(averages as usize),
        ..Facts::default()
    })
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
        let error = decode(&file).map(|_| ()).unwrap_err();
        assert_eq!(error, DecodeError::Field { field: "frame_size", value: 0.0 });
        assert_eq!(decode(&[0; 0]).map(|_| ()).unwrap_err(), DecodeError::NoRevision);
    }
}
