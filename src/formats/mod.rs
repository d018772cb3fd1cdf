//! Bytes to [`Acquisition`]: one file a format, no panics on any byte string, no allocation above what
//! the bytes justify. This module holds the table of formats, and asks it.

pub mod bids_sidecar;
pub mod bruker;
mod bytes;
pub mod dicom;
mod error;
mod files;
pub mod ge_pfile;
mod geometry;
pub mod jmrui_binary;
pub mod jmrui_text;
pub(crate) mod json_fault;
pub mod lcmodel_control;
pub mod lcmodel_raw;
pub mod namelist;
pub mod nifti;
pub mod nifti_mrs;
pub mod philips_list;
pub mod philips_sdat;
pub mod plain_text;
mod reader;
pub mod siemens_rda;
pub mod siemens_twix;
pub mod varian;
pub mod vax;

use std::path::{Path, PathBuf};

pub use error::ReadError;
pub use files::MAX_FILE_BYTES;
pub use reader::{About, Probe, Reader};

use crate::acquisition::Acquisition;

/// Every format that is read. A file belongs to the first that recognises it: those that go by name stand before those
/// that look inside, and what looks like almost anything stands last.
pub const READERS: [&dyn Reader; 13] = [
    &nifti_mrs::NiftiMrs,
    &philips_sdat::PhilipsSdat,
    &jmrui_binary::JmruiBinary,
    &varian::Varian,
    &bruker::Bruker,
    &philips_list::PhilipsList,
    &dicom::Dicom,
    &siemens_rda::SiemensRda,
    &siemens_twix::SiemensTwix,
    &ge_pfile::GePfile,
    &jmrui_text::JmruiText,
    &lcmodel_raw::LcmodelRaw,
    &plain_text::PlainText,
];

/// The reader of a file.
///
/// # Errors
/// [`ReadError::Io`] where it cannot be looked into, [`ReadError::UnknownFormat`] where it is of none.
pub fn reader_of(path: &Path) -> Result<&'static dyn Reader, ReadError> {
    let probe = Probe::new(path);
    let reader = READERS.into_iter().find(|reader| reader.recognises(&probe));
    reader.ok_or_else(|| probe.unknown(READERS.map(|reader| reader.name()).join(", ")))
}

/// Reads one file of any known format, with the files that belong to it.
///
/// # Errors
/// [`ReadError`].
pub fn read(path: &Path) -> Result<Acquisition, ReadError> {
    let mut data = reader_of(path)?.read(path)?;
    data.make_printable();
    Ok(data)
}

/// The files beside `path` that [`read`] reads with it, in a fixed order; none for what is of no known format.
pub fn companions(path: &Path) -> Vec<PathBuf> {
    reader_of(path).map(|reader| reader.companions(path)).unwrap_or_default()
}

/// Whether a file that is met in a folder is a spectrum, or at least a broken one, rather than an image, a segmentation or
/// somebody's notes. Reads no more than it needs to tell.
pub fn is_spectroscopy(path: &Path) -> bool {
    let probe = Probe::new(path);
    if !READERS.iter().any(|reader| reader.is_candidate(&probe)) {
        return false;
    }
    match reader_of(path) {
        Ok(reader) => reader.is_spectroscopy(path),
        // Text that is no spectrum is somebody's notes; a file that cannot be read is a row.
        Err(error) => !matches!(error, ReadError::UnknownFormat { .. }),
    }
}
