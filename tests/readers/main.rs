//! What sites have, read.
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

mod basis_sets;
mod field_basis;
mod field_dicom;
mod field_headers;
mod field_twix;
mod field_vendors;
mod hostile_files;
mod imports;
mod lcmodel_raw;
mod readers;
mod vendor_forms;
