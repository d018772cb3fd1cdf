//! The mathematics of a fit, in f64: it knows nothing of files, devices or tables.
//!
//! A [`Model`] is what spectra of one basis set, grid and method share: the modulation-ready
//! components ([`component`]), the band of the spectrum that is fitted ([`band`]) and the baseline
//! ([`baseline`]). [`solver::fit`] runs one spectrum through it: [`start`] values, Gauss–Newton on
//! all parameters with the normal equations of [`normal`], [`prior`] rows, and the errors of
//! [`report`].
//!
//! Model, objective and constants are those of the method `map` (`docs/method-map.md`).

pub mod band;
pub mod baseline;
pub mod component;
pub mod evaluation;
pub mod evidence;
pub mod filter;
pub(crate) mod linalg;
pub mod macromolecules;
pub mod method;
pub mod model;
pub mod normal;
pub mod parameters;
pub mod peaks;
pub mod prior;
pub(crate) mod problem;
pub mod report;
pub mod result;
pub mod sample;
pub mod separable;
pub mod settings;
mod settings_check;
pub mod settings_error;
mod smoothness;
pub mod solver;
pub mod start;
mod step;
pub mod vary;
mod workspace;

pub use method::{FitModel, Method};
pub use model::{Model, ModelError};
pub use result::{FitResult, FitState};
pub use settings::Settings;
pub use workspace::Workspace;
