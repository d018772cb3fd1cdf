//! Folders, manifests and datasets: which files are spectra of whom.
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

mod conversion;
mod corpora;
mod corpus;
mod field_corpus;
mod manifests;
