//! Objects of a spectroscopy scan that are not read: they are told by name, with what to export instead.

use dicom_object::InMemDicomObject;

use super::error::DecodeError;
use super::siemens;
use super::tags::*;
use super::values::{has_word, text};

/// Raw Data Storage (PS3.4 B.5).
const RAW_DATA: &str = "1.2.840.10008.5.1.4.1.1.66";
/// Philips' classes for series and for protocols of scans.
const PHILIPS_SPECTRUM: &str = "1.3.46.670589.11.0.0.12.1";
const PHILIPS_SERIES: &str = "1.3.46.670589.11.0.0.12.2";
const PHILIPS_PROTOCOLS: &str = "1.3.46.670589.11.0.0.12.4";
/// Siemens' class for what is no image.
const SIEMENS_SPECTRUM: &str = "1.3.12.2.1107.5.9.1";
const MR_SPECTROSCOPY: &str = "1.2.840.10008.5.1.4.1.1.4.2";
/// The form that is asked for.
const INSTEAD_PHILIPS: &str = "export SDAT and SPAR, or the scan as MR Spectroscopy Storage (enhanced DICOM)";
const INSTEAD: &str = "export the scan as MR Spectroscopy Storage (enhanced DICOM), or in the vendor's own format";

/// Whether a class is that of spectra.
pub(super) fn is_class_of_spectra(class: &str) -> bool {
    [MR_SPECTROSCOPY, PHILIPS_SPECTRUM, SIEMENS_SPECTRUM].contains(&class)
}

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
