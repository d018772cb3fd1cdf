//! GE P-files: a header whose layout depends on the revision, then frames of integers, coil after coil.
//!
//! Each coil has a baseline frame, then frames without water suppression, then those with it. Samples are
//! taken as they are.

mod arrange;
mod error;
mod header;
mod isthmus;
mod layout;
mod place;
mod stored;

use std::path::Path;

use super::bytes::{Bytes, FileBytes};
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_at, bytes_of, length_of};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts, UNTESTED_FORMAT};
pub use error::DecodeError;
pub use header::NAME;
use header::{Header, checked, header};
use layout::{Layout, MPS_FREQ, PSD_NAME_BYTES, SPECTRAL_WIDTH, TE_AFTER_TR, revision};
use stored::Stored;

/// The format's reader.
#[derive(Debug)]
pub struct GePfile;

impl Reader for GePfile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.7`, revisions 7 to 31, with water-suppressed and reference frames, edited ones of one or more echoes, ISTHMUS",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, sequence, vendor, averages, voxel",
            limits: "no grids, several echoes of edited sequences only; real files were at hand of revisions 9 and 20, others are flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(probe.ends_with(&[".7"]))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".7"]) && looks_like(probe.head())
    }

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head()) && layout::is_plausible(probe.head())
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
            transients: frames.total.saturating_mul(frames.echoes),
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

/// Decodes a file; frames without water suppression become the water reference.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(file: impl Into<FileBytes>) -> Result<Acquisition, DecodeError> {
    let file = file.into();
    let (header, frames, remark) = header(&file)?;
    let Header { revision, layout, bytes } = &header;
    let stored = Stored::new(file.clone(), bytes.order(), &frames)?;
    let facts = facts(bytes, layout, frames.averages)?;
    let mut acquisition = arrange::arranged(&header, &frames, &stored, facts.f0_mhz)?;
    let mut remarks: Vec<String> = remark.into_iter().collect();
    let mut flags = Vec::new();
    if !layout.is_tested {
        flags.push(UNTESTED_FORMAT);
        remarks.push(format!("P-file revision {revision} was read by its published layout; no file of it was at hand"));
    }
    let affine_mm = place::affine(bytes, layout);
    let state = |data: &mut Acquisition| {
        // What the sequence's own loops say goes before the header's one number for all.
        data.facts = std::mem::take(&mut data.facts).or(facts.clone());
        data.affine_mm = affine_mm;
        data.flags.extend(&flags);
    };
    state(&mut acquisition);
    acquisition.further.iter_mut().for_each(|(_, further)| state(further));
    acquisition.remarks.extend(remarks);
    Ok(acquisition)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

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
