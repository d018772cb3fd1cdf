//! Why a file could not be decoded.

/// Why a twix file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The header is none, or damaged.
    #[error("the header of the measurement cannot be read ({what}); copy the file again")]
    Header {
        /// What is wrong.
        what: &'static str,
    },
    /// No complete transient.
    #[error("no complete transient in the file ({bytes} bytes); it is cut off, or no spectroscopy")]
    NoTransients {
        /// Bytes of the file.
        bytes: usize,
    },
    /// Transients of different shapes.
    #[error("transients of {first} and of {other} samples × coils in one file: it is no single-voxel spectroscopy")]
    Shapes {
        /// Of the first.
        first: String,
        /// Of another.
        other: String,
    },
    /// Phase encoding.
    #[error("spectroscopic imaging ({lines} lines) is not read from twix files; export it as DICOM or convert it")]
    Imaging {
        /// Phase-encoding lines.
        lines: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header { .. } => "bad_header",
            Self::NoTransients { .. } => "truncated",
            Self::Shapes { .. } | Self::Imaging { .. } => "unsupported",
        }
    }
}
