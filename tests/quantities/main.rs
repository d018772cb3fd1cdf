//! Water, tissue, concentrations, quality.
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

mod clinical_protocol;
mod field_water;
mod field_water_times;
mod maps;
mod overlap;
mod quality_definitions;
mod quantification;
mod requantify;
mod tissue;
