//! What the search gives back: spectra, refusals, warnings, errors.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::identity::file_name;
use super::left_out::LeftOut;
use super::manifest::{ManifestError, Overrides};
use super::manifest_note::ManifestNote;
use super::pair::Water;
use crate::tissue::Source;

/// One file that becomes rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where to read it.
    pub path: PathBuf,
    /// The other files of one series, in order, where each holds a transient of this spectrum.
    pub parts: Vec<PathBuf>,
    /// `spectrum_id` without sub-spectrum or voxel.
    pub id: String,
    /// Path relative to INPUT (for a manifest: to its folder).
    pub source_path: String,
    /// Its water reference.
    pub water: Water,
    /// The other files of the water reference's series, in order.
    pub water_parts: Vec<PathBuf>,
    /// Path of the water reference relative to INPUT, where it is paired.
    pub water_source_path: Option<String>,
    /// Subject label, without `sub-`.
    pub subject: Option<String>,
    /// Session label, without `ses-`.
    pub session: Option<String>,
    /// Site label.
    pub site: Option<String>,
    /// Volume of interest, without `voi-`.
    pub voi: Option<String>,
    /// What the user states about it: for most files nothing, which they share, as it is large.
    pub overrides: Arc<Overrides>,
    /// Where its voxels' tissue comes from: nobody knows before somebody has looked.
    pub tissue: Source,
    /// Why it cannot be analysed, apart from its water reference.
    pub problem: Option<Problem>,
}

/// Why a file that was found cannot be analysed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// By its name it is a water reference, and no spectrum claims it.
    #[error(
        "the name says that this is a water reference, and no spectrum beside it belongs to it; \
         to analyse it as a spectrum, list it in a manifest"
    )]
    LoneReference,
    /// The same scan is there in another format, which is taken.
    #[error(
        "the same scan is read from {taken}, which is nearer to what the scanner measured; list this file in a manifest to analyse it as well"
    )]
    SameScan {
        /// Name of the file that is taken.
        taken: String,
    },
    /// A packed archive.
    #[error(
        "a packed archive, which is not looked into; unpack it where it lies, or move it away if it holds no spectra"
    )]
    Archive,
    /// Files of one series that cannot be put in order.
    #[error(
        "{n} files of one series hold a transient each, and {twice} of their instance numbers are there more than once; \
         take the copies away, or list the files in a manifest to analyse each alone"
    )]
    Series {
        /// Files.
        n: usize,
        /// Numbers that several of them have.
        twice: usize,
    },
    /// It cannot be opened.
    #[error("the file cannot be opened: {0}")]
    Unreadable(String),
    /// Its line in the manifest is faulty.
    #[error("line {line} of the manifest: {message}")]
    ManifestLine {
        /// Line (of a Parquet manifest: row), counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// A row without analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `true`: status `skipped`; `false`: status `failed`.
    pub is_skip: bool,
    /// Value of the column `error_code`.
    pub code: &'static str,
    /// Value of the column `error_message`.
    pub message: String,
}

impl Found {
    /// Why this one gets a row without analysis; `None` if it can be analysed.
    pub fn refusal(&self) -> Option<Refusal> {
        let failed = |code, message| Some(Refusal { is_skip: false, code, message });
        match (&self.problem, &self.water) {
            (Some(problem @ Problem::LoneReference), _) => {
                Some(Refusal { is_skip: true, code: "water_reference", message: problem.to_string() })
            }
            (Some(problem @ Problem::SameScan { .. }), _) => {
                Some(Refusal { is_skip: true, code: "same_scan", message: problem.to_string() })
            }
            (Some(problem @ Problem::Archive), _) => {
                failed("packed_archive", format!("{}: {problem}", self.source_path))
            }
            (Some(problem @ Problem::Series { .. }), _) => {
                failed("bad_series", format!("{}: {problem}", self.source_path))
            }
            (Some(problem @ Problem::Unreadable(_)), _) => failed("unreadable_file", problem.to_string()),
            (Some(problem @ Problem::ManifestLine { .. }), _) => failed("manifest_line", problem.to_string()),
            (None, Water::Ambiguous(files)) => {
                let names: Vec<String> = files.iter().map(|file| file_name(file)).collect();
                failed(
                    "ambiguous_water_reference",
                    format!(
                        "{}: which file is its water reference is not clear ({}); name one in the \
                         column `water_path` of a manifest (or `none`)",
                        self.source_path,
                        names.join(", ")
                    ),
                )
            }
            (None, Water::Missing(_)) => failed(
                "missing_water_reference",
                format!(
                    "{}: its water reference {} is not there; correct the sidecar's \
                     ReferenceSignal or the manifest's `water_path`, or write `none` there",
                    self.source_path,
                    self.water_source_path.as_deref().unwrap_or("(unnamed)")
                ),
            ),
            (None, Water::Unfit(_, why)) => failed(
                "missing_water_reference",
                format!(
                    "{}: {} is named as its water reference, but {why}; correct the sidecar's \
                     ReferenceSignal or the manifest's `water_path`, or write `none` there",
                    self.source_path,
                    self.water_source_path.as_deref().unwrap_or("(unnamed)")
                ),
            ),
            (None, Water::None | Water::Paired(_)) => None,
        }
    }
}

/// Something that was left out or ignored, and is no row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FindWarning {
    /// A folder or file could not be read.
    #[error("{path}: left out, cannot be read ({message})")]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// A link leads back to a folder above itself.
    #[error("{path}: link to a folder that contains it, not followed")]
    Loop {
        /// The link.
        path: PathBuf,
    },
    /// Not raw data by the rules of BIDS.
    #[error("{path}: not searched, holds no raw data by BIDS rules; give it as INPUT to search it")]
    BidsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A sidecar that may name a water reference cannot be read.
    #[error("{path}: sidecar ignored, no readable JSON ({message})")]
    Sidecar {
        /// The JSON file.
        path: PathBuf,
        /// What the JSON library said.
        message: String,
    },
    /// How a manifest was read.
    #[error("{path}: {note}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What should be known.
        note: ManifestNote,
    },
    /// Labels that a spreadsheet took for numbers.
    #[error(
        "{n} labels in manifests lack zeros at their beginning that file names have (`{stated}` for `{named}`), as \
         spreadsheets take them away: those of the names are used, first for {path}"
    )]
    ZerosLost {
        /// The first file.
        path: PathBuf,
        /// How many.
        n: usize,
        /// The label as the manifest has it.
        stated: String,
        /// The label as the name has it.
        named: String,
    },
    /// Paths that the pattern for labels does not fit.
    #[error(
        "{n} of {of} files do not fit --site-from {pattern}, or fit in several ways, and keep the labels that they have: {path}"
    )]
    Unlabelled {
        /// The first of them.
        path: PathBuf,
        /// How many.
        n: usize,
        /// How many there are in all.
        of: usize,
        /// The pattern.
        pattern: String,
    },
    /// Files, or lines of a manifest, whose id others have.
    #[error("{n} files have the id of another one, as {path} does, which is `{id}` in the tables: they are numbered")]
    Numbered {
        /// The first of them.
        path: PathBuf,
        /// Its new id.
        id: String,
        /// How many.
        n: usize,
    },
    /// Files of one series and one instance number, which are not put together.
    #[error(
        "{n} files have the series and the instance number of another one, as {path} does: each is a spectrum of its own; are they copies?"
    )]
    SameInstance {
        /// The first of them.
        path: PathBuf,
        /// How many.
        n: usize,
    },
    /// Files that differ in their extension only.
    #[error("{n} files differ from others in their extension only, as {path} does: their ids keep it")]
    KeptExtension {
        /// The first of them.
        path: PathBuf,
        /// How many.
        n: usize,
    },
    /// Spectra that a filter by entities leaves out.
    #[error("{n} spectra are left out by the filter of entities, first {path}")]
    Filtered {
        /// The first of them.
        path: PathBuf,
        /// How many.
        n: usize,
    },
    /// Water references whose acquisition label is not the spectrum's.
    #[error(
        "{n} spectra are scaled by a water reference of another `acq-` label, as {path} by {water}: no spectrum beside it has \
         that label. If it was measured for another voxel or sequence, name the right one in a manifest (`water_path`), or `none`"
    )]
    OtherAcquisition {
        /// The first spectrum.
        path: PathBuf,
        /// Name of its reference.
        water: String,
        /// How many.
        n: usize,
    },
    /// Files that hold byte for byte what another one holds.
    #[error(
        "{n} files are byte for byte the same as another one, as {path} is as {other}: each is fitted and counted as a spectrum \
         of its own. Leave out what was copied, and look whose scan it is where subjects differ"
    )]
    Copies {
        /// The first copy.
        path: PathBuf,
        /// What it is a copy of.
        other: String,
        /// How many.
        n: usize,
    },
    /// A line of a manifest that lists the water reference of another line.
    #[error("{path}: listed in the manifest, but left out as the water reference of another line")]
    ListedReference {
        /// The file.
        path: PathBuf,
    },
}

impl FindWarning {
    /// The file or folder that it is about.
    pub(super) fn path_mut(&mut self) -> &mut PathBuf {
        match self {
            Self::Unreadable { path, .. }
            | Self::Loop { path }
            | Self::BidsFolder { path }
            | Self::Sidecar { path, .. }
            | Self::Manifest { path, .. }
            | Self::ZerosLost { path, .. }
            | Self::Unlabelled { path, .. }
            | Self::Numbered { path, .. }
            | Self::SameInstance { path, .. }
            | Self::KeptExtension { path, .. }
            | Self::Filtered { path, .. }
            | Self::OtherAcquisition { path, .. }
            | Self::Copies { path, .. }
            | Self::ListedReference { path } => path,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The spectra: in the order of the INPUTs, within a folder by path, within a manifest by line.
    pub found: Vec<Found>,
    /// Everything else that was seen: with the spectra, every file under INPUT once.
    pub left_out: Vec<LeftOut>,
    /// Names of the columns that manifests have of their own and that are carried through to the tables, in their order.
    pub carried: Vec<String>,
    /// What should be known about the search, for the log.
    pub warnings: Vec<FindWarning>,
}

/// Why there is nothing to do.
#[derive(Debug, Error)]
pub enum FindError {
    /// An INPUT does not exist.
    #[error("{path}: no such file or folder; check the spelling")]
    NotThere {
        /// The INPUT.
        path: PathBuf,
    },
    /// No INPUT holds a spectrum.
    #[error("no spectrum in {inputs} (seen: {seen}); give files, folders, a BIDS dataset or a manifest")]
    NoInput {
        /// The INPUTs, separated by commas.
        inputs: String,
        /// What was seen, counted by kind.
        seen: String,
    },
    /// Somebody asked to stop.
    #[error("stopped while looking for spectra")]
    Stopped,
    /// Files of two INPUTs would have the same `spectrum_id`.
    #[error(
        "{} and {} would both be `{id}` in the tables; give the folder above both as the one INPUT, \
         leave one out, or list them in a manifest with a column `id`", first.display(), second.display()
    )]
    DuplicateId {
        /// The id.
        id: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl FindError {
    /// Exit code of the program for this error: 66 where there is no input, 2 for wrong usage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotThere { .. } | Self::NoInput { .. } => 66,
            Self::DuplicateId { .. } | Self::Manifest(_) => 2,
            Self::Stopped => 75,
        }
    }
}
