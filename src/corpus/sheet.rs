//! A table of text cells.

/// Largest table that is read (bytes): a million lines with long paths have half of it.
pub(super) const MAX_BYTES: u64 = 512 << 20;

/// Cells as text, with the number of the line that each row came from. Rows without any content are left out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<(usize, Vec<String>)>,
    /// Whether the comma is free to be the decimal sign: it does not separate the columns.
    pub(crate) may_have_decimal_commas: bool,
}
