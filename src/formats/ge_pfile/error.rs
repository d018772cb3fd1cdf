//! Why a P-file could not be decoded.

/// Why a P-file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The file does not begin with a revision.
    #[error("the file does not begin with the revision of a P-file; it is another format, or damaged")]
    NoRevision,
    /// The layout of this revision is not known.
    #[error(
        "P-file revision {revision} is not known (known are 7 to 31); convert it to NIfTI-MRS with a tool that knows it"
    )]
    Revision {
        /// As the file has it.
        revision: f32,
    },
    /// A header field cannot be right.
    #[error("the header field {field} is {value}, which cannot be right; export the file again")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What it says.
        value: f64,
    },
    /// Shorter than the header says.
    #[error("{got} bytes where the header announces {needed}; the file is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// A grid of voxels.
    #[error(
        "spectroscopic imaging ({voxels} voxels) is not read from P-files; reconstruct it and export the grid as NIfTI-MRS"
    )]
    Grid {
        /// Voxels.
        voxels: usize,
    },
    /// Several echoes of a sequence that is not known.
    #[error(
        "{echoes} echoes of a sequence whose loops are not known: which is what differs; convert it to NIfTI-MRS first"
    )]
    Echoes {
        /// Echoes.
        echoes: usize,
    },
    /// Frames that are not what the sequence should have.
    #[error(
        "{frames} frames, which are not those of ISTHMUS (a frame of water and 32 transients in turn): convert the file to NIfTI-MRS, one for each of its four parts"
    )]
    Parts {
        /// Frames.
        frames: usize,
    },
    /// No frame with water suppression.
    #[error("no frames but {reference} of the water reference; is it a prescan?")]
    NoFrames {
        /// Frames of the reference.
        reference: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Revision { .. } | Self::NoRevision => "unknown_revision",
            Self::Field { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
            Self::Grid { .. } | Self::Echoes { .. } | Self::Parts { .. } => "unsupported",
            Self::NoFrames { .. } => "no_signal",
        }
    }
}
