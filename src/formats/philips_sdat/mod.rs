//! Philips SDAT (samples) with SPAR (header).
//!
//! Samples are VAX F floats, real and imaginary in turn, row after row. The frequency axis runs the
//! other way than ours: samples are conjugated.

mod error;
mod protocol;
mod rows;
mod spar;

use std::path::{Path, PathBuf};

use num_complex::Complex64;

use super::bytes::FileBytes;
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_of, length_of, needed_of_stem, of_stem, rival_of_stem};
use super::reader::{About, Claim, Probe, Reader};
use super::vax::f32_from_vax;
use crate::acquisition::{Acquisition, Samples};
pub use error::DecodeError;
use rows::Rows;
pub(super) use rows::named_editing_of_file;
use spar::Spar;

/// Name of the format.
pub const NAME: &str = "Philips SDAT/SPAR";

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
            facts: "dwell time, f0, nucleus, TE, TR, vendor, averages, voxel; the sequence where the scan's name says it",
            limits: "no grids; the header does not say what several rows are: conditions of spectral editing where names say so, else dynamics",
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
        if let Some(other) = rival_of_stem(&sdat, "spar", &spar) {
            let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let e = DecodeError::TwoHeaders { taken: name(&spar), other: name(&other) };
            return Err(ReadError::content(path, e.code(), e));
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        decode_named(bytes_of(&sdat)?.into(), &bytes_of(&spar)?, &stem)
            .map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let sdat = length_of(&needed_of_stem(path, "SDAT", "SDAT file with the samples")?);
        let spar = bytes_of(&needed_of_stem(path, "SPAR", "SPAR file with the header")?)?;
        let points = Spar::parse(&spar).count("samples").map_err(|e| ReadError::content(path, e.code(), e))?;
        let rows = usize::try_from(sdat).unwrap_or(usize::MAX) / SAMPLE_BYTES / points.max(1);
        // Every row may be a transient, and there may be two conditions of half as many.
        Ok(Extent { points, conditions: 2, transients: rows, whole_bytes: sdat, ..Extent::at_most(sdat) })
    }
}

/// Bytes of a complex sample.
const SAMPLE_BYTES: usize = 8;

/// Decodes a pair of no name.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(sdat: impl Into<FileBytes>, spar: &[u8]) -> Result<Acquisition, DecodeError> {
    decode_named(sdat.into(), spar, "")
}

/// Decodes a pair, whose file has this stem; the stem may say that several rows are those of spectral editing.
fn decode_named(sdat: FileBytes, spar: &[u8], file_stem: &str) -> Result<Acquisition, DecodeError> {
    let spar = Spar::parse(spar);
    let samples = spar.count("samples")?;
    let mut remarks = Vec::new();
    let rows = number_of_rows(&spar, sdat.len(), samples, &mut remarks);
    let needed = samples.checked_mul(rows).and_then(|n| n.checked_mul(SAMPLE_BYTES));
    let Some(needed) = needed.filter(|n| *n <= sdat.len()) else {
        return Err(DecodeError::Truncated { got: sdat.len(), rows, samples, needed: needed.unwrap_or(usize::MAX) });
    };
    if let Some(grid) = grid(&spar, rows) {
        return Err(DecodeError::Imaging { grid });
    }
    if sdat.len() > needed {
        remarks.push(format!("{} bytes after the last announced sample were not read", sdat.len() - needed));
    }
    let at = move |row: usize, point: usize| {
        let offset = (row * samples + point) * SAMPLE_BYTES;
        let part = |o: usize| sdat.get(o..o + 4).and_then(|b| b.try_into().ok()).map_or(0.0, f32_from_vax);
        Complex64::new(part(offset), -part(offset + 4))
    };
    let taken_for = Rows::of(rows, &spar, file_stem, samples, &at);
    let conditions = taken_for.n_conditions();
    let shape = [1, conditions, rows / conditions, 1, samples];
    let fid = move |[_, c, t, _]: [usize; 4]| (0..samples).map(|point| at(t * conditions + c, point)).collect();
    let mut data = Acquisition::from_samples(NAME, Samples::stored(shape, fid));
    protocol::set_from(&mut data, &spar)?;
    data.editing = taken_for.editing();
    data.facts.water_suppressed = protocol::is_water(&spar).then_some(false);
    data.remarks.extend(taken_for.remark(rows));
    data.remarks.extend(remarks);
    if conditions > 1 {
        data.condition_labels = (1..=conditions).map(|r| format!("row{r}")).collect();
    }
    Ok(data)
}

/// As the header says, or else as many as there are; which of these it was goes into the remarks.
fn number_of_rows(spar: &Spar, length: usize, samples: usize, remarks: &mut Vec<String>) -> usize {
    if let Ok(rows) = spar.count("rows") {
        return rows;
    }
    let rows = spar.count("spec_num_row").unwrap_or_else(|_| (length / SAMPLE_BYTES / samples).max(1));
    remarks.push(format!("the SPAR's entry `rows` says no usable number: {rows} were read"));
    rows
}

/// The extents of a grid of voxels, where the rows are one.
fn grid(spar: &Spar, rows: usize) -> Option<String> {
    let is_encoded = spar.text("phase_encoding_enable").is_some_and(|text| text.eq_ignore_ascii_case("yes"));
    let named = [("dim2_pnts", "sun_dim2_pnts"), ("dim3_pnts", "sun_dim3_pnts"), ("dim4_pnts", "sun_dim4_pnts")];
    let extents = named.map(|(name, old)| spar.count(name).or_else(|_| spar.count(old)).unwrap_or(1));
    let n_voxels = extents.iter().try_fold(1_usize, |n, extent| n.checked_mul(*extent));
    (is_encoded && rows > 1 && n_voxels == Some(rows)).then(|| extents.map(|n| n.to_string()).join(" × "))
}

/// Sets what a SPAR states about the protocol and the voxel.
pub(super) fn set_protocol(data: &mut Acquisition, spar: &[u8]) -> Result<(), DecodeError> {
    protocol::set_from(data, &Spar::parse(spar))
}

/// The kind of spectral editing that the names in a SPAR say.
pub(super) fn named_editing_of(spar: &[u8]) -> Option<&'static str> {
    protocol::named(&Spar::parse(spar))
}
