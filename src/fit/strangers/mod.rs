//! What a model lacks: narrow lines of the spectrum that no component has, and the substances that have them.
//!
//! `search` looks for them in what a fit left to residual and baseline, `displaced` among components that left their
//! place. [`library`] knows substances that are seldom
//! there; [`added`] makes components of them. Whether one is kept is a question of [`evidence`]. All numbers that decide
//! stand in [`thresholds`].

pub mod added;
pub mod displaced;
pub mod evidence;
pub mod library;
mod line;
pub mod search;
mod stiff;
pub mod thresholds;

pub use added::Added;
pub use displaced::displaced;
pub use search::{Line, search};
