//! Values of an object's attributes, by their type. Implicit files do not say how a vendor's own values are stored, and
//! explicit ones may call any value of unknown type: then the private dictionary tells (`tags`), never the bytes.

use std::borrow::Cow;

use dicom_core::VR;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_object::{InMemDicomObject, StandardDataDictionary, Tag};

use super::open::open;
use super::tags::{Kind, own_kind};
use crate::formats::bytes::{Bytes, Order};

/// Begins a file whose data set is in implicit little-endian form: the preamble, and the meta information that every file has.
const IMPLICIT_META: [(u8, &[u8]); 4] =
    [(0x02, b"1.2.840.10008.5.1.4.1.1.4.2\0"), (0x03, b"1.2"), (0x10, b"1.2.840.10008.1.2\0"), (0x12, b"1.2")];
/// A sequence that everybody knows.
const ANY_SEQUENCE: Tag = super::tags::SHARED_GROUPS;
/// The delimiter behind the items of a sequence without a length.
const SEQUENCE_END: [u8; 8] = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
/// More values than any attribute has that is asked for.
const MOST: usize = 64;

/// How a value of which the file does not say it is stored, by the dictionaries.
fn kind(tag: Tag) -> Option<Kind> {
    own_kind(tag).or_else(|| {
        Some(match StandardDataDictionary.by_tag(tag)?.vr().relaxed() {
            VR::FL => Kind::Float,
            VR::FD => Kind::Double,
            VR::SS | VR::US => Kind::Short,
            VR::SL | VR::UL => Kind::Long,
            VR::AE | VR::AS | VR::CS | VR::DS | VR::IS | VR::LO | VR::LT | VR::SH | VR::ST | VR::UI => Kind::Text,
            _ => return None,
        })
    })
}

/// The bytes of a value of which the file does not say how it is stored.
fn untyped(object: &InMemDicomObject, tag: Tag) -> Option<Cow<'_, [u8]>> {
    let element = object.element(tag).ok()?;
    matches!(element.vr(), VR::UN | VR::OB).then(|| element.to_bytes().ok()).flatten()
}

fn words(bytes: &[u8]) -> Vec<String> {
    let text: String = bytes.iter().take(4096).map(|&b| char::from(b)).collect();
    text.split('\\').map(|word| word.trim_matches(['\0', ' ']).to_owned()).collect()
}

/// The first value, as text.
pub(super) fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let value = match untyped(object, tag) {
        Some(bytes) => words(&bytes).into_iter().next().filter(|_| kind(tag) == Some(Kind::Text))?,
        None => {
            let value = object.element(tag).ok()?.to_str().ok()?;
            value.split('\\').next().unwrap_or_default().trim_matches(['\0', ' ']).to_owned()
        }
    };
    (!value.is_empty()).then(|| value.chars().take(80).collect())
}

/// Whether one of the values is this word.
pub(super) fn has_word(object: &InMemDicomObject, tag: Tag, word: &str) -> bool {
    let all = object.element(tag).ok().and_then(|element| element.to_str().ok());
    all.is_some_and(|all| all.split('\\').any(|value| value.trim_matches(['\0', ' ']) == word))
}

/// All values, as numbers.
fn all_numbers(object: &InMemDicomObject, tag: Tag) -> Option<Vec<f64>> {
    let parsed = |words: Vec<String>| -> Option<Vec<f64>> {
        // Some consoles write decimal commas.
        words.iter().take(MOST).map(|word| word.trim().replace(',', ".").parse().ok()).collect()
    };
    let Some(value) = untyped(object, tag) else {
        let element = object.element(tag).ok()?;
        return element.to_multi_float64().ok().or_else(|| parsed(words(element.to_str().ok()?.as_bytes())));
    };
    let bytes = Bytes::new(&value, Order::Little);
    let numbers = |size: usize, at: &dyn Fn(usize) -> Option<f64>| {
        (0..(value.len() / size).min(MOST)).map(|i| at(i * size)).collect::<Option<Vec<f64>>>()
    };
    match kind(tag)? {
        Kind::Text => parsed(words(&value)),
        Kind::Float => numbers(4, &|at| bytes.f32(at).map(f64::from)),
        Kind::Double => numbers(8, &|at| bytes.f64(at)),
        Kind::Short => numbers(2, &|at| bytes.u16(at).map(f64::from)),
        Kind::Long => numbers(4, &|at| bytes.u32(at).map(f64::from)),
    }
}

/// The first value, as a number.
pub(super) fn number(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    all_numbers(object, tag)?.first().copied().filter(|v| v.is_finite())
}

/// The first value, if it is above zero.
pub(super) fn positive(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    number(object, tag).filter(|v| *v > 0.0)
}

/// The first value, if it can be a number of things.
pub(super) fn count(object: &InMemDicomObject, tag: Tag) -> Option<usize> {
    number(object, tag).filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize)
}

/// The first `N` values, as numbers.
pub(super) fn numbers<const N: usize>(object: &InMemDicomObject, tag: Tag) -> Option<[f64; N]> {
    let values: [f64; N] = all_numbers(object, tag)?.get(..N)?.try_into().ok()?;
    values.iter().all(|v| v.is_finite()).then_some(values)
}

/// The items of a sequence. One of unknown type holds them in implicit form (PS3.5 6.2.2).
pub(super) fn items(object: &InMemDicomObject, tag: Tag) -> Cow<'_, [InMemDicomObject]> {
    if let Some(items) = object.element(tag).ok().and_then(|element| element.items()) {
        return Cow::Borrowed(items);
    }
    // One that had no length brings its delimiter along.
    let found = untyped(object, tag)
        .and_then(|bytes| items_of(&bytes).or_else(|| items_of(bytes.strip_suffix(&SEQUENCE_END)?)));
    Cow::Owned(found.unwrap_or_default())
}

/// The first item of a sequence.
pub(super) fn item(object: &InMemDicomObject, tag: Tag) -> Option<Cow<'_, InMemDicomObject>> {
    match items(object, tag) {
        Cow::Borrowed(items) => items.first().map(Cow::Borrowed),
        Cow::Owned(items) => items.into_iter().next().map(Cow::Owned),
    }
}

/// Items in implicit form: a file is put around them, which is then read as all others are.
fn items_of(bytes: &[u8]) -> Option<Vec<InMemDicomObject>> {
    if !bytes.starts_with(&[0xfe, 0xff, 0x00, 0xe0]) {
        return None;
    }
    let meta: Vec<u8> = IMPLICIT_META
        .iter()
        .flat_map(|(element, uid)| {
            let length = uid.len().div_ceil(2) * 2;
            let mut all = vec![2, 0, *element, 0, b'U', b'I', length as u8, 0];
            all.extend(*uid);
            all.resize(8 + length, 0);
            all
        })
        .collect();
    let mut file = vec![0; 128];
    file.extend(b"DICM\x02\0\0\0UL\x04\0");
    file.extend((meta.len() as u32).to_le_bytes());
    file.extend(meta);
    file.extend([ANY_SEQUENCE.0.to_le_bytes(), ANY_SEQUENCE.1.to_le_bytes()].concat());
    file.extend(u32::try_from(bytes.len()).ok()?.to_le_bytes());
    file.extend(bytes);
    let mut object = open(&file).ok()?;
    object.take_element(ANY_SEQUENCE).ok()?.into_value().into_items().map(|items| items.into_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use dicom_core::{DataElement, PrimitiveValue};

    use super::super::tags::*;
    use super::*;

    fn with(elements: &[(Tag, VR, &[u8])]) -> InMemDicomObject {
        let element = |(tag, vr, bytes): &(Tag, VR, &[u8])| {
            DataElement::new(*tag, *vr, PrimitiveValue::U8(bytes.to_vec().into()))
        };
        InMemDicomObject::from_element_iter(elements.iter().map(element))
    }

    #[test]
    fn values_without_a_type_are_read_by_the_dictionaries() {
        let object = with(&[
            (PHILIPS_ECHO_TIME, VR::UN, b"35"),
            (PHILIPS_REPETITION_TIME, VR::UN, &[2000.0_f32.to_le_bytes(), 1500.0_f32.to_le_bytes()].concat()),
            (TRANSMITTER_FREQUENCY, VR::UN, &127.75_f64.to_le_bytes()),
            (FRAMES, VR::UN, b"18"),
            (ROWS, VR::UN, &[3, 0]),
            (ORIENTATION, VR::OB, b"1\\0\\0\\0\\0,5\\0 "),
            (PHILIPS_EDITED, VR::UN, b"Y "),
            // Nobody's, and half a number.
            (Tag(0x2005, 0x1999), VR::UN, b"35"),
            (PHILIPS_WIDTH, VR::UN, b"35"),
        ]);
        let all = [PHILIPS_ECHO_TIME, PHILIPS_REPETITION_TIME, TRANSMITTER_FREQUENCY, FRAMES, ROWS];
        assert_eq!(all.map(|tag| number(&object, tag).unwrap()), [35.0, 2000.0, 127.75, 18.0, 3.0]);
        assert_eq!(numbers(&object, ORIENTATION), Some([1.0, 0.0, 0.0, 0.0, 0.5, 0.0]));
        assert_eq!(text(&object, PHILIPS_EDITED).as_deref(), Some("Y"));
        assert_eq!(text(&object, PHILIPS_WIDTH), None);
        for tag in [Tag(0x2005, 0x1999), PHILIPS_WIDTH] {
            assert_eq!(number(&object, tag), None);
        }
    }

    #[test]
    fn items_without_a_type_are_found() {
        let edit = |word: u8| [5, 0x20, 0x98, 0x15, 2, 0, 0, 0, word, b' '];
        let mut bytes = Vec::new();
        // One of known length, one without.
        bytes.extend([0xfe, 0xff, 0x00, 0xe0, 10, 0, 0, 0]);
        bytes.extend(edit(b'1'));
        bytes.extend([0xfe, 0xff, 0x00, 0xe0, 255, 255, 255, 255]);
        bytes.extend(edit(b'0'));
        bytes.extend([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]);
        let object = with(&[(PHILIPS_FRAMES, VR::UN, &bytes)]);
        let words: Vec<_> = items(&object, PHILIPS_FRAMES).iter().map(|item| text(item, PHILIPS_EDIT)).collect();
        assert_eq!(words, [Some("1".to_owned()), Some("0".to_owned())]);
        for cut in 0..bytes.len() {
            let _ = items(&with(&[(PHILIPS_FRAMES, VR::UN, &bytes[..cut])]), PHILIPS_FRAMES);
        }
    }
}
