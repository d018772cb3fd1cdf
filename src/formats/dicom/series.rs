//! Which part of a series a DICOM file is: scanners store each transient as an instance of its own ("save single
//! averages").

use dicom_object::{InMemDicomObject, Tag};

use super::open::is_uid;
use super::values::{number, text};
use crate::acquisition::{Acquisition, Member, SeriesName};
use crate::formats::alike::{likeness, says_edited};

/// Attributes of the general series and image modules (DICOM PS3.3 C.7.3.1, C.7.6.1).
const SERIES_UID: Tag = Tag(0x0020, 0x000e);
const INSTANCE_NUMBER: Tag = Tag(0x0020, 0x0013);
const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
const ECHO_NUMBER: Tag = Tag(0x0018, 0x0086);
const STUDY_UID: Tag = Tag(0x0020, 0x000d);
const SERIES_NUMBER: Tag = Tag(0x0020, 0x0011);
const PROTOCOL_NAME: Tag = Tag(0x0018, 0x1030);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103e);

/// The part that an object is, of which `data` was read; `None` where it holds more than a transient, is edited or does not
/// say.
pub(super) fn member(object: &InMemDicomObject, data: &Acquisition) -> Option<Member> {
    let uid = text(object, SERIES_UID).filter(|uid| is_uid(uid))?;
    let instance = number(object, INSTANCE_NUMBER).filter(|n| (0.0..1e9).contains(n) && n.fract() == 0.0)? as u32;
    let is_edited = |tag: Tag| text(object, tag).is_some_and(|text| says_edited(&text));
    if [PROTOCOL_NAME, SERIES_DESCRIPTION].into_iter().any(is_edited) {
        return None;
    }
    // What was derived of the transients is none of them.
    let kind = object.element(IMAGE_TYPE).ok().and_then(|e| e.to_str().ok().map(|t| t.into_owned()));
    let alike = likeness(data)?;
    Some(Member { series: format!("{uid} {kind:?} {:?} {alike}", number(object, ECHO_NUMBER)), instance })
}

/// What the scanner calls the series: its description, else the protocol's name.
pub(super) fn name(object: &InMemDicomObject) -> Option<SeriesName> {
    let session = text(object, STUDY_UID).filter(|uid| is_uid(uid))?;
    let name = [SERIES_DESCRIPTION, PROTOCOL_NAME].into_iter().find_map(|tag| text(object, tag))?;
    let number = number(object, SERIES_NUMBER).filter(|n| (0.0..1e9).contains(n)).map(|n| n as u32);
    Some(SeriesName { session, name, number })
}
