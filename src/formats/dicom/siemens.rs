//! Siemens' private object: facts in the CSA header and the protocol, samples beside them. Software of VA writes fewer names
//! than later ones; the length of the samples and the protocol tell what is missing.

use dicom_object::InMemDicomObject;

use super::csa::Csa;
use super::error::DecodeError;
use super::open::NAME;
use super::protocol::Protocol;
use super::stored::{row, samples};
use super::tags::*;
use super::values::{has_word, positive, text};
use crate::acquisition::{Acquisition, Facts, Samples, flip_angle_deg};
use crate::formats::geometry::affine_from_lps;

/// Whether the object is a spectrum: by the kind that it states, or by what its header has. Recordings of breath and pulse
/// are stored in the same way.
pub(super) fn is_spectrum(object: &InMemDicomObject) -> bool {
    let is_kind = |tag| text(object, tag).is_some_and(|kind| kind.to_uppercase().starts_with("SPEC"));
    object.element(CSA_DATA).is_ok()
        && (CSA_KIND.into_iter().any(is_kind) || Csa::of(object).is_some_and(|csa| csa.has("DataPointColumns")))
}

/// Whether the object may have been a spectrum before somebody took its header out.
pub(super) fn is_bare(object: &InMemDicomObject) -> bool {
    let has_header = CSA_HEADER.iter().chain(&CSA_KIND).any(|tag| object.element(*tag).is_ok());
    object.element(CSA_DATA).is_ok()
        && !has_header
        && !["PHYSIO", "RAWDATA"].iter().any(|word| has_word(object, IMAGE_TYPE, word))
}

/// The acquisition.
pub(super) fn acquisition(
    object: &InMemDicomObject,
    bytes: &[u8],
    protocol: Option<&Protocol<'_>>,
) -> Result<Acquisition, DecodeError> {
    let csa = Csa::of(object).unwrap_or_default();
    let count = |name: &str| csa.number(name).filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize);
    let extent = |name: &str| count(name).unwrap_or(1);
    let grid = [extent("Columns"), extent("Rows"), extent("NumberOfFrames")];
    let voxels = grid[0].saturating_mul(grid[1]).saturating_mul(grid[2]);
    let all = bytes.len() / 8;
    let stated = count("DataPointColumns");
    let points = stated.or_else(|| protocol.and_then(Protocol::points)).unwrap_or(all / voxels.max(1));
    let samples = samples(bytes, voxels, points)?;
    // Without the name for it, the points must be what the length says.
    if stated.is_none() && samples.len() != bytes.len() {
        return Err(DecodeError::Field { field: "DataPointColumns (CSA)" });
    }
    let left = bytes.len() - samples.len();
    let shape = [voxels, 1, 1, 1, points];
    let stored = Samples::stored(shape, move |[voxel, ..]| row(&samples, voxel, points).collect());
    let mut data = Acquisition::from_samples(NAME, stored);
    data.grid = grid;
    if left >= 8 {
        data.remarks.push(format!("{left} bytes after the last announced sample were not read"));
    }
    data.facts = facts(object, &csa, protocol);
    if voxels == 1 {
        data.affine_mm = affine(&csa, protocol);
    }
    Ok(data)
}

/// The voxel in space: by the CSA header, else by the protocol, else by the image that the header makes of it.
fn affine(csa: &Csa, protocol: Option<&Protocol<'_>>) -> Option<[[f64; 4]; 4]> {
    let asked = || protocol.and_then(Protocol::voxel);
    let axes = csa.numbers::<6>("ImageOrientationPatient").map(|a| ([a[0], a[1], a[2]], [a[3], a[4], a[5]]));
    let (row, column) = axes.or_else(|| asked().map(|voxel| voxel.axes))?;
    let own = voxel(csa).or_else(|| asked().map(|voxel| (voxel.centre, voxel.size)));
    let (centre, size) = own.or_else(|| image(csa, row, column))?;
    Some(affine_from_lps(row, column, centre, size))
}

/// Centre and extents of the voxel.
fn voxel(csa: &Csa) -> Option<([f64; 3], [f64; 3])> {
    let size = [csa.number("VoiReadoutFoV")?, csa.number("VoiPhaseFoV")?, csa.number("VoiThickness")?];
    Some((csa.numbers("VoiPosition")?, size))
}

/// The same of the image of one voxel, of which the corner within its plane is stated.
fn image(csa: &Csa, row: [f64; 3], column: [f64; 3]) -> Option<([f64; 3], [f64; 3])> {
    let corner: [f64; 3] = csa.numbers("ImagePositionPatient")?;
    // The first spacing is that between rows.
    let [between_rows, between_columns]: [f64; 2] = csa.numbers("PixelSpacing")?;
    let centre = [0, 1, 2].map(|k| corner[k] + 0.5 * (row[k] * between_columns + column[k] * between_rows));
    Some((centre, [between_columns, between_rows, csa.number("SliceThickness")?]))
}

/// What the CSA header states, else what stands beside it, else the protocol.
fn facts(object: &InMemDicomObject, csa: &Csa, protocol: Option<&Protocol<'_>>) -> Facts {
    let own = |name: &str| csa.number(name).filter(|v| *v > 0.0);
    let asked = |name: &str| protocol.and_then(|protocol| protocol.number(name)).filter(|v| *v > 0.0);
    let seconds = |name: &str, tag, protocol_us: &str| {
        let ms = own(name).or_else(|| positive(object, tag));
        ms.map(|ms| ms * 1e-3).or_else(|| asked(protocol_us).map(|us| us * 1e-6))
    };
    let flip_deg = own("FlipAngle").or_else(|| positive(object, FLIP_ANGLE)).or_else(|| asked("adFlipAngleDegree[0]"));
    let te_s = seconds("EchoTime", ECHO_TIME, "alTE[0]");
    let dwell_ns = own("RealDwellTime").or_else(|| positive(object, SIEMENS_DWELL));
    let f0_mhz = own("ImagingFrequency").or_else(|| positive(object, IMAGING_FREQUENCY));
    Facts {
        dwell_s: dwell_ns.map(|ns| ns * 1e-9).or_else(|| protocol?.dwell_s()),
        f0_mhz: f0_mhz.or_else(|| asked("sTXSPEC.asNucleusInfo[0].lFrequency").map(|hz| hz * 1e-6)),
        te_s: protocol.map_or(te_s, |protocol| protocol.te_s(te_s)),
        tr_s: seconds("RepetitionTime", REPETITION_TIME, "alTR[0]"),
        tm_s: own("MixingTime").map(|ms| ms * 1e-3),
        flip_angle_deg: flip_deg.and_then(flip_angle_deg),
        nucleus: csa.text("ImagedNucleus").or_else(|| text(object, IMAGED_NUCLEUS)),
        sequence: csa.text("SequenceName").or_else(|| protocol?.sequence()),
        averages_on_scanner: own("NumberOfAverages").map(|n| n as usize),
        vendor: text(object, MANUFACTURER).or_else(|| Some("Siemens".to_owned())),
        water_suppressed: protocol.and_then(Protocol::water_suppressed),
        refocus_s: protocol.and_then(Protocol::refocus_s),
        ..Facts::default()
    }
}
