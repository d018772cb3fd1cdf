//! The house in order: rooms, doors, and the documents that are made from the code.
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

mod architecture;
mod columns;
mod doors;
mod fence;
mod glossary;
mod layouts;
mod tables;
