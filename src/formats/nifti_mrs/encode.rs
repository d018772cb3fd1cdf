//! An acquisition as a NIfTI-MRS file.

use serde_json::{Map, Value, json};

use super::keys::{
    AVERAGES, COMPLEX64, COMPLEX128, EXTENSION_CODE, FIRST_ECHO, FLIP_ANGLES, INVERSION, PROGRAM, PULSES, REFOCUS,
    SECONDS,
};
use crate::acquisition::{Acquisition, Processing};
use crate::formats::nifti::layout::NIFTI2;
use crate::formats::nifti::writer::{EXTENDER_BYTES, MILLIMETRES, Writer};

/// Edge (mm) of a dimension without localisation, by the standard.
const UNLOCALISED_MM: f64 = 10_000.0;
const INTENT_NAME: &[u8] = b"mrs_v0_10";
/// An extension begins with its size and code, and its size is a multiple of sixteen.
const EXTENSION_HEAD_BYTES: usize = 8;
const EXTENSION_UNIT: usize = 16;

/// A NIfTI-2 file of an acquisition, valid NIfTI-MRS: complex64 where that holds every sample exactly, else complex128.
///
/// Dimensions 5 to 7 hold coils, transients and conditions, tagged only where there is more than one. The water
/// reference inside the acquisition is not written: it makes a file of its own ([`Acquisition::take_water`]).
pub fn encode(data: &Acquisition) -> Vec<u8> {
    let (extents, meta) = described(data);
    let text = Value::Object(meta).to_string().into_bytes();
    let samples = data.samples.to_array();
    let is_single = samples.iter().all(|z| f64::from(z.re as f32) == z.re && f64::from(z.im as f32) == z.im);
    let extension = (text.len() + EXTENSION_HEAD_BYTES).div_ceil(EXTENSION_UNIT) * EXTENSION_UNIT;
    let mut file = Writer::new(NIFTI2, EXTENDER_BYTES + extension);
    let (datatype, element_bytes) = if is_single { (COMPLEX64, 8) } else { (COMPLEX128, 16) };
    file.header(&extents, datatype, element_bytes);
    // The dwell time is the fourth spacing; where it is not known it stays zero, which readers take for not stated.
    file.number(NIFTI2.pixdim, 4, data.facts.dwell_s.unwrap_or(0.0));
    file.units(MILLIMETRES | SECONDS);
    file.put(NIFTI2.intent_name, INTENT_NAME);
    file.place(data.affine_mm.as_ref(), UNLOCALISED_MM);
    let at = NIFTI2.size;
    file.put(at, &[1, 0, 0, 0]);
    file.put(at + EXTENDER_BYTES, &(extension as i32).to_le_bytes());
    file.put(at + EXTENDER_BYTES + 4, &EXTENSION_CODE.to_le_bytes());
    file.put(at + EXTENDER_BYTES + EXTENSION_HEAD_BYTES, &text);
    // Voxels fastest, then points, coils, transients and conditions.
    for z in samples.view().permuted_axes([1, 2, 3, 4, 0]) {
        if is_single {
            file.bytes.extend((z.re as f32).to_le_bytes());
            file.bytes.extend((z.im as f32).to_le_bytes());
        } else {
            file.bytes.extend(z.re.to_le_bytes());
            file.bytes.extend(z.im.to_le_bytes());
        }
    }
    file.bytes
}

/// Extents of the dimensions, and the header extension that says what they are and what was measured.
fn described(data: &Acquisition) -> (Vec<usize>, Map<String, Value>) {
    let facts = &data.facts;
    let mut meta = Map::new();
    meta.insert("SpectrometerFrequency".into(), json!([facts.f0_mhz]));
    meta.insert("ResonantNucleus".into(), json!([facts.nucleus.as_deref().unwrap_or("1H")]));
    let extents = dimensions(data, &mut meta);
    meta.insert("ProcessingApplied".into(), processing(data));
    if let Some(n) = facts.averages_on_scanner {
        let description = "Transients that the scanner averaged into each stored one";
        meta.insert(AVERAGES.into(), json!({ "Value": n, "Description": description }));
    }
    if let Some(pulses) = &facts.pulses {
        let description = "Pulses that a basis set for these data has";
        meta.insert(PULSES.into(), json!({ "Value": pulses, "Description": description }));
    }
    if let Some(te1_s) = facts.te1_s {
        let description = "Time from the excitation to the first spin echo of PRESS (s)";
        meta.insert(FIRST_ECHO.into(), json!({ "Value": te1_s, "Description": description }));
    }
    if let Some(refocus_s) = facts.refocus_s {
        let description = "Duration of the slice-selective refocusing pulses, by their amplitudes in the header (s)";
        meta.insert(REFOCUS.into(), json!({ "Value": refocus_s, "Description": description }));
    }
    if let Some(degrees) = facts.flip_angle_deg {
        meta.insert(FLIP_ANGLES[0].into(), json!(degrees));
    }
    meta.insert("ConversionMethod".into(), json!(concat!("requant ", env!("CARGO_PKG_VERSION"))));
    let times =
        [("EchoTime", facts.te_s), ("RepetitionTime", facts.tr_s), ("MixingTime", facts.tm_s), (INVERSION, facts.ti_s)];
    for (key, value) in times {
        if let Some(value) = value {
            meta.insert(key.into(), json!(value));
        }
    }
    for (key, value) in [("SequenceName", &facts.sequence), ("Manufacturer", &facts.vendor)] {
        if let Some(value) = value {
            meta.insert(key.into(), json!(value));
        }
    }
    if let Some(suppressed) = facts.water_suppressed {
        meta.insert("WaterSuppressed".into(), json!(suppressed));
    }
    (extents, meta)
}

/// Extents of all dimensions; those above the fourth are tagged in `meta`.
fn dimensions(data: &Acquisition, meta: &mut Map<String, Value>) -> Vec<usize> {
    let labels = &data.condition_labels;
    let is_on_off = labels.iter().any(|l| ["ON", "OFF"].contains(&l.to_uppercase().as_str()));
    let is_edited = is_on_off || data.editing.is_some();
    let condition = if is_edited { "DIM_EDIT" } else { "DIM_USER_0" };
    if let Some(pulses) =
        data.editing.as_ref().map(|e| &e.pulses_ppm).filter(|p| p.iter().any(|offsets| !offsets.is_empty()))
    {
        let stated = labels.iter().zip(pulses);
        let stated: Map<String, Value> = stated.map(|(l, p)| (l.clone(), json!({ "PulseOffset": p }))).collect();
        meta.insert("EditPulse".into(), Value::Object(stated));
    }
    let [x, y, z] = data.grid;
    let mut extents = vec![x, y, z, data.n_points()];
    let tagged = [(data.n_coils(), "DIM_COIL"), (data.n_transients(), "DIM_DYN"), (data.n_conditions(), condition)];
    for (extent, tag) in tagged.into_iter().filter(|(extent, _)| *extent > 1) {
        extents.push(extent);
        meta.insert(format!("dim_{}", extents.len()), json!(tag));
        let header = match tag {
            "DIM_EDIT" => json!({ "EditCondition": labels }),
            "DIM_USER_0" => json!({ "Condition": { "Value": labels, "Description": "What was measured" } }),
            _ => continue,
        };
        meta.insert(format!("dim_{}_header", extents.len()), header);
    }
    extents
}

/// What was done before, and that this program wrote the file. No time: the same input gives the same bytes.
fn processing(data: &Acquisition) -> Value {
    let flags = data.flags.iter().map(|f| (*f).to_owned());
    let own = Processing {
        program: PROGRAM.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        method: "Conversion to NIfTI-MRS".to_owned(),
        details: std::iter::once(data.format.to_owned()).chain(flags).collect::<Vec<_>>().join(", "),
    };
    let step = |p: &Processing| {
        let parts = [("Program", &p.program), ("Version", &p.version), ("Method", &p.method), ("Details", &p.details)];
        let stated = parts.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(stated.map(|(key, text)| (key.to_owned(), json!(text))).collect())
    };
    Value::Array(data.processing.iter().chain(std::iter::once(&own)).map(step).collect())
}
