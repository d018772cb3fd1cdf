//! The mathematics of a fit, in f64: it knows nothing of files, devices or tables.
//!
//! Three families of methods, each a room of its own with the same verbs: [`map`] is the flagship, [`peers`] are methods
//! like other programs', [`peaks`] fit edited differences without a basis set. A [`Method`] is settings; with a basis set
//! and a grid it becomes a [`Model`], and a model fits spectra to [`FitResult`]s. [`sample`] draws from the posterior of
//! any of them. Here at the root is only what families share.

pub mod band;
pub mod baseline;
pub mod diagnostics;
pub(crate) mod differences;
pub mod evidence;
pub mod family;
pub(crate) mod linalg;
pub mod macromolecule_relaxation;
pub mod macromolecules;
pub mod map;
pub mod method;
pub mod model;
pub mod model_error;
pub mod peaks;
pub mod peers;
pub mod prior;
pub mod result;
pub mod sample;
pub mod settings_error;
pub(crate) mod solution;
pub mod start;
pub mod strangers;
mod usual_ratios;
pub mod vary;

pub use method::Method;
pub use model::Model;
pub use model_error::ModelError;
pub use result::{FitResult, FitState};
