//! Finds the work: files, folders, BIDS datasets and manifests become a list of spectra, each with
//! the water reference that belongs to it.
//!
//! Nothing is decoded here. Whether a file is spectroscopy at all is asked of the caller, so that
//! the list does not depend on the readers.

mod bids;
pub mod find;
pub mod found;
mod identity;
mod ids;
pub mod manifest;
pub mod pair;
mod participants;
mod sheet;
mod walk;

pub use find::find;
pub use found::{FindError, FindWarning, Found, Listing, Problem, Refusal};
pub use manifest::Overrides;
pub use pair::Water;
