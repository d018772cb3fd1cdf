//! Whether the lengths that a DICOM file announces lie inside it. The library that reads it makes room for a value before it
//! looks whether the value is there: a damaged length of a gigabyte would cost a gigabyte.
//!
//! Layout: DICOM PS3.5 section 7 and PS3.10 section 7.1.

use std::borrow::Cow;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_object::{StandardDataDictionary, Tag};

use crate::formats::bytes::{Bytes, Order};

/// Deeper than any real file; the library descends by calling itself.
const MOST_LEVELS: usize = 64;
const UNDEFINED: u32 = u32::MAX;
/// Group of items and delimiters, and their elements.
const ITEMS: u16 = 0xfffe;
const ITEM: u16 = 0xe000;
const ITEM_END: u16 = 0xe00d;
const SEQUENCE_END: u16 = 0xe0dd;
const PIXEL_DATA: (u16, u16) = (0x7fe0, 0x0010);
/// Representations with a length of two bytes; all others have two bytes of nothing, then four.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
];
const IMPLICIT: &[u8] = b"1.2.840.10008.1.2";
/// Transfer syntaxes that are not read (PS3.5 annex A).
const UNREAD: [(&[u8], &str); 2] = [(b"1.2.840.10008.1.2.2", "big-endian"), (b"1.2.840.10008.1.2.1.99", "deflated")];

struct Header {
    tag: (u16, u16),
    is_sequence: bool,
    /// Whether the file says that it does not know the type.
    is_unknown: bool,
    length: u32,
    /// Where its value begins.
    value: usize,
    /// Bytes of one number; a value holds whole ones, or the library and this walk would part.
    unit: usize,
}

fn header(bytes: &Bytes<'_>, at: usize, is_explicit: bool) -> Option<Header> {
    let tag = (bytes.u16(at)?, bytes.u16(at.checked_add(2)?)?);
    let plain = Header { tag, is_sequence: false, is_unknown: false, length: 0, value: at + 8, unit: 1 };
    if tag.0 == ITEMS {
        return Some(Header { length: bytes.u32(at + 4)?, ..plain });
    }
    if !is_explicit {
        let known = StandardDataDictionary.by_tag(Tag(tag.0, tag.1));
        let kind = known.map_or("UN", |entry| entry.vr().relaxed().to_string());
        let (is_sequence, unit) = (kind == "SQ", unit(kind.as_bytes()));
        return Some(Header { is_sequence, length: bytes.u32(at + 4)?, unit, ..plain });
    }
    let kind = bytes.all().get(at + 4..at + 6)?;
    let plain = Header { is_sequence: kind == b"SQ", is_unknown: kind == b"UN", unit: unit(kind), ..plain };
    if SHORT.iter().any(|short| *short == kind) {
        return Some(Header { length: u32::from(bytes.u16(at + 6)?), ..plain });
    }
    Some(Header { length: bytes.u32(at + 8)?, value: at + 12, ..plain })
}

fn unit(kind: &[u8]) -> usize {
    match kind {
        b"FD" | b"OD" | b"OV" | b"SV" | b"UV" => 8,
        b"AT" | b"FL" | b"OF" | b"OL" | b"SL" | b"UL" => 4,
        b"OW" | b"SS" | b"US" => 2,
        _ => 1,
    }
}

/// Where the first length stands that leads out of the file or holds no whole numbers, or the first of too many levels;
/// `None` where all is well.
pub(super) fn first_wrong(file: &[u8]) -> Option<usize> {
    match meta(file, start(file)?) {
        Err(at) => Some(at),
        Ok(Meta { end, syntax, .. }) => Walk::new(file, syntax != IMPLICIT).all(end).err(),
    }
}

/// The file with lengths for its sequences of unknown type that have none. What is in them is in implicit form even where the
/// file is explicit (PS3.5 6.2.2), which the library does not expect: with a length it takes them as bytes.
pub(super) fn closed(file: &[u8]) -> Cow<'_, [u8]> {
    let Some(Ok(Meta { end, syntax, .. })) = start(file).map(|start| meta(file, start)) else { return file.into() };
    let mut walk = Walk::new(file, syntax != IMPLICIT);
    if walk.all(end).is_err() || walk.open.is_empty() {
        return file.into();
    }
    let mut closed = file.to_vec();
    for (at, length) in walk.open {
        if let Some(field) = closed.get_mut(at..at + 4) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }
    closed.into()
}

/// Name of the transfer syntax, if it is one that is not read, and the class of the object.
pub(super) fn unread_syntax(file: &[u8]) -> Option<(&'static str, &str)> {
    let Meta { syntax, class, .. } = meta(file, start(file)?).ok()?;
    let (_, name) = UNREAD.iter().find(|(unread, _)| *unread == syntax)?;
    Some((name, std::str::from_utf8(class).unwrap_or_default()))
}

/// What the file meta information says.
struct Meta<'a> {
    /// Where it ends.
    end: usize,
    /// The transfer syntax.
    syntax: &'a [u8],
    /// The class of the object.
    class: &'a [u8],
}

/// Where the file meta information begins.
fn start(file: &[u8]) -> Option<usize> {
    [128, 0].into_iter().find(|at| file.get(*at..at + 4) == Some(b"DICM")).map(|at| at + 4)
}

/// The file meta information, or where it leads out of the file.
fn meta(file: &[u8], start: usize) -> Result<Meta<'_>, usize> {
    let bytes = Bytes::new(file, Order::Little);
    let first = header(&bytes, start, true).ok_or(start)?;
    let group = bytes.u32(first.value).ok_or(start)? as usize;
    let mut at = first.value + 4;
    let end = at + group;
    let (mut syntax, mut class): (&[u8], &[u8]) = (&[], &[]);
    while at < end {
        let header = header(&bytes, at, true).ok_or(at)?;
        let next = header.value + header.length as usize;
        let value = file.get(header.value..next).ok_or(at)?;
        let value = value.split(|&b| b == 0).next().unwrap_or_default().trim_ascii_end();
        match header.tag {
            (0x0002, 0x0002) => class = value,
            (0x0002, 0x0010) => syntax = value,
            _ => {}
        }
        at = next;
    }
    Ok(Meta { end: at, syntax, class })
}

/// A sequence or an item that is being gone through.
struct Around {
    /// Where it ends, if that is stated.
    end: Option<usize>,
    /// Whether it is a sequence, which holds items alone; else an item, which holds none.
    is_sequence: bool,
}

/// Goes through values one behind the other; sequences and items are gone into.
struct Walk<'a> {
    bytes: Bytes<'a>,
    is_explicit: bool,
    /// The sequences and items around, the innermost last.
    around: Vec<Around>,
    /// Sequences of unknown type without a length: where it stands, and what it is.
    open: Vec<(usize, u32)>,
}

impl<'a> Walk<'a> {
    fn new(file: &'a [u8], is_explicit: bool) -> Self {
        Self { bytes: Bytes::new(file, Order::Little), is_explicit, around: Vec::new(), open: Vec::new() }
    }

    /// From `start` to the end of the bytes; an error says where a length is wrong.
    fn all(&mut self, start: usize) -> Result<(), usize> {
        let mut at = start;
        let mut is_fragments = false;
        while at < self.bytes.all().len() {
            at = self.step(at, &mut is_fragments)?;
        }
        Ok(())
    }

    /// The end of a sequence whose items begin at `start`.
    fn end_of_sequence(&mut self, start: usize) -> Result<usize, usize> {
        self.around.push(Around { end: None, is_sequence: true });
        let (mut at, mut is_fragments) = (start, false);
        while !self.around.is_empty() {
            at = self.step(at, &mut is_fragments)?;
        }
        Ok(at)
    }

    /// One value, item or delimiter; where the next begins.
    fn step(&mut self, at: usize, is_fragments: &mut bool) -> Result<usize, usize> {
        while self.around.last().is_some_and(|around| around.end.is_some_and(|end| at >= end)) {
            self.around.pop();
        }
        let Header { tag, is_sequence, is_unknown, length, value, unit } =
            header(&self.bytes, at, self.is_explicit).ok_or(at)?;
        let is_in_sequence = self.around.last().is_some_and(|around| around.is_sequence);
        if let (ITEMS, ITEM_END | SEQUENCE_END) = tag {
            // The library would part from this walk, as at items that stand where none is.
            if self.around.pop().is_none_or(|around| around.is_sequence != (tag.1 == SEQUENCE_END)) {
                return Err(at);
            }
            *is_fragments &= tag.1 != SEQUENCE_END;
            return Ok(value);
        }
        let is_item = tag == (ITEMS, ITEM);
        let end = (length != UNDEFINED).then(|| value + length as usize);
        let is_entered = if is_item { !*is_fragments } else { is_sequence || end.is_none() };
        let is_whole = is_entered || (length as usize).is_multiple_of(unit);
        let most = self.around.iter().rev().find_map(|around| around.end).unwrap_or(self.bytes.all().len());
        let is_inside = end.is_none_or(|end| end <= most) && self.around.len() <= MOST_LEVELS;
        if !is_whole || !is_inside || is_item != is_in_sequence {
            return Err(at);
        }
        if is_unknown && end.is_none() {
            let end = Walk::new(self.bytes.all(), false).end_of_sequence(value)?;
            self.open.push((value - 4, u32::try_from(end - value).map_err(|_| at)?));
            return Ok(end);
        }
        match end {
            Some(end) if !is_entered => Ok(end),
            _ => {
                *is_fragments |= tag == PIXEL_DATA;
                self.around.push(Around { end, is_sequence: !is_item });
                Ok(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(data: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        let syntax = [&[2, 0, 0x10, 0, b'U', b'I', 20, 0], b"1.2.840.10008.1.2.1\0".as_slice()].concat();
        file.extend([2, 0, 0, 0, b'U', b'L', 4, 0]);
        file.extend((syntax.len() as u32).to_le_bytes());
        file.extend(syntax);
        file.extend(data);
        file
    }

    const OPEN: [u8; 12] = [8, 0, 0x15, 0x11, b'S', b'Q', 0, 0, 255, 255, 255, 255];
    const ITEM_OPEN: [u8; 8] = [0xfe, 0xff, 0, 0xe0, 255, 255, 255, 255];

    #[test]
    fn lengths_inside_and_outside() {
        let value = [8, 0, 0x60, 0, b'C', b'S', 2, 0, b'M', b'R'];
        let items = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        assert_eq!(first_wrong(&file(&value)), None);
        assert_eq!(first_wrong(&file(&[&OPEN, &ITEM_OPEN[..], &value, &items, &value].concat())), None);
        let mut long = value;
        long[6] = 200;
        let whole = file(&[]).len();
        assert_eq!(first_wrong(&file(&long)), Some(whole));
        assert_eq!(first_wrong(&file(&[&OPEN, &ITEM_OPEN[..], &long].concat())), Some(whole + 20));
        let mut halves = value;
        halves[4..6].copy_from_slice(b"FL");
        assert_eq!(first_wrong(&file(&halves)), Some(whole));
        let raw = [0xe1, 0x7f, 0x10, 0x10, b'O', b'B', 0, 0, 0, 0, 0, 0x40];
        assert_eq!(first_wrong(&file(&raw)), Some(whole));
    }

    #[test]
    fn syntaxes_that_are_not_read_are_named() {
        let with = |syntax: &[u8]| {
            let mut bytes = file(&[]);
            let at = bytes.len() - 20;
            bytes[at..].fill(0);
            bytes[at..at + syntax.len()].copy_from_slice(syntax);
            unread_syntax(&bytes).map(|(name, _)| name)
        };
        assert_eq!(with(b"1.2.840.10008.1.2.2"), Some("big-endian"));
        assert_eq!((with(b"1.2.840.10008.1.2.1"), with(IMPLICIT)), (None, None));
    }

    #[test]
    fn levels_without_end() {
        let deep: Vec<u8> = (0..10_000).flat_map(|_| [&OPEN[..], &ITEM_OPEN].concat()).collect();
        assert!(first_wrong(&file(&deep)).is_some());
    }
}
