//! Names the commit that is built, for the tables' key-value metadata and `run.json`.

use std::path::Path;
use std::process::Command;

/// Sets `REQUANT_GIT_HASH` for the crate where the sources are a Git checkout. `REQUANT_GIT_HASH` in the environment goes
/// first: packages are built from an archive.
pub(crate) fn emit() {
    println!("cargo::rerun-if-env-changed=REQUANT_GIT_HASH");
    // While developing, a commit would make everything be compiled anew.
    if std::env::var_os("REQUANT_GIT_HASH").is_some() || std::env::var("PROFILE").is_ok_and(|p| p == "debug") {
        println!("cargo::rerun-if-changed=build/git_hash.rs");
        return;
    }
    let Some(hash) = git(&["rev-parse", "--short=12", "HEAD"]) else { return };
    println!("cargo::rustc-env=REQUANT_GIT_HASH={hash}");
    // `HEAD` changes on checkout, its log with every commit as well.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// What Git answers in the folder of the sources, if these are a checkout of their own.
fn git(arguments: &[&str]) -> Option<String> {
    // Sources that were unpacked inside somebody else's checkout are not of its commit.
    if !Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
