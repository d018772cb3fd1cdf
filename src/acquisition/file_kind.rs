//! What a file is that is met in a folder.

/// What a file is that is met in a folder: readers tell, and the search counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A spectrum, or what must be one by its name and cannot be read: a row.
    Spectrum,
    /// It belongs to a spectrum beside it and is read with it, or holds the same scan once more.
    Companion,
    /// An image, or anything else that a scanner or its converter stores in a format that spectra have as well.
    Image,
    /// Without content, and by its name as likely anything else as a spectrum.
    Empty,
    /// It cannot be opened, for this reason, and is by its name as likely anything else as a spectrum.
    Unreadable(String),
    /// Anything else: notes, tables, programs.
    Other,
}
