//! Objects of a spectroscopy scan that are not read: they are told by name, with what to export instead.

use dicom_object::InMemDicomObject;

use super::error::DecodeError;
use super::siemens;
use super::tags::*;
use super::values::{has_word, text};

/// The form that is asked for.
const INSTEAD_PHILIPS: &str = "export SDAT and SPAR, or the scan as MR Spectroscopy Storage (enhanced DICOM)";
const INSTEAD: &str = "export the scan as MR Spectroscopy Storage (enhanced DICOM), or in the vendor's own format";

/// Why an object without samples in a known place is not read, if it is of a spectroscopy scan.
pub(super) fn unread(object: &InMemDicomObject) -> Option<DecodeError> {
    if object.element(PIXEL_DATA).is_ok() {
        return None;
    }
    let class = text(object, SOP_CLASS).unwrap_or_default();
    let error = |what, instead| Some(DecodeError::Unread { what, instead });
    match class.as_str() {
        PHILIPS_SPECTRUM => {
            return error("a classic Philips spectroscopy object without samples in (2005,1270)", INSTEAD_PHILIPS);
        }
        MR_SPECTROSCOPY => return error("an MR Spectroscopy Storage object without samples in (5600,0020)", INSTEAD),
        PHILIPS_PROTOCOLS => return None,
        _ => {}
    }
    if siemens::is_bare(object) {
        return error(
            "a Siemens object without its CSA header (anonymisation takes it out)",
            "keep the attributes of group 0029, or export an RDA file",
        );
    }
    let is_spectroscopy = has_word(object, CONTRAST, "SPECTROSCOPY")
        || has_word(object, IMAGE_TYPE, "SPECTROSCOPY")
        || text(object, ACQUISITION_TYPE).is_some()
        || text(object, PHILIPS_SCAN).as_deref() == Some("SPECTRO");
    match class.as_str() {
        _ if !is_spectroscopy => None,
        RAW_DATA => error("raw data of a spectroscopy scan (Raw Data Storage)", INSTEAD_PHILIPS),
        PHILIPS_SERIES => error("Philips' series data of a spectroscopy scan", INSTEAD_PHILIPS),
        _ => error("a DICOM object of a spectroscopy scan without samples in a known place", INSTEAD),
    }
}
