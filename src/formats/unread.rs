//! Raw formats of spectroscopy that are known and not read: each is a row that says what to export instead.

use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::files::of_stem;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::Acquisition;
use crate::regular_file;

/// Name of the group of formats.
pub(super) const NAME: &str = "known, not read";

/// How HDF5 files begin (HDF5 specification 3.0, section II.A).
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Names of its files, and the group that ISMRMRD keeps its data in.
const HDF5_ENDINGS: [&str; 4] = [".h5", ".hdf5", ".mrd", ".ismrmrd"];
const ISMRMRD: &[u8] = b"dataset";
/// How much of the file that group's name is looked for in (bytes): it stands with the first objects.
const LOOKED_AT: u64 = 64 << 10;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum UnreadError {
    /// ISMRMRD.
    #[error("ISMRM raw data (HDF5) are not read; convert them to NIfTI-MRS, or give the scanner's own raw file")]
    Ismrmrd,
    /// Philips' raw data.
    #[error("Philips raw data (.raw with .lab) are not read; export DATA/LIST, or SDAT/SPAR")]
    PhilipsRaw,
}

/// The reader that refuses them.
#[derive(Debug)]
pub(super) struct Unread;

fn is_hdf5(probe: &Probe<'_>) -> bool {
    probe.ends_with(&HDF5_ENDINGS)
        && probe.head().starts_with(HDF5)
        && regular_file::head(probe.path(), LOOKED_AT).is_ok_and(|head| {
            let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
            has(ISMRMRD) && has(b"xml") && has(b"data")
        })
}

/// Whether the file is Philips' raw data: its labels lie beside it.
fn is_philips_raw(probe: &Probe<'_>) -> bool {
    probe.ends_with(&[".raw"]) && probe.has_of_stem("lab")
}

impl Reader for Unread {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "ISMRM raw data (`.h5`, `.mrd`), Philips raw data (`.raw` with `.lab` and `.sin`)",
            companions: "the other files of Philips' raw data",
            facts: "none",
            limits: "never read: the row says what to export instead",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(self.recognises(probe))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".lab", ".sin"]) && probe.has_of_stem("raw") && probe.has_of_stem("lab")
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        is_philips_raw(probe) || is_hdf5(probe)
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        ["lab", "sin"].iter().filter_map(|extension| of_stem(path, extension)).collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let is_raw = is_philips_raw(&Probe::new(path));
        Err(ReadError::content(
            path,
            "unsupported",
            if is_raw { UnreadError::PhilipsRaw } else { UnreadError::Ismrmrd },
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::{kind_of, read};
    use super::*;
    use crate::acquisition::FileKind;

    #[test]
    fn what_is_known_and_not_read_is_a_row_that_says_what_to_export() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let ismrmrd = at("scan.h5", &[HDF5, b"....TREE....dataset....xml....data...."].concat());
        let table = at("table.h5", &[HDF5, b"....TREE....pandas...."].concat());
        let raw = at("20240101_scan.raw", &[7; 64]);
        let labels = at("20240101_scan.lab", &[1; 64]);
        let lone = at("other.raw", &[7; 64]);
        assert_eq!((kind_of(&ismrmrd), kind_of(&table)), (FileKind::Spectrum, FileKind::Other));
        assert_eq!((kind_of(&raw), kind_of(&labels)), (FileKind::Spectrum, FileKind::Companion));
        for (path, says) in [(&ismrmrd, "convert them to NIfTI-MRS"), (&raw, "export DATA/LIST")] {
            let error = read(path).map(|_| ()).unwrap_err();
            assert_eq!(error.code(), "unsupported");
            assert!(crate::error_chain::error_chain(&error).contains(says), "{error}");
        }
        // It is no name of a format that is read.
        let unknown = read(&table).map(|_| ()).unwrap_err();
        let said = unknown.to_string();
        assert!(unknown.code() == "unknown_format" && said.contains("NIfTI-MRS") && !said.contains(NAME), "{said}");
        // What is LCModel's by its name stays that.
        assert_ne!(read(&lone).map(|_| ()).unwrap_err().code(), "unsupported");
    }
}
