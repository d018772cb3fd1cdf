//! Siemens' CSA header: names with lists of text values, inside private DICOM attributes. Version 2 begins with `SV10`,
//! version 1 with the number of names.
//!
//! Layout: nibabel's description of the format (<https://nipy.org/nibabel/dicom/siemens_csa.html>).

use std::collections::HashMap;

use dicom_object::InMemDicomObject;

use super::tags::CSA_HEADER;
use crate::formats::bytes::{Bytes, Order};

const NAME_BYTES: usize = 64;
const TAG_BYTES: usize = NAME_BYTES + 20;
const ITEM_BYTES: usize = 16;
/// More tags or values than any header has; keeps a damaged one from being walked for ever.
const MOST: u32 = 4096;
/// More names than any header of version 1 has.
const MOST_FIRST: u32 = 128;
/// Stands behind the number of names.
const MARK: u32 = 77;

/// The values by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Csa(HashMap<String, Vec<String>>);

impl Csa {
    /// The header of an object's spectrum: of several the one that says most.
    pub(super) fn of(object: &InMemDicomObject) -> Option<Self> {
        let headers = CSA_HEADER.iter().filter_map(|tag| Self::parse(&object.element(*tag).ok()?.to_bytes().ok()?));
        let mut headers: Vec<Self> = headers.collect();
        let at = ["DataPointColumns", "RealDwellTime", "ImagingFrequency"]
            .iter()
            .find_map(|name| headers.iter().position(|csa| csa.number(name).is_some()))?;
        Some(headers.swap_remove(at))
    }

    /// Parses a header; `None` where it is none or cut off before its first tag.
    pub(crate) fn parse(header: &[u8]) -> Option<Self> {
        let is_second = header.starts_with(b"SV10");
        let bytes = Bytes::new(header, Order::Little);
        let (mut at, n_tags) = if is_second { (16, bytes.u32(8)?.min(MOST)) } else { (8, bytes.u32(0)?) };
        // Version 1 has no mark of its own: a number of names that can be, a fixed word, and the first name.
        let is_first = || (1..=MOST_FIRST).contains(&n_tags) && bytes.u32(4) == Some(MARK) && is_name(header.get(8..));
        if !is_second && !is_first() {
            return None;
        }
        let mut values = HashMap::new();
        let mut first_items = None;
        for _ in 0..n_tags {
            let Some(n_items) = bytes.u32(at + NAME_BYTES + 12) else { break };
            let name = bytes.text(at, NAME_BYTES);
            at += TAG_BYTES;
            let mut items = Vec::new();
            // Version 1 adds the number of values of the first name to every length.
            let added = *first_items.get_or_insert(n_items);
            for _ in 0..n_items.min(MOST) {
                let length = if is_second { bytes.u32(at + 4) } else { bytes.u32(at).map(|n| n.saturating_sub(added)) };
                let Some(length) = length else { return Some(Self(values)) };
                let length = length as usize;
                at += ITEM_BYTES;
                // Behind the values lie empty items.
                items.extend(bytes.text(at, length));
                // Values are padded to whole words.
                let Some(next) = length.checked_add(3).and_then(|n| at.checked_add(n / 4 * 4)) else {
                    return Some(Self(values));
                };
                at = next;
            }
            if let Some(name) = name.filter(|_| !items.is_empty()) {
                values.insert(name, items);
            }
        }
        Some(Self(values))
    }

    /// Whether it has a name at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The first value of a name.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.first().map(|v| v.chars().take(80).collect())
    }

    /// The first value of a name, as a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.first()?.trim().parse().ok().filter(|v: &f64| v.is_finite())
    }

    /// The first `N` values of a name, as numbers.
    pub(crate) fn numbers<const N: usize>(&self, name: &str) -> Option<[f64; N]> {
        let values: Option<Vec<f64>> = self.0.get(name)?.iter().take(N).map(|v| v.trim().parse().ok()).collect();
        values?.try_into().ok().filter(|v: &[f64; N]| v.iter().all(|x| x.is_finite()))
    }
}

/// Whether bytes begin with a name: letters, then nothing.
fn is_name(bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| {
        let letters = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
        letters > 2 && letters < NAME_BYTES && bytes.get(letters) == Some(&0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same values in a header of version 1.
    fn first_version(items: &[(&str, &[&str])]) -> Vec<u8> {
        let mut bytes = (items.len() as u32).to_le_bytes().to_vec();
        bytes.extend(MARK.to_le_bytes());
        let added = items.first().map_or(0, |(_, values)| values.len());
        for (name, values) in items {
            let mut field = name.as_bytes().to_vec();
            field.resize(NAME_BYTES + 12, 0);
            bytes.extend(field);
            bytes.extend((values.len() as u32).to_le_bytes());
            bytes.extend(77_u32.to_le_bytes());
            for value in *values {
                for word in [value.len() + added, 0, 77, 0] {
                    bytes.extend((word as u32).to_le_bytes());
                }
                bytes.extend(value.as_bytes());
                bytes.resize(bytes.len().div_ceil(4) * 4, 0);
            }
        }
        bytes
    }

    #[test]
    fn headers_of_version_one_are_read() {
        let bytes = first_version(&[("EchoNumbers", &["0", "1"]), ("RealDwellTime", &["500000"])]);
        let csa = Csa::parse(&bytes).unwrap_or_default();
        assert_eq!((csa.number("RealDwellTime"), csa.number("EchoNumbers")), (Some(500_000.0), Some(0.0)));
        for cut in 0..bytes.len() {
            let _ = Csa::parse(&bytes[..cut]);
        }
        assert_eq!(Csa::parse(&[1, 0, 0, 0, 77, 0, 0, 0, 1, 2, 3]), None);
    }

    fn header(items: &[(&str, &[&str])]) -> Vec<u8> {
        let mut bytes = b"SV10\x04\x03\x02\x01".to_vec();
        bytes.extend((items.len() as u32).to_le_bytes());
        bytes.extend(77_u32.to_le_bytes());
        for (name, values) in items {
            let mut field = name.as_bytes().to_vec();
            field.resize(NAME_BYTES, 0);
            bytes.extend(field);
            bytes.extend([0; 12]);
            bytes.extend((values.len() as u32).to_le_bytes());
            bytes.extend(77_u32.to_le_bytes());
            for value in *values {
                for word in [0, value.len() as u32, 77, 0] {
                    bytes.extend(word.to_le_bytes());
                }
                bytes.extend(value.as_bytes());
                bytes.resize(bytes.len().div_ceil(4) * 4, 0);
            }
        }
        bytes
    }

    #[test]
    fn values_are_found_and_damage_ends_quietly() {
        let bytes = header(&[("RealDwellTime", &["833400"]), ("Empty", &[]), ("VoiPosition", &["1.5", "2", "3"])]);
        let csa = Csa::parse(&bytes).unwrap_or_default();
        assert_eq!(csa.number("RealDwellTime"), Some(833_400.0));
        assert_eq!((csa.number("Empty"), csa.text("VoiPosition").as_deref()), (None, Some("1.5")));
        assert_eq!((csa.numbers("VoiPosition"), csa.numbers::<4>("VoiPosition")), (Some([1.5, 2.0, 3.0]), None));
        for cut in 0..bytes.len() {
            let _ = Csa::parse(&bytes[..cut]);
        }
        assert_eq!(Csa::parse(b"none"), None);
    }
}
