//! DICOM spectroscopy: MR Spectroscopy Storage (Philips, Siemens VE and XA, United Imaging), Philips' classic object and
//! Siemens' private CSA objects (VA to VE).
//!
//! The standard object holds the conjugate of our convention, Siemens' private one holds the samples as we want them, as
//! the RDA export of the same measurement does: measured by where NAA of real brains lies, see the tests. United Imaging
//! stores them as we want them in the standard object, too.

mod csa;
mod error;
mod facts;
mod frames;
mod layout;
mod lengths;
mod open;
mod place;
mod protocol;
mod scan;
mod series;
mod siemens;
mod stored;
mod tags;
mod uih;
mod unread;
mod values;

use std::borrow::Cow;
use std::path::Path;

use dicom_object::{OpenFileOptions, Tag};

use super::error::ReadError;
use super::extent::{Extent, READ_TO_LEARN};
use super::files::{MAX_FILE_BYTES, bytes_of, length_of};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Member, SeriesName, UNTESTED_FORMAT};
use crate::regular_file;
pub use error::DecodeError;
pub use open::NAME;
use open::{not_spectroscopy, open};
use protocol::Protocol;
use scan::Scan;
use stored::{Size, size_of};
use tags::*;
use values::text;

/// Held for each byte of a file: it, the object parsed of it, and its samples once more on their way out of the object.
const HELD_PER_BYTE: u64 = 4;

/// The format's reader.
#[derive(Debug)]
pub struct Dicom;

impl Reader for Dicom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.dcm`, `.ima`, `.mr` or no extension: MR Spectroscopy Storage (Philips, Siemens VE and XA, United Imaging), Philips' classic object, Siemens' private CSA objects (VA to VE)",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, TM (CSA), flip angle, sequence (where the header names none, a known word in the protocol's name), vendor, water suppression, averages (CSA), edit conditions and water references by frame, voxel",
            limits: "explicit and implicit little-endian files as exported; no two-dimensional spectroscopy, no raw data storage, no grids of Philips' classic object and of United Imaging, of which no real files were at hand (`untested_format`)",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        if probe.ends_with(&[".dcm", ".ima"]) {
            Claim::Own
        } else if probe.ends_with(&[".mr"]) {
            Claim::Shared
        } else if probe.is_bare() && probe.name() != "fid" {
            // Exports name their files without an extension, or by a number; so do others, of which the first bytes tell.
            Claim::Generic
        } else {
            Claim::None
        }
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head())
    }

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        has_preamble(probe.head())
    }

    fn member(&self, path: &Path) -> Option<Member> {
        let file = bytes_of(path).ok()?;
        series::member(&*open(&file).ok()?, &decode(&file).ok()?)
    }

    fn series_name(&self, path: &Path) -> Option<SeriesName> {
        series::name(&*open(&bytes_of(path).ok()?).ok()?)
    }

    fn is_spectroscopy(&self, path: &Path) -> bool {
        bytes_of(path).map_or(true, |file| is_spectroscopy(&file))
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let length = length_of(path);
        let whole_bytes = length.saturating_mul(HELD_PER_BYTE);
        if length <= READ_TO_LEARN {
            return Ok(Extent::of(&self.read(path)?, whole_bytes));
        }
        // What stands before the samples. A damaged header is for the reader to tell.
        let file = regular_file::open(path, MAX_FILE_BYTES).ok();
        let before = file.and_then(|f| OpenFileOptions::new().read_until(SPECTROSCOPY_DATA).from_reader(f).ok());
        let size = before.and_then(|object| size_of(&object));
        let Some(Size { points, grid, frames }) = size else { return Ok(Extent::at_most(length)) };
        let [columns, rows] = grid;
        let (grid, transients) = if columns * rows > 1 { ([columns, rows, frames], 1) } else { ([1; 3], frames) };
        Ok(Extent { grid, transients, points, whole_bytes, ..Extent::at_most(length) })
    }
}

/// Whether the file is DICOM, by its first bytes: with the preamble, or without it beginning with group 2 or 8.
pub fn looks_like(head: &[u8]) -> bool {
    has_preamble(head)
        || matches!(head.get(..8), Some([2 | 8, 0, _, 0, a, b, ..]) if a.is_ascii_uppercase() && b.is_ascii_uppercase())
}

fn has_preamble(head: &[u8]) -> bool {
    head.get(128..132) == Some(b"DICM")
}

/// Whether a DICOM file holds a spectrum; reads it whole.
pub fn is_spectroscopy(file: &[u8]) -> bool {
    // A broken file is somebody's spectrum until the contrary is known.
    open(file).map_or_else(
        |error| !matches!(error, DecodeError::NotSpectroscopy { .. }),
        |object| {
            [SPECTROSCOPY_DATA, PHILIPS_SAMPLES].into_iter().any(|tag| object.element(tag).is_ok())
                || siemens::is_spectrum(&object)
                || unread::unread(&object).is_some()
        },
    )
}

/// Decodes a file.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let object = open(file)?;
    let of = |tag: Tag| -> Result<Option<Cow<'_, [u8]>>, DecodeError> {
        let Ok(element) = object.element(tag) else { return Ok(None) };
        element.to_bytes().map(Some).map_err(|_| DecodeError::Dicom { what: "its samples" })
    };
    let maker = text(&object, MANUFACTURER).unwrap_or_default().to_lowercase();
    let protocol = maker.contains("siemens").then(|| Protocol::find(file)).flatten();
    if let Some(bytes) = of(SPECTROSCOPY_DATA)? {
        if uih::is_own(&object) {
            return uih::acquisition(&object, &bytes);
        }
        return Scan::new(&object, layout::standard(&object, &bytes, true)?, protocol.as_ref()).acquisition();
    }
    if let Some(bytes) = of(PHILIPS_SAMPLES)? {
        let mut data = Scan::new(&object, layout::classic(&object, &bytes)?, None).acquisition()?;
        for data in
            std::iter::once(&mut data.flags).chain(data.further.iter_mut().map(|(_, further)| &mut further.flags))
        {
            data.push(UNTESTED_FORMAT);
        }
        return Ok(data);
    }
    if let Some(bytes) = of(CSA_DATA)?.filter(|_| siemens::is_spectrum(&object)) {
        return siemens::acquisition(&object, &bytes, Protocol::find(file).as_ref());
    }
    if let Some(error) = unread::unread(&object) {
        return Err(error);
    }
    Err(not_spectroscopy(text(&object, SOP_CLASS)))
}
