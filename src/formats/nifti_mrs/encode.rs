//! An acquisition as a NIfTI-MRS file.

use serde_json::{Map, Value, json};

use super::keys::{AVERAGES, COMPLEX64, COMPLEX128, EXTENSION_CODE, MILLIMETRES, PROGRAM, PULSES, SECONDS};
use crate::acquisition::{Acquisition, Processing};
use crate::formats::nifti::layout::NIFTI2;
use crate::formats::nifti::quaternion;

/// Edge (mm) of a dimension without localisation, by the standard.
const UNLOCALISED_MM: f64 = 10_000.0;
/// Magic number of a NIfTI-2 file with its data behind the header, and where it stands.
const MAGIC: &[u8] = b"n+2\0\r\n\x1a\n";
const MAGIC_AT: usize = 4;
const INTENT_NAME: &[u8] = b"mrs_v0_10";
/// Value of `qform_code` and `sform_code`: aligned with the scanner's or another's axes.
const ALIGNED: i32 = 2;
/// Four bytes behind the header say whether extensions follow.
const EXTENDER_BYTES: usize = 4;
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
    let mut file = Writer(vec![0; NIFTI2.size + EXTENDER_BYTES + extension]);
    file.header(&extents, is_single, data.facts.dwell_s);
    file.place(data.affine_mm.as_ref());
    let at = NIFTI2.size;
    file.put(at, &[1, 0, 0, 0]);
    file.put(at + EXTENDER_BYTES, &(extension as i32).to_le_bytes());
    file.put(at + EXTENDER_BYTES + 4, &EXTENSION_CODE.to_le_bytes());
    file.put(at + EXTENDER_BYTES + EXTENSION_HEAD_BYTES, &text);
    // Voxels fastest, then points, coils, transients and conditions.
    for z in samples.view().permuted_axes([1, 2, 3, 4, 0]) {
        if is_single {
            file.0.extend((z.re as f32).to_le_bytes());
            file.0.extend((z.im as f32).to_le_bytes());
        } else {
            file.0.extend(z.re.to_le_bytes());
            file.0.extend(z.im.to_le_bytes());
        }
    }
    file.0
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
    meta.insert("ConversionMethod".into(), json!(concat!("requant ", env!("CARGO_PKG_VERSION"))));
    for (key, value) in [("EchoTime", facts.te_s), ("RepetitionTime", facts.tr_s), ("MixingTime", facts.tm_s)] {
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

/// The bytes of a file that is being written.
struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Number `index` of a field of numbers.
    fn number(&mut self, field: usize, index: usize, value: f64) {
        self.put(field + NIFTI2.number_bytes * index, &value.to_le_bytes());
    }

    /// Everything but the voxel's place. The dwell time is the fourth spacing; where it is not known it stays zero, which
    /// readers take for not stated.
    fn header(&mut self, extents: &[usize], is_single: bool, dwell_s: Option<f64>) {
        let (datatype, bits) = if is_single { (COMPLEX64, 64_i16) } else { (COMPLEX128, 128) };
        self.put(0, &(NIFTI2.size as i32).to_le_bytes());
        self.put(MAGIC_AT, MAGIC);
        self.put(NIFTI2.datatype, &datatype.to_le_bytes());
        self.put(NIFTI2.bitpix, &bits.to_le_bytes());
        self.put(NIFTI2.dim, &(extents.len() as i64).to_le_bytes());
        for i in 1..=7 {
            let extent = extents.get(i - 1).copied().unwrap_or(1) as i64;
            self.put(NIFTI2.dim + NIFTI2.extent_bytes * i, &extent.to_le_bytes());
            self.number(NIFTI2.pixdim, i, 1.0);
        }
        self.number(NIFTI2.pixdim, 4, dwell_s.unwrap_or(0.0));
        let data_at = self.0.len() as i64;
        self.put(NIFTI2.vox_offset, &data_at.to_le_bytes());
        self.number(NIFTI2.scl_slope, 0, 1.0);
        self.put(NIFTI2.xyzt_units, &(MILLIMETRES | SECONDS).to_le_bytes());
        self.put(NIFTI2.intent_name, INTENT_NAME);
    }

    /// Sizes, quaternion (where the axes are at right angles) and matrix of the voxel.
    fn place(&mut self, affine: Option<&[[f64; 4]; 4]>) {
        let rotation = affine.and_then(quaternion);
        let (sizes, handed) = match (affine, rotation) {
            (_, Some((sizes, handed, _))) => (sizes, handed),
            (Some(affine), None) => ([0, 1, 2].map(|j| (0..3).map(|i| affine[i][j].powi(2)).sum::<f64>().sqrt()), 1.0),
            (None, None) => ([UNLOCALISED_MM; 3], 1.0),
        };
        self.number(NIFTI2.pixdim, 0, handed);
        for (i, size) in sizes.into_iter().enumerate() {
            self.number(NIFTI2.pixdim, i + 1, size);
        }
        let Some(affine) = affine else { return };
        if let Some((_, _, rotation)) = rotation {
            self.put(NIFTI2.qform_code, &ALIGNED.to_le_bytes());
            for i in 0..3 {
                self.number(NIFTI2.quatern, i, rotation[i]);
                self.number(NIFTI2.qoffset, i, affine[i][3]);
            }
        }
        self.put(NIFTI2.sform_code, &ALIGNED.to_le_bytes());
        for (i, value) in affine.iter().take(3).flatten().enumerate() {
            self.number(NIFTI2.srow, i, *value);
        }
    }
}
