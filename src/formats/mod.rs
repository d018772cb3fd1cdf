//! Bytes to [`Acquisition`]: one file a format, no panics on any byte string, no allocation above what
//! the bytes justify. This module holds the table of formats, and asks it.

mod alike;
pub mod bids_sidecar;
pub mod bruker;
mod bytes;
mod columns;
pub mod dicom;
mod error;
mod extent;
mod files;
pub mod ge_pfile;
mod geometry;
pub(crate) mod hints;
pub mod image;
pub mod jmrui_binary;
pub mod jmrui_text;
pub(crate) mod json_fault;
pub mod lcmodel_control;
pub mod lcmodel_raw;
mod loops;
mod mgh;
pub mod namelist;
pub mod nifti;
pub mod nifti_mrs;
mod packed;
pub mod philips_list;
pub mod philips_sdat;
pub mod plain_text;
mod reader;
mod same_scan;
mod search;
mod series;
mod siemens_pulse;
pub mod siemens_rda;
pub mod siemens_twix;
mod strengths;
mod times;
mod unread;
pub mod varian;
pub mod vax;

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use bytes::FileBytes;
pub use error::ReadError;
pub use extent::Extent;
pub use files::MAX_FILE_BYTES;
pub use reader::{About, Claim, Probe, Reader};
pub use search::Search;
pub use series::read_series;

use crate::acquisition::{Acquisition, FileKind, place_fault};
use crate::regular_file;
use packed::is_text;

/// Every format that is read. A file belongs to the first that recognises it: those that go by name stand before those
/// that look inside, and what looks like almost anything stands last.
pub const READERS: [&dyn Reader; 14] = [
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
    &unread::Unread,
    &jmrui_text::JmruiText,
    &lcmodel_raw::LcmodelRaw,
    &plain_text::PlainText,
];

/// The reader of a file: its content decides, where it has a signature, else its name.
///
/// # Errors
/// [`ReadError::Io`] where it cannot be looked into, [`ReadError::Archive`] where it is a packed one,
/// [`ReadError::UnknownFormat`] where it is of no format.
pub fn reader_of(path: &Path) -> Result<&'static dyn Reader, ReadError> {
    let probe = Probe::new(path);
    if let Some(reader) = reader_by(&probe) {
        return Ok(reader);
    }
    if probe.is_archive() {
        return Err(ReadError::Archive { path: path.to_owned() });
    }
    let known: Vec<&str> = READERS.iter().map(|reader| reader.name()).filter(|name| *name != unread::NAME).collect();
    Err(probe.unknown(known.join(", ")))
}

fn reader_by(probe: &Probe<'_>) -> Option<&'static dyn Reader> {
    let sure = READERS.into_iter().find(|reader| reader.is_surely(probe));
    sure.or_else(|| READERS.into_iter().find(|reader| reader.recognises(probe)))
}

/// The file to read for what a user names: itself, or the one that a folder stands for.
///
/// # Errors
/// [`ReadError::Folder`] for a folder that is no scan.
pub fn file_at(path: &Path) -> Result<Cow<'_, Path>, ReadError> {
    if !path.is_dir() {
        return Ok(Cow::Borrowed(path));
    }
    in_folder(path).map(Cow::Owned).ok_or_else(|| ReadError::Folder { path: path.to_owned() })
}

/// The file that a folder stands for, where a format keeps its scans in folders.
pub fn in_folder(folder: &Path) -> Option<PathBuf> {
    READERS.into_iter().find_map(|reader| reader.in_folder(folder))
}

/// Reads one file of any known format, with the files that belong to it; of a folder the scan that it is.
///
/// # Errors
/// [`ReadError`].
pub fn read(path: &Path) -> Result<Acquisition, ReadError> {
    let path = &*file_at(path)?;
    refuse_empty(path)?;
    let mut data = reader_of(path)?.read(path)?;
    check_place(&mut data);
    data.make_printable();
    Ok(data)
}

fn refuse_empty(path: &Path) -> Result<(), ReadError> {
    let is_empty = regular_file::check(path).is_ok_and(|file| file.len() == 0);
    if is_empty { Err(ReadError::Empty { path: path.to_owned() }) } else { Ok(()) }
}

/// A place that cannot be right is not known.
fn check_place(data: &mut Acquisition) {
    if let Some(fault) = data.affine_mm.as_ref().and_then(place_fault) {
        data.affine_mm = None;
        data.remarks.push(fault);
    }
    data.placed_by = data.affine_mm.map(|_| data.placed_by.unwrap_or("header"));
    data.further.iter_mut().for_each(|(_, further)| check_place(further));
}

/// Reads of a grid no more than these voxels, where its format lets a part be read: what is read says which it holds
/// ([`Acquisition::first_voxel`]).
///
/// # Errors
/// [`ReadError`].
pub fn read_voxels(path: &Path, voxels: Range<usize>) -> Result<Acquisition, ReadError> {
    refuse_empty(path)?;
    let mut data = reader_of(path)?.read_voxels(path, voxels)?;
    check_place(&mut data);
    data.make_printable();
    Ok(data)
}

/// What a file holds, without reading more of it than that takes.
///
/// # Errors
/// [`ReadError`].
pub fn extent(path: &Path) -> Result<Extent, ReadError> {
    let reader = reader_of(path)?;
    match reader.extent(path) {
        // What a damaged header does not say, the length does: a small packed file may unpack to anything.
        Err(_) if packed::is_packed(path) => Ok(Extent::at_most(files::length_of(path))),
        extent => extent,
    }
}

/// The files beside `path` that [`read`] reads with it, in a fixed order; none for what is of no known format.
pub fn companions(path: &Path) -> Vec<PathBuf> {
    let Ok(path) = file_at(path) else { return Vec::new() };
    reader_of(&path).map(|reader| reader.companions(&path)).unwrap_or_default()
}

/// Whether a file that is met in a folder is a row: a spectrum, or at least a broken one.
pub fn is_spectroscopy(path: &Path) -> bool {
    kind_of(path) == FileKind::Spectrum
}

/// What a file is that is met in a folder. Reads no more than it needs to tell: the beginning of every file, all of one that
/// may be a spectrum or an image. What is called a spectrum is one to account for, and [`read`] says what is wrong with it.
pub fn kind_of(path: &Path) -> FileKind {
    let probe = Probe::new(path);
    let claim = READERS.iter().map(|reader| reader.claim(&probe)).max().unwrap_or(Claim::None);
    if claim <= Claim::Generic && READERS.iter().any(|reader| reader.is_companion(&probe)) {
        return FileKind::Companion;
    }
    match (probe.fault(), probe.head()) {
        (Some(error), _) if claim <= Claim::Generic => return FileKind::Unreadable(error.to_string()),
        (None, []) if claim <= Claim::Generic => return FileKind::Empty,
        (Some(_), _) | (None, []) => return FileKind::Spectrum,
        _ => {}
    }
    let reader = match READERS.into_iter().find(|reader| reader.is_surely(&probe)) {
        // Nobody's name and no signature.
        None if claim == Claim::None => None,
        None => READERS.into_iter().find(|reader| reader.recognises(&probe)),
        sure => sure,
    };
    match reader {
        // Its reader tells, when there is memory for it.
        Some(reader) if reader.name() != nifti_mrs::NAME && is_packed_long(path) => FileKind::Spectrum,
        Some(reader) if reader.is_spectroscopy(path) => FileKind::Spectrum,
        Some(_) => FileKind::Image,
        None if claim == Claim::Own || claim == Claim::Shared && !is_text(probe.head()) => FileKind::Spectrum,
        None if probe.is_archive() => FileKind::Archive,
        None => FileKind::Other,
    }
}

/// Whether gzip packed more than a search looks at in memory. NIfTI files are looked at in parts.
fn is_packed_long(path: &Path) -> bool {
    /// Far above any spectrum that a scanner exports one by one (bytes).
    const LOOKED_AT: u64 = 256 << 20;
    packed::is_packed(path) && files::length_of(path) > LOOKED_AT
}
