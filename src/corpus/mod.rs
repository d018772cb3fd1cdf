//! Finds the work: files, folders, BIDS datasets and manifests become a list of spectra, each with
//! the water reference that belongs to it.
//!
//! Nothing is decoded here. What a file is, is asked of the caller, so that the list does not depend
//! on the readers. Every file that is seen becomes a row or is left out for a reason that is counted.

mod bids;
mod collect;
pub mod find;
pub mod found;
mod identity;
mod ids;
mod left_out;
pub mod manifest;
mod markers;
pub mod pair;
mod participants;
mod same_scan;
mod series;
mod series_folders;
mod sheet;
mod walk;

pub use find::find;
pub use found::{FindError, FindWarning, Found, Listing, Problem, Refusal};
pub use left_out::{LeftOut, LeftOutKind, counts, in_words};
pub use manifest::Overrides;
pub use pair::Water;
