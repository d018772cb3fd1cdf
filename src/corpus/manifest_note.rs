//! What should be known about how a manifest was read.

use thiserror::Error;

use super::manifest_cells::{Cells, LABEL_OR_NOT, LABELS};
use super::titles::Titles;

/// What should be known about how a manifest was read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestNote {
    /// Another title stands for `path`.
    #[error("the column `{0}` is taken as `path`")]
    PathTitle(String),
    /// Columns that are probably meant to be others.
    #[error("columns that are not used, only carried through to the tables: {}; rename what is meant to be used", .0.join(", "))]
    Misspelt(Vec<String>),
    /// Columns that name persons.
    #[error("columns that name persons are left out of all tables: {}", .0.join(", "))]
    Personal(Vec<String>),
    /// Labels that may have been meant.
    #[error("{n} cells `NA` in the columns {} are taken as not known; a label must be written otherwise", .columns.join(", "))]
    NotKnown {
        /// How many cells.
        n: usize,
        /// In which columns.
        columns: Vec<&'static str>,
    },
    /// Cells in columns without title.
    #[error("{0} cells stand in columns without a title, and are not read")]
    Untitled(usize),
}

/// What the user should know about titles and cells.
pub(super) fn notes<'a, C: Iterator<Item = Cells<'a>>>(
    titles: &Titles,
    header: &[String],
    rows: impl Fn() -> C,
) -> Vec<ManifestNote> {
    let mut notes: Vec<ManifestNote> = titles.path_is.iter().cloned().map(ManifestNote::PathTitle).collect();
    if !titles.misspelt.is_empty() {
        notes.push(ManifestNote::Misspelt(titles.misspelt.clone()));
    }
    if !titles.personal.is_empty() {
        notes.push(ManifestNote::Personal(titles.personal.clone()));
    }
    let is_label_or_not = |cells: &Cells<'_>, column: &str| cells.cell(column) == Some(LABEL_OR_NOT);
    let in_column = |column: &'static str| (column, rows().filter(|cells| is_label_or_not(cells, column)).count());
    let labels: Vec<(&'static str, usize)> = LABELS.into_iter().map(in_column).filter(|(_, n)| *n > 0).collect();
    if !labels.is_empty() {
        let (columns, n): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
        notes.push(ManifestNote::NotKnown { n: n.iter().sum(), columns });
    }
    let without_title = |cells: Cells<'a>| {
        let all = cells.cells.iter().zip(header);
        all.filter(|(cell, title)| title.trim().is_empty() && !cell.is_empty()).count()
    };
    match rows().map(without_title).sum() {
        0 => {}
        n => notes.push(ManifestNote::Untitled(n)),
    }
    notes
}
