//! Why a file could not be decoded.

use crate::formats::json_fault::JsonFault;
use crate::formats::nifti::NiftiError;

/// Why a file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The container.
    #[error(transparent)]
    Container(#[from] NiftiError),
    /// Real-valued data: an image or a segmentation.
    #[error("holds real numbers (NIfTI data type {datatype}): an image or a segmentation, not spectroscopy")]
    NotSpectroscopy {
        /// NIfTI data type.
        datatype: i16,
    },
    /// Complex data without the NIfTI-MRS header extension.
    #[error(
        "complex NIfTI without the NIfTI-MRS header extension (code 44): frequency, nucleus and sign convention are not defined; convert it with spec2nii"
    )]
    NoExtension,
    /// The header extension is not a JSON object.
    #[error("the NIfTI-MRS header extension is {fault}; convert the file again")]
    Json {
        /// What is wrong with it, and where.
        fault: JsonFault,
    },
    /// Steps of image-selected spectroscopy whose signs are not known.
    #[error(
        "DIM_ISIS has {steps} steps, and their signs are not known: the voxel is in the sum with signs alone; give them in \
         dim_{dimension}_header (as {{\"Signs\": [1, -1]}}), or combine the steps before"
    )]
    Signs {
        /// Number of steps.
        steps: usize,
        /// Which dimension.
        dimension: usize,
    },
    /// Steps of a phase cycle that cancel one another.
    #[error(
        "the {steps} steps of DIM_PHASE_CYCLE cancel one another, but with turned phases they add up: the receiver's phase was \
         not applied; apply it or combine the steps before"
    )]
    PhaseCycle {
        /// Number of steps.
        steps: usize,
    },
    /// Steps of ISIS that no dimension calls so.
    #[error(
        "the sequence {sequence} selects the voxel by steps that are added with signs, and {tag} has {entries} entries, whose plain \
         mean holds what is outside the voxel: tag the dimension DIM_ISIS, or combine the steps and keep one entry"
    )]
    Isis {
        /// Name of the sequence.
        sequence: String,
        /// Tag of the dimension.
        tag: String,
        /// Its number of entries.
        entries: usize,
    },
    /// A dimension that is averaged, of entries with other times.
    #[error(
        "the entries of dim_{dimension} would be added, and its header has several values of {key} ({values}): tag the dimension \
         DIM_INDIRECT_0, or split the file"
    )]
    Times {
        /// Which dimension.
        dimension: usize,
        /// Which time.
        key: &'static str,
        /// Its values.
        values: String,
    },
    /// Something is to be added to every sample.
    #[error(
        "scl_inter = {intercept}: the standards do not agree what is added to complex numbers; store the samples as they are, \
         with scl_slope 1 and scl_inter 0"
    )]
    Intercept {
        /// Its value.
        intercept: f64,
    },
    /// A dimension tag that the standard does not know.
    #[error("{key} names no dimension of the NIfTI-MRS standard; correct the header extension")]
    Tag {
        /// Which dimension.
        key: String,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(NiftiError::Truncated { .. } | NiftiError::Gzip { .. }) => "truncated",
            Self::Container(NiftiError::Unreadable { .. }) => "unreadable_file",
            Self::Container(NiftiError::Memory { .. }) => "too_large_for_memory",
            Self::Container(_) | Self::Json { .. } | Self::Intercept { .. } | Self::Tag { .. } => "bad_header",
            Self::NotSpectroscopy { .. } => "not_spectroscopy",
            Self::NoExtension | Self::Times { .. } => "unsupported",
            Self::Signs { .. } | Self::Isis { .. } | Self::PhaseCycle { .. } => "signs_unknown",
        }
    }
}
