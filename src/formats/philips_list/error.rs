//! Why a pair could not be decoded.

use crate::formats::philips_sdat;

/// Why a pair could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// No vector that holds signal.
    #[error("the .list indexes no standard vector (STD); is it a preparation scan, or cut off?")]
    NoVectors,
    /// An index line that cannot be read.
    #[error("line {line} of the .list is no index of a vector; export the pair again")]
    Line {
        /// Line, counted from 1.
        line: usize,
    },
    /// Vectors of different lengths.
    #[error("vectors of {first} and of {other} bytes in one .list: it is no single-voxel spectroscopy")]
    Sizes {
        /// Of the first.
        first: usize,
        /// Of another.
        other: usize,
    },
    /// Phase encoding or several locations.
    #[error("spectroscopic imaging is not read from DATA/LIST; export it as SDAT/SPAR or convert it")]
    Imaging,
    /// Vectors that lie upon one another.
    #[error("the .list announces {needed} bytes of vectors where the .data holds {got}; they do not belong together")]
    Overlap {
        /// Bytes of the `.data`.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// Not one transient is whole.
    #[error("the .data holds {got} bytes and no complete transient; it is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
    },
    /// The SPAR.
    #[error("the SPAR beside it: {0}")]
    Spar(philips_sdat::DecodeError),
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoVectors => "no_signal",
            Self::Line { .. } | Self::Overlap { .. } => "bad_header",
            Self::Sizes { .. } | Self::Imaging => "unsupported",
            Self::Truncated { .. } => "truncated",
            Self::Spar(error) => error.code(),
        }
    }
}
