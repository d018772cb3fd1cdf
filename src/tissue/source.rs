//! What is known of a spectrum's tissue before anything is measured.

use std::path::{Path, PathBuf};

use super::error::TissueError;
use super::kinds::Kind;
use crate::quantify::Fractions;

/// Name of the kind of fractions that a manifest states.
pub const MANIFEST: &str = "manifest";

/// The files of a segmentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// Who made it.
    pub kind: Kind,
    /// Maps of grey matter, white matter and CSF, or the one file with labels or fractions.
    pub files: Vec<PathBuf>,
    /// Table of its labels.
    pub table: Option<PathBuf>,
    /// Its first file as tables show it.
    pub shown_as: String,
    /// How it was found, where somebody may doubt it.
    pub remarks: Vec<String>,
}

/// Where fractions of a spectrum's voxels come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Source {
    /// From nowhere: nobody asked, or nothing is there.
    #[default]
    None,
    /// Somebody states them.
    Stated {
        /// The fractions.
        fractions: Fractions,
        /// What was done to them.
        remark: Option<String>,
    },
    /// From a segmentation.
    Files(Segmentation),
    /// There should be some, but.
    Fault(TissueError),
}

impl Source {
    /// Every file that the fractions depend on.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let segmentation = match self {
            Self::Files(segmentation) => Some(segmentation),
            Self::None | Self::Stated { .. } | Self::Fault(_) => None,
        };
        segmentation.into_iter().flat_map(|s| s.files.iter().chain(&s.table).map(PathBuf::as_path))
    }

    /// All that it says beside its files' content, without where they lie.
    pub fn said(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Stated { fractions, remark } => format!("{fractions:?} {remark:?}"),
            Self::Files(s) => format!("{} {} {} {:?}", s.kind.as_str(), s.shown_as, s.table.is_some(), s.remarks),
            Self::Fault(error) => format!("{} {error}", error.flag()),
        }
    }
}
