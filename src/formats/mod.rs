//! Bytes to [`Acquisition`]: one file a format, no panics on any byte string, no allocation above what
//! the bytes justify. This module holds the table of formats, and asks it.

pub mod bids_sidecar;
pub mod bruker;
mod bytes;
pub mod dicom;
mod error;
mod extent;
mod files;
pub mod ge_pfile;
mod geometry;
pub(crate) mod hints;
pub mod jmrui_binary;
pub mod jmrui_text;
pub(crate) mod json_fault;
pub mod lcmodel_control;
pub mod lcmodel_raw;
mod loops;
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

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use bytes::FileBytes;
pub use error::ReadError;
pub use extent::Extent;
pub use files::MAX_FILE_BYTES;
pub use reader::{About, Claim, Probe, Reader};

use crate::acquisition::{Acquisition, FileKind, place_fault};
use crate::regular_file;

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
    let is_empty = regular_file::check(path).is_ok_and(|file| file.len() == 0);
    if is_empty {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    let mut data = reader_of(path)?.read(path)?;
    if let Some(fault) = data.affine_mm.as_ref().and_then(place_fault) {
        data.affine_mm = None;
        data.remarks.push(fault);
    }
    data.make_printable();
    Ok(data)
}

/// Reads of a grid no more than these voxels, where its format lets a part be read: what is read says which it holds
/// ([`Acquisition::first_voxel`]).
///
/// # Errors
/// [`ReadError`].
pub fn read_voxels(path: &Path, voxels: Range<usize>) -> Result<Acquisition, ReadError> {
    reader_of(path)?.read_voxels(path, voxels)
}

/// What a file holds, without reading more of it than that takes.
///
/// # Errors
/// [`ReadError`].
pub fn extent(path: &Path) -> Result<Extent, ReadError> {
    reader_of(path)?.extent(path)
}

/// The files beside `path` that [`read`] reads with it, in a fixed order; none for what is of no known format.
pub fn companions(path: &Path) -> Vec<PathBuf> {
    reader_of(path).map(|reader| reader.companions(path)).unwrap_or_default()
}

/// Whether a file that is met in a folder is a row: a spectrum, or at least a broken one.
pub fn is_spectroscopy(path: &Path) -> bool {
    kind_of(path) == FileKind::Spectrum
}

/// What a file is that is met in a folder. Reads no more than it needs to tell; what is called a spectrum is one to account
/// for, and [`read`] says what is wrong with it.
pub fn kind_of(path: &Path) -> FileKind {
    let probe = Probe::new(path);
    let claim = READERS.iter().map(|reader| reader.claim(&probe)).max().unwrap_or(Claim::None);
    if claim <= Claim::Generic && READERS.iter().any(|reader| reader.is_companion(&probe)) {
        return FileKind::Companion;
    }
    if claim == Claim::None {
        return FileKind::Other;
    }
    let is_generic = claim == Claim::Generic;
    match (probe.fault(), probe.head()) {
        (Some(error), _) if is_generic => return FileKind::Unreadable(error.to_string()),
        (None, []) if is_generic => return FileKind::Empty,
        (Some(_), _) | (None, []) => return FileKind::Spectrum,
        _ => {}
    }
    match READERS.into_iter().find(|reader| reader.recognises(&probe)) {
        Some(reader) if reader.is_spectroscopy(path) => FileKind::Spectrum,
        Some(_) => FileKind::Image,
        None if claim == Claim::Own || claim == Claim::Shared && !is_text(probe.head()) => FileKind::Spectrum,
        None => FileKind::Other,
    }
}

/// Whether the start of a file is somebody's text, rather than samples, or what stands for a file that was not fetched.
fn is_text(head: &[u8]) -> bool {
    /// How the files begin that git-lfs and git-annex leave in a file's place.
    const POINTERS: [&[u8]; 2] = [b"version https://git-lfs", b"/annex/objects/"];
    let is_written = |byte: &u8| *byte >= b' ' || b"\t\n\r\x0c".contains(byte);
    head.iter().all(is_written) && !POINTERS.iter().any(|pointer| head.starts_with(pointer))
}
