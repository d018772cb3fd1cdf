//! Why a scan's folder could not be decoded.

/// Why a scan's folder could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A parameter is missing or unusable.
    #[error("the parameter {field} of `method` and `acqp` is missing or cannot be right; copy the scan's folder again")]
    Field {
        /// Name of the parameter.
        field: &'static str,
    },
    /// Phase encoding.
    #[error(
        "spectroscopic imaging (matrix {matrix}) is not read from Bruker's raw data; convert it to NIfTI-MRS first"
    )]
    Imaging {
        /// The matrix, as the file has it.
        matrix: String,
    },
    /// Not one transient is whole.
    #[error("{got} bytes where one transient of {points} points and {coils} coils needs {needed}; the file is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Points announced.
        points: usize,
        /// Coils announced.
        coils: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A spectrum as ParaVision shows it.
    #[error(
        "`2dseq` of spectroscopy holds a spectrum as ParaVision shows it, which is not read; copy `rawdata.job0`, `fid` or `fid_proc.64` of the scan, with `method` and `acqp`"
    )]
    Shown,
    /// A filter longer than the signal.
    #[error("a group delay of {delay} points of {points} cannot be right; copy the scan's folder again")]
    Delay {
        /// What the file says.
        delay: f64,
        /// Points of the signal.
        points: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Delay { .. } => "bad_header",
            Self::Imaging { .. } | Self::Shown => "unsupported",
            Self::Truncated { .. } => "truncated",
        }
    }
}
