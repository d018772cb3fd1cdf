//! The `requant` binary: see [`requant::cli`].

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(requant::cli::main(requant::cli::Cli::parse()))
}
