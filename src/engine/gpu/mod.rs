//! The GPU engine: the same fit in f32 for thousands of spectra at once, in WGSL (`shaders/`).
//!
//! The host prepares a chunk (`fit::map::problem`), the device iterates it to the end ([`rounds`]), and errors and covariance
//! come in f64 from the host. While the device works on one chunk the host finishes the last and prepares the next.
//! Other programs' methods decide on the host and ask the device for normal equations (`requests`).

mod buffers;
pub mod counted;
pub mod device;
mod engine;
mod error;
mod pipelines;
mod quiet;
mod requests;
pub mod rounds;
mod self_test;
pub mod sizes;
pub mod stage;
pub mod timeline;

pub use engine::GpuEngine;
pub use error::GpuError;
pub use self_test::SelfTest;
