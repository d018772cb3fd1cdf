//! What is known only when the crate is built: the commit, the simulation's version, and the table of the shaders' stages.
#![allow(clippy::print_stdout, reason = "cargo reads what a build script prints")]

#[path = "build/git_hash.rs"]
mod git_hash;
#[cfg(feature = "gpu")]
#[path = "build/shaders.rs"]
mod shaders;
#[path = "build/simulation_hash.rs"]
mod simulation_hash;

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    git_hash::emit();
    if let Err(error) = simulation_hash::emit() {
        println!("cargo::error=the files of the simulation cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    // Which of the binaries that are given away this is.
    if let Ok(target) = std::env::var("TARGET") {
        println!("cargo::rustc-env=REQUANT_TARGET={target}");
    }
    #[cfg(feature = "gpu")]
    if let Err(fault) = shaders::write_table() {
        println!("cargo::error={}", fault.replace('\n', " "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
