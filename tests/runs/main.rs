//! Runs from the first file to what people look at.
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

mod accounting;
mod bids_app;
mod changing_inputs;
mod command_line;
mod compare;
mod crash;
mod describe;
mod export;
mod memory;
mod one_run_a_folder;
mod pictures;
mod report_page;
mod resume;
mod resumed_inputs;
mod run_contract;
mod scale;
mod simulation;
mod stopping;
