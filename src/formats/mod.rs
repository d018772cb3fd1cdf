//! Bytes to [`Acquisition`]: one file a format, no panics on any byte string, no allocation above what
//! the bytes justify. This module only detects and dispatches.

pub mod bids_sidecar;
pub mod bruker;
mod bytes;
pub mod dicom;
mod dicom_lengths;
pub mod ge_pfile;
mod geometry;
pub mod jmrui_binary;
pub mod jmrui_text;
pub mod lcmodel_control;
pub mod lcmodel_raw;
pub mod namelist;
pub mod nifti;
pub mod nifti_mrs;
pub mod philips_list;
pub mod philips_sdat;
pub mod plain_text;
mod siemens_csa;
pub mod siemens_rda;
pub mod siemens_twix;
pub mod varian;
pub mod vax;

use std::fs;
use std::path::{Path, PathBuf};

use crate::acquisition::{Acquisition, Format};

/// Why a file could not be read. Says what, where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file, or one that belongs to it, cannot be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No known format.
    #[error("{}: not in a format that is read (NIfTI-MRS, Siemens twix/RDA/DICOM, GE P-file, Philips SDAT/SPAR, DATA/LIST and DICOM, Bruker, Varian, LCModel RAW/H2O, jMRUI, two-column text)", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A second file that the format needs is missing.
    #[error("{}: its {what} is missing; put {} beside it", path.display(), companion.display())]
    MissingCompanion {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
        /// The name it should have.
        companion: PathBuf,
    },
    /// NIfTI, NIfTI-MRS.
    #[error("{}: {source}", path.display())]
    NiftiMrs {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: nifti_mrs::DecodeError,
    },
    /// Philips SDAT/SPAR.
    #[error("{}: {source}", path.display())]
    PhilipsSdat {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: philips_sdat::DecodeError,
    },
    /// LCModel RAW.
    #[error("{}: {source}", path.display())]
    LcmodelRaw {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: lcmodel_raw::DecodeError,
    },
    /// jMRUI text.
    #[error("{}: {source}", path.display())]
    JmruiText {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: jmrui_text::DecodeError,
    },
    /// A vendor's format.
    #[error("{}: {source}", path.display())]
    Vendor {
        /// The file.
        path: PathBuf,
        /// Stable code of what is wrong with it.
        code: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two columns of numbers.
    #[error("{}: {source}", path.display())]
    PlainText {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: plain_text::DecodeError,
    },
}

impl ReadError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::UnknownFormat { .. } => "unknown_format",
            Self::MissingCompanion { .. } => "missing_companion",
            Self::NiftiMrs { source, .. } => source.code(),
            Self::PhilipsSdat { source, .. } => source.code(),
            Self::Vendor { code, .. } => code,
            Self::LcmodelRaw { .. } | Self::JmruiText { .. } | Self::PlainText { .. } => "bad_file",
        }
    }

    /// Whether the file is something else altogether (an image, a segmentation), not a broken spectrum.
    pub fn is_not_spectroscopy(&self) -> bool {
        self.code() == "not_spectroscopy"
    }
}

/// Largest file that is read (bytes): far above any spectroscopy file, far below any memory.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// Bytes in which a NIfTI header lies, gzipped or not: a search of folders reads no more of each file.
const HEADER_BYTES: u64 = 1 << 16;
/// Bytes that tell text formats apart.
const TEXT_HEAD_BYTES: u64 = 4096;

/// Name of the file that has every transient of a Bruker scan.
const BRUKER_RAW: &str = "rawdata.job0";

/// The result of a vendor's decoder, with the path in its error.
macro_rules! vendor {
    ($path:expr, $decoded:expr) => {
        $decoded.map_err(|e| ReadError::Vendor { path: $path.to_owned(), code: e.code(), source: Box::new(e) })
    };
}

/// Reads one file of any known format.
pub fn read(path: &Path) -> Result<Acquisition, ReadError> {
    match detect(path)? {
        Format::NiftiMrs => {
            let sidecar = bids_sidecar::beside(path);
            nifti_mrs::decode(&bytes_of(path)?, sidecar.as_ref())
                .map_err(|source| ReadError::NiftiMrs { path: path.to_owned(), source })
        }
        Format::PhilipsSdat => read_sdat(path),
        Format::LcmodelRaw => lcmodel_raw::decode(&bytes_of(path)?)
            .map_err(|source| ReadError::LcmodelRaw { path: path.to_owned(), source }),
        Format::JmruiText => jmrui_text::decode(&bytes_of(path)?)
            .map_err(|source| ReadError::JmruiText { path: path.to_owned(), source }),
        Format::PlainText => plain_text::decode(&bytes_of(path)?)
            .map_err(|source| ReadError::PlainText { path: path.to_owned(), source }),
        Format::JmruiBinary => vendor!(path, jmrui_binary::decode(&bytes_of(path)?)),
        Format::GePfile => vendor!(path, ge_pfile::decode(&bytes_of(path)?)),
        Format::SiemensRda => vendor!(path, siemens_rda::decode(&bytes_of(path)?)),
        Format::SiemensTwix => vendor!(path, siemens_twix::decode(&bytes_of(path)?)),
        Format::Dicom => vendor!(path, dicom::decode(&bytes_of(path)?)),
        Format::Varian => {
            let procpar = path.with_file_name("procpar");
            if !procpar.is_file() {
                let (path, companion) = (path.to_owned(), PathBuf::from("procpar"));
                return Err(ReadError::MissingCompanion { path, what: "file of parameters", companion });
            }
            vendor!(path, varian::decode(&bytes_of(path)?, &bytes_of(&procpar)?))
        }
        Format::PhilipsList => read_list(path),
        Format::Bruker => read_bruker(path),
    }
}

/// Whether a file is worth looking at when a folder is searched, by its name alone.
pub fn is_candidate(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if name.ends_with(".spar") {
        // With the samples there only these count; a SPAR alone becomes a row that says what is missing.
        return companion(path, "sdat").is_none() && companion(path, "list").is_none();
    }
    if name.ends_with(".data") {
        // The SDAT of the same scan has it averaged already: one of them is a row.
        return companion(path, "list").is_some() && companion(path, "sdat").is_none();
    }
    if name == BRUKER_RAW {
        return true;
    }
    // What `fid` sums, `rawdata.job0` beside it holds transient by transient.
    if name == "fid" && path.with_file_name(BRUKER_RAW).is_file() {
        return false;
    }
    const EXTENSIONS: [&str; 14] = [
        ".nii", ".nii.gz", ".sdat", ".raw", ".h2o", ".txt", ".rda", ".dat", ".twix", ".7", ".dcm", ".ima", ".mrui",
        ".mr",
    ];
    // DICOM exports and Varian folders name their files without an extension, or by a number.
    let bare =
        name == "fid" || path.extension().is_none_or(|e| e.to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    bare || EXTENSIONS.iter().any(|e| name.ends_with(e))
}

/// Whether a candidate is a spectrum, or at least a broken one, rather than an image, a segmentation or
/// somebody's notes. Reads no more than it needs to tell.
pub fn is_spectroscopy(path: &Path) -> bool {
    if !is_candidate(path) {
        return false;
    }
    match detect(path) {
        Ok(Format::NiftiMrs) => head_of(path, HEADER_BYTES).is_ok_and(|head| nifti_mrs::is_spectroscopy(&head)),
        Ok(Format::Dicom) => bytes_of(path).is_ok_and(|file| dicom::is_spectroscopy(&file)),
        Ok(_) => true,
        // Text that is no spectrum is somebody's notes; a file that cannot be read is a row.
        Err(error) => !matches!(error, ReadError::UnknownFormat { .. }),
    }
}

fn detect(path: &Path) -> Result<Format, ReadError> {
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if name.ends_with(".nii") || name.ends_with(".nii.gz") {
        return Ok(Format::NiftiMrs);
    }
    if name.ends_with(".sdat") || name.ends_with(".spar") {
        return Ok(Format::PhilipsSdat);
    }
    if name.ends_with(".mrui") {
        return Ok(Format::JmruiBinary);
    }
    if name == "fid" && path.with_file_name("procpar").is_file() {
        return Ok(Format::Varian);
    }
    if name == BRUKER_RAW || (name == "fid" && path.with_file_name("method").is_file()) {
        return Ok(Format::Bruker);
    }
    if name.ends_with(".list") || (name.ends_with(".data") && companion(path, "list").is_some()) {
        return Ok(Format::PhilipsList);
    }
    let head = head_of(path, TEXT_HEAD_BYTES)?;
    if dicom::looks_like(&head) {
        return Ok(Format::Dicom);
    }
    if siemens_rda::looks_like(&head) || name.ends_with(".rda") {
        return Ok(Format::SiemensRda);
    }
    if siemens_twix::looks_like(&head) {
        return Ok(Format::SiemensTwix);
    }
    if name.ends_with(".7") && ge_pfile::looks_like(&head) {
        return Ok(Format::GePfile);
    }
    let text = String::from_utf8_lossy(&head);
    if text.trim_start().starts_with("jMRUI") {
        Ok(Format::JmruiText)
    } else if name.ends_with(".raw") || name.ends_with(".h2o") || text.trim_start().starts_with('$') {
        Ok(Format::LcmodelRaw)
    } else if plain_text::looks_like(&head) {
        Ok(Format::PlainText)
    } else {
        Err(ReadError::UnknownFormat { path: path.to_owned() })
    }
}

fn read_sdat(path: &Path) -> Result<Acquisition, ReadError> {
    let missing = |what, extension: &str| ReadError::MissingCompanion {
        path: path.to_owned(),
        what,
        companion: PathBuf::from(path.with_extension(extension).file_name().unwrap_or_default()),
    };
    let sdat = if has_extension(path, "sdat") { Some(path.to_owned()) } else { companion(path, "sdat") };
    let spar = if has_extension(path, "spar") { Some(path.to_owned()) } else { companion(path, "spar") };
    let sdat = sdat.ok_or_else(|| missing("SDAT file with the samples", "SDAT"))?;
    let spar = spar.ok_or_else(|| missing("SPAR file with the header", "SPAR"))?;
    philips_sdat::decode(&bytes_of(&sdat)?, &bytes_of(&spar)?)
        .map_err(|source| ReadError::PhilipsSdat { path: path.to_owned(), source })
}

fn read_list(path: &Path) -> Result<Acquisition, ReadError> {
    let part = |extension: &'static str, what| {
        let own = has_extension(path, extension).then(|| path.to_owned());
        own.or_else(|| companion(path, extension)).ok_or_else(|| ReadError::MissingCompanion {
            path: path.to_owned(),
            what,
            companion: PathBuf::from(path.with_extension(extension).file_name().unwrap_or_default()),
        })
    };
    let data = bytes_of(&part("data", ".data file with the samples")?)?;
    let list = bytes_of(&part("list", ".list file with their index")?)?;
    let spar = companion(path, "spar").map(|spar| bytes_of(&spar)).transpose()?;
    vendor!(path, philips_list::decode(&data, &list, spar.as_deref()))
}

fn read_bruker(path: &Path) -> Result<Acquisition, ReadError> {
    let beside = |name: &'static str, what| {
        let file = path.with_file_name(name);
        if file.is_file() {
            return bytes_of(&file);
        }
        Err(ReadError::MissingCompanion { path: path.to_owned(), what, companion: PathBuf::from(name) })
    };
    let method = beside("method", "file of the method's parameters")?;
    let acqp = beside("acqp", "file of the acquisition's parameters")?;
    let reference = path.with_file_name("fid.refscan");
    let reference = if reference.is_file() { Some(bytes_of(&reference)?) } else { None };
    let kind = if path.file_name().is_some_and(|n| n.eq_ignore_ascii_case(BRUKER_RAW)) {
        bruker::Kind::Raw
    } else {
        bruker::Kind::Fid
    };
    vendor!(path, bruker::decode(kind, &bytes_of(path)?, &method, &acqp, reference.as_deref()))
}

/// The file of the same stem with another extension, in any case of letters.
fn companion(path: &Path, extension: &str) -> Option<PathBuf> {
    [extension.to_ascii_lowercase(), extension.to_ascii_uppercase(), capitalised(extension)]
        .iter()
        .map(|e| path.with_extension(e))
        .find(|p| p.is_file())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> ReadError + use<> {
    let path = path.to_owned();
    move |source| ReadError::Io { path, source }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, ReadError> {
    let length = fs::metadata(path).map_err(io_error(path))?.len();
    if length > MAX_FILE_BYTES {
        let source = std::io::Error::other(format!("{length} bytes are more than any spectroscopy file has"));
        return Err(ReadError::Io { path: path.to_owned(), source });
    }
    fs::read(path).map_err(io_error(path))
}

/// The first bytes of a file.
fn head_of(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    use std::io::Read;
    let mut head = Vec::new();
    fs::File::open(path).and_then(|f| f.take(most).read_to_end(&mut head)).map_err(io_error(path))?;
    Ok(head)
}
