//! `map`, the flagship: all parameters of the model at their most probable values, with priors that are data.
//!
//! A [`Model`] is what spectra of one basis set, grid and method share: the components ([`component`]), the fitted band and
//! the baseline. [`fit()`] runs one spectrum through it: start values, Gauss–Newton on all parameters with the normal
//! equations of [`normal`], σ² and λ by `smoothness`, and the errors of [`report`].
//!
//! `docs/reference/map.md` has the objective and its constants.

pub mod columns;
pub mod component;
pub(crate) mod constants;
mod diagnostics;
pub mod evaluation;
mod evidence;
mod extrapolation;
mod first_guess;
mod fit;
mod forward;
mod lineshape;
pub(crate) mod marginal;
pub mod model;
mod noise_covariance;
mod non_negative;
pub mod normal;
pub mod parameters;
pub(crate) mod pinned;
mod potential;
mod prior_report;
pub(crate) mod problem;
mod ratio_priors;
pub mod report;
mod report_scratch;
pub mod settings;
mod settings_check;
mod smoothness;
pub mod solver;
mod start;
mod start_search;
mod step;
#[cfg(feature = "gpu")]
pub(crate) mod twin;
mod window;
mod workspace;

#[cfg(test)]
mod potential_tests;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod step_tests;

pub use fit::{fit, fit_from};
pub use model::Model;
pub use settings::Settings;
pub use workspace::Workspace;
