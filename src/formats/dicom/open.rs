//! Opens a DICOM file with the library, once it is known that its lengths are right.

use dicom_object::{DefaultDicomObject, OpenFileOptions, ReadError as LibraryError};

use super::error::DecodeError;
use super::lengths;
use super::tags::is_class_of_spectra;

/// Name of the format.
pub const NAME: &str = "DICOM";

/// How the identifiers of the standard's classes begin.
const STANDARD_CLASSES: &str = "1.2.840.10008.";
/// What text conversions put in the place of bytes that are no UTF-8.
const REPLACED: &[u8] = "\u{fffd}".as_bytes();

/// The object of a file.
pub(super) fn open(file: &[u8]) -> Result<DefaultDicomObject, DecodeError> {
    let is_text = || file.windows(REPLACED.len()).filter(|w| *w == REPLACED).count() > 8;
    if let Some((syntax, class)) = lengths::unread_syntax(file) {
        let is_spectrum = is_class_of_spectra(class);
        return Err(if is_spectrum {
            DecodeError::Syntax { syntax }
        } else {
            not_spectroscopy(Some(class.to_owned()))
        });
    }
    if let Some(at) = lengths::first_wrong(file) {
        return Err(if is_text() { DecodeError::Text } else { DecodeError::CutOff { at: Some(at) } });
    }
    let failed = |e: LibraryError| {
        let reason = crate::error_chain::error_chain(&e);
        if is_text() {
            return DecodeError::Text;
        }
        // The library has no kind for it.
        if reason.contains("fill whole buffer") {
            return DecodeError::CutOff { at: None };
        }
        DecodeError::Dicom {
            what: match e {
                LibraryError::ParseMetaDataSet { .. } => "its file meta information",
                LibraryError::ReadUnrecognizedTransferSyntax { .. }
                | LibraryError::ReadUnsupportedTransferSyntax { .. }
                | LibraryError::ReadUnsupportedTransferSyntaxWithSuggestion { .. } => {
                    "its transfer syntax; uncompressed little-endian files are read"
                }
                LibraryError::PrematureEnd { .. } | LibraryError::MissingElementValue { .. } => "it ends early",
                _ => "an attribute",
            },
        }
    };
    OpenFileOptions::new().from_reader(&*lengths::closed(file)).map_err(failed)
}

/// Whether a text is made as identifiers are (PS3.5 9.1).
pub(super) fn is_uid(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Of classes those of the standard alone are named: what else stands there is somebody's own text.
pub(super) fn not_spectroscopy(class: Option<String>) -> DecodeError {
    let class = class.filter(|class| class.starts_with(STANDARD_CLASSES) && is_uid(class));
    DecodeError::NotSpectroscopy { class: class.unwrap_or_else(|| "unknown".to_owned()) }
}
