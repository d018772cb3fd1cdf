//! Recipe files of every kind: TOML of this program, FSL-MRS' and MRSCloud's JSON.

use std::path::Path;

use super::stated::{RecipeFault, Stated};
use super::{fsl_sequence, mrscloud};
use crate::printable::{LABEL_CHARS, printable};
use crate::regular_file;

/// Longest recipe or waveform that is read (bytes).
const MOST_BYTES: u64 = 4 << 20;

impl Stated {
    /// Reads a recipe and the waveforms that it names, which stand beside it.
    ///
    /// # Errors
    /// [`RecipeFault`] with what is wrong and the valid range.
    pub fn read(path: &Path) -> Result<Self, RecipeFault> {
        let name = printable(&path.file_name().unwrap_or_default().to_string_lossy(), LABEL_CHARS);
        let fault = |reason: String| RecipeFault { name: name.clone(), reason };
        let text = regular_file::text(path, MOST_BYTES).map_err(|e| fault(format!("cannot be read: {e}")))?;
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            let stated = if mrscloud::is_one(&text) { mrscloud::parse(&text) } else { fsl_sequence::parse(&text) };
            return stated.map(|stated| Self { name: name.clone(), ..stated }).map_err(fault);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let stated = Self::parse(&text, &|file| {
            let path = folder.join(file);
            let text = regular_file::text(&path, MOST_BYTES).map_err(|e| format!("{file}: cannot be read: {e}"))?;
            Ok((path, text))
        });
        stated.map(|stated| Self { name: name.clone(), ..stated }).map_err(fault)
    }
}
