//! `requant` re-quantifies whole corpora of ¹H-MR spectra consistently.
//!
//! The data go straight through, one module after the other:
//! [`formats`] decode files into an [`acquisition::Acquisition`], [`mod@prepare`] makes one
//! [`prepare::Spectrum`] of it, [`engine`] fits spectra with the mathematics of [`mod@fit`] and a
//! [`basis::BasisSet`], [`mod@quantify`] and [`quality`] turn amplitudes into numbers people use, and
//! [`store`] writes the tables. [`corpus`] finds the work, [`learn`] finds what
//! its spectra have in common, and [`report`] draws it.
//!
//! Programs that call requant need four verbs: [`read()`], [`prepare()`], [`fit()`], [`quantify()`].
//!
//! Features, all of them on by default: `cli` (the command), `gpu` (the engine in WGSL shaders), `report` (pictures and
//! pages). Without them the library reads, prepares, fits, quantifies and writes tables.
//!
//! See `ARCHITECTURE.md` for the rules that hold everywhere (sign convention, units in names,
//! one row per spectrum whatever happens).

pub mod acquisition;
pub mod basis;
#[cfg(feature = "report")]
pub mod benchmark;
pub(crate) mod bids_inheritance;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compare;
pub mod corpus;
pub mod engine;
pub(crate) mod error_chain;
pub mod export;
mod facade;
pub mod fit;
pub mod formats;
pub(crate) mod hash;
pub mod interrupt;
pub mod learn;
pub mod learned;
pub mod maps;
pub(crate) mod output_path;
pub mod overlap;
#[cfg(feature = "report")]
pub mod page;
pub mod prepare;
pub(crate) mod printable;
pub mod pulse;
pub mod quality;
pub mod quantify;
pub(crate) mod random;
pub(crate) mod regular_file;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod signal;
pub mod simulate;
pub mod store;
pub mod tissue;

pub use facade::{Fit, fit, fit_many, prepare, quantify, read, read_basis, spectrum};
pub use output_path::OutputPathError;
