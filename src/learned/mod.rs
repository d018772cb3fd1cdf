//! What was learned from a corpus, as data: values that spectra of one protocol share, their errors, and their table.
//!
//! `learn` finds them, `run` uses them as priors.

mod group;
mod recipe;
mod shared;
mod table;
mod unused;

pub use group::{Learned, LearnedGroup};
pub use recipe::{CandidateFit, LearnedRecipe};
pub use shared::Shared;
pub use table::{LearnedError, read, rows};
pub use unused::{PulsesOf, takes_priors};
