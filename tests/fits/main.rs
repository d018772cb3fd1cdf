//! Fits: their mathematics, their accuracy, both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod accuracy;
mod benchmark;
mod field_noise;
mod field_priors;
mod field_unmodelled;
mod fit_mathematics;
mod learned_pulses;
mod learning;
mod low_snr;
mod methods;
mod overlay;
mod peers;
mod planted;
mod robustness;
mod shaders;
mod shared_models;
