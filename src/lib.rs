//! `requant` re-quantifies whole corpora of ¹H-MR spectra consistently.
//!
//! The data go straight through, one module after the other:
//! [`formats`] decode files into an [`acquisition::Acquisition`], [`prepare`] makes one
//! [`prepare::Spectrum`] of it, [`engine`] fits spectra with the mathematics of [`fit`] and a
//! [`basis::BasisSet`], [`quantify`] and [`quality`] turn amplitudes into numbers people use, and
//! [`store`] writes the tables. [`corpus`] finds the work, [`learn`] finds what
//! its spectra have in common, and [`report`] draws it.
//!
//! See `ARCHITECTURE.md` for the rules that hold everywhere (sign convention, units in names,
//! one row per spectrum whatever happens).

pub mod acquisition;
pub mod basis;
pub mod benchmark;
pub mod cli;
pub mod compare;
pub mod corpus;
pub mod engine;
pub(crate) mod error_chain;
pub mod fit;
pub mod formats;
pub(crate) mod hash;
pub mod learn;
pub mod learned;
pub mod prepare;
pub mod quality;
pub mod quantify;
pub(crate) mod random;
pub mod report;
pub mod run;
pub mod signal;
pub mod simulate;
pub mod store;
