//! Why a pair could not be decoded.

/// Why an SDAT/SPAR pair could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Two headers of one name.
    #[error(
        "{taken} and {other} are both headers of this name, and they differ; move away the one that is not its own"
    )]
    TwoHeaders {
        /// Name of one.
        taken: String,
        /// Name of the other.
        other: String,
    },
    /// A SPAR entry is missing.
    #[error("the SPAR has no entry `{field}`; export the pair again")]
    Missing {
        /// Name of the entry.
        field: &'static str,
    },
    /// A SPAR entry is not a usable number.
    #[error("the SPAR entry `{field}` is no usable number; export the pair again")]
    Invalid {
        /// Name of the entry.
        field: &'static str,
    },
    /// A grid of voxels.
    #[error(
        "spectroscopic imaging ({grid} voxels) is not read from SDAT; export it as DICOM (MR Spectroscopy Storage) or NIfTI-MRS"
    )]
    Imaging {
        /// Its extents.
        grid: String,
    },
    /// The SDAT is shorter than the SPAR says.
    #[error(
        "the SDAT holds {got} bytes where the SPAR announces {rows} rows of {samples} samples ({needed} bytes); it is cut off or belongs to another SPAR"
    )]
    Truncated {
        /// Bytes in the SDAT.
        got: usize,
        /// Rows announced.
        rows: usize,
        /// Samples a row announced.
        samples: usize,
        /// Bytes announced.
        needed: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TwoHeaders { .. } | Self::Missing { .. } | Self::Invalid { .. } => "bad_header",
            Self::Imaging { .. } => "unsupported",
            Self::Truncated { .. } => "truncated",
        }
    }
}
