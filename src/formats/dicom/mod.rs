//! DICOM spectroscopy: MR Spectroscopy Storage (Philips, Siemens VE and XA) and Siemens' private CSA objects (VB to VE).
//!
//! The standard object holds the conjugate of our convention, Siemens' private one holds the samples as we want them, as
//! the RDA export of the same measurement does: measured by where NAA of real brains lies, see the tests.

mod csa;
mod error;
mod lengths;
mod stored;
mod tags;
mod values;

use std::path::Path;

use dicom_object::{DefaultDicomObject, InMemDicomObject, OpenFileOptions, ReadError as LibraryError, Tag};

use super::error::ReadError;
use super::extent::{Extent, READ_TO_LEARN};
use super::files::{MAX_FILE_BYTES, bytes_of, length_of};
use super::geometry::affine_from_lps;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts, Reference, Samples};
use crate::regular_file;
use csa::Csa;
pub use error::DecodeError;
use stored::{Size, row, samples, size_of};
use tags::*;
use values::{csa, item, number, numbers, text};

/// Name of the format.
pub const NAME: &str = "DICOM";

/// How the identifiers of the standard's classes begin.
const STANDARD_CLASSES: &str = "1.2.840.10008.";
/// Held for each byte of a file: it, the object parsed of it, and its samples once more on their way out of the object.
const HELD_PER_BYTE: u64 = 4;

/// What text conversions put in the place of bytes that are no UTF-8.
const REPLACED: &[u8] = "\u{fffd}".as_bytes();

/// The format's reader.
#[derive(Debug)]
pub struct Dicom;

impl Reader for Dicom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.dcm`, `.ima`, `.mr` or no extension: MR Spectroscopy Storage (Philips, Siemens VE and XA), Siemens' private CSA objects (VB to VE)",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, sequence, vendor, water suppression, averages (CSA), voxel",
            limits: "explicit and implicit little-endian files as exported; no two-dimensional spectroscopy, no Philips raw data storage",
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
    head.get(128..132) == Some(b"DICM")
        || matches!(head.get(..8), Some([2 | 8, 0, _, 0, a, b, ..]) if a.is_ascii_uppercase() && b.is_ascii_uppercase())
}

/// Whether a DICOM file holds a spectrum; reads it whole.
pub fn is_spectroscopy(file: &[u8]) -> bool {
    // A broken file is somebody's spectrum until the contrary is known.
    open(file).map_or(true, |object| {
        object.element(SPECTROSCOPY_DATA).is_ok() || (object.element(CSA_DATA).is_ok() && csa(&object).is_some())
    })
}

fn open(file: &[u8]) -> Result<DefaultDicomObject, DecodeError> {
    let is_text = || file.windows(REPLACED.len()).filter(|w| *w == REPLACED).count() > 8;
    if let Some(at) = lengths::first_wrong(file) {
        return Err(if is_text() { DecodeError::Text } else { DecodeError::CutOff { at: Some(at) } });
    }
    let failed = |e: LibraryError| {
        let reason = crate::error_chain::error_chain(&e);
        if is_text() {
            return DecodeError::Text;
        }
        // The library has no kind for it.
        if reason.contains("fill whole buffer") {
            return DecodeError::CutOff { at: None };
        }
        DecodeError::Dicom {
            what: match e {
                LibraryError::ParseMetaDataSet { .. } => "its file meta information",
                LibraryError::ReadUnrecognizedTransferSyntax { .. }
                | LibraryError::ReadUnsupportedTransferSyntax { .. }
                | LibraryError::ReadUnsupportedTransferSyntaxWithSuggestion { .. } => {
                    "its transfer syntax; uncompressed little-endian files are read"
                }
                LibraryError::PrematureEnd { .. } | LibraryError::MissingElementValue { .. } => "it ends early",
                _ => "an attribute",
            },
        }
    };
    OpenFileOptions::new().from_reader(file).map_err(failed)
}

/// Whether a text is made as identifiers are (PS3.5 9.1).
fn is_uid(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Decodes a file.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let object = open(file)?;
    if let Ok(data) = object.element(SPECTROSCOPY_DATA) {
        let bytes = data.to_bytes().map_err(|_| DecodeError::Dicom { what: "its samples" })?;
        return standard(&object, &bytes);
    }
    if let (Ok(data), Some(csa)) = (object.element(CSA_DATA), csa(&object)) {
        let bytes = data.to_bytes().map_err(|_| DecodeError::Dicom { what: "its samples" })?;
        return private(&object, &csa, &bytes);
    }
    // Classes of the standard only: what else stands there is somebody's own text.
    let class = text(&object, SOP_CLASS).filter(|class| class.starts_with(STANDARD_CLASSES) && is_uid(class));
    Err(DecodeError::NotSpectroscopy { class: class.unwrap_or_else(|| "unknown".to_owned()) })
}

/// MR Spectroscopy Storage (DICOM PS3.3 A.36.3).
fn standard(object: &InMemDicomObject, bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let count = |tag: Tag| number(object, tag).filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize);
    let points = count(POINT_COLUMNS).ok_or(DecodeError::Field { field: "Data Point Columns" })?;
    if count(POINT_ROWS).unwrap_or(1) > 1 {
        return Err(DecodeError::Field { field: "Data Point Rows (two-dimensional spectroscopy)" });
    }
    let (columns, rows) = (count(COLUMNS).unwrap_or(1), count(ROWS).unwrap_or(1));
    let frames = count(FRAMES).unwrap_or(1);
    let samples = samples(bytes, frames.saturating_mul(rows).saturating_mul(columns), points)?;
    let is_philips = text(object, MANUFACTURER).is_some_and(|m| m.to_lowercase().contains("philips"));
    // Philips puts as many frames of water behind those of the metabolites.
    let with_water = is_philips && frames % 2 == 0 && text(object, WATER_REFERENCED).as_deref() == Some("YES");
    let (voxels, transients) = if rows * columns > 1 { (rows * columns * frames, 1) } else { (1, frames) };
    let kept = if with_water { transients / 2 } else { transients };
    let part = |first: usize, n: usize| {
        let bytes = samples.clone();
        Samples::stored([voxels, 1, n, 1, points], move |[voxel, _, transient, _]| {
            row(&bytes, voxel + first + transient, points).map(|z| z.conj()).collect()
        })
    };
    let mut data = Acquisition::from_samples(NAME, part(0, kept));
    if voxels > 1 {
        data.grid = [columns, rows, frames];
    }
    if with_water {
        data.water = Some(Reference::new(part(kept, kept), format!("frames {} to {}", kept + 1, 2 * kept)));
    }
    data.facts = facts(object);
    if with_water {
        data.facts.water_suppressed = Some(true);
    }
    data.affine_mm = affine(object);
    Ok(data)
}

/// What a standard object states: times in its groups of all frames, else in Philips' own attributes.
fn facts(object: &InMemDicomObject) -> Facts {
    let positive = |object, tag| number(object, tag).filter(|v| *v > 0.0);
    let shared = item(object, SHARED_GROUPS);
    let seconds = |sequence: Tag, tag: Tag, own: Tag| {
        let ms = shared.and_then(|s| item(s, sequence)).and_then(|s| positive(s, tag));
        ms.or_else(|| positive(object, own)).map(|v| v * 1e-3)
    };
    // Philips writes PRIME and SPECTROSCOPY where others name the sequence.
    let known = |name: Option<String>| name.filter(|n| !["PRIME", "SPECTROSCOPY", "NONE"].contains(&n.as_str()));
    // Siemens writes NONE whether water was suppressed or not.
    let is_suppressed = text(object, SUPPRESSION).is_some_and(|s| s.contains("WATER"));
    Facts {
        dwell_s: positive(object, SPECTRAL_WIDTH).map(|w| 1.0 / w),
        f0_mhz: positive(object, TRANSMITTER_FREQUENCY),
        nucleus: text(object, NUCLEUS),
        vendor: text(object, MANUFACTURER),
        te_s: seconds(ECHO_SEQUENCE, EFFECTIVE_ECHO_TIME, PHILIPS_ECHO_TIME),
        tr_s: seconds(TIMING_SEQUENCE, REPETITION_TIME, PHILIPS_REPETITION_TIME),
        sequence: known(text(object, SEQUENCE_NAME)).or_else(|| known(text(object, LOCALIZATION))),
        water_suppressed: is_suppressed.then_some(true),
        ..Facts::default()
    }
}

/// The voxel in space, from the groups of all frames or of the first: single voxels lie about the stated position, a grid
/// begins there (PS3.3 C.7.6.16.2).
fn affine(object: &InMemDicomObject) -> Option<[[f64; 4]; 4]> {
    let find = |sequence: Tag| {
        [SHARED_GROUPS, FRAME_GROUPS].into_iter().find_map(|groups| item(item(object, groups)?, sequence))
    };
    let axes: [f64; 6] = numbers(find(ORIENTATION_SEQUENCE)?, ORIENTATION)?;
    let position = numbers(find(POSITION_SEQUENCE)?, POSITION)?;
    let (row, column) = ([axes[0], axes[1], axes[2]], [axes[3], axes[4], axes[5]]);
    if let Some(extents) = philips_extents(object) {
        let nearest = |axis: [f64; 3]| (0..3).max_by(|&a, &b| axis[a].abs().total_cmp(&axis[b].abs()));
        let (x, y) = (nearest(row)?, nearest(column)?);
        let z = (0..3).find(|k| ![x, y].contains(k))?;
        return Some(affine_from_lps(row, column, position, [extents[x], extents[y], extents[z]]));
    }
    let measures = find(MEASURES_SEQUENCE)?;
    let spacing: [f64; 2] = numbers(measures, PIXEL_SPACING)?;
    let thickness = number(measures, SLICE_THICKNESS)?;
    // The first spacing is that between rows.
    Some(affine_from_lps(row, column, position, [spacing[1], spacing[0], thickness]))
}

/// Philips' pixel spacing is that of a square around the voxel; what it is itself, private attributes say.
fn philips_extents(object: &InMemDicomObject) -> Option<[f64; 3]> {
    let volume = item(object, PHILIPS_VOLUME)?;
    let extents = PHILIPS_EXTENTS.map(|tag| number(volume, tag).filter(|mm| *mm > 0.0));
    Some([extents[0]?, extents[1]?, extents[2]?])
}

/// Siemens' private object: facts in the CSA header, samples behind it.
fn private(object: &InMemDicomObject, csa: &Csa, bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let count = |name: &str| csa.number(name).filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize);
    let points = count("DataPointColumns").ok_or(DecodeError::Field { field: "DataPointColumns (CSA)" })?;
    let extent = |name: &str| count(name).unwrap_or(1);
    let grid = [extent("Columns"), extent("Rows"), extent("NumberOfFrames")];
    let voxels = grid[0].saturating_mul(grid[1]).saturating_mul(grid[2]);
    let samples = samples(bytes, voxels, points)?;
    let shape = [voxels, 1, 1, 1, points];
    let stored = Samples::stored(shape, move |[voxel, ..]| row(&samples, voxel, points).collect());
    let mut data = Acquisition::from_samples(NAME, stored);
    let positive = |name: &str| csa.number(name).filter(|v| *v > 0.0);
    data.grid = grid;
    data.facts = Facts {
        dwell_s: positive("RealDwellTime").map(|ns| ns * 1e-9),
        f0_mhz: positive("ImagingFrequency"),
        te_s: positive("EchoTime").map(|ms| ms * 1e-3),
        tr_s: positive("RepetitionTime").map(|ms| ms * 1e-3),
        nucleus: csa.text("ImagedNucleus"),
        sequence: csa.text("SequenceName"),
        averages_on_scanner: positive("NumberOfAverages").map(|n| n as usize),
        vendor: text(object, MANUFACTURER).or_else(|| Some("Siemens".to_owned())),
        ..Facts::default()
    };
    if voxels == 1 {
        data.affine_mm = csa.numbers::<6>("ImageOrientationPatient").and_then(|axes| {
            let size = [csa.number("VoiReadoutFoV")?, csa.number("VoiPhaseFoV")?, csa.number("VoiThickness")?];
            let (row, column) = ([axes[0], axes[1], axes[2]], [axes[3], axes[4], axes[5]]);
            Some(affine_from_lps(row, column, csa.numbers("VoiPosition")?, size))
        });
    }
    Ok(data)
}
