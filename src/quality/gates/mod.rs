//! Gates: which spectra and metabolites a study takes, as data. They become columns and never remove a row.
//!
//! A profile is a list of gates (`profile`), each an expression over columns that must hold (`expression`, `parser`,
//! `evaluate`). Whoever has the tables gives the values.

mod evaluate;
mod expression;
mod kinds;
mod parser;
mod profile;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod robust_tests;

pub use evaluate::{Row, Value};
pub use expression::{Expression, ExpressionError, Function};
pub use kinds::{KindError, ValueKind};
pub use profile::{Gate, Gates, GatesError, ReadyGate, Verdict};
