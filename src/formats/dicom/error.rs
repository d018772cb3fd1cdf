//! Why a DICOM file could not be decoded.

/// Why a DICOM file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// No DICOM, or damaged.
    #[error("not readable as DICOM ({what}); export the file again")]
    Dicom {
        /// What is wrong. The library's own words quote values, which may be names of persons.
        what: &'static str,
    },
    /// Bytes were replaced.
    #[error(
        "somebody's program passed this DICOM file through a text conversion, which destroyed it; get the original"
    )]
    Text,
    /// The bytes are stored in a way that is not read.
    #[error("DICOM in the transfer syntax {syntax}, which is not read; export it uncompressed in little-endian form")]
    Syntax {
        /// Name of the transfer syntax.
        syntax: &'static str,
    },
    /// The file ends within an attribute.
    #[error("the DICOM file is cut off{}; copy it again", at.map(|at| format!(": the length of the attribute at byte {at} cannot be right")).unwrap_or_default())]
    CutOff {
        /// Where an attribute begins that is longer than the file.
        at: Option<usize>,
    },
    /// An image, a report.
    #[error("DICOM without spectroscopy data (SOP class {class}); leave it out, or export the spectrum itself")]
    NotSpectroscopy {
        /// Its SOP class.
        class: String,
    },
    /// Of a spectroscopy scan, in a form that is not read.
    #[error("{what} is not read; {instead}")]
    Unread {
        /// What it is.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// Frames that cannot be put together.
    #[error("the frames of this object {why}; export them one by one, or another format of the same scan")]
    Frames {
        /// What they do.
        why: &'static str,
    },
    /// A value is missing or cannot be right.
    #[error("the DICOM attribute {field} is missing or cannot be right; export the file again")]
    Field {
        /// Name of the attribute.
        field: &'static str,
    },
    /// Fewer samples than announced.
    #[error("{got} samples where {needed} are announced; the file is cut off")]
    Truncated {
        /// Samples there.
        got: usize,
        /// Samples announced.
        needed: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Dicom { .. } | Self::Text | Self::Field { .. } => "bad_header",
            Self::NotSpectroscopy { .. } => "not_spectroscopy",
            Self::Syntax { .. } | Self::Unread { .. } | Self::Frames { .. } => "unsupported",
            Self::Truncated { .. } | Self::CutOff { .. } => "truncated",
        }
    }
}
