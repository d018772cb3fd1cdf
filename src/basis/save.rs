//! Basis sets to files: one `.BASIS`, or a folder with a file a member.

use std::io;
use std::path::{Path, PathBuf};

use super::BasisSet;
use crate::output_path::{OutputPathError, path_inside, safe_name};

use super::write::{write_fsl_json, write_lcmodel, write_raw};

/// Forms that basis sets are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetFormat {
    /// LCModel's `.BASIS`, one file.
    Lcmodel,
    /// A folder of LCModel RAW files.
    Raw,
    /// A folder of FSL-MRS JSON files.
    FslJson,
}

impl SetFormat {
    /// The form that a file name asks for; `None` where it does not say.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_string_lossy().to_ascii_lowercase();
        (extension == "basis").then_some(Self::Lcmodel)
    }

    /// What the form cannot hold of a set.
    pub fn leaves_out(self) -> &'static [&'static str] {
        match self {
            Self::Lcmodel => &["digits beyond the seventh"],
            Self::Raw => {
                &["dwell time", "frequency", "echo time", "sequence", "linewidth", "digits beyond the seventh"]
            }
            Self::FslJson => &[],
        }
    }
}

/// Why a basis set was not written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is something already.
    #[error("{}: exists; give another --out, or --overwrite", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// Two members would have one file.
    #[error("members {first} and {second} would both be written to {file}; rename one")]
    Clash {
        /// One member.
        first: String,
        /// The other.
        second: String,
        /// The file.
        file: String,
    },
    /// A member's name makes no file name, or its file is a link that leads elsewhere.
    #[error(transparent)]
    Name(#[from] OutputPathError),
    /// The system refuses.
    #[error("{}: cannot be written: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes `set` to `path`, a file or a folder as the format asks.
///
/// # Errors
/// [`SaveError`]: something is there and `overwrite` is not set, member names that one file system cannot tell
/// apart, or the system refuses.
pub fn save(set: &BasisSet, path: &Path, format: SetFormat, overwrite: bool) -> Result<(), SaveError> {
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| SaveError::Io { path, source }
    };
    let extension = match format {
        SetFormat::Lcmodel => {
            if path.exists() && !overwrite {
                return Err(SaveError::Exists { path: path.to_owned() });
            }
            return std::fs::write(path, write_lcmodel(set)).map_err(io_error(path));
        }
        SetFormat::Raw => "RAW",
        SetFormat::FslJson => "json",
    };
    let files: Vec<String> = set.metabolites.iter().map(|m| format!("{}.{extension}", file_stem(m))).collect();
    for (k, file) in files.iter().enumerate() {
        if let Some(other) = files[..k].iter().position(|f| f.eq_ignore_ascii_case(file)) {
            let (first, second) = (set.metabolites[other].clone(), set.metabolites[k].clone());
            return Err(SaveError::Clash { first, second, file: file.clone() });
        }
    }
    if path.is_dir() && !overwrite && std::fs::read_dir(path).map_err(io_error(path))?.next().is_some() {
        return Err(SaveError::Exists { path: path.to_owned() });
    }
    files.iter().try_for_each(|file| safe_name(file).map(drop))?;
    std::fs::create_dir_all(path).map_err(io_error(path))?;
    for (k, file) in files.iter().enumerate() {
        let text = if format == SetFormat::Raw { write_raw(set, k) } else { write_fsl_json(set, k) };
        let file = path_inside(path, &[file])?;
        std::fs::write(&file, text).map_err(io_error(&file))?;
    }
    Ok(())
}

/// A member's name as every file system takes it.
fn file_stem(member: &str) -> String {
    member.chars().map(|c| if c.is_alphanumeric() || "+-_.".contains(c) { c } else { '_' }).collect()
}
