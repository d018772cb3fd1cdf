//! Other programs' methods: one model with parts that methods switch on, minimised as LCModel does.
//!
//! ```text
//! Ŷ = P ⊙ [ Σ_l c_l·F{ m_l · E_l · s_l } + B b ]        c ≥ 0, P = exp(i(φ0 + φ1(δ − pivot)))
//! ```
//!
//! `settings` say which parts a method has: the domain that is compared (`grid`), shifts and widths that components
//! share or have for themselves (`components`, `parameter`), a common lineshape (`lineshape`), a baseline
//! (`baseline`) and rows between amplitudes (`soft`). `evaluation` gives the columns, `objective` what is
//! minimised and one step of it, with amplitudes and baseline always solved for (`bounded`); `solver` iterates,
//! `reference` starts LCModel's way, `search` chooses its regularisation, `smoothness` that of a P-spline, and
//! `report` tells, and `posterior` draws from what `potential` describes. Everything in f64, one spectrum at a time.

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
mod lineshape;
mod model;
mod objective;
mod parameter;
mod posterior;
mod potential;
mod problem;
mod reference;
mod report;
mod search;
pub mod settings;
mod smoothing;
mod smoothness;
mod soft;
mod solver;

#[cfg(test)]
mod worked_example_tests;

pub use fit::{curves, fit};
pub use model::Model;
pub use settings::Settings;
