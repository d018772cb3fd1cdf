//! From raw transients to one spectrum.
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

mod dynamics;
mod edit_order;
mod edited;
mod field_editing;
mod preparation;
mod prepared_numbers;
