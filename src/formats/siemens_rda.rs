//! Siemens RDA: lines of `Name: value`, then doubles, real and imaginary in turn. Its sign convention is ours.

use std::collections::HashMap;
use std::path::Path;

use ndarray::Array5;

use super::alike::{likeness, says_edited};
use super::bytes::{Bytes, Order};
use super::error::ReadError;
use super::files::bytes_of;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts, Member, flip_angle_deg};

/// Name of the format.
pub const NAME: &str = "Siemens RDA";

const BEGIN: &[u8] = b">>> Begin of header <<<";
const END: &[u8] = b">>> End of header <<<";
const SAMPLE_BYTES: usize = 16;

/// Why an RDA file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The lines that begin or end the header are missing.
    #[error("the header does not begin and end as an RDA file's does; export the file again")]
    NoHeader,
    /// A header entry is missing or unusable.
    #[error("the header entry `{field}` is missing or unusable; export the file again")]
    Field {
        /// Name of the entry.
        field: &'static str,
    },
    /// Shorter than the header says.
    #[error(
        "{got} bytes of samples where the header announces {voxels} voxels of {points} points; the file is cut off"
    )]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Voxels announced.
        voxels: usize,
        /// Points announced.
        points: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHeader | Self::Field { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct SiemensRda;

impl Reader for SiemensRda {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.rda`, single voxels and grids",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, TM, flip angle, sequence, vendor, averages, voxel",
            limits: "coils and transients are combined on the scanner",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(probe.ends_with(&[".rda"]))
    }

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head())
    }

    fn member(&self, path: &Path) -> Option<Member> {
        member(&bytes_of(path).ok()?)
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head()) || probe.ends_with(&[".rda"])
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }
}

/// Whether the file is an RDA file, by its first bytes.
pub fn looks_like(head: &[u8]) -> bool {
    head.starts_with(BEGIN)
}

/// Which part of a series the file is: its header has the series' time and number, and the instance's.
fn member(file: &[u8]) -> Option<Member> {
    let end = file.windows(END.len()).position(|w| w == END)?;
    let text: String = file[..end].iter().map(|&b| char::from(b)).collect();
    let entry = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        value.map(str::trim).filter(|value| !value.is_empty())
    };
    if ["ProtocolName", "SeriesDescription"].iter().filter_map(|key| entry(key)).any(says_edited) {
        return None;
    }
    let instance = entry("InstanceNumber")?.parse().ok()?;
    // A series number alone is as likely another person's.
    let series = [entry("StudyTime")?, entry("SeriesDate")?, entry("SeriesTime")?, entry("SeriesNumber")?].join(" ");
    Some(Member { series: format!("{series} {}", likeness(&decode(file).ok()?)?), instance })
}

/// Decodes a file.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let end = file.windows(END.len()).position(|w| w == END).ok_or(DecodeError::NoHeader)?;
    if !looks_like(file) {
        return Err(DecodeError::NoHeader);
    }
    let after = end + END.len();
    let line_end = file[after..].iter().position(|&b| b == b'\n').ok_or(DecodeError::NoHeader)?;
    let samples = &file[after + line_end + 1..];
    // Only what is asked for below is looked at: names and dates of people stay in the file.
    let text: String = file[..end].iter().map(|&b| char::from(b)).collect();
    let header: HashMap<&str, &str> =
        text.lines().filter_map(|l| l.split_once(':')).map(|(k, v)| (k.trim(), v.trim())).collect();
    // Some consoles write decimal commas.
    let number =
        |key: &str| header.get(key).and_then(|v| v.replace(',', ".").parse::<f64>().ok()).filter(|v| v.is_finite());
    let count = |key: &'static str| {
        number(key).filter(|v| (1.0..1e6).contains(v)).map(|v| v as usize).ok_or(DecodeError::Field { field: key })
    };
    let points = count("VectorSize")?;
    let extent = |key: &'static str| count(key).unwrap_or(1);
    let grid = [extent("CSIMatrixSize[0]"), extent("CSIMatrixSize[1]"), extent("CSIMatrixSize[2]")];
    let voxels = grid[0].saturating_mul(grid[1]).saturating_mul(grid[2]);
    let needed = voxels.checked_mul(points).and_then(|n| n.checked_mul(SAMPLE_BYTES));
    if needed.is_none_or(|n| n > samples.len()) {
        return Err(DecodeError::Truncated { got: samples.len(), voxels, points });
    }
    let bytes = Bytes::new(samples, Order::Little);
    let array = Array5::from_shape_fn((voxels, 1, 1, 1, points), |(voxel, _, _, _, point)| {
        let at = SAMPLE_BYTES * (voxel * points + point);
        bytes.complex64(at).unwrap_or_default()
    });
    let surplus = samples.len() - SAMPLE_BYTES * voxels * points;
    let positive = |key: &str| number(key).filter(|v| *v > 0.0);
    let word = |key: &str| header.get(key).filter(|v| !v.is_empty()).map(|v| v.chars().take(80).collect::<String>());
    let mut data = Acquisition::from_samples(NAME, array);
    data.grid = grid;
    let seconds = |key: &str| positive(key).map(|ms| ms * 1e-3);
    data.facts = Facts {
        dwell_s: positive("DwellTime").map(|us| us * 1e-6),
        f0_mhz: positive("MRFrequency"),
        te_s: seconds("TE"),
        tr_s: seconds("TR"),
        tm_s: seconds("TM"),
        nucleus: word("Nucleus"),
        sequence: word("SequenceName"),
        vendor: Some("Siemens".to_owned()),
        flip_angle_deg: positive("FlipAngle").and_then(flip_angle_deg),
        averages_on_scanner: positive("NumberOfAverages").map(|n| n as usize),
        ..Facts::default()
    };
    data.affine_mm = affine(&number, voxels);
    if surplus > 0 {
        data.remarks.push(format!("{surplus} bytes after the last announced sample were not read"));
    }
    Ok(data)
}

/// Rows and columns of the header are in DICOM's axes (LPS). A single voxel's centre is stated; of a grid the corner is.
fn affine(number: &dyn Fn(&str) -> Option<f64>, voxels: usize) -> Option<[[f64; 4]; 4]> {
    let vector = |name: &str| -> Option<[f64; 3]> {
        Some([number(&format!("{name}[0]"))?, number(&format!("{name}[1]"))?, number(&format!("{name}[2]"))?])
    };
    let (row, column) = (vector("RowVector")?, vector("ColumnVector")?);
    let spacing = [number("PixelSpacingCol")?, number("PixelSpacingRow")?, number("SliceThickness")?];
    let position = if voxels == 1 {
        [number("VOIPositionSag")?, number("VOIPositionCor")?, number("VOIPositionTra")?]
    } else {
        let corner = vector("PositionVector")?;
        [0, 1, 2].map(|k| corner[k] + 0.5 * (row[k] * spacing[0] + column[k] * spacing[1]))
    };
    Some(super::geometry::affine_from_lps(row, column, position, spacing))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_announced_samples_is_told() {
        let header = b">>> Begin of header <<<\r\nVectorSize: 4\r\nDwellTime: 500\r\n>>> End of header <<<\r\n";
        let of = |bytes: usize| decode(&[header.as_slice(), &vec![0; bytes]].concat());
        assert!(of(64).unwrap().remarks.is_empty());
        let longer = of(128).unwrap();
        assert_eq!((longer.n_points(), longer.remarks.len()), (4, 1));
        assert!(longer.remarks[0].starts_with("64 bytes after"), "{:?}", longer.remarks);
        assert_eq!(of(63).unwrap_err().code(), "truncated");
    }
}
