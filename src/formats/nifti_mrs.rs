//! NIfTI-MRS: a NIfTI container with a JSON header extension (Clarke et al. 2022,
//! <https://doi.org/10.1002/mrm.29418>, standard version 0.10). Its sign convention is ours.

use ndarray::Array5;
use num_complex::Complex64;
use serde_json::{Map, Value, json};

use super::nifti::{self, Nifti, NiftiError};
use crate::acquisition::{Acquisition, Format, Processing};

/// Code of the header extension that makes a NIfTI file NIfTI-MRS.
pub const EXTENSION_CODE: i32 = 44;
const PROGRAM: &str = env!("CARGO_PKG_NAME");
/// User-defined key: transients that the scanner averaged into each stored one.
const AVERAGES: &str = "AveragesOnScanner";
/// More processing steps than any file has.
const MOST_STEPS: usize = 256;
/// Edge (mm) of a dimension without localisation, by the standard.
const UNLOCALISED_MM: f64 = 10_000.0;
const COMPLEX64: i16 = 32;
const COMPLEX128: i16 = 1792;

/// Why a file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The container.
    #[error(transparent)]
    Container(#[from] NiftiError),
    /// Real-valued data: an image or a segmentation.
    #[error("holds real numbers (NIfTI data type {datatype}): an image or a segmentation, not spectroscopy")]
    NotSpectroscopy {
        /// NIfTI data type.
        datatype: i16,
    },
    /// Complex data without the NIfTI-MRS header extension.
    #[error(
        "complex NIfTI without the NIfTI-MRS header extension (code 44): frequency, nucleus and sign convention are not defined; convert it with spec2nii"
    )]
    NoExtension,
    /// The header extension is not a JSON object.
    #[error("the NIfTI-MRS header extension is not valid JSON ({reason}); convert the file again")]
    Json {
        /// What the parser says.
        reason: String,
    },
    /// A dimension tag that the standard does not know.
    #[error("{key} = {tag} is no dimension of the NIfTI-MRS standard; correct the header extension")]
    Tag {
        /// Which dimension.
        key: String,
        /// What it says.
        tag: String,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(NiftiError::Truncated { .. } | NiftiError::Gzip { .. }) => "truncated",
            Self::Container(_) | Self::Json { .. } | Self::Tag { .. } => "bad_header",
            Self::NotSpectroscopy { .. } => "not_spectroscopy",
            Self::NoExtension => "unsupported",
        }
    }
}

/// Whether a NIfTI file holds complex data (or is too broken to tell): something a row must account for.
pub fn is_spectroscopy(file: &[u8]) -> bool {
    nifti::parse(file, false).map_or(true, |n| matches!(n.datatype, COMPLEX64 | COMPLEX128))
}

/// What becomes of a dimension above the fourth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Coil,
    /// Averaged: repetitions, phase cycles, ISIS steps, repeated measurements.
    Transient,
    /// Analysed apart: edit conditions, indirect and user-defined dimensions.
    Condition,
}

/// Decodes a file, with the BIDS sidecar beside it if there is one.
pub fn decode(file: &[u8], sidecar: Option<&Value>) -> Result<Acquisition, DecodeError> {
    let head = nifti::parse(file, false)?;
    if !matches!(head.datatype, COMPLEX64 | COMPLEX128) {
        return Err(DecodeError::NotSpectroscopy { datatype: head.datatype });
    }
    let extension = head.extensions.iter().find(|e| e.code == EXTENSION_CODE).ok_or(DecodeError::NoExtension)?;
    let text: Vec<u8> = extension.content.iter().copied().take_while(|b| *b != 0).collect();
    let meta: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|e| DecodeError::Json { reason: e.to_string() })?;
    let nifti = nifti::parse(file, true)?;
    let roles = roles(&nifti, &meta)?;
    let mut data = Acquisition::from_samples(Format::NiftiMrs, samples(&nifti, &roles));
    data.grid = [nifti.shape[0], nifti.shape[1], nifti.shape[2]];
    data.condition_labels = labels(&nifti, &roles, &meta);
    data.edit_pulses_ppm = edit_pulses_ppm(&data.condition_labels, &meta);
    set_dwell(&mut data, &nifti);
    set_header(&mut data, &meta, sidecar);
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

fn roles(nifti: &Nifti, meta: &Map<String, Value>) -> Result<[Role; 3], DecodeError> {
    const DEFAULTS: [&str; 3] = ["DIM_COIL", "DIM_DYN", "DIM_INDIRECT_0"];
    let mut roles = [Role::Transient; 3];
    for (i, role) in roles.iter_mut().enumerate() {
        let key = format!("dim_{}", i + 5);
        let tag = first(meta.get(&key)).and_then(Value::as_str).unwrap_or(DEFAULTS[i]);
        *role = match tag {
            "DIM_COIL" => Role::Coil,
            "DIM_DYN" | "DIM_MEAS" | "DIM_PHASE_CYCLE" | "DIM_ISIS" => Role::Transient,
            _ if tag == "DIM_EDIT" || tag == "DIM_METCYCLE" => Role::Condition,
            _ if tag.starts_with("DIM_INDIRECT") || tag.starts_with("DIM_USER") => Role::Condition,
            _ if nifti.shape[i + 4] == 1 => Role::Transient,
            _ => return Err(DecodeError::Tag { key, tag: tag.chars().take(40).collect() }),
        };
    }
    Ok(roles)
}

/// Extent of all dimensions of one role together.
fn extent(nifti: &Nifti, roles: &[Role; 3], role: Role) -> usize {
    (0..3).filter(|&i| roles[i] == role).map(|i| nifti.shape[i + 4]).product()
}

fn samples(nifti: &Nifti, roles: &[Role; 3]) -> Array5<Complex64> {
    let voxels: usize = nifti.shape[..3].iter().product();
    let points = nifti.shape[3];
    let size = |role| extent(nifti, roles, role);
    let shape = (voxels, size(Role::Condition), size(Role::Transient), size(Role::Coil), points);
    let element = if nifti.datatype == COMPLEX64 { 8 } else { 16 };
    let part = |offset: usize| -> f64 {
        let half = element / 2;
        let mut bytes = [0_u8; 8];
        bytes[..half].copy_from_slice(&nifti.data[offset..offset + half]);
        if nifti.big_endian {
            bytes[..half].reverse();
        }
        if half == 4 {
            f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        } else {
            f64::from_le_bytes(bytes)
        }
    };
    Array5::from_shape_fn(shape, |(voxel, condition, transient, coil, point)| {
        let mut left = [(Role::Condition, condition), (Role::Transient, transient), (Role::Coil, coil)];
        let mut index = voxel + voxels * point;
        let mut stride = voxels * points;
        for (i, role) in roles.iter().enumerate() {
            let n = nifti.shape[i + 4];
            if let Some((_, rest)) = left.iter_mut().find(|(r, _)| r == role) {
                index += (*rest % n) * stride;
                *rest /= n;
            }
            stride *= n;
        }
        Complex64::new(part(index * element), part(index * element + element / 2))
    })
}

/// A label for each condition: the values that `dim_N_header` gives, else the index.
fn labels(nifti: &Nifti, roles: &[Role; 3], meta: &Map<String, Value>) -> Vec<String> {
    let n = extent(nifti, roles, Role::Condition);
    if n == 1 {
        return vec![String::new()];
    }
    (0..n)
        .map(|condition| {
            let mut rest = condition;
            let mut parts = Vec::new();
            for i in (0..3).filter(|&i| roles[i] == Role::Condition && nifti.shape[i + 4] > 1) {
                let index = rest % nifti.shape[i + 4];
                rest /= nifti.shape[i + 4];
                parts.push(label(meta.get(&format!("dim_{}_header", i + 5)), index));
            }
            parts.join(",")
        })
        .collect()
}

/// Where the editing pulses of each condition lie, if a dimension says that it is one of editing.
fn edit_pulses_ppm(labels: &[String], meta: &Map<String, Value>) -> Option<Vec<Vec<f64>>> {
    let is_edited = (5..=7).any(|i| first(meta.get(&format!("dim_{i}"))).and_then(Value::as_str) == Some("DIM_EDIT"));
    let offsets = |label: &String| match meta.get("EditPulse").and_then(|p| p.get(label)?.get("PulseOffset")) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_f64).collect(),
        Some(one) => one.as_f64().into_iter().collect(),
        None => Vec::new(),
    };
    is_edited.then(|| labels.iter().map(offsets).collect())
}

fn label(header: Option<&Value>, index: usize) -> String {
    let Some((name, value)) = header.and_then(Value::as_object).and_then(|h| h.iter().next()) else {
        return index.to_string();
    };
    let value = value.get("Value").unwrap_or(value);
    let at = match (value.get(index), value.get("start"), value.get("increment")) {
        (Some(v), _, _) => v.clone(),
        (None, Some(s), Some(d)) => json!(s.as_f64().unwrap_or(0.0) + index as f64 * d.as_f64().unwrap_or(0.0)),
        _ => return format!("{name}={index}"),
    };
    match at {
        Value::String(text) => text,
        Value::Number(number) => format!("{name}={number}"),
        // Vectors (gradient directions) would make unreadable ids.
        _ => format!("{name}={index}"),
    }
}

fn set_dwell(data: &mut Acquisition, nifti: &Nifti) {
    let raw = nifti.pixdim[4];
    // Bits 3–5 of xyzt_units: 8 seconds, 16 milliseconds, 24 microseconds.
    data.dwell_s = match nifti.xyzt_units & 0x38 {
        8 => Some(raw),
        16 => Some(raw * 1e-3),
        24 => Some(raw * 1e-6),
        _ if (1e-6..1e-2).contains(&raw) => {
            data.remarks.push("xyzt_units has no unit of time: the dwell time was taken as seconds".to_owned());
            Some(raw)
        }
        _ => None,
    }
    .filter(|d| d.is_finite() && *d > 0.0);
}

fn set_header(data: &mut Acquisition, meta: &Map<String, Value>, sidecar: Option<&Value>) {
    let sidecar = sidecar.and_then(Value::as_object);
    let get = |key: &str| first(meta.get(key)).or_else(|| first(sidecar.and_then(|s| s.get(key))));
    let number = |key: &str| get(key).and_then(Value::as_f64).filter(|v| v.is_finite() && *v > 0.0);
    let text = |key: &str| get(key).and_then(Value::as_str).map(|s| s.chars().take(80).collect::<String>());
    data.f0_mhz = number("SpectrometerFrequency");
    data.nucleus = text("ResonantNucleus");
    data.te_s = number("EchoTime");
    data.tr_s = number("RepetitionTime");
    data.tm_s = number("MixingTime");
    data.sequence = text("PulseSequenceType").or_else(|| text("SequenceName"));
    data.vendor = text("Manufacturer");
    data.water_suppressed = get("WaterSuppressed").and_then(Value::as_bool);
    let averages = meta.get(AVERAGES).and_then(|v| v.get("Value")?.as_u64());
    data.averages_on_scanner = averages.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    data.processing = processing(meta);
    let stated = first(sidecar.and_then(|s| s.get("SpectrometerFrequency"))).and_then(Value::as_f64);
    if let (Some(header), Some(stated)) = (data.f0_mhz, stated)
        && (stated / header - 1.0).abs() > 1e-3
    {
        data.remarks.push(format!("the sidecar says {stated} MHz and the file {header} MHz: the file's was taken"));
    }
}

/// What was done before. What other programs write as details can hold paths and names: it stays in the file.
fn processing(meta: &Map<String, Value>) -> Vec<Processing> {
    let steps = meta.get("ProcessingApplied").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |step: &Value, key: &str| -> String {
        step.get(key).and_then(Value::as_str).unwrap_or_default().chars().take(80).collect()
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

/// A value, or the first of an array of values.
fn first(value: Option<&Value>) -> Option<&Value> {
    match value {
        Some(Value::Array(values)) => values.first(),
        other => other,
    }
}

/// A NIfTI-2 file of an acquisition, valid NIfTI-MRS: complex64 where that holds every sample exactly, else complex128.
///
/// Dimensions 5 to 7 hold coils, transients and conditions, tagged only where there is more than one. The water
/// reference inside the acquisition is not written: it makes a file of its own ([`Acquisition::take_water`]).
pub fn encode(data: &Acquisition) -> Vec<u8> {
    const HEADER: usize = 540;
    let (voxels, conditions) = (data.n_voxels(), data.n_conditions());
    let (transients, coils, points) = (data.n_transients(), data.n_coils(), data.n_points());
    let mut meta = Map::new();
    meta.insert("SpectrometerFrequency".into(), json!([data.f0_mhz]));
    meta.insert("ResonantNucleus".into(), json!([data.nucleus.as_deref().unwrap_or("1H")]));
    let mut extents = vec![data.grid[0], data.grid[1], data.grid[2], points];
    let is_on_off = data.condition_labels.iter().any(|l| ["ON", "OFF"].contains(&l.to_uppercase().as_str()));
    let is_edited = is_on_off || data.edit_pulses_ppm.is_some();
    let condition = if is_edited { "DIM_EDIT" } else { "DIM_USER_0" };
    if let Some(pulses) = data.edit_pulses_ppm.as_ref().filter(|p| p.iter().any(|offsets| !offsets.is_empty())) {
        let stated = data.condition_labels.iter().zip(pulses);
        let stated: Map<String, Value> = stated.map(|(l, p)| (l.clone(), json!({ "PulseOffset": p }))).collect();
        meta.insert("EditPulse".into(), Value::Object(stated));
    }
    for (extent, tag) in [(coils, "DIM_COIL"), (transients, "DIM_DYN"), (conditions, condition)] {
        if extent > 1 {
            extents.push(extent);
            meta.insert(format!("dim_{}", extents.len()), json!(tag));
            let labels = &data.condition_labels;
            let header = match tag {
                "DIM_EDIT" => json!({ "EditCondition": labels }),
                "DIM_USER_0" => json!({ "Condition": { "Value": labels, "Description": "What was measured" } }),
                _ => continue,
            };
            meta.insert(format!("dim_{}_header", extents.len()), header);
        }
    }
    let own = Processing {
        program: PROGRAM.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: "Conversion to NIfTI-MRS".to_owned(),
        details: std::iter::once(data.format.to_string())
            .chain(data.flags.iter().map(|f| (*f).to_owned()))
            .collect::<Vec<_>>()
            .join(", "),
    };
    // No time: the same input gives the same bytes.
    let step = |p: &Processing| {
        let parts = [("Program", &p.program), ("Version", &p.version), ("Method", &p.method), ("Details", &p.details)];
        let stated = parts.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(stated.map(|(key, text)| (key.to_owned(), json!(text))).collect())
    };
    let steps: Vec<Value> = data.processing.iter().chain(std::iter::once(&own)).map(step).collect();
    meta.insert("ProcessingApplied".into(), Value::Array(steps));
    if let Some(n) = data.averages_on_scanner {
        let description = "Transients that the scanner averaged into each stored one";
        meta.insert(AVERAGES.into(), json!({ "Value": n, "Description": description }));
    }
    meta.insert("ConversionMethod".into(), json!(concat!("requant ", env!("CARGO_PKG_VERSION"))));
    for (key, value) in [("EchoTime", data.te_s), ("RepetitionTime", data.tr_s), ("MixingTime", data.tm_s)] {
        if let Some(value) = value {
            meta.insert(key.into(), json!(value));
        }
    }
    for (key, value) in [("SequenceName", &data.sequence), ("Manufacturer", &data.vendor)] {
        if let Some(value) = value {
            meta.insert(key.into(), json!(value));
        }
    }
    if let Some(suppressed) = data.water_suppressed {
        meta.insert("WaterSuppressed".into(), json!(suppressed));
    }
    let text = Value::Object(meta).to_string().into_bytes();
    let extension = (text.len() + 8).div_ceil(16) * 16;
    let offset = HEADER + 4 + extension;
    let mut file = vec![0_u8; offset];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &540_i32.to_le_bytes());
    put(4, b"n+2\0\r\n\x1a\n");
    let is_single = data.samples.iter().all(|z| f64::from(z.re as f32) == z.re && f64::from(z.im as f32) == z.im);
    let (datatype, bits) = if is_single { (COMPLEX64, 64_i16) } else { (COMPLEX128, 128) };
    put(12, &datatype.to_le_bytes());
    put(14, &bits.to_le_bytes());
    put(16, &(extents.len() as i64).to_le_bytes());
    for i in 0..7 {
        put(24 + 8 * i, &(extents.get(i).copied().unwrap_or(1) as i64).to_le_bytes());
        put(112 + 8 * i, &1.0_f64.to_le_bytes());
    }
    let place = data.affine_mm.as_ref().map(|affine| (affine, nifti::quaternion(affine)));
    let (sizes, handed) = match &place {
        Some((_, Some((sizes, handed, _)))) => (*sizes, *handed),
        Some((affine, None)) => ([0, 1, 2].map(|j| (0..3).map(|i| affine[i][j].powi(2)).sum::<f64>().sqrt()), 1.0),
        None => ([UNLOCALISED_MM; 3], 1.0),
    };
    put(104, &handed.to_le_bytes());
    for (i, size) in sizes.iter().enumerate() {
        put(112 + 8 * i, &size.to_le_bytes());
    }
    if let Some((affine, Some((_, _, quaternion)))) = &place {
        put(344, &2_i32.to_le_bytes());
        for i in 0..3 {
            put(352 + 8 * i, &quaternion[i].to_le_bytes());
            put(376 + 8 * i, &affine[i][3].to_le_bytes());
        }
    }
    put(136, &data.dwell_s.unwrap_or(0.0).to_le_bytes());
    put(168, &(offset as i64).to_le_bytes());
    put(176, &1.0_f64.to_le_bytes());
    if let Some(affine) = data.affine_mm {
        put(348, &2_i32.to_le_bytes());
        for row in 0..3 {
            for column in 0..4 {
                put(400 + 32 * row + 8 * column, &affine[row][column].to_le_bytes());
            }
        }
    }
    put(500, &(2_i32 | 8).to_le_bytes());
    put(508, b"mrs_v0_10");
    put(HEADER, &[1, 0, 0, 0]);
    put(HEADER + 4, &(extension as i32).to_le_bytes());
    put(HEADER + 8, &EXTENSION_CODE.to_le_bytes());
    put(HEADER + 12, &text);
    for condition in 0..conditions {
        for transient in 0..transients {
            for coil in 0..coils {
                for point in 0..points {
                    for voxel in 0..voxels {
                        let z = data.samples[(voxel, condition, transient, coil, point)];
                        if is_single {
                            file.extend((z.re as f32).to_le_bytes());
                            file.extend((z.im as f32).to_le_bytes());
                        } else {
                            file.extend(z.re.to_le_bytes());
                            file.extend(z.im.to_le_bytes());
                        }
                    }
                }
            }
        }
    }
    file
}
