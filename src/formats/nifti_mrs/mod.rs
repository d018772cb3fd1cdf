//! NIfTI-MRS: a NIfTI container with a JSON header extension (Clarke et al. 2022,
//! <https://doi.org/10.1002/mrm.29418>, standard version 0.10). Its sign convention is ours.

mod dimensions;
mod encode;
mod error;
mod keys;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::bids_sidecar;
use super::error::ReadError;
use super::extent::Extent;
use super::files::MAX_FILE_BYTES;
use super::json_fault::JsonFault;
use super::nifti::{self, Nifti, Opened};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts, Processing};
use crate::regular_file;
use dimensions::{Role, editing, extents, labels, roles, samples};
pub use encode::encode;
pub use error::DecodeError;
pub use keys::EXTENSION_CODE;
use keys::{
    AVERAGES, COMPLEX64, COMPLEX128, MICROSECONDS, MILLISECONDS, MOST_STEPS, PROGRAM, SAME_F0, SECONDS, TEXT_CHARS,
    TIME_BITS, first,
};

/// Name of the format.
pub const NAME: &str = "NIfTI-MRS";

/// The format's reader.
#[derive(Debug)]
pub struct NiftiMrs;

impl Reader for NiftiMrs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.nii`, `.nii.gz`: NIfTI-1 and -2 with the NIfTI-MRS header extension",
            companions: "BIDS sidecar `x.json` beside `x.nii[.gz]`, for what the file does not state",
            facts: "dwell time, f0, nucleus, TE, TR, TM, sequence, vendor, water suppression, averages, edit pulses, voxel",
            limits: "complex NIfTI without the extension is refused; sidecars higher up (BIDS inheritance) are not read",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(self.recognises(probe))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".json"]) && (probe.has_of_stem("nii") || probe.has_of_stem("nii.gz"))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".nii", ".nii.gz"])
    }

    fn is_spectroscopy(&self, path: &Path) -> bool {
        regular_file::head(path, nifti::HEADER_BYTES as u64).map_or(true, |head| is_spectroscopy(&head))
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        bids_sidecar::path_beside(path).into_iter().collect()
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let (file, length) = open(path)?;
        let refused = |e: DecodeError| ReadError::content(path, e.code(), e);
        let (opened, _, roles) = head(file, length).map_err(refused)?;
        let [_, conditions, transients, coils, points] = extents(&opened.nifti, &roles);
        let grid = grid(&opened.nifti);
        let sample_bytes = nifti::element_bytes(opened.nifti.datatype).unwrap_or(1) as u64;
        let extent = Extent { grid, conditions, transients, coils, points, whole_bytes: 0, sample_bytes };
        Ok(extent)
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        read(path, None)
    }

    fn read_voxels(&self, path: &Path, voxels: Range<usize>) -> Result<Acquisition, ReadError> {
        read(path, Some(voxels))
    }
}

fn open(path: &Path) -> Result<(File, u64), ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    let file = regular_file::open(path, MAX_FILE_BYTES).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Ok((file, length))
}

fn read(path: &Path, voxels: Option<Range<usize>>) -> Result<Acquisition, ReadError> {
    let (file, length) = open(path)?;
    let sidecar = bids_sidecar::beside(path)?;
    let json = sidecar.as_ref().and_then(|s| s.json.as_ref().ok());
    let mut data = decode_voxels(file, length, json, voxels).map_err(|e| ReadError::content(path, e.code(), e))?;
    data.remarks.extend(sidecar.and_then(|s| s.json.err()));
    Ok(data)
}

/// Whether a NIfTI file holds complex data (or is too broken to tell): something a row must account for.
pub fn is_spectroscopy(file: &[u8]) -> bool {
    nifti::parse(file, false).map_or(true, |n| matches!(n.datatype, COMPLEX64 | COMPLEX128))
}

/// Decodes a file, with the BIDS sidecar beside it if there is one.
pub fn decode(file: &[u8], sidecar: Option<&Value>) -> Result<Acquisition, DecodeError> {
    decode_voxels(file, file.len() as u64, sidecar, None)
}

fn grid(nifti: &Nifti) -> [usize; 3] {
    [nifti.shape[0], nifti.shape[1], nifti.shape[2]]
}

/// A file of `file_bytes` up to its data: with its header extension, and what its dimensions are.
#[allow(clippy::type_complexity, reason = "the parts of a header")]
fn head<'a>(file: impl Read + 'a, file_bytes: u64) -> Result<(Opened<'a>, Map<String, Value>, [Role; 3]), DecodeError> {
    let opened = Opened::new(file, file_bytes)?;
    let datatype = opened.nifti.datatype;
    if !matches!(datatype, COMPLEX64 | COMPLEX128) {
        return Err(DecodeError::NotSpectroscopy { datatype });
    }
    let extension = opened.nifti.extensions.iter().find(|e| e.code == EXTENSION_CODE);
    let extension = extension.ok_or(DecodeError::NoExtension)?;
    let text: Vec<u8> = extension.content.iter().copied().take_while(|b| *b != 0).collect();
    let meta: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|e| DecodeError::Json { fault: JsonFault::of(&e, "object") })?;
    let roles = roles(&opened.nifti, &meta)?;
    Ok((opened, meta, roles))
}

/// Decodes a file of `file_bytes`, or some voxels of it.
fn decode_voxels(
    file: impl Read,
    file_bytes: u64,
    sidecar: Option<&Value>,
    voxels: Option<Range<usize>>,
) -> Result<Acquisition, DecodeError> {
    let (mut opened, meta, roles) = head(file, file_bytes)?;
    let [n_voxels, ..] = extents(&opened.nifti, &roles);
    let first_voxel = voxels.as_ref().map_or(0, |v| v.start.min(n_voxels));
    let n_kept = voxels.as_ref().map_or(n_voxels, |v| v.end.min(n_voxels)).saturating_sub(first_voxel);
    let stored = opened.data(voxels)?;
    let nifti = opened.nifti;
    let mut data = Acquisition::from_samples(NAME, samples(&nifti, &roles, stored, n_kept));
    data.first_voxel = first_voxel;
    data.grid = grid(&nifti);
    data.condition_labels = labels(&nifti, &roles, &meta);
    data.editing = editing(&data.condition_labels, &meta);
    data.processing = processing(&meta);
    data.facts = Facts { dwell_s: dwell_s(&nifti, &mut data.remarks), ..facts(&meta, sidecar, &mut data.remarks) };
    match nifti.affine_mm() {
        Some((affine, form)) => {
            data.affine_mm = Some(affine);
            if form == "sform" {
                data.remarks.push("qform_code is 0: the voxel's place was taken from the sform".to_owned());
            }
        }
        None => data.remarks.push("neither qform nor sform is set: the voxel has no place in space".to_owned()),
    }
    Ok(data)
}

fn dwell_s(nifti: &Nifti, remarks: &mut Vec<String>) -> Option<f64> {
    let raw = nifti.pixdim[4];
    match nifti.xyzt_units & TIME_BITS {
        SECONDS => Some(raw),
        MILLISECONDS => Some(raw * 1e-3),
        MICROSECONDS => Some(raw * 1e-6),
        _ if (1e-6..1e-2).contains(&raw) => {
            remarks.push("xyzt_units has no unit of time: the dwell time was taken as seconds".to_owned());
            Some(raw)
        }
        _ => None,
    }
    .filter(|d| d.is_finite() && *d > 0.0)
}

/// What the header extension states, and the sidecar where that does not: key by key, for a sidecar's
/// `PulseSequenceType` says more than a file's `SequenceName`.
fn facts(meta: &Map<String, Value>, sidecar: Option<&Value>, remarks: &mut Vec<String>) -> Facts {
    let sidecar = sidecar.and_then(Value::as_object);
    let beside = |key: &str| first(sidecar.and_then(|s| s.get(key)));
    let get = |key: &str| first(meta.get(key)).or_else(|| beside(key));
    let number = |key: &str| get(key).and_then(Value::as_f64).filter(|v| v.is_finite() && *v > 0.0);
    let text = |key: &str| get(key).and_then(Value::as_str).map(|s| s.chars().take(TEXT_CHARS).collect::<String>());
    let averages = meta.get(AVERAGES).and_then(|v| v.get("Value")?.as_u64());
    let f0_mhz = number("SpectrometerFrequency");
    if let (Some(header), Some(stated)) = (f0_mhz, beside("SpectrometerFrequency").and_then(Value::as_f64))
        && (stated / header - 1.0).abs() > SAME_F0
    {
        remarks.push(format!("the sidecar says {stated} MHz and the file {header} MHz: the file's was taken"));
    }
    Facts {
        f0_mhz,
        nucleus: text("ResonantNucleus"),
        te_s: number("EchoTime"),
        tr_s: number("RepetitionTime"),
        tm_s: number("MixingTime"),
        sequence: text("PulseSequenceType").or_else(|| text("SequenceName")),
        vendor: text("Manufacturer"),
        water_suppressed: get("WaterSuppressed").and_then(Value::as_bool),
        averages_on_scanner: averages.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
        ..Facts::default()
    }
}

/// What was done before. What other programs write as details can hold paths and names: it stays in the file.
fn processing(meta: &Map<String, Value>) -> Vec<Processing> {
    let steps = meta.get("ProcessingApplied").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |step: &Value, key: &str| -> String {
        step.get(key).and_then(Value::as_str).unwrap_or_default().chars().take(TEXT_CHARS).collect()
    };
    let step = |step: &Value| {
        let own = step.get("Program").and_then(Value::as_str) == Some(PROGRAM);
        Processing {
            program: text(step, "Program"),
            version: text(step, "Version"),
            method: text(step, "Method"),
            details: if own { text(step, "Details") } else { String::new() },
        }
    };
    steps.iter().take(MOST_STEPS).map(step).collect()
}
