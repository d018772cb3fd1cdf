//! Tells the versions of the simulation of basis sets apart: sets that are kept on disk are another version's or this one's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the simulation stands.
const FOLDER: &str = "src/basis/simulate";
/// The versions of the libraries that it computes with; not there in a package that others build.
const LIBRARIES: &str = "Cargo.lock";

/// Sets `REQUANT_SIMULATION` for the crate: a hash of all files of the simulation.
pub(crate) fn emit() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let mut files = Vec::new();
    list(Path::new(FOLDER), &mut files)?;
    if Path::new(LIBRARIES).exists() {
        println!("cargo::rerun-if-changed={LIBRARIES}");
        files.push(PathBuf::from(LIBRARIES));
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        // FNV-1a: it tells versions apart, and guards against nobody.
        for byte in file.to_string_lossy().bytes().chain(fs::read(&file)?) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=REQUANT_SIMULATION={hash:016x}");
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
