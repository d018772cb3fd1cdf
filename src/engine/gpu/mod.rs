//! The GPU engine: the same fit in f32 for thousands of spectra at once, in WGSL (`shaders/`).
//!
//! The host poses problems (`fit::map::problem`), the device iterates them to the end ([`rounds`]), spectra of all models side by
//! side, and errors and covariance come in f64 from the host, which works beside the device (`through`).
//! Other programs' methods decide on the host and ask the device for normal equations (`requests`).

mod buffers;
pub mod counted;
pub mod device;
mod engine;
mod error;
mod opened;
mod pipelines;
mod quiet;
mod requests;
pub mod rounds;
mod self_test;
pub mod sizes;
pub mod stage;
mod through;
pub mod timeline;

pub use engine::GpuEngine;
pub use error::GpuError;
pub use self_test::SelfTest;
