//! FID-A's spin systems, for comparisons with sets that were made with them.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "test support")]

use requant::basis::simulate::Library;

/// The built-in library with FID-A's systems where they differ.
pub fn library() -> Library {
    let differing = Library::from_toml(include_str!("../../datasets/fid-a-spin-systems.toml")).unwrap();
    Library::built_in().unwrap().replaced_by(&differing).unwrap()
}
