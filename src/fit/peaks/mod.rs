//! Peaks without a basis set: Gaussians and Lorentzians over a smooth background in a window of the real spectrum.
//!
//! ```text
//! y(δ) = Σ_p a_p·g(δ; δ_p, w_p) + Σ_j b_j·B_j(δ)        a, b free, δ_p and w_p within bounds
//! ```
//!
//! `settings` (with `check`) say which peaks, `spectrum` makes the window of an FID, `target` the columns of peaks and
//! background with their derivatives, `solver` minimises weighted squares, `errors` propagates the noise of the samples,
//! `model` puts them together: the difference, and the companion (OFF) whose creatine completes it. Everything in f64.

mod check;
mod errors;
mod model;
pub mod settings;
mod solver;
mod spectrum;
mod target;
#[cfg(test)]
mod tests;

pub use model::{Model, Scale};
pub use settings::Settings;
