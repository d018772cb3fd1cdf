//! Finds the work: files, folders, BIDS datasets and manifests become a list of spectra, each with
//! the water reference that belongs to it.
//!
//! Nothing is decoded here. What a file is, is asked of the caller, so that the list does not depend
//! on the readers. Every file that is seen becomes a row or is left out for a reason that is counted.

mod bids;
mod circles;
mod collect;
mod copies;
mod entity_filter;
pub mod find;
pub mod found;
mod identity;
mod ids;
mod labelling;
mod left_out;
pub mod manifest;
mod manifest_cells;
pub mod manifest_note;
mod markers;
pub mod pair;
mod participants;
pub mod path_labels;
mod same_scan;
mod series;
mod series_folders;
mod sheet;
mod sheet_parquet;
mod sheet_text;
pub mod titles;
mod walk;

pub(crate) use copies::copies;
pub use entity_filter::{EntityFilter, FilterError};
pub use find::{find, find_labelled};
pub use found::{FindError, FindWarning, Found, Listing, Problem, Refusal};
#[cfg(feature = "cli")]
pub(crate) use identity::source_name;
pub(crate) use identity::{id_of, relative_path};
pub use left_out::{LeftOut, LeftOutKind, counts, in_words};
pub use manifest::Overrides;
pub(crate) use manifest_cells::NOT_KNOWN;
pub use pair::{Unfit, Water};
pub use path_labels::PathLabels;
pub(crate) use sheet::Sheet;
pub(crate) use sheet_parquet::read_parquet;
pub(crate) use sheet_text::read_text;
