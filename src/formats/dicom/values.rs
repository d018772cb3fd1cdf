//! Values of an object's attributes.

use dicom_object::{InMemDicomObject, Tag};

use super::csa::Csa;
use super::tags::CSA_HEADER;

pub(super) fn csa(object: &InMemDicomObject) -> Option<Csa> {
    CSA_HEADER.iter().find_map(|tag| {
        let csa = Csa::parse(&object.element(*tag).ok()?.to_bytes().ok()?)?;
        csa.number("DataPointColumns").map(|_| csa)
    })
}

pub(super) fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let value = object.element(tag).ok()?.to_str().ok()?;
    let value = value.split('\\').next().unwrap_or_default().trim_matches(['\0', ' ']).to_owned();
    (!value.is_empty()).then(|| value.chars().take(80).collect())
}

/// The first value, as a number.
pub(super) fn number(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    let element = object.element(tag).ok()?;
    element.to_float64().ok().or_else(|| text(object, tag)?.parse().ok()).filter(|v: &f64| v.is_finite())
}

/// The first `N` values, as numbers.
pub(super) fn numbers<const N: usize>(object: &InMemDicomObject, tag: Tag) -> Option<[f64; N]> {
    let values = object.element(tag).ok()?.to_multi_float64().ok()?;
    let values: [f64; N] = values.get(..N)?.try_into().ok()?;
    values.iter().all(|v| v.is_finite()).then_some(values)
}

/// The first item of a sequence.
pub(super) fn item(object: &InMemDicomObject, tag: Tag) -> Option<&InMemDicomObject> {
    object.element(tag).ok()?.items()?.first()
}
