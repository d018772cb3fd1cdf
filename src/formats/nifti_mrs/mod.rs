//! NIfTI-MRS: a NIfTI container with a JSON header extension (Clarke et al. 2022,
//! <https://doi.org/10.1002/mrm.29418>, standard version 0.10). Its sign convention is ours.

mod dimensions;
mod editing;
mod encode;
mod error;
mod facts;
mod keys;
mod own_values;
mod sidecar;
mod steps;
mod untagged;

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
use super::times;
use crate::acquisition::{Acquisition, Editing, Processing, TRANSFORMS_DISAGREE};
use crate::regular_file;
use dimensions::{Role, extents, labels, n_edit, roles, samples};
use editing::StatedConditions;
pub use encode::encode;
pub use error::DecodeError;
pub use keys::EXTENSION_CODE;
use keys::{COMPLEX64, COMPLEX128, MICROSECONDS, MILLISECONDS, MOST_STEPS, PROGRAM, SECONDS, TEXT_CHARS, TIME_BITS};
pub use sidecar::bids_sidecar;

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
            companions: "BIDS sidecars, beside the file and in the folders above (inheritance), for what the file does not state",
            facts: "dwell time, f0, nucleus, TE, first echo (`FirstEchoTime`), TR, TM, flip angle, sequence, vendor, water suppression, averages, edit conditions and pulses, voxel",
            limits: "complex NIfTI without the extension is refused; so are steps of ISIS whose signs are not known (2, 4 and 8 have a usual order), phase cycles without the receiver's phase, and averaged dimensions with several echo times",
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

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        matches!(nifti::datatype_by_magic(probe.head()), Some(COMPLEX64 | COMPLEX128))
    }

    fn is_spectroscopy(&self, path: &Path) -> bool {
        regular_file::head(path, nifti::HEADER_BYTES as u64).map_or(true, |head| is_spectroscopy(&head))
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        bids_sidecar::paths(path)
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let (file, length) = open(path)?;
        let refused = |e: DecodeError| ReadError::content(path, e.code(), e);
        let (opened, _, roles) = head(file, length).map_err(refused)?;
        let [_, conditions, transients, coils, points] = extents(&opened.nifti, &roles);
        // Steps that become one transient are held until then.
        let transients = transients.saturating_mul(dimensions::extent(&opened.nifti, &roles, Role::Step));
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
    let sidecars = bids_sidecar::inherited(path)?;
    let decoded = decode_voxels(file, length, &sidecars.stated, voxels);
    let mut data = decoded.map_err(|e| ReadError::content(path, e.code(), e))?;
    data.remarks.extend(sidecars.remarks);
    Ok(data)
}

/// Whether a NIfTI file holds complex data (or is too broken to tell): something a row must account for.
pub fn is_spectroscopy(file: &[u8]) -> bool {
    nifti::parse(file, false).map_or(true, |n| matches!(n.datatype, COMPLEX64 | COMPLEX128))
}

/// Decodes a file, with what its BIDS sidecars state if there are any.
pub fn decode(file: &[u8], sidecar: Option<&Value>) -> Result<Acquisition, DecodeError> {
    let sidecar = sidecar.and_then(Value::as_object).cloned().unwrap_or_default();
    decode_voxels(file, file.len() as u64, &sidecar, None)
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
    sidecar: &Map<String, Value>,
    voxels: Option<Range<usize>>,
) -> Result<Acquisition, DecodeError> {
    let (mut opened, meta, roles) = head(file, file_bytes)?;
    let [n_voxels, ..] = extents(&opened.nifti, &roles);
    let first_voxel = voxels.as_ref().map_or(0, |v| v.start.min(n_voxels));
    let n_kept = voxels.as_ref().map_or(n_voxels, |v| v.end.min(n_voxels)).saturating_sub(first_voxel);
    if let Some(intercept) = opened.nifti.intercept() {
        return Err(DecodeError::Intercept { intercept });
    }
    let stored = opened.data(voxels)?;
    let nifti = opened.nifti;
    let mut remarks = Vec::new();
    if let Some(slope) = nifti.slope().filter(|slope| *slope != 1.0) {
        remarks.push(format!("scl_slope: stored samples were multiplied by {slope}"));
    }
    own_values::check(&nifti, &roles, &meta)?;
    let signs = steps::signs(&nifti, &roles, &meta, &mut remarks)?;
    let mut data = Acquisition::from_samples(NAME, samples(&nifti, &roles, signs, stored, n_kept));
    data.first_voxel = first_voxel;
    data.grid = grid(&nifti);
    data.processing = processing(&meta);
    steps::check_phase_cycle(&data, &nifti, &roles, &meta)?;
    let dwell_s = dwell_s(&nifti, &mut remarks);
    data.facts = facts::facts(&meta, sidecar, dwell_s, &mut remarks);
    steps::check_isis(&nifti, &roles, &meta, data.facts.sequence.as_deref())?;
    remarks.extend(untagged::remarks(&data, &nifti, &roles, &meta));
    let data = own_values::water_apart(data, &nifti, &roles, &meta);
    let times = own_values::times(&nifti, &roles, &meta);
    let told = times.as_ref().map_or([false; 3], |(_, told)| *told);
    let mut data = with_conditions(data, &nifti, &roles, &meta, sidecar, told);
    data.remarks.extend(remarks);
    place(&mut data, &nifti);
    Ok(match times {
        Some((times, _)) => times::apart(data, &times),
        None => data,
    })
}

/// Distance (mm) between both forms from which a person should know of it: less is rounding.
const APART_MM: f64 = 0.1;

/// Where the voxels are, by the form that leads into the scanner's space.
fn place(data: &mut Acquisition, nifti: &Nifti) {
    let forms = nifti.forms();
    let is_set = forms.qform.is_some() || forms.sform.is_some();
    match forms.of_the_scanner() {
        Some((affine, form)) => {
            (data.affine_mm, data.placed_by) = (Some(affine), Some(form));
            if form == "sform" && forms.qform.is_none() {
                data.remarks.push("qform_code is 0: the voxel's place was taken from the sform".to_owned());
            }
        }
        None if is_set => data.remarks.push(
            "qform and sform lead into the space of an atlas: the voxel has no place in the scanner's".to_owned(),
        ),
        None => data.remarks.push("neither qform nor sform is set: the voxel has no place in space".to_owned()),
    }
    if let Some(apart_mm) = forms.apart_mm(grid(nifti)).filter(|mm| mm.is_nan() || *mm > APART_MM) {
        data.flags.push(TRANSFORMS_DISAGREE);
        data.remarks.push(format!(
            "qform and sform of the spectrum put the voxel's corners {apart_mm:.2} mm apart: the qform was taken"
        ));
    }
}

/// The conditions by their names, and what is said of their editing.
fn with_conditions(
    mut data: Acquisition,
    nifti: &Nifti,
    roles: &[Role; 3],
    meta: &Map<String, Value>,
    sidecar: &Map<String, Value>,
    told: [bool; 3],
) -> Acquisition {
    let mut remarks = Vec::new();
    let stated = StatedConditions::new(meta, sidecar, &mut remarks);
    let n_edit = n_edit(nifti, meta);
    if n_edit > 1 {
        let names = stated.along(n_edit, &mut remarks);
        data.condition_labels = labels(nifti, roles, meta, names.as_deref(), told);
        let pulses_ppm = stated.pulses_ppm(&data.condition_labels, &mut remarks);
        data.editing = Some(Editing { pulses_ppm, ..Editing::default() });
    } else {
        data.condition_labels = labels(nifti, roles, meta, None, told);
        if data.n_conditions() == 1 {
            data = stated.sort(data);
        }
    }
    data.remarks.extend(remarks);
    data
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
