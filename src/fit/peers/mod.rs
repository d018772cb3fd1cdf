//! Other programs' methods: one model with parts that methods switch on, minimised as LCModel does.
//!
//! ```text
//! Ŷ = P ⊙ [ Σ_l c_l·F{ m_l · E_l · s_l } + B b ]        c ≥ 0, P = exp(i(φ0 + φ1(δ − pivot)))
//! ```
//!
//! `settings` say which parts a method has: the domain that is compared (`grid`), shifts and widths that components
//! share or have for themselves (`components`, `parameter`), a common lineshape (`lineshape`), a baseline
//! (`baseline`) and rows between amplitudes (`soft`). `evaluation` gives the columns and `normal` their products, which
//! may come from a device (`remote`); `objective` is what is minimised and one step of it, with amplitudes and baseline
//! always solved for (`bounded`); `solver` iterates and refines, `reference` starts LCModel's way, `search` chooses its
//! regularisation, `smoothness` that of a P-spline by ABfit's stages; `report` tells, and `posterior` draws from what
//! `potential` describes. One spectrum at a time, in f64 but for a device's products.

mod baseline;
mod bounded;
mod check;
mod components;
mod delay;
#[cfg(test)]
mod derivative_tests;
mod evaluation;
mod fisher;
mod fit;
mod grid;
mod kernel_shape;
mod layout;
mod lineshape;
mod model;
mod normal;
mod objective;
mod parameter;
mod posterior;
mod potential;
mod problem;
mod ranges;
mod reference;
pub mod remote;
mod report;
mod search;
pub mod settings;
mod setup;
mod smoothing;
mod smoothness;
mod soft;
pub(crate) mod solution;
mod solver;
mod verbs;

#[cfg(test)]
mod worked_example_tests;

pub use fit::{curves, fit, fit_remotely};
pub use model::Model;
pub use settings::Settings;
