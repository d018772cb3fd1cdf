//! JSON files that say of themselves whether they are whole: `{"sha256":"…","content":…}`, the hash being that of the
//! content's bytes.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{StoreError, write_failed};
use super::folder::write_synced;
use crate::hash::sha256_hex;
use crate::regular_file;

/// Longest file that is read (bytes): a plan has some 100 bytes for each input.
const MAX_BYTES: u64 = 1 << 30;

const BEFORE_HASH: &str = "{\"sha256\":\"";
const BEFORE_CONTENT: &str = "\",\"content\":";
const AFTER_CONTENT: &str = "}\n";

/// Writes `value` to `path`, synced and whole.
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), StoreError> {
    let content = serde_json::to_string(value).map_err(write_failed(path))?;
    let hash = sha256_hex(content.as_bytes());
    write_synced(path, [BEFORE_HASH, &hash, BEFORE_CONTENT, &content, AFTER_CONTENT].concat().as_bytes())
}

/// The value in the file at `path`; `None` where there is none, or where it is not as it was written.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    content(&regular_file::text(path, MAX_BYTES).ok()?)
}

fn content<T: DeserializeOwned>(text: &str) -> Option<T> {
    let (hash, content) = text.strip_prefix(BEFORE_HASH)?.split_once(BEFORE_CONTENT)?;
    let content = content.strip_suffix(AFTER_CONTENT)?;
    (hash == sha256_hex(content.as_bytes())).then(|| serde_json::from_str(content).ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn any_changed_bit_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        let value = ("a text".to_owned(), 17_u32);
        write(&path, &value).unwrap();
        assert_eq!(read::<(String, u32)>(&path), Some(value));
        let bytes = std::fs::read(&path).unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["content"].is_array());
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &changed).unwrap();
            assert_eq!(read::<(String, u32)>(&path), None, "bit {bit}");
        }
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(read::<(String, u32)>(&path), None);
    }
}
