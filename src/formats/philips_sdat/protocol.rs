//! What a SPAR states about the protocol and the voxel.

use super::error::DecodeError;
use super::spar::Spar;
use crate::acquisition::{Acquisition, Facts, named_editing};
use crate::formats::geometry::affine_from_philips;
use crate::formats::hints::{sequence_hint, te_hint_s};

/// The name that somebody gave the scan: free text, of which a recognised word is taken and nothing else.
const SCAN_NAME: &str = "scan_id";
/// The scanner stores the water reference of a single voxel as the second mix.
const WATER_MIX: f64 = 2.0;

/// Sets what a SPAR states.
pub(super) fn set_from(data: &mut Acquisition, spar: &Spar) -> Result<(), DecodeError> {
    let seconds = |field| spar.known(spar.positive(field)).map(|ms| ms / 1e3);
    data.facts = Facts {
        dwell_s: Some(1.0 / spar.positive("sample_frequency")?),
        f0_mhz: Some(spar.positive("synthesizer_frequency")? / 1e6),
        te_s: seconds("echo_time"),
        tr_s: seconds("repetition_time"),
        nucleus: spar.text("nucleus").map(str::to_owned),
        averages_on_scanner: spar.known(spar.count("averages")),
        vendor: Some("Philips".to_owned()),
        ..data.facts.clone()
    };
    data.affine_mm = affine(spar);
    data.remarks.extend(spar.remark());
    take_hints(data, spar);
    Ok(())
}

/// No entry of the header is the sequence: the scan's name says it where sites name their scans so.
fn take_hints(data: &mut Acquisition, spar: &Spar) {
    let Some(name) = spar.text(SCAN_NAME) else { return };
    if let Some(sequence) = sequence_hint(name).filter(|_| data.facts.sequence.is_none()) {
        (data.facts.sequence, data.facts.sequence_from_name) = (Some(sequence.to_owned()), Some(true));
        data.remarks.push(format!("the sequence {sequence} is what the scan's name (`{SCAN_NAME}`) says"));
    }
    if let Some(te_s) = te_hint_s(name).filter(|_| data.facts.te_s.is_none()) {
        (data.facts.te_s, data.facts.te_from_name) = (Some(te_s), Some(true));
        data.remarks.push(format!("TE {:.1} ms is what the scan's name (`{SCAN_NAME}`) says", te_s * 1e3));
    }
}

/// What the names of scan and examination say of spectral editing.
pub(super) fn named(spar: &Spar) -> Option<&'static str> {
    [SCAN_NAME, "examination_name"]
        .into_iter()
        .filter_map(|field| sequence_hint(spar.text(field)?))
        .find(|hint| named_editing(hint).is_some())
}

/// Whether the samples are a water reference.
pub(super) fn is_water(spar: &Spar) -> bool {
    spar.number("mix_number") == Ok(WATER_MIX)
}

/// Voxel-to-scanner transform (mm, RAS+) from size, offset and angulation.
fn affine(spar: &Spar) -> Option<[[f64; 4]; 4]> {
    let triple = |fields: [&'static str; 3]| -> Option<[f64; 3]> {
        // Each is looked at, so that all which cannot be used are named.
        let [x, y, z] = fields.map(|field| spar.known(spar.number(field)));
        Some([x?, y?, z?])
    };
    let size = triple(["lr_size", "ap_size", "cc_size"]);
    let offset = triple(["lr_off_center", "ap_off_center", "cc_off_center"]);
    let angle = triple(["lr_angulation", "ap_angulation", "cc_angulation"])?;
    let (size, offset) = (size?, offset?);
    Some(affine_from_philips(size, offset, angle))
}
