//! Philips SDAT (samples) with SPAR (header).
//!
//! Samples are VAX F floats, real and imaginary in turn, row after row. The frequency axis runs the
//! other way than ours: samples are conjugated.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use num_complex::Complex64;

use super::bytes::FileBytes;
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_of, length_of, needed_of_stem, of_stem};
use super::reader::{About, Claim, Probe, Reader};
use super::vax::f32_from_vax;
use crate::acquisition::{Acquisition, Facts, Samples};

/// Name of the format.
pub const NAME: &str = "Philips SDAT/SPAR";

/// Why an SDAT/SPAR pair could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A SPAR entry is missing.
    #[error("the SPAR has no entry `{field}`; export the pair again")]
    Missing {
        /// Name of the entry.
        field: &'static str,
    },
    /// A SPAR entry is not a usable number.
    #[error("the SPAR entry `{field}` is no usable number; export the pair again")]
    Invalid {
        /// Name of the entry.
        field: &'static str,
    },
    /// The SDAT is shorter than the SPAR says.
    #[error(
        "the SDAT holds {got} bytes where the SPAR announces {rows} rows of {samples} samples ({needed} bytes); it is cut off or belongs to another SPAR"
    )]
    Truncated {
        /// Bytes in the SDAT.
        got: usize,
        /// Rows announced.
        rows: usize,
        /// Samples a row announced.
        samples: usize,
        /// Bytes announced.
        needed: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Invalid { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct PhilipsSdat;

impl Reader for PhilipsSdat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.SDAT` with its `.SPAR`",
            companions: "the other file of the pair (needed)",
            facts: "dwell time, f0, nucleus, TE, TR, vendor, averages, voxel",
            limits: "no sequence, no water suppression: the header does not say; what several rows are is found from the data",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        // With the samples there only these count; a SPAR alone becomes a row that says what is missing.
        Claim::own_if(probe.ends_with(&[".sdat"]) || (probe.ends_with(&[".spar"]) && !self.is_companion(probe)))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".spar"]) && (probe.has_of_stem("sdat") || probe.has_of_stem("list"))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".sdat", ".spar"])
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        ["sdat", "spar"].iter().filter_map(|e| of_stem(path, e)).filter(|file| file != path).collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let sdat = needed_of_stem(path, "SDAT", "SDAT file with the samples")?;
        let spar = needed_of_stem(path, "SPAR", "SPAR file with the header")?;
        decode(bytes_of(&sdat)?, &bytes_of(&spar)?).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let sdat = length_of(&needed_of_stem(path, "SDAT", "SDAT file with the samples")?);
        let spar = bytes_of(&needed_of_stem(path, "SPAR", "SPAR file with the header")?)?;
        let points = count(&parse_spar(&spar), "samples").map_err(|e| ReadError::content(path, e.code(), e))?;
        let rows = usize::try_from(sdat).unwrap_or(usize::MAX) / SAMPLE_BYTES / points.max(1);
        // Every row may be a transient, and there may be two conditions of half as many.
        Ok(Extent { points, conditions: 2, transients: rows, whole_bytes: sdat, ..Extent::at_most(sdat) })
    }
}

/// Bytes of a complex sample.
const SAMPLE_BYTES: usize = 8;

/// Mean squared difference of alternate rows over that of rows two apart, above which the rows are measurements in turn.
const ALTERNATING: f64 = 4.0;

/// Decodes a pair.
///
/// The SPAR does not say what several rows are. Two are two conditions (water and metabolites, or edit pulses): a mean
/// over unlike rows would be a wrong number. More are dynamics of one measurement, unless every other row differs, as
/// where editing pulses alternate: then they are two conditions of half as many.
pub fn decode(sdat: impl Into<FileBytes>, spar: &[u8]) -> Result<Acquisition, DecodeError> {
    let sdat = sdat.into();
    let header = parse_spar(spar);
    let samples = count(&header, "samples")?;
    let rows = count(&header, "rows").unwrap_or(1);
    let needed = samples.checked_mul(rows).and_then(|n| n.checked_mul(SAMPLE_BYTES));
    if needed.is_none_or(|n| n > sdat.len()) {
        return Err(DecodeError::Truncated { got: sdat.len(), rows, samples, needed: needed.unwrap_or(usize::MAX) });
    }
    let bytes = sdat.clone();
    let at = move |row: usize, point: usize| {
        let offset = (row * samples + point) * SAMPLE_BYTES;
        let part = |o: usize| f32_from_vax([bytes[o], bytes[o + 1], bytes[o + 2], bytes[o + 3]]);
        Complex64::new(part(offset), -part(offset + 4))
    };
    let conditions = match rows {
        2 => 2,
        4.. if rows.is_multiple_of(2) && alternate(rows, samples, &at) => 2,
        _ => 1,
    };
    let shape = [1, conditions, rows / conditions, 1, samples];
    let fid = move |[_, c, t, _]: [usize; 4]| (0..samples).map(|point| at(t * conditions + c, point)).collect();
    let mut data = Acquisition::from_samples(NAME, Samples::stored(shape, fid));
    set_from(&mut data, &header)?;
    match (conditions, rows) {
        (_, 1) => {}
        (1, _) => data.remarks.push(format!("{rows} rows were taken as dynamics of one measurement")),
        (_, 2) => {
            data.remarks.push("the SPAR does not say what its 2 rows are: each is analysed on its own".to_owned());
        }
        _ => {
            data.remarks.push(format!("every other of {rows} rows differs: they were taken as two conditions in turn"))
        }
    }
    if conditions > 1 {
        data.condition_labels = (1..=conditions).map(|r| format!("row{r}")).collect();
    }
    if sdat.len() > samples * rows * SAMPLE_BYTES {
        data.remarks.push(format!(
            "{} bytes after the last announced sample were not read",
            sdat.len() - samples * rows * SAMPLE_BYTES
        ));
    }
    Ok(data)
}

/// Whether neighbouring rows differ more than those two apart, which drift and noise make differ alike.
fn alternate(rows: usize, samples: usize, at: &dyn Fn(usize, usize) -> Complex64) -> bool {
    let difference = |apart: usize| -> f64 {
        let pairs = rows - apart;
        let sum: f64 = (0..pairs)
            .flat_map(|row| (0..samples).map(move |p| (row, p)))
            .map(|(row, p)| (at(row + apart, p) - at(row, p)).norm_sqr())
            .sum();
        sum / pairs as f64
    };
    difference(1) > ALTERNATING * difference(2)
}

/// Sets what a SPAR states about the protocol and the voxel.
pub(super) fn set_protocol(data: &mut Acquisition, spar: &[u8]) -> Result<(), DecodeError> {
    set_from(data, &parse_spar(spar))
}

fn set_from(data: &mut Acquisition, header: &HashMap<String, String>) -> Result<(), DecodeError> {
    let seconds = |field| positive(header, field).ok().map(|ms| ms / 1e3);
    data.facts = Facts {
        dwell_s: Some(1.0 / positive(header, "sample_frequency")?),
        f0_mhz: Some(positive(header, "synthesizer_frequency")? / 1e6),
        te_s: seconds("echo_time"),
        tr_s: seconds("repetition_time"),
        nucleus: header.get("nucleus").cloned().filter(|n| !n.is_empty()),
        averages_on_scanner: count(header, "averages").ok(),
        vendor: Some("Philips".to_owned()),
        // The name of the scan is free text and can hold a person's name: no entry tells the sequence.
        ..data.facts.clone()
    };
    data.affine_mm = affine(header);
    Ok(())
}

/// `name : value` lines; comments start with `!`, strings may be quoted, bytes are Latin-1.
fn parse_spar(bytes: &[u8]) -> HashMap<String, String> {
    let text: String = bytes.iter().map(|&b| char::from(b)).collect();
    text.lines()
        .filter(|line| !line.trim_start().starts_with('!'))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').trim().to_owned()))
        .collect()
}

fn number(header: &HashMap<String, String>, field: &'static str) -> Result<f64, DecodeError> {
    let value = header.get(field).ok_or(DecodeError::Missing { field })?;
    value.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or(DecodeError::Invalid { field })
}

fn positive(header: &HashMap<String, String>, field: &'static str) -> Result<f64, DecodeError> {
    let value = number(header, field)?;
    if value > 0.0 { Ok(value) } else { Err(DecodeError::Invalid { field }) }
}

fn count(header: &HashMap<String, String>, field: &'static str) -> Result<usize, DecodeError> {
    let value = positive(header, field)?;
    if value.fract() == 0.0 && value < 1e9 { Ok(value as usize) } else { Err(DecodeError::Invalid { field }) }
}

/// Voxel-to-scanner transform (mm, RAS+) from size, offset and angulation: Philips' axes are
/// left, posterior and head; angles turn about them in the order x, y, z.
fn affine(header: &HashMap<String, String>) -> Option<[[f64; 4]; 4]> {
    let triple = |suffix: &'static [&'static str; 3]| -> Option<[f64; 3]> {
        Some([number(header, suffix[0]).ok()?, number(header, suffix[1]).ok()?, number(header, suffix[2]).ok()?])
    };
    let size = triple(&["lr_size", "ap_size", "cc_size"])?;
    let offset = triple(&["lr_off_center", "ap_off_center", "cc_off_center"])?;
    let angle = triple(&["lr_angulation", "ap_angulation", "cc_angulation"])?;
    let (a, b, c) = ((-angle[0]).to_radians(), (-angle[1]).to_radians(), angle[2].to_radians());
    // Each angle turns about an axis that those before have turned (Rx·Ry·Rz), as the plane orientation in DICOM files of
    // the same scanners shows.
    let (sa, ca, sb, cb, sc, cc) = (a.sin(), a.cos(), b.sin(), b.cos(), c.sin(), c.cos());
    let rotation = [
        [cb * cc, -cb * sc, sb],
        [ca * sc + sa * sb * cc, ca * cc - sa * sb * sc, -sa * cb],
        [sa * sc - ca * sb * cc, sa * cc + ca * sb * sc, ca * cb],
    ];
    let centre = [-offset[0], -offset[1], offset[2]];
    let mut affine = [[0.0; 4]; 4];
    for row in 0..3 {
        for column in 0..3 {
            affine[row][column] = rotation[row][column] * size[column];
        }
        affine[row][3] = centre[row];
    }
    affine[3][3] = 1.0;
    Some(affine)
}
