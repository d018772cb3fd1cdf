//! Fits of `map` on the device: rounds of all stages over the unfinished spectra of a chunk, until none is left.

mod chunk;
mod decided;
#[doc(hidden)]
pub mod inspect;
mod layout;
mod modes;
mod on_device;
mod profile;
mod tables;

pub(super) use layout::chunk_size;
pub(super) use on_device::{OnDevice, Solution, posed};
pub use profile::Profile;
pub(super) use tables::unsupported;
