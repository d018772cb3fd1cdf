//! Whether the lengths that a DICOM file announces lie inside it. The library that reads it makes room for a value before it
//! looks whether the value is there: a damaged length of a gigabyte would cost a gigabyte.
//!
//! Layout: DICOM PS3.5 section 7 and PS3.10 section 7.1.

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
    length: u32,
    /// Where its value begins.
    value: usize,
    /// Bytes of one number; a value holds whole ones, or the library and this walk would part.
    unit: usize,
}

fn header(bytes: &Bytes<'_>, at: usize, is_explicit: bool) -> Option<Header> {
    let tag = (bytes.u16(at)?, bytes.u16(at.checked_add(2)?)?);
    if tag.0 == ITEMS {
        return Some(Header { tag, is_sequence: false, length: bytes.u32(at + 4)?, value: at + 8, unit: 1 });
    }
    if !is_explicit {
        let known = StandardDataDictionary.by_tag(Tag(tag.0, tag.1));
        let kind = known.map_or("UN", |entry| entry.vr().relaxed().to_string());
        let (is_sequence, unit) = (kind == "SQ", unit(kind.as_bytes()));
        return Some(Header { tag, is_sequence, length: bytes.u32(at + 4)?, value: at + 8, unit });
    }
    let kind = bytes.all().get(at + 4..at + 6)?;
    let (is_sequence, unit) = (kind == b"SQ", unit(kind));
    if SHORT.iter().any(|short| *short == kind) {
        return Some(Header { tag, is_sequence, length: u32::from(bytes.u16(at + 6)?), value: at + 8, unit });
    }
    Some(Header { tag, is_sequence, length: bytes.u32(at + 8)?, value: at + 12, unit })
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
        Ok((at, syntax)) => walk(&Bytes::new(file, Order::Little), at, syntax != IMPLICIT).err(),
    }
}

/// Name of the transfer syntax, if it is one that is not read.
pub(super) fn unread_syntax(file: &[u8]) -> Option<&'static str> {
    let (_, syntax) = meta(file, start(file)?).ok()?;
    UNREAD.iter().find(|(unread, _)| *unread == syntax).map(|(_, name)| *name)
}

/// Where the file meta information begins.
fn start(file: &[u8]) -> Option<usize> {
    [128, 0].into_iter().find(|at| file.get(*at..at + 4) == Some(b"DICM")).map(|at| at + 4)
}

/// The file meta information: where it ends, and the transfer syntax; or where it leads out of the file.
fn meta(file: &[u8], start: usize) -> Result<(usize, &[u8]), usize> {
    let bytes = Bytes::new(file, Order::Little);
    let first = header(&bytes, start, true).ok_or(start)?;
    let group = bytes.u32(first.value).ok_or(start)? as usize;
    let mut at = first.value + 4;
    let end = at + group;
    let mut syntax: &[u8] = &[];
    while at < end {
        let header = header(&bytes, at, true).ok_or(at)?;
        let next = header.value + header.length as usize;
        let value = file.get(header.value..next).ok_or(at)?;
        if header.tag == (0x0002, 0x0010) {
            syntax = value.split(|&b| b == 0).next().unwrap_or_default().trim_ascii_end();
        }
        at = next;
    }
    Ok((at, syntax))
}

/// Values one behind the other; sequences and items are gone into.
fn walk(bytes: &Bytes<'_>, start: usize, is_explicit: bool) -> Result<(), usize> {
    let n = bytes.all().len();
    let mut at = start;
    // Ends of the sequences and items around, where they are stated.
    let mut around: Vec<Option<usize>> = Vec::new();
    let mut is_fragments = false;
    while at < n {
        while around.last().is_some_and(|end| end.is_some_and(|end| at >= end)) {
            around.pop();
        }
        let Header { tag, is_sequence, length, value, unit } = header(bytes, at, is_explicit).ok_or(at)?;
        let end = (length != UNDEFINED).then(|| value + length as usize);
        let is_entered = match tag {
            (ITEMS, ITEM) => !is_fragments,
            (ITEMS, ITEM_END | SEQUENCE_END) => {
                around.pop();
                is_fragments &= tag.1 != SEQUENCE_END;
                at = value;
                continue;
            }
            _ => is_sequence || end.is_none(),
        };
        let is_whole = is_entered || (length as usize).is_multiple_of(unit);
        if !is_whole || end.is_some_and(|end| end > n) || around.len() > MOST_LEVELS {
            return Err(at);
        }
        match end {
            Some(end) if !is_entered => at = end,
            _ => {
                is_fragments |= tag == PIXEL_DATA;
                around.push(end);
                at = value;
            }
        }
    }
    Ok(())
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
            unread_syntax(&bytes)
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
