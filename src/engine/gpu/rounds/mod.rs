//! Fits of `map` on the device: rounds of all stages over the unfinished spectra of a chunk, of any models, until none is left.

mod chunk;
mod decided;
#[doc(hidden)]
pub mod inspect;
mod layout;
mod memory;
mod modes;
mod profile;
mod stream;
mod tables;

pub(super) use chunk::Chunk;
pub(super) use layout::{largest_buffer, most_slots, slots};
pub(super) use memory::Memory;
pub use profile::Profile;
pub(super) use stream::{Posed, Waiting, Watch, run};
pub(super) use tables::{Tables, unsupported};
