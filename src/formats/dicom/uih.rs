//! United Imaging's MR Spectroscopy Storage: samples as we want them, water and the conditions of editing in attributes of its
//! own (spec2nii). No real file was at hand.

use dicom_object::InMemDicomObject;
use dicom_object::Tag;

use super::error::DecodeError;
use super::facts::{facts, sequence, with_localization};
use super::frames::Part;
use super::layout;
use super::open::NAME;
use super::place::{Stated, affine};
use super::stored::{Stored, samples};
use super::tags::*;
use super::values::text;
use crate::acquisition::{Acquisition, Editing, Reference, UNTESTED_FORMAT, named_editing};

/// Whether an object is United Imaging's.
pub(super) fn is_own(object: &InMemDicomObject) -> bool {
    let maker = text(object, MANUFACTURER).unwrap_or_default().to_lowercase();
    maker == "uih" || maker.starts_with("united imaging")
}

/// Samples of one attribute: whole transients of `points`.
fn stored(object: &InMemDicomObject, tag: Tag, points: usize) -> Result<Option<(Stored, usize)>, DecodeError> {
    let Ok(element) = object.element(tag) else { return Ok(None) };
    let bytes = element.to_bytes().map_err(|_| DecodeError::Dicom { what: "its samples" })?;
    let transients = bytes.len() / 8 / points.max(1);
    if bytes.is_empty() {
        return Ok(None);
    }
    if transients == 0 || transients * points * 8 != bytes.len() {
        return Err(DecodeError::Truncated { got: bytes.len() / 8, needed: (transients + 1).saturating_mul(points) });
    }
    let bytes = samples(&bytes, transients, points)?;
    Ok(Some((Stored { bytes, points, plane: 1, is_conjugate: false }, transients)))
}

/// The acquisition.
pub(super) fn acquisition(object: &InMemDicomObject, bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let layout = layout::standard(object, bytes, false)?;
    if layout.stored.plane > 1 {
        return Err(DecodeError::Unread {
            what: "a grid of United Imaging",
            instead: "which axis runs first is not known; convert it to NIfTI-MRS",
        });
    }
    let points = layout.stored.points;
    let mut remarks = layout.remarks;
    let sequence = sequence(object);
    let sequence_from_name = sequence.is_from_name();
    remarks.extend(sequence.remark);
    let all = |n: usize| (0..n).collect::<Vec<usize>>();
    let mut editing = None;
    let mut labels = vec![String::new()];
    let data = match (stored(object, UIH_ON, points)?, stored(object, UIH_OFF, points)?) {
        (None, None) => layout.stored.transients(vec![all(layout.frames)]),
        (Some((on, n_on)), Some((off, n_off))) => {
            if n_on != n_off {
                return Err(DecodeError::Frames { why: "are not as many with the editing pulse on as with it off" });
            }
            remarks.push("the conditions on and off were taken, not what the scanner made of them".to_owned());
            (editing, labels) = (Some(Editing::default()), vec!["on".into(), "off".into()]);
            let both = [&*on.bytes, &*off.bytes].concat();
            let both = Stored { bytes: both.into(), ..on };
            both.transients(vec![all(n_on), (n_on..2 * n_on).collect()])
        }
        _ => return Err(DecodeError::Frames { why: "lack one of the two conditions of editing" }),
    };
    let mut data = Acquisition::from_samples(NAME, data);
    data.facts = facts(object, &Part::default(), &mut remarks);
    data.facts.sequence_from_name = sequence_from_name;
    let is_named = sequence.name.as_deref().is_some_and(|name| named_editing(name).is_some());
    data.facts.sequence = match editing {
        Some(_) if !is_named => Some(with_localization("MEGA", sequence.name.as_deref())),
        _ => sequence.name,
    };
    (data.editing, data.condition_labels, data.remarks) = (editing, labels, remarks);
    if let Some((water, n)) = stored(object, UIH_WATER, points)? {
        data.water = Some(Reference::new(water.transients(vec![all(n)]), "attribute (0065,ff07)"));
        data.facts.water_suppressed = Some(true);
    }
    data.affine_mm = affine(object, Stated::Corner);
    data.flags.push(UNTESTED_FORMAT);
    Ok(data)
}
