//! What is known only when the crate is built: the commit, and the table of the shaders' stages.
#![allow(clippy::print_stdout, reason = "cargo reads what a build script prints")]

#[path = "build/git_hash.rs"]
mod git_hash;
#[cfg(feature = "gpu")]
#[path = "build/shaders.rs"]
mod shaders;

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    git_hash::emit();
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
